"""``deepradiomics demo -o DIR``: the whole path on a real knee MR, in a few minutes, on a CPU.

A tiny model is trained on a small synthetic cohort and applied to the knee. This shows that the software works; the
numbers mean nothing clinically, and the report says so.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepradiomics.cli.fingerprint.apply_case import ApplyOptions, apply_case, files_in, verdicts
from deepradiomics.cli.options import Cases, DeviceName, Epochs, JsonLines, OutputFolder, Scene, Seed
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.session import Session, running
from deepradiomics.cli.shared_groups import ConfigOptions
from deepradiomics.errors import DeepRadiomicsError, InputError

if TYPE_CHECKING:
    from deepradiomics.samples import Sample

_FEWEST_CASES = 12
_SOURCES = ("auto", "test-data", "download", "synthetic")


def demo(
    output: OutputFolder = Path("demo-output"),
    cases: Cases = 24,
    epochs: Epochs = 12,
    seed: Seed = 0,
    source: Annotated[
        str, typer.Option("--input", help="auto, test-data, download or synthetic: where the knee comes from.")
    ] = "auto",
    device: DeviceName = "cpu",
    scene: Scene = True,
    json_lines: JsonLines = False,
) -> None:
    """Run the whole path once: find a knee MR, train a tiny model on synthetic knees, apply it, write the results.

    The prediction demonstrates the software and means nothing clinically.
    """
    with running(json_lines) as session:
        start = time.perf_counter()
        if source not in _SOURCES:
            raise InputError(f"--input: expected one of {', '.join(_SOURCES)}, got {source!r}.")
        if cases < _FEWEST_CASES:
            raise InputError(f"--cases: expected at least {_FEWEST_CASES} knees to train on, got {cases}.")
        check_output(output)

        session.progress(0.0, "looking for a knee MR")
        views, origin = _knee(source, output, seed, session)
        session.say(f"Input: {origin}")
        bundle = _tiny_model(output, cases, epochs, seed, device, session)
        result = output / "result"
        options = ApplyOptions(bundle, device=device, scene=scene)
        prediction = apply_case(
            "demo-knee",
            views,
            None,
            result,
            options,
            session,
            lambda fraction, message: session.progress(0.75 + 0.25 * fraction, message),
        )
        seconds = time.perf_counter() - start
        names = {
            "report": "report.html",
            "table": "fingerprint.csv",
            "heat map": "relevance.nii.gz",
            "scene": "scene.mrb",
        }
        files = {what: result / name for what, name in names.items() if (result / name).is_file()}
        lines = [
            *verdicts(prediction),
            "",
            "The model was trained on a few synthetic knees: these numbers mean nothing clinically.",
            "",
            *(f"{what:9}{path.resolve()}" for what, path in files.items()),
            f"{'time':9}{seconds:.0f} s",
        ]
        session.result(
            "\n".join(lines), folder=str(result), files=files_in(result), input=origin, seconds=round(seconds, 1)
        )


def _knee(source: str, output: Path, seed: int, session: Session) -> tuple[dict[str, Path], str]:
    """Return the knee's views and a sentence on their origin: test data, else a download, else a synthetic knee."""
    from deepradiomics.samples import knee_mri_download, knee_mri_in_test_data

    sample: Sample | None = knee_mri_in_test_data() if source in ("auto", "test-data") else None
    if sample is None and source == "test-data":
        raise InputError("--input test-data: set DEEPRADIOMICS_TEST_DATA to the folder that holds knee_mri_mese.")
    if sample is None and source in ("auto", "download"):
        try:
            sample = knee_mri_download(progress=lambda fraction, message: session.progress(0.05 * fraction, message))
        except DeepRadiomicsError as error:
            if source == "download":
                raise
            session.warn(f"{error} The demo goes on with a synthetic knee.")
    if sample is not None:
        return {"sagittal": sample.path}, f"{sample.origin} It has one series; other views are reformatted from it."
    from deepradiomics.cohort import read_manifest
    from deepradiomics.phantoms.knee.cohort import write_knee_cohort

    # A seed that the training cohort does not use: the model has not seen this knee.
    manifest = read_manifest(write_knee_cohort(output / "synthetic-knee", 1, seed + 1_000), need_labels=False)
    row = manifest.rows[0]
    return dict(row.views), "SYNTHETIC knee (computed, not acquired)."


def _tiny_model(output: Path, cases: int, epochs: int | None, seed: int, device: str, session: Session) -> Path:
    """Train the tiny preset on a small synthetic cohort; return the bundle's folder."""
    from deepradiomics.cohort import read_manifest
    from deepradiomics.fingerprint.model.config import FingerprintConfig
    from deepradiomics.fingerprint.train.run import TrainRequest, train_fingerprint
    from deepradiomics.phantoms.knee.cohort import write_knee_cohort

    session.progress(0.05, f"drawing {cases} synthetic knees")
    manifest = write_knee_cohort(
        output / "cohort",
        cases,
        seed,
        progress=lambda fraction, message: session.progress(0.05 + 0.15 * fraction, message),
    )
    settings = ConfigOptions("tiny", epochs=epochs).of(FingerprintConfig)
    run = train_fingerprint(
        TrainRequest(read_manifest(manifest), settings, seed=seed),
        output / "synthetic-model",
        resume=False,
        device=device,
        progress=lambda fraction, message: session.progress(0.20 + 0.55 * fraction, f"training: {message}"),
    )
    return run.bundle
