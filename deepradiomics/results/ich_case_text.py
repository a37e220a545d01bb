"""The patient report's sections as HTML, in plain words; every text that comes from outside is escaped here."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.ich.cohort import title_of
from deepradiomics.ich.experiment_config import CLASSIFIER_TITLES, INPUT_TITLES
from deepradiomics.radiomics.catalogue import describe, label_of
from deepradiomics.results.column_titles import FEATURES, SHAP, value_with_unit
from deepradiomics.results.ich_case import CaseFolder
from deepradiomics.results.ich_folder import is_number
from deepradiomics.results.ich_text import details, software
from deepradiomics.results.ich_words import (
    LEAKING,
    RESEARCH,
    SYNTHETIC_CT,
    SYNTHETIC_MODEL,
    abc2_title,
    group_name,
    percent,
    readable,
)
from deepradiomics.results.lens_words import DASH, number, signed
from deepradiomics.results.report_text import outside_banner, table
from deepradiomics.words import OUTSIDE, count, made_up_sentence

_LESIONS = {
    "all": "All were taken together as one region.",
    "largest": "Features and risks are those of the largest.",
    "each": "Each was measured by itself.",
}
_SHOWN = ("shape", "firstorder")
_COMPONENTS = 10


def warning(case: CaseFolder) -> str:
    """The red box: leakage and a synthetic model first, then that this is for research only."""
    lines = []
    if case.leaking:
        lines.append(
            f"{LEAKING}: the model was fitted with latents of networks that had seen its patients; its calibration and "
            "its thresholds are too good."
        )
    if case.synthetic:
        lines.append(f"{SYNTHETIC_MODEL}: these risks demonstrate the software and mean nothing clinically.")
    if case.record.get("synthetic_image"):
        real = bool(case.record.get("real_head"))
        lines.append(made_up_sentence(True) if real else f"{SYNTHETIC_CT}: it shows nobody.")
    marked = "".join(f'<p class="synthetic">{escape(line)}</p>' for line in lines)
    return f"{marked}<p>{escape(RESEARCH)}</p>"


def notes(case: CaseFolder) -> str:
    """What was assumed or noticed on the way."""
    found = [str(one) for one in case.record.get("notes") or ()]
    if not found:
        return ""
    items = "".join(f"<li>{escape(one)}</li>" for one in found)
    return f'<div class="notes"><strong>Notes</strong><ul>{items}</ul></div>'


def risks(case: CaseFolder) -> str:
    """A row an outcome: the risk, the threshold, the base rate, and what became of training patients like this one.

    Outside the training cohort there is no side of the threshold, no red, and no patient like this one.
    """
    rows = []
    banner = outside_banner(case.record) if case.outside else ""
    for name, one in case.outcomes.items():
        side = "above" if one.get("positive") else "below"
        colour = "positive" if one.get("positive") else "negative"
        risk = percent(one["probability"], 1)
        if case.outside:
            side, colour = OUTSIDE, "outside"
        rows.append([
            escape(case.title(name)),
            f'<span class="outside">{risk}</span>' if case.outside else f"<strong>{risk}</strong>",
            f'<span class="{colour}">{side}</span><br><span class="small">{percent(one["threshold"], 1)}</span>',
            f'{percent(one["base_rate"], 1)}<br><span class="small">of {one["n_training"]} patients</span>',
            DASH if case.outside else _like(one),
        ])  # fmt: skip
    head = ["Outcome", "Risk", "Threshold", "Base rate", "Training patients with a risk like this"]
    return banner + table(head, rows, numbers=(1, 2, 3))


def _like(one: Mapping[str, Any]) -> str:
    """The calibration bin that the risk falls into, in words."""
    told = one.get("calibration") or {}
    bins, place = told.get("bins") or (), told.get("bin")
    if place is None or not 0 <= place < len(bins):
        return DASH
    own = bins[place]
    said = (
        f"of {own['n']} with a risk of about {percent(own['mean_predicted'])}, {percent(own['observed'])} "
        f"[{percent(own['low'])}, {percent(own['high'])}] had it"
    )
    means = [b["mean_predicted"] for b in bins]
    if not min(means) - 0.05 <= one["probability"] <= max(means) + 0.05:
        said += "; the risk lies beyond those of the training cohort's groups"
    return escape(said)


def risk_words(case: CaseFolder) -> str:
    """How the risks were made and how to read them."""
    bundle = case.record.get("bundle") or {}
    input_, kind = str(bundle.get("input", "")), str(bundle.get("classifier", ""))
    return escape(
        f"Model: {INPUT_TITLES.get(input_, input_)} with {CLASSIFIER_TITLES.get(kind, kind)}. The last column is the "
        "training cohort's calibration, from patients that their model had not seen: the group whose predicted risk is "
        "nearest to this patient's, and how many of it had the outcome, with Wilson's 95 % interval. A risk is of a "
        "group of patients like this one; it does not say what will happen to this one."
    )


def volumes(case: CaseFolder) -> str:
    """Haematoma, ABC/2 with its axes, ring, and each separate piece."""
    told = case.record.get("volumes") or {}
    axes = told.get("abc") or {}
    sides = " × ".join(f"{number(axes.get(f'{side}_mm'), 1)}" for side in "abc")
    rows = [
        ["Haematoma", f"{number(told.get('haematoma_ml'), 2)} mL", "counted in voxels"],
        [
            abc2_title(case.record),
            f"{number(told.get('abc2_ml'), 2)} mL",
            f"{sides} mm; the bedside estimate, beside it for comparison",
        ],
    ]
    if is_number(told.get("ring_ml")):
        rows.append(["Ring", f"{number(told['ring_ml'], 2)} mL", "between the haematoma and its dilation"])
    lesions = told.get("lesions") or ()
    if len(lesions) > 1:
        said = _LESIONS.get(str(case.record.get("lesions_policy")), "")
        rows += [[f"Haematoma {i}", f"{number(one.get('ml'), 2)} mL", escape(said) if i == 1 else ""]
                 for i, one in enumerate(lesions, start=1)]  # fmt: skip
    return table(["", "Volume", ""], rows, numbers=(1,))


def map_weights(case: CaseFolder) -> str:
    """How much of each outcome's map comes from which network; nothing when one network made them all."""
    groups = list(dict.fromkeys(group for one in case.outcomes.values() for group in one.get("gradcam") or {}))
    if len(groups) < 2:
        return ""
    rows = [
        [escape(case.title(name)), *(percent((one.get("gradcam") or {}).get(group)) for group in groups)]
        for name, one in case.outcomes.items()
    ]
    head = ["Weight in the map", *(escape(group_name(group)) for group in groups)]
    return table(head, rows, numbers=range(1, len(head)))


