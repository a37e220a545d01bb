"""Results of RadiomicLens in the scene."""
