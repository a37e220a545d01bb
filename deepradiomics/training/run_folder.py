"""A run folder: what is being trained there, how far it is, and how its loss went.

::

    RUN/
      run.json        identity (configuration, seed, hashes of manifest and data), status, versions, command, metrics
      history.csv     one row an epoch, rewritten as a whole after each (a live loss curve reads it)
      checkpoints/    last.ckpt, best.ckpt
      …               what the run produces when it is finished, such as bundle/

A folder belongs to one run: with another configuration or manifest it is refused rather than mixed, and a run of
another kind is never removed.
"""

from __future__ import annotations

import csv
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from deepradiomics import __version__
from deepradiomics.errors import InputError
from deepradiomics.files import atomic_file, read_json, write_json

RUN_FILE, HISTORY_FILE = "run.json", "history.csv"
_OWN = (RUN_FILE, HISTORY_FILE, "checkpoints")
_KINDS = {
    "pretraining": "a pre-training", "finetuning": "a fine-tuning", "fingerprint": "the training of a fingerprint",
    "lens": "a lens", "ich-segmenter": "the training of a haematoma segmenter",
    "ich-autoencoder": "the training of a lesion autoencoder", "ich-experiment": "an experiment on haemorrhages",
}  # fmt: skip
_STAGES = ("frozen", "tuned")  # a fine-tuning keeps a run in each of these and none beside them
_IN_WORDS = {  # what a hash that differs means
    "manifest_sha256": "the manifest is another or was changed (cases, patients, labels, values, regions or splits)",
    "data_sha256": "the images or masks have changed, or the cases that can be used",
}


class RunFolder:
    """The run in one folder.

    Args:
        folder: made if absent.
        identity: what makes this run this run, JSON-able; compared key by key with the folder's.
        resume: go on with the same run; with False whatever run is there is removed first.
        products: names of files and folders that a finished run leaves there, removed with it.

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
        resume: bool = True,
        products: Sequence[str] = (),
    ) -> None:
        self.folder = Path(folder)
        self._products = tuple(products)
        self.record: dict[str, Any] = {}
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"{self.folder}: expected a folder for the run, found a file.")
        refuse_other_kinds(self.folder, identity.get("kind"))
        self.begun = (self.folder / RUN_FILE).is_file()
        if not resume:
            self._remove()
        elif (self.folder / RUN_FILE).is_file():
            self.record = read_json(self.folder / RUN_FILE)
            self._compare(identity)
        stored = dict(self.record.get("identity", {}))
        if not self.record:
            self.record = {
                "software": "deepradiomics", "version": __version__, "status": "running", "created": now(),
                "command": command(), "versions": versions(),
            }  # fmt: skip
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

    def add_row(self, row: Mapping[str, float]) -> None:
        """Add an epoch to the history; rows of the same or later epochs (before a kill) are replaced."""
        rows = [old for old in self.rows() if int(old["epoch"]) < int(row["epoch"])]
        new = {key: f"{value:.10g}" for key, value in row.items()}
        with atomic_file(self.history) as part, part.open("w", encoding="utf-8", newline="") as stream:
            table = csv.DictWriter(stream, list(row), restval="", extrasaction="ignore", lineterminator="\n")
            table.writeheader()
            table.writerows([*rows, new])

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
        with self.history.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def _compare(self, identity: Mapping[str, Any]) -> None:
        if not isinstance(self.record, dict) or not isinstance(self.record.get("identity"), dict):
            raise InputError(f"{self.folder / RUN_FILE}: this is not the record of a run. Choose another folder.")
        stored = self.record["identity"]
        for key, value in identity.items():
            if key in stored and stored[key] != value:
                where, old, new = _first_difference(key, stored[key], value)
                what = _IN_WORDS.get(where, f"{where} differs (there {old}, now {new})")
                raise InputError(
                    f"{self.folder}: another run lives here; {what}. "
                    "Choose another folder, or start over with resume=False (--no-resume), which removes that run."
                )

    def _remove(self) -> None:
        for name in (*_OWN, *self._products):
            path = self.folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def refuse_other_kinds(folder: str | Path, kind: object) -> None:
    """Let a run begin in a folder only where no run of another kind lives, whose files it would overwrite.

    Args:
        folder: of the run; a fine-tuning's stages lie one level below.
        kind: of the run that would begin; None is compared with nothing.

    Raises:
        InputError: a run of another kind lives there, whether or not the run shall start over.
    """
    folder = Path(folder)
    if kind is None or not folder.is_dir():
        return
    for file in (folder / RUN_FILE, *(folder / stage / RUN_FILE for stage in _STAGES)):
        try:
            record = read_json(file) if file.is_file() else None
        except InputError:  # damaged: told where the run is resumed, removed where it starts over
            continue
        identity = record.get("identity") if isinstance(record, Mapping) else None
        there = identity.get("kind") if isinstance(identity, Mapping) else None
        if there not in (None, kind):
            raise InputError(
                f"{folder}: another run lives here, {_KINDS.get(str(there), str(there))}; "
                f"{_KINDS.get(str(kind), str(kind))} would write over its files. Choose another folder (-o)."
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


def command() -> str:
    """Return how this process was started, with the program's name instead of its path."""
    name = Path(sys.argv[0]).name
    return " ".join(["deepradiomics" if name == "__main__.py" else name, *sys.argv[1:]])


def versions(names: Sequence[str] = ("numpy", "scipy", "SimpleITK", "torch", "monai", "lightning")) -> dict[str, str]:
    """Return the versions of deepradiomics, Python and those of the packages that are installed."""
    found = {"deepradiomics": __version__, "python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
