"""Radiomic features with PyRadiomics' names and numbers: one call for a region, or for patches of several views."""

from deepradiomics.radiomics.batch import PatchFeatures, extract_patches
from deepradiomics.radiomics.catalogue import describe, family_of, label_of
from deepradiomics.radiomics.extract import ENGINE_VERSION, Features, extract
from deepradiomics.radiomics.settings import Settings, feature_names, features_preset

__all__ = [
    "ENGINE_VERSION",
    "Features",
    "PatchFeatures",
    "Settings",
    "describe",
    "extract",
    "extract_patches",
    "family_of",
    "feature_names",
    "features_preset",
    "label_of",
]
