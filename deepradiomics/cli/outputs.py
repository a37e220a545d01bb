"""Results appear whole or not at all."""

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import atomic_folder, move_in, stage_inside


def check_output(folder: Path, what: str = "output") -> None:
    """Find out before a long computation that its results could not be written; ``what`` is how messages call it.

    Raises:
        InputError: ``folder`` is a file, or neither it nor the nearest folder above it can be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{what} {folder}: expected a folder, this is a file. Choose another name.")
    nearest = next((place for place in (folder, *folder.absolute().parents) if place.exists()), folder)
    if not nearest.is_dir():
        raise InputError(f"{what} {folder}: {nearest} is a file, no folder can be made in it.")
    try:  # what permissions say is not what a network drive or /proc does
        tempfile.TemporaryDirectory(dir=nearest, prefix=".part-").cleanup()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise InputError(f"{what} {folder}: {nearest} cannot be written to. Choose another {what} folder.") from error


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one place, whether or not a file is there."""
    return one.resolve() == other.resolve()


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to write into; on success its files move into ``folder``, on failure it vanishes.

    A new ``folder`` appears in one step. In an existing one files of other names stay as they are: a user may point
    at a folder with work in it.

    Raises:
        InputError: ``folder`` is a file, or it cannot be written to.
    """

    check_output(folder)
    if not folder.exists():
        with atomic_folder(folder) as stage:
            yield stage
        return
    with stage_inside(folder) as stage:
        yield stage
        for source in sorted(stage.rglob("*")):
            if source.is_file():
                target = folder / source.relative_to(stage)
                target.parent.mkdir(parents=True, exist_ok=True)
                move_in(source, target)
