"""TrainingRun: the steps that every training takes in its run folder, so that a kill costs at most one epoch.

::

    run = TrainingRun(out, PRETRAINING, {"config": …, "seed": …}, proof=("encoder/bundle.json",), resume=resume)
    if run.is_finished:
        return …                                # as run.record has it
    with run.preparing():                       # what cannot be used leaves no record behind
        cases = cohort_stacks(…)
    run.begin(cases)                            # the data become part of what makes this run this run
    fitted = run.fit(module, settings, …)
    …                                           # the bundle
    run.finish(metrics=…)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from deepradiomics.progress import Progress
from deepradiomics.training.fit import FitSettings, Fitted, fit_module
from deepradiomics.training.run_folder import RunFolder, RunKind, now


class PreparedData(Protocol):
    """What a run records of its cases once they are prepared."""

    @property
    def digest(self) -> str:
        """Hash of all that training sees."""

    @property
    def dropped(self) -> Sequence[tuple[str, str]]:
        """(id, reason) of the cases that cannot be used."""

    @property
    def notes(self) -> Mapping[str, Sequence[str]]:
        """By case, what was assumed on reading and preparing it."""


class TrainingRun(RunFolder):
    """A training in its folder.

    Args:
        folder: made if absent.
        kind: of the run.
        identity: what else makes this run this run, JSON-able; compared key by key with the folder's.
        proof: files without which a finished run is not finished, such as ``bundle/bundle.json``.
        products: names of files and folders that a finished run leaves there, removed with it.
        resume: go on with the same run; with False whatever run is there is removed first.
        part: it belongs to a larger run, in the folder above.

    Raises:
        InputError: another run lives in the folder; the message says what differs.
    """

    def __init__(
        self,
        folder: str | Path,
        kind: RunKind,
        identity: Mapping[str, Any],
        *,
        proof: Sequence[str],
        products: Sequence[str],
        resume: bool = True,
        part: bool = False,
    ) -> None:
        super().__init__(folder, identity, kind=kind, resume=resume, products=products, part=part)
        self._kind, self._proof = kind, tuple(proof)

    @property
    def is_finished(self) -> bool:
        """Whether there is nothing left to do: the run has ended and its products are still there."""
        return self.status == "finished" and all((self.folder / name).is_file() for name in self._proof)

    @property
    def dropped(self) -> tuple[tuple[str, str], ...]:
        """(id, reason) of the cases that were left out."""
        return tuple((case, reason) for case, reason in self.record.get("dropped", ()))

    @property
    def notes(self) -> dict[str, tuple[str, ...]]:
        """By case, what was assumed on reading and preparing it."""
        return {case: tuple(texts) for case, texts in (self.record.get("notes") or {}).items()}

    def begin(self, data: PreparedData) -> None:
        """Record the prepared cases.

        Raises:
            InputError: the run began with other data.
        """
        self.identify(data_sha256=data.digest)
        self.update(
            dropped=[list(pair) for pair in data.dropped],
            notes={case: list(texts) for case, texts in data.notes.items()},
        )

    def subrun(self, name: str, products: Sequence[str] = (), **identity: Any) -> TrainingRun:
        """A run of the same kind in a folder inside, such as that of a fold; ``identity`` says which."""
        return TrainingRun(
            self.folder / name,
            self._kind,
            {**self.record["identity"], **identity},
            proof=self._proof,
            products=products,
            part=True,
        )

    def fit(
        self,
        module: Any,
        settings: FitSettings,
        *,
        device: str,
        message: str | None = None,
        progress: Progress | None = None,
    ) -> Fitted:
        """Train a module in place; see :func:`deepradiomics.training.fit.fit_module`."""
        return fit_module(module, self, settings, device=device, message=message, progress=progress)

    def finish(self, **entries: Any) -> None:
        """Record the end of the run, with what a reader of run.json finds there."""
        self.update(status="finished", finished=now(), **entries)
