"""Settings that the user has saved under a name: parameter files (JSON) in a folder of the user, for all scenes."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import slicer

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_json
from deepradiomics.radiomics.settings.settings import Settings

LONGEST_NAME = 60
_NAME = re.compile(r"\w[\w ()+.\-]*", re.UNICODE)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # no file may be called so on Windows


def user_folder() -> Path:
    """Where they lie: beside Slicer's own settings of this user."""
    settings = str(getattr(slicer.app, "slicerUserSettingsFilePath", "") or "")
    return (Path(settings).parent if settings else Path.home() / ".deepradiomics") / "RadiomicFeatures"


def checked_name(name: str) -> str:
    """A name that can be a file's on every system, without blanks around it.

    Raises:
        InputError: it is empty, too long, or has letters that file names must not have.
    """
    name = name.strip()
    if not name:
        raise InputError("Name the settings first, for example: CT 25 HU.")
    if len(name) > LONGEST_NAME:
        raise InputError(f"The name has {len(name)} letters, at most {LONGEST_NAME} are possible.")
    if not _NAME.fullmatch(name) or name.endswith(".") or _RESERVED.fullmatch(name):
        raise InputError(
            f"{name!r} cannot be the name of settings: take letters, digits, blanks and - + _ ( ) . only, "
            "beginning with a letter or digit."
        )
    return name


def names() -> list[str]:
    """The names that there are, in order; files that were put there under impossible names are left out."""
    usable = []
    for path in sorted(user_folder().glob("*.json")) if user_folder().is_dir() else ():
        try:
            usable.append(checked_name(path.stem))
        except InputError:
            continue
    return usable


def path_of(name: str) -> Path:
    """The file of settings, whether it is there or not. Raises InputError for an impossible name."""
    return user_folder() / f"{checked_name(name)}.json"


def save(name: str, params: Mapping[str, Any]) -> Path:
    """Write settings under a name; those of the same name are replaced.

    Raises:
        InputError: an impossible name, settings that cannot be used, or a folder that cannot be written to.
    """
    path = path_of(name)
    Settings.from_params(params)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, dict(params))
    except OSError as error:
        raise InputError(f"The settings could not be saved as {path}: {error.strerror or error}.") from error
    return path


def delete(name: str) -> None:
    """Remove settings; nothing happens where there are none of this name."""
    path_of(name).unlink(missing_ok=True)
