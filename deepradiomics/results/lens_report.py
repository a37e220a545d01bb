"""``report.html`` of the lens: one page about one or several tasks, to be read without any software of ours.

It holds its pictures and tables inside itself, loads nothing from elsewhere and runs no script.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from deepradiomics.lens.readings import IMPORTANCE, Reading
from deepradiomics.lens.result import LensResult
from deepradiomics.results import lens_text as text
from deepradiomics.results.lens_case import LensCase, case_figure
from deepradiomics.results.lens_figures import figure2, figure3, overview_figure
from deepradiomics.results.lens_tables import as_html, complete_table, evaluation_table, paper_table, task_labels
from deepradiomics.results.lens_words import DIFFERS, SHOWN_ORDER, modality_name
from deepradiomics.results.report_pictures import to_picture
from deepradiomics.results.report_text import figure

_TEMPLATES = Path(__file__).parent / "templates"


def render_report(results: Sequence[LensResult], cases: Sequence[Sequence[LensCase]] = ()) -> str:
    """Return the report as HTML.

    Args:
        results: the tasks, in the order to be shown.
        cases: for each task, cases to be shown with their images; empty for none.
    """
    labels = task_labels(results)
    shown = dict(zip(map(id, results), cases, strict=True)) if cases else {}
    template = Template((_TEMPLATES / "lens_report.html").read_text(encoding="utf-8"))
    several = len(results) > 1

    def each(section: text.Section) -> str:
        bodies = [section(result) for result in results]
        if len(set(bodies)) == 1:  # one task, or the same words for all
            return bodies[0]
        return "\n".join(f"<h3>{escape(label)}</h3>\n{body}" for label, body in zip(labels, bodies, strict=True))

    def changed(result: LensResult) -> str:
        # The list alone: beside the images it would be too small to read on a page.
        parts = [text.summary(result), text.belief(result)]
        for by in SHOWN_ORDER:
            picture = to_picture(figure3(result, by=by), *_figure3_words(result, by))
            parts += [text.reading_head(result, by), figure(picture), text.picked_tables(result, by)]
        pictures = [to_picture(overview_figure(result), *_OVERVIEW_WORDS)]
        pictures += [to_picture(case_figure(case), *_case_words(case)) for case in shown.get(id(result), ())]
        return "\n".join([*parts, *map(figure, pictures)])

    evaluations = evaluation_table(results)
    return template.substitute(
        css=(_TEMPLATES / "report.css").read_text(encoding="utf-8"),
        title=escape(", ".join(labels)),
        created=escape(", ".join(dict.fromkeys(str(result.about.get("created", "")) for result in results))),
        version=escape(_version(results)),
        warning=text.warning(results),
        compared=text.compared(results, labels),
        reading=text.READING,
        notes=each(text.notes),
        table1=f"{as_html(paper_table(results))}<details><summary>Every group, with pooled R² and p-values</summary>"
        f"{as_html(complete_table(results), 3 if several else 2)}</details>",
        figure2=figure(to_picture(figure2(results), *_figure2_words(results))),
        changed=each(changed),
        noise=text.NOISE + each(text.noise),
        variants=text.BIASES + each(text.variants),
        evaluations=as_html(evaluations, 1) if evaluations else text.NO_EVALUATION,
        dropped=each(text.dropped),
        methods=each(lambda result: f"<p>{escape(str(result.about.get('methods_text', '')))}</p>"),
        provenance=each(text.provenance),
    )


def _figure2_words(results: Sequence[LensResult]) -> tuple[str, str]:
    modalities = ", ".join(dict.fromkeys(modality_name(m) for result in results for m in result.modalities))
    return (
        f"R² by modality ({modalities}) before and after fine-tuning",
        "Figure 2. R² of each modality on test patients before and after fine-tuning, for the feature family with the "
        "highest R² after fine-tuning. 1: predicted wholly; 0: no better than the training mean; below 0: worse.",
    )


def _figure3_words(result: LensResult, by: Reading) -> tuple[str, str]:
    null = (
        f"Filled black marks: {by.shift} {DIFFERS}; grey open marks: it does not."
        if result.has_null
        else "No permutation null was computed, so none of these shifts is known to differ between the two encoders."
    )
    which = "as in the paper" if by == IMPORTANCE else "by explained spread"
    return (
        f"Features that gained, lost and kept {by.words} for {result.task}",
        f"Figure 3, {which}. Features with the largest and smallest {by.shift}, and "
        f"the most stable ones: smallest |{by.shift}| among features whose {by.words} is above the median before and "
        f"after. Bars: {by.words} {by.symbol}; dots: {by.shift} with its 95 % bootstrap interval. {null}",
    )


def _case_words(case: LensCase) -> tuple[str, str]:
    words = "Every modality with the region's outline. The patient's right is at the left; the bar is 20 mm."
    if case.map is not None:
        words += (
            " Last, the voxel-wise map of one feature over its modality: the feature computed in a small window around "
            "each voxel. It shows where in this patient the feature is high or low, not where the encoder looks."
        )
    return f"Modalities with the region's outline: {case.title}", f"{case.title}. {words}"


_OVERVIEW_WORDS = (
    "Explained spread and importance of all features before and after, and mean shifts by family and modality",
    "All features, above by explained spread E, below by importance I. Left: a mark a feature; above the dashed line "
    "it gained, below it lost (logarithmic where values before and after lie far apart). Right: mean shift.",
)


def _version(results: Sequence[LensResult]) -> str:
    found = dict.fromkeys(str((result.about.get("software") or {}).get("deepradiomics", "")) for result in results)
    return ", ".join(one for one in found if one)
