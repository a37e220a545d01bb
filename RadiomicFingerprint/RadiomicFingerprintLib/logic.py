"""Run the fingerprint from Slicer: nodes in, nodes out; the panel and the Python console share this.

    from RadiomicFingerprintLib.logic import RadiomicFingerprintLogic
    nodes = RadiomicFingerprintLogic().apply(volumes={"sagittal": node}, bundle=path, roi=None)   # blocks
    RadiomicFingerprintLogic().start(volumes={"sagittal": node}, on_finished=print)               # in the background

All computing happens in a child process that runs the command line a terminal runs (`deepradiomics.scene.job`).
The scene is touched only when the child has succeeded.
"""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import slicer

from deepradiomics.errors import DeepRadiomicsError, InputError
from deepradiomics.scene.job import Job, run_blocking
from deepradiomics.scene.process import StartProcess, start_process

from . import commands, inputs
from .bundles import SAMPLE_BUNDLE, read_summary

POLL_INTERVAL_MS = 200
FOLDER_ATTRIBUTE = "DeepRadiomics.result_folder"
PREDICTION_ROLE = "DeepRadiomics.prediction"  # from the fingerprint's table node to the other results
RELEVANCE_ROLE = "DeepRadiomics.relevance."  # these three end in the task's name
GRADCAM_ROLE = "DeepRadiomics.gradcam."
CHART_ROLE = "DeepRadiomics.chart."


