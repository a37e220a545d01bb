"""Run the fingerprint from Slicer: nodes in, nodes out; the panel and the Python console share this.

    from RadiomicFingerprintLib.logic import RadiomicFingerprintLogic
    nodes = RadiomicFingerprintLogic().apply(volumes={"sagittal": node}, bundle=path, roi=None)   # blocks
    logic = RadiomicFingerprintLogic()
    logic.start(volumes={"sagittal": node}, on_finished=print)                                    # in the background

All computing happens in a child process that runs the command line a terminal runs (`deepradiomics.scene.job.job`).
The scene is touched only when the child has succeeded.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepradiomics.scene.job.job import Job
from deepradiomics.scene.runs.image_tools import ImageTools

from . import work

Cases = Path | str | Mapping[str, Mapping[str, Any]]


class RadiomicFingerprintLogic(ImageTools):
    """Fingerprints of one exam or many, and their training; how runs start and end is said in `ImageTools`."""

    def apply(
        self, volumes: Mapping[str, Any], bundle: Path | str | None = None, roi: Any = None, **options: Any
    ) -> Any:
        """Predict, and show the features behind the prediction and where they lie.

        Parameters
        ----------
        volumes
            View ("sagittal", "coronal", "axial") → scalar volume node; missing views are reformatted from a given one.
        bundle
            Folder of the model; the sample model when None.
        roi
            Markups ROI node, or a `Box`; the centre of the image when None.
        options
            ``segmentation`` and ``segment_id`` (a segment as the region), ``registration`` (None as trained, "off",
            "cpu", "gpu"), ``inference`` ("paper", "masked", "soft"), ``device``, ``case_id`` (None: the name of the
            volume), ``output_folder`` (keeps the files).

        Returns
        -------
        The result's nodes (`deepradiomics.scene.show.fingerprint.FingerprintNodes`).
        """
        return self.run_and_wait(work.fingerprint, (volumes, bundle, roi), options)

    def start(
        self, volumes: Mapping[str, Any], bundle: Path | str | None = None, roi: Any = None, **options: Any
    ) -> Job[Any]:
        """As `apply`, in the background."""
        return self.run_in_background(work.fingerprint, (volumes, bundle, roi), options)

    def open(self, result_folder: Path | str, volumes: Mapping[str, Any] | None = None) -> Any:
        """Show a result that was computed before (a folder of ``fingerprint apply``); returns its nodes."""
        return work.open_result(result_folder, volumes)

    def batch(self, cases: Cases, output: Path | str, bundle: Path | str | None = None, **options: Any) -> Any:
        """Apply a model to a folder of cases, or to volumes of the scene (case id → view → node).

        Results lie in ``output``, one folder per case. Options: ``registration``, ``inference``, ``device``. Returns
        the table node of what became of each case.
        """
        return self.run_and_wait(work.batch, (cases, output, bundle), options)

    def start_batch(
        self, cases: Cases, output: Path | str, bundle: Path | str | None = None, **options: Any
    ) -> Job[Any]:
        """As `batch`, in the background."""
        return self.run_in_background(work.batch, (cases, output, bundle), options)

    def train(self, manifest: Path | str, output: Path | str, **options: Any) -> Path:
        """Train a model from a manifest; returns the bundle's folder.

        Parameters
        ----------
        options
            ``tasks`` (names; empty: all), ``preset`` ("tiny", "paper"), ``patch_grid`` (z, y, x) and ``reference_view``
            (None: the preset's), ``device``, ``seed``.
        """
        return self.run_and_wait(work.training, (manifest, output), options)

    def start_training(self, manifest: Path | str, output: Path | str, **options: Any) -> Job[Any]:
        """As `train`, in the background."""
        return self.run_in_background(work.training, (manifest, output), options)
