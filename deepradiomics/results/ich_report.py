"""``report.html`` and ``figures/`` of an experiment, drawn from its folder alone.

The page holds its pictures and tables inside itself, loads nothing from elsewhere and runs no script.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from deepradiomics.files import write_text
from deepradiomics.progress import Progress, silent
from deepradiomics.results import ich_findings as findings
from deepradiomics.results import ich_tables as tables
from deepradiomics.results import ich_text as text
from deepradiomics.results.canvas import save
from deepradiomics.results.ich_figures import compared_pairs, differences_figure, figure3, roc_figure
from deepradiomics.results.ich_figures_model import calibration_figure, components_figure, shap_figure
from deepradiomics.results.ich_folder import Experiment
from deepradiomics.results.report_pictures import Picture
from deepradiomics.results.report_text import figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TEMPLATES = Path(__file__).parent / "templates"
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
    pictures: dict[str, Picture] = {}
    written = []
    for i, (name, draw) in enumerate(_DRAWN.items()):
        report(i / (len(_DRAWN) + 1), f"drawing {name}")
        path = experiment.folder / "figures" / f"{name}.png"
        drawn = draw(experiment)
        if drawn is None:
            path.unlink(missing_ok=True)  # of an earlier run
            continue
        written.append(save(drawn, path, dpi=_DPI))
        pictures[name] = Picture(base64.b64encode(path.read_bytes()).decode("ascii"), *_words(name, experiment))
    report(len(_DRAWN) / (len(_DRAWN) + 1), "writing the report")
    path = experiment.folder / "report.html"
    write_text(path, render_experiment(experiment, pictures))
    report(1.0, "report")
    return [*written, path]


def render_experiment(experiment: Experiment, pictures: dict[str, Picture]) -> str:
    """Return the report as HTML; a picture that is missing leaves a sentence in its place."""
    template = Template((_TEMPLATES / "ich_report.html").read_text(encoding="utf-8"))
    about = experiment.about

    def shown(name: str, missing: str = "") -> str:
        return figure(pictures[name]) if name in pictures else f"<p>{escape(missing)}</p>"

    return template.substitute(
        css=(_TEMPLATES / "report.css").read_text(encoding="utf-8"),
        title=text.cohorts(experiment),
        created=escape(str(about.get("created", ""))),
        version=escape(str(about.get("version", ""))),
        warning=text.warning(experiment),
        summary=text.summary(experiment),
        reading=text.READING,
        outcomes=tables.outcome_table(experiment),
        cohorts=tables.cohort_table(experiment),
        dropped=tables.dropped_table(experiment),
        notes=text.notes(experiment),
        figure3=shown("figure3"),
        auc=text.details("AUC of every input and classifier, in numbers", tables.auc_table(experiment)),
        differences=text.sentences(findings.differences(experiment)) or "<p>No inputs were compared.</p>",
        forest=shown("differences", "No input was run together with its reference, so there is nothing to draw."),
        difference_tables=_difference_tables(experiment),
        friedman=text.sentences([*findings.friedman(experiment), findings.wilcoxon(experiment)])
        + text.details("Table S5. Wilcoxon's test of every pair of inputs", tables.wilcoxon_table(experiment)),
        chosen=text.chosen(experiment),
        roc=shown("roc", "Its predictions were not kept, so that no ROC curve can be drawn."),
        thresholds=tables.threshold_table(experiment),
        calibration=shown("figure4", "Its calibration was not computed."),
        shap=shown("figure5", "Explanations were not computed.") + shown("components")
        + text.details("Figure 5 in numbers", tables.shap_table(experiment))
        + text.details("What the components of radiomics are made of", tables.component_table(experiment)),
        sex=f"<p>{escape(findings.sexes(experiment))}</p>" + tables.sex_table(experiment)
        + text.details("Table S4. Women and men, every model", tables.sex_table(experiment, complete=True)),
        nmf=tables.nmf_table(experiment),
        networks=text.networks(experiment),
        scores="".join(
            text.details(f"Table S2. {title}", tables.score_table(experiment, name))
            for name, title in experiment.outcomes.items()
        ),
        methods=escape(str(about.get("methods_text", ""))),
        provenance=text.provenance(experiment),
    )  # fmt: skip


def _difference_tables(experiment: Experiment) -> str:
    pairs = compared_pairs(experiment)
    if not pairs:
        return ""
    title = f"Table S3. {experiment.title(pairs[0][0])} against {experiment.title(pairs[0][1]).lower()}"
    return text.details(title, tables.difference_table(experiment, pairs[0])) + text.details(
        "All paired differences", tables.difference_table(experiment)
    )


def _words(name: str, experiment: Experiment) -> tuple[str, str]:
    """Alternative text and caption of a picture."""
    if name == "figure4":
        return "Calibration curves of the model named beforehand", text.calibration_words(experiment)
    return _WORDS[name]


_WORDS = {
    "figure3": (
        "AUC of each input and classifier by outcome and cohort",
        "Figure 3. AUC of every input and classifier. Validation: mean over the folds; external: the models fitted "
        "again on all training patients. Framed: the highest of each panel, which need not be higher beyond noise.",
    ),
    "differences": (
        "Differences of AUC between inputs and their references by classifier",
        "Difference of AUC between an input and the one it is compared with, on the same patients. Right of the line: "
        "the input named first has the higher AUC. Filled marks: p below 0.05 after Holm's correction.",
    ),
    "roc": (
        "ROC curves of the model named beforehand",
        "ROC curves of the model named beforehand. Solid: all out-of-fold predictions together; dashed: external "
        "cohort.",
    ),
    "figure5": (
        "Share of each feature group in the mean absolute SHAP value by classifier",
        "Figure 5. How much each feature group moves the probability, as a share of all groups: the mean size of the "
        "sum of its components' SHAP values. Numbers: per cent.",
    ),
    "components": (
        "Components with the largest mean absolute SHAP value",
        "The components that the model named beforehand uses most, and the features of the radiomic ones that weigh "
        "most in them. Components of latents have no names.",
    ),
}
