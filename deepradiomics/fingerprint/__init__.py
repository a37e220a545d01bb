"""Per-patient radiomic fingerprints: a network chooses, for each patient, which radiomic features decide.

``train`` makes a bundle from a cohort, ``apply`` gives one exam's prediction, fingerprint and heat maps. This package
imports no torch by itself; its modules load on use, e.g. ``from deepradiomics.fingerprint.apply import apply``.
"""
