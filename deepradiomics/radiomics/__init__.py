"""Radiomic features with PyRadiomics' names and numbers, computed in one call for a region, or for patches and views."""

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
