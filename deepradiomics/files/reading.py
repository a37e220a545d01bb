"""The one place that turns what readers raise over a damaged or hostile file into a message that names the file.

    with reading(path, "the kept result of a case", advice="Delete it; the case is computed again."):
        document = json.loads(path.read_text(encoding="utf-8"))
        rows = [Row(**row) for row in document["rows"]]

Files are cut short, edited by hand, swapped or made to harm; json, numpy, pyarrow, safetensors, torch and our own code
that takes their content apart answer with a dozen types of exceptions.
"""

from __future__ import annotations

import errno
import json
import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from deepradiomics.errors import DeepRadiomicsError, InputError

DEEPEST = 100  # levels of lists and objects in a JSON file; our own have fewer than ten
LONGEST_NUMBER = 300  # digits of a whole number: more are beyond the largest decimal

_More = ParamSpec("_More")
_Content = TypeVar("_Content")
UNUSABLE: tuple[type[Exception], ...] = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
)
"""What our own code raises over content of a wrong kind, where no file is read any more."""
_RAISED_BY_READERS: tuple[type[Exception], ...] = (*UNUSABLE, OSError, EOFError, BufferError, struct.error, zlib.error)
_LIBRARIES = ("pyarrow", "safetensors", "safetensors_rust", "zipfile", "pickle", "_pickle", "yaml", "lzma", "torch")
_USERS_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO)


def require_an_end(path: str | Path, what: str = "this file", error: type[DeepRadiomicsError] = InputError) -> None:
    """Raise the error for a pipe, a socket or a device, which is never opened: reading it might never end.

    A path that leads nowhere passes: its reader says so better.
    """
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise error(f"{path}: {what} is a pipe or a device, no plain file. Copy its content into a file first.")


@contextmanager
def reading(
    path: str | Path, what: str = "this file", advice: str = "", error: type[DeepRadiomicsError] = InputError
) -> Iterator[None]:
    """Within it, whatever a reader raises over the file's content becomes an error that a person understands.

    Args:
        path: the file, as messages name it.
        what: what it should be.
        advice: what to do about it, a sentence.
        error: the type raised.

    Raises:
        DeepRadiomicsError: of the type ``error``; our own errors pass as they are.
    """
    require_an_end(path, what, error)
    with explained(path, what, advice, error):
        yield


@contextmanager
def explained(
    path: str | Path, what: str = "this file", advice: str = "", error: type[DeepRadiomicsError] = InputError
) -> Iterator[None]:
    """As :func:`reading`, for content that was read already: the path is not looked at."""
    tail = f" {advice}" if advice else ""
    try:
        yield
    except DeepRadiomicsError:
        raise
    except FileNotFoundError as problem:
        raise error(f"{path}: {what} does not exist.{tail}") from problem
    except (PermissionError, IsADirectoryError, NotADirectoryError) as problem:
        raise error(f"{path}: {what} cannot be read ({problem.strerror or problem}).{tail}") from problem
    except Exception as problem:
        if isinstance(problem, OSError) and problem.errno in _USERS_TROUBLE:
            raise
        if not _is_of_the_content(problem):
            raise
        raise error(f"{path}: {what} is damaged or was changed: {reason(problem)}.{tail}") from problem


def reads(name: str, what: str = "this result") -> Callable[[Callable[_More, _Content]], Callable[_More, _Content]]:
    """Decorate a function that reads the file ``name`` of the folder that it is given first, and others beside it.

    What its content makes the function raise becomes an InputError, as within :func:`reading`.
    """

    def decorate(read: Callable[_More, _Content]) -> Callable[_More, _Content]:
        @wraps(read)
        def reader(*arguments: _More.args, **named: _More.kwargs) -> _Content:
            places = (*arguments, *named.values())
            folder = next((Path(place) for place in places if isinstance(place, str | Path)), Path())
            with reading(folder / name, what, "Copy the whole folder again, or run the command anew."):
                return read(*arguments, **named)

        return reader

    return decorate


def reason(problem: BaseException) -> str:
    """Say in a short line what an exception means."""
    if isinstance(problem, RecursionError):
        return "it is nested too deeply"
    if isinstance(problem, KeyError):
        return f"the entry {str(problem)[:80]} is missing"
    if isinstance(problem, UnicodeError):
        return "it is not UTF-8 text"
    text = " ".join(str(problem).split()).rstrip(".")
    return text if 0 < len(text) <= 200 else text[:197] + "…" if text else type(problem).__name__


def parse_json(text: str, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Return the content of a JSON text.

    Args:
        text: the text.
        pairs: takes the pairs of each object, as ``json.loads`` calls it; dictionaries by default.

    Raises:
        ValueError: the text is no JSON, is nested too deeply, or holds a whole number too long for any use.
    """
    try:
        content = json.loads(text, object_pairs_hook=pairs, parse_int=_whole)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if text.count("[") + text.count("{") > DEEPEST and depth_exceeds(content, DEEPEST):
        raise ValueError(f"it is nested too deeply (more than {DEEPEST} levels)")
    return content


def depth_exceeds(content: Any, levels: int) -> bool:
    """Whether lists and dictionaries are nested more than this many levels deep."""
    layer = [content]
    for _ in range(levels + 1):
        layer = [
            child
            for part in layer
            if isinstance(part, dict | list)
            for child in (part.values() if isinstance(part, dict) else part)
            if isinstance(child, dict | list)
        ]
        if not layer:
            return False
    return True


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError(f"a whole number of {len(digits)} digits ({digits[:12]}…)")
    return int(digits)


def _is_of_the_content(problem: Exception) -> bool:
    """Whether a reader raised it; a slip of the program (a name, a missing module, an assertion) is none."""
    if isinstance(problem, NotImplementedError) and type(problem) is NotImplementedError:
        return False
    if type(problem).__name__ == "OutOfMemoryError":  # torch's
        return False
    library = type(problem).__module__.partition(".")[0]
    return isinstance(problem, _RAISED_BY_READERS) or library in _LIBRARIES
