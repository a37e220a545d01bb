"""The words of the command line for what the panel asks: plain values in, a list of arguments out."""

from collections.abc import Sequence
from pathlib import Path


def apply_arguments(
    bundle: Path, ct: Path, out: Path, *,
    mask: Path | None = None, model: Path | None = None, flips: bool = False, largest: bool = False,
    lesions: str | None = None, followup: Path | None = None, followup_mask: Path | None = None, clinical: str = "",
    case_id: str = "case", device: str = "auto",
) -> list[str]:  # fmt: skip
    """``deepradiomics ich apply``; the scene is not written, since it is this one. With a mask nothing is segmented."""
    words = ["ich", "apply", str(bundle), str(ct), "-o", str(out)]
    if mask is not None:
        words += ["--mask", str(mask)]
    else:
        words += _segmenting(model, flips, largest)
    if lesions:
        words += ["--lesions", lesions]
    if followup is not None:
        words += ["--followup", str(followup)]
        words += ["--followup-mask", str(followup_mask)] if followup_mask is not None else []
    if clinical.strip():
        words += ["--clinical", clinical.strip()]
    return [*words, "--case-id", case_id, "--device", device, "--no-scene"]


def expansion_arguments(
    baseline: Path, followup: Path, out: Path, *,
    baseline_mask: Path | None = None, followup_mask: Path | None = None, model: Path | None = None,
    flips: bool = False, largest: bool = False, backend: str = "auto", case_id: str = "case", device: str = "auto",
) -> list[str]:  # fmt: skip
    """``deepradiomics ich expansion``; the model segments what has no mask."""
    words = ["ich", "expansion", str(baseline), str(followup), "-o", str(out)]
    for option, path in (("--baseline-mask", baseline_mask), ("--followup-mask", followup_mask)):
        words += [option, str(path)] if path is not None else []
    if baseline_mask is None or followup_mask is None:
        words += _segmenting(model, flips, largest)
    return [*words, "--backend", backend, "--case-id", case_id, "--device", device]


def experiment_arguments(
    manifest: Path, out: Path, *,
    external: Path | None = None, encoder: Path | None = None, autoencoder: Path | None = None, preset: str = "paper",
    search: str = "fixed", covariates: Sequence[str] = (), workers: int = 1, allow_leakage: bool = False,
    device: str = "auto", seed: int = 0,
) -> list[str]:  # fmt: skip
    """``deepradiomics ich experiment``; a stopped run goes on where it stood."""
    words = ["ich", "experiment", str(manifest), "-o", str(out), "--preset", preset, "--search", search]
    for option, path in (("--external", external), ("--encoder", encoder), ("--autoencoder", autoencoder)):
        words += [option, str(path)] if path is not None else []
    if covariates:
        words += ["--covariates", ",".join(covariates)]
    words += ["--workers", str(workers), "--device", device, "--seed", str(seed)]
    return [*words, *(["--allow-leakage"] if allow_leakage else []), "--resume"]


def _segmenting(model: Path | None, flips: bool, largest: bool) -> list[str]:
    words = ["--model", str(model)] if model is not None else []
    return [*words, *(["--flips"] if flips else []), *(["--largest"] if largest else [])]
