"""``report.html`` and ``figures/`` of an experiment, drawn from its folder alone.

The page holds its pictures and tables inside itself, loads nothing from elsewhere and runs no script.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from deepradiomics.files.atomic import write_text
from deepradiomics.ich.experiment.result import Experiment
from deepradiomics.progress import Progress, silent
from deepradiomics.reports.canvas import save
from deepradiomics.reports.ich import findings, tables
from deepradiomics.reports.ich.figures import compared_pairs, differences_figure, figure3, roc_figure
from deepradiomics.reports.ich.figures_model import calibration_figure, components_figure, shap_figure
from deepradiomics.reports.page import render, software

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NOTED = 100  # patients with notes
_DPI = 130  # one picture serves the page and a paper's draft: drawing takes longer than anything else here
_DRAWN: dict[str, Callable[[Experiment], Figure | None]] = {
    "figure3": figure3,
    "differences": differences_figure,
    "roc": roc_figure,
    "figure4": calibration_figure,
    "figure5": shap_figure,
    "components": components_figure,
}


def write_experiment(folder: Path | str, *, progress: Progress | None = None) -> list[Path]:
    """Draw an experiment: ``figures/*.png`` and ``report.html`` into its folder; returns the paths.

    Raises:
        InputError: the folder is none of ``ich experiment``, or its scores are missing.
    """
    report = progress or silent
    experiment = Experiment.read(folder)
    pictures: dict[str, str] = {}
    written = []
    for i, (name, draw) in enumerate(_DRAWN.items()):
        report(i / (len(_DRAWN) + 1), f"drawing {name}")
        path = experiment.folder / "figures" / f"{name}.png"
        drawn = draw(experiment)
        if drawn is None:
            path.unlink(missing_ok=True)  # of an earlier run
            continue
        written.append(save(drawn, path, dpi=_DPI))
        pictures[name] = base64.b64encode(path.read_bytes()).decode("ascii")
    report(len(_DRAWN) / (len(_DRAWN) + 1), "writing the report")
    path = experiment.folder / "report.html"
    write_text(path, render_experiment(experiment, pictures))
    report(1.0, "report")
    return [*written, path]


def render_experiment(experiment: Experiment, pictures: Mapping[str, str]) -> str:
    """Return the report as HTML.

    Args:
        experiment: the result.
        pictures: PNGs (base64) by name; one that is missing leaves a sentence in its place.
    """
    about = experiment.about
    notes = tables.note_table(experiment)
    cohorts = {name: cohort for name, cohort in (about.get("cohorts") or {}).items() if cohort}
    return render(
        "ich/experiment.html",
        experiment=experiment,
        about=about,
        pictures={name: pictures.get(name, "") for name in _DRAWN},
        findings=findings,
        tables=tables,
        pairs=compared_pairs(experiment),
        created=about.get("created", ""),
        version=about.get("version", ""),
        cohorts="; ".join(
            f"{cohort.get('n', '?')} patients {name} ({Path(str(cohort.get('manifest', ''))).name})"
            for name, cohort in cohorts.items()
        ),
        cohort_names=[title.split(" (")[0].lower() for title in experiment.cohorts.values()],
        notes=replace(notes, rows=notes.rows[:_NOTED]),
        n_notes=len(notes.rows),
        facts=[
            *((name.capitalize(), about.get(name)) for name in ("command", "seed", "folds")),
            *((f"Manifest, {name}", cohort.get("manifest")) for name, cohort in cohorts.items()),
            ("Created", about.get("created")),
            ("Software", software(about)),
        ],
    )
