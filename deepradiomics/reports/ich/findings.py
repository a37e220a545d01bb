"""What an experiment found, in plain sentences, each with the numbers it rests on.

Three things are kept apart: which cell has the highest number, whether a difference is beyond noise, and how the model
does that was named beforehand. The highest of 42 numbers flatters: it was picked with the outcome known.
"""

from __future__ import annotations

from collections.abc import Sequence

from deepradiomics.ich.experiment.result import Experiment, Row
from deepradiomics.reports.ich.figures import beyond, compared_pairs, few
from deepradiomics.reports.ich.words import LEAST, LEVEL
from deepradiomics.words import count, is_number, listed, number, p_value, signed, with_interval

_NAMED = 3


def leading(experiment: Experiment) -> list[str]:
    """For each outcome: the highest AUC in validation, how that cell does outside, and the model named beforehand."""
    sentences = []
    for outcome, title in experiment.outcomes.items():
        rows = [
            row
            for row in experiment.rows("cells", outcome=outcome, cohort="validation", fold="mean")
            if is_number(row["auc"])
        ]
        if not rows:
            sentences.append(f"{title}: no AUC could be computed in validation.")
            continue
        best = max(rows, key=lambda row: row["auc"])
        of = f"the highest of {len(rows)}" if len(rows) > 1 else "the only one"
        sentences.append(
            f"{title}: {of} in validation is {_name(experiment, best['input'], best['classifier'])}, mean AUC "
            f"{number(best['auc'])}; {_both(experiment, outcome, best['input'], best['classifier'])}."
            + _chosen(experiment, outcome, best)
        )
    return sentences


def _chosen(experiment: Experiment, outcome: str, best: Row) -> str:
    input_, kind = experiment.chosen
    if (best["input"], best["classifier"]) == (input_, kind):
        return " It is the model named beforehand."
    if not experiment.cell(outcome, input_, kind, "validation"):
        return ""
    return (
        f" The model named beforehand ({_name(experiment, input_, kind)}): {_both(experiment, outcome, input_, kind)}."
    )


def _both(experiment: Experiment, outcome: str, input_: str, kind: str) -> str:
    parts = [f"all folds together {with_interval(experiment.cell(outcome, input_, kind, 'validation'))}"]
    external = experiment.cell(outcome, input_, kind, "external")
    if external:
        parts.append(f"external {with_interval(external)}")
    return ", ".join(parts)


def differences(experiment: Experiment) -> list[str]:
    """For each pair of inputs and cohort: how many differences are beyond noise, in which direction, and how large."""
    sentences = []
    for input_, reference in compared_pairs(experiment):
        for cohort, title in experiment.cohorts.items():
            rows = [
                row
                for row in experiment.rows("differences", cohort=cohort, input=input_, reference=reference)
                if is_number(row["difference"])
            ]
            if rows:
                sentences.append(_pair(experiment, input_, reference, title, rows))
    return sentences


def _pair(experiment: Experiment, input_: str, reference: str, cohort: str, rows: Sequence[Row]) -> str:
    up = [row for row in rows if beyond(experiment, row) and row["difference"] > 0]
    down = [row for row in rows if beyond(experiment, row) and row["difference"] < 0]
    values = [row["difference"] for row in rows]
    head = (
        f"{experiment.title(input_)} against {experiment.title(reference).lower()}, "
        f"{cohort.lower()}: the AUC is higher in {sum(value > 0 for value in values)} of "
        f"{count(len(rows), 'comparison')} (differences from {signed(min(values), 2)} to {signed(max(values), 2)})"
    )
    weak = sum(few(experiment, row) for row in rows)
    if weak:
        head += (
            f"; {weak} of them rest on fewer than {LEAST} patients of a class, where DeLong's interval is too narrow, "
            "and are not counted"
        )
    plain = sum(not few(experiment, row) and is_number(row["p_delong"]) and row["p_delong"] < LEVEL for row in rows)
    if not up and not down:
        return f"{head}. None is beyond noise after Holm's correction; {plain} would be without it."
    parts = [
        f"{len(ones)} {word} ({_some(experiment, ones)})" for ones, word in ((up, "higher"), (down, "lower")) if ones
    ]
    return f"{head}. Beyond noise after Holm's correction: {listed(parts)}; {plain} without correction."


def _some(experiment: Experiment, rows: Sequence[Row]) -> str:
    """The largest differences first, the rest as a number: the table has them all."""
    ordered = sorted(rows, key=lambda row: -abs(row["difference"]))
    largest = [_where(experiment, row) for row in ordered[:_NAMED]]
    return "; ".join([*largest, *([f"and {len(rows) - _NAMED} more"] if len(rows) > _NAMED else [])])


