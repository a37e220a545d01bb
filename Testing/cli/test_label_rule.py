"""One rule for labels: every command of the methods refuses a mask of several labels where none is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.images import Mask, read_mask, write_mask
from Testing.cli import material
from Testing.cli.ich import ich_material as ich
from Testing.cli.run_cli import Finished, run_cli
from Testing.unit.lens import ball_cohort, lens_material

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def blood(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mask of a haematoma (label 1, "blood") with the tissue around it (label 3, "oedema")."""
    region = read_mask(ich.place() / "mask.nii.gz")
    inside = region.union()
    around = np.roll(inside, 1, axis=1) | np.roll(inside, -1, axis=1)
    labels = np.where(inside, 1, np.where(around, 3, 0)).astype(np.uint8)
    file = tmp_path_factory.mktemp("masks") / "several.seg.nrrd"
    write_mask(Mask(labels, region.geometry, segments={1: "blood", 3: "oedema"}), file)
    return file


def _refused(done: Finished, *words: str) -> None:
    assert done.code == 2
    assert "Traceback" not in done.err
    for word in ("it has 2 labels", "Say which is meant", *words):
        assert word in done.err, done.err


def test_ich_volume_names_a_label_or_gives_a_row_a_label(blood: Path) -> None:
    _refused(run_cli(["ich", "volume", blood]), "1 (blood), 3 (oedema)")
    by_number, by_name = (
        run_cli(["ich", "volume", blood, *which, "--json"]).result for which in (("--label", 1), ("--segment", "blood"))
    )
    assert by_number["volume_ml"] == by_name["volume_ml"] > 0
    assert by_name["label"] == 1
    whole = run_cli(["ich", "volume", blood, "--merge-labels", "--json"]).result
    assert [row["name"] for row in whole["labels"]] == ["blood", "oedema"]
    assert whole["label"] is None
    assert whole["volume_ml"] == pytest.approx(sum(row["volume_ml"] for row in whole["labels"]))
    assert "its 2 labels were taken together, 1 (blood), 3 (oedema)" in whole["notes"][0]
    told = run_cli(["ich", "volume", blood, "--merge-labels"])
    assert "label 3" in told.out
    assert "oedema" in told.out


def test_ich_volume_says_which_label_it_took(blood: Path) -> None:
    done = run_cli(["ich", "volume", ich.place() / "mask.nii.gz"])
    assert done.code == 0
    assert "Note: Mask mask: its only label was taken, 1." in done.err
    near = run_cli(["ich", "volume", blood, "--segment", "blod"])
    assert near.code == 2
    assert "Did you mean 'blood'?" in near.err
    both = run_cli(["ich", "volume", blood, "--segment", "blood", "--label", 1])
    assert both.code == 2
    assert "give one of them" in both.err


def test_ich_expansion_asks_for_the_label_of_either_mask(blood: Path, tmp_path: Path) -> None:
    place = ich.place()
    words = ["ich", "expansion", place / "ct.nii.gz", place / "later.nii.gz", "--backend", "cpu", "-o", tmp_path / "o"]
    plain = ["--baseline-mask", place / "mask.nii.gz", "--followup-mask", place / "later_mask.nii.gz"]
    _refused(run_cli([*words, "--baseline-mask", blood, *plain[2:]]), "--baseline-mask", "1 (blood)")
    _refused(run_cli([*words, *plain[:2], "--followup-mask", blood]), "--followup-mask")
    done = run_cli([*words, "--baseline-mask", blood, *plain[2:], "--segment", "blood", "--followup-label", 1])
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "o" / "expansion.json").read_text(encoding="utf-8"))
    whole = run_cli([*words[:-1], tmp_path / "whole", *plain])
    expected = json.loads((tmp_path / "whole" / "expansion.json").read_text(encoding="utf-8"))
    assert whole.code == 0
    assert record["baseline_ml"] == expected["baseline_ml"]
    assert any("its only label was taken, 1" in note for note in expected["notes"])
    assert "its only label was taken, 1" in whole.err


