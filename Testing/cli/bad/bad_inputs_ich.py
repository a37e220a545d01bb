"""The bad inputs of ``deepradiomics segment`` and ``ich …``; listed with all others in bad_inputs.py.

Three lists: mistakes that end with exit code 2, doubtful inputs that are worked on and warned of, and calls of the
library that are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from Testing.cli.bad.bad_input import BadInput
from Testing.cli.bad.bad_inputs_ich_cohort import COHORT, experiment, external, features, three
from Testing.cli.bad.bad_inputs_ich_patient import OTHERS, PATIENT, apply, expansion, with_covariates
from Testing.cli.bad.bad_inputs_ich_training import SEGMENT, TRAINING, segment
from Testing.cli.ich import ich_material as material
from Testing.cli.ich.ich_words import (
    a_ct,
    a_manifest,
    a_mask,
    blind,
    bundle_of,
    run,
)

BAD_INPUTS_ICH: tuple[BadInput, ...] = (*SEGMENT, *TRAINING, *OTHERS, *COHORT, *PATIENT)


WARNED_INPUTS_ICH: tuple[BadInput, ...] = (
    BadInput("segment: contrast", segment(a_ct("contrast")), ("Contrast?", "mL", "do not trust")),
    BadInput("segment: a tilted gantry", segment(a_ct("tilted")), ("tilted by 12°",)),
    BadInput("segment: thick slices", segment(a_ct("thick")), ("Thick slices: 8 mm",)),
    BadInput("segment: nothing is found", segment(model=blind), ("haematoma",)),
    BadInput("ich volume: a tiny haematoma", run("ich", "volume", a_mask("tiny")), ("Tiny haematoma", "0.5 mL")),
    BadInput("ich volume: two haematomas", run("ich", "volume", a_mask("two")), ("2 separate parts",)),
    BadInput(
        "ich features: a case that is not in HU is left out", features(three("picture")), ("Left out", "ball-s0-02")
    ),
    BadInput("ich features: contrast", features(three("contrast")), ("ball-s0-02", "Contrast?")),
    BadInput(
        "ich features: a tiny haematoma", features(three("tiny", column="mask")), ("ball-s0-02", "Tiny haematoma")
    ),
    BadInput(
        "ich features: two haematomas",
        features(three("two", column="mask")),
        ("2 separate haematomas", "as one region"),
    ),
    BadInput(
        "ich features: the largest of two",
        features(three("two", column="mask"), "--lesions", "largest"),
        ("2 separate haematomas", "The largest was taken"),
    ),
    BadInput("ich features: each of two", features(three("two", column="mask"), "--lesions", "each"), ("2 separate",)),
    BadInput(
        "ich features: a lesion larger than the crop",
        features(three("huge", column="mask"), "--autoencoder", bundle_of("autoencoder")),
        ("the crop has 64 mm",),
    ),
    BadInput(
        "ich apply: contrast and a tiny haematoma",
        apply(ct=a_ct("contrast"), mask=a_mask("tiny")),
        ("Contrast?", "Tiny haematoma", "do not rely"),
    ),
    BadInput(
        "ich apply: two haematomas, larger than the crop, and no covariates",
        apply(mask=a_mask("huge-and-one"), bundle=with_covariates),
        ("2 separate haematomas", "the crop has 64 mm", "Clinical covariates not given: age, sex"),
    ),
    BadInput(
        "ich expansion: the scans in the wrong order",
        expansion(
            first="SHARED/later.nii.gz",
            second="SHARED/ct.nii.gz",
            masks=("SHARED/later_mask.nii.gz", "SHARED/mask.nii.gz"),
        ),
        ("in the right order?",),
    ),
    BadInput(
        "ich expansion: nothing left",
        expansion(masks=("SHARED/mask.nii.gz", a_mask("empty"))),
        ("mask of the follow-up is empty",),
    ),
    BadInput(
        "ich experiment: outcomes missing, external cohort with other columns",
        experiment(
            a_manifest(lambda rows: (material.one(2, value_mrs="")(rows), _balanced(rows))[0]),
            *external(material.without("value_expansion_ml")),
            "--inputs",
            "shape",
            "--classifiers",
            "naive-bayes",
            "--outcomes",
            "poor_outcome,expansion_6ml",
            "--components",
            "2",
        ),
        ("does not tell expansion_6ml", "validated out of fold only"),
    ),
)


def _balanced(rows: material.Rows) -> None:
    for number, row in enumerate(rows):
        row["value_mrs"] = row["value_mrs"] and ("5" if number % 2 else "1")
        row["value_expansion_ml"] = "8" if number % 3 == 0 else "1"


@dataclass(frozen=True)
class BadCall:
    """A call that is refused with an InputError, which says these words."""

    what: str
    call: Callable[[], object]
    says: tuple[str, ...]


def _nmf(value: float) -> Callable[[], object]:
    def call() -> object:
        from deepradiomics.modelling.components.nmf import NMF

        table = np.ones((6, 5))
        table[2, 3] = value
        return NMF(2).fit(table)

    return call


def _components(columns: int) -> Callable[[], object]:
    def call() -> object:
        from deepradiomics.modelling.components.nmf_components import Components

        values = np.random.default_rng(0).gamma(2.0, 1.0, (10, 6))
        found = Components.fit(values, tuple("abcdef"), family="radiomics", n_components=2, seed=0, threads=1)
        return found.transform(values[:, :columns])

    return call


BAD_CALLS_ICH: tuple[BadCall, ...] = (
    BadCall("negative values into NMF", _nmf(-0.25), ("NMF needs values ≥ 0", "row 2, column 3", "-0.25", "[0, 1]")),
    BadCall("NaN into NMF", _nmf(float("nan")), ("finite", "row 2, column 3", "nan")),
    BadCall("features of another number into the components", _components(5), ("6", "5")),
)
