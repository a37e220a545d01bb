"""The lens over one case: maps of the features that changed most."""
