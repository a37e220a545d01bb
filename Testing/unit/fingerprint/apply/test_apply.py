"""Applying a model: contributions sum to the logit, maps lie where the anatomy lies, files say what they should."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.errors import Cancelled, InputError
from deepradiomics.fingerprint.apply import run
from deepradiomics.fingerprint.apply.result import COLUMNS, FingerprintResult, write_result
from deepradiomics.images import Case
from deepradiomics.prepare import Box
from Testing.unit.fingerprint.trained_bundle import TASKS, oblique_case, small_bundle

MODES = ("paper", "masked", "soft")


def apply(case: Case, bundle: Any, progress: Any = None, device: str = "cpu", **asked: Any) -> FingerprintResult:
    return run.apply_fingerprint(run.FingerprintRequest(case, **asked), bundle, device=device, progress=progress)


@pytest.fixture(scope="module")
def results() -> dict[str, FingerprintResult]:
    bundle, case = small_bundle(), oblique_case()
    return {mode: apply(case, bundle, inference=mode, device="cpu") for mode in MODES}  # type: ignore[arg-type]


@pytest.mark.parametrize("pairwise", ["exact", "factorised", "none"])
@pytest.mark.parametrize("mode", MODES)
def test_contributions_and_intercept_sum_to_the_logit(pairwise: str, mode: str) -> None:
    found = apply(oblique_case(), small_bundle(pairwise=pairwise), inference=mode, device="cpu")  # type: ignore[arg-type]
    for name, task in found.prediction["tasks"].items():
        binary = task["type"] == "binary"
        logit = task["logit"] if binary else task["logit"][task["predicted"]]
        intercept = task["intercept"] if binary else task["intercept"][task["predicted"]]
        rows = sum(row.contribution for row in found.rows if row.task == name)
        patches = sum(patch["contribution"][name] for patch in found.prediction["patches"])
        assert rows + intercept == pytest.approx(logit, abs=1e-9)
        assert patches + intercept == pytest.approx(logit, abs=1e-9)


def test_each_mode_predicts_what_the_other_modes_say_it_would(results: dict[str, FingerprintResult]) -> None:
    told = results["paper"].prediction["tasks"]["acl"]["by_inference"]
    for mode in MODES:
        assert results[mode].prediction["tasks"]["acl"]["probability"] == told[mode]
    assert len(set(told.values())) == 3


def test_in_the_paper_mode_only_selected_features_contribute(results: dict[str, FingerprintResult]) -> None:
    rows = [row for row in results["paper"].rows if row.task == "acl"]
    assert {row.selected for row in rows} == {True, False}
    assert all(row.selected == (row.relevance >= 0.55) for row in rows)
    assert all(row.contribution == 0 for row in rows if not row.selected)
    assert results["paper"].prediction["tasks"]["acl"]["selected"] == sum(row.selected for row in rows)
    assert results["paper"].fingerprint("acl") == tuple(row for row in rows if row.selected)


def test_rows_begin_with_the_largest_contribution(results: dict[str, FingerprintResult]) -> None:
    sizes = [abs(row.contribution) for row in results["soft"].rows if row.task == "grade"]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == 200


def test_patch_relevance_is_the_mean_over_its_features_and_is_painted(results: dict[str, FingerprintResult]) -> None:
    found = results["paper"]
    by_patch = [
        np.mean([row.relevance for row in found.rows if row.task == "acl" and row.patch == patch]) for patch in (1, 2)
    ]
    told = [patch["relevance"]["acl"] for patch in found.prediction["patches"]]
    assert told == pytest.approx(by_patch, rel=1e-6)
    painted = np.unique(found.relevance["acl"].voxels)
    np.testing.assert_allclose(painted, sorted([0.0, *by_patch]), rtol=1e-6)
    reference = found.case.views["sagittal"].geometry
    assert found.relevance["acl"].geometry.is_close(reference)
    assert found.gradcam["acl"].geometry.is_close(reference)


def test_the_painted_patch_lies_in_its_box(results: dict[str, FingerprintResult]) -> None:
    found = results["paper"]
    volume = found.relevance["acl"]
    for patch in found.prediction["patches"]:
        box = Box.from_dict(patch["boxes"]["sagittal"])
        where = np.argwhere(np.isclose(volume.voxels, patch["relevance"]["acl"], rtol=1e-6))[:, ::-1]
        points = volume.geometry.index_to_physical(where) - np.array(box.centre_mm)
        inside = np.abs(points @ np.array(box.axes)) <= np.array(box.size_mm) / 2 + 1e-6
        assert len(where) > 0
        assert inside.all()


def test_gradcam_stays_between_zero_and_one_inside_the_region(results: dict[str, FingerprintResult]) -> None:
    cam, painted = results["paper"].gradcam["acl"].voxels, results["paper"].relevance["acl"].voxels
    assert cam.min() >= 0
    assert cam.max() <= 1 + 1e-6
    # linear interpolation may reach half a cell of the region's grid beyond the region
    assert (cam[painted == 0] > 0).mean() < 0.2


def test_missing_views_are_reformatted_and_noted(results: dict[str, FingerprintResult]) -> None:
    found = results["paper"]
    views = found.prediction["views"]
    assert [views[v]["reformatted_from"] for v in ("axial", "coronal", "sagittal")] == ["sagittal", "sagittal", None]
    assert any("axial view was reformatted" in note for note in found.prediction["notes"])
    assert set(found.case.views) == {"axial", "coronal", "sagittal"}


def test_missing_views_are_named_when_they_may_not_be_reformatted() -> None:
    with pytest.raises(InputError, match=r"patient-7: .*missing: axial, coronal, given: sagittal"):
        apply(oblique_case(), small_bundle(), device="cpu", reformat_missing=False)


def test_without_the_reference_view_it_is_made_from_a_view_that_is_there() -> None:
    found = apply(oblique_case(("axial",)), small_bundle(), device="cpu")
    assert found.prediction["views"]["sagittal"]["reformatted_from"] == "axial"
    direct = apply(oblique_case(("sagittal",)), small_bundle(), device="cpu")
    here, there = (r.prediction["tasks"]["acl"]["probability"] for r in (found, direct))
    assert here == pytest.approx(there, abs=1e-6)  # the same voxels, whichever way round they were given


def test_a_segment_restricts_the_features() -> None:
    bundle, case = small_bundle(), oblique_case(with_mask=True)
    whole, segment = (apply(case, bundle, roi_label=label, device="cpu") for label in (None, 1))
    assert segment.exam.foreground is not None
    assert "segment" in segment.prediction["methods_text"]
    assert whole.prediction["tasks"]["acl"]["logit"] != segment.prediction["tasks"]["acl"]["logit"]


def test_a_model_without_selection_has_no_gradcam_and_says_so(tmp_path: Path) -> None:
    found = apply(oblique_case(), small_bundle(selection="none"), device="cpu")
    assert found.gradcam == {}
    assert any("no Grad-CAM" in note for note in found.prediction["notes"])
    assert all(row.relevance == 1 and row.selected for row in found.rows)
    (tmp_path / "gradcam.nii.gz").write_bytes(b"of an earlier run")
    write_result(found, tmp_path)
    assert not (tmp_path / "gradcam.nii.gz").exists()


def test_an_unknown_mode_and_absent_templates_are_explained() -> None:
    with pytest.raises(InputError, match="inference: expected one of paper, masked, soft, got 'hard'"):
        apply(oblique_case(), small_bundle(), inference="hard")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="holds no templates"):
        apply(oblique_case(), small_bundle(), registration="template", device="cpu")


def test_cancelling_stops_the_run() -> None:
    def stop(fraction: float, message: str) -> None:
        if fraction > 0.3:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        apply(oblique_case(), small_bundle(), device="cpu", progress=stop)


def test_the_result_folder_holds_what_the_contract_says(results: dict[str, FingerprintResult], tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    write_result(results["paper"], tmp_path)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == ["fingerprint.csv", "gradcam.nii.gz", "prediction.json", "relevance.nii.gz", "thesis.txt"]
    with (tmp_path / "fingerprint.csv").open(encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    assert tuple(table[0]) == tuple(COLUMNS)
    assert len(table) == 400
    assert {row["selected"] for row in table} == {"0", "1"}
    image = sitk.ReadImage(str(tmp_path / "relevance.nii.gz"))
    assert image.GetSize() == (30, 36, 12, len(TASKS))
    prediction = json.loads((tmp_path / "prediction.json").read_text(encoding="utf-8"))
    wanted = [
        "software", "version", "kind", "created", "case_id", "synthetic_model", "disclaimer", "inference",
        "reference_view", "outside_training_cohort", "outside_share", "outside_limit", "tasks", "views", "roi",
        "patch_grid", "patches", "bundle", "settings", "versions", "device", "seconds", "notes", "methods_text",
        "sha256",
    ]  # fmt: skip
    assert list(prediction) == wanted
    assert prediction["synthetic_model"] is True
    assert set(prediction["tasks"]["acl"]) >= {
        "type", "classes", "probability", "probabilities", "logit", "intercept", "predicted", "decision_threshold",
        "relevance_threshold", "selected", "pool", "by_inference", "title", "beyond_3sd",
    }  # fmt: skip
    assert prediction["tasks"]["grade"]["decision_threshold"] is None
    assert sum(prediction["tasks"]["grade"]["probabilities"]) == pytest.approx(1)


def test_a_folder_that_cannot_be_written_is_explained(results: dict[str, FingerprintResult], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="file"):
        write_result(results["paper"], tmp_path / "file")


def test_the_methods_text_gives_settings_and_versions_and_no_identifier(
    results: dict[str, FingerprintResult],
) -> None:
    text = results["paper"].prediction["methods_text"]
    for part in ("8 × 24 × 20", "1 × 2 × 1", "107 features", "bin width 25", "SYNTHETIC", "acl 0.75", "torch", "0.550"):
        assert part in text
    assert "patient-7" not in text
    assert "sagittal.nii.gz" not in text
