"""One patient's tables as table nodes: the risk of each outcome, what was measured, and the share of each component."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepradiomics.ich.cohort import title_of as outcome_title
from deepradiomics.results import column_titles
from deepradiomics.results.ich_words import abc2_title
from deepradiomics.scene.features import explained
from deepradiomics.scene.ich_folder import SHAP_COLUMNS, IchCaseFolder
from deepradiomics.scene.outside import is_outside, outside_words
from deepradiomics.scene.tables import add_table, feature_table

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
RISK_HELP = {
    "outcome": "Name of the outcome, as files and commands have it",
    "title": "What is predicted",
    "probability": "Probability of the outcome that the model gives this patient",
    "threshold": "Probability from which the model calls the outcome positive; chosen on validation patients",
    "positive": "1 if the probability reaches the threshold; empty outside the training cohort",
    "observed": "Share of training patients with a like probability (same bin of the calibration curve) in whom the "
    "outcome occurred; they were predicted by models that had not seen them",
    "observed_low": "Lower end of the 95 % interval of that share",
    "observed_high": "Upper end of the 95 % interval of that share",
    "similar": "Number of training patients in that bin",
    "base_rate": "Share of all training patients in whom the outcome occurred",
    "n_training": "Number of training patients whose outcome is known",
    "remark": "Why no class is given, where the patient lies outside the training cohort",
}
SHAP_HELP = {
    "outcome": "Name of the outcome",
    "group": "Feature group of the component: shape, radiomics, encoder, vaegan or clinical",
    "component": "Name of the component, as the model has it",
    "label": "What the component holds: for radiomics the features of greatest weight",
    "value": "The component's value in this patient, as the classifier sees it",
    "shap": "What the component adds to the probability; positive raises the risk. All shares and the base value sum "
    "to the probability",
}
MEASURES = {  # rows of the table of features that come before the features themselves; from ich.json
    "haematoma_ml": ("Volume of the haematoma", "mL"),
    "ring_ml": ("Volume of the ring of the dilated haematoma", "mL"),
    "abc2_ml": ("{abc2}, the volume as clinicians estimate it", "mL"),
}
VOLUME_FAMILY = "volume"


def risk_table(scene: Any, name: str, case: IchCaseFolder) -> Any:
    """A row an outcome; outside the training cohort none is called positive, and no patients are similar."""
    columns: dict[str, list[Any]] = {column: [] for column in RISK_COLUMNS}
    outside = is_outside(case.about)
    for outcome, about in case.about["outcomes"].items():
        bin_ = {} if outside else own_bin(about)
        risk, threshold = number(about["probability"]), number(about["threshold"])
        row = {
            "outcome": outcome,
            "title": title_of(case, outcome),
            "probability": risk,
            "threshold": threshold,
            "positive": float("nan") if outside else float(bool(about.get("positive", risk >= threshold))),
            "observed": number(bin_.get("observed")),
            "observed_low": number(bin_.get("low")),
            "observed_high": number(bin_.get("high")),
            "similar": int(bin_.get("n") or 0),
            "base_rate": number(about.get("base_rate")),
            "n_training": int(about.get("n_training") or 0),
            "remark": outside_words(case.about),
        }
        for column, values in columns.items():
            values.append(row[column])
    return add_table(scene, name, columns, RISK_COLUMNS, RISK_HELP, column_titles.RISK)


def feature_node(scene: Any, name: str, case: IchCaseFolder) -> Any:
    """Volumes first, then every measured feature with unit, IBSI code and what it measures."""
    volumes = {key: case.about["volumes"].get(key) for key in MEASURES}
    rows = [(key, value) for key, value in volumes.items() if value is not None]
    columns: dict[str, list[Any]] = {
        "label": [0] * len(rows) + list(case.features["label"]),
        "feature": [key for key, _ in rows] + list(case.features["feature"]),
        "family": [VOLUME_FAMILY] * len(rows) + list(case.features["family"]),
        "value": [number(value) for _, value in rows] + list(case.features["value"]),
    }
    about = {feature: explained(feature) for feature in dict.fromkeys(case.features["feature"])}
    about |= {key: explained(key, MEASURES[key][0].format(abc2=abc2_title(case.about)), MEASURES[key][1])
              for key, _ in rows}  # fmt: skip
    lesions = {int(each["label"]): f"lesion {each['label']}" for each in case.about["volumes"].get("lesions", ())}
    return feature_table(scene, name, columns, {**lesions, 0: "haematoma"}, about)


def shap_table(scene: Any, name: str, case: IchCaseFolder) -> Any:
    """A row an outcome and component, as in shap.csv: largest share first within an outcome."""
    titles = {**column_titles.SHAP, "label": "What it holds"}
    return add_table(scene, name, case.shap, SHAP_COLUMNS, SHAP_HELP, titles)


def title_of(case: IchCaseFolder, outcome: str) -> str:
    """What people read for an outcome."""
    return str(case.about["outcomes"][outcome].get("title") or outcome_title(outcome))


def own_bin(outcome: Mapping[str, Any]) -> Mapping[str, Any]:
    """The bin of the calibration curve that the patient falls into; empty where ich.json knows none."""
    calibration = outcome.get("calibration") or {}
    bins, at = calibration.get("bins") or [], calibration.get("bin")
    return bins[at] if isinstance(at, int) and 0 <= at < len(bins) else {}


def number(value: Any) -> float:
    """A number; NaN for None."""
    return float("nan") if value is None else float(value)
