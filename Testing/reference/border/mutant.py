"""Mutant: an input that was broken in one known way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Maker = Callable[[np.random.Generator, Path], "Mutant"]


@dataclass(frozen=True, eq=False)
class Mutant:
    """A broken input and how to judge what is made of it.

    Attributes
    ----------
    kind
        What was broken, such as ``image nii.gz``.
    field
        Which part of it, for the table and for looking for it in notes.
    read
        Reads the mutant as the product does; gives something comparable and its notes.
    intact
        What the unbroken input gives.
    same
        Whether two readings are equal.
    independent
        What another program makes of the mutant; None where there is none, or it refuses.
    must_refuse
        The mutation cannot be anything but an error: an accepted mutant is wrong even if it gives the intact numbers.
    """

    kind: str
    field: str
    read: Callable[[], tuple[Any, tuple[str, ...]]]
    intact: Any
    same: Callable[[Any, Any], bool]
    independent: Callable[[], Any] | None = None
    must_refuse: bool = False
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: ``refused``, ``intact``, ``right``, ``noted``, ``wrong`` or ``raw``, and the message."""

    outcome: str
    message: str = ""

    @property
    def good(self) -> bool:
        """Whether it is one of those that may be."""
        return self.outcome in ("refused", "intact", "right", "noted")


def judge(mutant: Mutant) -> Verdict:
    """Read the mutant and say what became of it."""
    from deepradiomics.errors import DeepRadiomicsError

    try:
        reading, notes = mutant.read()
    except DeepRadiomicsError as error:
        text = str(error)
        return Verdict("refused" if len(text) < 4000 else "raw", text[:300])
    except MemoryError:
        return Verdict("raw", "MemoryError")
    except Exception as error:  # what a user would see as a fault of the software
        return Verdict("raw", f"{type(error).__name__}: {error}"[:300])
    if mutant.must_refuse:
        return Verdict("wrong", f"accepted although {mutant.field}")
    if mutant.same(reading, mutant.intact):
        return Verdict("intact")
    if mutant.independent is not None:
        try:
            other = mutant.independent()
        except Exception:  # the other program refuses; no help
            other = None
        if other is not None and mutant.same(reading, other):
            return Verdict("right")
    if notes:
        return Verdict("noted", notes[0][:300])
    return Verdict("wrong", f"other values without a word: {mutant.field}")