class Timer(Protocol):
    """Calls a function again and again until stopped; Qt's timer in Slicer, a fake in tests."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


class RadiomicFingerprintLogic:
    """One run at a time.

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
        self._start_child, self._make_timer = start_child, make_timer or _qt_timer
        self._timer: Timer | None = None
        self.job: Job[Any] | None = None

    @property
    def running(self) -> bool:
        """Whether a background run is under way."""
        return self.job is not None and self.job.running

    # --- with a model ----------------------------------------------------------------------------------------------

    def apply(
        self, volumes: Mapping[str, Any], bundle: Path | str | None = None, roi: Any = None, **options: Any
    ) -> Any:
        """Predict, and show the features behind the prediction and where they lie; waits for the end.

        Parameters
        ----------
        volumes
            View ("sagittal", "coronal", "axial") → scalar volume node; missing views are reformatted from a given one.
        bundle
            Folder of the model; the sample model when None.
        roi
            Markups ROI node, or a `Box`; the centre of the image when None.
        options
            As `start` takes them.

        Returns
        -------
        The result's nodes (`deepradiomics.scene.fingerprint`).

        Raises
        ------
        InputError, MissingDependencyError, Cancelled, DeepRadiomicsError
            What the child says went wrong. Nothing is added to the scene then.
        """
        return self._wait(self._fingerprint_job(volumes, bundle, roi, **options))

    def start(
        self, volumes: Mapping[str, Any], bundle: Path | str | None = None, roi: Any = None, **options: Any
    ) -> Job[Any]:
        """As `apply`, in the background.

        Parameters
        ----------
        options
            ``segmentation`` and ``segment_id`` (a segment as the region), ``registration`` (None as trained, "off",
            "cpu", "gpu"), ``inference`` ("paper", "masked", "soft"), ``device``, ``case_id``, ``output_folder`` (keeps
            the files); callbacks ``on_progress(fraction, message)``, ``on_log(line)``, ``on_finished(nodes)``,
            ``on_failed(error)``, ``on_cancelled()``.
        """
        return self._run(self._fingerprint_job(volumes, bundle, roi, **options))

    def _fingerprint_job(
        self,
        volumes: Mapping[str, Any],
        bundle: Path | str | None,
        roi: Any,
        *,
        segmentation: Any = None,
        segment_id: str | None = None,
        registration: str | None = None,
        inference: str = "paper",
        device: str = "auto",
        case_id: str = "case",
        output_folder: Path | str | None = None,
        **callbacks: Any,
    ) -> Job[Any]:
        model = Path(bundle) if bundle is not None else SAMPLE_BUNDLE
        summary = read_summary(model)
        if roi is not None and segmentation is not None:
            raise InputError("roi and segmentation: give one of them, each defines the region of interest.")
        if segmentation is not None and not segment_id:
            raise InputError("segment_id: name the segment that is the region of interest.")

        def build(folder: Path) -> Sequence[str]:
            views = inputs.write_views(volumes, folder)
            reference = volumes.get(summary.reference_view) or next(iter(volumes.values()))
            return commands.apply_arguments(
                views,
                model,
                folder / "result",
                roi_box=inputs.write_box(roi, folder) if roi is not None else None,
                mask=inputs.write_segment(segmentation, segment_id, reference, folder)
                if segmentation is not None
                else None,
                registration=commands.registration_arguments(registration, summary.registration),
                inference=inference,
                device=device,
                case_id=case_id,
            )

        def show(event: Mapping[str, Any], folder: Path) -> Any:
            from deepradiomics.scene.fingerprint import show_fingerprint

            kept = keep(folder / "result", case_id, output_folder)
            nodes = show_fingerprint(kept, dict(volumes), slicer.mrmlScene)
            refer_to_results(nodes)
            nodes.fingerprint.SetAttribute(FOLDER_ATTRIBUTE, str(kept))
            return nodes

        return self._job(build, show, **callbacks)

    def batch(
        self,
        cases: Path | str | Mapping[str, Mapping[str, Any]],
        output: Path | str,
        bundle: Path | str | None = None,
        **options: Any,
    ) -> Any:
        """Apply a model to a folder of cases, or to volumes of the scene (case id → view → node); waits for the end.

        Returns the table node of what became of each case. Results lie in ``output``, one folder a case.
        """
        return self._wait(self._batch_job(cases, output, bundle, **options))

    def start_batch(
        self,
        cases: Path | str | Mapping[str, Mapping[str, Any]],
        output: Path | str,
        bundle: Path | str | None = None,
        **options: Any,
    ) -> Job[Any]:
        """As `batch`, in the background; options and callbacks as `start` (registration, inference, device)."""
        return self._run(self._batch_job(cases, output, bundle, **options))

    def _batch_job(
        self,
        cases: Path | str | Mapping[str, Mapping[str, Any]],
        output: Path | str,
        bundle: Path | str | None,
        *,
        registration: str | None = None,
        inference: str = "paper",
        device: str = "auto",
        **callbacks: Any,
    ) -> Job[Any]:
        model = Path(bundle) if bundle is not None else SAMPLE_BUNDLE
        trained = read_summary(model).registration
        out = Path(output)

        def build(folder: Path) -> Sequence[str]:
            source = (
                inputs.write_batch_manifest(cases, folder) if isinstance(cases, Mapping) else batch_source(Path(cases))
            )
            return commands.batch_arguments(
                source,
                model,
                out,
                registration=commands.registration_arguments(registration, trained),
                inference=inference,
                device=device,
            )

        def show(event: Mapping[str, Any], folder: Path) -> Any:
            return inputs.table_of_csv(out / "batch.csv", "Batch of fingerprints")

        failed = callbacks.pop("on_failed", None)

        def tell(error: DeepRadiomicsError) -> None:
            if (out / "batch.csv").is_file():  # some cases failed: which, and why, stands in the table
                show({}, out)
            if failed is not None:
                failed(error)

        return self._job(build, show, on_failed=tell, **callbacks)

    # --- without a model -------------------------------------------------------------------------------------------

    def features_only(self, volume: Any, **options: Any) -> Any:
        """Radiomic features of a volume's segments or box, without a model; waits for the end.

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
        return self._wait(self._features_job(volume, **options))

    def start_features(self, volume: Any, **options: Any) -> Job[Any]:
        """As `features_only`, in the background; callbacks as `start`."""
        return self._run(self._features_job(volume, **options))

    def _features_job(
        self,
        volume: Any,
        *,
        segmentation: Any = None,
        segment_ids: Sequence[str] | None = None,
        roi: Any = None,
        patch_grid: Sequence[int] = (1, 1, 1),
        params: str = "fingerprint-107",
        device: str = "auto",
        output_folder: Path | str | None = None,
        **callbacks: Any,
    ) -> Job[Any]:
        def build(folder: Path) -> Sequence[str]:
            from deepradiomics.images import write_mask, write_volume
            from deepradiomics.scene.volumes import volume_from_node

            image = volume_from_node(volume)
            mask = inputs.region_mask(
                image, roi=roi, segmentation=segmentation, segment_ids=segment_ids, patch_grid=patch_grid
            )
            write_volume(image, folder / "image.nrrd")
            write_mask(mask, folder / "mask.nrrd")
            (folder / "result").mkdir()
            return commands.extract_arguments(
                folder / "image.nrrd",
                folder / "mask.nrrd",
                folder / "result" / "features.csv",
                params=params,
                device=device,
            )

        def show(event: Mapping[str, Any], folder: Path) -> Any:
            from deepradiomics.scene.features import show_features

            kept = keep(folder / "result", "features", output_folder)
            nodes = show_features(kept, {"image": volume, "segmentation": segmentation, "roi": roi}, slicer.mrmlScene)
            nodes.features.SetAttribute(FOLDER_ATTRIBUTE, str(kept))
            return nodes

        return self._job(build, show, **callbacks)

    # --- training --------------------------------------------------------------------------------------------------

    def train(self, manifest: Path | str, output: Path | str, **options: Any) -> Path:
        """Train a model from a manifest; waits for the end and returns the bundle's folder."""
        return self._wait(self._training_job(manifest, output, **options))

    def start_training(self, manifest: Path | str, output: Path | str, **options: Any) -> Job[Any]:
        """As `train`, in the background.

        Parameters
        ----------
        options
            ``tasks`` (names; empty: all), ``preset`` ("tiny", "paper"), ``patch_grid`` (z, y, x) and ``reference_view``
            (None: the preset's), ``device``, ``seed``; callbacks as `start`.
        """
        return self._run(self._training_job(manifest, output, **options))

    def _training_job(
        self,
        manifest: Path | str,
        output: Path | str,
        *,
        tasks: Sequence[str] = (),
        preset: str = "tiny",
        patch_grid: Sequence[int] | None = None,
        reference_view: str | None = None,
        device: str = "auto",
        seed: int = 0,
        **callbacks: Any,
    ) -> Job[Any]:
        out = Path(output)

        def build(folder: Path) -> Sequence[str]:
            changed = patch_grid is not None or reference_view is not None
            config = _write_config(folder / "config.json", preset, patch_grid, reference_view) if changed else None
            return commands.train_arguments(
                Path(manifest), out, tasks=tasks, preset=preset, config=config, device=device, seed=seed
            )

        return self._job(build, lambda event, folder: Path(event["bundle"]), **callbacks)

    # --- running ---------------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """End the run: the whole child tree and its temporary folder go, the scene stays as it was."""
        if self.job is not None:
            self.job.cancel()
        self._stop_timer()

    def _job(
        self, build: Callable[[Path], Sequence[str]], show: Callable[[Mapping[str, Any], Path], Any], **callbacks: Any
    ) -> Job[Any]:
        if self.running:
            raise InputError("a run is under way: wait for its end or cancel it.")
        finished = callbacks.pop("on_finished", None)

        def conclude(event: dict[str, Any], folder: Path) -> Any:
            value = show(event, folder)
            if finished is not None:
                finished(value)
            return value

        return Job(build, on_finished=conclude, start_child=self._start_child, **callbacks)

    def _wait(self, job: Job[Any]) -> Any:
        self.job = job
        return run_blocking(job, between=slicer.app.processEvents)

    def _run(self, job: Job[Any]) -> Job[Any]:
        self.job = job
        job.start()
        self._timer = self._make_timer(self._poll, POLL_INTERVAL_MS)
        self._timer.start()
        return job

    def _poll(self) -> None:
        if self.job is None or not self.job.poll():
            self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None


