"""Haematoma, risk and where it comes from, from Slicer: nodes in, nodes out; panel and Python console share this.

    from ICHLatentFeaturesLib.logic import ICHLatentFeaturesLogic
    nodes = ICHLatentFeaturesLogic().apply(ct=node, bundle=path)                 # blocks; the model outlines
    logic = ICHLatentFeaturesLogic()
    logic.start(ct=node, bundle=path, segmentation=segments, segment_id="haematoma", on_finished=print)

All computing happens in a child process that runs the command line a terminal runs (`deepradiomics.scene.job.job`).
The scene is touched only when the child has succeeded.
"""

from pathlib import Path
from typing import Any

import slicer

from deepradiomics.scene.job.job import Job
from deepradiomics.scene.runs.image_tools import ImageTools

from . import work


class ICHLatentFeaturesLogic(ImageTools):
    """One patient, the expansion alone, and experiments on cohorts; how runs start and end is said in `ImageTools`."""

    def apply(self, ct: Any, bundle: Path | str | None = None, **options: Any) -> Any:
        """Outline and measure the haematoma, predict each outcome, and show where the risk comes from.

        Parameters
        ----------
        ct
            Scalar volume node: a head CT without contrast, in HU.
        bundle
            Folder of the model ("bundle" of an experiment); None for the sample model (synthetic heads).
        options
            ``segmentation`` and ``segment_id`` (a segment as the haematoma), or ``segmenter`` (folder of another
            network) with ``flips`` and ``largest``; without either the model's own network outlines. ``followup`` (a
            later CT) with ``followup_segmentation`` and ``followup_segment_id``; ``lesions`` ("all", "largest",
            "each"), ``clinical`` ("age=70,sex=F"), ``case_id`` (None: the CT's name), ``device``,
            ``output_folder`` (keeps the files).

        Returns
        -------
        The nodes (`deepradiomics.scene.show.ich.case.IchNodes`).
        """
        return self.run_and_wait(work.apply, (ct, bundle), options)

    def start(self, ct: Any, bundle: Path | str | None = None, **options: Any) -> Job[Any]:
        """As `apply`, in the background."""
        return self.run_in_background(work.apply, (ct, bundle), options)

    def expansion(self, baseline: Any, followup: Any, **options: Any) -> Any:
        """Lay a follow-up CT onto the baseline and show where the haematoma expanded; no outcome model is needed.

        Parameters
        ----------
        baseline, followup
            Scalar volume nodes of one patient's head CTs.
        options
            ``baseline_segmentation`` and ``baseline_segment_id``, ``followup_segmentation`` and
            ``followup_segment_id``; ``segmenter`` (a network's folder, for what has no segmentation) with ``flips``
            and ``largest``; ``backend`` ("auto", "cpu", "gpu"), ``case_id`` (None: the baseline's name), ``device``,
            ``output_folder``.

        Returns
        -------
        The nodes (`deepradiomics.scene.show.ich.expansion.ExpansionNodes`).
        """
        return self.run_and_wait(work.expansion, (baseline, followup), options)

    def start_expansion(self, baseline: Any, followup: Any, **options: Any) -> Job[Any]:
        """As `expansion`, in the background."""
        return self.run_in_background(work.expansion, (baseline, followup), options)

    def dicom(self, risk: Any, ct: Any, output_folder: Path | str, **options: Any) -> tuple[Path, tuple[str, ...]]:
        """Write a patient's haematoma and its features as DICOM (SEG, and SR by TID 1500).

        Parameters
        ----------
        risk, ct
            Table node of the result's risks, and the CT, which came from Slicer's DICOM database.
        output_folder
            A new folder for the files is made in it.

        Returns
        -------
        The new folder, and notes on what was assumed.
        """
        options["output_folder"] = output_folder
        return self.run_and_wait(work.dicom, (risk, ct, slicer.dicomDatabase), options)

    def start_dicom(self, risk: Any, ct: Any, output_folder: Path | str, **options: Any) -> Job[Any]:
        """As `dicom`, in the background."""
        options["output_folder"] = output_folder
        return self.run_in_background(work.dicom, (risk, ct, slicer.dicomDatabase), options)

    def experiment(self, manifest: Path | str, output: Path | str, **options: Any) -> Any:
        """Compare inputs and classifiers on a cohort: tables, figures, report and a model in ``output``.

        Parameters
        ----------
        options
            ``external`` (manifest of a second cohort), ``encoder`` and ``autoencoder`` (bundles, where the manifest
            names none), ``preset`` ("paper", "tiny"), ``search`` ("fixed", "nested"), ``covariates`` (names),
            ``workers``, ``allow_leakage``, ``device``, ``seed``.

        Returns
        -------
        The nodes (`deepradiomics.scene.show.ich.experiment.ExperimentNodes`).
        """
        return self.run_and_wait(work.experiment, (manifest, output), options)

    def start_experiment(self, manifest: Path | str, output: Path | str, **options: Any) -> Job[Any]:
        """As `experiment`, in the background."""
        return self.run_in_background(work.experiment, (manifest, output), options)

    def open(self, result_folder: Path | str, ct: Any = None) -> Any:
        """Show a result that was computed before (a patient, an expansion or an experiment); returns its nodes."""
        return work.open_result(result_folder, ct)
