"""Haematoma, risk and where it comes from, from Slicer: nodes in, nodes out; panel and Python console share this.

    from ICHLatentFeaturesLib.logic import ICHLatentFeaturesLogic
    nodes = ICHLatentFeaturesLogic().apply(ct=node, bundle=path)                 # blocks; the model outlines
    logic = ICHLatentFeaturesLogic()
    logic.start(ct=node, bundle=path, segmentation=segments, segment_id="haematoma", on_finished=print)

All computing happens in a child process that runs the command line a terminal runs (`deepradiomics.scene.job`).
The scene is touched only when the child has succeeded.
"""

from pathlib import Path
from typing import Any

from deepradiomics.scene.image_tools import ImageTools
from deepradiomics.scene.job import Job

from . import work


class ICHLatentFeaturesLogic(ImageTools):
    """One run at a time; `segment` and `register` are those of every module (`deepradiomics.scene.image_tools`).

    Each kind of run has two methods: one waits for the end and returns the result; the other, whose name begins with
    ``start``, returns the job at once and tells by callbacks: ``on_progress(fraction, message)``, ``on_log(line)``,
    ``on_finished(result)``, ``on_failed(error)``, ``on_cancelled()``.

    What waits raises what went wrong, in the child's own words: InputError (a mistake in the input),
    MissingDependencyError, Cancelled or DeepRadiomicsError. Nothing has been added to the scene then.
    """

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
        The nodes (`deepradiomics.scene.ich_case.IchNodes`).
        """
        return self.run_and_wait(work.apply, (ct, bundle), options)

    def start(self, ct: Any, bundle: Path | str | None = None, **options: Any) -> Job[Any]:
        """As `apply`, in the background."""
        return self.run_in_background(work.apply, (ct, bundle), options)

    def expansion(self, baseline: Any, followup: Any, **options: Any) -> Any:
        """Lay a follow-up CT onto the baseline and show where the haematoma grew; no outcome model is needed.

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
        The nodes (`deepradiomics.scene.ich_expansion.ExpansionNodes`).
        """
        return self.run_and_wait(work.expansion, (baseline, followup), options)

    def start_expansion(self, baseline: Any, followup: Any, **options: Any) -> Job[Any]:
        """As `expansion`, in the background."""
        return self.run_in_background(work.expansion, (baseline, followup), options)

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
        The nodes (`deepradiomics.scene.ich_experiment.ExperimentNodes`).
        """
        return self.run_and_wait(work.experiment, (manifest, output), options)

    def start_experiment(self, manifest: Path | str, output: Path | str, **options: Any) -> Job[Any]:
        """As `experiment`, in the background."""
        return self.run_in_background(work.experiment, (manifest, output), options)

    def open(self, result_folder: Path | str, ct: Any = None) -> Any:
        """Show a result that was computed before (a patient, an expansion or an experiment); returns its nodes."""
        return work.open_result(result_folder, ct)
