"""One mistake of a user: what every list of bad inputs is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

OUTPUT = "out"
"""Every command of the list writes here, in an empty folder of its own; nothing may be left in it."""


@dataclass(frozen=True)
class BadInput:
    """One mistake.

    Args:
        what: the mistake in words.
        command: ``(folder, bundle) -> arguments``; makes its material in the folder.
        says: words the message must hold.
        bundle: the command needs a trained model.
        disk_full: run it on a disk without space.
    """

    what: str
    command: Callable[[Path, Path], Sequence[object]]
    says: tuple[str, ...]
    bundle: bool = False
    disk_full: bool = False
