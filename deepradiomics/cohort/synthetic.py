"""Whether a cohort is synthetic: everything learned from one says so."""

from __future__ import annotations

from pathlib import Path

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.images.read import header_texts
from deepradiomics.words import REAL_HEAD, REAL_HEAD_HEADER, REAL_HEAD_SHORT


def is_synthetic(manifest: Manifest) -> bool:
    """Whether the manifest lies beside a README.txt that begins with SYNTHETIC, as the phantom cohorts' do."""
    if manifest.path is None:
        return False
    return _says_so(Path(manifest.path).parent)


def has_real_heads(manifest: Manifest) -> bool:
    """Whether a synthetic cohort puts its haematomas into a real person's head; its README.txt says so."""
    return is_synthetic(manifest) and manifest.path is not None and REAL_HEAD in _readme(Path(manifest.path).parent)


def heads_title(manifest: Manifest) -> str:
    """What a picture of these heads says of them in its title; empty where nothing is made up."""
    if not is_synthetic(manifest):
        return ""
    return "SYNTHETIC haematomas, REAL head" if has_real_heads(manifest) else "SYNTHETIC heads"


def made_up_heads(manifest: Manifest) -> str:
    """What the images of a synthetic cohort of heads are, in a few words."""
    return f"computed haematomas. {REAL_HEAD} ({REAL_HEAD_SHORT})" if has_real_heads(manifest) else "computed heads"


def is_synthetic_image(path: Path) -> bool:
    """Whether an image's header says SYNTHETIC, or a README.txt beside it or up to two folders above begins with it."""
    if any(_says_so(folder) for folder in path.absolute().parents[:3]):
        return True
    return any("SYNTHETIC" in text for text in _header(path))


def shows_real_head(path: Path) -> bool:
    """Whether a synthetic image holds a real person's head, as ``phantom ich --head`` writes it.

    Its header says so, or the README.txt beside it or up to two folders above.
    """
    if any(_says_so(folder) and REAL_HEAD in _readme(folder) for folder in path.absolute().parents[:3]):
        return True
    return any(REAL_HEAD_HEADER in text for text in _header(path))


def _says_so(folder: Path) -> bool:
    return _readme(folder).lstrip().startswith("SYNTHETIC")


def _readme(folder: Path) -> str:
    readme = folder / "README.txt"
    return readme.read_text(encoding="utf-8", errors="replace") if readme.is_file() else ""


def _header(path: Path) -> list[str]:
    """The texts of an image's header; none of a folder or of a file that cannot be read."""
    if path.is_dir():
        return []
    return list(header_texts(path).values())
