"""Training a lesion autoencoder: what it leaves behind, who is not shown, and that a kill changes nothing."""

import csv
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort.manifest import Manifest, read_manifest
from deepradiomics.cohort.seen.marks import has_seen, image_mark
from deepradiomics.cohort.synthetic import is_synthetic
from deepradiomics.errors import BundleError, Cancelled, InputError, ManifestError
from deepradiomics.files.atomic import read_json
from deepradiomics.files.store import ContentStore
from deepradiomics.ich.autoencoder.crops import CROPS, cohort_crops
from deepradiomics.ich.autoencoder.latents import load_autoencoder
from deepradiomics.ich.autoencoder.run import AutoencoderRequest, AutoencoderRun, train_autoencoder
from deepradiomics.ich.autoencoder.splits import autoencoder_splits, out_of_fold_splits
from deepradiomics.ich.cohort.manifest import ICH_COLUMNS
from deepradiomics.images import read_mask, read_volume
from deepradiomics.networks.bundle import load_bundle, save_bundle
from deepradiomics.training.run_folder import RunFolder
from Testing.unit.ich.head_balls import head, write_heads
from Testing.unit.ich.tiny_autoencoder import CONFIG, config
from Testing.unit.privacy import files_with_folders

pytest.importorskip("lightning")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_heads(tmp_path_factory.mktemp("heads"), cases=10)


@pytest.fixture(scope="module")
def manifest(cohort: Path) -> Manifest:
    return read_manifest(cohort, need_labels=False)


@pytest.fixture(scope="module")
def finished(manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> AutoencoderRun:
    return train_autoencoder(
        AutoencoderRequest(manifest, CONFIG), tmp_path_factory.mktemp("run") / "balls", device="cpu"
    )


@pytest.fixture(scope="module")
def folded(manifest: Manifest, finished: AutoencoderRun, tmp_path_factory: pytest.TempPathFactory) -> AutoencoderRun:
    out = tmp_path_factory.mktemp("folds") / "balls"
    return train_autoencoder(
        AutoencoderRequest(manifest, CONFIG, folds=2), out, device="cpu", cache=finished.out / "cache"
    )


def losses(folder: Path) -> list[dict[str, str]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in RunFolder(folder, {}).rows()]


def same_weights(one: Path, other: Path) -> bool:
    a, b = load_bundle(one)[0], load_bundle(other)[0]
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def with_cells(cohort: Path, name: str, changes: dict[int, dict[str, str]]) -> Path:
    """The manifest again, under another name, with other cells in some of its rows."""
    with cohort.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows = [{**row, **changes.get(n, {})} for n, row in enumerate(rows)]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with cohort.with_name(name).open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, columns)
        table.writeheader()
        table.writerows(rows)
    return cohort.with_name(name)


def test_a_run_leaves_a_bundle_history_picture_and_what_it_is_worth(finished: AutoencoderRun) -> None:
    network = load_autoencoder(finished.out)  # the run's folder will do
    assert network.recipe == CONFIG.recipe
    assert network.latent_shape == (6, 4, 4, 4)
    assert network.synthetic
    assert network.info["metrics"] == finished.metrics
    assert len(network.sha256) == 64
    active = finished.metrics["active"]
    assert active["units"] == 6 * 64
    assert 0 <= active["active"] <= active["units"]
    assert active["patients"] == 10
    assert finished.metrics["error_hu"] > 0
    assert finished.metrics["mean_image_error_hu"] > 0
    assert (finished.out / "reconstruction.png").stat().st_size > 10_000
    assert read_json(finished.out / "run.json")["status"] == "finished"
    assert finished.manifest is None


def test_it_learns_and_the_discriminator_joins_in(finished: AutoencoderRun) -> None:
    history = losses(finished.out)
    assert float(history[-1]["validation_error"]) < float(history[0]["validation_error"])
    assert history[0].get("train_discriminator", "") == ""
    assert float(history[-1]["train_discriminator"]) > 0
    assert finished.metrics["best_epoch"] == 3  # the last, by default


