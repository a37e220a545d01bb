"""What an experiment can be asked for, given its cohorts: inputs, outcomes, covariates; said before hours of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.ich.cohort.manifest import PAPER_OUTCOMES, IchCohort
from deepradiomics.ich.experiment.blocks import SEX, covariates
from deepradiomics.ich.experiment.config import INPUTS, ExperimentConfig
from deepradiomics.ich.features.case import FeatureSettings
from deepradiomics.ich.features.latents import KINDS, Kind, NetworkUse
from deepradiomics.ich.features.run import CohortFeatures, networks_of
from deepradiomics.modelling.folds import check_outcome

_COMMAND = {"encoder": "ich train-segmenter", "autoencoder": "ich train-autoencoder"}


@dataclass(frozen=True, eq=False)
class Plan:
    """What will be computed.

    Args:
        inputs, outcomes: names.
        kinds: of the networks whose latents the inputs need.
        training, external: the networks of each cohort's rows, by kind.
        remarks: what was decided for the user.
    """

    inputs: tuple[str, ...]
    outcomes: tuple[str, ...]
    kinds: tuple[Kind, ...]
    training: Mapping[Kind, tuple[Sequence[NetworkUse], Sequence[int]]]
    external: Mapping[Kind, tuple[Sequence[NetworkUse], Sequence[int]]]
    remarks: tuple[str, ...]


def planned(
    cohort: IchCohort,
    external: IchCohort | None,
    config: ExperimentConfig,
    encoder: Path | None = None,
    autoencoder: Path | None = None,
) -> Plan:
    """Decide inputs and outcomes.

    Raises:
        InputError: something asked for is not there; the message names the option and the cohort.
    """
    if config.lesions == "each":
        raise InputError(
            "lesions: 'each' gives a patient several rows, and an outcome belongs to a patient. Take 'all' or "
            "'largest'; 'ich features --lesions each' measures every haematoma."
        )
    defaults: dict[Kind, Path | None] = {"encoder": encoder, "autoencoder": autoencoder}
    mine = {kind: networks_of(cohort, kind, defaults[kind]) for kind in KINDS}
    inputs, remarks = _inputs(config, {kind: mine[kind] is not None for kind in KINDS}, cohort.where)
    groups = {group for name in inputs for group in INPUTS[name]}
    kinds: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind in groups)
    theirs = {}
    if external is not None:
        for kind in kinds:
            found = networks_of(external, kind, defaults[kind])
            if found is None:
                raise InputError(
                    f"{external.where}: no {kind} is named for the external cohort, though the inputs need one. Fill "
                    f"its column {kind}, or give --{kind} a bundle for the rows that name none."
                )
            theirs[kind] = found
    outcomes, more = _outcomes(cohort, external, config)
    _check_outcomes(cohort, external, outcomes, config.folds)
    for one in (cohort, external):
        if one is not None and config.covariates:
            _check_covariates(one, config.covariates)
    used = {kind: found for kind in kinds if (found := mine[kind]) is not None}
    return Plan(inputs, outcomes, kinds, used, theirs, (*remarks, *more, *_axes(used, theirs)))


def outcome_values(
    features: CohortFeatures, names: Sequence[str], *, external: bool = False
) -> dict[str, NDArray[np.float64]]:
    """0, 1 or NaN of every row by outcome; an external cohort may lack an outcome, then all are NaN."""
    known = features.cohort.outcome_names()
    return {
        name: features.cohort.outcome(name, features.volume_ml)
        if name in known or not external
        else np.full(len(features), np.nan)
        for name in names
    }


def settings_of(config: ExperimentConfig) -> FeatureSettings:
    """What is measured of each patient."""
    return FeatureSettings(config.radiomics, config.bin_width_hu, config.label, config.lesions)


def _inputs(
    config: ExperimentConfig, given: Mapping[Kind, bool], where: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    absent = [kind for kind in KINDS if not given[kind]]
    lacking = {name: [kind for kind in groups if kind in absent] for name, groups in INPUTS.items()}
    if config.inputs:
        for name in config.inputs:
            if lacking[name]:
                kind = lacking[name][0]
                raise InputError(
                    f"inputs: {name!r} needs latents, and {where} names no {kind}. Fill its column {kind}, or give "
                    f"--{kind} a bundle of '{_COMMAND[kind]}'; or leave this input out (--inputs)."
                )
        return config.inputs, ()
    able = tuple(name for name in INPUTS if not lacking[name])
    left = [name for name in INPUTS if lacking[name]]
    if not left:
        return able, ()
    missing = " and ".join(dict.fromkeys(kind for name in left for kind in lacking[name]))
    return able, (f"No {missing} was given, so the inputs {', '.join(left)} are left out.",)


def _outcomes(
    cohort: IchCohort, external: IchCohort | None, config: ExperimentConfig
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    told = cohort.outcome_names()
    remarks = []
    if config.outcomes:
        for name in config.outcomes:
            if name not in told:
                cohort.outcome(name)  # says what is missing
        names = config.outcomes
    else:
        names = tuple(name for name in PAPER_OUTCOMES if name in told)
        if not names:
            raise InputError(
                f"{cohort.where} tells none of the outcomes {', '.join(PAPER_OUTCOMES)}: it needs the columns "
                f"value_mrs and value_expansion_ml. It tells: {', '.join(told) or 'none'} (--outcomes names them)."
            )
        left = [name for name in PAPER_OUTCOMES if name not in told]
        if left:
            remarks.append(f"{cohort.where} does not tell {', '.join(left)}: left out.")
    if external is not None:
        lacks = [name for name in names if name not in external.outcome_names()]
        if len(lacks) == len(names):
            raise InputError(
                f"{external.where} tells none of the outcomes {', '.join(names)}, so nothing can be tested there. It "
                f"tells: {', '.join(external.outcome_names()) or 'none'}; its columns are named as the training "
                "cohort's (value_mrs, value_expansion_ml, label_<outcome>)."
            )
        if lacks:
            remarks.append(f"{external.where} does not tell {', '.join(lacks)}: validated out of fold only.")
    return names, tuple(remarks)


def _check_outcomes(cohort: IchCohort, external: IchCohort | None, names: Sequence[str], folds: int) -> None:
    """What the manifests tell of the outcomes, before images are read; who is left out later can only take away.

    Raises:
        InputError: an outcome with too few patients of a class for the folds.
        ManifestError: an unusable cell.
    """
    for name in names:
        if name == "expansion_33pct" and name not in cohort.manifest.tasks:
            continue  # it needs the baseline volumes, which are measured
        check_outcome(name, cohort.outcome(name), folds)
    if external is not None:
        for name in names:
            if name in external.outcome_names():
                external.outcome(name)


def _check_covariates(cohort: IchCohort, names: Sequence[str]) -> None:
    if SEX in names and not any(cohort.sex):
        raise InputError(
            f"covariates: {cohort.where} has no column sex, or an empty one. Fill it (F, M), or leave the covariate "
            "out (--covariates)."
        )
    covariates(cohort, names)


def _axes(
    mine: Mapping[Kind, tuple[Sequence[NetworkUse], Sequence[int]]],
    theirs: Mapping[Kind, tuple[Sequence[NetworkUse], Sequence[int]]],
) -> list[str]:
    """External latents of networks that gave none of the training's cannot be read by what was learned there."""
    remarks = []
    for kind, (networks, _) in theirs.items():
        known = {one.sha256 for one in mine[kind][0]} if kind in mine else set()
        strange = [one.name for one in networks if one.sha256 not in known]
        if strange:
            remarks.append(
                f"External latents ({kind}) come from {', '.join(strange)}, which gave none of the training cohort's: "
                "networks trained apart do not share their axes, so external scores of inputs with these latents say "
                "little. One network trained on other patients, for both cohorts, avoids it."
            )
    return remarks
