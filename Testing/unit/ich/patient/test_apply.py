"""One patient: risks that add up, results on the CT's own grid, and every bad input with its message."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("monai")
pytest.importorskip("sklearn")

from deepradiomics.cohort.seen.marks import image_mark
from deepradiomics.errors import BundleError, GeometryError, InputError, MaskError
from deepradiomics.ich.patient.request import PatientRequest
from deepradiomics.ich.patient.result import IchCase, write_case
from deepradiomics.ich.patient.run import apply_case
from deepradiomics.ich.predictor import load_predictor
from deepradiomics.images import Geometry, Mask, Volume, read_mask
from deepradiomics.phantoms.ich.cohort import IchExam, ich_exam
from deepradiomics.prepare.resample import resample_mask
from Testing.unit.ich.tiny_predictor import OUTCOMES, random_predictor, tiny_bundle, tiny_segmenter


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("apply") / "bundle", covariates=("age", "sex"))


@pytest.fixture(scope="module")
def whole_exam() -> IchExam:
    return ich_exam(3)


@pytest.fixture(scope="module")
def exam(whole_exam: IchExam) -> IchExam:
    """The baseline with every second voxel along each axis (4 × 4 × 6 mm): an eighth of the work."""
    own = whole_exam.baseline.geometry
    voxels, labels = (
        np.ascontiguousarray(a[::2, ::2, ::2]) for a in (whole_exam.baseline.voxels, whole_exam.mask.labels)
    )
    spacing = tuple(2 * step for step in own.spacing_mm)
    grid = Geometry(voxels.shape[::-1], spacing, own.origin_mm, own.direction)  # type: ignore[arg-type]
    ct, mask = Volume(voxels, grid), Mask(labels, grid)
    return replace(whole_exam, baseline=ct, mask=mask)


@pytest.fixture(scope="module")
def case(bundle: Path, exam: IchExam) -> IchCase:
    return apply(bundle, exam.baseline, exam.mask, clinical={"age": "70", "sex": "F"}, case_id="p1")


def apply(bundle: Any, ct: Volume, mask: Mask | None = None, progress: Any = None, **more: Any) -> IchCase:
    return apply_case(bundle, PatientRequest(ct, mask, **more), device="cpu", threads=1, progress=progress)


def told(case: IchCase, text: str) -> bool:
    return any(text in note for note in case.record["notes"])


def block(exam: IchExam, box: tuple[slice, slice, slice]) -> Mask:
    """A mask of a block, in the exam's CT."""
    labels = np.zeros(exam.mask.labels.shape, np.uint8)
    labels[box] = 1
    return Mask(labels, exam.mask.geometry)


def shape_only(**more: Any) -> Any:
    """A predictor without networks: quick."""
    return random_predictor(input="shape", **more)


def test_shares_of_columns_and_groups_and_the_base_value_sum_to_the_risk(case: IchCase) -> None:
    assert case.outcomes == OUTCOMES
    for name, one in case.record["outcomes"].items():
        shares = [row.shap for row in case.shap if row.outcome == name]
        assert len(shares) == 14
        assert any(shares)
        assert sum(shares) + one["base_value"] == pytest.approx(one["probability"], abs=1e-9)
        assert sum(one["groups"].values()) + one["base_value"] == pytest.approx(one["probability"], abs=1e-9)
        assert list(one["groups"]) == ["radiomics", "encoder", "autoencoder", "clinical"]
        assert [abs(share) for share in shares] == sorted((abs(share) for share in shares), reverse=True)


def test_the_risk_is_that_of_the_classifier_on_the_patients_own_columns(case: IchCase, bundle: Path) -> None:
    predictor = load_predictor(bundle)
    for outcome in predictor.outcomes:
        mine = {row.component: row.value for row in case.shap if row.outcome == outcome.name}
        row = np.array([[mine[column.name] for column in predictor.columns]])
        found = case.record["outcomes"][outcome.name]
        assert found["probability"] == pytest.approx(float(outcome.model.probability(row)[0]), abs=1e-12)
        assert found["positive"] == (found["probability"] >= outcome.threshold)
        bins = found["calibration"]["bins"]
        nearest = min(range(3), key=lambda i: abs(bins[i]["mean_predicted"] - found["probability"]))
        assert found["calibration"]["bin"] == nearest


def test_clinical_covariates_reach_the_classifier_as_the_experiment_codes_them(case: IchCase, bundle: Path) -> None:
    clinical = load_predictor(bundle).blocks["clinical"]
    assert clinical.names == ("age", "sex")
    mine = {row.component: row.value for row in case.shap if row.group == "clinical"}
    expected = clinical.transform(np.array([[70.0, 0.0]]))[0]  # women are 0, men 1
    assert [mine["age"], mine["sex"]] == pytest.approx(expected.tolist())