def _where(experiment: Experiment, row: Row) -> str:
    outcome = experiment.title(row["outcome"])
    kind = experiment.title(row["classifier"])
    return f"{outcome}, {kind}: {signed(row['difference'], 2)} [{signed(row['low'], 2)}, {signed(row['high'], 2)}]"


def verdict(experiment: Experiment) -> str:
    """One sentence: whether adding latents to radiomics is beyond noise, in validation and outside."""
    pair = next(iter(compared_pairs(experiment)), None)
    if pair is None:
        return "No inputs were compared with each other: radiomics or shape, and one other input, are needed."
    what = f"{experiment.title(pair[0])} against {experiment.title(pair[1]).lower()}"
    rows = {
        cohort: [
            row
            for row in experiment.rows("differences", cohort=cohort, input=pair[0], reference=pair[1])
            if is_number(row["difference"])
        ]
        for cohort in experiment.cohorts
    }
    counts = [
        f"{sum(beyond(experiment, row) and row['difference'] > 0 for row in ones)} higher and "
        f"{sum(beyond(experiment, row) and row['difference'] < 0 for row in ones)} lower of {len(ones)} in {cohort}"
        for cohort, ones in rows.items()
        if ones
    ]
    apart = any(beyond(experiment, row) for ones in rows.values() for row in ones)
    answer = "some differences are beyond noise" if apart else "no difference is beyond noise"
    return f"{what}: {answer} (DeLong's paired test, Holm's correction: {listed(counts)})."


def friedman(experiment: Experiment) -> list[str]:
    """Whether inputs differ at all, an outcome and cohort a sentence."""
    return [
        f"{experiment.title(row['outcome'])}, "
        f"{experiment.cohorts[row['cohort']].lower()}: χ² = {number(row['statistic'])}, "
        f"{int(row['df'])} degrees of freedom, p {_equals(row['p'])}: inputs "
        f"{'differ' if row['p'] < LEVEL else 'do not differ beyond noise'}."
        for row in experiment.tables.get("friedman", ())
        if is_number(row["p"]) and row["cohort"] in experiment.cohorts
    ]


def smallest_p(blocks: int) -> float:
    """The smallest two-sided p of Wilcoxon's signed-rank test on this many blocks, each with a difference.

    >>> smallest_p(6)
    0.03125
    """
    return min(1.0, 2.0 / 2**blocks)


def wilcoxon(experiment: Experiment) -> str:
    """What Wilcoxon's test over the classifiers can show at best, and what it showed."""
    rows = [row for row in experiment.tables.get("wilcoxon", ()) if is_number(row["p"])]
    if not rows:
        return "Pairs of inputs were not tested over classifiers: at least two classifiers are needed."
    blocks = len(experiment.classifiers)
    pairs = len({frozenset((row["input_a"], row["input_b"])) for row in rows})
    least = smallest_p(blocks)
    best = min(1.0, least * pairs)
    sentence = (
        f"Each test has {count(blocks, 'block')} (classifiers), so its smallest possible p is {number(least)}. With "
        f"{count(pairs, 'pair')} of inputs Bonferroni's correction makes that {number(best)}: "
    )
    if best >= LEVEL:
        sentence += (
            "no pair can pass it, however large the difference, and Holm's correction begins at the same number. "
        )
        sentence += "The paired tests on patients above are the ones that can tell."
    else:
        sentence += "pairs can pass it."
    passed = {
        name: sum(is_number(row[f"p_{name}"]) and row[f"p_{name}"] < LEVEL for row in rows)
        for name in ("bonferroni", "holm", "bh")
    }
    plain = sum(row["p"] < LEVEL for row in rows)
    return (
        f"{sentence} Of {len(rows)} tests over all outcomes and cohorts {plain} have p < {LEVEL:g}; after correction "
        f"{passed['bonferroni']} (Bonferroni), {passed['holm']} (Holm), {passed['bh']} (Benjamini–Hochberg)."
    )


def sexes(experiment: Experiment) -> str:
    """How many cells differ between women and men, against how many would by chance."""
    rows = [row for row in experiment.tables.get("sex", ()) if is_number(row["p"])]
    if not rows:
        return "Women and men were not compared: sex is not known, or too few of a sex had the outcome."
    below = sum(row["p"] < LEVEL for row in rows)
    return (
        f"Of {count(len(rows), 'comparison')} between women and men (DeLong's test for different patients, not "
        f"corrected), {below} have p < {LEVEL:g}; by chance alone about {LEVEL * len(rows):.0f} would."
    )


def _equals(p: float) -> str:
    shown = p_value(p)
    return shown if shown.startswith("<") else f"= {shown}"


def _name(experiment: Experiment, input_: str, kind: str) -> str:
    return f"{experiment.title(input_)} with {experiment.title(kind)}"