def test_latents_are_the_posterior_means_of_the_networks_own_crop(finished: AutoencoderRun, manifest: Manifest) -> None:
    network = load_autoencoder(finished.bundle, "cpu")
    row = manifest.rows[3]
    assert row.mask is not None
    crop = network.crop(read_volume(row.views["image"]), read_mask(row.mask), case=row.id)
    latents = network.latents(crop)
    assert latents.shape == (6, 4, 4, 4)
    assert latents.dtype == np.float32
    assert np.array_equal(network.latents(crop.image), latents)
    stored = cohort_crops(manifest, CONFIG.recipe, finished.out / "cache").images([3])
    assert np.allclose(network.latents_of(stored)[0], latents, atol=1e-6)
    painted = network.reconstruct(crop)
    assert painted.shape == crop.image.shape
    assert np.abs(painted - crop.image).mean() < 0.5
    with pytest.raises(InputError, match=r"sees cubes of \(16, 16, 16\) voxels, got shape \(8, 8, 8\)"):
        network.latents(np.zeros((8, 8, 8)))


def test_the_bundle_tells_whom_it_has_seen_and_names_nobody(finished: AutoencoderRun, manifest: Manifest) -> None:
    info = load_autoencoder(finished.bundle).info
    for row, patient in zip(manifest.rows, manifest.groups, strict=True):
        assert has_seen(info, image=image_mark(read_volume(row.views["image"])))
        assert has_seen(info, patient=patient)
    assert not has_seen(info, image=image_mark(head(seed=99)[0]), patient="somebody else")
    assert "ball-s0" not in (finished.bundle / "bundle.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("how", ["cancelled", pytest.param("killed", marks=pytest.mark.slow)])
def test_a_run_stopped_while_both_networks_train_ends_like_an_uninterrupted_one(
    how: str, finished: AutoencoderRun, cohort: Path, manifest: Manifest, tmp_path: Path
) -> None:
    def stop(fraction: float, message: str) -> None:
        if fraction >= 0.65:
            raise Cancelled("stopped")

    if how == "cancelled":
        with pytest.raises(Cancelled):
            train_autoencoder(
                AutoencoderRequest(manifest, CONFIG),
                tmp_path / "balls",
                device="cpu",
                cache=finished.out / "cache",
                progress=stop,
            )
    else:
        child = [
            sys.executable,
            str(Path(__file__).with_name("killed_autoencoder.py")),
            str(tmp_path / "balls"),
            "0.65",
        ]
        done = subprocess.run([*child, str(cohort)], capture_output=True, timeout=240)
        assert done.returncode != 0, done.stderr
    assert 1 <= len(losses(tmp_path / "balls")) < 3
    resumed = train_autoencoder(
        AutoencoderRequest(manifest, CONFIG), tmp_path / "balls", device="cpu", cache=finished.out / "cache"
    )
    assert losses(tmp_path / "balls") == losses(finished.out)
    assert same_weights(resumed.bundle, finished.bundle)
    assert resumed.metrics["active"] == finished.metrics["active"]


def test_another_seed_gives_another_network_and_the_best_epoch_can_be_kept(
    finished: AutoencoderRun, manifest: Manifest, tmp_path: Path
) -> None:
    cache = finished.out / "cache"
    other = train_autoencoder(
        AutoencoderRequest(manifest, config(epochs=2, keep="best"), seed=1), tmp_path / "a", device="cpu", cache=cache
    )
    assert not same_weights(other.bundle, finished.bundle)
    errors = [float(row["validation_loss"]) for row in losses(other.out)]
    assert other.metrics["best_epoch"] == 1 + int(np.argmin(errors))


def test_a_finished_run_is_returned_as_it_is_and_others_are_refused(
    finished: AutoencoderRun, manifest: Manifest
) -> None:
    def never(fraction: float, message: str) -> None:
        raise Cancelled("it worked again")

    again = train_autoencoder(AutoencoderRequest(manifest, CONFIG), finished.out, device="cpu", progress=never)
    assert again == finished
    with pytest.raises(InputError, match=r"config.training.epochs differs \(there 3, now 4\)"):
        train_autoencoder(AutoencoderRequest(manifest, config(epochs=4)), finished.out, device="cpu")
    with pytest.raises(InputError, match="folds differs"):
        train_autoencoder(AutoencoderRequest(manifest, CONFIG, folds=3), finished.out, device="cpu")


def test_nobodys_latents_come_from_a_network_that_saw_him(folded: AutoencoderRun, manifest: Manifest) -> None:
    assert folded.manifest is not None
    assert is_synthetic(read_manifest(folded.manifest, need_labels=False, more=ICH_COLUMNS))
    written = read_manifest(folded.manifest, need_labels=False, more=ICH_COLUMNS)
    assert written.ids == manifest.ids
    assert written.groups == manifest.groups
    for row, patient in zip(written.rows, written.groups, strict=True):
        folder = folded.out / row.more["autoencoder"]
        mark = image_mark(read_volume(row.views["image"]))
        info = load_autoencoder(folder).info
        assert has_seen(info, image=mark, patient=patient) is False
        assert has_seen(load_autoencoder(folded.bundle).info, image=mark)
    assert len({row.more["autoencoder"] for row in written.rows}) == 2
    assert set(folded.metrics["folds"]) == {"fold-1", "fold-2"}
    assert -1 <= folded.metrics["agreement"]["correlation"] <= 1
    assert sum(fold["held_out"] for fold in folded.metrics["folds"].values()) == len(manifest)


def test_the_network_of_all_is_that_of_a_run_without_folds(finished: AutoencoderRun, folded: AutoencoderRun) -> None:
    assert same_weights(finished.bundle, folded.bundle)


@pytest.mark.slow
def test_folds_killed_on_the_way_leave_the_same_networks(
    folded: AutoencoderRun, finished: AutoencoderRun, cohort: Path, manifest: Manifest, tmp_path: Path
) -> None:
    child = [sys.executable, str(Path(__file__).with_name("killed_autoencoder.py")), str(tmp_path / "f"), "0.5"]
    done = subprocess.run([*child, str(cohort), "2"], capture_output=True, timeout=240)
    assert done.returncode != 0, done.stderr
    assert (tmp_path / "f" / "fold-1" / "bundle").is_dir(), done.stderr
    assert not (tmp_path / "f" / "manifest.csv").exists()
    resumed = train_autoencoder(AutoencoderRequest(manifest, CONFIG, folds=2), tmp_path / "f", device="cpu")
    for name in ("fold-1/bundle", "fold-2/bundle", "bundle"):
        assert same_weights(resumed.out / name, folded.out / name)


def test_splits_are_by_patient_and_test_cases_stay_out(manifest: Manifest, cohort: Path) -> None:
    for seed in range(10):
        for split in (autoencoder_splits(manifest, seed), *out_of_fold_splits(manifest, 3, seed)):
            for patient in set(split.groups):
                pairs = zip(split.rows, split.groups, strict=True)
                assert len({row.split for row, group in pairs if group == patient}) == 1
    tested = [row.id for split in out_of_fold_splits(manifest, 3, 0) for row in split.rows if row.split == "test"]
    assert sorted(tested) == sorted(manifest.ids)
    splits = ["train"] * 6 + ["validation"] * 3 + ["test"]
    given = with_cells(cohort, "given.csv", {n: {"split": split} for n, split in enumerate(splits)})
    kept = autoencoder_splits(read_manifest(given, need_labels=False), 0)
    assert [row.split for row in kept.rows] == ["train"] * 6 + ["validation"] * 3


def test_cases_that_cannot_be_used_are_told_or_dropped(finished: AutoencoderRun, cohort: Path, tmp_path: Path) -> None:
    lacking = with_cells(cohort, "lacking.csv", {2: {"mask": ""}})
    manifest = read_manifest(lacking, need_labels=False)
    with pytest.raises(InputError, match="1 of 10 cases cannot be used:\n  Case ball-s0-02: there is no haematoma"):
        train_autoencoder(
            AutoencoderRequest(manifest, CONFIG), tmp_path / "a", device="cpu", cache=finished.out / "cache"
        )
    assert not (tmp_path / "a").exists()
    crops = cohort_crops(manifest, CONFIG.recipe, finished.out / "cache", missing="drop")
    assert len(crops) == 9
    assert crops.dropped[0][0] == "ball-s0-02"


def test_too_few_patients_and_memory_manifests_are_told_before_anything_is_done(
    manifest: Manifest, tmp_path: Path
) -> None:
    from dataclasses import replace

    few = replace(manifest, rows=manifest.rows[4:6])
    with pytest.raises(ManifestError, match="needs at least 2 train cases"):
        train_autoencoder(AutoencoderRequest(few, CONFIG), tmp_path / "a", device="cpu")
    with pytest.raises(ManifestError, match="made in memory"):
        train_autoencoder(
            AutoencoderRequest(replace(manifest, path=None), CONFIG, folds=2), tmp_path / "a", device="cpu"
        )
    assert not (tmp_path / "a").exists()


def test_a_network_that_diverges_is_told(finished: AutoencoderRun, manifest: Manifest, tmp_path: Path) -> None:
    shutil.copytree(finished.out / "cache", tmp_path / "cache")
    for file in (tmp_path / "cache").rglob("image.npy"):  # as only a fault of the memory could make them
        entry = ContentStore(tmp_path / "cache", CROPS).get(file.parent.name)
        assert entry is not None
        arrays = {"image": np.full((16, 16, 16), np.nan, np.float32), "regions": entry.array("regions")}
        ContentStore(tmp_path / "cache", CROPS).put(file.parent.name, entry.about, arrays)
    with pytest.raises(InputError, match="diverged in epoch 1: the validation loss is not a number"):
        train_autoencoder(AutoencoderRequest(manifest, CONFIG), tmp_path / "a", device="cpu", cache=tmp_path / "cache")


def test_a_network_that_learned_nothing_is_told(finished: AutoencoderRun, manifest: Manifest, tmp_path: Path) -> None:
    still = config(epochs=1, learning_rate=0.0)
    run = train_autoencoder(
        AutoencoderRequest(manifest, still), tmp_path / "a", device="cpu", cache=finished.out / "cache"
    )
    assert any("no better than the mean of the training crops" in text for text in run.metrics["warnings"])


def test_other_bundles_are_no_autoencoders(finished: AutoencoderRun, tmp_path: Path) -> None:
    tensors, info = load_bundle(finished.bundle)
    described = {key: value for key, value in info.items() if key not in ("format", "format_version", "weights")}
    save_bundle(tmp_path / "other", tensors, {**described, "kind": "ich-segmenter"})
    with pytest.raises(BundleError, match="expected a bundle of kind 'ich-autoencoder', this one is of kind 'ich-seg"):
        load_autoencoder(tmp_path / "other")
    save_bundle(tmp_path / "odd", tensors, {**described, "recipe": {"size": 15}})
    with pytest.raises(BundleError, match="not that of a lesion autoencoder"):
        load_autoencoder(tmp_path / "odd")
    with pytest.raises(BundleError, match="found no folder"):
        load_autoencoder(tmp_path / "nowhere")


def test_nothing_that_is_passed_on_names_a_folder(finished: AutoencoderRun) -> None:
    assert files_with_folders(finished.out, finished.out.parents[1]) == []
