"""Filters: the images derived from an image before features are taken from them."""

from deepradiomics.radiomics.filters.failure import FilterFailure
from deepradiomics.radiomics.filters.laws import laws_filter
from deepradiomics.radiomics.filters.separable_wavelet import separable_wavelet
from deepradiomics.radiomics.filters.smooth import log_filter, mean_filter
from deepradiomics.radiomics.filters.types import filtered

__all__ = [
    "FilterFailure",
    "filtered",
    "laws_filter",
    "log_filter",
    "mean_filter",
    "separable_wavelet",
]
