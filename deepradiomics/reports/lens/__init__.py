"""Report and figures of RadiomicLens."""
