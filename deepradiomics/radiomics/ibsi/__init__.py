"""Features as the Image Biomarker Standardisation Initiative (IBSI) defines them: ``standard="ibsi"``.

Reference manual: Zwanenburg et al., arXiv 1612.07003 and Radiology 295 (2020) 328; filters: Whybra et al., Radiology
310 (2024) e231319. Names, tags and codes stand in ``catalogue/ibsi.json``.
"""

from deepradiomics.radiomics.catalogue.ibsi import AGGREGATIONS, describe, entry_of, is_ibsi_key
from deepradiomics.radiomics.ibsi.features import ibsi_features, ibsi_features_of
from deepradiomics.radiomics.ibsi.preparation import loaded, loaded_again
from deepradiomics.radiomics.settings.ibsi_names import ibsi_feature_names as feature_names

__all__ = [
    "AGGREGATIONS",
    "describe",
    "entry_of",
    "feature_names",
    "ibsi_features",
    "ibsi_features_of",
    "is_ibsi_key",
    "loaded",
    "loaded_again",
]
