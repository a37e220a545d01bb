"""Sample data: a real knee MR from its public origin, and the model that comes with DeepRadiomics.

The knee is a sagittal 3 T series, anonymised by its publishers; it is downloaded on request, never shipped. Files,
checksums and licence stand in ``samples_knee_mri.json``.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deepradiomics.errors import DeepRadiomicsError, InputError, MissingDependencyError
from deepradiomics.files.atomic import read_json
from deepradiomics.progress import Progress

TEST_DATA_VARIABLE = "DEEPRADIOMICS_TEST_DATA"
SAMPLE_BUNDLE_VARIABLE = "DEEPRADIOMICS_SAMPLE_BUNDLE"
_KNEE_IN_TEST_DATA = Path("knee_mri_mese", "knee_mese_echo1_te6.3ms.nii.gz")
_SAMPLE_BUNDLE = Path("Resources", "Bundles", "knee-synthetic-tiny")
_REGISTRY = Path(__file__).with_name("samples_knee_mri.json")
_CONNECT_S, _READ_S = 6.0, 20.0  # a machine without network shall learn so quickly


class DownloadError(DeepRadiomicsError):
    """A sample could not be downloaded: no network, the origin is gone, or a checksum does not fit."""


@dataclass(frozen=True)
class Sample:
    """A sample on this machine.

    Args:
        path: image file or folder of DICOM files.
        origin: one sentence that says what it is and where it comes from.
    """

    path: Path
    origin: str


def knee_mri_in_test_data() -> Sample | None:
    """Return the knee in the folder that DEEPRADIOMICS_TEST_DATA names, or None."""
    folder = os.environ.get(TEST_DATA_VARIABLE)
    if not folder:
        return None
    path = Path(folder) / _KNEE_IN_TEST_DATA
    return Sample(path, f"Real sagittal knee MR from the folder of {TEST_DATA_VARIABLE}.") if path.is_file() else None


def knee_mri_download(
    folder: Path | None = None,
    *,
    fetch: Callable[[str, str, Path], Path] | None = None,
    progress: Progress | None = None,
) -> Sample:
    """Download the knee's DICOM files (3 MB), or find them from an earlier download.

    Args:
        folder: where to keep them; the user's cache folder when None.
        fetch: ``(url, sha256, target) -> path``, for tests; pooch when None.
        progress: called after each file.

    Raises:
        DownloadError: no network, the origin is gone, or a file's checksum does not fit.
        MissingDependencyError: pooch is not installed.
    """
    registry = read_json(_REGISTRY)
    if folder is None or fetch is None:
        pooch_folder, pooch_fetch = _pooch()
        folder, fetch = folder or pooch_folder / "knee_mri", fetch or pooch_fetch
    for count, (name, sha256) in enumerate(registry["files"].items()):
        if progress is not None:
            progress(count / len(registry["files"]), f"downloading the knee MR ({count + 1}/{len(registry['files'])})")
        try:
            fetch(registry["base_url"] + name, sha256, folder / name)
        except DeepRadiomicsError:
            raise
        except Exception as error:  # requests, urllib3 and pooch each have their own kinds
            reason = str(error).splitlines()[0][:200]
            raise DownloadError(
                f"the sample knee MR could not be downloaded from {registry['origin']} "
                f"({type(error).__name__}: {reason}). Check the network, or set {TEST_DATA_VARIABLE}."
            ) from error
    return Sample(folder, f"Real sagittal knee MR downloaded from {registry['origin']} ({registry['licence']}).")


def _pooch() -> tuple[Path, Callable[[str, str, Path], Path]]:
    try:
        import pooch
    except ImportError as error:
        raise MissingDependencyError("downloading samples needs pooch: pip install pooch") from error
    pooch.get_logger().setLevel("WARNING")

    def fetch(url: str, sha256: str, target: Path) -> Path:
        downloader = pooch.HTTPDownloader(progressbar=False, timeout=(_CONNECT_S, _READ_S))
        # pooch downloads to a temporary file and moves it only when the checksum fits.
        return Path(pooch.retrieve(url, f"sha256:{sha256}", target.name, target.parent, downloader=downloader))

    return Path(pooch.os_cache("deepradiomics")), fetch


def sample_bundle() -> Path:
    """Return the folder of the small model that comes with DeepRadiomics (trained on synthetic knees).

    Raises:
        InputError: this installation has none.
    """
    package = Path(__file__).parent
    named = os.environ.get(SAMPLE_BUNDLE_VARIABLE)
    candidates = [
        *([Path(named)] if named else []),
        package.parent / "RadiomicFingerprint" / _SAMPLE_BUNDLE,  # a checkout of the repository
        package.parent / _SAMPLE_BUNDLE,  # Slicer, where the modules' resources share one folder
    ]
    for folder in candidates:
        if (folder / "bundle.json").is_file():
            return folder
    raise InputError(
        "the sample bundle is not part of this installation. Looked in: "
        f"{', '.join(map(str, candidates))}. Train one with 'deepradiomics fingerprint train', or set "
        f"{SAMPLE_BUNDLE_VARIABLE}."
    )
