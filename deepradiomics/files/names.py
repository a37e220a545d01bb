"""Names that become files: one check for every name that comes from outside and becomes part of a path.

id, view, region, task, value, modality   ─► path_part      the same name, or an error that says why and what to do
free text (a segment, a feature)          ─► file_stem      a safe name that people still recognise
names that will lie beside each other     ─► distinct_parts no two the same where capitals or accents do not count

What is safe is what Linux, Windows and macOS all take, so that results can be copied between them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping

from deepradiomics.errors import InputError

LONGEST_BYTES = 200
"""UTF-8 bytes of a name: file systems take 255, and suffixes and temporary names need room."""
_STEM_BYTES = 120
_FORBIDDEN = '/\\:*?"<>|'
_DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}
_DEVICES |= {f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³"}
_MARKED = re.compile(r"-[0-9a-f]{10}\Z")
_SHOWN = 40  # characters of a long name in a message


def path_part(name: str, what: str, *, error: type[InputError] = InputError) -> str:
    """The name itself, where it can be one part of a path (a file or folder) on Linux, Windows and macOS.

    Args:
        name: from a table, an option, a file or a call.
        what: how the message calls it: ``Case id``, ``Column view_t2: the view``.
        error: the kind of error.

    Returns:
        ``name``, unchanged.

    Raises:
        InputError: it is empty, '.' or '..', holds a separator, a control character or one of ``: * ? " < > |``,
            begins or ends with a blank, ends with a dot, is a device of Windows (CON, nul.txt), or is too long.

    >>> path_part("knee 7", "Case id")
    'knee 7'
    >>> path_part("nul.txt", "Case id")
    Traceback (most recent call last):
    deepradiomics.errors.InputError: Case id 'nul.txt' cannot be a file name: Windows keeps it for a device; rename it.
    """
    if not isinstance(name, str):
        raise error(f"{what}: expected a text that can be a file name, got {name!r} ({type(name).__name__}).")
    if why := unsafe(name):
        raise error(f"{what} {_short(name)} cannot be a file name: {why}.")
    return name


def distinct_parts(names: Iterable[str], what: str, *, error: type[InputError] = InputError) -> None:
    """Refuse names that would share a file where capitals or the spelling of accents do not count (Windows, macOS).

    Args:
        names: all that will lie in one folder.
        what: how the message calls one of them: ``Column id``.
        error: the kind of error.

    Raises:
        InputError: two are equal, or differ by capitals or by how an accent is encoded only.
    """
    spelling: dict[str, str] = {}
    for name in names:
        key = same_file_key(name)
        first = spelling.get(key)
        if first is None:
            spelling[key] = name
        elif first == name:
            raise error(f"{what}: {_short(name)} is there more than once; give each a name of its own.")
        else:
            raise error(
                f"{what}: {_short(first)} and {_short(name)} would share a file, for capitals and the encoding of "
                "accents do not count in file names everywhere; give each a name of its own."
            )


def file_stem(name: str) -> str:
    """A file's name, without suffix, for a free text; two texts never get the same one (capitals counted).

    A text that is safe stays as it is; another is changed where it must be, and a mark made from the whole text (ten
    hexadecimal digits) is appended.

    Raises:
        InputError: ``name`` is no text.

    >>> file_stem("original_glcm_Contrast"), file_stem("Lesion 1/2")
    ('original_glcm_Contrast', 'Lesion 1_2-9edb7e33a6')
    """
    if not isinstance(name, str):
        raise InputError(f"A file's name is made from a text, got {name!r} ({type(name).__name__}).")
    plain = unicodedata.normalize("NFC", name)
    readable = "".join("_" if letter in _FORBIDDEN or not letter.isprintable() else letter for letter in plain)
    if readable == name and not unsafe(name) and len(_utf8(name)) <= _STEM_BYTES and not _MARKED.search(name):
        return name
    readable = _utf8(readable)[:_STEM_BYTES].decode("utf-8", "ignore").strip(" .")
    if _is_device(readable):
        readable = f"_{readable}"
    return f"{readable or 'unnamed'}-{_mark(name)}"


def file_stems(names: Iterable[str]) -> Mapping[str, str]:
    """:func:`file_stem` of each name, distinct also where capitals do not count: the later ones get a mark."""
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for name in dict.fromkeys(names):
        stem = file_stem(name)
        if same_file_key(stem) in taken:
            stem = f"{stem}-{_mark(name)}"
        taken.add(same_file_key(stem))
        stems[name] = stem
    return stems


def same_file_key(name: str) -> str:
    """What two names have in common that are one file on some file system: neither capitals nor NFC or NFD count."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def unsafe(name: str) -> str:
    """Why a text cannot be one part of a path, with what to do; empty where it can."""
    if not name:
        return "it is empty; give it a name"
    if name in (".", ".."):
        return "it means a folder; use another name"
    wrong = next((letter for letter in name if letter in _FORBIDDEN or not letter.isprintable()), "")
    if wrong:
        shown = repr(wrong) if wrong != '"' else "a quotation mark"
        return f"it holds {shown}; use letters, digits, '-', '_' and '.' instead"
    if name != name.strip():
        return "it begins or ends with a blank; remove it"
    if name.endswith("."):
        return "it ends with a dot, which Windows drops; remove it"
    if _is_device(name):
        return "Windows keeps it for a device; rename it"
    if (length := len(_utf8(name))) > LONGEST_BYTES:
        return f"it is {length} bytes long, and {LONGEST_BYTES} are the most; use a shorter name"
    return ""


def _is_device(name: str) -> bool:
    """``nul``, ``NUL.txt`` and ``nul .txt`` are all the device."""
    return name.partition(".")[0].rstrip().upper() in _DEVICES


def _mark(name: str) -> str:
    return hashlib.sha256(_utf8(name)).hexdigest()[:10]


def _utf8(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def _short(name: str) -> str:
    return repr(name) if len(name) <= _SHOWN else f"{name[:_SHOWN]!r}…"
