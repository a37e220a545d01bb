"""Whether a cohort is synthetic: everything learned from one says so."""

from __future__ import annotations

from pathlib import Path

from deepradiomics.cohort.manifest import Manifest


def is_synthetic(manifest: Manifest) -> bool:
    """Whether the manifest lies beside a README.txt that begins with SYNTHETIC, as the phantom cohorts' do."""
    if manifest.path is None:
        return False
    return _says_so(Path(manifest.path).parent)


def is_synthetic_image(path: Path) -> bool:
    """Whether an image's header says SYNTHETIC, or a README.txt beside it or up to two folders above begins with it."""
    if any(_says_so(folder) for folder in path.absolute().parents[:3]):
        return True
    if path.is_dir():
        return False
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:  # reading the image itself tells what is wrong
        return False
    return any("SYNTHETIC" in reader.GetMetaData(key) for key in reader.GetMetaDataKeys())


def _says_so(folder: Path) -> bool:
    readme = folder / "README.txt"
    return readme.is_file() and readme.read_text(encoding="utf-8", errors="replace").lstrip().startswith("SYNTHETIC")
