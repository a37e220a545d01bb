"""`deepradiomics ich expansion`: what it writes, segmentation of what has no mask, and its messages."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from deepradiomics.cli.main import app
from deepradiomics.files.atomic import read_json
from deepradiomics.ich.haematoma.result import ExpansionFolder
from deepradiomics.images import Mask, read_mask
from deepradiomics.phantoms import write_ich_cohort
from deepradiomics.prepare import AffineTransform

MASKS = ("--baseline-mask", "{mask}", "--followup-mask", "{mask_followup}")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = write_ich_cohort(tmp_path_factory.mktemp("heads"), 1, 12).parent / "cases" / "ich-s12-0001"
    return {name: folder / f"{name}.nii.gz" for name in ("ct", "ct_followup", "mask", "mask_followup")}


def run(files, out, *options):
    arguments = ["ich", "expansion", files["ct"], files["ct_followup"], "-o", out, "--backend", "cpu", *options]
    return CliRunner().invoke(app, [str(one).format(**files) for one in arguments])


def test_it_writes_volumes_labels_map_transform_and_picture(files, tmp_path):
    ran = run(files, tmp_path / "out", *MASKS, "--case-id", "p1", "--json")
    assert ran.exit_code == 0, ran.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "expansion.json", "expansion.nii.gz", "followup_registered.nii.gz", "transform.tfm", "expansion.png",
    }  # fmt: skip
    record = read_json(tmp_path / "out" / "expansion.json")
    before, after = read_mask(files["mask"]), read_mask(files["mask_followup"])
    cell = float(np.prod(before.geometry.spacing_mm)) / 1000
    assert record["baseline_ml"] == pytest.approx(before.labels.sum() * cell, rel=1e-5)
    assert record["difference_ml"] == pytest.approx((after.labels.sum() - before.labels.sum()) * cell, rel=1e-5)
    for limit in (3, 6, 9):
        assert record["labels"][f"expansion_{limit}ml"] == (record["difference_ml"] > limit)
    assert record["synthetic"] is True
    assert record["case_id"] == "p1"
    assert record["kind"] == "ich-expansion"
    assert AffineTransform.read(tmp_path / "out" / "transform.tfm").array == pytest.approx(
        np.array(record["transform"]["matrix"]), abs=1e-6
    )
    shown = ExpansionFolder.read(tmp_path / "out")  # as 3D Slicer reads it
    assert shown.change.geometry.is_close(before.geometry)
    assert shown.followup.geometry.is_close(before.geometry)
    assert (tmp_path / "out" / "expansion.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(ran.stdout.splitlines()[-1])["expansion"]["labels"] == record["labels"]


def test_what_has_no_mask_is_segmented_and_kept(files, tmp_path, monkeypatch):
    asked = []

    def segment(volume, *, flips, largest, case, progress):
        asked.append((case, flips, largest))
        known = read_mask(files["mask_followup"])
        return SimpleNamespace(mask=Mask(known.labels, volume.geometry), probability=None, notes=("Looked hard.",))

    monkeypatch.setattr(
        "deepradiomics.networks.segmenter.load_segmenter", lambda source, device: SimpleNamespace(segment=segment)
    )
    ran = run(files, tmp_path / "o", "--baseline-mask", files["mask"], "--segmenter", tmp_path, "--largest")
    assert ran.exit_code == 0, ran.output
    assert asked == [("followup", False, True)]
    np.testing.assert_array_equal(
        read_mask(tmp_path / "o" / "followup_mask.nii.gz").labels, read_mask(files["mask_followup"]).labels
    )
    assert not (tmp_path / "o" / "baseline_mask.nii.gz").exists()
    assert "followup: Looked hard." in read_json(tmp_path / "o" / "expansion.json")["notes"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--baseline-mask is missing. Give both masks, or --segmenter to segment with."),
        (["--baseline-mask", "{mask}"], "--followup-mask is missing."),
        (["--baseline-mask", "none.nii.gz", "--followup-mask", "{mask}"], "none.nii.gz: this file does not exist"),
        ([*MASKS, "--label", "4"], "no voxel has label 4"),
        ([*MASKS, "--backend", "tpu"], "--backend: expected one of auto, cpu, gpu, got 'tpu'"),
    ],
)
def test_a_mistake_is_one_message_and_nothing_is_written(files, tmp_path, options, message):
    ran = run(files, tmp_path / "out", *options)
    assert ran.exit_code == 2
    assert message in " ".join(ran.output.split())
    assert not (tmp_path / "out").exists()


def test_the_same_scan_twice_is_refused(files, tmp_path):
    twice = {**files, "ct_followup": files["ct"], "mask_followup": files["mask"]}
    ran = run(twice, tmp_path / "out", *MASKS)
    assert ran.exit_code == 2
    assert "are the same image" in " ".join(ran.output.split())
