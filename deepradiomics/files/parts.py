"""Names of half-written files, by which a later run knows that their writer is gone, and removes them.

::

    .features.<machine>-<process>-<random>.part.csv      being written: takes the place of features.csv when it is whole
    .out.<machine>-<process>-<random>.old                the folder out/ while its successor takes its place

What another machine or a living process writes is left alone, until it is a day old.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import shutil
import time
import uuid
from functools import cache
from pathlib import Path

OLD_S = 24 * 3600.0
"""Age at which a part belongs to nobody, whoever began it: no file takes a day to write."""
_NAME = re.compile(
    r"^\.(?P<name>.+)\.(?P<place>[0-9a-f]{6})-(?P<process>\d{1,10})-[0-9a-f]{6}\.(?P<kind>part|old)(?:\.[A-Za-z0-9.]{1,12})?$"
)
_cleaned: set[tuple[Path, int]] = set()


def token() -> str:
    """What a part's name says of its writer: machine, process, and a random number."""
    return f"{_place()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


def clean_once(folder: Path) -> None:
    """Remove what killed writers left in a folder; looked for once a folder and process.

    A folder that had been moved aside for its successor, which never came, is put back.
    """
    with contextlib.suppress(OSError):
        key = (folder.resolve(), os.getpid())
        if key in _cleaned:
            return
        _cleaned.add(key)
        entries = [entry.name for entry in os.scandir(folder) if entry.name.startswith(".")]
        for name in entries:
            match = _NAME.match(name)
            if match and _is_left_behind(folder / name, match):
                _remove(folder, folder / name, match)


def _remove(folder: Path, path: Path, match: re.Match[str]) -> None:
    with contextlib.suppress(OSError):
        if match["kind"] == "old" and not (folder / match["name"]).exists():
            os.replace(path, folder / match["name"])
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_left_behind(path: Path, match: re.Match[str]) -> bool:
    if time.time() - path.lstat().st_mtime > OLD_S:
        return True
    return match["place"] == _place() and os.name != "nt" and not _lives(int(match["process"]))


def _lives(process: int) -> bool:
    """Whether a process of this machine runs; on Windows the question would end it."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's
        return True
    return True


@cache
def _place() -> str:
    """This machine, and within it the container in which process numbers mean something."""
    space = ""
    with contextlib.suppress(OSError):
        space = str(Path("/proc/self/ns/pid").stat().st_ino)
    return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:6]
