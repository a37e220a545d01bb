"""Maps of a result folder: one in a file of its own, or several in one 4-D file; damaged ones are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deepradiomics.errors import InputError
from deepradiomics.files.results import must_be_there
from deepradiomics.images.formats.stored import StoredImage
from deepradiomics.images.read import read_stored
from deepradiomics.images.volume import Volume


def read_map(path: Path, name: str) -> Volume:
    """One map under a name, with its NaN.

    Raises:
        InputError: the file is missing or damaged.
    """
    stored = _stored(path)
    try:
        return replace(stored.volume(flat=True), name=name)
    except InputError as error:
        raise InputError(f"{path} is damaged: {error} Run again.") from error


def read_stack(path: Path, names: Sequence[str], what: str) -> dict[str, Volume]:
    """The maps of a 4-D image by name, in that order (a 3-D image is one map).

    Args:
        path: of the image.
        names: one per map.
        what: the names are, for messages: "tasks".

    Raises:
        InputError: the file is missing or damaged, or holds another number of maps.
    """
    stored = _stored(path)
    try:
        maps = [stored.volume(frame=frame) for frame in range(stored.frames)]
    except InputError as error:
        raise InputError(f"{path} is damaged: {error} Run again.") from error
    if len(maps) != len(names):
        raise InputError(f"{path} holds {len(maps)} maps for {len(names)} {what} ({', '.join(names)}); run again")
    return {name: replace(volume, name=name) for name, volume in zip(names, maps, strict=True)}


def _stored(path: Path) -> StoredImage:
    must_be_there(path)
    try:
        return read_stored(path)
    except InputError as error:
        raise InputError(f"{path} is damaged: {error} Run again.") from error
