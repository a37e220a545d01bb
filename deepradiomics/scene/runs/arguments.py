"""The options of a run as the arguments of its command line: one rule for all commands.

    arguments(["ich", "apply", bundle, ct], out=folder / "result", flips=True, case_id="p 1")
    → ich apply BUNDLE CT -o FOLDER/result --flips --case-id "p 1"

What is left out is decided by the command itself: its defaults stand in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepradiomics.options import command_words


def arguments(command: Sequence[object], *, out: Path, **options: Any) -> list[str]:
    """A command with its positional arguments, its output and its options."""
    return [*map(str, command), "-o", str(out), *command_words(**options)]


def absolute(path: Path | str | None) -> Path | None:
    """A path as a child can read it, which works in another folder; None where none is named."""
    return Path(path).absolute() if path else None
