"""Commands of RadiomicLens."""
