"""Report and figures of RadiomicFingerprint."""
