"""From a manifest of image files to a bundle that predicts: once, and not again."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort import Manifest, load_case, read_manifest, with_splits
from deepradiomics.cohort.contents import manifest_hash
from deepradiomics.cohort.synthetic import is_synthetic
from deepradiomics.errors import InputError, ManifestError
from deepradiomics.files.atomic import read_json
from deepradiomics.fingerprint.apply.explain import explain
from deepradiomics.fingerprint.apply.run import FingerprintRequest, apply_fingerprint
from deepradiomics.fingerprint.model.bundle import load_fingerprint
from deepradiomics.fingerprint.model.config import FingerprintConfig
from deepradiomics.fingerprint.train.run import TrainedRun, TrainRequest, cohort_summary, train_fingerprint
from deepradiomics.images import VIEWS, Geometry, Volume, write_volume
from deepradiomics.networks.bundle import load_bundle
from deepradiomics.prepare import reformat
from Testing.unit.fingerprint.trained_bundle import small_config
from Testing.unit.privacy import files_with_folders

CASES = 24


def quick(**training: object) -> FingerprintConfig:
    config = small_config()
    return dataclasses.replace(config, training=dataclasses.replace(config.training, epochs=3, **training))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise images; in the cases with a tear a coarse texture lies in the lower half."""
    folder = tmp_path_factory.mktemp("cohort")
    rng = np.random.default_rng(0)
    geometry = Geometry((20, 24, 8), (1, 1, 3), (0, 0, 0), (0, 0, 1, 1, 0, 0, 0, -1, 0))
    lines = ["id,axial,coronal,sagittal,label_tear,label_grade"]
    for n in range(CASES):
        voxels = rng.normal(100, 10, geometry.shape)
        if n % 2:
            voxels[:, 12:] += 25 * np.sign(np.sin(np.arange(20) * 1.2))
        sagittal = Volume(voxels.astype(np.float32), geometry, "sagittal")
        paths = []
        for view in VIEWS:
            volume = sagittal if view == "sagittal" else reformat(sagittal, view)
            paths.append(write_volume(volume, folder / f"{n}" / f"{view}.nii.gz").relative_to(folder).as_posix())
        lines.append(f"case{n},{','.join(paths)},{n % 2},{n % 3}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "README.txt").write_text("SYNTHETIC noise for a test", encoding="utf-8")
    return folder / "manifest.csv"


@pytest.fixture(scope="module")
def manifest(cohort: Path) -> Manifest:
    return read_manifest(cohort)


@pytest.fixture(scope="module")
def run(manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    folder = tmp_path_factory.mktemp("run")
    return train_fingerprint(
        TrainRequest(manifest, quick(), seed=1), folder / "run", device="cpu", cache=folder / "cache"
    )


def test_a_run_leaves_bundle_history_and_record(run: TrainedRun) -> None:
    record = read_json(run.out / "run.json")
    assert record["status"] == "finished" and record["metrics"] == run.metrics
    assert record["identity"]["seed"] == 1 and record["versions"]["torch"] and record["command"]
    assert run.history.read_text(encoding="utf-8").count("\n") == 1 + run.metrics["epochs"]
    assert set(run.metrics["test"]) == {"paper", "masked", "soft", "fingerprint_size"}
    assert set(run.metrics["test"]["paper"]["tear"]) >= {"auc", "auc_ci", "accuracy", "sensitivity", "specificity", "n"}


def test_the_bundle_tells_the_cohort_and_that_it_was_synthetic(run: TrainedRun, manifest: Manifest) -> None:
    about = load_fingerprint(run.bundle).about
    split = with_splits(manifest, 1)
    assert about["synthetic"] is True and is_synthetic(manifest)
    assert about["cohort"]["cases"] == CASES and about["cohort"]["manifest_sha256"] == manifest_hash(split)
    counts = about["cohort"]["labels"]["tear"]
    assert sum(n for by_class in counts.values() for n in by_class.values()) == CASES
    assert "case3" not in json.dumps(dict(about))


def test_applying_the_bundle_to_a_training_case_repeats_the_training_pipeline(
    run: TrainedRun, manifest: Manifest
) -> None:
    from deepradiomics.cohort.extraction import extract_cohort

    bundle = load_fingerprint(run.bundle)
    case = load_case(manifest.rows[3])
    result = apply_fingerprint(FingerprintRequest(case), bundle, device="cpu")
    cohort = extract_cohort(manifest, bundle.config.recipe, run.out.parent / "cache")
    pool = bundle.layout.flatten(cohort.values)[3]
    expected = explain(bundle, cohort.images[3], pool, "paper")
    assert cohort.computed == 0
    assert result.prediction["tasks"]["tear"]["logit"] == pytest.approx(float(expected.logits[0]), abs=1e-9)


def test_a_finished_run_is_not_trained_again(run: TrainedRun, manifest: Manifest) -> None:
    before = (run.bundle / "model.safetensors").stat().st_mtime_ns
    calls: list[str] = []
    again = train_fingerprint(
        TrainRequest(manifest, quick(), seed=1),
        run.out,
        device="cpu",
        cache=run.out.parent / "cache",
        progress=lambda _, message: calls.append(message),
    )
    assert again.metrics == run.metrics and calls == []
    assert (run.bundle / "model.safetensors").stat().st_mtime_ns == before


def test_another_seed_in_the_same_folder_is_refused(run: TrainedRun, manifest: Manifest) -> None:
    with pytest.raises(InputError, match=r"another run lives here; seed differs \(there 1, now 2\)"):
        train_fingerprint(
            TrainRequest(manifest, quick(), seed=2), run.out, device="cpu", cache=run.out.parent / "cache"
        )


_CHILD = """
import os, signal, sys
sys.path.insert(0, {root!r})
from Testing.unit.fingerprint.train.test_train import quick
from deepradiomics.cohort import read_manifest
from deepradiomics.fingerprint.train.run import TrainRequest, train_fingerprint
def die(fraction, message):
    if fraction > {at}:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
if __name__ == "__main__":
    train_fingerprint(TrainRequest(read_manifest({manifest!r}), quick(), seed=1), {out!r}, device="cpu", progress=die)
"""


@pytest.mark.parametrize(
    "at", [pytest.param(0.2, marks=pytest.mark.slow), 0.7, pytest.param(0.99, marks=pytest.mark.slow)]
)
def test_a_run_killed_in_extraction_training_or_at_its_end_gives_the_same_metrics(
    run: TrainedRun, manifest: Manifest, cohort: Path, tmp_path: Path, at: float
) -> None:
    script = tmp_path / "child.py"
    root = str(Path(__file__).parents[4])
    names = {"root": root, "manifest": str(cohort), "out": str(tmp_path / "run")}
    script.write_text(_CHILD.format(at=at, **names), "utf-8")
    child = subprocess.run([sys.executable, str(script)], capture_output=True, timeout=200)
    assert child.returncode not in (0, 1), child.stderr.decode()
    resumed = train_fingerprint(TrainRequest(manifest, quick(), seed=1), tmp_path / "run", device="cpu")
    assert resumed.metrics == run.metrics
    one, other = (load_bundle(r.bundle)[0] for r in (run, resumed))
    assert list(one) == list(other) and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.slow
def test_templates_travel_in_the_bundle(manifest: Manifest, tmp_path: Path) -> None:
    config = quick()
    config = dataclasses.replace(config, recipe=dataclasses.replace(config.recipe, registration="template"))
    few = dataclasses.replace(manifest, rows=manifest.rows[:12], tasks=("tear",))
    done = train_fingerprint(TrainRequest(few, config), tmp_path / "run", device="cpu")
    bundle = load_fingerprint(done.bundle)
    assert bundle.templates is not None
    assert set(bundle.templates.views) == set(VIEWS)
    result = apply_fingerprint(FingerprintRequest(load_case(manifest.rows[0])), bundle, device="cpu")
    assert result.prediction["settings"]["registration"] == "template"


def test_a_task_without_labels_is_refused(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="label_"):
        train_fingerprint(
            TrainRequest(dataclasses.replace(manifest, tasks=()), quick()), tmp_path / "run", device="cpu"
        )
    assert not (tmp_path / "run").exists()


def test_the_summary_counts_labels_in_each_split(manifest: Manifest) -> None:
    from deepradiomics.fingerprint.model.tasks import tasks_of

    split = with_splits(manifest, 0)
    summary = cohort_summary(split, tasks_of(split))
    for part, count in summary["splits"].items():
        assert sum(summary["labels"]["grade"][part].values()) == count


def test_nothing_that_is_passed_on_names_a_folder(run: TrainedRun, cohort: Path) -> None:
    assert files_with_folders(run.out, cohort, cohort.parent) == []
