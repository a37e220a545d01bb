"""Features as the Image Biomarker Standardisation Initiative (IBSI) defines them: ``standard="ibsi"``.

Reference manual: Zwanenburg et al., arXiv 1612.07003 and Radiology 295 (2020) 328; filters: Whybra et al., Radiology
310 (2024) e231319. Names, tags and codes stand in ``catalogue.json``.
"""

from deepradiomics.radiomics.ibsi.catalogue import AGGREGATIONS, describe, entry_of, is_ibsi_key
from deepradiomics.radiomics.ibsi.features import feature_names, ibsi_features, ibsi_features_of
from deepradiomics.radiomics.ibsi.preparation import loaded, loaded_again

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
