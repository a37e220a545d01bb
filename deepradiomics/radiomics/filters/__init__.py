"""Filters: the images derived from an image before features are taken from them."""

from deepradiomics.radiomics.filters.smooth import log_filter, mean_filter

__all__ = ["log_filter", "mean_filter"]
