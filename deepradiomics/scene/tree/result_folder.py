"""Which kind of result a folder holds."""

from __future__ import annotations

from pathlib import Path

from deepradiomics.errors import InputError

# The file by which a folder is known, and what it is; `ich apply` with a follow-up writes expansion.json as well.
_KINDS = {
    "prediction.json": "fingerprint",
    "features.json": "features",
    "maps.json": "maps",
    "lens.json": "lens",
    "case.json": "lens-case",
    "ich.json": "ich-case",
    "experiment.json": "ich-experiment",
    "expansion.json": "ich-expansion",
}


def kind_of(folder: Path) -> str:
    """ "fingerprint", "features", "maps", "lens", "lens-case", "ich-case", "ich-experiment" or "ich-expansion".

    Raises InputError if the folder holds none of them.
    """
    folder = Path(folder)
    for name, kind in _KINDS.items():
        if (folder / name).is_file():
            return kind
    *names, last = _KINDS
    what = "is not a folder" if not folder.is_dir() else f"holds no {', '.join(names)} or {last}"
    commands = "`fingerprint apply`, `extract`, `maps`, `lens fit`, `lens case`, `ich apply`, `ich experiment`"
    raise InputError(f"{folder} {what}; give the output folder of {commands} or `ich expansion`")
