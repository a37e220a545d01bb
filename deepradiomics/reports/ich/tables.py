"""The experiment's tables, in the form of the paper's: table 1, S2 to S5, and those beside them.

Everything is taken from the CSV files of the folder; nothing is computed here but shares, ranges and sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from deepradiomics.ich.experiment.result import Experiment, Row
from deepradiomics.reports.ich.figures import beyond
from deepradiomics.reports.ich.words import group_name, readable
from deepradiomics.reports.page import Cell, Cells, Table
from deepradiomics.words import DASH, is_number, number, p_value, percent, signed, with_interval

_RATES = {"f1": "F1", "sensitivity": "Sensitivity", "specificity": "Specificity", "ppv": "PPV", "npv": "NPV"}
_FEATURES = 3  # of a component


def outcome_table(experiment: Experiment) -> Table:
    """How many patients of each cohort had each outcome."""
    counts = {outcome["name"]: outcome for outcome in experiment.about.get("outcomes") or ()}
    parts = [part for part in ("training", "external") if any(outcome.get(part) for outcome in counts.values())]
    rows = [
        [title, *(_positives((counts.get(name) or {}).get(part)) for part in parts)]
        for name, title in experiment.outcomes.items()
    ]
    return Table(["Outcome", *(part.capitalize() for part in parts)], rows, numbers=range(1, len(parts) + 1))


def _positives(counts: Mapping[str, int] | None) -> str:
    if not counts:
        return DASH
    n, positives = counts["n"], counts["positives"]
    return f"{positives} of {n} ({percent(positives / n, 1) if n else DASH})"


def cohort_table(experiment: Experiment) -> Table:
    """Table 1: the cohorts side by side."""
    rows = experiment.tables.get("cohort", ())
    outside = any(row["external"] for row in rows)
    lines, last = [], ""
    for row in rows:
        cells = [row["variable"] if row["variable"] != last else "", row["level"], row["training"] or DASH]
        last = row["variable"]
        if outside:
            cells += [row["external"] or DASH, p_value(row["p"]), row["test"]]
        lines.append(cells)
    head = ["", "", "Training", *(["External", "p", "Test"] if outside else [])]
    return Table(head, lines, numbers=(2, 3, 4) if outside else (2,))


def auc_table(experiment: Experiment) -> Table:
    """AUC of every input and classifier: mean ± SD over folds, below it the external one with its interval."""
    outside = "external" in experiment.cohorts
    lines: list[Cells] = []
    for input_, title in experiment.inputs.items():
        for kind, kind_title in experiment.classifiers.items():
            rows = [
                experiment.row("summary", outcome=outcome, input=input_, classifier=kind)
                for outcome in experiment.outcomes
            ]
            if any(rows):
                lines.append([title, kind_title, *(_auc_cell(row, outside) for row in rows)])
    head = ["Input", "Classifier", *experiment.outcomes.values()]
    return Table(head, lines, numbers=range(2, len(head)))


def _auc_cell(row: Row, outside: bool) -> Cell:
    if not row:
        return Cell(DASH)
    external = with_interval(row, "external_auc", "external_low", "external_high") if outside else ""
    return Cell(f"{number(row.get('auc_mean'))} ± {number(row.get('auc_sd'))}", external)


def score_table(experiment: Experiment, outcome: str) -> Table:
    """Table S2 of one outcome: every number of every cell; validation as mean ± SD over folds, interval of all."""
    head = ["Input", "Classifier", "Cohort", "n (positive)", "AUC [95 % interval]", "AUC of folds", *_RATES.values(),
            "Brier", "Threshold"]  # fmt: skip
    columns = (*_RATES, "brier", "threshold")
    lines: list[Cells] = []
    for input_, title in experiment.inputs.items():
        for kind, kind_title in experiment.classifiers.items():
            for cohort in experiment.cohorts:
                pooled = experiment.cell(outcome, input_, kind, cohort)
                if not pooled:
                    continue
                mean, sd = (
                    ({}, {})
                    if cohort == "external"
                    else (experiment.cell(outcome, input_, kind, cohort, fold) for fold in ("mean", "sd"))
                )
                lines.append(
                    [
                        title,
                        kind_title,
                        cohort,
                        f"{pooled['n']:.0f} ({pooled['positives']:.0f})",
                        with_interval(pooled),
                        _spread(mean, sd, "auc") if mean else DASH,
                        *(_spread(mean, sd, name) if mean else number(pooled.get(name), 2) for name in columns),
                    ]
                )
    return Table(head, lines, numbers=range(3, len(head)))


def _spread(mean: Row, sd: Row, name: str) -> Cell:
    return Cell(number(mean.get(name), 2), f"± {number(sd.get(name), 2)}" if is_number(sd.get(name)) else "")


def threshold_table(experiment: Experiment) -> Table:
    """The model chosen beforehand at its thresholds: rates in validation and outside."""
    input_, kind = experiment.chosen
    head = ["Outcome", "Cohort", "Threshold", "AUC [95 % interval]", *_RATES.values(), "Brier"]
    lines: list[Cells] = []
    for outcome, title in experiment.outcomes.items():
        for cohort in experiment.cohorts:
            row = experiment.cell(outcome, input_, kind, cohort)
            if row:
                lines.append(
                    [
                        title,
                        cohort,
                        _thresholds(experiment, outcome, cohort, row),
                        with_interval(row),
                        *(number(row.get(name), 2) for name in _RATES),
                        number(row.get("brier")),
                    ]
                )
    return Table(head, lines, numbers=range(2, len(head)))


def _thresholds(experiment: Experiment, outcome: str, cohort: str, pooled: Row) -> str:
    """The threshold; in validation each fold has its own, so their range."""
    if cohort == "external":
        return number(pooled.get("threshold"))
    rows = experiment.rows(
        "cells", outcome=outcome, cohort=cohort, input=experiment.chosen[0], classifier=experiment.chosen[1]
    )
    values = [row["threshold"] for row in rows if row["fold"].isdigit() and is_number(row["threshold"])]
    if not values:
        return number(pooled.get("threshold"))
    low, high = number(min(values)), number(max(values))
    return low if low == high else f"{low} to {high}"


def difference_table(experiment: Experiment, pair: tuple[str, str] | None = None) -> Table:
    """Table S3: paired differences of AUC; those of an input and its reference, or all of them."""
    head = ["Outcome", "Cohort", "Classifier", "Input", "Against", "AUC", "AUC of the other",
            "Difference [95 % interval]", "p (DeLong)", "p (Holm)", "p (bootstrap)"]  # fmt: skip
    lines: list[Cells] = []
    for row in experiment.tables.get("differences", ()):
        if pair is not None and (row["input"], row["reference"]) != pair:
            continue
        difference = f"{signed(row['difference'])} [{signed(row['low'])}, {signed(row['high'])}]"
        lines.append(
            [
                experiment.title(row["outcome"]),
                row["cohort"],
                *(experiment.title(row[name]) for name in ("classifier", "input", "reference")),
                number(row["auc"]),
                number(row["auc_reference"]),
                Cell(difference, css="strong" if beyond(experiment, row) else ""),
                *(p_value(row[name]) for name in ("p_delong", "p_holm", "p_bootstrap")),
            ]
        )
    return Table(head, lines, numbers=range(5, 11))


def wilcoxon_table(experiment: Experiment) -> Table:
    """Table S5: every pair of inputs over the classifiers."""
    head = [
        "Outcome",
        "Cohort",
        "Input A",
        "Input B",
        "Median of A − B",
        "p",
        "Bonferroni",
        "Holm",
        "Benjamini–Hochberg",
    ]
    lines = [
        [
            experiment.title(row["outcome"]),
            row["cohort"],
            *(experiment.title(row[name]) for name in ("input_a", "input_b")),
            signed(row["median_difference"]),
            *(p_value(row[name]) for name in ("p", "p_bonferroni", "p_holm", "p_bh")),
        ]
        for row in experiment.tables.get("wilcoxon", ())
    ]
    return Table(head, lines, numbers=range(4, 9))


def sex_table(experiment: Experiment, *, complete: bool = False) -> Table:
    """Table S4: women against men, for the model chosen beforehand or for all."""
    head = ["Outcome", "Cohort", *(["Input", "Classifier"] if complete else []), "Women", "AUC of women", "Men",
            "AUC of men", "Difference", "p"]  # fmt: skip
    lines: list[Cells] = []
    for row in experiment.tables.get("sex", ()):
        if not complete and (row["input"], row["classifier"]) != experiment.chosen:
            continue
        cells = [experiment.title(row["outcome"]), row["cohort"]]
        if complete:
            cells += [experiment.title(row["input"]), experiment.title(row["classifier"])]
        for sex in ("female", "male"):
            cells += [number(row[f"n_{sex}"], 0), with_interval(row, f"auc_{sex}", f"low_{sex}", f"high_{sex}")]
        lines.append([*cells, signed(row["difference"]), p_value(row["p"])])
    return Table(head, lines, numbers=range(4 if complete else 2, len(head)))


def shap_table(experiment: Experiment) -> Table:
    """Figure 5 in numbers: mean |SHAP| of each group, and its share."""
    rows = experiment.tables.get("shap_groups", ())
    groups = list(dict.fromkeys(row["group"] for row in rows))
    lines: list[Cells] = []
    for outcome, title in experiment.outcomes.items():
        for kind, kind_title in experiment.classifiers.items():
            of_group = {row["group"]: row for row in rows if (row["outcome"], row["classifier"]) == (outcome, kind)}
            if of_group:
                lines.append([title, kind_title, *(_share(of_group.get(group)) for group in groups)])
    head = ["Outcome", "Classifier", *map(group_name, groups)]
    return Table(head, lines, numbers=range(2, len(head)))


def _share(row: Row | None) -> str:
    return f"{number(row['mean_abs_shap'], 4)} ({percent(row['share'])})" if row else DASH


def component_table(experiment: Experiment) -> Table:
    """What the components of radiomics are made of: their strongest features."""
    rows = [
        row
        for row in experiment.tables.get("components", ())
        if row["family"] == "radiomics" and is_number(row["rank"]) and row["rank"] <= _FEATURES
    ]
    lines: list[Cells] = []
    for component, features in _grouped(rows, "component"):
        strongest = sorted(features, key=lambda row: float(row["rank"]))
        named = "; ".join(f"{readable(row['feature'])} ({number(row['loading'], 2)})" for row in strongest)
        lines.append([component, named])
    return Table(["Component", "Strongest features (loading)"], lines)


def nmf_table(experiment: Experiment) -> Table:
    """The factorisations, one row per family: how many there were, their size, error and time."""
    lines: list[Cells] = []
    for family, rows in _grouped(experiment.tables.get("nmf", ()), "family"):
        lines.append(
            [
                group_name(family),
                str(len(rows)),
                _range(rows, "rows", 0),
                _range(rows, "columns", 0),
                _range(rows, "components", 0),
                _range(rows, "relative_error", 3),
                _range(rows, "iterations", 0),
                f"{number(sum(row['seconds'] for row in rows if is_number(row['seconds'])), 1)} s",
            ]
        )
    head = [
        "Family",
        "Factorisations",
        "Patients",
        "Columns",
        "Components",
        "Relative error",
        "Iterations",
        "Time in all",
    ]
    return Table(head, lines, numbers=range(1, 8))


def dropped_table(experiment: Experiment) -> Table:
    """Patients that were left out, with the reason."""
    rows = [list(map(str, row)) for row in experiment.about.get("dropped") or ()]
    return Table(["Cohort", "Patient", "Reason"], rows)


def note_table(experiment: Experiment) -> Table:
    """What was noted of single patients."""
    rows = [
        [cohort, case, " ".join(notes)]
        for cohort, cases in (experiment.about.get("notes") or {}).items()
        for case, notes in cases.items()
        if notes
    ]
    return Table(["Cohort", "Patient", "Notes"], rows)


def network_table(experiment: Experiment) -> Table:
    """Which networks gave the latents."""
    rows = [
        [
            {"encoder": "Segmentation encoder", "autoencoder": "VAE-GAN"}.get(role, role),
            str(network.get("name", "")),
            Cell(f"{str(network.get('sha256', ''))[:16]}…", css="code"),
            number(network.get("patients"), 0),
            number(network.get("latents"), 0),
            "synthetic" if network.get("synthetic") else "",
        ]
        for role, networks in (experiment.about.get("networks") or {}).items()
        for network in networks or ()
    ]
    return Table(["Role", "Network", "SHA-256", "Patients", "Latents", "Trained on"], rows, numbers=(3, 4))


def _range(rows: Sequence[Row], name: str, digits: int) -> str:
    values = [row[name] for row in rows if is_number(row[name])]
    if not values:
        return DASH
    low, high = number(min(values), digits), number(max(values), digits)
    return low if low == high else f"{low} to {high}"


def _grouped(rows: Iterable[Row], name: str) -> Iterable[tuple[str, list[Row]]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[name], []).append(row)
    return groups.items()
