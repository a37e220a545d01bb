"""Tables and figures of a finished evaluation or ablation, written beside its predictions.

evaluate ─► Evaluation ─► t1, t1_comparisons, selection, top_features (CSV, JSON, Markdown) and PNG figures
ablate   ─► Evaluation ─► t2
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.evaluate.localise import localise
from deepradiomics.fingerprint.evaluate.ranks import Localisation
from deepradiomics.fingerprint.evaluate.result import Evaluation
from deepradiomics.progress import Progress, part, silent
from deepradiomics.reports.canvas import save
from deepradiomics.reports.fingerprint.figures import draw_evaluation, loss_figure
from deepradiomics.reports.fingerprint.tables import selection_table, t1, t1_comparisons, t2, top_table, write_table


def write_evaluation(
    evaluation: Evaluation,
    folder: Path | str,
    *,
    truth: Path | str | None = None,
    n_bootstrap: int = 2000,
    figures: bool = True,
    warn: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Write everything that an evaluation shows; returns the paths.

    Args:
        evaluation: from ``evaluate`` or ``ablate``, or ``Evaluation.load``.
        folder: where it was saved; localisation and loss curves are found there.
        truth: a phantom cohort's ``truth.csv``, for the localisation of planted lesions.
        n_bootstrap: resamples of the intervals.
        figures: draw PNGs as well.
        warn: is told when there can be no localisation (another patch grid, no lesion in a test case); without it that
            is an error.
    """
    folder, report = Path(folder), progress or silent
    if evaluation.kind == "ablation":
        report(0.0, "table T2")
        return write_table(t2(evaluation, n_bootstrap=n_bootstrap), folder)
    written: list[Path] = []
    tables = [
        t1(evaluation, n_bootstrap=n_bootstrap, progress=part(progress, 0.0, 0.7)),
        *([t1_comparisons(evaluation)] if _has_rivals(evaluation) else []),
        *([selection_table(evaluation)] if evaluation.selections else []),
        *([top_table(evaluation)] if evaluation.top else []),
    ]
    for table in tables:
        written += write_table(table, folder)
    localisation: Localisation | None = None
    if truth is not None:
        report(0.75, "localisation")
        try:
            localisation = localise(folder, truth)
            written += [folder / "localisation.csv", folder / "localisation.json"]
        except InputError as error:
            if warn is None:
                raise
            warn(f"no localisation: {error}")
    if figures:
        report(0.8, "figures")
        written += draw_evaluation(evaluation, folder / "figures", localisation)
        written += _loss_curves(folder)
    report(1.0, "tables and figures")
    return tuple(written)


def _has_rivals(evaluation: Evaluation) -> bool:
    methods = {row.method for row in evaluation.predictions}
    return "fingerprint" in methods and len(methods) > 1


def _loss_curves(folder: Path) -> list[Path]:
    """One curve for each fingerprint model trained in the folder."""
    return [
        save(
            loss_figure(history, f"Fingerprint, {history.parent.parent.name}"), folder / "figures" / f"loss_{name}.png"
        )
        for history in sorted(folder.glob("runs/*/fingerprint/history.csv"))
        for name in (history.parent.parent.name,)
    ]
