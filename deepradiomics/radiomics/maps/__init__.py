"""Feature maps: the features of the window around each voxel, as images; PyRadiomics' voxel-based extraction."""

from deepradiomics.radiomics.maps.run import FeatureMaps, feature_maps, maps_of_loaded

__all__ = ["FeatureMaps", "feature_maps", "maps_of_loaded"]
