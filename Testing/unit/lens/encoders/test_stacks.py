"""Stacks of a cohort: prepared once, kept by content, and what cannot be used is named."""

from pathlib import Path

import numpy as np
import pytest
import torch

from deepradiomics.cohort.manifest import Manifest, read_manifest
from deepradiomics.cohort.roi import roi_mask
from deepradiomics.errors import Cancelled, InputError
from deepradiomics.images import Mask, read_volume, write_mask
from deepradiomics.lens.encoders import stacks as module
from deepradiomics.lens.encoders.config import StageTraining
from deepradiomics.lens.encoders.provenance import seen_cases, stage_record
from deepradiomics.lens.encoders.splits import pretraining_splits
from deepradiomics.lens.encoders.stack_data import augmented, stack_batch
from deepradiomics.lens.encoders.stacks import Stacks, cohort_stacks
from deepradiomics.prepare.stack import prepare_stack
from Testing.unit.lens.ball_cohort import RECIPE, read_rows, write_cohort, write_rows


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("balls"), cases=6)


def changed(cohort: Path, case: int, **cells: str) -> Manifest:
    """The cohort with other cells in one row."""
    rows = read_rows(cohort)
    rows[case] |= cells
    name = f"changed-{abs(hash((case, tuple(cells.items()))))}.csv"
    return read_manifest(write_rows(cohort.with_name(name), rows), need_labels=False)


def prepared(manifest: Manifest, cache: Path, **options: object) -> Stacks:
    return cohort_stacks(manifest, RECIPE, cache, roi="gland", **options)  # type: ignore[arg-type]


def test_a_stack_is_what_prepare_stack_gives(cohort: Path, tmp_path: Path) -> None:
    manifest = read_manifest(cohort, need_labels=False)
    found = prepared(manifest, tmp_path)
    row = manifest.rows[4]
    images = {name: read_volume(row.views[name]) for name in RECIPE.modalities}
    masks = {"gland": roi_mask(row, "gland", images["t2"])}
    expected = prepare_stack(images, masks, RECIPE, roi="gland")
    assert found.ids == manifest.ids
    assert found.images([4]).dtype == np.float32
    np.testing.assert_array_equal(found.images([4])[0], expected.image)
    np.testing.assert_array_equal(found.masks("gland", [0, 4])[1], expected.masks["gland"])


