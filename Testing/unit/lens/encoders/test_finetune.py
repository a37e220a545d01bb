"""Fine-tuning, frozen and whole: the three tasks, their bundles and numbers, kills, and bad input."""

import csv
import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from deepradiomics.cohort.manifest import Manifest, read_manifest
from deepradiomics.cohort.splits import read_splits
from deepradiomics.errors import BundleError, Cancelled, InputError, ManifestError
from deepradiomics.files.atomic import read_json
from deepradiomics.images import read_volume, write_volume
from deepradiomics.lens.encoders.finetune.run import FinetunedRun
from deepradiomics.lens.encoders.finetune.stored import load_model
from deepradiomics.lens.encoders.pretrain.run import PRETRAINING, PretrainRequest, pretrain
from deepradiomics.lens.encoders.stacks import Stacks, cohort_stacks
from deepradiomics.networks.convnextv2 import ConvNeXtV2
from deepradiomics.networks.encoders.encoder import Encoder
from deepradiomics.networks.encoders.load import load_encoder
from deepradiomics.stats import dice
from deepradiomics.training.run_folder import RunFolder
from deepradiomics.training.seeds import seeded
from Testing.unit.lens.ball_cohort import CONFIG, RECIPE, config, finetuned, read_rows, write_cohort, write_rows

pytest.importorskip("lightning")
SHORT = config(epochs=2)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("balls"), cases=24)


@pytest.fixture(scope="module")
def manifest(cohort: Path) -> Manifest:
    return read_manifest(cohort, need_labels=False)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with seeded(3):
        fresh = Encoder(ConvNeXtV2(2, "mini"), RECIPE, name="fresh")
    return fresh.save(tmp_path_factory.mktemp("encoder") / "fresh")


@pytest.fixture(scope="module")
def runs(
    manifest: Manifest, encoder: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, FinetunedRun]:
    """A finished run of each task."""
    out = tmp_path_factory.mktemp("runs")
    return {
        kind: finetuned(manifest, kind, encoder, CONFIG, out / kind, cache=cache)  # type: ignore[arg-type]
        for kind in ("class", "segment", "regress")
    }


def changed(cohort: Path, name: str, **columns: list[str]) -> Manifest:
    """The cohort with other columns."""
    rows = read_rows(cohort)
    for column, cells in columns.items():
        rows = [{**row, column: cell} for row, cell in zip(rows, cells, strict=True)]
    return read_manifest(write_rows(cohort.with_name(f"{name}.csv"), rows), need_labels=False)


def test_stacks_of(manifest: Manifest, run: FinetunedRun, cache: Path) -> tuple[Stacks, list[int], Manifest]:
    """The stacks of a run's cases, and the rows of its test cases."""
    splits = read_splits(run.out / "splits.csv")
    used = dataclasses.replace(manifest, rows=tuple(row for row in manifest.rows if row.id in splits))
    regions = ("lesion",) if run.metrics["task"] == "segment" else ()
    stacks = cohort_stacks(used, RECIPE, cache, roi="gland", regions=regions)
    return stacks, [n for n, case in enumerate(used.ids) if splits[case] == "test"], used


test_stacks_of.__test__ = False  # type: ignore[attr-defined]


def scores(run: FinetunedRun, stage: str, key: str) -> float:
    return float(run.metrics[stage][key]["value"])


@pytest.mark.parametrize("stage", ["frozen", "tuned"])
def test_the_kappa_is_that_of_the_stored_model_on_the_test_cases(
    runs: dict[str, FinetunedRun], manifest: Manifest, cache: Path, stage: str
) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    run = runs["class"]
    stacks, test, used = test_stacks_of(manifest, run, cache)
    chances = load_model(run.models[stage]).predict(stacks.images(test))
    truth, predicted = np.array(used.labels("grade"))[test], chances.argmax(axis=1)
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, rtol=1e-5)
    expected = metrics.cohen_kappa_score(truth, predicted, weights="quadratic")
    assert scores(run, stage, "qwk") == pytest.approx(expected, abs=1e-9)
    assert scores(run, stage, "accuracy") == pytest.approx(metrics.accuracy_score(truth, predicted))
    assert scores(run, stage, "cross_entropy") == pytest.approx(metrics.log_loss(truth, chances), rel=1e-4)


@pytest.mark.parametrize("stage", ["frozen", "tuned"])
def test_the_mean_dice_is_that_of_the_stored_model(
    runs: dict[str, FinetunedRun], manifest: Manifest, cache: Path, stage: str
) -> None:
    run = runs["segment"]
    stacks, test, _ = test_stacks_of(manifest, run, cache)
    chances = load_model(run.models[stage]).predict(stacks.images(test))
    found = [dice(chance > 0.5, mask) for chance, mask in zip(chances, stacks.masks("lesion", test), strict=True)]
    assert scores(run, stage, "dice") == pytest.approx(np.mean(found), abs=1e-6)


