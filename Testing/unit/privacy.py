"""Which files of a result tell where somebody worked."""

from __future__ import annotations

from pathlib import Path

NOT_PASSED_ON = ("checkpoints", "cache")  # of a run that may go on, on this machine


def files_with_folders(result: Path, *places: Path) -> list[str]:
    """Files below a result that hold the path of one of these places, or of the result itself."""
    markers = [str(place).encode() for place in (result, *places)]
    return [
        file.relative_to(result).as_posix()
        for file in sorted(result.rglob("*"))
        if file.is_file() and not set(NOT_PASSED_ON) & set(file.relative_to(result).parts)
        if any(marker in file.read_bytes() for marker in markers)
    ]
