"""The lens report's sections as HTML, in plain words; every text that comes from outside is escaped here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from deepradiomics.lens.readings import EXPLAINED, IMPORTANCE, Reading
from deepradiomics.lens.result import LensResult, Row
from deepradiomics.results.lens_agreement import Agreement, agreement, share_words
from deepradiomics.results.lens_encoders import encoder_remarks, told
from deepradiomics.results.lens_figures import GROUPS, group_title
from deepradiomics.results.lens_words import (
    DASH,
    DIFFERS,
    NULL_LEVEL,
    SHOWN_ORDER,
    VARIANTS,
    differs,
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
_SAME_ORDER = 0.5  # rank correlation above which the order of the features is said to hold
_LISTED = 50  # rows of features left out; all of them stand in dropped.csv

READING = """<dl>
<dt>Explained spread E</dt><dd>Each feature is computed from the embedding by a weighted sum. E is how much of the
feature's variation between training patients that sum follows, as a standard deviation, with what noise alone would
give taken out: 1 all of it, 0 nothing. E does not move when the embedding merely becomes larger, smaller or is
turned.</dd>
<dt>Shift ΔE</dt><dd>E after minus E before fine-tuning. Positive: more of the feature can be read from the embedding
than before; negative: less. It comes first on this page: where changes were planted it told strengthened features from
weakened ones, and it comes out alike when the lens is fitted with another seed. ΔI does neither reliably.</dd>
<dt>Importance I</dt><dd>The paper's number: the length of the list of weights of that sum. A larger I says that the
feature answers more steeply to the embedding. It does not say that the encoder uses the feature for its task, nor that
the feature is predicted well (that is R²), nor that it has to do with disease.</dd>
<dt>Shift ΔI</dt><dd>I after minus I before fine-tuning. ΔI also moves when the embedding merely becomes larger or
smaller, and by chance: see the variants, the intervals and the permutation null below.</dd>
<dt>R²</dt><dd>Share of a feature's variation between test patients that the embedding predicts: 1 all of it, 0 no more
than the mean tells, below 0 worse than the mean. A feature can gain importance while its R² falls.</dd>
<dt>MSE</dt><dd>Mean squared error of that prediction, in squared standard deviations of the feature; lower is better.
After fine-tuning it often rises: an encoder specialised for a task may drop what the task does not need.</dd>
</dl>
<p>Radiomic features are correlated with each other: neighbours in these lists often say the same thing. A feature that
moves with fine-tuning is a description of the encoder, not evidence of a biological cause.</p>"""

NOISE = """<p>Two checks, both beyond the paper's method. The <strong>bootstrap interval</strong> says where the shift
of another cohort of this size would lie, the shared layer held fixed. The <strong>permutation null</strong> exchanges
the embeddings before and after fine-tuning of randomly chosen patients and fits everything again: it says which shifts
arise when "before" and "after" are only names. p is the probability of a shift at least as far from what the null
expects; q is p adjusted for the number of features (Benjamini and Hochberg); the family-wise p is adjusted for the
largest of all shifts. What is rejected is that the two encoders may be exchanged <em>as a whole</em>: a small q says
that the feature's shift differs between the two encoders, not that this feature, rather than the size or the axes of
the embeddings, has changed.</p>"""

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
    """Leakage first, then what speaks against the encoders, then every warning of the fit."""
    leakage = result.about.get("leakage")
    lines = [f"<strong>What the encoders had seen.</strong> {escape(str(leakage))}"] if leakage else []
    lines += [escape(line) for line in encoder_remarks(result)]
    lines += [escape(line) for line in as_lines(result.about.get("warnings"))]
    if not lines:
        return "<p>None.</p>"
    return f'<div class="notes"><ul>{"".join(f"<li>{line}</li>" for line in lines)}</ul></div>'


def summary(result: LensResult) -> str:
    """What happened, in a few sentences of numbers."""
    text = ""
    for by in SHOWN_ORDER:
        moved = np.array([row[by.delta] for row in result.shift])
        gained, lost = int((moved > 0).sum()), int((moved < 0).sum())
        if by == EXPLAINED:
            text += (
                f"Of {len(moved)} features, more of {gained} can be read after fine-tuning than before (ΔE above 0) "
            )
            text += f"and less of {lost}"
        else:
            text += f"By the paper's ΔI, {gained} are above 0 and {lost} below"
        if result.has_null:
            apart = np.array([bool(differs(row, by)) for row in result.shift])
            text += (
                f"; {by.shift} of {int((apart & (moved > 0)).sum())} and {int((apart & (moved < 0)).sum())} of them "
            )
            text += DIFFERS
        text += ". "
    groups = _group_means(result)
    if len(groups) > 1:
        (most, gain), (least, loss) = max(groups.items(), key=_second), min(groups.items(), key=_second)
        text += f"By family and modality, mean ΔE is largest for {most} ({signed(gain)}) and smallest for {least} "
        text += f"({signed(loss)}). "
    means = [number(float(np.nanmean([row[f"r2_{stage}"] for row in result.shift]))) for stage in ("pre", "ft")]
    return f"<p>{escape(text)}Mean R² over all features went from {means[0]} to {means[1]}.</p>"


def belief(result: LensResult) -> str:
    """Which of the two readings to believe."""
    if result.doubt:
        return f'<div class="notes"><p><strong>{escape(result.doubt)}</strong></p></div>'
    return (
        "<p>The explained spread comes first, the paper's importance beside it. Importances before and after are of "
        "one size and noise is less than half of them: ΔI can be read. Believe a feature most where ΔE and ΔI move the "
        "same way; where they do not, ΔE is the one that follows neither the size nor the axes of the embeddings.</p>"
    )


def reading_head(result: LensResult, by: Reading) -> str:
    """The heading above a reading's figure and lists, and what must be known before they are read."""
    if by == EXPLAINED:
        return f"<h4>By {by.words}: {by.shift}</h4>"
    doubted = "Do not read it here, see above. " if result.doubt else ""
    return (
        f"<h4>By {by.words}: {by.shift}, as in the paper</h4><p>The paper's figure 3 and its lists. {doubted}A feature "
        "may stand here with a large ΔI although no more and no less of it can be read: its ΔE is in the same row.</p>"
    )