def test_the_results_lie_on_the_cts_own_grid(case: IchCase, exam: IchExam) -> None:
    grid = exam.baseline.geometry
    assert case.segmentation.geometry == grid
    assert np.array_equal(case.segmentation.labels == 1, exam.mask.labels > 0)
    assert set(case.segmentation.labels_present()) == {1, 2}
    assert list(case.gradcam) == list(OUTCOMES)
    for heat in case.gradcam.values():
        assert heat.geometry == grid
        assert not heat.voxels[case.segmentation.labels == 0].any()


def test_volumes_are_in_millilitres(case: IchCase, exam: IchExam) -> None:
    volumes = case.record["volumes"]
    assert volumes["haematoma_ml"] == pytest.approx((exam.mask.labels > 0).sum() * 4 * 4 * 6 / 1000)
    assert volumes["haematoma_ml"] == pytest.approx(sum(part["ml"] for part in volumes["lesions"]))
    assert 0.4 < volumes["abc2_ml"] / volumes["haematoma_ml"] < 2.5
    assert volumes["ring_ml"] == pytest.approx(volumes["ring_on_ct_ml"], rel=0.35)
    shape = {row.feature: row.value for row in case.features if row.family == "shape"}
    assert shape["original_shape_VoxelVolume"] == pytest.approx(1000 * volumes["haematoma_ml"])


