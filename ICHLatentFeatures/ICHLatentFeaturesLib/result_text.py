"""What the Results section shows, in words: the summary, the risks, the shares, the features."""

from dataclasses import dataclass
from html import escape
from typing import Any

from slicer.i18n import tr as _

from deepradiomics.reports.ich.words import abc2_title
from deepradiomics.scene.nodes.export import columns_of
from deepradiomics.scene.panel.feature_names import label_and_tip
from deepradiomics.scene.panel.volume_text import volume_text
from deepradiomics.scene.show.ich.case import group_shares
from deepradiomics.scene.show.ich.charts import group_colour, group_title
from deepradiomics.scene.tree.outside import is_outside, outside_reason, outside_words
from deepradiomics.scene.tree.provenance import read_stamp

FEATURES_SHOWN = 300
SHARES_SHOWN = 100
NOTES_SHOWN = 2
RISK_BAR, OUTSIDE_BAR = (0, 114, 178), (140, 140, 140)  # red, green and blue of a risk's bar
_CALLS = {1.0: "+", 0.0: "−", None: ""}
_RED = '<span style="color:#c0392b">{text}</span>'


@dataclass(frozen=True)
class ShareRows:
    """Rows of the list of shares: what each is of, its share, the colour of its group; groups come first."""

    labels: list[str]
    shares: list[float]
    colours: list[tuple[int, ...]]
    groups: int


def summary(table: Any) -> str:
    """Volumes, and what must be said of the result, as rich text."""
    if table is None:
        return escape(_("Nothing computed yet."))
    about = read_stamp(table)
    volumes = about.get("volumes") or {}
    lines = []
    outside = outside_words(about)
    if outside:
        lines.append(f"<b>{escape(outside[:1].upper() + outside[1:])}</b>: {escape(_('no class is given'))}")
    size = volume_text(volumes.get("haematoma_ml"), volumes.get("abc2_ml"), largest=abc2_title(about) != abc2_title({}))
    if size:
        count = len(volumes.get("lesions") or ())
        parts = _(", {count} parts").format(count=count) if count > 1 else ""
        lines.append(f"<b>{escape(_('Haematoma') + ' ' + size + parts)}</b>")
    followup = about.get("followup")
    if isinstance(followup, dict) and followup.get("expansion_ml") is not None:
        text = _("Follow-up {after:.1f} mL: {difference:+.1f} mL").format(
            after=followup["followup_ml"], difference=followup["expansion_ml"]
        )
        lines.append(escape(text))
    notes = [str(note) for note in about.get("shown_notes") or ()]
    alarms = [note for note in notes if note.startswith(("LEAKING", "SYNTHETIC"))]
    others = [note for note in notes if note not in alarms]
    lines += [_RED.format(text=escape(note)) for note in alarms]
    lines += [escape(note) for note in others[:NOTES_SHOWN]]
    if len(others) > NOTES_SHOWN:
        lines.append(escape(_("and {count} more remarks, see the log").format(count=len(others) - NOTES_SHOWN)))
    return "<br>".join(lines)


def risk_headers() -> list[str]:
    return [_("Outcome"), _("Risk"), _("Call"), _("Similar patients")]


def risk_rows(table: Any) -> tuple[list[str], list[list[str]], list[float]]:
    """Names of the outcomes, one row of texts each, and the risks; outside the training cohort no call."""
    columns = columns_of(table)
    rows = []
    for row in range(len(columns["outcome"])):
        observed, low, high = (columns[name][row] for name in ("observed", "observed_low", "observed_high"))
        like = "–" if observed is None else f"{observed:.2f} ({_number(low)}–{_number(high)})"
        risk = _("{risk:.2f} (from {threshold:.2f})").format(
            risk=columns["probability"][row], threshold=columns["threshold"][row]
        )
        rows.append([columns["title"][row], risk, _CALLS[columns["positive"][row]], like])
    return list(columns["outcome"]), rows, columns["probability"]


def risk_colours(table: Any) -> list[tuple[int, int, int]]:
    """The colour of each risk's bar: never red, and grey outside the training cohort."""
    return [OUTSIDE_BAR if is_outside(read_stamp(table)) else RISK_BAR] * table.GetNumberOfRows()


def risk_tips(table: Any) -> list[str]:
    """A sentence or two per risk."""
    columns, reason = columns_of(table), outside_reason(read_stamp(table))
    tips = []
    for row in range(len(columns["outcome"])):
        base, title = columns["base_rate"][row], columns["title"][row]
        text = _("{title}: probability {risk:.3f}, called positive from {threshold:.2f}").format(
            title=title, risk=columns["probability"][row], threshold=columns["threshold"][row]
        )
        if base is not None:
            text += _("; {base:.0%} of {count} training patients had it").format(
                base=base, count=columns["n_training"][row]
            )
        if columns["observed"][row] is not None:
            text += _("; so had {observed:.0%} of the {count} with a similar probability").format(
                observed=columns["observed"][row], count=columns["similar"][row]
            )
        tips.append(f"{text}.\n{reason}" if reason else f"{text}.")
    return tips


def share_headers() -> list[str]:
    return [_("Feature group, component"), _("Share")]


def share_rows(shap: Any, outcome: str) -> ShareRows:
    """The shares of an outcome's feature groups, then of its components, largest first within each."""
    columns = columns_of(shap)
    rows = [row for row, name in enumerate(columns["outcome"]) if name == outcome]
    rows.sort(key=lambda row: -abs(columns["shap"][row] or 0.0))
    groups = group_shares(shap, outcome)
    shares = [(_("{group}, in all").format(group=group_title(group)), group, share) for group, share in groups.items()]
    shares += [
        (columns["label"][row] or columns["component"][row], columns["group"][row], columns["shap"][row] or 0.0)
        for row in rows[:SHARES_SHOWN]
    ]
    return ShareRows(
        [label for label, _group, _share in shares],
        [share for _label, _group, share in shares],
        [tuple(round(255 * part) for part in group_colour(group)) for _label, group, _share in shares],
        len(groups),
    )


def feature_headers() -> list[str]:
    return [_("Feature"), _("Value")]


def feature_rows(features: Any, search: str) -> tuple[list[list[str]], list[str], int]:
    """Rows whose name or meaning holds all words, their tooltips, and the number of all, with those not shown."""
    columns = columns_of(features)
    wanted = search.lower().split()
    rows, tips = [], []
    for row, name in enumerate(columns["feature"]):
        label, tip = _label_and_tip(columns, row)
        if all(word in f"{name} {label} {tip}".lower() for word in wanted):
            value = columns["value"][row]
            shown = "–" if value is None else f"{value:.5g} {columns['unit'][row]}".rstrip()
            rows.append([label, shown])
            tips.append(tip)
    return rows[:FEATURES_SHOWN], tips[:FEATURES_SHOWN], len(rows)


def count_text(shown: int, count: int) -> str:
    """The number of features in the list."""
    if count > shown:
        return _("{shown} of {count} features").format(shown=shown, count=count)
    return _("{count} features").format(count=count)


def _label_and_tip(columns: dict, row: int) -> tuple[str, str]:
    """A feature's short name and its whole one with what it measures; a volume's sentence."""
    text = str(columns["description"][row])
    if columns["family"][row] == "volume":
        return text.split(" Unit:")[0].rstrip("."), text
    label, tip = label_and_tip(columns["feature"][row])
    many_regions = len({label for label in columns["label"] if label}) > 1
    return (f"{columns['region'][row]}: {label}" if many_regions else label), tip


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