def picked_tables(result: LensResult, by: Reading = EXPLAINED) -> str:
    """Top, bottom and stable features with their numbers and what they measure."""
    parts = []
    for group in GROUPS:
        rows = result.picked(group, by)
        if rows:
            parts.append(f"<h5>{escape(group_title(group, rows, by))}</h5>{_feature_table(rows, by)}")
    return "\n".join(parts)


def noise(result: LensResult) -> str:
    """How many shifts have an interval without 0, and how many differ by the permutation null."""
    rows = result.shift
    lines = []
    if any(np.isfinite(row["delta_i_low"]) for row in rows):
        clear = [
            f"{sum(row[f'{by.delta}_low'] > 0 or row[f'{by.delta}_high'] < 0 for row in rows)} of {by.shift}"
            for by in SHOWN_ORDER
        ]
        lines.append(
            f"Of the 95 % bootstrap intervals of {len(rows)} features, {' and '.join(clear)} do not hold 0 (one "
            "feature at a time, not adjusted for their number)."
        )
    else:
        lines.append("No bootstrap intervals were computed.")
    if result.has_null:
        few = _few_permutations(int((result.about.get("config") or {}).get("permutations") or 0), len(rows))
        for by in SHOWN_ORDER:
            by_q = sum(bool(differs(row, by)) for row in rows)
            by_p = sum(row[by.p] < NULL_LEVEL for row in rows)
            by_family = sum(row[by.p_family] < NULL_LEVEL for row in rows)
            lines.append(
                f"Permutation null of {by.shift}: {by_q} of {len(rows)} features at q < {NULL_LEVEL:g}; {by_family} "
                f"at a family-wise p < {NULL_LEVEL:g}. Unadjusted, {by_p} have p < {NULL_LEVEL:g}; by chance alone "
                f"about {NULL_LEVEL * len(rows):.0f} would."
            )
            if not by_q:
                none = f"No {by.shift} {DIFFERS}: its lists above may be chance."
                some = f"No {by.shift} reaches that q; those with a small family-wise p differ all the same."
                lines.append((some if by_family else none) + few)
    else:
        lines.append(
            "No permutation null was computed: which shifts differ between the two encoders is not known. "
            "`lens fit --permutations 200` computes it."
        )
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _few_permutations(count: int, features: int) -> str:
    """What q could not have shown: the smallest p is 1 / (count + 1), and q is p × features / place."""
    needed = int(features / (NULL_LEVEL * (count + 1))) + 1
    if not count or needed < 2:
        return ""
    return (
        f" But with {count} permutations q < {NULL_LEVEL:g} takes {needed} features at once with the smallest p there "
        f"is, {1 / (count + 1):.2g}: more permutations may tell more."
    )


