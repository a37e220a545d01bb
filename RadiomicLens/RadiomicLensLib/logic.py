"""Run the lens from Slicer: what fine-tuning changed in an encoder; the panel and the Python console share this.

    from RadiomicLensLib.logic import RadiomicLensLogic
    logic = RadiomicLensLogic()
    nodes = logic.fit(manifest=path, pre=folder, ft=folder, output=folder)             # blocks
    logic.showFeature("case 1", "t2", "original_glcm_Contrast")
    logic.start_fit(manifest=path, finetune=folder, output=folder, on_finished=print)  # in the background

All computing happens in a child process that runs the command line a terminal runs (`deepradiomics.scene.job.job`).
The scene is touched only when the child has succeeded.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import slicer

from deepradiomics.errors import InputError
from deepradiomics.scene.job.job import Job
from deepradiomics.scene.job.runner import FOLDER_ATTRIBUTE
from deepradiomics.scene.runs.image_tools import ImageTools
from deepradiomics.scene.show.lens.result import lens_tables, nodes_of
from deepradiomics.scene.show.lens.tables import row_of

from . import work

Cases = Mapping[str, Mapping[str, Any]]


class RadiomicLensLogic(ImageTools):
    """A lens fitted on a cohort, and its case view; how runs start and end is said in `ImageTools`."""

    def fit(
        self,
        manifest: Path | str | None = None,
        cases: Cases | Sequence[Any] | None = None,
        pre: Path | str | None = None,
        ft: Path | str | None = None,
        output: Path | str | None = None,
        **options: Any,
    ) -> Any:
        """Fit a lens on a cohort and show its tables and charts.

        Parameters
        ----------
        manifest
            CSV of cases (id, view_<modality>, mask_<roi>); or give `cases`.
        cases
            Case → modality → scalar volume node, and "roi" → (segmentation node, segment ID). The images are written
            into the output folder, where the case view finds them again.
        pre, ft
            The encoder before and after fine-tuning: a bundle's folder, "module:function" (its code runs), or a table
            of embeddings (CSV, Parquet).
        output
            Folder for the result; a stopped fit resumes there.
        options
            ``finetune`` (a fine-tuning's folder: gives both encoders, the splits and the downstream performance),
            ``task_name`` (as tables show it), ``layer``, ``device``, ``seed``, ``resume``, and all of
            `deepradiomics.lens.config.LensConfig`: ``preset`` ("paper", "tiny"), ``modalities``, ``roi``, ``params``,
            ``hidden``, ``sweep``, ``fit_on``, ``permutations``, ``bootstraps``, ``missing`` …

        Returns
        -------
        The nodes (`deepradiomics.scene.show.lens.result.LensNodes`).
        """
        return self.run_and_wait(work.fit, (manifest, cases, pre, ft, output), options)

    def start_fit(self, *arguments: Any, **options: Any) -> Job[Any]:
        """As `fit`, in the background."""
        return self.run_in_background(work.fit, arguments, options)

    def open(self, result_folder: Path | str) -> Any:
        """Show a lens that was fitted before; nothing is computed. Returns its nodes."""
        return work.open_result(result_folder)

    def showFeature(self, caseId: str, modality: str, feature: str, **options: Any) -> Any:
        """Map a feature over its modality in one case, with the region's outline, all modalities side by side.

        Parameters
        ----------
        caseId
            A case of the lens (cases.csv of its folder); with `volumes` any name.
        feature
            Name as the shift table has it ("wavelet-LLH_glcm_Contrast").
        options
            ``result`` (the lens: its folder or its shift table node; the last in the scene by default), ``volumes``
            (modality → volume node) with ``roi`` (segmentation node, segment ID; the ellipsoid if left out) to look at
            images of the scene. Those need no lens: then ``preset`` says how features are computed.

        Returns
        -------
        The nodes (`deepradiomics.scene.show.lens.case.CaseNodes`).
        """
        arguments, options = _case_options((caseId, modality, feature), options)
        return self.run_and_wait(work.case, arguments, options)

    def start_show_feature(self, caseId: str, modality: str, feature: str, **options: Any) -> Job[Any]:
        """As `showFeature`, in the background."""
        arguments, options = _case_options((caseId, modality, feature), options)
        return self.run_in_background(work.case, arguments, options)


def _case_options(row: tuple[str, str, str], options: Mapping[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """The run's arguments: the lens's folder before the row, and its nodes where they are in the scene."""
    options = dict(options)
    lens = options.pop("result", None)
    tables = lens_tables(slicer.mrmlScene)
    if isinstance(lens, (str, Path)):
        folder = Path(lens).absolute()
        table = next((node for node in reversed(tables) if node.GetAttribute(FOLDER_ATTRIBUTE) == str(folder)), None)
    else:
        table = lens if lens is not None else (tables[-1] if tables else None)
        if table is None:
            return (None, *row), options
        remembered = table.GetAttribute(FOLDER_ATTRIBUTE)
        if not remembered:
            raise InputError(f"'{table.GetName()}' does not say where its lens lies: give result=… (its folder).")
        folder = Path(remembered)
    if not (folder / "lens.json").is_file():
        raise InputError(f"{folder}: there is no lens (any more); open its folder where it lies now.")
    if table is not None and row_of(table, *row[1:]) is None:
        raise InputError(f"the lens has no feature {row[2]!r} of the modality {row[1]!r}; see its shift table.")
    return (folder, *row), options | ({"lens": nodes_of(table)} if table is not None else {})
