"""extract: the radiomic features of one region of one image, with PyRadiomics' names and numbers."""

from dataclasses import replace
from typing import Any

from deepradiomics.devices import checked_device
from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.images import ImageLike, MaskLike
from deepradiomics.radiomics.ibsi import ibsi_features_of, loaded_again
from deepradiomics.radiomics.image_types import Effort, features_of
from deepradiomics.radiomics.memory import Budget
from deepradiomics.radiomics.region.inputs import Inputs, load, plane_settings
from deepradiomics.radiomics.region.preprocess import prepare_region
from deepradiomics.radiomics.region.regions import RegionChoice
from deepradiomics.radiomics.result import ENGINE_VERSION, Features, undefined_reasons
from deepradiomics.radiomics.settings.settings import Settings
from deepradiomics.threads import thread_count

__all__ = ["ENGINE_VERSION", "Features", "chosen_settings", "extract", "undefined_reasons"]


def extract(
    image: ImageLike,
    mask: MaskLike,
    params: Any = None,
    *,
    label: int | None = None,
    segment: str | None = None,
    device: str = "auto",
    standard: str | None = None,
    threads: int | None = None,
    max_memory_gb: float | None = None,
) -> Features:
    """Compute the radiomic features of one labelled region.

    Args:
        image: a path, a SimpleITK image or a Volume.
        mask: the same, or a Mask: a label map, a Slicer segmentation, a DICOM SEG or RTSTRUCT.
        params: a PyRadiomics YAML file, a dictionary of its structure, a preset's name, or None for its defaults.
        label: the label of the ROI; None takes that of a parameter file or dictionary (1 where it is silent), and
            without parameters, or with a preset, the only label of the mask.
        segment: the name of the ROI's segment instead.
        device: ``auto`` (the CPU, or a GPU for large jobs), ``cpu``, ``cuda``.
        standard: ``pyradiomics`` or ``ibsi`` (IBSI's definitions where they differ); None takes the settings'.
        threads: how many to use; None takes the variable DEEPRADIOMICS_THREADS, else all cores.
        max_memory_gb: bounds the filtered images and matrices in work; None takes the variable
            DEEPRADIOMICS_MAX_MEMORY_GB, else 1.

    Returns:
        A dictionary of floats with ``.diagnostics`` and ``.notes`` (what was assumed or chosen while reading). A
        feature that is not defined for this region is NaN, and ``diagnostics["undefined"]`` says why.

    Raises:
        InputError: a file, setting or image that cannot be used; its subclasses MaskError and GeometryError say that
            it is the mask or the grid.

    >>> features = extract("image.nii.gz", "mask.nii.gz", {"setting": {"binWidth": 10}})
    >>> features["original_shape_VoxelVolume"]  # 120 voxels of 2 mm³
    240.0
    """
    settings, choice = chosen_settings(params, label, standard), RegionChoice.of(params, label, segment)
    checked_device(device)
    effort = Effort(device, thread_count(threads), Budget(max_memory_gb))
    inputs = load(image, mask, settings)
    chosen = choice.labels(inputs.mask)
    inputs = replace(inputs, notes=(*inputs.notes, *chosen.notes))
    return features_of_loaded(inputs, settings.with_label(chosen.labels[0]), effort)


def features_of_loaded(inputs: Inputs, settings: Settings, effort: Effort) -> Features:
    """Compute the features of the settings' label of what :func:`deepradiomics.radiomics.region.inputs.load` gave.

    Raises:
        InputError: as for :func:`extract`.
    """
    if settings.standard == "ibsi":
        [features] = ibsi_features_of(loaded_again(inputs, settings), [settings], effort)
    else:
        settings = plane_settings(settings, inputs.dimensions)
        [features] = features_of([prepare_region(inputs, settings, effort.threads, effort.budget)], [settings], effort)
    if isinstance(features, DeepRadiomicsError):
        raise features
    features.diagnostics["notes"] = list(inputs.notes)
    return features


def chosen_settings(params: Any, label: int | None = None, standard: str | None = None) -> Settings:
    """Return settings with the label and the standard of a call on top."""
    settings = Settings.from_params(params, standard)
    return settings if label is None else settings.with_label(label)
