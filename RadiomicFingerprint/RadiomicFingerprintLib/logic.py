"""Run the fingerprint from Slicer: nodes in, nodes out; the panel and the Python console share this.

    from RadiomicFingerprintLib.logic import RadiomicFingerprintLogic
    nodes = RadiomicFingerprintLogic().apply(volumes={"sagittal": node}, bundle=path, roi=None)   # blocks
    logic = RadiomicFingerprintLogic()
    logic.start(volumes={"sagittal": node}, on_finished=print)                                    # in the background

All computing happens in a child process that runs the command line a terminal runs (`deepradiomics.scene.job`).
The scene is touched only when the child has succeeded.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import slicer

from deepradiomics.errors import DeepRadiomicsError, InputError
from deepradiomics.scene.job import Job, run_blocking
from deepradiomics.scene.process import StartProcess, start_process

from . import work

POLL_INTERVAL_MS = 200
CALLBACKS = ("on_progress", "on_log", "on_finished", "on_failed", "on_cancelled")
Cases = Path | str | Mapping[str, Mapping[str, Any]]


class Timer(Protocol):
    """Calls a function again and again until stopped; Qt's timer in Slicer, a fake in tests."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


class RadiomicFingerprintLogic:
    """One run at a time.

    Each kind of run has two methods: one waits for the end and returns the result; the other, whose name begins with
    ``start``, returns the job at once and tells by callbacks: ``on_progress(fraction, message)``, ``on_log(line)``,
    ``on_finished(result)``, ``on_failed(error)``, ``on_cancelled()``.

    What waits raises what went wrong, in the child's own words: InputError (a mistake in the input),
    MissingDependencyError, Cancelled or DeepRadiomicsError. Nothing has been added to the scene then.

    Parameters
    ----------
    start_child, make_timer
        How the child process is started and how it is polled; tests pass fakes.
    """

    def __init__(
        self,
        start_child: StartProcess = start_process,
        make_timer: "Callable[[Callable[[], None], int], Timer] | None" = None,
    ) -> None:
        self._start_child, self._make_timer = start_child, make_timer or qt_timer
        self._timer: Timer | None = None
        self.job: Job[Any] | None = None

    @property
    def running(self) -> bool:
        """Whether a background run is under way."""
        return self.job is not None and self.job.running

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
            "cpu", "gpu"), ``inference`` ("paper", "masked", "soft"), ``device``, ``case_id``, ``output_folder`` (keeps
            the files).

        Returns
        -------
        The result's nodes (`deepradiomics.scene.fingerprint.FingerprintNodes`).
        """
        return self._wait(work.fingerprint, (volumes, bundle, roi), options)

    def start(
        self, volumes: Mapping[str, Any], bundle: Path | str | None = None, roi: Any = None, **options: Any
    ) -> Job[Any]:
        """As `apply`, in the background."""
        return self._start(work.fingerprint, (volumes, bundle, roi), options)

    def batch(self, cases: Cases, output: Path | str, bundle: Path | str | None = None, **options: Any) -> Any:
        """Apply a model to a folder of cases, or to volumes of the scene (case id → view → node).

        Results lie in ``output``, one folder a case. Options: ``registration``, ``inference``, ``device``. Returns the
        table node of what became of each case.
        """
        return self._wait(work.batch, (cases, output, bundle), options)

    def start_batch(
        self, cases: Cases, output: Path | str, bundle: Path | str | None = None, **options: Any
    ) -> Job[Any]:
        """As `batch`, in the background."""
        return self._start(work.batch, (cases, output, bundle), options)

    def features_only(self, volume: Any, **options: Any) -> Any:
        """Radiomic features of a volume's segments or box, without a model.

        Parameters
        ----------
        volume
            Scalar volume node.
        options
            ``segmentation`` and ``segment_ids`` (None: all), or ``roi`` (markups ROI node; None: the image's centre)
            with ``patch_grid`` (z, y, x); ``params`` (preset or PyRadiomics YAML file), ``device``, ``output_folder``.

        Returns
        -------
        The nodes (`deepradiomics.scene.features.FeatureNodes`); ``.features`` is the table: a row a region and feature.
        """
        return self._wait(work.features, (volume,), options)

    def start_features(self, volume: Any, **options: Any) -> Job[Any]:
        """As `features_only`, in the background."""
        return self._start(work.features, (volume,), options)

    def feature_maps(self, volume: Any, features: Sequence[str] = (), **options: Any) -> Any:
        """Radiomic features around each voxel of a region, each as a volume in colours over the anatomy.

        Parameters
        ----------
        volume
            Scalar volume node.
        features
            Names as a table of features has them ("original_glcm_Contrast"), short ("glcm_Contrast") or a family
            ("glcm"); empty for all of ``params`` but shape.
        options
            ``kernel_radius`` (voxels, 1: 3 × 3 × 3), ``segmentation`` and ``segment_ids`` (None: all, as one region),
            or ``roi`` (markups ROI node; None: the image's centre); ``params``, ``device``, ``output_folder``.

        Returns
        -------
        The nodes (`deepradiomics.scene.maps.MapNodes`); ``.maps`` are volume nodes by feature.
        """
        return self._wait(work.feature_maps, (volume, features), options)

    def start_feature_maps(self, volume: Any, features: Sequence[str] = (), **options: Any) -> Job[Any]:
        """As `feature_maps`, in the background."""
        return self._start(work.feature_maps, (volume, features), options)

    def train(self, manifest: Path | str, output: Path | str, **options: Any) -> Path:
        """Train a model from a manifest; returns the bundle's folder.

        Parameters
        ----------
        options
            ``tasks`` (names; empty: all), ``preset`` ("tiny", "paper"), ``patch_grid`` (z, y, x) and ``reference_view``
            (None: the preset's), ``device``, ``seed``.
        """
        return self._wait(work.training, (manifest, output), options)

    def start_training(self, manifest: Path | str, output: Path | str, **options: Any) -> Job[Any]:
        """As `train`, in the background."""
        return self._start(work.training, (manifest, output), options)

    def cancel(self) -> None:
        """End the run: the whole child tree and its temporary folder go, the scene stays as it was."""
        if self.job is not None:
            self.job.cancel()
        self._stop_timer()

    # --- running ---------------------------------------------------------------------------------------------------

    def _job(self, kind: Callable[..., work.Work], given: tuple, options: Mapping[str, Any]) -> Job[Any]:
        if self.running:
            raise InputError("a run is under way: wait for its end or cancel it.")
        callbacks = {name: value for name, value in options.items() if name in CALLBACKS}
        run = kind(*given, **{name: value for name, value in options.items() if name not in CALLBACKS})
        finished, failed = callbacks.pop("on_finished", None), callbacks.pop("on_failed", None)

        def conclude(event: dict[str, Any], folder: Path) -> Any:
            value = run.show(event, folder)
            if finished is not None:
                finished(value)
            return value

        def tell(error: DeepRadiomicsError) -> None:
            if run.salvage is not None:
                run.salvage()
            if failed is not None:
                failed(error)

        return Job(run.build, on_finished=conclude, on_failed=tell, start_child=self._start_child, **callbacks)

    def _wait(self, kind: Callable[..., work.Work], given: tuple, options: Mapping[str, Any]) -> Any:
        self.job = self._job(kind, given, options)
        return run_blocking(self.job, between=slicer.app.processEvents)

    def _start(self, kind: Callable[..., work.Work], given: tuple, options: Mapping[str, Any]) -> Job[Any]:
        self.job = self._job(kind, given, options)
        self.job.start()
        self._timer = self._make_timer(self._poll, POLL_INTERVAL_MS)
        self._timer.start()
        return self.job

    def _poll(self) -> None:
        if self.job is None or not self.job.poll():
            self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None


def qt_timer(call: Callable[[], None], interval_ms: int) -> Timer:
    """A timer of the application's event loop."""
    import qt

    timer = qt.QTimer()
    timer.setInterval(interval_ms)
    timer.connect("timeout()", call)
    return timer
