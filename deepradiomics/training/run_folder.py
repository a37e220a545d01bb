"""A run folder: what is being trained there, how far it is, and how its loss went.

::

    RUN/
      run.json        identity (configuration, seed, hashes of manifest and data), status, versions, command, metrics
      history.csv     one row per epoch, rewritten as a whole after each (a live loss curve reads it)
      checkpoints/    last.ckpt, best.ckpt
      …               what the run produces when it is finished, such as bundle/

A folder belongs to one run: with another configuration or manifest it is refused rather than mixed, and a run of
another kind is never removed.
"""

from __future__ import annotations

import contextlib
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from deepradiomics import __version__
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json, write_json
from deepradiomics.files.reading import reading
from deepradiomics.files.tables import read_csv, write_csv

RUN_FILE, HISTORY_FILE = "run.json", "history.csv"
_FILES_OF_EVERY_RUN = (RUN_FILE, HISTORY_FILE, "checkpoints")
_MEANINGS = {  # of a hash that differs
    "manifest_sha256": "the manifest is another or was changed (cases, patients, labels, values, regions or splits)",
    "data_sha256": "the images or masks have changed, or the cases that can be used",
}


@dataclass(frozen=True)
class RunKind:
    """What a run does; each method declares its own, and run.json carries it.

    Args:
        name: in run.json, such as ``pretraining``.
        title: in messages, such as ``a pre-training``.
    """

    name: str
    title: str


class RunFolder:
    """The run in one folder.

    Args:
        folder: made if absent.
        identity: what makes this run this run, JSON-able; compared key by key with the folder's.
        kind: of the run; a folder in which a run of another kind lives is refused.
        resume: go on with the same run; with False whatever run is there is removed first.
        products: names of files and folders that a finished run leaves there, removed with it.
        part: it belongs to a larger run in the folder above, which has no other kind.

    Attributes:
        begun: whether the run was there before.

    Raises:
        InputError: another run lives in the folder; the message says what differs.
    """

    def __init__(
        self,
        folder: str | Path,
        identity: Mapping[str, Any],
        *,
        kind: RunKind | None = None,
        resume: bool = True,
        products: Sequence[str] = (),
        part: bool = False,
    ) -> None:
        self.folder = Path(folder)
        self._products = tuple(products)
        self.record: dict[str, Any] = {}
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"{self.folder}: expected a folder for the run, found a file.")
        if kind is not None:
            refuse_other_kinds(self.folder, kind)
            identity = {"kind": kind.name, **identity}
        self.begun = (self.folder / RUN_FILE).is_file()
        if not resume:
            self._remove()
        elif (self.folder / RUN_FILE).is_file():
            self.record = read_json(self.folder / RUN_FILE)
            self._compare(identity)
        if not self.record:
            self.record = {
                "software": "deepradiomics",
                "version": __version__,
                "status": "running",
                "created": now(),
                "command": command(),
                "versions": versions(),
                **({"title": kind.title} if kind else {}),
                **({"part": True} if part else {}),
            }
        stored = dict(self.record.get("identity", {}))
        if stored != {**stored, **identity} or "identity" not in self.record:
            self.update(identity={**stored, **identity})

    @property
    def status(self) -> str:
        """``running``, ``fitted`` (weights final) or ``finished`` (products written)."""
        return str(self.record.get("status", "running"))

    @property
    def history(self) -> Path:
        """Path of history.csv."""
        return self.folder / HISTORY_FILE

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.folder / "checkpoints"

    def update(self, **changes: Any) -> None:
        """Change entries of run.json."""
        self.record = {**self.record, **changes}
        write_json(self.folder / RUN_FILE, self.record)

    def identify(self, **identity: Any) -> None:
        """Add what makes this run this run and was not known at its beginning.

        Raises:
            InputError: the run began with something else.
        """
        self._compare(identity)
        self.update(identity={**self.record["identity"], **identity})

    @contextlib.contextmanager
    def preparing(self) -> Iterator[None]:
        """Inside the block inputs are read; where they cannot be used, no record of the run stays behind."""
        try:
            yield
        except InputError:
            self.take_back()
            raise

    def add_row(self, row: Mapping[str, float]) -> None:
        """Add an epoch to the history; rows of the same or later epochs (before a kill) are replaced."""
        earlier = [old for old in self.rows() if int(old["epoch"]) < int(row["epoch"])]
        new = {key: f"{value:.10g}" for key, value in row.items()}
        write_csv(self.history, list(row), [*earlier, new])

    def take_back(self) -> None:
        """Remove the record of a run that could not begin, and the folder where that leaves it empty.

        A run that was there before is left as it is.
        """
        if self.begun:
            return
        (self.folder / RUN_FILE).unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def rows(self) -> list[dict[str, str]]:
        """Return the history, oldest first."""
        if not self.history.is_file():
            return []
        with reading(self.history, "the history of this run", "Start the run over with resume=False (--no-resume)."):
            rows = read_csv(self.history, what="history").rows
            for row in rows:
                int(row["epoch"])
        return rows

    def _compare(self, identity: Mapping[str, Any]) -> None:
        if not isinstance(self.record, dict) or not isinstance(self.record.get("identity"), dict):
            raise InputError(f"{self.folder / RUN_FILE}: this is not the record of a run. Choose another folder.")
        stored = self.record["identity"]
        for key, value in identity.items():
            if key in stored and stored[key] != value:
                where, old, new = _first_difference(key, stored[key], value)
                difference = _MEANINGS.get(where, f"{where} differs (there {old}, now {new})")
                raise InputError(
                    f"{self.folder}: another run lives here; {difference}. "
                    "Choose another folder, or start over with resume=False (--no-resume), which removes that run."
                )

    def _remove(self) -> None:
        for name in (*_FILES_OF_EVERY_RUN, *self._products):
            path = self.folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def refuse_other_kinds(folder: str | Path, kind: RunKind) -> None:
    """Let a run begin in a folder only where no run of another kind lives, whose files it would overwrite.

    Args:
        folder: of the run; parts of a run (the stages of a fine-tuning) lie one level below.
        kind: of the run that would begin.

    Raises:
        InputError: a run of another kind lives there, whether or not the run shall start over.
    """
    folder = Path(folder)
    for file in (folder / RUN_FILE, *sorted(folder.glob(f"*/{RUN_FILE}"))):
        try:
            record = read_json(file) if file.is_file() else None
        except InputError:  # damaged: reported where the run is resumed, removed where it starts over
            continue
        if not isinstance(record, Mapping) or (file.parent != folder and record.get("part") is not True):
            continue
        identity = record.get("identity")
        there = identity.get("kind") if isinstance(identity, Mapping) else None
        if there not in (None, kind.name):
            raise InputError(
                f"{folder}: another run lives here, {record.get('title', there)}; {kind.title} would write over its "
                "files. Choose another folder (-o)."
            )


