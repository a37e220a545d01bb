"""A cohort of synthetic heads on disk: manifest, truth, planted drivers, rates of outcomes, the command."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from deepradiomics.cli.main import app
from deepradiomics.cohort import read_manifest
from deepradiomics.cohort.synthetic import is_synthetic, is_synthetic_image
from deepradiomics.errors import InputError
from deepradiomics.images import Volume, read_volume
from deepradiomics.phantoms import ich_exam, write_ich_cohort
from deepradiomics.phantoms.ich.plan import RISK, Plan

MORE = ("sex", "site", "encoder", "autoencoder")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_ich_cohort(tmp_path_factory.mktemp("heads"), 4, 7)


@pytest.fixture(scope="module")
def plans():
    return [Plan.draw(np.random.default_rng([11, n])) for n in range(1500)]


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_manifest_reads_back_and_the_cohort_says_that_it_is_synthetic(cohort):
    manifest = read_manifest(cohort, need_labels=False, more=MORE)
    assert manifest.views == ("image", "followup")
    assert manifest.rois == ("followup",)
    assert manifest.value_names == ("mrs", "expansion_ml", "age", "nihss")
    assert [row.id for row in manifest.rows] == [f"ich-s7-000{n}" for n in (1, 2, 3, 4)]
    assert all(row.more["sex"] in "FM" and row.more["site"] in "ABC" for row in manifest.rows)
    assert is_synthetic(manifest)
    file = cohort.parent / "cases" / "ich-s7-0001" / "ct.nii.gz"
    assert is_synthetic_image(file)
    assert "SYNTHETIC" in sitk.ReadImage(str(file)).GetMetaData("descrip")


def test_the_files_hold_the_voxels_of_the_exam(cohort):
    exam = ich_exam((7, 2))
    for what, image in {"ct": exam.baseline, "ct_followup": exam.followup}.items():
        read = read_volume(cohort.parent / "cases" / "ich-s7-0003" / f"{what}.nii.gz")
        np.testing.assert_array_equal(read.voxels, image.voxels)
        assert read.geometry.is_close(image.geometry)
    truth = rows_of(cohort.parent / "truth.csv")[2]
    row = rows_of(cohort)[2]
    assert float(truth["expansion_ml"]) == float(row["value_expansion_ml"]) == round(exam.plan.expansion_ml, 3)
    assert float(truth["rotation_deg"]) > 0.1
    assert float(truth["shift_mm"]) > 0.1


def test_cohorts_of_two_seeds_share_no_name(cohort, tmp_path):
    other = write_ich_cohort(tmp_path, 2, 8, followup=False)
    for column in ("id", "patient"):
        assert not {r[column] for r in rows_of(cohort)} & {r[column] for r in rows_of(other)}
    rows = rows_of(other)
    assert all(row["view_followup"] == row["mask_followup"] == "" for row in rows)
    assert all(row["value_expansion_ml"] for row in rows)  # the outcome is known all the same
    assert not list(tmp_path.glob("cases/*/*followup*"))


def test_outcomes_are_as_frequent_as_in_the_paper(plans):
    expansion, mrs = np.array([p.expansion_ml for p in plans]), np.array([p.mrs for p in plans])
    assert 0.25 < (expansion > 3).mean() < 0.35
    assert 0.15 < (expansion > 6).mean() < 0.25
    assert 0.12 < (expansion > 9).mean() < 0.18
    assert 0.35 < (mrs > 3).mean() < 0.45
    assert set(mrs) == set(range(7))


def test_planted_drivers_follow_expansion_by_their_weights_and_size_hardly_does(plans):
    expansion = [p.expansion_ml for p in plans]
    rank = {name: spearmanr([getattr(p.haematomas[0], name) for p in plans], expansion)[0] for name in list(RISK)[:3]}
    rank["volume"] = spearmanr([p.volume_ml for p in plans], expansion)[0]
    assert rank["heterogeneity"] > rank["swirl"] > rank["irregularity"] > abs(rank["volume"])
    assert rank["heterogeneity"] > 0.45
    assert rank["swirl"] > 0.3
    assert rank["irregularity"] > 0.18
    assert abs(rank["volume"]) < 0.15
    large = np.array(expansion) > 3
    assert roc_auc_score(large, [p.haematomas[0].heterogeneity for p in plans]) > 0.75
    assert roc_auc_score(large, [p.volume_ml for p in plans]) < 0.6


def test_poor_outcome_follows_volume_and_age(plans):
    poor = [p.mrs > 3 for p in plans]
    assert roc_auc_score(poor, [p.volume_ml for p in plans]) > 0.65
    assert roc_auc_score(poor, [p.age for p in plans]) > 0.6


def test_sex_site_and_oedema_follow_no_outcome(plans):
    for values in ([p.sex == "F" for p in plans], [p.site == "B" for p in plans],
                   [p.haematomas[0].oedema_mm for p in plans]):  # fmt: skip
        for outcome in ([p.expansion_ml for p in plans], [p.mrs for p in plans]):
            assert abs(spearmanr(values, outcome)[0]) < 0.08


def test_no_cases_are_refused(tmp_path):
    with pytest.raises(InputError, match="at least one case, got 0"):
        write_ich_cohort(tmp_path, 0, 1)


def test_the_command_writes_what_the_function_writes(cohort, tmp_path):
    ran = CliRunner().invoke(app, ["phantom", "ich", "-o", str(tmp_path / "c"), "-n", "1", "--seed", "7"])
    assert ran.exit_code == 0, ran.output
    assert rows_of(tmp_path / "c" / "manifest.csv") == rows_of(cohort)[:1]
    again, first = (read_volume(f.parent / "cases/ich-s7-0001/ct.nii.gz") for f in (tmp_path / "c" / "x", cohort))
    np.testing.assert_array_equal(again.voxels, first.voxels)


def test_the_command_writes_a_cohort_and_takes_a_real_head(tmp_path, data_dir):
    head = data_dir / "head_ct_invesalius" / "head_ct_cranium_cropped.nii.gz"
    if not head.is_file():
        pytest.skip("no real head CT")
    ran = CliRunner().invoke(
        app,
        ["phantom", "ich", "-o", str(tmp_path / "c"), "-n", "1", "--without-followup", "--head", str(head), "--json"],
    )
    assert ran.exit_code == 0, ran.output
    last = json.loads(ran.stdout.splitlines()[-1])
    assert last["synthetic"] is True
    assert last["cases"] == 1
    assert rows_of(tmp_path / "c" / "manifest.csv")[0]["id"] == "ichreal-s0-0001"
    readme = (tmp_path / "c" / "README.txt").read_text(encoding="utf-8")
    assert readme.startswith("SYNTHETIC")
    assert "The head is a real one (real head, synthetic haematoma)" in readme
    assert "a person's scan" in readme
    assert "head_ct_cranium_cropped" not in readme


def test_a_cohort_in_a_real_head_says_so_and_is_not_called_nobodys(tmp_path):
    from deepradiomics.cohort.synthetic import shows_real_head

    drawn = ich_exam(1, followup=False).baseline
    for name, head in (("real", Volume(drawn.voxels, drawn.geometry, source="scan.nii.gz")), ("made", None)):
        write_ich_cohort(tmp_path / name, 1, 0, followup=False, head=head)
    texts = {name: (tmp_path / name / "README.txt").read_text(encoding="utf-8") for name in ("real", "made")}
    assert "NOT A PATIENT" in texts["made"]
    assert "show nobody" in texts["made"]
    assert "NOT A PATIENT" not in texts["real"]
    assert "nobody" not in texts["real"]
    assert texts["real"].startswith("SYNTHETIC HAEMATOMAS - IN THE HEAD OF A REAL PERSON")
    files = {name: next((tmp_path / name / "cases").glob("*/ct.nii.gz")) for name in texts}
    assert [shows_real_head(files[name]) for name in ("real", "made")] == [True, False]
    alone = tmp_path / "alone.nii.gz"
    alone.write_bytes(files["real"].read_bytes())  # without the README, by its header
    assert shows_real_head(alone)
    assert is_synthetic_image(alone)
