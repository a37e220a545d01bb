"""Masked pre-training: what it leaves behind, who is not shown, and that a kill changes nothing."""

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.cohort.manifest import Manifest, read_manifest
from deepradiomics.cohort.seen.marks import STAGE_MARK_LENGTH
from deepradiomics.cohort.splits import read_splits
from deepradiomics.errors import BundleError, Cancelled, InputError, ManifestError
from deepradiomics.files.atomic import read_json
from deepradiomics.files.store import ContentStore
from deepradiomics.lens.encoders.pretrain.run import PretrainedRun, PretrainRequest, pretrain
from deepradiomics.lens.encoders.splits import pretraining_splits
from deepradiomics.lens.encoders.stacks import STACKS, cohort_stacks
from deepradiomics.networks.bundle import load_bundle
from deepradiomics.networks.encoders.load import load_encoder
from deepradiomics.training.run_folder import RunFolder
from Testing.unit.lens.ball_cohort import CONFIG, RECIPE, config, read_rows, write_cohort, write_rows
from Testing.unit.privacy import files_with_folders

pytest.importorskip("lightning")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("balls"), cases=14)


@pytest.fixture(scope="module")
def manifest(cohort: Path) -> Manifest:
    return read_manifest(cohort, need_labels=False)


@pytest.fixture(scope="module")
def finished(manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> PretrainedRun:
    return pretrain(PretrainRequest(manifest, CONFIG), tmp_path_factory.mktemp("run") / "balls", device="cpu")


def losses(folder: Path) -> list[dict[str, str]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in RunFolder(folder, {}).rows()]


def weights(run: PretrainedRun) -> dict[str, np.ndarray]:
    return load_bundle(run.encoder)[0]


def same_weights(one: PretrainedRun, other: PretrainedRun) -> bool:
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_a_run_leaves_an_encoder_history_splits_and_picture(finished: PretrainedRun, manifest: Manifest) -> None:
    encoder = load_encoder(finished.out)  # the run's folder will do
    assert encoder.recipe == RECIPE
    assert encoder.dimension == 128
    about = encoder.about
    assert about["synthetic"] is True
    assert about["pretraining"]["config"]["mask_ratio"] == 0.6
    assert about["pretraining"]["metrics"] == finished.metrics
    assert finished.metrics["cases"] == 14
    assert len(losses(finished.out)) == 3
    assert (finished.out / "reconstruction.png").stat().st_size > 10_000
    assert set(read_splits(finished.out / "splits.csv")) == set(manifest.ids)
    record = read_json(finished.out / "run.json")
    assert record["status"] == "finished"
    assert record["identity"]["seed"] == 0


def test_the_bundle_keeps_marks_and_no_names(finished: PretrainedRun) -> None:
    marks = load_encoder(finished.encoder).about["pretraining"]["marks"]
    splits = list(read_splits(finished.out / "splits.csv").values())
    assert {split: len(found) for split, found in marks.items()} == {
        "train": 2 * splits.count("train"), "validation": 2 * splits.count("validation"),
    }  # fmt: skip
    assert all(len(mark) == STAGE_MARK_LENGTH for found in marks.values() for mark in found)
    assert "ball0" not in (finished.encoder / "bundle.json").read_text(encoding="utf-8")


def test_the_encoder_learns_and_its_bundle_holds_what_was_learned(finished: PretrainedRun) -> None:
    from deepradiomics.lens.encoders.pretrain.fit import new_autoencoder

    history = losses(finished.out)
    assert float(history[-1]["validation_loss"]) < float(history[0]["validation_loss"])
    fresh = new_autoencoder(CONFIG, 2, 0).encoder.state_dict()
    moved = [name for name, value in weights(finished).items() if not np.array_equal(value, fresh[name].numpy())]
    assert set(fresh) - set(moved) == {"norm.weight", "norm.bias"}  # masked pre-training does not use the last norm


def test_a_run_killed_while_it_trains_ends_like_an_uninterrupted_one(
    finished: PretrainedRun, cohort: Path, manifest: Manifest, tmp_path: Path
) -> None:
    child = [sys.executable, str(Path(__file__).with_name("killed_training.py")), str(tmp_path / "balls"), "0.6"]
    done = subprocess.run([*child, str(cohort), "pretrain"], capture_output=True, timeout=120)
    assert done.returncode != 0
    assert 1 <= len(losses(tmp_path / "balls")) < 3, done.stderr
    resumed = pretrain(PretrainRequest(manifest, CONFIG), tmp_path / "balls", device="cpu")
    assert losses(tmp_path / "balls") == losses(finished.out)
    assert same_weights(resumed, finished)


def test_a_finished_run_is_returned_as_it_is(finished: PretrainedRun, manifest: Manifest) -> None:
    def never(fraction: float, message: str) -> None:
        raise Cancelled("it worked again")

    assert pretrain(PretrainRequest(manifest, CONFIG), finished.out, device="cpu", progress=never) == finished


def test_another_configuration_in_the_folder_is_refused_and_nothing_is_lost(
    finished: PretrainedRun, manifest: Manifest
) -> None:
    before = (finished.encoder / "model.safetensors").read_bytes()
    with pytest.raises(InputError, match=r"config.pretraining.epochs differs \(there 3, now 4\)"):
        pretrain(PretrainRequest(manifest, config(epochs=4)), finished.out, device="cpu")
    with pytest.raises(InputError, match="seed differs"):
        pretrain(PretrainRequest(manifest, CONFIG, seed=1), finished.out, device="cpu")
    assert (finished.encoder / "model.safetensors").read_bytes() == before


def test_equal_seeds_give_equal_encoders(finished: PretrainedRun, manifest: Manifest, tmp_path: Path) -> None:
    cache = finished.out / "cache"
    assert same_weights(
        pretrain(PretrainRequest(manifest, CONFIG), tmp_path / "a", device="cpu", cache=cache), finished
    )
    other = pretrain(PretrainRequest(manifest, config(epochs=1), seed=1), tmp_path / "b", device="cpu", cache=cache)
    assert not same_weights(other, finished)


def test_pretraining_goes_on_from_an_encoder(finished: PretrainedRun, manifest: Manifest, tmp_path: Path) -> None:
    still = config(epochs=1, learning_rate=0.0, weight_decay=0.0)
    again = pretrain(
        PretrainRequest(manifest, still, init=finished.encoder),
        tmp_path / "a",
        device="cpu",
        cache=finished.out / "cache",
    )
    assert same_weights(again, finished)  # with a rate of 0 they are those it began with
    init = load_encoder(again.encoder).about["pretraining"]["init"]
    assert init["weights_sha256"] == load_encoder(finished.encoder).weights_sha256


def test_an_encoder_of_other_channels_is_no_start(finished: PretrainedRun, manifest: Manifest, tmp_path: Path) -> None:
    one = dataclasses.replace(CONFIG, recipe=RECIPE.for_modalities(("t2",)))
    with pytest.raises(BundleError, match=r"its channels are t2, adc, the recipe's modalities are t2"):
        pretrain(PretrainRequest(manifest, one, init=finished.encoder), tmp_path / "a", device="cpu")


def test_test_cases_are_not_shown_and_given_splits_are_kept(cohort: Path) -> None:
    rows = read_rows(cohort)
    given = ["train"] * 8 + ["validation"] * 2 + ["test"] * 4
    table = [{**row, "split": split} for row, split in zip(rows, given, strict=True)]
    dealt = pretraining_splits(
        read_manifest(write_rows(cohort.with_name("given.csv"), table), need_labels=False), seed=0
    )
    assert [row.split for row in dealt.rows] == given[:10]
    assert dealt.ids == tuple(row["id"] for row in rows[:10])


def test_the_scans_of_a_patient_stay_together(manifest: Manifest) -> None:
    for seed in range(20):
        dealt = pretraining_splits(manifest, seed)
        for patient in set(dealt.groups):
            of_him = {row.split for row, group in zip(dealt.rows, dealt.groups, strict=True) if group == patient}
            assert len(of_him) == 1
        assert {row.split for row in dealt.rows} == {"train", "validation"}


def test_splits_that_separate_a_patient_are_refused(cohort: Path) -> None:
    rows = read_rows(cohort)
    table = [{**row, "split": "train" if n % 2 else "validation"} for n, row in enumerate(rows)]
    separated = read_manifest(write_rows(cohort.with_name("apart.csv"), table), need_labels=False)
    with pytest.raises(ManifestError, match="separates the scans of patient p0"):
        pretraining_splits(separated, 0)


def test_without_any_mask_the_ellipsoid_is_offered_and_nothing_is_left(cohort: Path, tmp_path: Path) -> None:
    rows = [{key: cell for key, cell in row.items() if not key.startswith("mask_")} for row in read_rows(cohort)]
    bare = read_manifest(write_rows(cohort.with_name("bare.csv"), rows), need_labels=False)
    with pytest.raises(InputError, match=r"mask_gland.*its regions are: none.*--centre ellipsoid"):
        pretrain(PretrainRequest(bare, CONFIG), tmp_path / "a", device="cpu")
    run = pretrain(PretrainRequest(bare, config(epochs=1), roi="ellipsoid"), tmp_path / "b", device="cpu")
    assert run.encoder.is_dir()
    assert not (tmp_path / "a").exists()


def test_a_case_that_cannot_be_used_leaves_no_record_of_a_run(cohort: Path, tmp_path: Path) -> None:
    rows = read_rows(cohort)
    rows[3]["view_adc"] = ""
    lacking = read_manifest(write_rows(cohort.with_name("no-adc.csv"), rows), need_labels=False)
    with pytest.raises(InputError, match="Case ball03 lacks the modality adc"):
        pretrain(PretrainRequest(lacking, CONFIG), tmp_path / "a", device="cpu", cache=tmp_path / "cache")
    assert not (tmp_path / "a").exists()


def test_a_negative_seed_is_refused(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="seed: expected a whole number from 0"):
        pretrain(PretrainRequest(manifest, CONFIG, seed=-1), tmp_path / "a", device="cpu")
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_that_never_improved_is_told(finished: PretrainedRun, manifest: Manifest, tmp_path: Path) -> None:
    still = config(epochs=2, learning_rate=0.0, weight_decay=0.0)
    run = pretrain(PretrainRequest(manifest, still), tmp_path / "a", device="cpu", cache=finished.out / "cache")
    assert finished.metrics["warnings"] == []
    assert [text for text in run.metrics["warnings"] if "epoch 1 of 2" in text and "hardly changed" in text]


def test_too_few_cases_are_told(manifest: Manifest) -> None:
    few = dataclasses.replace(manifest, rows=manifest.rows[4:6])
    with pytest.raises(ManifestError, match=r"needs at least 2 train cases, .* give 1 of 2 cases of 2 patients"):
        pretraining_splits(few, 0)


@pytest.mark.slow
def test_two_processes_train_like_one(manifest: Manifest, finished: PretrainedRun, tmp_path: Path) -> None:
    from deepradiomics.lens.encoders.pretrain.fit import new_autoencoder

    said: list[str] = []
    cache = finished.out / "cache"
    two = pretrain(
        PretrainRequest(manifest, config(devices=2)),
        tmp_path / "two",
        device="cpu",
        cache=cache,
        progress=lambda _, message: said.append(message),
    )
    expected, found = losses(finished.out), losses(tmp_path / "two")
    for one, other in zip(expected, found, strict=True):
        assert float(other["validation_loss"]) == pytest.approx(float(one["validation_loss"]), rel=1e-4)
        assert float(other["train_loss"]) == pytest.approx(float(one["train_loss"]), rel=1e-4)
    a, b = weights(finished), weights(two)
    moved: dict[str, Any] = {n: v.numpy() for n, v in new_autoencoder(CONFIG, 2, 0).encoder.state_dict().items()}
    apart = max(float(np.abs(a[name] - b[name]).max()) for name in a)
    assert apart < 1e-3 * max(float(np.abs(a[name] - moved[name]).max()) for name in a)
    assert any("epoch" in message for message in said)


@pytest.mark.slow
def test_several_processes_can_be_cancelled_and_go_on(
    manifest: Manifest, finished: PretrainedRun, tmp_path: Path
) -> None:
    def stop(fraction: float, message: str) -> None:
        if "validation loss" in message:
            raise Cancelled("stopped by the user")

    many = config(devices=2, epochs=40)
    with pytest.raises(Cancelled):
        pretrain(
            PretrainRequest(manifest, many), tmp_path / "a", device="cpu", cache=finished.out / "cache", progress=stop
        )
    done = len(losses(tmp_path / "a"))
    assert 1 <= done < 40
    assert read_json(tmp_path / "a" / "run.json")["status"] == "running"


@pytest.mark.slow
def test_a_mistake_found_by_another_process_is_told_as_such(
    manifest: Manifest, finished: PretrainedRun, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(finished.out / "cache", cache)
    for file in cache.rglob("image.npy"):  # as only a fault of the memory could make them
        entry = ContentStore(cache, STACKS).get(file.parent.name)
        assert entry is not None
        arrays = {"image": np.full((2, 16, 32, 32), np.nan, np.float32), "regions": entry.array("regions")}
        ContentStore(cache, STACKS).put(file.parent.name, entry.about, arrays)
    with pytest.raises(InputError, match=r"^Pre-training diverged in epoch 1: the validation loss is not a number"):
        pretrain(PretrainRequest(manifest, config(devices=2)), tmp_path / "a", device="cpu", cache=cache)


def test_stacks_are_shared_by_runs(finished: PretrainedRun, manifest: Manifest) -> None:
    before = set((finished.out / "cache").rglob("*.npy"))
    cohort_stacks(manifest, RECIPE, finished.out / "cache", roi="gland")
    assert set((finished.out / "cache").rglob("*.npy")) == before
    assert len(before) == 2 * 14


def test_nothing_that_is_passed_on_names_a_folder(finished: PretrainedRun) -> None:
    assert files_with_folders(finished.out, finished.out.parents[1]) == []