def _first_difference(key: str, old: Any, new: Any) -> tuple[str, str, str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in [*old, *new]:
            if old.get(name) != new.get(name):
                return _first_difference(f"{key}.{name}", old.get(name), new.get(name))
    return key, _short(old), _short(new)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def provenance() -> dict[str, Any]:
    """Return date, version, software and command, as bundles record them."""
    return {"created": now(), "version": __version__, "software": versions(), "command": command()}


def command() -> str:
    """Return how this process was started, in words that name no folder and no person.

    Each path is replaced by PATH and its ending: ``deepradiomics ich experiment PATH.csv -o PATH``. All else stays:
    commands, options, numbers, words such as ``tiny``.
    """
    program = Path(sys.argv[0]).name
    name = "deepradiomics" if program == "__main__.py" else program
    return " ".join([name, *map(_without_path, sys.argv[1:])])


def _without_path(word: str) -> str:
    """A word of the command line: a path as PATH with its ending, and so behind ``NAME=`` and ``--option=``."""
    before, equals, after = word.partition("=")
    if equals and not _is_path(before):
        return f"{before}={_without_path(after)}"
    if not _is_path(word):
        return word
    suffix = "".join(Path(word).suffixes[-2:]) if word.lower().endswith(".gz") else Path(word).suffix
    return f"PATH{suffix if suffix[1:].replace('.', '').isalnum() and len(suffix) <= 8 else ''}"


def _is_path(word: str) -> bool:
    """Whether a word is or may be a path: it has a separator, leads to something, or ends like a file."""
    if word.startswith("-") or re.fullmatch(r"[-+.\d,e]*", word):  # an option, a number, a list of numbers
        return False
    if any(sign in word for sign in ("/", "\\", "~")) or re.fullmatch(r".*\.[A-Za-z]\w{0,5}", word):
        return True
    with contextlib.suppress(OSError, ValueError):  # too long for a name, or no name at all
        return Path(word).exists()
    return False


def versions(names: Sequence[str] = ("numpy", "scipy", "SimpleITK", "torch", "monai", "lightning")) -> dict[str, str]:
    """Return the versions of deepradiomics, Python and those of the packages that are installed."""
    installed = {"deepradiomics": __version__, "python": platform.python_version()}
    for name in names:
        with contextlib.suppress(PackageNotFoundError):
            installed[name] = version(name)
    return installed
