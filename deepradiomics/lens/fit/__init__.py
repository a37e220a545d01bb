"""The lens over a cohort: from a manifest and two encoders to a folder of results."""