def variants(result: LensResult) -> str:
    """How far the other ways to compute ΔI agree with it, over all features and for those picked."""
    rows = []
    found = {column: agreement(result.shift, column) for column in VARIANTS}
    agreed = {column: one for column, one in found.items() if one is not None}
    for column, one in agreed.items():
        rows.append(
            [escape(VARIANTS[column]), number(one.rank_correlation), share_words(one),
             f"{one.shared_top} of {one.extremes}", f"{one.shared_bottom} of {one.extremes}"]
        )  # fmt: skip
    remarks = "".join(f"<li>{escape(line)}</li>" for line in as_lines(result.about.get("controls")))
    remarks = f"<ul>{remarks}</ul>" if remarks else ""
    if not rows:
        return f"<p>The variants were not computed.</p>{remarks}"
    head = ["Instead of ΔI", "Rank correlation with ΔI", "Same sign", "Largest ΔI in common",
            "Smallest ΔI in common"]  # fmt: skip
    columns = [
        EXPLAINED.delta,
        "delta_i",
        *(one for one in list(VARIANTS)[1:] if any(np.isfinite(row[one]) for row in result.shift)),
    ]
    short = {"delta_i": "ΔI", "delta_i_standardised": "ΔI standardised", "delta_i_fit_ft": "ΔI fit on fine-tuned",
             "delta_i_fit_both": "ΔI fit on both", "delta_explained": "ΔE"}  # fmt: skip
    picked = [row for group in GROUPS for row in result.picked(group, EXPLAINED)]
    listed = [
        [
            escape(f"{modality_name(row['modality'])}: {feature_name(row['feature'])}"),
            *(signed(row[c]) for c in columns),
        ]
        for row in picked
    ]
    detail = table(["Feature", *(short[c] for c in columns)], listed, numbers=range(1, len(columns) + 1))
    more = f"<details><summary>The picked features, each way</summary>{detail}</details>"
    return table(head, rows, numbers=(1, 2, 3, 4)) + _sign_of_fit_ft(result, agreed) + remarks + more


def _sign_of_fit_ft(result: LensResult, found: Mapping[str, Agreement]) -> str:
    """What it means when ΔI turns its sign with the encoder on which the projection is trained, or keeps it."""
    if "delta_i_fit_ft" not in found:
        return ""
    typical, other = (float(np.median([row[one] for row in result.shift])) for one in ("delta_i", "delta_i_fit_ft"))
    numbers = f"A typical ΔI is {signed(typical)}, and {signed(other)} with the projection trained on the fine-tuned "
    if typical * other < 0:
        words = (
            "encoder: the sign turns with the encoder that the projection is trained on. A mere copy of an encoder, "
            "turned or trained with another seed, does the same, for the projection favours the encoder that it was "
            "trained on. So the sign of ΔI says nothing here"
        )
        kept = found["delta_i_fit_ft"].rank_correlation
        holds = (
            "; only features may be compared with each other"
            if kept > _SAME_ORDER
            else ", nor does the features' order"
        )
        words += f"{holds} (rank correlation {number(kept)})."
    else:
        words = (
            "encoder. So the sign does not come from the choice of that encoder. What else gives it (the size and the "
            "axes of the embeddings, noise) ΔI cannot tell: the sign is unexplained unless ΔE has it as well."
        )
    return f"<p>{escape(numbers + words)}</p>"


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
        plain |= told(encoder)
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
        apart = {True: "yes", False: "no", None: DASH}[differs(row, by)]
        other = EXPLAINED if by == IMPORTANCE else IMPORTANCE
        lines.append(
            [
                escape(modality_name(row["modality"])),
                f"{escape(feature_name(row['feature']))}{said}<br><code>{escape(row['feature'])}</code>",
                f"{number(row[by.before])} → {number(row[by.after])}",
                f'{signed(row[by.delta])}<br><span class="small">{interval(row, by.delta)}</span>',
                f'{apart}<br><span class="small">q {p_value(row[by.q])}</span>',
                f'{signed(row[other.delta])}<br><span class="small">{interval(row, other.delta)}</span>',
                f"{number(row['r2_pre'], 2)} → {number(row['r2_ft'], 2)}",
            ]
        )
    head = ["Modality", "Feature", f"{by.symbol} before → after", f"{by.shift} [95 % interval]",
            "Differs between the encoders", "ΔE" if by == IMPORTANCE else "ΔI", "R² before → after"]  # fmt: skip
    return table(head, lines, numbers=(2, 3, 4, 5, 6))


def _group_means(result: LensResult) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for row in result.shift:
        found.setdefault(f"{modality_name(row['modality'])} {family_name(row['family'])}", []).append(
            row[EXPLAINED.delta]
        )
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
    more += [f"{key} {value}" for key, value in told(encoder).items()]
    more = [text for text in more if text]
    return name + (f'<br><span class="small">{escape(", ".join(more))}</span>' if more else "")


def _roi(about: Any) -> str:
    roi = str(about.get("roi") or DASH)
    return escape(f"{roi} (not a reader's contour)" if roi == "ellipsoid" else roi)
