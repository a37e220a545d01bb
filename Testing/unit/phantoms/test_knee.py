"""The synthetic knee: deterministic, labelled, lesions where the truth table says, and not given away by brightness."""

from __future__ import annotations

import csv
from itertools import pairwise

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.cohort import load_case, read_manifest
from deepradiomics.errors import InputError
from deepradiomics.images import VIEWS
from deepradiomics.phantoms import KNEE_TASKS, knee_exam, write_knee_cohort
from deepradiomics.phantoms.knee.anatomy import WORLD_SHAPE, WORLD_SPACING_MM, Body, Tissue, draw_tissues, world_axes
from deepradiomics.phantoms.knee.lesions import PLANS, add_lesion, patch_of, plan_lesion
from deepradiomics.prepare import Box, Recipe, canonical_grid, patch_labels, prepare_exam, resample


@pytest.fixture(scope="module")
def healthy():
    return knee_exam(11)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_knee_cohort(tmp_path_factory.mktemp("knees"), 5, 5)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_seed_decides_every_voxel(healthy):
    again, other = knee_exam(11), knee_exam(12)
    for view in VIEWS:
        np.testing.assert_array_equal(healthy.case.views[view].voxels, again.case.views[view].voxels)
        assert not np.array_equal(healthy.case.views[view].voxels, other.case.views[view].voxels)


def test_views_are_thick_slices_of_three_planes_around_one_point(healthy):
    centres = [np.array(healthy.case.views[view].geometry.centre_mm) for view in VIEWS]
    for a, b in pairwise(centres):
        np.testing.assert_allclose(a, b, atol=1e-6)
    for view, axis in (("axial", 2), ("coronal", 1), ("sagittal", 0)):
        geometry = healthy.case.views[view].geometry
        assert abs(geometry.axes[axis, 2]) == 1.0  # slices advance along z, y or x of the patient
        assert geometry.size == (128, 128, 24)
        assert geometry.spacing_mm[2] >= 4 > geometry.spacing_mm[0]
        assert geometry.is_close(canonical_grid(geometry, view))


def test_tissues_lie_as_in_a_knee():
    tissue = draw_tissues(Body(1, 1, 1, 1, 7, 1, 2.4, 1), np.random.default_rng(0))
    z, y, x = world_axes()
    middle = {
        t: [axis[i].mean() for axis, i in zip((x, y, z), np.nonzero(tissue == t)[::-1], strict=True)] for t in Tissue
    }
    marrow = np.argwhere(tissue == Tissue.MARROW)
    assert abs(middle[Tissue.MENISCUS][2]) < 3  # menisci at the joint line
    assert middle[Tissue.FAT_PAD][1] < -20  # fat pad in front
    assert middle[Tissue.VESSEL][1] > 25  # vessels behind
    assert middle[Tissue.MUSCLE][1] > 0  # most muscle behind
    gap = np.abs(z[marrow[:, 0]]) < 1.5
    beside = np.abs(x[marrow[:, 2]]) > 10
    assert not (gap & beside).any()  # femur and tibia do not touch beside the eminence
    volume_ml = {t: (tissue == t).sum() * 1.25**3 / 1000 for t in Tissue}
    assert 150 < volume_ml[Tissue.MARROW] < 450
    assert 3 < volume_ml[Tissue.MENISCUS] < 15


def test_a_lesion_changes_the_image_where_the_truth_says_and_nowhere_else():
    lesions = [("acl", "A"), ("meniscus", "B")]
    with_them, without = knee_exam(3, lesions), knee_exam(3, lesions, strength=0.0)
    for view in VIEWS:
        volume = with_them.case.views[view]
        change = np.abs(volume.voxels.astype(float) - without.case.views[view].voxels)
        index = np.indices(volume.voxels.shape)[::-1].reshape(3, -1).T
        points = volume.geometry.index_to_physical(index)
        near = np.zeros(len(points), bool)
        for lesion in with_them.lesions:
            near |= np.linalg.norm(points - np.array(lesion.centre_mm), axis=1) < lesion.radius_mm + 9
        near = near.reshape(change.shape)
        assert change[near].max() > 30
        assert change[~near].max() <= 1


def test_a_lesion_stays_in_its_groups_patch_of_the_real_grid():
    exam = knee_exam(21, list(PLANS))
    sagittal = exam.case.views["sagittal"].geometry
    recipe = Recipe()
    grid = canonical_grid(sagittal, "sagittal").resized(recipe.resized_shape[::-1])
    roi = Box.from_fractions(grid, recipe.roi_fractions).grid(recipe.roi_shape)
    labels = patch_labels(roi.shape, recipe.patch_grid)
    for lesion in exam.lesions:
        x, y, z = np.rint(roi.physical_to_index(np.array(lesion.centre_mm))).astype(int)
        assert labels[z, y, x] == lesion.patch
        drawn = {plan_lesion(lesion.task, lesion.group, np.random.default_rng(s)).patch for s in range(200)}
        assert drawn == {lesion.patch}


def test_the_two_groups_of_a_task_differ_in_patch_and_texture_and_no_two_plans_share_a_patch():
    patches = {key: patch_of(plan.centre_mm) for key, plan in PLANS.items()}
    assert len(set(patches.values())) == len(PLANS)
    for task in KNEE_TASKS:
        assert PLANS[task, "A"].texture != PLANS[task, "B"].texture


