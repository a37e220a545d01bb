"""What an experiment is asked for, and the cohorts that it measures."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from deepradiomics.ich.experiment.config import ExperimentConfig
from deepradiomics.ich.features.run import CohortFeatures
from deepradiomics.images.reading import Reading
from deepradiomics.public import one_line


@one_line
@dataclass(frozen=True, eq=False)
class ExperimentRequest:
    """What an experiment compares, on whom.

    Args:
        manifest: of the training cohort.
        external: manifest of the cohort that tests the final models.
        config: every choice; the preset ``paper`` by default.
        reading: how images and masks of both cohorts are read, and which labels are the haematoma.
        encoder, autoencoder: bundles for patients whose row names none.
        seed: of folds, factorisations, classifiers and resamples: equal seeds give equal tables.
        allow_leakage: run although patients would be tested by what has seen them; every output says so.
    """

    manifest: str | Path
    external: str | Path | None = None
    config: ExperimentConfig = field(default_factory=ExperimentConfig)
    reading: Reading | None = None
    encoder: str | Path | None = None
    autoencoder: str | Path | None = None
    seed: int = 0
    allow_leakage: bool = False

    @property
    def networks(self) -> dict[str, Path | None]:
        """Both bundles by kind; seen from a worker, a relative path may mean another place."""
        folders = {"encoder": self.encoder, "autoencoder": self.autoencoder}
        return {kind: None if folder is None else Path(folder).resolve() for kind, folder in folders.items()}


@dataclass(frozen=True, eq=False)
class Cohorts:
    """Both cohorts with their features, what was said of them, and whether somebody leaks."""

    training: CohortFeatures
    external: CohortFeatures | None
    remarks: tuple[str, ...]
    leaking: bool