@pytest.mark.parametrize("stage", ["frozen", "tuned"])
def test_the_errors_of_a_value_are_in_its_unit_and_scaled_with_the_training_cases(
    runs: dict[str, FinetunedRun], manifest: Manifest, cache: Path, stage: str
) -> None:
    run = runs["regress"]
    stacks, test, used = test_stacks_of(manifest, run, cache)
    truth = np.array(used.values("volume_ml"))
    splits = read_splits(run.out / "splits.csv")
    train = truth[[splits[case] == "train" for case in used.ids]]
    found = load_model(run.models[stage]).predict(stacks.images(test))
    errors = found - truth[test]
    assert scores(run, stage, "mae") == pytest.approx(np.abs(errors).mean(), rel=1e-4)
    assert scores(run, stage, "mse") == pytest.approx(np.mean((errors / (train.max() - train.min())) ** 2), rel=1e-4)


def test_the_frozen_encoder_is_the_one_it_was_and_the_tuned_one_is_not(
    runs: dict[str, FinetunedRun], encoder: Path
) -> None:
    before = load_encoder(encoder)
    for kind, run in runs.items():
        frozen, tuned = (load_model(run.models[stage]).network for stage in ("frozen", "tuned"))
        for name, value in before.module.state_dict().items():
            assert torch.equal(frozen.encoder.state_dict()[name], value), (kind, name)
        assert load_encoder(run.encoders["frozen"]).hash == before.hash
        after = load_encoder(run.encoders["tuned"])
        assert after.weights_sha256 != before.weights_sha256
        assert after.recipe == before.recipe
        for name, value in after.module.state_dict().items():
            assert torch.equal(tuned.encoder.state_dict()[name], value), (kind, name)
        heads = [network.head.state_dict() for network in (frozen, tuned)]
        assert any(not torch.equal(heads[0][name], heads[1][name]) for name in heads[0])


def test_a_run_leaves_splits_metrics_and_the_table(runs: dict[str, FinetunedRun], manifest: Manifest) -> None:
    for kind, run in runs.items():
        assert read_json(run.out / "metrics.json") == run.metrics
        assert run.metrics["synthetic"] is True
        with (run.out / "tableA1.csv").open(encoding="utf-8", newline="") as stream:
            table = list(csv.DictReader(stream))
        assert list(table[0]) == [
            "task", "metric", "better", "frozen", "tuned", "unit", "frozen_low", "frozen_high", "tuned_low",
            "tuned_high", "n",
        ]  # fmt: skip
        assert [row["metric"] for row in table] == [metric["name"] for metric in run.metrics["metrics"]]
        own = run.metrics["metric"]
        assert float(table[0]["tuned"]) == pytest.approx(scores(run, "tuned", own), rel=1e-5)
        for stage in ("frozen", "tuned"):
            interval = run.metrics[stage][own]
            said = [table[0][f"{stage}_{limit}"] for limit in ("low", "high")]
            if interval["low"] is None:
                assert interval["high"] is None
                assert said == ["", ""]
            else:
                assert interval["low"] <= interval["value"] <= interval["high"], (kind, stage)
                assert [float(cell) for cell in said] == pytest.approx([interval["low"], interval["high"]], rel=1e-5)
        assert {row["n"] for row in table} == {str(run.metrics["test_cases"])}
    assert runs["regress"].metrics["metrics"][1]["unit"] == "mL"


def test_splits_are_by_patient_and_the_same_for_equal_seeds(runs: dict[str, FinetunedRun], manifest: Manifest) -> None:
    splits = read_splits(runs["class"].out / "splits.csv")
    patients: dict[str, set[str]] = {}
    for case, group in zip(manifest.ids, manifest.groups, strict=True):
        patients.setdefault(group, set()).add(splits[case])
    assert all(len(found) == 1 for found in patients.values())
    assert len(patients) == 22
    assert runs["class"].metrics["splits"] == {
        name: list(splits.values()).count(name) for name in ("train", "validation", "test")
    }


def test_cases_without_a_lesion_are_left_out_of_segmentation_and_listed(
    runs: dict[str, FinetunedRun], manifest: Manifest
) -> None:
    without = [row.id for row in manifest.rows if "lesion" not in row.masks]
    metrics = runs["segment"].metrics
    assert [case["id"] for case in metrics["dropped"]] == without
    assert len(without) == 8
    assert "column mask_lesion: no region was drawn" in metrics["dropped"][0]["reason"]
    assert sum(metrics["splits"].values()) == 16
    told = [text for text in metrics["warnings"] if "left out" in text]
    assert len(told) == 1
    assert told[0].startswith("8 of 24 cases have nothing in the column mask_lesion")


