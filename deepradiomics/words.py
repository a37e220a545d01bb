"""Words that every part of the software puts in the same way: warnings, titles, lists, and numbers as they are printed.

Everything is plain text: what writes a page escapes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import floor, isfinite, log10
from typing import Any

RESEARCH = "Research use only; not a medical device. Not for diagnosis or treatment."
"""Stands on every report."""
SYNTHETIC_DATA, SYNTHETIC_MODEL, SYNTHETIC_CT = "SYNTHETIC DATA", "SYNTHETIC MODEL", "SYNTHETIC CT"
SYNTHETIC_IN_REAL = "SYNTHETIC HAEMATOMA, REAL HEAD"
LEAKING = "LEAKING RUN"
"""What stands in red, before the sentence that explains it."""
DASH = "–"
"""Stands where there is no number."""
_PLACES = 5  # decimals of a signed number at most
OUTSIDE = "outside the training cohort"
"""What stands in the place of a class where a case is unlike all that the model learned from."""
REAL_HEAD = "The head is a real one"
"""How the README.txt of a cohort of haematomas in a real head begins to say so."""
REAL_HEAD_HEADER = "haematomas in a REAL head CT,"
"""What the header of such a CT holds after the word SYNTHETIC."""
REAL_HEAD_SHORT = "real head, synthetic haematoma"
"""The same in a few words, for titles, pictures and tables."""


def made_up_sentence(real_head: bool) -> str:
    """What is synthetic in a head CT of ``phantom ich``."""
    if real_head:
        return f"The haematoma is SYNTHETIC ({REAL_HEAD_SHORT}). {REAL_HEAD}: treat this CT as a person's."
    return "The CT is SYNTHETIC: it shows nobody."


def title_of(name: str, title: str = "") -> str:
    """What people read for a task or an outcome: its title, else its name as words.

    >>> title_of("acl"), title_of("early_MRI_change"), title_of("acl", "Tear of the ACL")
    ('Acl', 'Early MRI change', 'Tear of the ACL')
    """
    if title.strip():
        return title.strip()
    words = " ".join(name.replace("_", " ").split())
    return words[:1].upper() + words[1:]


def count(n: int, thing: str, things: str = "") -> str:
    """A number of things.

    >>> count(1, "case"), count(0, "case"), count(2, "patch", "patches")
    ('1 case', '0 cases', '2 patches')
    """
    return f"{n} {thing if n == 1 else things or thing + 's'}"


def listed(parts: Sequence[str]) -> str:
    """A list in a sentence.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else list(parts))


def first_of(names: Sequence[object], limit: int, noun: str = "") -> str:
    """The first names of a list that may be long, and how many others there are.

    >>> first_of([1, 2, 3], 5), first_of(["a", "b", "c"], 2), first_of(["a", "b", "c"], 1, "cases")
    ('1, 2, 3', 'a, b and 1 more', 'a and 2 more cases')
    """
    shown = ", ".join(map(str, names[:limit]))
    return f"{shown} and {len(names) - limit} more {noun}".rstrip() if len(names) > limit else shown


def some(names: Sequence[str], noun: str = "case", shown: int = 5) -> str:
    """A few names in a message.

    >>> some(["a", "b", "c"], shown=2), some(["a"], "patient")
    ('cases a, b and 1 more', 'patient a')
    """
    return f"{noun}{'s' if len(names) != 1 else ''} {first_of(names, shown)}"


