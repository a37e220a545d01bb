"""Options that several commands share, so that they are named and explained alike."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.errors import InputError

JsonLines = Annotated[bool, typer.Option("--json", help="Write JSON lines (progress, result, error) for a program.")]
DeviceName = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random: equal seeds give equal results.")]
OutputFolder = Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.", show_default=False)]
CaseId = Annotated[
    str | None,
    typer.Option("--case-id", help="Name of the case in the results.  (default: the file's, or the DICOM folder's)"),
]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Processes that extract features.")]
Cluster = Annotated[
    str | None, typer.Option("--cluster", help="Address of a Dask scheduler (tcp://host:8786) that extracts features.")
]
ExperimentWorkers = Annotated[
    int, typer.Option("--workers", min=1, help="Processes that measure features and fit models.")
]
ExperimentCluster = Annotated[
    str | None,
    typer.Option("--cluster", help="Address of a Dask scheduler (tcp://host:8786) that does so instead."),
]
Preset = Annotated[
    str | None, typer.Option("--preset", help="paper (full size, the default) or tiny (CPU tests, demos).")
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="JSON file with a whole configuration.")]
TaskNames = Annotated[
    str | None, typer.Option("--tasks", help="Label columns to use, separated by commas (all by default).")
]
PRESETS = ("paper", "tiny")
Epochs = Annotated[int | None, typer.Option("--epochs", min=1, help="Number of epochs, instead of the preset's.")]

Params = Annotated[
    str | None,
    typer.Option(
        "--params", help="PyRadiomics YAML file, or a preset ('deepradiomics features list --help' names them)."
    ),
]
LabelOption = Annotated[
    int | None, typer.Option("--label", help="Label of the region in the mask.  (default: of --params, else 1)")
]
Standard = Annotated[
    str | None, typer.Option("--standard", help="Definitions: pyradiomics or ibsi.  (default: of --params)")
]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, help="Processor threads; the numbers never depend on it (all cores).")
]
MaxMemory = Annotated[
    float | None, typer.Option("--max-memory-gb", help="Memory that the computation may take; large jobs are chunked.")
]


def comma_list(text: str | None) -> tuple[str, ...] | None:
    """Split ``"a, b"`` into ``("a", "b")``; None stays None."""
    if text is None:
        return None
    return tuple(part.strip() for part in text.split(",") if part.strip())


def integers(text: str, option: str) -> tuple[int, ...]:
    """Split ``"0,1,2"`` into whole numbers.

    Raises:
        InputError: a part is not a whole number, or there is none.
    """
    try:
        values = tuple(int(part) for part in comma_list(text) or ())
    except ValueError as error:
        raise InputError(f"{option}: expected whole numbers separated by commas, got {text!r}.") from error
    if not values:
        raise InputError(f"{option}: expected at least one whole number, got {text!r}.")
    return values


def check_preset(preset: str | None, file: Path | None) -> None:
    """Check what ``--preset`` and ``--config`` say together, before anything is loaded.

    Raises:
        InputError: both are given, or the preset is unknown.
    """
    if preset is not None and file is not None:
        raise InputError("--preset and --config: give one of them, a configuration file is complete in itself.")
    if preset is not None and preset not in PRESETS:
        raise InputError(f"--preset: expected one of {', '.join(PRESETS)}, got {preset!r}.")


def existing_model(folder: Path, option: str = "--model") -> Path:
    """Return the folder of a network when it is there; what it holds is checked when it is loaded.

    Raises:
        InputError: it does not exist or is a file.
    """
    if not folder.is_dir():
        why = "expected a folder, this is a file" if folder.exists() else "this folder does not exist"
        other = "" if option == "--init" else ", or of a model of nnU-Net v2"
        raise InputError(f"{option} {folder}: {why}. Name the folder of a bundle{other}.")
    return folder


def existing_file(path: Path, what: str) -> Path:
    """Return ``path`` when it is a file.

    Raises:
        InputError: it does not exist or is a folder.
    """
    if path.is_dir():
        raise InputError(f"{what} {path}: expected a file, this is a folder.")
    if not path.exists():
        raise InputError(f"{what} {path}: this file does not exist.")
    return path