def test_the_gland_is_not_learned_unasked(cohort: Path, encoder: Path, cache: Path, tmp_path: Path) -> None:
    rows = [{key: cell for key, cell in row.items() if key != "mask_lesion"} for row in read_rows(cohort)]
    gland_only = read_manifest(write_rows(cohort.with_name("gland-only.csv"), rows), need_labels=False)
    with pytest.raises(ManifestError, match=r"there are mask_gland\. Name one of them as target \(--target gland\)"):
        finetuned(gland_only, "segment", encoder, SHORT, tmp_path / "a", cache=cache)
    assert not (tmp_path / "a").exists()


def test_a_pretraining_is_not_written_into_nor_a_finetuning_by_a_pretraining(
    runs: dict[str, FinetunedRun], manifest: Manifest, encoder: Path, cache: Path, tmp_path: Path
) -> None:
    RunFolder(tmp_path, {}, kind=PRETRAINING)
    (tmp_path / "splits.csv").write_text("id,split\n", encoding="utf-8")
    for resume in (True, False):
        with pytest.raises(InputError, match=r"another run lives here, a pre-training; a fine-tuning would write over"):
            finetuned(manifest, "class", encoder, SHORT, tmp_path, cache=cache, resume=resume)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.json", "splits.csv"]
    assert (tmp_path / "splits.csv").read_text(encoding="utf-8") == "id,split\n"

    out = runs["class"].out
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for resume in (True, False):
        with pytest.raises(InputError, match=r"another run lives here, a fine-tuning; a pre-training would write over"):
            pretrain(PretrainRequest(manifest, CONFIG), out, resume=resume, cache=cache)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_a_stage_that_belongs_to_another_run_leaves_no_trace_of_the_new_one(
    manifest: Manifest, encoder: Path, cache: Path, tmp_path: Path
) -> None:
    finetuned(manifest, "regress", encoder, config(epochs=1), tmp_path, only="tuned", cache=cache)
    with pytest.raises(InputError, match="seed differs"):
        finetuned(manifest, "regress", encoder, config(epochs=1), tmp_path, seed=4, cache=cache)
    assert not (tmp_path / "frozen").exists()


def test_an_encoder_that_fine_tuning_hardly_changed_is_told(
    manifest: Manifest, encoder: Path, cache: Path, tmp_path: Path
) -> None:
    still = config(epochs=3, learning_rate=0.0, weight_decay=0.0)  # nothing improves: the first epoch stays the best
    run = finetuned(manifest, "segment", encoder, still, tmp_path, only="tuned", cache=cache)
    assert any(
        "the encoder kept is that of epoch 1 of 3, after which the validation score never improved: fine-tuning "
        "hardly changed it" in text
        for text in run.metrics["warnings"]
    )
    kept = load_encoder(run.encoders["tuned"]).about["finetuning"]["metrics"]
    assert (kept["best_epoch"], kept["epochs"]) == (1, 3)


