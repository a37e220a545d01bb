"""Pages are templates: prose in ``templates/*.html``, values from Python; what is no template of ours is escaped.

values, tables, pictures ─► template of the method ─► ``base.html`` ─► one HTML page that loads nothing from elsewhere
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics import words
from deepradiomics.errors import MissingDependencyError

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Cell:
    """A table's cell that is more than a text.

    Args:
        text: what it says; its lines stand one below the other.
        small: a remark below it, in small letters.
        code: a technical name below that.
        css: class of the text, such as "positive", "strong" or "code".
    """

    text: str
    small: str = ""
    code: str = ""
    css: str = ""


Cells = Sequence[str | Cell]


@dataclass(frozen=True)
class Table:
    """A table to be read.

    Args:
        head: one name per column.
        rows: one text or cell per column.
        numbers: the columns that are aligned to the right.
        over: names above the columns and how many columns each spans; empty for one row of heads.
        starred: columns whose numbers may be followed by stars, which get a place of their own: numbers stay aligned.
        title: what it shows, where it stands in a file of its own.
        notes: what a reader must know, one sentence each.
    """

    head: Sequence[str]
    rows: Sequence[Cells]
    numbers: Collection[int] = ()
    over: Sequence[tuple[str, int]] = ()
    starred: Collection[int] = ()
    title: str = ""
    notes: Sequence[str] = ()


def render(template: str, **values: Any) -> str:
    """Return the page of a template.

    Args:
        template: its file below ``templates/``.
        values: what it uses; a name that it uses and that is missing is an error.

    Raises:
        MissingDependencyError: Jinja2 is not installed.
    """
    return _environment().get_template(template).render(**values)


def software(about: Mapping[str, Any]) -> str:
    """The package's version in a result's JSON, then those of the packages it rests on."""
    versions = {"deepradiomics": about.get("version"), **(about.get("versions") or {})}
    return ", ".join(f"{name} {version}" for name, version in versions.items() if version)


@cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise MissingDependencyError("Reports need Jinja2: pip install 'deepradiomics[networks]'.") from error
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": words.count,
        "listed": words.listed,
        "number": words.number,
        "p_value": words.p_value,
        "percent": words.percent,
        "section": _section,
        "settings": _settings,
        "signed": words.signed,
    }
    environment.globals |= {
        "RESEARCH": words.RESEARCH,
        "SYNTHETIC_DATA": words.SYNTHETIC_DATA,
        "SYNTHETIC_MODEL": words.SYNTHETIC_MODEL,
        "SYNTHETIC_CT": words.SYNTHETIC_CT,
        "SYNTHETIC_IN_REAL": words.SYNTHETIC_IN_REAL,
        "LEAKING": words.LEAKING,
        "REAL_HEAD_SHORT": words.REAL_HEAD_SHORT,
        "OUTSIDE": words.OUTSIDE,
    }
    return environment


def _settings(values: Any) -> str:
    return json.dumps(values or {}, indent=1, ensure_ascii=False)


def _section(task: Any, macro: Callable[[Any], str]) -> str:
    """What a template's macro makes of one task, for ``map``."""
    return macro(task)
