"""A folder of maps holds those of one run, which its maps.json names: nothing stale, nothing of another label."""

from collections.abc import Iterable
from pathlib import Path

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json

NAME = "maps.json"


def earlier_maps(folder: Path, label: int) -> tuple[str, ...]:
    """The files of an earlier run's maps in ``folder``, which a new run of the same label replaces.

    Raises:
        InputError: the maps there are of another label and would be overwritten, or maps.json is not ours.
    """

    if not (folder / NAME).exists():
        return ()
    try:
        about = read_json(folder / NAME)
    except (InputError, OSError):
        about = None
    if not isinstance(about, dict) or (about.get("kind"), about.get("software")) != ("maps", "deepradiomics"):
        raise InputError(f"output {folder}: the {NAME} there is not of `maps`; choose another folder.")
    if about.get("label") != label:
        raise InputError(
            f"output {folder}: it holds the maps of label {about.get('label')}; those of label {label} would overwrite "
            f"them. Choose another folder, for example -o {folder / f'label-{label}'}."
        )
    names = [str(entry.get("file", "")) for entry in dict(about.get("maps") or {}).values() if isinstance(entry, dict)]
    return tuple(name for name in names if name and Path(name).name == name)


def remove_stale(folder: Path, earlier: Iterable[str], written: Iterable[str]) -> None:
    """Remove what an earlier run wrote and this one did not: nothing names it any more."""
    for name in set(earlier) - set(written):
        (folder / name).unlink(missing_ok=True)