def test_a_finished_run_is_not_trained_again(
    runs: dict[str, FinetunedRun], manifest: Manifest, encoder: Path, cache: Path
) -> None:
    run = runs["class"]
    before = {path: path.stat().st_mtime_ns for path in run.out.rglob("*.safetensors")}
    again = finetuned(manifest, "class", encoder, CONFIG, run.out, cache=cache)
    assert again.metrics == run.metrics
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_one_stage_alone_and_then_the_other_give_both(
    manifest: Manifest, encoder: Path, cache: Path, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"cache": cache}
    first = finetuned(manifest, "regress", encoder, SHORT, tmp_path / "a", only="tuned", **options)
    assert "frozen" not in first.metrics
    assert not (tmp_path / "a" / "frozen").exists()
    assert (tmp_path / "a" / "tableA1.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[3] == ""
    with pytest.raises(InputError, match="seed differs"):  # the stage that is there belongs to another run
        finetuned(manifest, "regress", encoder, SHORT, tmp_path / "a", only="frozen", seed=9, resume=False, **options)
    both = finetuned(manifest, "regress", encoder, SHORT, tmp_path / "a", only="frozen", **options)
    assert both.metrics["tuned"] == first.metrics["tuned"]
    assert "mse" in both.metrics["frozen"]


def test_a_stage_beside_one_of_other_images_is_refused(
    cohort: Path, encoder: Path, cache: Path, tmp_path: Path
) -> None:
    shutil.copytree(cohort.parent, tmp_path / "balls")
    manifest = read_manifest(tmp_path / "balls" / cohort.name, need_labels=False)
    finetuned(manifest, "regress", encoder, SHORT, tmp_path / "a", only="tuned", cache=cache)
    table = (tmp_path / "a" / "tableA1.csv").read_bytes()
    file = manifest.rows[0].views["t2"]
    brighter = read_volume(file)
    write_volume(dataclasses.replace(brighter, voxels=brighter.voxels + np.float32(1)), file)
    with pytest.raises(InputError, match="the images or masks have changed"):
        finetuned(manifest, "regress", encoder, SHORT, tmp_path / "a", only="frozen", cache=cache)
    assert (tmp_path / "a" / "tableA1.csv").read_bytes() == table


@pytest.mark.parametrize("how", ["slice", "replicate"])
def test_one_modality_of_an_encoder_for_two(
    how: Any, manifest: Manifest, encoder: Path, cache: Path, tmp_path: Path
) -> None:
    run = finetuned(
        manifest, "regress", encoder, SHORT, tmp_path / "a", modalities=["t2"], channels=how,
        cache=cache,
    )  # fmt: skip
    stem = "downsample_layers.0.0.weight"
    whole = load_encoder(encoder).module.state_dict()[stem]
    expected = whole[:, :1] if how == "slice" else whole.sum(dim=1, keepdim=True)
    frozen, tuned = (load_encoder(run.encoders[stage]) for stage in ("frozen", "tuned"))
    assert frozen.channels == tuned.channels == ("t2",)
    assert torch.equal(frozen.module.state_dict()[stem], expected)


def test_given_splits_are_kept(manifest: Manifest, cohort: Path, encoder: Path, cache: Path, tmp_path: Path) -> None:
    splits = ["train"] * 15 + ["validation"] * 4 + ["test"] * 5
    given = changed(cohort, "given", split=splits)
    run = finetuned(given, "regress", encoder, SHORT, tmp_path / "a", only="frozen", cache=cache)
    assert list(read_splits(run.out / "splits.csv").values()) == splits
    assert any("only 5 test cases" in remark for remark in run.metrics["warnings"])


def test_an_encoder_that_has_seen_the_cases_is_told(
    runs: dict[str, FinetunedRun], manifest: Manifest, cache: Path, tmp_path: Path
) -> None:
    tuned = runs["regress"].encoders["tuned"]
    run = finetuned(manifest, "class", tuned, SHORT, tmp_path / "a", only="frozen", cache=cache)
    seen = run.metrics["seen_before"]["finetuning"]
    splits = runs["regress"].metrics["splits"]
    assert seen["cases"] == splits["train"] + splits["validation"]
    assert any(f"fine-tuned before on images of {seen['test_cases']} of" in text for text in run.metrics["warnings"])


def test_a_case_without_a_modality_is_named_or_dropped(
    cohort: Path, manifest: Manifest, encoder: Path, cache: Path, tmp_path: Path
) -> None:
    lacking = changed(cohort, "lacking", view_adc=["", *[row["view_adc"] for row in read_rows(cohort)[1:]]])
    options: dict[str, Any] = {"cache": cache, "only": "frozen"}
    with pytest.raises(InputError, match="Case ball00 lacks the modality adc"):
        finetuned(lacking, "regress", encoder, SHORT, tmp_path / "a", **options)
    run = finetuned(lacking, "regress", encoder, SHORT, tmp_path / "b", missing="drop", **options)
    assert [case["id"] for case in run.metrics["dropped"]] == ["ball00"]
    assert sum(run.metrics["splits"].values()) == 23


def test_cancelling_leaves_a_run_that_can_go_on(manifest: Manifest, encoder: Path, cache: Path, tmp_path: Path) -> None:
    def stop(fraction: float, message: str) -> None:
        if message.startswith("epoch 2 of 2: tuned"):
            raise Cancelled("stopped by the user")

    with pytest.raises(Cancelled):
        finetuned(manifest, "regress", encoder, SHORT, tmp_path, cache=cache, progress=stop)
    assert read_json(tmp_path / "frozen" / "run.json")["status"] == "finished"
    assert read_json(tmp_path / "tuned" / "run.json")["status"] == "running"


BAD: dict[str, tuple[dict[str, Any], dict[str, list[str]], str]] = {
    "no such column": ({"target": "gleason"}, {}, r"no column label_gleason.*there are: label_grade"),
    "a class with one case": (
        {}, {"label_grade": ["7", *["0", "1"] * 11, "0"]}, r"class 7 has one case only \(case ball00\)",
    ),
    "one class": ({}, {"label_grade": ["1"] * 24}, "all 24 cases are of class 1.*learn another column"),
    "a negative seed": ({"seed": -1}, {}, "seed: expected a whole number from 0"),
    "a negative seed of the splits": ({"split_seed": -2}, {}, "split_seed: expected a whole number from 0"),
    "a region nobody drew": (
        {"roi": "bladder"}, {}, r"no mask in a column mask_bladder.*are: gland, lesion.*--centre ellipsoid",
    ),
    "two columns to choose from": (
        {}, {"label_other": ["0", "1"] * 12}, r"there are label_grade, label_other.*Name one of them as target",
    ),
    "a patient in two splits": (
        {}, {"split": ["train", "test"] * 12}, r"separates the scans of patient p0: ball00 in train, ball01 in test",
    ),
    "a class that a split lacks": (
        {}, {"split": ["train"] * 18 + ["validation"] * 3 + ["test"] * 3, "label_grade": ["0", "1"] * 9 + ["0"] * 6},
        "split has no case of class 1",
    ),
    "an unknown modality": ({"modalities": ["dwi"]}, {}, "cannot be reduced to dwi"),
    "an unknown task": ({"kind": "survival"}, {}, "task: expected one of class, segment, regress"),
    "no value": ({"kind": "regress", "target": "psa"}, {}, r"no column value_psa.*there are: value_volume_ml"),
    "a constant value": (
        {"kind": "regress"}, {"value_volume_ml": ["3.5"] * 24}, "all training cases have the value 3.5",
    ),
    "an empty column": (
        {"kind": "segment"}, {"mask_lesion": [""] * 24}, "no case has anything in the column mask_lesion",
    ),
    "an unknown stage": ({"only": "half"}, {}, "only: expected one of frozen, tuned"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_before_anything_is_trained(
    name: str, cohort: Path, encoder: Path, cache: Path, tmp_path: Path
) -> None:
    options, columns, message = BAD[name]
    manifest = changed(cohort, name.replace(" ", "-"), **columns)
    kind = options.get("kind", "class")
    rest = {key: value for key, value in options.items() if key != "kind"}
    with pytest.raises(InputError, match=message):
        finetuned(manifest, kind, encoder, SHORT, tmp_path / "a", cache=cache, **rest)
    assert list(tmp_path.iterdir()) == []


def test_a_case_that_cannot_be_used_leaves_no_record_of_a_run(
    cohort: Path, encoder: Path, cache: Path, tmp_path: Path
) -> None:
    lacking = changed(cohort, "no-adc", view_adc=["", *[row["view_adc"] for row in read_rows(cohort)[1:]]])
    with pytest.raises(InputError, match="Case ball00 lacks"):
        finetuned(lacking, "regress", encoder, SHORT, tmp_path / "a", cache=cache)
    assert list(tmp_path.iterdir()) == []


def test_a_value_that_is_not_a_number_is_refused_where_the_manifest_is_read(cohort: Path) -> None:
    with pytest.raises(ManifestError, match=r"Case ball00, column value_volume_ml: expected a number"):
        changed(cohort, "nan", value_volume_ml=["nan"] * 24)


def test_an_encoder_of_modalities_that_the_cohort_lacks_is_refused(
    manifest: Manifest, cache: Path, tmp_path: Path
) -> None:
    other = Encoder(ConvNeXtV2(2, "mini"), dataclasses.replace(RECIPE, modalities=("t2", "dce")), name="dce")
    with pytest.raises(BundleError, match="dce is not among those given: t2, adc"):
        finetuned(manifest, "class", other, SHORT, tmp_path / "a", cache=cache)


def test_a_network_that_is_no_convnext_is_refused(manifest: Manifest, cache: Path, tmp_path: Path) -> None:
    other = Encoder(torch.nn.Sequential(torch.nn.Conv3d(2, 4, 4, 4), torch.nn.ReLU()), RECIPE, name="plain")
    with pytest.raises(BundleError, match="only a ConvNeXt-V2"):
        finetuned(manifest, "class", other, SHORT, tmp_path / "a", cache=cache)


def test_the_folder_of_another_run_is_refused_and_nothing_is_lost(
    runs: dict[str, FinetunedRun], manifest: Manifest, encoder: Path, cache: Path
) -> None:
    run = runs["regress"]
    before = {path: path.read_bytes() for path in run.out.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=r"another run lives here; task differs \(there regress, now class\)"):
        finetuned(manifest, "class", encoder, CONFIG, run.out, cache=cache)
    assert {path: path.read_bytes() for path in run.out.rglob("*") if path.is_file()} == before