def keep(result: Path, case_id: str, output_folder: Path | str | None) -> Path:
    """Copy a result out of the job's folder, which goes; by default into Slicer's temporary folder."""
    name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in case_id) or "case"
    if output_folder:
        target = Path(output_folder) / name
    else:
        target = Path(slicer.app.temporaryPath) / "DeepRadiomics" / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    target.mkdir(parents=True, exist_ok=True)
    shutil.copytree(result, target, dirs_exist_ok=True)
    return target


def batch_source(folder: Path) -> Path:
    """What names the cases of a folder: its manifest.csv where there is one, else the folder with a subfolder a case."""
    return folder / "manifest.csv" if (folder / "manifest.csv").is_file() else folder


def refer_to_results(nodes: Any) -> None:
    """Let the fingerprint's table node refer to prediction, heat maps and charts, so that a saved scene finds them."""
    table = nodes.fingerprint
    table.SetNodeReferenceID(PREDICTION_ROLE, nodes.prediction.GetID())
    results = {RELEVANCE_ROLE: nodes.relevance, GRADCAM_ROLE: nodes.gradcam, CHART_ROLE: nodes.charts}
    for role, by_task in results.items():
        for task, node in by_task.items():
            table.SetNodeReferenceID(role + task, node.GetID())


def _write_config(path: Path, preset: str, patch_grid: Sequence[int] | None, reference_view: str | None) -> Path:
    from dataclasses import replace

    from deepradiomics.files import write_json
    from deepradiomics.fingerprint.config import config

    chosen = config(preset)  # type: ignore[arg-type]
    recipe = chosen.recipe
    if patch_grid is not None:
        recipe = replace(recipe, patch_grid=tuple(patch_grid))  # type: ignore[arg-type]
    if reference_view is not None:
        recipe = replace(recipe, reference_view=reference_view)
    write_json(path, replace(chosen, recipe=recipe).to_dict())
    return path


def _qt_timer(call: Callable[[], None], interval_ms: int) -> Timer:
    import qt

    timer = qt.QTimer()
    timer.setInterval(interval_ms)
    timer.connect("timeout()", call)
    return timer
