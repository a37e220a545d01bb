"""What every JSON of an extraction or of maps says: software, settings, methods paragraph, versions, provenance."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics import __version__
from deepradiomics.files.atomic import sha256_image

if TYPE_CHECKING:
    from deepradiomics.radiomics import Settings

_IMAGES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".npy")


def settings_of(params: str | None, standard: str | None) -> "Settings":
    """The settings of ``--params``, with what ``--standard`` says instead.

    Raises:
        InputError: a setting, or the standard, cannot be used.
    """
    from deepradiomics.radiomics.extract import chosen_settings

    return chosen_settings(params, None, standard)


def document_of(settings: "Settings", counts: list[int], start: float, device: str) -> dict[str, Any]:
    """What every JSON of an extraction says: software, settings, methods paragraph, versions, seconds."""
    from deepradiomics.radiomics.methods_text import methods_text

    versions = _versions()
    return {
        "kind": "features",
        "software": "deepradiomics",
        "version": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "disclaimer": "For research use; not a medical device.",
        "settings": settings.to_dict(),
        "methods_text": methods_text(settings, versions, counts),
        "provenance": {"versions": versions, "device": device, "seconds": round(time.perf_counter() - start, 3)},
    }


def provenance_of(path: Path, role: str) -> dict[str, str]:
    """Name and hash of an input; names of DICOM files may hold identifiers, hence the role stands for them."""

    if path.is_dir():
        return {"file": role, "kind": "DICOM folder"}
    return {"file": path.name if has_plain_name(path) else role, "sha256": sha256_image(path)}


def has_plain_name(path: Path) -> bool:
    """Whether the name is of a format whose files people name themselves, unlike those of DICOM."""
    return not path.is_dir() and path.name.lower().endswith(_IMAGES)


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    from deepradiomics.radiomics import ENGINE_VERSION

    versions = {"deepradiomics": __version__, "engine": str(ENGINE_VERSION)}
    for package in ("numpy", "scipy", "SimpleITK", "PyWavelets", "numba"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
