"""The patient report needs nothing else, says what it is, and shows the folder's numbers."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")

from deepradiomics.images import read_volume
from deepradiomics.reports.ich.case_report import write_case_report
from Testing.unit.reports.fake_ich import write_fake_case
from Testing.unit.reports.ich_pages import check_page, words

OUTCOMES = ("poor_outcome", "expansion_6ml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out, ct = write_fake_case(tmp_path_factory.mktemp("case") / "out", outcomes=OUTCOMES)
    assert write_case_report(out, read_volume(ct)) == out / "report.html"
    return out


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "ich.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A leaking model of radiomics alone, real data, no follow-up, and a report without the CT."""
    out, _ = write_fake_case(
        tmp_path_factory.mktemp("bare") / "out",
        outcomes=("expansion_3ml",),
        followup=False,
        synthetic=False,
        leaking=True,
    )
    (out / "gradcam.nii.gz").unlink()
    path = out / "ich.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    about["outcomes"]["expansion_3ml"].pop("gradcam")
    about["outcomes"]["expansion_3ml"]["calibration"] = {"bins": [], "bin": None}
    about["notes"] = []
    path.write_text(json.dumps(about), encoding="utf-8")
    write_case_report(out)
    return (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("which", ["page", "bare"])
def test_the_page_is_whole_in_itself(which: str, request: pytest.FixtureRequest) -> None:
    check_page(request.getfixturevalue(which))


def test_the_red_box_says_what_is_synthetic_or_leaks_and_that_this_is_no_medical_device(page: str, bare: str) -> None:
    boxes = [re.search(r'<div class="warning" role="alert">(.*?)</div>', one, re.S) for one in (page, bare)]
    assert boxes[0]
    assert "SYNTHETIC MODEL: these risks" in boxes[0][1]
    assert "SYNTHETIC CT" in boxes[0][1]
    assert boxes[1]
    assert "LEAKING RUN: the model was fitted with latents" in boxes[1][1]
    assert "SYNTHETIC" not in words(bare)
    assert all(box and "not a medical device" in box[1] for box in boxes)


def test_every_risk_stands_beside_its_threshold_base_rate_and_calibration(page: str, record: dict[str, Any]) -> None:
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.S)
    for name, title in (("poor_outcome", "Poor outcome (mRS > 3)"), ("expansion_6ml", "Expansion > 6 mL")):
        one = record["outcomes"][name]
        text = next(words(row) for row in rows if title in words(row) and "patients" in words(row))
        own = one["calibration"]["bins"][one["calibration"]["bin"]]
        assert f"{100 * one['probability']:.0f} %" in text
        assert f"{100 * one['threshold']:.0f} %" in text
        assert ("above" if one["positive"] else "below") in text
        assert f"of {one['n_training']} patients" in text
        assert f"of {own['n']} with a risk of about {100 * own['mean_predicted']:.0f} %" in text
        assert f"{100 * own['observed']:.0f} % [{100 * own['low']:.0f} %, {100 * own['high']:.0f} %] had it" in text


def test_volumes_stand_with_abc_2_beside_them(page: str, record: dict[str, Any]) -> None:
    text, volumes = words(page), record["volumes"]
    assert f"Haematoma {volumes['haematoma_ml']:.1f} mL" in text
    assert f"ABC/2 of the largest {volumes['abc2_ml']:.1f} mL 42" in text  # two haematomas were taken together
    assert f"Haematoma 1 {volumes['lesions'][0]['ml']:.1f} mL All were taken together" in text
    assert f"Ring {volumes['ring_ml']:.1f} mL" in text


def test_shares_add_up_to_the_risk_and_the_largest_are_listed(folder: Path, page: str, record: dict[str, Any]) -> None:
    text = words(page)
    with open(folder / "shap.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for name, one in record["outcomes"].items():
        assert one["base_value"] + sum(one["groups"].values()) == pytest.approx(one["probability"])
        assert f"base value {one['base_value']:.3f}, all shares" in text
        assert f"risk {one['probability']:.3f}." in text
        largest = max((row for row in rows if row["outcome"] == name), key=lambda row: abs(float(row["shap"])))
        assert largest["label"] in text
    assert "GLCM Contrast" in text


def test_the_follow_up_is_measured_where_it_was_given(page: str, bare: str) -> None:
    assert "Expansion +7.10 mL (+35 %)" in words(page)
    assert "Expansion > 9 mL no" in words(page)
    assert "No follow-up CT was given" in words(bare)


def test_what_is_missing_is_said(bare: str) -> None:
    text = words(bare)
    assert "The CT was not given to this report" in text
    assert "The bundle holds no calibration" in text
    assert bare.count("<img ") == 2  # the surface and the shares need neither


def test_pictures_notes_features_and_methods_are_there(page: str) -> None:
    text = words(page)
    assert page.count("<img ") == 7
    for said in ("Two haematomas: all were taken together", "Sphericity", "3 other features", "Invented numbers",
                 "The patient's right is at the left", "VAE-GAN latents Poor outcome (mRS > 3) 30 % 70 %"):  # fmt: skip
        assert said in text, said


def test_no_path_and_no_folder_of_the_user_stands_in_the_page(folder: Path, page: str) -> None:
    assert str(folder.parent) not in words(page)


def test_texts_from_outside_cannot_become_markup(folder: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(folder, tmp_path / "sly")
    path = tmp_path / "sly" / "ich.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    about |= {"case_id": "<b>x</b>", "notes": ["<script>1</script>"], "command": "a & b"}
    about["outcomes"]["poor_outcome"]["title"] = "<i>poor</i>"
    path.write_text(json.dumps(about), encoding="utf-8")
    page = write_case_report(tmp_path / "sly").read_text(encoding="utf-8")
    check_page(page)
    assert not any(tag in page for tag in ("<b>", "<script", "<i>"))
    assert "a &amp; b" in page


def changed(folder: Path, **changes: Any) -> str:
    """The report of a case whose record was changed."""
    out, ct = write_fake_case(folder / "out", outcomes=OUTCOMES)
    path = out / "ich.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**record, **changes}), encoding="utf-8")
    write_case_report(out, read_volume(ct))
    return (out / "report.html").read_text(encoding="utf-8")


def test_outside_the_training_cohort_there_is_no_side_of_the_threshold_and_no_patient_like_this_one(
    tmp_path: Path, page: str
) -> None:
    told = changed(tmp_path, outside_training_cohort=True, outside_share=0.31, outside_limit=0.1)
    row = next(row for row in re.findall(r"<tr>(.*?)</tr>", told, re.S) if "Poor outcome" in words(row))
    assert "outside the training cohort" in row
    assert "had it" not in row
    assert not re.search(r'class="(positive|negative)"', told)
    assert "31% of the features" in words(told)
    assert re.search(r'class="(positive|negative)"', page)
    assert "outside the training cohort" not in page


def test_a_real_head_is_called_real(tmp_path: Path, page: str) -> None:
    told = words(changed(tmp_path, real_head=True))
    assert "shows nobody" not in told
    assert "The head is a real one" in told
    assert "it shows nobody" in words(page)