def test_the_folder_is_whole_and_reads_back(case: IchCase, tmp_path: Path) -> None:
    import SimpleITK as sitk

    (tmp_path / "expansion.json").write_text("of an earlier run")
    (tmp_path / "mine.txt").write_text("kept")
    write_case(case, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "features.csv", "gradcam.nii.gz", "ich.json", "mine.txt", "segmentation.nii.gz", "shap.csv",
    ]  # fmt: skip
    record = json.loads((tmp_path / "ich.json").read_text(encoding="utf-8"))
    assert (record["kind"], record["case_id"]) == ("ich-case", "p1")
    assert record["files"] == {
        "features": "features.csv", "gradcam": "gradcam.nii.gz",
        "segmentation": "segmentation.nii.gz", "shap": "shap.csv",
    }  # fmt: skip
    stack = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "gradcam.nii.gz")))
    for position, name in enumerate(record["outcomes"]):
        assert np.array_equal(stack[position], case.gradcam[name].voxels)
    back = read_mask(tmp_path / "segmentation.nii.gz")
    assert back.geometry.is_close(case.ct.geometry)
    assert np.array_equal(back.labels, case.segmentation.labels)
    with open(tmp_path / "shap.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["outcome", "group", "component", "label", "value", "shap"]
    assert len(rows) == 28
    with open(tmp_path / "features.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["label", "feature", "family", "value"]
    assert {row["label"] for row in rows} == {"1"}
    assert {row["family"] for row in rows} == {"shape", "firstorder"}


def test_a_write_that_fails_leaves_the_earlier_result(case: IchCase, tmp_path: Path, monkeypatch: Any) -> None:
    write_case(case, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("deepradiomics.ich.patient.result.write_json", full)
    with pytest.raises(InputError, match="could not be written"):
        write_case(replace(case, shap=case.shap[:3]), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_mask_on_another_grid_is_laid_onto_the_ct_and_that_is_told(exam: IchExam) -> None:
    own = exam.mask.geometry
    fine = own.resized([2 * n for n in own.size])
    other = resample_mask(exam.mask, fine)
    found = apply(shape_only(), exam.baseline, other)
    assert np.array_equal(found.segmentation.labels == 1, exam.mask.labels > 0)
    assert told(found, "drawn on another grid")
    assert not told(apply(shape_only(), exam.baseline, exam.mask), "drawn on another grid")


def test_masks_that_cannot_be_used_are_refused(exam: IchExam) -> None:
    own = exam.mask
    empty = Mask(np.zeros_like(own.labels), own.geometry)
    with pytest.raises(MaskError, match="Case p: the mask of the haematoma is empty"):
        apply(shape_only(), exam.baseline, empty, case_id="p")
    far = replace(own.geometry, origin_mm=(900.0, 0.0, 0.0))
    with pytest.raises(GeometryError, match="the mask lies outside the CT"):
        apply(shape_only(), exam.baseline, Mask(own.labels, far))
    two = np.array(own.labels)
    two[:2, :2, :2] = 5
    with pytest.raises(MaskError, match=r"it has 2 labels: 1, 5\. Say which is meant"):
        apply(shape_only(), exam.baseline, Mask(two, own.geometry))
    assert apply(shape_only(), exam.baseline, Mask(two, own.geometry), label=1).record["volumes"]["lesions"]
    with pytest.raises(MaskError, match="no voxel has label 4"):
        apply(shape_only(), exam.baseline, own, label=4)


def test_grey_levels_that_are_no_hu_are_refused(exam: IchExam) -> None:
    picture = np.clip((exam.baseline.voxels + 20) * 255 / 140, 0, 255).astype(np.uint8)
    with pytest.raises(InputError, match="cannot be HU"):
        apply(shape_only(), Volume(picture, exam.baseline.geometry), exam.mask)


def test_a_tiny_haematoma_is_warned_of(exam: IchExam) -> None:
    centre = np.argwhere(exam.mask.labels)[len(np.argwhere(exam.mask.labels)) // 2]
    z, y, x = (slice(int(c), int(c) + n) for c, n in zip(centre, (1, 2, 2), strict=True))
    found = apply(shape_only(), exam.baseline, block(exam, (z, y, x)))  # 4 voxels of 0.096 mL
    assert told(found, "Tiny haematoma: 0.38 mL, less than 0.5 mL")
    assert not told(apply(shape_only(), exam.baseline, exam.mask), "Tiny haematoma")


def test_a_lesion_larger_than_the_crop_is_shrunk_and_that_is_told(bundle: Path, exam: IchExam) -> None:
    large = block(exam, (slice(5, 20), slice(15, 40), slice(12, 32)))  # 90 × 100 × 80 mm, the crop has 64
    found = apply(bundle, exam.baseline, large)
    assert told(found, "the dilated haematoma needs")
    assert found.gradcam["poor_outcome"].voxels[large.labels > 0].any()


def test_of_several_haematomas_all_the_largest_or_each_are_measured(exam: IchExam) -> None:
    labels = np.zeros_like(exam.mask.labels)
    labels[10:13, 20:26, 15:20] = 1
    labels[15:17, 30:33, 30:33] = 1
    mask = Mask(labels, exam.mask.geometry)
    ml = [3 * 6 * 5 * 0.096, 2 * 3 * 3 * 0.096]
    whole, one, each = (apply(shape_only(), exam.baseline, mask, lesions=how) for how in ("all", "largest", "each"))
    for found in (whole, one, each):
        assert [part["ml"] for part in found.record["volumes"]["lesions"]] == pytest.approx(ml)
        assert told(found, "2 separate haematomas of 8.64, 1.73 mL")
    assert whole.record["volumes"]["haematoma_ml"] == pytest.approx(sum(ml))
    assert one.record["volumes"]["haematoma_ml"] == pytest.approx(ml[0])
    assert told(one, "the model was fitted with all")
    assert not told(each, "the model was fitted with")
    assert each.record["outcomes"] == whole.record["outcomes"]
    assert whole.lesions == ()
    volume = {row.label: row.value for row in each.lesions if row.feature == "original_shape_VoxelVolume"}
    assert volume == pytest.approx({1: 1000 * ml[0], 2: 1000 * ml[1]})
    with pytest.raises(InputError, match="lesions: expected one of all, largest, each, got 'both'"):
        apply(shape_only(), exam.baseline, mask, lesions="both")


def test_covariates_that_are_missing_take_the_median_and_strange_ones_are_refused(exam: IchExam) -> None:
    model = shape_only(covariates=("age", "sex"))
    found = apply(model, exam.baseline, exam.mask, clinical={"sex": "m"})
    assert told(found, "Clinical covariates not given: age.")
    mine = {row.component: row.value for row in found.shap if row.group == "clinical"}
    median = model.blocks["clinical"].middle
    assert [mine["age"], mine["sex"]] == pytest.approx(
        model.blocks["clinical"].transform(np.array([[median[0], 1.0]]))[0].tolist()
    )
    with pytest.raises(InputError, match="clinical covariate 'weight': this bundle takes age, sex"):
        apply(model, exam.baseline, exam.mask, clinical={"weight": 80})
    with pytest.raises(InputError, match="clinical covariate age: expected a number, got 'old'"):
        apply(model, exam.baseline, exam.mask, clinical={"age": "old"})
    with pytest.raises(InputError, match="takes none: it was fitted on images alone"):
        apply(shape_only(), exam.baseline, exam.mask, clinical={"age": 70})


def test_without_mask_and_network_it_is_said_at_once_what_is_missing(exam: IchExam) -> None:
    with pytest.raises(InputError, match="mask: this bundle holds no segmentation network"):
        apply(shape_only(), exam.baseline)
    with pytest.raises(InputError, match="followup_mask: this bundle holds no segmentation network"):
        apply(shape_only(), exam.baseline, exam.mask, followup=exam.baseline)
    with pytest.raises(InputError, match="it belongs to a follow-up CT"):
        apply(shape_only(), exam.baseline, exam.mask, followup_mask=exam.mask)


def test_a_network_that_finds_nothing_asks_for_a_mask(exam: IchExam, tmp_path: Path) -> None:
    blind = tiny_segmenter(tmp_path / "blind", bias=-9.0)
    with pytest.raises(MaskError, match="tiny segmenter 0 found no haematoma"):
        apply(shape_only(), exam.baseline, segmenter=blind)


def test_what_a_network_segments_is_measured_and_its_origin_kept(
    bundle: Path, exam: IchExam, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepradiomics.networks.segmented import finished
    from deepradiomics.networks.segmenter import BundleSegmenter

    asked: dict[str, Any] = {}

    def segment(self: BundleSegmenter, volume: Volume, **how: Any) -> Any:
        asked.update(how)
        return finished(exam.mask.labels > 0, volume.geometry, largest=how["largest"], notes=("seen",))

    monkeypatch.setattr(BundleSegmenter, "segment", segment)
    found = apply(bundle, exam.baseline, flips=True)
    assert asked["flips"] is True
    assert asked["largest"] is False
    assert np.array_equal(found.segmentation.labels == 1, exam.mask.labels > 0)
    origin = found.record["inputs"]["mask"]
    assert origin == {
        "origin": "bundle", "name": "tiny segmenter 0", "sha256": load_predictor(bundle).encoder_sha256
    }  # fmt: skip
    assert told(found, "seen")
    assert "test-time flips" in found.record["methods_text"]


def test_synthetic_and_leaking_models_are_called_so(exam: IchExam) -> None:
    honest = shape_only(info={"name": "x", "synthetic": False, "leaking": False})
    record = apply(honest, exam.baseline, exam.mask).record
    assert not record["synthetic_model"]
    assert not record["leaking"]
    assert "SYNTHETIC" not in record["methods_text"]
    worse = shape_only(info={"name": "x", "synthetic": True, "leaking": True})
    record = apply(worse, exam.baseline, exam.mask, synthetic_image=True).record
    assert record["synthetic_model"]
    assert record["leaking"]
    assert record["synthetic_image"]
    assert record["disclaimer"].startswith("LEAKING")
    assert "mean nothing clinically" in record["disclaimer"]
    assert "SYNTHETIC cohort" in record["methods_text"]
    assert "LEAKING LATENTS" in record["methods_text"]


def test_a_model_with_a_network_of_synthetic_images_is_synthetic(bundle: Path, exam: IchExam) -> None:
    model = load_predictor(bundle)
    real = replace(model, info={**model.info, "synthetic": False})
    assert not real.synthetic
    assert apply(real, exam.baseline, exam.mask).record["synthetic_model"]


def test_a_patient_of_the_training_cohort_is_recognised_by_his_scan(exam: IchExam) -> None:
    seen = {"images": [image_mark(exam.baseline)], "patients": []}
    found = apply(shape_only(info={"seen": seen}), exam.baseline, exam.mask)
    assert told(found, "This scan was among those that trained the outcome models")
    assert not told(apply(shape_only(info={"seen": {**seen, "images": []}}), exam.baseline, exam.mask), "memory")


def test_other_features_than_those_of_the_fit_are_refused(exam: IchExam) -> None:
    model = random_predictor(input="radiomics")
    settings = {**model.radiomics_settings, "featureClass": {"shape": None}}
    with pytest.raises(BundleError, match=r"measures 14 radiomics features, the bundle was fitted with 32"):
        apply(replace(model, radiomics_settings=settings), exam.baseline, exam.mask)


def test_the_same_patient_gets_the_same_numbers_again(bundle: Path, case: IchCase, exam: IchExam) -> None:
    again = apply(bundle, exam.baseline, exam.mask, clinical={"age": 70, "sex": "F"})
    assert again.record["outcomes"] == case.record["outcomes"]
    assert again.shap == case.shap
    assert all(np.array_equal(again.gradcam[name].voxels, case.gradcam[name].voxels) for name in OUTCOMES)


def test_a_run_can_be_cancelled_at_any_report(exam: IchExam) -> None:
    from deepradiomics.errors import Cancelled

    def stop(fraction: float, message: str) -> None:
        if fraction > 0.5:
            raise Cancelled("enough")

    with pytest.raises(Cancelled, match="enough"):
        apply(shape_only(), exam.baseline, exam.mask, progress=stop)


def test_a_follow_up_tells_the_expansion(whole_exam: IchExam, tmp_path: Path) -> None:
    exam = whole_exam
    assert exam.followup is not None
    assert exam.mask_followup is not None
    found = apply(shape_only(), exam.baseline, exam.mask, followup=exam.followup, followup_mask=exam.mask_followup)
    grown = found.record["followup"]
    before, after = (float((mask.labels > 0).sum() * np.prod(mask.geometry.spacing_mm) / 1000)
                     for mask in (exam.mask, exam.mask_followup))  # fmt: skip
    assert grown["followup_ml"] == pytest.approx(after)
    assert grown["expansion_ml"] == pytest.approx(after - before)
    assert grown["labels"]["expansion_6ml"] == (after - before > 6)
    write_case(found, tmp_path)
    assert read_mask(tmp_path / "expansion.nii.gz").geometry.is_close(exam.baseline.geometry)
    assert json.loads((tmp_path / "expansion.json").read_text())["kind"] == "ich-expansion"
    assert (tmp_path / "followup_registered.nii.gz").is_file()


def test_a_case_unlike_the_training_cohort_is_outside_it_and_keeps_its_numbers_for_programs(exam: IchExam) -> None:
    predictor = shape_only()
    record = apply(predictor, exam.baseline, exam.mask).record
    block = predictor.blocks["shape"]
    measured = np.array([row.value for row in apply(predictor, exam.baseline, exam.mask).features])[: len(block.names)]
    share = float((np.abs(measured[block.kept] - block.low) > 3 * (block.high - block.low)).mean())
    assert record["outside_share"] == pytest.approx(share)
    assert 0 < share <= 1
    assert record["outside_training_cohort"] == (share > record["outside_limit"])
    assert all(one["beyond_3sd"] == record["outside_share"] for one in record["outcomes"].values())
    assert all("positive" in one for one in record["outcomes"].values())


def test_what_lies_far_away_is_told_and_what_lies_near_is_not(exam: IchExam) -> None:
    near, far = shape_only(), shape_only()
    measured = {row.feature: row.value for row in apply(near, exam.baseline, exam.mask).features}
    values = np.array([measured[name] for name in near.blocks["shape"].names])
    object.__setattr__(near.blocks["shape"], "low", values - 0.1)
    object.__setattr__(near.blocks["shape"], "high", values + 1.0)
    object.__setattr__(far.blocks["shape"], "low", values - 100.0)
    object.__setattr__(far.blocks["shape"], "high", values - 99.0)
    inside, outside = (apply(one, exam.baseline, exam.mask) for one in (near, far))
    assert inside.record["outside_share"] == 0.0
    assert not inside.record["outside_training_cohort"]
    assert outside.record["outside_share"] == 1.0
    assert outside.record["outside_training_cohort"]
    assert told(outside, "outside the training cohort")
    assert not told(inside, "outside the training cohort")


def test_without_radiomic_features_in_the_model_nothing_is_said(case: IchCase) -> None:
    from deepradiomics.ich.patient.risk import outside_share

    latents = random_predictor(input="latents", widths=(8, 8), hashes=("a", "b"))
    assert outside_share(latents, None) is None  # type: ignore[arg-type]
    assert case.record["outside_share"] is not None


def test_a_real_head_is_called_real_in_notes_and_record(exam: IchExam) -> None:
    real = apply(shape_only(), exam.baseline, exam.mask, synthetic_image=True, real_head=True)
    assert real.record["real_head"]
    assert told(real, "The head is a real one")
    assert not told(real, "nobody")
    made_up = apply(shape_only(), exam.baseline, exam.mask, synthetic_image=True)
    assert not made_up.record["real_head"]
    assert told(made_up, "it shows nobody")


def test_the_command_on_record_names_neither_files_nor_the_patient(exam: IchExam) -> None:
    ct = replace(exam.baseline, name="smith")
    request = PatientRequest(
        ct, followup=ct, label=2, segmenter="/data/smith", flips=True, clinical={"age": "70"}, case_id="smith"
    )
    assert request.command() == (
        "deepradiomics ich apply BUNDLE CT --followup FILE --label 2 --segmenter FOLDER --flips --clinical age=70 "
        "--device auto"
    )