def test_ich_apply_takes_the_label_named_or_that_of_the_training(blood: Path, tmp_path: Path) -> None:
    from deepradiomics.ich.predictor import save_predictor
    from Testing.unit.ich.tiny_predictor import random_predictor

    ct = ich.place() / "ct.nii.gz"
    words = ["ich", "apply", ich.bundle_without_networks(), ct, "--mask", blood, "--no-scene", "-o", tmp_path / "o"]
    _refused(run_cli(words), "the mask of the haematoma", "1 (blood), 3 (oedema)")
    done = run_cli([*words, "--segment", "blood", "--json"])
    assert done.code == 0, done.out
    trained = random_predictor(input="shape", info={"synthetic": True, "reading": {"label": 1}})
    knowing = save_predictor(tmp_path / "bundle", trained)
    taken = run_cli([*words[:2], knowing, *words[3:-1], tmp_path / "trained", "--json"])
    assert taken.code == 0, taken.out
    volumes = [one.result["case"]["volumes"]["haematoma_ml"] for one in (done, taken)]
    assert volumes[0] == volumes[1]
    assert any("label 1 was taken, as in the patients of the model" in text for text in taken.result["notes"])


def test_a_folder_with_a_dicom_seg_of_overlapping_segments_is_a_mask(tmp_path: Path) -> None:
    from Testing.unit.images.masks.seg_material import save, seg_dataset

    drawn = read_mask(ich.place() / "mask.nii.gz")
    inside = drawn.union()
    core = inside & (np.arange(inside.shape[0]) > np.argwhere(inside)[:, 0].mean())[:, None, None]
    dataset = seg_dataset({1: inside.astype(np.uint8), 2: core.astype(np.uint8)}, drawn.geometry)
    folder = tmp_path / "seg"
    folder.mkdir()
    save(dataset, folder / "one.dcm")
    _refused(run_cli(["ich", "volume", folder]), "1 (", "2 (")
    cell = np.prod(drawn.geometry.spacing_mm) / 1000
    whole = run_cli(["ich", "volume", folder, "--merge-labels", "--json"]).result
    assert whole["volume_ml"] == pytest.approx(inside.sum() * cell)  # the core lies within it and counts once
    assert [row["volume_ml"] for row in whole["labels"]] == pytest.approx([inside.sum() * cell, core.sum() * cell])
    words = ["ich", "apply", ich.bundle_without_networks(), ich.place() / "ct.nii.gz", "--mask", folder, "--no-scene"]
    done = run_cli([*words, "--label", 1, "-o", tmp_path / "o", "--json"])
    assert done.code == 0, done.out
    assert done.result["case"]["volumes"]["haematoma_ml"] == pytest.approx(inside.sum() * cell, rel=1e-6)


def test_cohorts_of_haematomas_name_their_label(blood: Path, tmp_path: Path) -> None:
    rows = ich.rows(count=10)
    for number, row in enumerate(rows):
        drawn = read_mask(row["mask"])
        labels = drawn.labels * 2
        labels[0, 0, 0] = 5
        row["mask"] = str(write_mask(Mask(labels, drawn.geometry), tmp_path / f"m{number}.nii.gz"))
    from Testing.unit.ich.ich_heads import write_rows

    manifest = write_rows(tmp_path / "m.csv", rows)
    words = ["ich", "features", manifest, "--params", ich.place() / "few.yaml", "--device", "cpu"]
    _refused(run_cli([*words, "-o", tmp_path / "a"]), "2, 5", f"Case {rows[0]['id']}")
    done = run_cli([*words, "-o", tmp_path / "b", "--label", 2, "--json"])
    assert done.code == 0, done.out
    assert done.result["rows"] == 10, done.out
    about = json.loads((tmp_path / "b" / "features.json").read_text(encoding="utf-8"))
    assert about["reading"] == {"label": 2}
    for name in ("train-segmenter", "train-autoencoder"):
        _refused(run_cli(["ich", name, manifest, "-o", tmp_path / name, "--preset", "tiny"]), "column mask")


