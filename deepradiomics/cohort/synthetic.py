"""Whether a cohort is synthetic: everything learned from one says so."""

from __future__ import annotations

from pathlib import Path

from deepradiomics.cohort.manifest import Manifest


def is_synthetic(manifest: Manifest) -> bool:
    """Whether the manifest lies beside a README.txt that begins with SYNTHETIC, as the phantom cohorts' do."""
    if manifest.path is None:
        return False
    readme = Path(manifest.path).parent / "README.txt"
    return readme.is_file() and readme.read_text(encoding="utf-8", errors="replace").lstrip().startswith("SYNTHETIC")
