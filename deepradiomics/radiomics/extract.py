"""extract: the radiomic features of one region of one image, with PyRadiomics' names and numbers."""

from typing import Any

from deepradiomics.devices import checked_device
from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.radiomics.image_types import Effort, features_of
from deepradiomics.radiomics.inputs import Inputs, load, plane_settings
from deepradiomics.radiomics.memory import Budget
from deepradiomics.radiomics.preprocess import prepare_region
from deepradiomics.radiomics.result import ENGINE_VERSION, Features, undefined_reasons
from deepradiomics.radiomics.settings import Settings
from deepradiomics.radiomics.threads import thread_count

__all__ = ["ENGINE_VERSION", "Features", "chosen_settings", "extract", "undefined_reasons"]


def extract(
    image: Any,
    mask: Any,
    params: Any = None,
    *,
    label: int | None = None,
    device: str = "auto",
    standard: str | None = None,
    threads: int | None = None,
    max_memory_gb: float | None = None,
) -> Features:
    """Compute the radiomic features of one labelled region.

    Args:
        image: a path, a SimpleITK image or a Volume.
        mask: the same, or a Mask; the ROI is where it equals ``label``.
        params: a PyRadiomics YAML file, a dictionary of its structure, a preset's name, or None for its defaults.
        label: the label of the ROI; None takes the settings' label, which is 1 by default.
        device: ``auto`` (the CPU, or a GPU for large jobs), ``cpu``, ``cuda``.
        standard: ``pyradiomics`` or ``ibsi`` (IBSI's definitions where they differ); None takes the settings'.
        threads: how many to use; None takes the variable DEEPRADIOMICS_THREADS, else all cores.
        max_memory_gb: bounds the filtered images and matrices in work; None takes the variable
            DEEPRADIOMICS_MAX_MEMORY_GB, else 1.

    Returns:
        A dictionary of floats with ``.diagnostics``. A feature that is not defined for this region is NaN, and
        ``diagnostics["undefined"]`` says why.

    Raises:
        InputError: a file, setting or image that cannot be used; its subclasses MaskError and GeometryError say that
            it is the mask or the grid.

    >>> features = extract("image.nii.gz", "mask.nii.gz", {"setting": {"binWidth": 10}})  # doctest: +SKIP
    >>> features["original_glcm_Contrast"]  # doctest: +SKIP
    """
    settings = chosen_settings(params, label, standard)
    checked_device(device)
    if settings.standard == "ibsi":
        from deepradiomics.radiomics.ibsi import ibsi_features

        return ibsi_features(image, mask, settings, device=device, threads=threads, max_memory_gb=max_memory_gb)
    effort = Effort(device, thread_count(threads), Budget(max_memory_gb))
    return features_of_loaded(load(image, mask, settings), settings, effort)


def features_of_loaded(inputs: Inputs, settings: Settings, effort: Effort) -> Features:
    """Compute the features of the settings' label of what :func:`deepradiomics.radiomics.inputs.load` gave.

    Raises:
        InputError: as for :func:`extract`.
    """
    if settings.standard == "ibsi":
        from deepradiomics.radiomics.ibsi import ibsi_features_of, loaded_again

        [found] = ibsi_features_of(loaded_again(inputs, settings), [settings], effort)
    else:
        settings = plane_settings(settings, inputs.dimensions)
        [found] = features_of([prepare_region(inputs, settings, effort.threads, effort.budget)], [settings], effort)
    if isinstance(found, DeepRadiomicsError):
        raise found
    return found


def chosen_settings(params: Any, label: int | None = None, standard: str | None = None) -> Settings:
    """Return settings with the label and the standard of a call on top."""
    settings = Settings.from_params(params, standard)
    return settings if label is None else settings.with_label(label)
