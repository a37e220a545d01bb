"""The words of the command line for what the panel asks: plain values in, a list of arguments out."""

from collections.abc import Mapping
from pathlib import Path


def fit_arguments(
    manifest: Path, pre: str, ft: str, out: Path, *,
    config: Path, finetune: Path | None = None, task: str = "", layer: str = "", device: str = "auto", seed: int = 0,
    resume: bool = True,
) -> list[str]:  # fmt: skip
    """``deepradiomics lens fit``; every choice of the lens is in the configuration file."""
    words = ["lens", "fit", str(manifest), "--pre", pre, "--ft", ft, "-o", str(out), "--config", str(config)]
    if finetune is not None:
        words += ["--finetune", str(finetune)]
    if task:
        words += ["--task-name", task]
    if layer:
        words += ["--layer", layer]
    return [*words, "--device", device, "--seed", str(seed), "--resume" if resume else "--no-resume"]


def case_arguments(
    lens: Path | None, case_id: str, modality: str, feature: str, out: Path, *,
    views: Mapping[str, Path] | None = None, mask: Path | None = None, preset: str = "paper",
) -> list[str]:  # fmt: skip
    """``deepradiomics lens case``: of a case that the lens was fitted on, or (with views) of any images and region.

    Views without a mask take the ellipsoid in the middle of the image, which is no reader's contour. Without a lens the
    features are computed as the preset says.
    """
    words = ["lens", "case", *([str(lens)] if lens is not None else ["--preset", preset])]
    words += ["--case", case_id, "--modality", modality, "--feature", feature, "-o", str(out)]
    for view, path in (views or {}).items():
        words += ["--view", f"{view}={path}"]
    if mask is not None:
        words += ["--mask", str(mask)]
    elif views:
        words += ["--roi", "ellipsoid"]
    return words
