"""``report.html`` of one patient with a haemorrhage, to be read without any software of ours.

It holds pictures and tables inside itself, loads nothing from elsewhere, runs no script, and holds nothing from an
image's header: the case's name is the user's, else the file's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.files.atomic import write_text
from deepradiomics.ich.experiment.config import INPUT_TITLES
from deepradiomics.ich.patient.result import CaseFolder
from deepradiomics.images import Volume
from deepradiomics.modelling.classifier_names import CLASSIFIER_TITLES
from deepradiomics.reports.ich import case_charts as charts
from deepradiomics.reports.ich import case_pictures as pictures
from deepradiomics.reports.ich import case_tables as tables
from deepradiomics.reports.page import render, software
from deepradiomics.reports.pictures import png_of
from deepradiomics.stats.outside import outside_reason
from deepradiomics.words import made_up_sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PICTURES: dict[str, Callable[[CaseFolder], Figure | None]] = {
    "calibration": charts.calibration_figure,
    "planes": pictures.planes_figure,
    "slices": pictures.slices_figure,
    "surface": pictures.surface_figure,
    "shap": charts.shap_figure,
    "gradcam": pictures.gradcam_figure,
    "change": pictures.change_figure,
}


def write_case_report(folder: Path | str, volume: Volume | None = None, followup: Volume | None = None) -> Path:
    """Write ``report.html`` into a folder of ``ich apply``; returns its path.

    Args:
        folder: with ich.json, segmentation.nii.gz and the tables.
        volume: the baseline CT, which the folder does not hold; without it there are no slices.
        followup: the registered follow-up; by default the folder's own.

    Raises:
        InputError: the folder is none of ``ich apply``, or it cannot be written.
        GeometryError: the CT is not the one that was applied.
    """
    path = Path(folder) / "report.html"
    write_text(path, render_case(CaseFolder.read(folder, volume, followup)))
    return path


def render_case(case: CaseFolder) -> str:
    """Return the report as HTML."""
    record = case.record
    bundle = record.get("bundle") or {}
    input_, classifier = str(bundle.get("input", "")), str(bundle.get("classifier", ""))
    drawn = {name: draw(case) for name, draw in _PICTURES.items()}
    inputs = (record.get("inputs") or {}).items()
    return render(
        "ich/patient.html",
        record=record,
        case_id=record.get("case_id", ""),
        created=record.get("created", ""),
        version=record.get("version", ""),
        bundle=bundle.get("name", ""),
        real_head_sentence=made_up_sentence(True),
        outside=outside_reason(record),
        risks=tables.risk_table(case),
        input_title=INPUT_TITLES.get(input_, input_),
        classifier_title=CLASSIFIER_TITLES.get(classifier, classifier),
        pictures={name: png_of(figure) if figure is not None else "" for name, figure in drawn.items()},
        has_ct=case.ct is not None,
        volumes=tables.volume_table(case),
        outcomes=[
            {
                "title": case.title(name),
                "base_value": outcome["base_value"],
                "all_shares": sum(outcome["groups"].values()),
                "probability": outcome["probability"],
                "components": tables.component_table(case, name),
            }
            for name, outcome in case.outcomes.items()
        ],
        map_weights=tables.map_weights(case),
        followup=tables.followup_table(case),
        features=tables.feature_table(case),
        n_features=len(case.features),
        facts=[
            ("Model", bundle.get("name")),
            ("Model SHA-256", bundle.get("sha256")),
            ("Command", record.get("command")),
            ("Created", record.get("created")),
            ("Software", software(record)),
            ("Device", record.get("device")),
            *((str(name).upper() if name == "ct" else str(name).capitalize(), _plain(value)) for name, value in inputs),
        ],
    )


def _plain(value: Any) -> str:
    """A value of the record in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(entry)}" for name, entry in value.items() if entry not in (None, ""))
    if isinstance(value, list | tuple):
        return " × ".join(f"{entry:g}" if isinstance(entry, float) else str(entry) for entry in value)
    return "" if value is None else str(value)
