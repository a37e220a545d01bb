"""Feature maps: the features of the window around each voxel, as images; PyRadiomics' voxel-based extraction."""

from deepradiomics.radiomics.maps.run import feature_maps

__all__ = ["feature_maps"]
