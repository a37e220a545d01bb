"""Which outcome model: the sample that comes with the module, or one in a folder; and what its description says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics.errors import BundleError
from deepradiomics.networks.bundle import load_info
from deepradiomics.scene.panel.bundles import sample_bundle
from deepradiomics.words import title_of

SAMPLE_BUNDLE = sample_bundle(__file__, "head-synthetic-tiny")
PREDICTOR = "predictor"
KIND = "ich-predictor"


@dataclass(frozen=True)
class BundleSummary:
    """What the panel needs to know of a model.

    Attributes
    ----------
    folder
        The bundle's own folder (an experiment's folder has it inside).
    outcomes
        Titles of what it predicts.
    segments
        Whether it brings a network that outlines the haematoma.
    synthetic, leaking
        Trained on synthetic images; made from latents of networks that had seen its patients.
    """

    folder: Path
    outcomes: tuple[str, ...]
    input: str
    classifier: str
    segments: bool
    synthetic: bool
    leaking: bool
    patients: int


def bundle_of(folder: Path | str | None) -> Path:
    """The bundle's folder: the one that is named, or `bundle` in it; the sample where none is named."""
    if folder is None or not str(folder):
        return SAMPLE_BUNDLE
    folder = Path(folder).absolute()
    inside = folder / "bundle"
    return inside if not (folder / PREDICTOR).is_dir() and (inside / PREDICTOR).is_dir() else folder


def read_summary(folder: Path | str) -> BundleSummary:
    """Read a bundle's description; its weights are checked when it is used.

    Raises:
        BundleError: there is no readable description in the folder, or it is of another kind of model.
    """
    bundle = bundle_of(folder)
    if not (bundle / PREDICTOR).is_dir():
        raise BundleError(f"{folder}: expected the folder 'bundle' of an experiment ({PREDICTOR}/ in it).")
    info = load_info(bundle / PREDICTOR)
    if info.get("kind") != KIND:
        raise BundleError(f"{folder}: expected an outcome model, got a bundle of kind {info.get('kind')!r}.")
    try:
        return _summarise(bundle, info)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{folder}: bundle.json lacks or misspells {error}. Copy the bundle folder again.") from error


def _summarise(bundle: Path, info: Mapping[str, Any]) -> BundleSummary:
    outcomes = info["outcomes"]
    about = info.get("about") or {}
    return BundleSummary(
        folder=bundle,
        outcomes=tuple(title_of(str(outcome["name"]), str(outcome.get("title") or "")) for outcome in outcomes),
        input=str(info["input"]),
        classifier=str(info["classifier"]),
        segments=(bundle / "encoder").is_dir(),
        synthetic=bool(about.get("synthetic")),
        leaking=bool(about.get("leaking")),
        patients=max((int(outcome.get("n_training") or 0) for outcome in outcomes), default=0),
    )