def is_number(value: Any) -> bool:
    """Whether a cell holds a number, neither NaN nor infinite, nor True or a text."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def number(value: Any, digits: int = 3) -> str:
    """A number as it is printed, with a true minus sign; a dash for none. From 10 up each place takes a decimal's.

    >>> number(0.5), number(-12.25), number(459.3), number(None)
    ('0.500', '−12.25', '459.3', '–')
    """
    if not is_number(value):
        return DASH
    decimals = max(0, digits - max(0, int(log10(abs(value))))) if value else digits
    return f"{value:.{decimals}f}".replace("-", "−")


def signed(value: Any, digits: int = 3) -> str:
    """A difference as it is printed: its sign, three significant digits, five decimals at most; a dash for none.

    >>> signed(0.0123), signed(-4.5), signed(459.3), signed(0), signed(2e-9)
    ('+0.0123', '−4.50', '+459', '0', '0')
    """
    if not is_number(value):
        return DASH
    if abs(value) < 0.5 * 10**-_PLACES:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")  # 9.999 is 10.0, with a decimal less
    decimals = max(0, digits - 1 - floor(log10(abs(rounded))))
    return f"{value:+.{min(_PLACES, decimals)}f}".replace("-", "−")


def percent(value: Any, digits: int = 0) -> str:
    """A share as it is printed; a dash for none.

    >>> percent(0.5), percent(0.051, 1), percent(None)
    ('50 %', '5.1 %', '–')
    """
    shown = number(100 * value, digits) if isinstance(value, int | float) else DASH
    return DASH if shown == DASH else f"{shown} %"


def p_value(value: Any) -> str:
    """A probability as it is printed: ``"< 0.001"`` below that, three digits above; a dash for none."""
    if not is_number(value):
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def with_interval(row: Mapping[str, Any], name: str = "auc", low: str = "", high: str = "", digits: int = 3) -> str:
    """A number of a row with its interval; the number alone without one, a dash without a number.

    An interval that is a point (DeLong's at an AUC of 0 or 1, whose variance is zero) is none, and is called so.

    >>> with_interval({"auc": 0.712, "auc_low": 0.651, "auc_high": 0.773}), with_interval({"auc": 0.5})
    ('0.712 [0.651, 0.773]', '0.500')
    >>> with_interval({"auc": 1.0, "auc_low": 1.0, "auc_high": 1.0})
    '1.000 [no interval]'
    """
    value = number(row.get(name), digits)
    limits = row.get(low or f"{name}_low"), row.get(high or f"{name}_high")
    ends = [number(limit, digits) for limit in limits]
    if DASH not in ends and limits[0] == limits[1]:
        return f"{value} [no interval]"
    return value if DASH in ends or value == DASH else f"{value} [{ends[0]}, {ends[1]}]"


def short_repr(value: object, length: int = 80) -> str:
    """A user's value for a message: as Python writes it, but never longer than a line and never unfolded without end.

    Lists and dictionaries that hold each other again and again (aliases of YAML) would fill the memory when written
    out; here at most three levels and six entries of each are.

    >>> short_repr([1, "a", {"b": None}]), short_repr(list(range(9)))
    ("[1, 'a', {'b': None}]", '[0, 1, 2, 3, 4, 5, …]')
    """
    text = _outline(value, 3)
    return text if len(text) <= length else f"{text[: length - 1]}…"


_LEVEL_LIMIT, _TEXT_LIMIT, _BITS_LIMIT = 6, 200, 4096


def _outline(value: Any, levels: int) -> str:
    if isinstance(value, str | bytes):
        return repr(value if len(value) <= _TEXT_LIMIT else value[:_TEXT_LIMIT])
    if isinstance(value, int) and value.bit_length() > _BITS_LIMIT:  # Python refuses to write longer ones
        return f"a whole number of {value.bit_length()} bits"
    brackets: dict[type, tuple[str, str]] = {
        dict: ("{", "}"),
        list: ("[", "]"),
        tuple: ("(", ")"),
        set: ("{", "}"),
        frozenset: ("{", "}"),
    }
    kind = next((kind for kind in brackets if isinstance(value, kind)), None)
    if kind is None or not value:
        return repr(value)
    start, end = brackets[kind]
    if levels == 0:
        return f"{start}…{end}"
    entries = []
    parts: Any = value.items() if kind is dict else value
    for number, entry in enumerate(parts):
        if number == _LEVEL_LIMIT:
            entries.append("…")
            break
        if kind is dict:
            entries.append(f"{_outline(entry[0], levels - 1)}: {_outline(entry[1], levels - 1)}")
        else:
            entries.append(_outline(entry, levels - 1))
    comma = "," if kind is tuple and len(entries) == 1 else ""
    return f"{start}{', '.join(entries)}{comma}{end}"


_FOLDERS = re.compile(
    r"""(?<![\w.:/\\])            # not within a word, a fraction or the address of a page
        (?:[A-Za-z]:[/\\]|[/\\]|~[/\\])
        (?:[^/\\:'"()<>|\n]{1,255}[/\\])*
        (?=[^\s/\\])""",
    re.VERBOSE,
)


def without_folders(content: Any) -> Any:
    """Texts, lists and dictionaries in which absolute paths have lost their folders: these tell who worked where.

    >>> without_folders({"note": "/home/anna/study/ct.nrrd: 3 mm/s, see https://a.org/b", "n": 2})
    {'note': 'ct.nrrd: 3 mm/s, see https://a.org/b', 'n': 2}
    """
    if isinstance(content, str):
        return _FOLDERS.sub("", content) if "/" in content or "\\" in content else content
    if isinstance(content, dict):
        return {key: without_folders(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [without_folders(value) for value in content]
    return content
