"""Commands that make synthetic cohorts."""
