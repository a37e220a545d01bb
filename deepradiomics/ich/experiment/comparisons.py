"""Do inputs differ: paired tests on the same patients, tests over classifiers, and the two sexes.

Patients are the units of DeLong's test and of the bootstrap. Friedman's and Wilcoxon's tests take one AUC a classifier
(METHODS: with six classifiers no pair can pass Bonferroni's correction, the smallest p is 0.031).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.ich.experiment.config import REFERENCES
from deepradiomics.ich.experiment.scores import Predicted, mean_auc
from deepradiomics.stats import (
    benjamini_hochberg,
    bonferroni,
    bootstrap_aucs,
    bootstrap_p,
    calibration_curve,
    delong_ci,
    delong_test,
    delong_unpaired,
    friedman,
    holm,
    wilcoxon_signed_rank,
)

LEAST_OF_A_SEX = 2  # patients of each class, for an interval of an AUC


def difference_rows(predictions: Sequence[Predicted], bootstraps: int, seed: int) -> Iterator[dict[str, Any]]:
    """Rows of differences.csv: each input against the references, on the same patients, classifier by classifier.

    The interval and ``p_delong`` are DeLong's for paired AUCs; ``p_holm`` adjusts them over all inputs and classifiers
    of an outcome, cohort and reference; ``p_bootstrap`` comes from resamples that all comparisons share.
    """
    for group in groups(predictions):
        y = group[0].y
        if not 0 < y.sum() < y.size:
            continue
        place = {one.pipeline: i for i, one in enumerate(group)}
        resampled = bootstrap_aucs(y, [one.probability for one in group], bootstraps, seed)
        for reference in REFERENCES:
            rows: list[dict[str, Any]] = []
            for one in group:
                other = (reference, one.classifier)
                if one.input == reference or other not in place:
                    continue
                test = delong_test(y, one.probability, group[place[other]].probability)
                gaps = resampled[:, place[one.pipeline]] - resampled[:, place[other]]
                rows.append(
                    {
                        "outcome": one.outcome, "cohort": one.cohort, "classifier": one.classifier, "input": one.input,
                        "reference": reference, "auc": test.auc_a, "auc_reference": test.auc_b,
                        "difference": test.difference, "low": test.low, "high": test.high, "p_delong": test.p,
                        "p_bootstrap": bootstrap_p(gaps),
                    }
                )  # fmt: skip
            for row, p in zip(rows, holm([row["p_delong"] for row in rows]), strict=True):
                yield row | {"p_holm": float(p)}


def friedman_rows(predictions: Sequence[Predicted]) -> Iterator[dict[str, Any]]:
    """Rows of friedman.csv: do the inputs differ at all, with classifiers as blocks; the AUC is :func:`auc_table`'s."""
    for group in groups(predictions):
        inputs, classifiers, table = auc_table(group)
        if len(inputs) < 3 or len(classifiers) < 2 or np.isnan(table).any():
            continue
        test = friedman(table)
        yield {
            "outcome": group[0].outcome,
            "cohort": group[0].cohort,
            "statistic": test.statistic,
            "df": test.df,
            "p": test.p,
            "blocks": len(classifiers),
            "pipelines": len(inputs),
        }


def wilcoxon_rows(predictions: Sequence[Predicted]) -> Iterator[dict[str, Any]]:
    """Rows of wilcoxon.csv: each pair of inputs over the classifiers, with three corrections over the pairs."""
    for group in groups(predictions):
        inputs, _, table = auc_table(group)
        if len(inputs) < 2 or np.isnan(table).any():
            continue
        rows: list[dict[str, Any]] = []
        for a, b in combinations(range(len(inputs)), 2):
            test = wilcoxon_signed_rank(table[:, a], table[:, b])
            rows.append(
                {
                    "outcome": group[0].outcome,
                    "cohort": group[0].cohort,
                    "input_a": inputs[a],
                    "input_b": inputs[b],
                    "median_difference": float(np.median(table[:, a] - table[:, b])),
                    "statistic": test.statistic,
                    "p": test.p,
                }
            )
        p = [row["p"] for row in rows]
        for row, *adjusted in zip(rows, bonferroni(p), holm(p), benjamini_hochberg(p), strict=True):
            yield row | dict(zip(("p_bonferroni", "p_holm", "p_bh"), map(float, adjusted), strict=True))


def sex_rows(predictions: Sequence[Predicted], sexes: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
    """Rows of sex.csv: the AUC of women and of men, and DeLong's test for two groups of different patients.

    Args:
        predictions: of all pipelines.
        sexes: by cohort name, the sex of each of its rows.
    """
    for one in predictions:
        sex = np.array(sexes.get(one.cohort, ()))
        if not sex.size:
            continue
        own = sex[one.rows]
        row: dict[str, Any] = {
            "outcome": one.outcome,
            "cohort": one.cohort,
            "input": one.input,
            "classifier": one.classifier,
        }
        usable = True
        for word, letter in (("female", "F"), ("male", "M")):
            here = own == letter
            y, probability = one.y[here], one.probability[here]
            row[f"n_{word}"] = int(here.sum())
            if min(int(y.sum()), int(y.size - y.sum())) < LEAST_OF_A_SEX:
                usable = False
                row |= {f"{name}_{word}": math.nan for name in ("auc", "low", "high")}
                continue
            interval = delong_ci(y, probability)
            row |= {f"auc_{word}": interval.estimate, f"low_{word}": interval.low, f"high_{word}": interval.high}
        if row["n_female"] + row["n_male"] == 0:
            continue
        row |= {"difference": math.nan, "p": math.nan}
        if usable:
            women, men = own == "F", own == "M"
            test = delong_unpaired(one.y[women], one.probability[women], one.y[men], one.probability[men])
            row |= {"difference": test.difference, "p": test.p}
        yield row


def calibration_rows(predictions: Sequence[Predicted], bins: int) -> Iterator[dict[str, Any]]:
    """Rows of calibration.csv: bins of equally many patients, predicted against what came true (Wilson)."""
    for one in predictions:
        for number, found in enumerate(calibration_curve(one.y, one.probability, bins), start=1):
            yield {
                "outcome": one.outcome,
                "cohort": one.cohort,
                "input": one.input,
                "classifier": one.classifier,
                "bin": number,
                "n": found.n,
                "mean_predicted": found.mean_predicted,
                "observed": found.observed,
                "low": found.low,
                "high": found.high,
            }


def groups(predictions: Sequence[Predicted]) -> list[list[Predicted]]:
    """The pipelines of each outcome in each cohort, which judged the same patients."""
    found: dict[tuple[str, str], list[Predicted]] = {}
    for one in predictions:
        found.setdefault((one.outcome, one.cohort), []).append(one)
    return list(found.values())


def auc_table(group: Sequence[Predicted]) -> tuple[tuple[str, ...], tuple[str, ...], NDArray[np.float64]]:
    """Inputs, classifiers, and the AUC (classifiers, inputs): the folds' mean in ``validation``, else the one AUC."""
    inputs = tuple(dict.fromkeys(one.input for one in group))
    classifiers = tuple(dict.fromkeys(one.classifier for one in group))
    table = np.full((len(classifiers), len(inputs)), np.nan)
    for one in group:
        table[classifiers.index(one.classifier), inputs.index(one.input)] = mean_auc(one)
    return inputs, classifiers, table
