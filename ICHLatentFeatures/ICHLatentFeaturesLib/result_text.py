"""What the Results section shows, in words: the summary, the risks, the shares, the features."""

from html import escape
from typing import Any

from slicer.i18n import tr as _

from deepradiomics.scene.export import columns_of

FEATURES_SHOWN = 300
SHARES_SHOWN = 100
NOTES_SHOWN = 2
_RED = '<span style="color:#c0392b">{text}</span>'


def summary(table: Any) -> str:
    """Volumes, and what must be said of the result, as rich text."""
    from deepradiomics.scene.provenance import read_stamp

    if table is None:
        return escape(_("Nothing computed yet."))
    about = read_stamp(table)
    volumes = about.get("volumes") or {}
    lines = []
    if volumes.get("haematoma_ml") is not None:
        text = _("Haematoma {volume:.1f} mL").format(volume=volumes["haematoma_ml"])
        if volumes.get("abc2_ml") is not None:
            text += _(" (ABC/2 {volume:.1f} mL)").format(volume=volumes["abc2_ml"])
        count = len(volumes.get("lesions") or ())
        if count > 1:
            text += _(", {count} lesions").format(count=count)
        lines.append(f"<b>{escape(text)}</b>")
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
    return [_("Outcome"), _("Risk"), _("Call"), _("Observed in the like")]


def risk_rows(table: Any) -> tuple[list[str], list[list[str]]]:
    """Names of the outcomes, and a row of texts for each."""
    columns = columns_of(table)
    rows = []
    for row in range(len(columns["outcome"])):
        positive = columns["positive"][row]
        observed, low, high = (columns[name][row] for name in ("observed", "observed_low", "observed_high"))
        like = "–" if observed is None else f"{observed:.2f} ({_number(low)}–{_number(high)})"
        rows.append([columns["title"][row], f"{columns['probability'][row]:.2f}", "+" if positive else "−", like])
    return list(columns["outcome"]), rows


def risk_tips(table: Any) -> list[str]:
    """A sentence a risk."""
    columns = columns_of(table)
    tips = []
    for row in range(len(columns["outcome"])):
        base = columns["base_rate"][row]
        text = _("Probability {risk:.3f}, called positive from {threshold:.2f}").format(
            risk=columns["probability"][row], threshold=columns["threshold"][row]
        )
        if base is not None:
            text += _("; {base:.0%} of {count} training patients had it").format(
                base=base, count=columns["n_training"][row]
            )
        tips.append(text)
    return tips


def share_headers() -> list[str]:
    return [_("Component"), _("Group"), _("Share")]


def share_rows(shap: Any, outcome: str) -> list[list[str]]:
    """The outcome's components, largest share first."""
    from deepradiomics.scene.ich_charts import group_title

    columns = columns_of(shap)
    rows = [row for row, name in enumerate(columns["outcome"]) if name == outcome]
    rows.sort(key=lambda row: -abs(columns["shap"][row] or 0.0))
    return [
        [
            columns["label"][row] or columns["component"][row], group_title(columns["group"][row]),
            f"{columns['shap'][row] or 0.0:+.3f}",
        ]
        for row in rows[:SHARES_SHOWN]
    ]  # fmt: skip


def feature_headers() -> list[str]:
    return [_("Feature"), _("Value")]


def feature_rows(features: Any, words: str) -> tuple[list[list[str]], list[str], int]:
    """Rows whose name or meaning holds all words, their tooltips, and how many there are with those not shown."""
    columns = columns_of(features)
    wanted = words.lower().split()
    rows, tips = [], []
    for row, name in enumerate(columns["feature"]):
        text = columns["description"][row]
        if all(word in f"{name} {text}".lower() for word in wanted):
            value = columns["value"][row]
            shown = "–" if value is None else f"{value:.6g} {columns['unit'][row]}".rstrip()
            rows.append([_feature_name(columns, row), shown])
            tips.append(text)
    return rows[:FEATURES_SHOWN], tips[:FEATURES_SHOWN], len(rows)


def count_words(shown: int, found: int) -> str:
    if found > shown:
        return _("{shown} of {found} features").format(shown=shown, found=found)
    return _("{found} features").format(found=found)


def _feature_name(columns: dict, row: int) -> str:
    """A feature's key without what all share; a volume's sentence."""
    if columns["family"][row] == "volume":
        return str(columns["description"][row]).split(" Unit:")[0].rstrip(".")
    several = len({label for label in columns["label"] if label}) > 1
    name = str(columns["feature"][row]).removeprefix("original_")
    return f"{columns['region'][row]}: {name}" if several else name


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
