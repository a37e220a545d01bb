"""One patient's tables as table nodes: the risk of each outcome, what was measured, and the share of each component."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepradiomics.files.results import column_types, columns_of
from deepradiomics.ich.patient.result import CaseFolder, ShapRow
from deepradiomics.reports import column_titles
from deepradiomics.reports.ich.words import abc2_title
from deepradiomics.scene.nodes.tables import add_table, feature_table
from deepradiomics.scene.show.features import explained
from deepradiomics.scene.tree.outside import is_outside, outside_words

RISK_COLUMNS: dict[str, type] = {
    "outcome": str,
    "title": str,
    "probability": float,
    "threshold": float,
    "positive": float,
    "observed": float,
    "observed_low": float,
    "observed_high": float,
    "similar": int,
    "base_rate": float,
    "n_training": int,
    "remark": str,
}
MEASURES = {  # rows of the table of features that come before the features themselves; from ich.json
    "haematoma_ml": ("Volume of the haematoma", "mL"),
    "ring_ml": ("Volume of the ring of the dilated haematoma", "mL"),
    "abc2_ml": ("{abc2}, the volume as clinicians estimate it", "mL"),
}
VOLUME_FAMILY = "volume"


def risk_table(scene: Any, name: str, case: CaseFolder) -> Any:
    """One row per outcome; outside the training cohort none is called positive, and no patients are similar."""
    columns: dict[str, list[Any]] = {column: [] for column in RISK_COLUMNS}
    outside = is_outside(case.record)
    for outcome, about in case.outcomes.items():
        bin_ = {} if outside else own_bin(about)
        risk, threshold = number(about["probability"]), number(about["threshold"])
        row = {
            "outcome": outcome,
            "title": case.title(outcome),
            "probability": risk,
            "threshold": threshold,
            "positive": float("nan") if outside else float(bool(about.get("positive", risk >= threshold))),
            "observed": number(bin_.get("observed")),
            "observed_low": number(bin_.get("low")),
            "observed_high": number(bin_.get("high")),
            "similar": int(bin_.get("n") or 0),
            "base_rate": number(about.get("base_rate")),
            "n_training": int(about.get("n_training") or 0),
            "remark": outside_words(case.record),
        }
        for column, values in columns.items():
            values.append(row[column])
    return add_table(scene, name, columns, RISK_COLUMNS, column_titles.columns("risk", "help"), column_titles.RISK)


def feature_node(scene: Any, name: str, case: CaseFolder) -> Any:
    """Volumes first, then every measured feature with unit, IBSI code and what it measures."""
    volumes = {key: case.record["volumes"].get(key) for key in MEASURES}
    rows = [(key, value) for key, value in volumes.items() if value is not None]
    measured = columns_of(case.features, ("label", "feature", "family", "value"))
    columns: dict[str, list[Any]] = {
        "label": [0] * len(rows) + measured["label"],
        "feature": [key for key, _ in rows] + measured["feature"],
        "family": [VOLUME_FAMILY] * len(rows) + measured["family"],
        "value": [number(value) for _, value in rows] + measured["value"],
    }
    about = {feature: explained(feature) for feature in dict.fromkeys(measured["feature"])}
    about |= {
        key: explained(key, MEASURES[key][0].format(abc2=abc2_title(case.record)), MEASURES[key][1]) for key, _ in rows
    }
    lesions = {
        int(lesion["label"]): f"lesion {lesion['label']}" for lesion in case.record["volumes"].get("lesions", ())
    }
    return feature_table(scene, name, columns, {**lesions, 0: "haematoma"}, about)


def shap_table(scene: Any, name: str, case: CaseFolder) -> Any:
    """One row per outcome and component, as in shap.csv: largest share first within an outcome."""
    titles = {**column_titles.SHAP, "label": "What it holds"}
    types = column_types(ShapRow)
    return add_table(scene, name, columns_of(case.shap, types), types, column_titles.columns("shap", "help"), titles)


def own_bin(outcome: Mapping[str, Any]) -> Mapping[str, Any]:
    """The bin of the calibration curve that the patient falls into; empty where ich.json knows none."""
    calibration = outcome.get("calibration") or {}
    bins, at = calibration.get("bins") or [], calibration.get("bin")
    return bins[at] if isinstance(at, int) and 0 <= at < len(bins) else {}


def number(value: Any) -> float:
    """A number; NaN for None."""
    return float("nan") if value is None else float(value)