@pytest.mark.parametrize("key", list(PLANS))
def test_a_texture_keeps_the_mean_grey_level(key):
    lesion = plan_lesion(*key, np.random.default_rng(1))
    world = np.zeros(WORLD_SHAPE, np.float32)
    add_lesion(world, lesion, 0.2, (5,))
    changed = world != 0
    volume_mm3 = changed.sum() * WORLD_SPACING_MM**3
    assert volume_mm3 == pytest.approx(4 / 3 * np.pi * (lesion.radius_mm + 1) ** 3, rel=0.15)
    assert abs(world.sum()) < 1e-3 * np.abs(world).sum()
    assert 0.1 < world[changed].std() < 0.25


def test_one_texture_is_seen_by_all_views():
    """The same tissue is imaged thrice: on one grid, changes in two views go together (T1 with the sign reversed)."""
    key = ("acl", "A")
    with_it, without = knee_exam(8, [key]), knee_exam(8, [key], strength=0.0)
    grid = with_it.case.views["sagittal"].geometry
    change = {}
    for view in VIEWS:
        moved = [resample(exam.case.views[view], grid).voxels.astype(float) for exam in (with_it, without)]
        change[view] = (moved[0] - moved[1]).ravel()
    where = np.abs(change["sagittal"]) > 3
    assert np.corrcoef(change["sagittal"][where], change["axial"][where])[0, 1] > 0.3
    assert np.corrcoef(change["sagittal"][where], change["coronal"][where])[0, 1] < -0.3


def test_everything_written_says_that_it_is_synthetic(cohort):
    folder = cohort.parent
    assert (folder / "README.txt").read_text(encoding="utf-8").startswith("SYNTHETIC")
    for file in folder.glob("cases/*/*.nii.gz"):
        image = sitk.ReadImage(str(file))
        assert image.GetMetaData("descrip").startswith("SYNTHETIC")
    exam = knee_exam(0)
    assert all("SYNTHETIC" in v.name and "SYNTHETIC" in v.notes[0] for v in exam.case.views.values())


def test_the_cohort_reads_as_a_manifest_whose_labels_follow_from_the_truth(cohort):
    manifest = read_manifest(cohort, need_labels=False)
    assert manifest.tasks == KNEE_TASKS
    assert manifest.views == VIEWS
    assert len(manifest) == 5
    truth = rows_of(cohort.parent / "truth.csv")
    for row in manifest.rows:
        planted = {line["task"] for line in truth if line["id"] == row.id}
        assert row.labels == {t: int(t in planted or (t == "abnormality" and bool(planted))) for t in KNEE_TASKS}
    exam = prepare_exam(load_case(manifest.rows[0]), Recipe())
    assert exam.image.shape == (3, 16, 38, 64)


def test_truth_lies_in_the_sagittal_images_space(cohort):
    manifest = read_manifest(cohort, need_labels=False)
    cases = {row.id: row for row in manifest.rows}
    for line in rows_of(cohort.parent / "truth.csv"):
        geometry = load_case(cases[line["id"]]).views["sagittal"].geometry
        centre = np.array([float(line[f"centre_{axis}_mm"]) for axis in "xyz"])
        offset = tuple(float(v) for v in centre - np.array(geometry.centre_mm))
        assert patch_of(offset) == int(line["patch"])  # type: ignore[arg-type]
        assert 8 <= float(line["radius_mm"]) <= 11
        assert float(line["contrast_sagittal"]) > 0


def test_the_same_seed_writes_the_same_files_over_older_ones(tmp_path):
    files = ["manifest.csv", "truth.csv", "README.txt", "cases/knee0001/coronal.nii.gz"]
    written = []
    for _ in range(2):
        write_knee_cohort(tmp_path, 2, 5)
        written.append([(tmp_path / name).read_bytes() for name in files])
    assert written[0] == written[1]


def test_groups_take_turns_and_a_third_of_the_patients_is_healthy():
    from deepradiomics.phantoms.knee.cohort import _draw_lesions

    drawn = _draw_lesions(100, 0)
    assert 30 <= sum(not lesions for lesions in drawn) <= 42
    for task in KNEE_TASKS:
        groups = [group for lesions in drawn for t, group in lesions if t == task]
        assert len(groups) >= 15
        assert abs(groups.count("A") - groups.count("B")) <= 1


def test_bad_requests_are_refused(tmp_path):
    with pytest.raises(InputError, match="at least one case, got 0"):
        write_knee_cohort(tmp_path, 0, 0)
    with pytest.raises(InputError, match=r"no lesion acl C can be planted; known are acl A"):
        knee_exam(0, [("acl", "C")])  # type: ignore[list-item]
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"README\.txt"):
        write_knee_cohort(tmp_path / "file" / "cohort", 1, 0)


def test_progress_is_told_and_may_cancel_without_a_manifest_left(tmp_path):
    class StopError(Exception):
        pass

    def stop(fraction: float, message: str) -> None:
        assert "knee" in message
        if fraction > 0:
            raise StopError

    with pytest.raises(StopError):
        write_knee_cohort(tmp_path, 2, 0, progress=stop)
    assert not (tmp_path / "manifest.csv").exists()
