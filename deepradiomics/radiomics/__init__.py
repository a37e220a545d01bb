"""Radiomic features with PyRadiomics' names and numbers, or by IBSI's definitions: one call for a region, for many
labels and images, or for patches of several views."""

from deepradiomics.radiomics.batch import PatchFeatures, extract_patches
from deepradiomics.radiomics.catalogue.explain import describe, family_of, label_of
from deepradiomics.radiomics.extract import ENGINE_VERSION, Features, extract
from deepradiomics.radiomics.many import extract_labels, extract_many
from deepradiomics.radiomics.many_result import LabelFeatures
from deepradiomics.radiomics.settings.feature_names import feature_names
from deepradiomics.radiomics.settings.parameters import features_preset
from deepradiomics.radiomics.settings.settings import ImageType, Settings

__all__ = [
    "ENGINE_VERSION",
    "Features",
    "ImageType",
    "LabelFeatures",
    "PatchFeatures",
    "Settings",
    "describe",
    "extract",
    "extract_labels",
    "extract_many",
    "extract_patches",
    "family_of",
    "feature_names",
    "features_preset",
    "label_of",
]
