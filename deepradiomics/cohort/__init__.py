"""Cohorts: the manifest of cases, their splits, and their features extracted once and kept.

Several processes or a cluster need Dask (extra `cluster`).
"""

from deepradiomics.cohort.load import load_case
from deepradiomics.cohort.manifest import SPLITS, Manifest, ManifestRow, Split, read_manifest, write_manifest
from deepradiomics.cohort.mrnet import mrnet_manifest
from deepradiomics.cohort.regions.manifest import read_region_manifest
from deepradiomics.cohort.roi import has_roi, roi_mask
from deepradiomics.cohort.splits import check_patients, folds, with_splits

__all__ = [
    "SPLITS",
    "Manifest",
    "ManifestRow",
    "Split",
    "check_patients",
    "folds",
    "has_roi",
    "load_case",
    "mrnet_manifest",
    "read_manifest",
    "read_region_manifest",
    "roi_mask",
    "with_splits",
    "write_manifest",
]
