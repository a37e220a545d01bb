"""The words of the command line for what the panel asks: plain values in, a list of arguments out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

_BACKENDS = ("cpu", "gpu")


def registration_arguments(choice: str | None, trained: str = "off") -> list[str]:
    """``None`` (as trained), "off", "cpu" or "gpu" → the options of ``fingerprint apply``.

    The target of the registration (template or reference view) stays as the model was trained; where it was trained
    without, the reference view is the target.

    >>> registration_arguments("gpu", trained="template")
    ['--registration', 'template', '--backend', 'gpu']
    """
    if choice is None:
        return []
    if choice == "off":
        return ["--registration", "off"]
    if choice not in _BACKENDS:
        raise ValueError(f"registration: expected None, 'off', 'cpu' or 'gpu', got {choice!r}")
    return ["--registration", trained if trained != "off" else "reference", "--backend", choice]


def apply_arguments(
    views: Mapping[str, Path],
    bundle: Path,
    out: Path,
    *,
    roi_box: Path | None = None,
    mask: Path | None = None,
    roi_label: int | None = None,
    registration: Sequence[str] = (),
    inference: str = "paper",
    device: str = "auto",
    case_id: str = "case",
) -> list[str]:
    """``deepradiomics fingerprint apply`` for one case; the scene is not written, since it is this one."""
    words = ["fingerprint", "apply"]
    for view, path in views.items():
        words += ["--view", f"{view}={path}"]
    words += ["--bundle", str(bundle), "-o", str(out)]
    if roi_box is not None:
        words += ["--roi-box", str(roi_box)]
    if mask is not None:
        words += ["--mask", str(mask), "--roi-label", str(1 if roi_label is None else roi_label)]
    words += [*registration, "--inference", inference, "--device", device, "--case-id", case_id, "--no-scene"]
    return words


def batch_arguments(
    source: Path, bundle: Path, out: Path, *, registration: Sequence[str] = (), inference: str, device: str
) -> list[str]:
    """``deepradiomics fingerprint apply`` for all cases of a manifest, or of a folder with a subfolder a case."""
    given = "--folder" if source.is_dir() else "--manifest"
    words = ["fingerprint", "apply", given, str(source), "--bundle", str(bundle), "-o", str(out)]
    return [*words, *registration, "--inference", inference, "--device", device, "--no-scene"]


def train_arguments(
    manifest: Path, out: Path, *, tasks: Sequence[str], preset: str | None, config: Path | None, device: str, seed: int
) -> list[str]:
    """``deepradiomics fingerprint train``; a configuration file replaces the preset."""
    words = ["fingerprint", "train", str(manifest), "-o", str(out)]
    words += ["--config", str(config)] if config is not None else ["--preset", preset or "tiny"]
    if tasks:
        words += ["--tasks", ",".join(tasks)]
    return [*words, "--device", device, "--seed", str(seed), "--resume"]
