"""Training of segmenters: what it leaves behind, who has seen whom, and that a kill changes nothing."""

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort.manifest import Manifest, read_manifest
from deepradiomics.cohort.seen.marks import has_seen, image_mark
from deepradiomics.cohort.synthetic import is_synthetic
from deepradiomics.errors import BundleError, Cancelled, InputError, ManifestError
from deepradiomics.files.atomic import read_json
from deepradiomics.ich.segmenter.data import cohort_heads
from deepradiomics.ich.segmenter.run import SegmenterRequest, TrainedSegmenter, train_segmenter
from deepradiomics.images import Mask, read_mask, read_volume, write_mask, write_volume
from deepradiomics.images.volume import Volume
from deepradiomics.networks.bundle import load_bundle, load_info
from deepradiomics.networks.segmenter import load_bundle_segmenter
from deepradiomics.training.run_folder import RunFolder
from Testing.unit.ich.ball_head import RECIPE, config, read_rows, write_heads, write_rows
from Testing.unit.privacy import files_with_folders

pytest.importorskip("lightning")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_heads(tmp_path_factory.mktemp("heads"), 10)


@pytest.fixture(scope="module")
def manifest(cohort: Path) -> Manifest:
    return read(cohort)


@pytest.fixture(scope="module")
def finished(manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> TrainedSegmenter:
    return train_segmenter(SegmenterRequest(manifest, config()), tmp_path_factory.mktemp("run") / "balls", device="cpu")


@pytest.fixture(scope="module")
def in_folds(cohort: Path, finished: TrainedSegmenter, tmp_path_factory: pytest.TempPathFactory) -> TrainedSegmenter:
    """Two folds; the mask of head03 is missing, so that nobody learns from it."""
    rows = read_rows(cohort)
    rows[3]["mask"] = ""
    lacking = read(write_rows(cohort.with_name("lacking.csv"), rows))  # type: ignore[arg-type]
    out = tmp_path_factory.mktemp("folds") / "run"
    return train_segmenter(
        SegmenterRequest(lacking, config(epochs=2), folds=2, missing="drop"),
        out,
        device="cpu",
        cache=finished.out / "cache",
    )


def read(path: Path) -> Manifest:
    return read_manifest(path, need_labels=False, more=("sex", "encoder"))


def history(folder: Path) -> list[dict[str, str]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in RunFolder(folder, {}).rows()]


def same_weights(one: Path, other: Path) -> bool:
    a, b = load_bundle(one)[0], load_bundle(other)[0]
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_a_run_leaves_bundle_dice_picture_and_splits(finished: TrainedSegmenter) -> None:
    segmenter = load_bundle_segmenter(finished.out, device="cpu")
    assert segmenter.recipe == RECIPE
    assert segmenter.synthetic
    assert segmenter.dual
    metrics = read_json(finished.out / "metrics.json")
    assert metrics == finished.metrics
    assert metrics["held_out"] == "test"
    assert metrics["epochs"] == 3
    tested = [row["id"] for row in read_rows(finished.out / "splits.csv") if row["split"] == "test"]
    assert [case["id"] for case in metrics["cases"]] == tested
    dice = [case["dice"] for case in metrics["cases"]]
    assert metrics["mean"] == pytest.approx(np.mean(dice))
    assert all(0 <= score <= 1 for score in dice)
    assert (finished.out / "examples.png").stat().st_size > 10_000
    assert len(history(finished.out)) == 3
    assert read_json(finished.out / "run.json")["status"] == "finished"


def test_metrics_and_bundle_say_how_much_of_the_drawn_volume_was_found(finished: TrainedSegmenter) -> None:
    cases = finished.metrics["cases"]
    ratio = sum(case["found_ml"] for case in cases) / sum(case["ml"] for case in cases)
    told = load_info(finished.bundles[0])["held_out"]
    assert told == {"cases": len(cases), "dice": finished.metrics["mean"], "volume_ratio": ratio}
    assert any("of the volume that was drawn" in one for one in finished.metrics["warnings"]) is (abs(ratio - 1) > 0.1)


def test_it_learns(finished: TrainedSegmenter) -> None:
    from deepradiomics.ich.segmenter.fit import new_network

    rows = history(finished.out)
    assert float(rows[-1]["validation_loss"]) < float(rows[0]["validation_loss"])
    fresh = new_network(config(), 0).state_dict()
    learned, _ = load_bundle(finished.bundles[0])
    assert [name for name, value in learned.items() if np.array_equal(value, fresh[name].numpy())] == []


def test_the_bundle_marks_training_and_validation_patients_and_nobody_else(
    finished: TrainedSegmenter, manifest: Manifest
) -> None:
    info = load_bundle_segmenter(finished.out).info
    split = {row["id"]: row["split"] for row in read_rows(finished.out / "splits.csv")}
    for row, patient in zip(manifest.rows, manifest.groups, strict=True):
        shown = split[row.id] != "test"
        assert has_seen(info, patient=patient) is shown
        assert has_seen(info, image=image_mark(read_volume(row.views["image"]))) is shown
    text = (finished.bundles[0] / "bundle.json").read_text(encoding="utf-8")
    assert "head0" not in text
    assert "person" not in text


@pytest.mark.parametrize("how", ["cancelled", pytest.param("killed", marks=pytest.mark.slow)])
def test_a_run_stopped_while_it_trains_ends_like_an_uninterrupted_one(
    how: str, finished: TrainedSegmenter, cohort: Path, manifest: Manifest, tmp_path: Path
) -> None:
    def stop(fraction: float, message: str) -> None:
        if fraction >= 0.7:
            raise Cancelled("stopped")

    if how == "cancelled":
        with pytest.raises(Cancelled):
            train_segmenter(
                SegmenterRequest(manifest, config()),
                tmp_path / "balls",
                device="cpu",
                cache=finished.out / "cache",
                progress=stop,
            )
    else:
        child = [sys.executable, str(Path(__file__).with_name("killed_segmenter.py")), str(tmp_path / "balls"), "0.7"]
        done = subprocess.run([*child, str(cohort)], capture_output=True, timeout=300)
        assert done.returncode != 0, done.stderr
    assert 1 <= len(history(tmp_path / "balls")) < 3
    resumed = train_segmenter(
        SegmenterRequest(manifest, config()), tmp_path / "balls", device="cpu", cache=finished.out / "cache"
    )
    assert history(tmp_path / "balls") == history(finished.out)
    assert same_weights(resumed.bundles[0], finished.bundles[0])
    assert resumed.metrics["cases"] == finished.metrics["cases"]


def test_a_finished_run_is_returned_as_it_is(finished: TrainedSegmenter, manifest: Manifest) -> None:
    def never(fraction: float, message: str) -> None:
        raise Cancelled("it worked again")

    assert train_segmenter(SegmenterRequest(manifest, config()), finished.out, device="cpu", progress=never) == finished


def test_another_configuration_in_the_folder_is_refused(finished: TrainedSegmenter, manifest: Manifest) -> None:
    with pytest.raises(InputError, match=r"config.training.epochs differs \(there 3, now 4\)"):
        train_segmenter(SegmenterRequest(manifest, config(epochs=4)), finished.out, device="cpu")
    with pytest.raises(InputError, match=r"folds differs \(there None, now 2\)"):
        train_segmenter(SegmenterRequest(manifest, config(), folds=2), finished.out, device="cpu")


def test_the_networks_of_folds_have_not_seen_those_they_are_named_for(
    in_folds: TrainedSegmenter, manifest: Manifest
) -> None:
    assert in_folds.manifest is not None
    assert len(in_folds.bundles) == 2
    named = read(in_folds.manifest)
    assert named.ids == manifest.ids
    assert is_synthetic(named)
    assert {row.more["encoder"] for row in named.rows} == {"fold-1/bundle", "fold-2/bundle"}
    for row, patient in zip(named.rows, named.groups, strict=True):
        info = load_bundle_segmenter(in_folds.out / row.more["encoder"]).info
        assert has_seen(info, patient=patient, image=image_mark(read_volume(row.views["image"]))) is False
        if row.id != "head03":  # of whom no network has seen anything
            other = {"fold-1/bundle": "fold-2/bundle", "fold-2/bundle": "fold-1/bundle"}[row.more["encoder"]]
            assert has_seen(load_bundle_segmenter(in_folds.out / other).info, patient=patient) is True
    assert in_folds.dropped[0][0] == "head03"
    assert "has no mask of the haematoma" in in_folds.dropped[0][1]
    tested = [case["id"] for case in in_folds.metrics["cases"]]
    assert sorted(tested) == sorted(set(manifest.ids) - {"head03"})
    assert in_folds.metrics["held_out"] == "out of fold"
    assert len(in_folds.metrics["folds"]) == 2


def test_the_manifest_of_the_folds_keeps_columns_and_files(in_folds: TrainedSegmenter, cohort: Path) -> None:
    assert in_folds.manifest is not None
    before, after = read_rows(cohort.with_name("lacking.csv")), read_rows(in_folds.manifest)
    for one, other in zip(before, after, strict=True):
        assert [one[name] for name in ("id", "patient", "value_mrs", "sex")] == [
            other[name] for name in ("id", "patient", "value_mrs", "sex")
        ]
        for name in ("image", "mask"):
            assert (in_folds.out / other[name]).resolve() == (cohort.parent / one[name]).resolve() or not one[name]


def test_folds_begin_with_the_same_weights_and_learn_apart(in_folds: TrainedSegmenter) -> None:
    assert not same_weights(*in_folds.bundles)


@pytest.mark.slow
def test_folds_killed_in_the_second_end_like_uninterrupted_ones(
    cohort: Path, manifest: Manifest, tmp_path: Path
) -> None:
    child = [sys.executable, str(Path(__file__).with_name("killed_segmenter.py")), str(tmp_path / "run"), "0.8"]
    done = subprocess.run([*child, str(cohort), "2"], capture_output=True, timeout=300)
    assert done.returncode != 0, done.stderr
    assert (tmp_path / "run" / "fold-1" / "metrics.json").is_file(), done.stderr
    kept = (tmp_path / "run" / "fold-1" / "bundle" / "bundle.json").stat().st_mtime_ns
    resumed = train_segmenter(SegmenterRequest(manifest, config(), folds=2), tmp_path / "run", device="cpu")
    whole = train_segmenter(SegmenterRequest(manifest, config(), folds=2), tmp_path / "whole", device="cpu")
    assert (tmp_path / "run" / "fold-1" / "bundle" / "bundle.json").stat().st_mtime_ns == kept
    assert all(same_weights(a, b) for a, b in zip(resumed.bundles, whole.bundles, strict=True))
    assert resumed.metrics["cases"] == whole.metrics["cases"]


def test_a_start_goes_on_and_whom_it_has_seen_is_seen(
    finished: TrainedSegmenter, manifest: Manifest, tmp_path: Path
) -> None:
    few = dataclasses.replace(
        manifest, rows=tuple(dataclasses.replace(row, split=split) for row, split in zip(
            manifest.rows[:4], ("train", "train", "train", "validation"), strict=True)
        ),
    )  # fmt: skip
    still = config(epochs=1, learning_rate=0.0, weight_decay=0.0)
    run = train_segmenter(
        SegmenterRequest(few, still, init=finished.bundles[0]),
        tmp_path / "a",
        device="cpu",
        cache=finished.out / "cache",
    )
    assert same_weights(run.bundles[0], finished.bundles[0])
    assert run.metrics["held_out"] == "validation"
    assert any("No case was held out" in text for text in run.metrics["warnings"])
    seen = load_bundle_segmenter(run.out).info["seen"]
    before = load_bundle_segmenter(finished.out).info["seen"]
    assert set(before["patients"]) <= set(seen["patients"])
    assert set(before["images"]) <= set(seen["images"])
    with pytest.raises(InputError, match=r"this network has seen .* no fold would be out of sample"):
        train_segmenter(
            SegmenterRequest(manifest, still, folds=2, init=finished.bundles[0]), tmp_path / "b", device="cpu"
        )
    with pytest.raises(BundleError, match="its dual is True, the configuration wants False"):
        train_segmenter(SegmenterRequest(few, config("single"), init=finished.bundles[0]), tmp_path / "b", device="cpu")


def test_the_single_scale_twin_is_trained_alike(finished: TrainedSegmenter, manifest: Manifest, tmp_path: Path) -> None:
    run = train_segmenter(
        SegmenterRequest(manifest, config("single", epochs=1)),
        tmp_path / "a",
        device="cpu",
        cache=finished.out / "cache",
    )
    segmenter = load_bundle_segmenter(run.out)
    assert not segmenter.dual
    assert segmenter.latent_shapes == ((8, 4, 4, 4),)


def test_mixed_precision_trains(finished: TrainedSegmenter, manifest: Manifest) -> None:
    import lightning.pytorch as pl

    from deepradiomics.ich.segmenter.fit import new_network
    from deepradiomics.ich.segmenter.module import Segmentation

    chosen = config(precision="bf16-mixed", epochs=1)
    heads = cohort_heads(manifest, RECIPE, finished.out / "cache")
    module = Segmentation(new_network(chosen, 0), heads, ([0, 1, 2, 3], [4]), chosen.training, 12.0, 0)
    kinds = []
    module.network.heads[0].register_forward_hook(lambda *found: kinds.append(found[2].dtype))
    trainer = pl.Trainer(
        max_epochs=1, precision="bf16-mixed", accelerator="cpu", logger=False, enable_progress_bar=False,
        enable_model_summary=False, enable_checkpointing=False, use_distributed_sampler=False,
    )  # fmt: skip
    from deepradiomics.training.quiet import quiet

    with quiet():
        trainer.fit(module)
    assert {str(kind) for kind in kinds} == {"torch.bfloat16"}
    assert np.isfinite(float(trainer.callback_metrics["validation_loss"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("picture", r"Case head01: grey levels from 0 to 255 cannot be HU"),
        ("empty", r"Case head01, column mask: the mask .* is empty"),
        ("none", r"Case head01 has no mask of the haematoma"),
        ("large", r"Case head01: \d+% of the haematoma lie outside .*larger than the crop"),
    ],
)
def test_cases_that_cannot_be_used_are_named_or_dropped(
    change: str, message: str, cohort: Path, tmp_path: Path
) -> None:
    rows = read_rows(cohort)[:4]
    for row in rows:
        row["image"], row["mask"] = (str(cohort.parent / row[name]) for name in ("image", "mask"))
    volume, mask = read_volume(rows[1]["image"]), read_mask(rows[1]["mask"])
    recipe = RECIPE
    if change == "picture":
        rows[1]["image"] = str(
            write_volume(Volume(np.clip(volume.voxels, 0, 255), volume.geometry), tmp_path / "a.nii.gz")
        )
    elif change == "empty":
        rows[1]["mask"] = str(write_mask(Mask(0 * mask.labels, mask.geometry), tmp_path / "m.nii.gz"))
    elif change == "none":
        rows[1]["mask"] = ""
    else:
        recipe = dataclasses.replace(RECIPE, spacing_mm=6.0)
        head = Mask((volume.voxels > -500).astype(np.uint8), mask.geometry)
        rows[1]["mask"] = str(write_mask(head, tmp_path / "m.nii.gz"))
    changed = read(write_rows(tmp_path / "manifest.csv", rows))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=rf"1 of 4 cases cannot be used:\n  {message}"):
        cohort_heads(changed, recipe, tmp_path / "cache")
    heads = cohort_heads(changed, recipe, tmp_path / "cache", missing="drop")
    assert heads.ids == ("head00", "head02", "head03")
    assert heads.dropped[0][0] == "head01"


def test_a_case_that_cannot_be_used_leaves_no_record_of_a_run(cohort: Path, tmp_path: Path) -> None:
    rows = read_rows(cohort)
    for row in rows:
        row["image"], row["mask"] = (str(cohort.parent / row[name]) for name in ("image", "mask"))
    rows[2]["mask"] = ""
    lacking = read(write_rows(tmp_path / "manifest.csv", rows))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Case head02 has no mask"):
        train_segmenter(SegmenterRequest(lacking, config()), tmp_path / "run", device="cpu", cache=tmp_path / "cache")
    assert not (tmp_path / "run").exists()


def test_prepared_heads_are_shared_and_damaged_ones_made_again(
    finished: TrainedSegmenter, manifest: Manifest, tmp_path: Path
) -> None:
    shutil.copytree(finished.out / "cache", tmp_path / "cache")
    heads = cohort_heads(manifest, RECIPE, tmp_path / "cache")
    assert len(list((tmp_path / "cache").rglob("image.npy"))) == len(heads) == 10
    assert heads.images([0, 1]).shape == heads.masks([0, 1]).shape == (2, 1, 16, 16, 16)
    before = heads.images([0])
    content = bytearray((heads.folders[0] / "image.npy").read_bytes())
    content[-2] ^= 64  # one voxel's exponent
    (heads.folders[0] / "image.npy").write_bytes(content)
    with pytest.warns(UserWarning, match=r"image\.npy.*does not fit its checksum.*It is made anew"):
        again = cohort_heads(manifest, RECIPE, tmp_path / "cache")
    assert again.digest == heads.digest
    assert again.images([0]).dtype == np.float32
    np.testing.assert_array_equal(again.images([0]), before)


def test_too_few_patients_and_separated_scans_are_told(manifest: Manifest, tmp_path: Path) -> None:
    few = dataclasses.replace(manifest, rows=manifest.rows[:2])
    with pytest.raises(ManifestError, match="needs at least 2 train cases"):
        train_segmenter(SegmenterRequest(few, config()), tmp_path / "a", device="cpu")
    with pytest.raises(InputError, match="folds: expected at least two, got 1"):
        train_segmenter(SegmenterRequest(manifest, config(), folds=1), tmp_path / "a", device="cpu")
    apart = [dataclasses.replace(row, split="train" if n % 2 else "test") for n, row in enumerate(manifest.rows)]
    with pytest.raises(ManifestError, match="separates the scans of patient person01"):
        train_segmenter(
            SegmenterRequest(dataclasses.replace(manifest, rows=tuple(apart)), config()), tmp_path / "a", device="cpu"
        )
    assert not (tmp_path / "a").exists()


def test_nothing_that_is_passed_on_names_a_folder(finished: TrainedSegmenter, in_folds: TrainedSegmenter) -> None:
    assert files_with_folders(finished.out, finished.out.parents[1]) == []
    # the manifest that a run in folds leaves names images, as every manifest does
    assert files_with_folders(in_folds.out, in_folds.out.parents[1]) == ["manifest.csv"]
