"""The columns of each split: the components of every family, fitted on the split's training part and nothing else.

Factorisations run in this process, one after another and on all its cores (or the GPU): they are large, and their
numbers then do not depend on the number of workers. One is done for each family and distinct training part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.ich.cohort.manifest import IchCohort
from deepradiomics.ich.experiment.cells import SplitBlocks
from deepradiomics.ich.experiment.config import Design, ExperimentConfig, columns_of
from deepradiomics.ich.features.run import CohortFeatures
from deepradiomics.modelling.components.cache import fitted
from deepradiomics.modelling.folds import Fold
from deepradiomics.progress import Progress, part

if TYPE_CHECKING:
    from deepradiomics.modelling.components.nmf_components import Components

Outcomes = Mapping[str, NDArray[np.float64]]
CLINICAL = "clinical"
SEX = "sex"


@dataclass(frozen=True, eq=False)
class Fitted:
    """A split's columns and what they were made with.

    Args:
        blocks: the columns, for the cells.
        components: by group.
        rows: of nmf.csv, one for each factorisation.
    """

    blocks: SplitBlocks
    components: Mapping[str, Components]
    rows: tuple[Mapping[str, Any], ...]


def fitted_blocks(
    fold: Fold,
    training: tuple[CohortFeatures, Outcomes],
    external: tuple[CohortFeatures | None, Outcomes],
    design: Design,
    cache: Path,
    *,
    device: str,
    progress: Progress | None = None,
) -> Fitted:
    """Fit every family on the fold's training part and transform its test part.

    Args:
        fold: with test rows of ``training``; without, the test rows are those of ``external``.
        training, external: features, and outcomes of all rows by name: 0, 1 or NaN.
        design: inputs, which decide the groups; components, covariates and seed.
        cache: folder of kept factorisations.
        device: of the factorisation.
    """
    config, (features, outcomes), (other, external_outcomes) = design.config, training, external
    groups = tuple(dict.fromkeys(group for name in design.inputs for group in columns_of(name, config.covariates)))
    train: dict[str, NDArray[np.float64]] = {}
    test: dict[str, NDArray[np.float64]] = {}
    fitted_components: dict[str, Components] = {}
    rows = []
    for number, group in enumerate(groups):
        values, names = grouped(features, group, config)
        components, seconds = fitted(
            values[fold.train],
            names,
            family=group,  # type: ignore[arg-type]
            cache=cache,
            n_components=config.components,
            seed=design.seed,
            device=device,
            progress=part(progress, number / len(groups), (number + 1) / len(groups)),
        )
        train[group] = components.transform(values[fold.train])
        if len(fold.test):
            test[group] = components.transform(values[fold.test])
        elif other is not None:
            test[group] = components.transform(grouped(other, group, config)[0])
        else:
            test[group] = np.empty((0, train[group].shape[1]))
        if components.fit_:
            fit = components.fit_
            rows.append(
                {
                    "family": group,
                    "split": fold.name,
                    "rows": fit["rows"],
                    "columns": fit["columns"],
                    "components": fit["components"],
                    "relative_error": fit["relative_error"],
                    "iterations": fit["iterations"],
                    "seconds": seconds,
                }
            )
        fitted_components[group] = components
    tested = outcomes if len(fold.test) else external_outcomes
    none = np.full(len(other) if other is not None and not len(fold.test) else 0, np.nan)
    blocks = SplitBlocks(
        fold,
        train,
        test,
        {name: y[fold.train] for name, y in outcomes.items()},
        {name: y[fold.test] if len(fold.test) else tested.get(name, none) for name, y in outcomes.items()},
    )
    return Fitted(blocks, fitted_components, tuple(rows))


def grouped(
    features: CohortFeatures, group: str, config: ExperimentConfig
) -> tuple[NDArray[np.floating], tuple[str, ...] | None]:
    """Values and names of the columns of a group; ``clinical`` are the configuration's covariates."""
    if group == CLINICAL:
        return covariates(features.cohort, config.covariates), config.covariates
    return features.table(group)


def covariates(cohort: IchCohort, names: Sequence[str]) -> NDArray[np.float64]:
    """Clinical covariates (n, c): ``sex`` as 1 for men and 0 for women, else the column ``value_<name>``.

    Raises:
        InputError: a column is missing or empty, or is what an outcome is made of; the message names the cohort.
    """
    columns = []
    for name in names:
        if name in ("mrs", "expansion_ml"):
            raise InputError(f"covariates: {name!r} is what is to be predicted; leave it out.")
        if name == SEX:
            column = np.array([{"M": 1.0, "F": 0.0}.get(letter, np.nan) for letter in cohort.sex])
        else:
            column = cohort.numbers(name)
        if np.isnan(column).all():
            raise InputError(
                f"{cohort.where}: the covariate {name!r} is empty for all its patients. Fill its column, or leave it "
                "out (--covariates)."
            )
        columns.append(column)
    return np.stack(columns, axis=1)
