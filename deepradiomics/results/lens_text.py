"""The lens report's sections as HTML, in plain words; every text that comes from outside is escaped here."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import numpy as np

from deepradiomics.lens.readings import EXPLAINED, IMPORTANCE, READINGS, Reading
from deepradiomics.lens.result import LensResult, Row
from deepradiomics.results.lens_agreement import agreement
from deepradiomics.results.lens_figures import GROUPS, group_title
from deepradiomics.results.lens_words import (
    DASH,
    NOISE_LEVEL,
    VARIANTS,
    beyond_noise,
    family_name,
    feature_name,
    interval,
    modality_name,
    number,
    p_value,
    signed,
    words_of,
)
from deepradiomics.results.report_text import table

Section = Callable[[LensResult], str]
_LISTED = 50  # rows of features left out; all of them stand in dropped.csv

READING = """<dl>
<dt>Importance I</dt><dd>Each feature is computed from the embedding by a weighted sum; I is the length of its list of
weights. A larger I says that the feature answers more steeply to the embedding. It does not say that the encoder uses
the feature for its task, nor that the feature is predicted well (that is R²), nor that it has to do with disease.</dd>
<dt>Shift ΔI</dt><dd>I after minus I before fine-tuning. Positive: the feature gained weight in the embedding; negative:
it lost. ΔI also moves when the embedding merely becomes larger or smaller, and by chance: see the variants, the
intervals and the permutation null below.</dd>
<dt>Explained spread E</dt><dd>How much of the feature's variation between training patients the weighted sum follows,
as a standard deviation, with what noise alone would give taken out: 1 all of it, 0 nothing. E does not move when the
embedding merely becomes larger, smaller or is turned.</dd>
<dt>Shift ΔE</dt><dd>E after minus E before fine-tuning. Positive: more of the feature can be read from the embedding
than before; negative: less.</dd>
<dt>R²</dt><dd>Share of a feature's variation between test patients that the embedding predicts: 1 all of it, 0 no more
than the mean tells, below 0 worse than the mean. A feature can gain importance while its R² falls.</dd>
<dt>MSE</dt><dd>Mean squared error of that prediction, in squared standard deviations of the feature; lower is better.
After fine-tuning it often rises: an encoder specialised for a task may drop what the task does not need.</dd>
</dl>
<p>Radiomic features are correlated with each other: neighbours in these lists often say the same thing. A feature that
moves with fine-tuning is a description of the encoder, not evidence of a biological cause.</p>"""

NOISE = """<p>Two checks, both beyond the paper's method. The <strong>bootstrap interval</strong> says where ΔI of
another cohort of this size would lie, the shared layer held fixed. The <strong>permutation null</strong> exchanges the
embeddings before and after fine-tuning of randomly chosen patients and fits everything again: it says which shifts
arise when "before" and "after" are only names. p is the probability of a shift at least as far from what the null
expects; q is p adjusted for the number of features (Benjamini and Hochberg: of those with q &lt; 0.05 about one in
twenty is false); the family-wise p guards against even one false mark.</p>"""

BIASES = """<p>ΔI depends on two choices: which embeddings the shared layer is trained on, for it favours those, and the
scale of the embeddings. So ΔI is computed in other ways as well. A shift that all of them agree on is no artefact of
these choices; where they disagree, trust it less.</p>"""

NO_EVALUATION = """<p>No downstream performance was given, so that nothing here says whether fine-tuning made the
encoder better at its task. <code>lens fit --finetune RUN</code> takes it from a run of
<code>deepradiomics finetune</code>.</p>"""


def warning(results: Sequence[LensResult]) -> str:
    """The red box: synthetic data first, then that this is for research only."""
    lines = ["Research use only; not a medical device. Not for diagnosis or treatment."]
    synthetic = [result.task for result in results if result.about.get("synthetic")]
    marked = ""
    if synthetic:
        which = "" if len(synthetic) == len(results) else f" ({', '.join(synthetic)})"
        words = f"SYNTHETIC DATA{which}: these numbers demonstrate the software and mean nothing clinically."
        marked = f'<p class="synthetic">{escape(words)}</p>'
    return marked + "".join(f"<p>{escape(line)}</p>" for line in lines)


def compared(results: Sequence[LensResult], labels: Sequence[str]) -> str:
    """A row a task: encoders, modalities, region, patients, features."""
    rows = []
    for result, label in zip(results, labels, strict=True):
        about, counts = result.about, result.about.get("counts") or {}
        encoders = about.get("encoders") or {}
        patients = ", ".join(f"{counts[part]} {part}" for part in ("train", "validation", "test") if part in counts)
        rows.append(
            [
                escape(label), *(_encoder(encoders.get(stage) or {}) for stage in ("pre", "ft")),
                escape(", ".join(modality_name(one) for one in result.modalities)), _roi(about),
                escape(patients), str(len(result.shift)),
            ]
        )  # fmt: skip
    head = ["Task", "Encoder before", "Encoder after", "Modalities", "Region", "Patients or scans", "Features"]
    return table(head, rows, numbers=(6,))


def notes(result: LensResult) -> str:
    """Leakage first, then every warning of the fit."""
    leakage = result.about.get("leakage")
    lines = [f"<strong>What the encoders had seen.</strong> {escape(str(leakage))}"] if leakage else []
    lines += [escape(line) for line in as_lines(result.about.get("warnings"))]
    if not lines:
        return "<p>None.</p>"
    return f'<div class="notes"><ul>{"".join(f"<li>{line}</li>" for line in lines)}</ul></div>'


def summary(result: LensResult) -> str:
    """What happened, in a few sentences of numbers."""
    text = ""
    for by in READINGS:
        moved = np.array([row[by.delta] for row in result.shift])
        text += (
            f"Of {len(moved)} features, {int((moved > 0).sum())} gained and {int((moved < 0).sum())} lost {by.words}"
        )
        if result.has_null:
            beyond = np.array([bool(beyond_noise(row, by)) for row in result.shift])
            text += f"; beyond the permutation null {int((beyond & (moved > 0)).sum())} gained and "
            text += f"{int((beyond & (moved < 0)).sum())} lost"
        text += ". "
    groups = _group_means(result)
    if len(groups) > 1:
        (most, gain), (least, loss) = max(groups.items(), key=_second), min(groups.items(), key=_second)
        text += f"By family and modality, mean ΔI is largest for {most} ({signed(gain)}) and smallest for {least} "
        text += f"({signed(loss)}). "
    means = [number(float(np.nanmean([row[f"r2_{stage}"] for row in result.shift]))) for stage in ("pre", "ft")]
    return f"<p>{escape(text)}Mean R² over all features went from {means[0]} to {means[1]}.</p>"


def belief(result: LensResult) -> str:
    """Which of the two readings to believe."""
    if result.doubt:
        return f'<div class="notes"><p><strong>{escape(result.doubt)}</strong></p></div>'
    return (
        "<p>Importances before and after are of one size and noise is less than half of them: ΔI can be read. Believe "
        "a feature most where ΔI and ΔE move the same way; where they do not, ΔE is the one that follows neither the "
        "size nor the axes of the embeddings.</p>"
    )


def picked_tables(result: LensResult, by: Reading = IMPORTANCE) -> str:
    """Top, bottom and stable features with their numbers and what they measure."""
    parts = []
    for group in GROUPS:
        rows = result.picked(group, by)
        if rows:
            parts.append(f"<h5>{escape(group_title(group, rows, by))}</h5>{_feature_table(rows, by)}")
    return "\n".join(parts)


def noise(result: LensResult) -> str:
    """How many shifts stand out of interval and null."""
    rows = result.shift
    lines = []
    if any(np.isfinite(row["delta_i_low"]) for row in rows):
        clear = [
            f"{sum(row[f'{by.delta}_low'] > 0 or row[f'{by.delta}_high'] < 0 for row in rows)} of {by.shift}"
            for by in READINGS
        ]
        lines.append(
            f"Of the 95 % bootstrap intervals of {len(rows)} features, {' and '.join(clear)} do not hold 0 (one "
            "feature at a time, not adjusted for their number)."
        )
    else:
        lines.append("No bootstrap intervals were computed.")
    if result.has_null:
        few = _few_permutations(int((result.about.get("config") or {}).get("permutations") or 0), len(rows))
        for by in READINGS:
            by_q = sum(bool(beyond_noise(row, by)) for row in rows)
            by_p = sum(row[by.p] < NOISE_LEVEL for row in rows)
            by_family = sum(row[by.p_family] < NOISE_LEVEL for row in rows)
            lines.append(
                f"Permutation null of {by.shift}: {by_q} of {len(rows)} features at q < {NOISE_LEVEL:g}; {by_family} "
                f"at a family-wise p < {NOISE_LEVEL:g}. Unadjusted, {by_p} have p < {NOISE_LEVEL:g}; by chance alone "
                f"about {NOISE_LEVEL * len(rows):.0f} would."
            )
            if not by_q:
                none = f"No {by.shift} is more than noise by this test: read its lists above as such."
                some = (
                    f"No {by.shift} reaches that q; those with a small family-wise p are more than noise all the same."
                )
                lines.append((some if by_family else none) + few)
    else:
        lines.append(
            "No permutation null was computed: which shifts are more than noise is not known. "
            "`lens fit --permutations 200` computes it."
        )
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _few_permutations(count: int, features: int) -> str:
    """What q could not have shown: the smallest p is 1 / (count + 1), and q is p × features / place."""
    needed = int(features / (NOISE_LEVEL * (count + 1))) + 1
    if not count or needed < 2:
        return ""
    return (
        f" But with {count} permutations q < {NOISE_LEVEL:g} takes {needed} features at once with the smallest p there "
        f"is, {1 / (count + 1):.2g}: more permutations may tell more."
    )


def variants(result: LensResult) -> str:
    """How far the other ways to compute ΔI agree with it, over all features and for those picked."""
    rows = []
    for column, words in VARIANTS.items():
        found = agreement(result.shift, column)
        if found is not None:
            rows.append(
                [escape(words), number(found.rank_correlation), f"{100 * found.same_sign:.0f} %".replace("nan %", DASH),
                 f"{found.shared_top} of {found.extremes}", f"{found.shared_bottom} of {found.extremes}"]
            )  # fmt: skip
    remarks = "".join(f"<li>{escape(line)}</li>" for line in as_lines(result.about.get("controls")))
    remarks = f"<ul>{remarks}</ul>" if remarks else ""
    if not rows:
        return f"<p>The variants were not computed.</p>{remarks}"
    head = ["Instead of ΔI", "Rank correlation with ΔI", "Same sign", "Largest ΔI in common",
            "Smallest ΔI in common"]  # fmt: skip
    columns = ["delta_i", *(one for one in VARIANTS if any(np.isfinite(row[one]) for row in result.shift))]
    short = {"delta_i": "ΔI", "delta_i_standardised": "standardised", "delta_i_fit_ft": "fit on fine-tuned",
             "delta_i_fit_both": "fit on both", "delta_explained": "ΔE"}  # fmt: skip
    picked = [row for group in GROUPS for row in result.picked(group)]
    listed = [
        [
            escape(f"{modality_name(row['modality'])}: {feature_name(row['feature'])}"),
            *(signed(row[c]) for c in columns),
        ]
        for row in picked
    ]
    detail = table(["Feature", *(short[c] for c in columns)], listed, numbers=range(1, len(columns) + 1))
    more = f"<details><summary>The picked features, each way</summary>{detail}</details>"
    return table(head, rows, numbers=(1, 2, 3, 4)) + remarks + more


def dropped(result: LensResult) -> str:
    """Cases and features that were left out, with the reason."""
    cases = [[escape(str(one.get("id"))), escape(str(one.get("reason", "")))] for one in _dropped_cases(result)]
    parts = [f"<p>Cases left out: {len(cases) or 'none'}.</p>"]
    if cases:
        parts.append(table(["Case", "Reason"], cases[:_LISTED]))
    rows = result.dropped
    parts.append(f"<p>Features left out: {len(rows) or 'none'}.</p>")
    if rows:
        columns = list(rows[0])
        parts.append(
            table(
                [escape(c.capitalize()) for c in columns],
                [[escape(str(r[c])) for c in columns] for r in rows[:_LISTED]],
            )
        )
    if max(len(rows), len(cases)) > _LISTED:
        parts.append(f"<p>The first {_LISTED} are shown; dropped.csv and lens.json list all.</p>")
    return "".join(parts)


def provenance(result: LensResult) -> str:
    """Command, seed, versions, encoders and settings."""
    about = result.about
    software = ", ".join(f"{name} {version}" for name, version in (about.get("software") or {}).items())
    items = [("Command", about.get("command")), ("Seed", about.get("seed")), ("Created", about.get("created")),
             ("Software", software)]  # fmt: skip
    for stage, name in (("pre", "Encoder before"), ("ft", "Encoder after")):
        encoder = (about.get("encoders") or {}).get(stage) or {}
        # Plain facts only: an encoder trained here also carries a mark of every case that it learned from.
        plain = {key: value for key, value in encoder.items() if isinstance(value, str | int | float) and value != ""}
        items.append((name, ", ".join(f"{key}: {value}" for key, value in plain.items())))
    listed = "".join(f"<dt>{escape(n)}</dt><dd>{escape(str(v))}</dd>" for n, v in items if v not in (None, ""))
    settings = escape(json.dumps(about.get("config") or {}, indent=1, ensure_ascii=False))
    return f"<dl>{listed}</dl><details><summary>Settings</summary><pre>{settings}</pre></details>"


def as_lines(value: Any) -> list[str]:
    """Sentences of a JSON value: one text, a list of texts, or texts by name."""
    if not value:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [f"{name}: {one}" for name, one in value.items()]
    return [str(one) for one in value]


def _feature_table(rows: Sequence[Row], by: Reading) -> str:
    lines = []
    for row in rows:
        words = words_of(row["feature"])
        said = f'<br><span class="small">{escape(words.text)}</span>' if words else ""
        beyond = {True: "yes", False: "no", None: DASH}[beyond_noise(row, by)]
        other = EXPLAINED if by == IMPORTANCE else IMPORTANCE
        lines.append(
            [
                escape(modality_name(row["modality"])),
                f"{escape(feature_name(row['feature']))}{said}<br><code>{escape(row['feature'])}</code>",
                f"{number(row[by.before])} → {number(row[by.after])}",
                f'{signed(row[by.delta])}<br><span class="small">{interval(row, by.delta)}</span>',
                f'{beyond}<br><span class="small">q {p_value(row[by.q])}</span>',
                signed(row[other.delta]),
                f"{number(row['r2_pre'], 2)} → {number(row['r2_ft'], 2)}",
            ]
        )
    head = ["Modality", "Feature", f"{by.symbol} before → after", f"{by.shift} [95 % interval]", "Beyond noise",
            "ΔE" if by == IMPORTANCE else "ΔI", "R² before → after"]  # fmt: skip
    return table(head, lines, numbers=(2, 3, 4, 5, 6))


def _group_means(result: LensResult) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for row in result.shift:
        found.setdefault(f"{modality_name(row['modality'])} {family_name(row['family'])}", []).append(row["delta_i"])
    return {name: float(np.mean(values)) for name, values in found.items()}


def _second(item: tuple[str, float]) -> float:
    return item[1]


def _dropped_cases(result: LensResult) -> list[dict[str, Any]]:
    return list(result.about.get("dropped_cases") or [])


def _encoder(encoder: dict[str, Any]) -> str:
    name = escape(str(encoder.get("name") or DASH))
    made = encoder.get("architecture") or ""
    more = [
        " ".join(str(made[key]) for key in ("name", "size") if key in made) if isinstance(made, dict) else str(made)
    ]
    more += [f"{str(encoder[key])[:12]}…" for key in ("hash", "sha256") if encoder.get(key)][:1]
    more = [text for text in more if text]
    return name + (f'<br><span class="small">{escape(", ".join(more))}</span>' if more else "")


def _roi(about: Any) -> str:
    roi = str(about.get("roi") or DASH)
    return escape(f"{roi} (not a reader's contour)" if roi == "ellipsoid" else roi)
