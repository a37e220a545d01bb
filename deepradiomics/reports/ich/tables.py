"""The experiment's tables as HTML, in the form of the paper's: table 1, S2 to S5, and those beside them.

Everything is taken from the CSV files of the folder; nothing is computed here but shares, ranges and sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from deepradiomics.results.ich_figures import beyond
from deepradiomics.results.ich_folder import Experiment, Row, is_number
from deepradiomics.results.ich_words import group_name, percent, readable, with_interval
from deepradiomics.results.lens_words import DASH, number, p_value, signed
from deepradiomics.results.report_text import table
from deepradiomics.words import count

_RATES = {"f1": "F1", "sensitivity": "Sensitivity", "specificity": "Specificity", "ppv": "PPV", "npv": "NPV"}
_FEATURES = 3  # of a component


def outcome_table(experiment: Experiment) -> str:
    """How many patients of each cohort had each outcome."""
    rows = []
    told = {one["name"]: one for one in experiment.about.get("outcomes") or ()}
    parts = [part for part in ("training", "external") if any((one or {}).get(part) for one in told.values())]
    for name, title in experiment.outcomes.items():
        rows.append([escape(title), *(_positives((told.get(name) or {}).get(part)) for part in parts)])
    return table(["Outcome", *(part.capitalize() for part in parts)], rows, numbers=range(1, len(parts) + 1))


def _positives(counts: Mapping[str, int] | None) -> str:
    if not counts:
        return DASH
    n, positives = counts["n"], counts["positives"]
    return f"{positives} of {n} ({percent(positives / n, 1) if n else DASH})"


def cohort_table(experiment: Experiment) -> str:
    """Table 1: the cohorts side by side."""
    rows = experiment.tables.get("cohort", ())
    if not rows:
        return "<p>The cohorts were not described.</p>"
    outside = any(row["external"] for row in rows)
    lines, last = [], ""
    for row in rows:
        cells = [escape(row["variable"]) if row["variable"] != last else "", escape(row["level"]),
                 escape(row["training"]) or DASH]  # fmt: skip
        last = row["variable"]
        if outside:
            cells += [escape(row["external"]) or DASH, p_cell(row["p"]), escape(row["test"])]
        lines.append(cells)
    head = ["", "", "Training", *(["External", "p", "Test"] if outside else [])]
    return table(head, lines, numbers=(2, 3, 4) if outside else (2,))


def auc_table(experiment: Experiment) -> str:
    """AUC of every input and classifier: mean ± SD over folds, below it the external one with its interval."""
    outside = "external" in experiment.cohorts
    lines = []
    for input_, title in experiment.inputs.items():
        for kind, kind_title in experiment.classifiers.items():
            cells = []
            for outcome in experiment.outcomes:
                row = experiment.row("summary", outcome=outcome, input=input_, classifier=kind)
                cell = f"{number(row.get('auc_mean'))} ± {number(row.get('auc_sd'))}" if row else DASH
                if row and outside:
                    below = with_interval(row, "external_auc", "external_low", "external_high")
                    cell += f'<br><span class="small">{below}</span>'
                cells.append(cell)
            if any(cell != DASH for cell in cells):
                lines.append([escape(title), escape(kind_title), *cells])
    head = ["Input", "Classifier", *map(escape, experiment.outcomes.values())]
    below = "; below it the external cohort with its 95 % interval (DeLong)" if outside else ""
    note = f'<p class="small">Validation: mean ± SD over the folds{below}.</p>'
    return table(head, lines, numbers=range(2, len(head))) + note


def score_table(experiment: Experiment, outcome: str) -> str:
    """Table S2 of one outcome: every number of every cell; validation as mean ± SD over folds, interval of all."""
    head = ["Input", "Classifier", "Cohort", "n (positive)", "AUC [95 % interval]", "AUC of folds", *_RATES.values(),
            "Brier", "Threshold"]  # fmt: skip
    columns = (*_RATES, "brier", "threshold")
    lines = []
    for input_, title in experiment.inputs.items():
        for kind, kind_title in experiment.classifiers.items():
            for cohort in experiment.cohorts:
                whole = experiment.cell(outcome, input_, kind, cohort)
                if not whole:
                    continue
                mean, sd = ({}, {}) if cohort == "external" else (
                    experiment.cell(outcome, input_, kind, cohort, fold) for fold in ("mean", "sd")
                )  # fmt: skip
                lines.append([
                    escape(title), escape(kind_title), escape(cohort), f"{whole['n']:.0f} ({whole['positives']:.0f})",
                    with_interval(whole), _spread(mean, sd, "auc") if mean else DASH,
                    *(_spread(mean, sd, name) if mean else number(whole.get(name), 2) for name in columns),
                ])  # fmt: skip
    return table(head, lines, numbers=range(3, len(head)))


def _spread(mean: Row, sd: Row, name: str) -> str:
    shown = number(mean.get(name), 2)
    return f'{shown}<br><span class="small">± {number(sd.get(name), 2)}</span>' if is_number(sd.get(name)) else shown


def threshold_table(experiment: Experiment) -> str:
    """The model chosen beforehand at its thresholds: rates in validation and outside."""
    input_, kind = experiment.chosen
    head = ["Outcome", "Cohort", "Threshold", "AUC [95 % interval]", *_RATES.values(), "Brier"]
    lines = []
    for outcome, title in experiment.outcomes.items():
        for cohort in experiment.cohorts:
            row = experiment.cell(outcome, input_, kind, cohort)
            if row:
                lines.append([
                    escape(title), escape(cohort), _thresholds(experiment, outcome, cohort, row), with_interval(row),
                    *(number(row.get(name), 2) for name in _RATES), number(row.get("brier")),
                ])  # fmt: skip
    return table(head, lines, numbers=range(2, len(head))) if lines else "<p>No model was named beforehand.</p>"


def _thresholds(experiment: Experiment, outcome: str, cohort: str, whole: Row) -> str:
    """The threshold; in validation each fold has its own, so their range."""
    if cohort == "external":
        return number(whole.get("threshold"))
    rows = experiment.rows("cells", outcome=outcome, cohort=cohort, input=experiment.chosen[0],
                           classifier=experiment.chosen[1])  # fmt: skip
    values = [row["threshold"] for row in rows if row["fold"].isdigit() and is_number(row["threshold"])]
    if not values:
        return number(whole.get("threshold"))
    low, high = number(min(values)), number(max(values))
    return low if low == high else f"{low} to {high}"


def difference_table(experiment: Experiment, pair: tuple[str, str] | None = None) -> str:
    """Table S3: paired differences of AUC; those of an input and its reference, or all of them."""
    head = ["Outcome", "Cohort", "Classifier", "Input", "Against", "AUC", "AUC of the other",
            "Difference [95 % interval]", "p (DeLong)", "p (Holm)", "p (bootstrap)"]  # fmt: skip
    lines = []
    for row in experiment.tables.get("differences", ()):
        if pair is not None and (row["input"], row["reference"]) != pair:
            continue
        shown = f"{signed(row['difference'])} [{signed(row['low'])}, {signed(row['high'])}]"
        shown = f"<strong>{shown}</strong>" if beyond(experiment, row) else shown
        lines.append([
            escape(experiment.title(row["outcome"])), escape(row["cohort"]),
            escape(experiment.title(row["classifier"])),
            escape(experiment.title(row["input"])),
            escape(experiment.title(row["reference"])),
            number(row["auc"]), number(row["auc_reference"]), shown,
            p_cell(row["p_delong"]), p_cell(row["p_holm"]), p_cell(row["p_bootstrap"]),
        ])  # fmt: skip
    return table(head, lines, numbers=range(5, 11)) if lines else ""


def wilcoxon_table(experiment: Experiment) -> str:
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
            escape(experiment.title(row["outcome"])), escape(row["cohort"]),
            *(escape(experiment.title(row[name])) for name in ("input_a", "input_b")),
            signed(row["median_difference"]), *(p_cell(row[name]) for name in ("p", "p_bonferroni", "p_holm", "p_bh")),
        ]
        for row in experiment.tables.get("wilcoxon", ())
    ]  # fmt: skip
    return table(head, lines, numbers=range(4, 9)) if lines else ""


def sex_table(experiment: Experiment, *, complete: bool = False) -> str:
    """Table S4: women against men, for the model chosen beforehand or for all."""
    head = ["Outcome", "Cohort", *(["Input", "Classifier"] if complete else []), "Women", "AUC of women", "Men",
            "AUC of men", "Difference", "p"]  # fmt: skip
    lines = []
    for row in experiment.tables.get("sex", ()):
        if not complete and (row["input"], row["classifier"]) != experiment.chosen:
            continue
        cells = [escape(experiment.title(row["outcome"])), escape(row["cohort"])]
        if complete:
            cells += [escape(experiment.title(row["input"])),
                      escape(experiment.title(row["classifier"]))]  # fmt: skip
        for sex in ("female", "male"):
            cells += [number(row[f"n_{sex}"], 0), with_interval(row, f"auc_{sex}", f"low_{sex}", f"high_{sex}")]
        lines.append([*cells, signed(row["difference"]), p_cell(row["p"])])
    return table(head, lines, numbers=range(4 if complete else 2, len(head))) if lines else ""


def shap_table(experiment: Experiment) -> str:
    """Figure 5 in numbers: mean |SHAP| of each group, and its share."""
    rows = experiment.tables.get("shap_groups", ())
    groups = list(dict.fromkeys(row["group"] for row in rows))
    lines = []
    for outcome, title in experiment.outcomes.items():
        for kind, kind_title in experiment.classifiers.items():
            found = {row["group"]: row for row in rows if (row["outcome"], row["classifier"]) == (outcome, kind)}
            if found:
                lines.append([escape(title), escape(kind_title), *(
                    f"{number(found[g]['mean_abs_shap'], 4)} ({percent(found[g]['share'])})" if g in found else DASH
                    for g in groups)])  # fmt: skip
    head = ["Outcome", "Classifier", *(escape(group_name(group)) for group in groups)]
    return table(head, lines, numbers=range(2, len(head))) if lines else ""


def component_table(experiment: Experiment) -> str:
    """What the components of radiomics are made of: their strongest features."""
    found: dict[str, list[Row]] = {}
    for row in experiment.tables.get("components", ()):
        if row["family"] == "radiomics" and is_number(row["rank"]) and row["rank"] <= _FEATURES:
            found.setdefault(row["component"], []).append(row)
    lines = [
        [
            escape(component),
            escape(
                "; ".join(
                    f"{readable(row['feature'])} ({number(row['loading'], 2)})" for row in sorted(rows, key=_rank)
                )
            ),
        ]
        for component, rows in found.items()
    ]
    return table(["Component", "Strongest features (loading)"], lines) if lines else ""


def _rank(row: Row) -> float:
    return float(row["rank"])


def nmf_table(experiment: Experiment) -> str:
    """The factorisations, a row a family: how many there were, their size, error and time."""
    lines = []
    for family, rows in _grouped(experiment.tables.get("nmf", ()), "family"):
        lines.append([
            escape(group_name(family)), str(len(rows)), _range(rows, "rows", 0), _range(rows, "columns", 0),
            _range(rows, "components", 0), _range(rows, "relative_error", 3), _range(rows, "iterations", 0),
            f"{number(sum(row['seconds'] for row in rows if is_number(row['seconds'])), 1)} s",
        ])  # fmt: skip
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
    return table(head, lines, numbers=range(1, 8)) if lines else "<p>No input was factorised.</p>"


def dropped_table(experiment: Experiment) -> str:
    """Patients that were left out, with the reason."""
    rows = [[escape(str(cell)) for cell in one] for one in experiment.about.get("dropped") or ()]
    if not rows:
        return "<p>None: every patient of the manifests was used.</p>"
    return f"<p>{count(len(rows), 'patient')} left out.</p>{table(['Cohort', 'Patient', 'Reason'], rows)}"


def p_cell(value: object) -> str:
    """A probability as it is printed in a cell."""
    return escape(p_value(value))


def _range(rows: Sequence[Row], name: str, digits: int) -> str:
    values = [row[name] for row in rows if is_number(row[name])]
    if not values:
        return DASH
    low, high = number(min(values), digits), number(max(values), digits)
    return low if low == high else f"{low} to {high}"


def _grouped(rows: Iterable[Row], name: str) -> Iterable[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[name], []).append(row)
    return found.items()