def test_regions_of_encoders_and_lenses_name_their_label(tmp_path: Path) -> None:
    manifest = lens_material.cohort(tmp_path, 3)
    for case in ("c00", "c01", "c02"):
        drawn = read_mask(tmp_path / f"{case}_gland.nrrd")
        zones = drawn.labels.astype(np.uint8)
        zones[: zones.shape[0] // 2] *= 2
        write_mask(Mask(zones, drawn.geometry), tmp_path / f"{case}_gland.nrrd")
    views = [word for name in ("t2", "adc") for word in ("--view", f"{name}={tmp_path / f'c00_{name}.nrrd'}")]
    named = ["--modality", "t2", "--feature", "original_firstorder_Mean", "--preset", "tiny", "--mask"]
    words = ["lens", "case", *views, *named, tmp_path / "c00_gland.nrrd", "-o", tmp_path / "case"]
    _refused(run_cli(words), "column mask", "1, 2")
    done = run_cli([*words, "--merge-labels", "--json"])
    assert done.code == 0, done.out
    about = json.loads((tmp_path / "case" / "case.json").read_text(encoding="utf-8"))
    assert any("its 2 labels were taken together, 1, 2" in note for note in about["notes"])
    rows = {"pre": lens_material.embeddings(("c00", "c01", "c02")).write(tmp_path / "pre.csv")}
    fit = [
        "lens",
        "fit",
        manifest,
        "--pre",
        rows["pre"],
        "--ft",
        rows["pre"],
        "-o",
        tmp_path / "lens",
        "--preset",
        "tiny",
    ]
    assert run_cli(fit).code == 2


def test_an_encoder_is_trained_on_the_label_that_is_named(tmp_path: Path) -> None:
    pytest.importorskip("lightning")
    manifest = ball_cohort.write_cohort(tmp_path, cases=4)
    for file in tmp_path.glob("*_gland.nii.gz"):
        drawn = read_mask(file)
        zones = drawn.labels.astype(np.uint8)
        zones[: zones.shape[0] // 2] *= 2
        write_mask(Mask(zones, drawn.geometry), file)
    ball_cohort.CONFIG.write(tmp_path / "config.json")
    words = ["pretrain", manifest, "-o", tmp_path / "run", "--config", tmp_path / "config.json", "--device", "cpu"]
    _refused(run_cli(words), "column mask_gland")


def test_fingerprint_apply_takes_the_only_label_or_the_one_that_is_named(bundle: Path, tmp_path: Path) -> None:
    image = material.image(tmp_path / "k.nii.gz")
    words = [
        "fingerprint",
        "apply",
        bundle,
        "--view",
        f"sagittal={image}",
        "--no-scene",
        "-o",
        tmp_path / "o",
    ]
    two = material.mask(tmp_path / "two.nii.gz", "two")
    _refused(run_cli([*words, "--mask", two]), "the mask two.nii.gz")
    alone = run_cli([*words, "--mask", material.mask(tmp_path / "seven.nii.gz", "label-7"), "--json"])
    named = run_cli([*words, "--mask", tmp_path / "seven.nii.gz", "--label", 7, "--json"])
    assert alone.code == 0, alone.out + named.out
    assert named.code == 0, alone.out + named.out
    assert any("its only label was taken, 7" in text for text in alone.result["prediction"]["notes"])
    chances = [one.result["prediction"]["tasks"]["acl"]["probability"] for one in (alone, named)]
    assert chances[0] == chances[1]
    together = run_cli([*words, "--mask", two, "--merge-labels", "--json"])
    assert together.result["prediction"]["tasks"]["acl"]["probability"] == chances[0]  # one box in both masks
