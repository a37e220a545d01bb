"""How well models predict and select, against baselines, over splits."""