def followup(case: CaseFolder) -> str:
    """What the follow-up shows, or that there was none."""
    told = case.record.get("followup")
    if not told:
        return "<p>No follow-up CT was given: expansion was predicted, not measured.</p>"
    rows = [
        ["Follow-up", f"{number(told.get('followup_ml'), 2)} mL"],
        ["Expansion", f"{signed(told.get('expansion_ml'))} mL ({signed_percent(told.get('relative'))})"],
    ]
    labels = told.get("labels") or {}
    rows += [[escape(title_of(name)), "yes" if value else "no"] for name, value in labels.items()]
    return table(["Measured", ""], rows, numbers=(1,))


def signed_percent(value: Any) -> str:
    """A relative change as it is printed."""
    return f"{signed(100 * value, 2)} %" if is_number(value) else DASH


def sums(case: CaseFolder) -> str:
    """That base value and shares add up to the risk, an outcome a line."""
    lines = []
    for name, one in case.outcomes.items():
        total = sum(one["groups"].values())
        lines.append(
            f"{case.title(name)}: base value {number(one['base_value'])}, all shares {signed(total)}, risk "
            f"{number(one['probability'])}."
        )
    return "".join(f"<li>{escape(line)}</li>" for line in lines)


def component_tables(case: CaseFolder) -> str:
    """The components with the largest shares, an outcome a table."""
    parts = []
    for name in case.outcomes:
        rows = sorted((r for r in case.shap if r["outcome"] == name), key=lambda r: -abs(r["shap"]))[:_COMPONENTS]
        cells = [[escape(group_name(r["group"])), escape(readable(r["label"])), number(r["value"]), signed(r["shap"])]
                 for r in rows]  # fmt: skip
        head = [SHAP[name] for name in ("group", "label", "value", "shap")]
        parts.append(f"<h4>{escape(case.title(name))}</h4>{table(head, cells, numbers=(2, 3))}")
    return "\n".join(parts)


def features(case: CaseFolder) -> str:
    """Shape and first-order features of the unfiltered CT; how many others there are."""
    rows = []
    for row in case.features:
        if row["family"] not in _SHOWN or not str(row["feature"]).startswith("original_"):
            continue
        try:
            name, words = label_of(row["feature"]), describe(row["feature"])
        except InputError:
            name, words = row["feature"], ""
        value = row["value"]
        shown = "not defined"
        if is_number(value):
            shown = escape(value_with_unit(str(row["feature"]), f"{value:.5g}".replace("-", "−")))
        rows.append([f'{escape(name)}<br><span class="small">{escape(words)}</span>', shown])
    if not rows:
        return f"<p>{count(len(case.features), 'feature')} in features.csv.</p>"
    left = len(case.features) - len(rows)
    more = f"<p>{count(left, 'other feature')} (texture, filtered images) in features.csv.</p>" if left else ""
    return (
        details(
            "Shape and grey levels of the haematoma",
            table([FEATURES["feature"], FEATURES["value"]], rows, numbers=(1,)),
        )
        + more
    )


def provenance(case: CaseFolder) -> str:
    """Inputs, model, versions."""
    record = case.record
    bundle = record.get("bundle") or {}
    items = [
        ("Model", bundle.get("name")), ("Model SHA-256", bundle.get("sha256")), ("Command", record.get("command")),
        ("Created", record.get("created")), ("Software", software(record)),
        ("Device", record.get("device")),
    ]  # fmt: skip
    items += [(str(name).upper() if name == "ct" else str(name).capitalize(), _plain(one))
              for name, one in (record.get("inputs") or {}).items()]  # fmt: skip
    listed = "".join(f"<dt>{escape(n)}</dt><dd>{escape(str(v))}</dd>" for n, v in items if v not in (None, ""))
    return f"<dl>{listed}</dl>"


def _plain(value: Any) -> str:
    """A value of the record in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(one)}" for name, one in value.items() if one not in (None, ""))
    if isinstance(value, list | tuple):
        return " × ".join(f"{one:g}" if isinstance(one, float) else str(one) for one in value)
    return "" if value is None else str(value)
