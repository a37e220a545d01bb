"""``report.html`` of one patient with a haemorrhage, to be read without any software of ours.

It holds pictures and tables inside itself, loads nothing from elsewhere, runs no script, and holds nothing from an
image's header: the case's name is the user's, else the file's.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from deepradiomics.files import write_text
from deepradiomics.images import Volume
from deepradiomics.results import ich_case_charts as charts
from deepradiomics.results import ich_case_pictures as pictures
from deepradiomics.results import ich_case_text as text
from deepradiomics.results.ich_case import CaseFolder
from deepradiomics.results.ich_text import details
from deepradiomics.results.report_pictures import to_picture
from deepradiomics.results.report_text import figure
from deepradiomics.words import OUTSIDE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TEMPLATES = Path(__file__).parent / "templates"
_NO_CT = "The CT was not given to this report, so that there is no slice to show."


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
    template = Template((_TEMPLATES / "ich_case_report.html").read_text(encoding="utf-8"))
    bundle = record.get("bundle") or {}
    no_map = "" if case.ct is None else (
        "The model takes no latents, or they do not speak for any outcome here: there is no Grad-CAM."
    )  # fmt: skip
    return template.substitute(
        css=(_TEMPLATES / "report.css").read_text(encoding="utf-8"),
        case_id=escape(str(record.get("case_id", ""))),
        created=escape(str(record.get("created", ""))),
        version=escape(str(record.get("version", ""))),
        bundle=escape(str(bundle.get("name", ""))),
        warning=text.warning(case),
        notes=text.notes(case),
        risks=text.risks(case),
        risk_words=text.risk_words(case),
        calibration=_shown(
            charts.calibration_figure(case), "outside" if case.outside else "calibration",
            "The bundle holds no calibration.",
        ),
        volumes=text.volumes(case),
        planes=_shown(pictures.planes_figure(case), "planes", _NO_CT),
        slices=_shown(pictures.slices_figure(case), "slices"),
        surface=_shown(pictures.surface_figure(case), "surface", "There is no haematoma to show."),
        shap=_shown(charts.shap_figure(case), "shap"),
        sums=text.sums(case),
        components=details("The largest components, in numbers", text.component_tables(case)),
        gradcam=_shown(pictures.gradcam_figure(case), "gradcam", no_map or _NO_CT) + text.map_weights(case),
        followup=text.followup(case),
        change=_shown(pictures.change_figure(case), "change"),
        features=text.features(case),
        methods=escape(str(record.get("methods_text", ""))),
        provenance=text.provenance(case),
    )  # fmt: skip


def _shown(drawn: Figure | None, name: str, missing: str = "") -> str:
    if drawn is None:
        return f"<p>{escape(missing)}</p>" if missing else ""
    return figure(to_picture(drawn, *_WORDS[name]))


_SIDES = "The patient's right is at the left of axial and coronal slices; the bar is 20 mm. Window 0 to 80 HU."
_WORDS = {
    "calibration": (
        "Where each risk lies on the training cohort's calibration",
        "Calibration of the model in its training cohort, out of fold, with Wilson's 95 % intervals. Upright orange "
        "line: this patient's risk; circle: the group of training patients nearest to it.",
    ),
    "outside": (
        "The risk beside the training cohort's calibration",
        "Calibration of the model in its training cohort, out of fold, with Wilson's 95 % intervals. Upright grey "
        f"line: this patient's risk. The patient is {OUTSIDE}: no group of its patients is like this one.",
    ),
    "planes": (
        "Axial, coronal and sagittal slice through the haematoma",
        f"Through the slice with most blood. {_SIDES}",
    ),
    "slices": (
        "Axial slices through the haematoma",
        f"Axial slices from the lowest with blood to the highest, at equal steps. {_SIDES}",
    ),
    "surface": (
        "Surface of the haematoma from three sides",
        "The haematoma's surface (red) before the outer surface of its ring (blue), smoothed for the eye only. From "
        "below is how axial slices are looked at. The bar is 20 mm.",
    ),
    "shap": (
        "Share of each feature group and of the largest components in each risk",
        "Left: from the base value by way of each group of features to this patient's risk. Right: the components with "
        "the largest shares; those of radiomics with the features that weigh most in them.",
    ),
    "gradcam": (
        "Grad-CAM for each outcome in three planes",
        "3D Grad-CAM of the networks whose latents the model takes: where the image speaks for a higher risk, within "
        "the dilated haematoma, through each map's hottest place. Each map is a share of its own maximum: maps cannot "
        f"be compared in strength, and a map shows where a network looks, not why. {_SIDES}",
    ),
    "change": (
        "Baseline and registered follow-up with the change outlined",
        f"Baseline above, follow-up below on the baseline's grid: stable, grown and shrunk parts outlined. {_SIDES}",
    ),
}  # fmt: skip