def test_what_is_prepared_is_not_prepared_again(cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = read_manifest(cohort, need_labels=False)
    first = prepared(manifest, tmp_path)
    monkeypatch.setattr(module, "prepare_stack", lambda *_, **__: pytest.fail("prepared twice"))
    again = prepared(manifest, tmp_path)
    assert again.digest == first.digest
    assert again.marks == first.marks


def test_a_stopped_preparation_goes_on(cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = read_manifest(cohort, need_labels=False)

    def stop(fraction: float, message: str) -> None:
        if fraction > 0.6:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        prepared(manifest, tmp_path, progress=stop)
    calls: list[str] = []
    kept = module.prepare_stack
    monkeypatch.setattr(module, "prepare_stack", lambda *a, **k: calls.append(k["case"]) or kept(*a, **k))
    prepared(manifest, tmp_path)
    assert calls == list(manifest.ids[4:])


def test_a_damaged_entry_is_prepared_again(cohort: Path, tmp_path: Path) -> None:
    manifest = read_manifest(cohort, need_labels=False)
    first = prepared(manifest, tmp_path)
    expected = np.array(first.images([2]))
    file = first.folders[2] / "image.npy"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.warns(UserWarning, match="It is made anew"):
        again = prepared(manifest, tmp_path)
    np.testing.assert_array_equal(again.images([2]), expected)


def test_another_mask_gives_another_entry(cohort: Path, tmp_path: Path) -> None:
    manifest = read_manifest(cohort, need_labels=False)
    other = changed(cohort, 1, mask_gland="ball05_gland.nii.gz")
    one, two = prepared(manifest, tmp_path), prepared(other, tmp_path)
    differing = [a != b for a, b in zip(one.folders, two.folders, strict=True)]
    assert differing == [False, True, False, False, False, False]
    assert one.digest != two.digest


def test_a_missing_modality_is_named_or_the_case_dropped(cohort: Path, tmp_path: Path) -> None:
    manifest = changed(cohort, 3, view_adc="")
    with pytest.raises(InputError, match=r"1 of 6 cases .*\n  Case ball03 lacks the modality adc (.|\n)*--missing"):
        prepared(manifest, tmp_path)
    found = prepared(manifest, tmp_path, missing="drop")
    assert found.ids == tuple(case for case in manifest.ids if case != "ball03")
    assert len(found) == 5
    assert found.dropped[0][0] == "ball03"
    assert "view_adc" in found.dropped[0][1]


def test_a_cohort_without_any_usable_case_is_refused_even_where_cases_may_be_dropped(
    cohort: Path, tmp_path: Path
) -> None:
    manifest = read_manifest(cohort, need_labels=False)
    with pytest.raises(InputError, match="6 of 6 cases cannot be used"):
        cohort_stacks(manifest, RECIPE, tmp_path, roi="bladder", missing="drop")


def test_an_empty_mask_and_a_region_smaller_than_a_voxel_are_told(cohort: Path, tmp_path: Path) -> None:
    gland = read_volume(cohort.with_name("ball00_gland.nii.gz"))
    empty = np.zeros(gland.geometry.shape, np.uint8)
    write_mask(Mask(empty, gland.geometry, "lesion"), cohort.with_name("empty.nii.gz"))
    with pytest.raises(InputError, match=r"Case ball01, column mask_lesion: the mask empty.nii.gz is empty"):
        prepared(changed(cohort, 1, mask_lesion="empty.nii.gz"), tmp_path, regions=["lesion"], missing="refuse")
    fine = RECIPE.from_dict({**RECIPE.to_dict(), "spacing_mm": [9.0, 9.0, 9.0]})
    point = empty.copy()
    point[9, 17, 17] = 1
    write_mask(Mask(point, gland.geometry, "lesion"), cohort.with_name("point.nii.gz"))
    with pytest.raises(InputError, match=r"ball01, column mask_lesion: nothing of this region is left"):
        cohort_stacks(
            changed(cohort, 1, mask_lesion="point.nii.gz"), fine, tmp_path, roi="gland", regions=["lesion"]
        )  # fmt: skip


def test_an_encoders_past_is_recognised_by_voxels_and_id(cohort: Path, tmp_path: Path) -> None:
    manifest = pretraining_splits(read_manifest(cohort, need_labels=False), seed=0)
    whole = prepared(manifest, tmp_path)
    about = {"pretraining": stage_record(manifest, whole, {}, 0)}
    assert about["pretraining"]["synthetic"] is True
    assert "ball" not in str(about["pretraining"]["marks"])
    t2_alone = cohort_stacks(manifest, RECIPE.for_modalities(("t2",)), tmp_path, roi="gland")
    assert seen_cases(about, t2_alone) == {"pretraining": manifest.ids}
    renamed = read_manifest(
        write_rows(cohort.with_name("renamed.csv"), [{**row, "id": f"x{row['id']}"} for row in read_rows(cohort)]),
        need_labels=False,
    )
    assert seen_cases(about, prepared(renamed, tmp_path)) == {} == seen_cases({}, whole)


def test_batches_hold_images_masks_and_row_numbers(cohort: Path, tmp_path: Path) -> None:
    found = prepared(read_manifest(cohort, need_labels=False), tmp_path)
    images, masks, rows = stack_batch(found, [3, 5], region="gland")
    assert rows.tolist() == [3, 5]
    assert images.shape == (2, 2, 16, 32, 32)
    assert masks.shape == (2, 1, 16, 32, 32)
    np.testing.assert_array_equal(masks[1, 0].numpy(), found.masks("gland", [5])[0])
    _, targets, _ = stack_batch(found, [5, 1], np.arange(6) * 10)
    assert targets.tolist() == [50, 10]


def test_a_mask_is_mirrored_and_moved_with_its_image() -> None:
    images = torch.zeros(4, 2, 4, 8, 8)
    images[:, :, 1, 2, 2] = 1.0
    masks = images[:, :1].clone()
    training = StageTraining(shift_voxels=(1, 2, 2), noise_sd=0.0)
    moved, with_them = augmented(images, training, [(0, epoch, 3) for epoch in range(4)], masks)
    assert with_them is not None
    for image, mask in zip(moved, with_them, strict=True):
        assert torch.equal(image[0], image[1])
        assert torch.equal(image[0], mask[0])
        assert image[0].sum() == 1
    places = {tuple(torch.nonzero(mask[0])[0].tolist()) for mask in with_them}
    assert len(places) > 1  # some are mirrored
    assert any(place[2] > 3 for place in places)


def test_what_happens_to_a_case_does_not_depend_on_its_batch() -> None:
    images = torch.randn(3, 2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    numbers = [(5, 1, row) for row in range(3)]
    training = StageTraining(shift_voxels=(1, 1, 1))
    together, _ = augmented(images, training, numbers)
    alone, _ = augmented(images[1:2], training, numbers[1:2])
    assert torch.equal(together[1:2], alone)
    assert not torch.equal(together, images)
