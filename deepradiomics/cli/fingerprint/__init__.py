"""Commands of RadiomicFingerprint."""
