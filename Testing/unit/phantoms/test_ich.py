"""Synthetic head CTs: Hounsfield units of the tissues, haematomas of the right volume, their expansion, follow-up."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, label

from deepradiomics.errors import InputError
from deepradiomics.images import Volume, read_volume
from deepradiomics.phantoms import ich_exam
from deepradiomics.phantoms.ich.haematoma import surface
from deepradiomics.phantoms.ich.plan import Plan
from deepradiomics.phantoms.ich.real_head import RealHead


def millilitres(mask):
    return float(mask.labels.sum() * np.prod(mask.geometry.spacing_mm) / 1000)


@pytest.fixture(scope="module")
def exam():
    return ich_exam((5, 4), id="ich")


@pytest.fixture(scope="module")
def real_head(data_dir):
    file = data_dir / "head_ct_invesalius" / "head_ct_cranium_cropped.nii.gz"
    if not file.is_file():
        pytest.skip("no real head CT")
    return RealHead(read_volume(file))


def test_the_same_seed_gives_the_same_voxels_and_another_seed_others(exam):
    again, other = ich_exam((5, 4)), ich_exam((5, 5), followup=False)
    np.testing.assert_array_equal(again.baseline.voxels, exam.baseline.voxels)
    np.testing.assert_array_equal(again.mask_followup.labels, exam.mask_followup.labels)
    assert (other.baseline.voxels != exam.baseline.voxels).any()


def test_a_head_without_followup_has_the_same_baseline(exam):
    alone = ich_exam((5, 4), followup=False)
    np.testing.assert_array_equal(alone.baseline.voxels, exam.baseline.voxels)
    assert alone.followup is None
    assert alone.mask_followup is None
    assert alone.motion is None
    assert alone.plan == exam.plan


def test_air_bone_brain_and_blood_have_their_hounsfield_units(exam):
    ct, blood = exam.baseline.voxels, exam.mask.labels > 0
    assert np.median(ct[:, 0]) == pytest.approx(-1000, abs=5)
    assert np.percentile(ct, 99.5) > 900  # skull
    brain = ct[(ct > 0) & (ct < 50) & ~binary_dilation(blood, iterations=5)]
    assert 28 < np.median(brain) < 42
    assert 50 < np.median(ct[blood]) < 72


@pytest.mark.parametrize("seed", range(3))
def test_masks_hold_the_planted_volumes(seed):
    exam = ich_exam((31, seed))
    cell = float(np.prod(exam.mask.geometry.spacing_mm)) / 1000
    surface_cells = (binary_dilation(exam.mask_followup.labels) ^ (exam.mask_followup.labels > 0)).sum()
    tolerance = cell * 1.5 * np.sqrt(surface_cells)  # each cell of the surface is in or out: a random walk
    assert millilitres(exam.mask) == pytest.approx(exam.plan.volume_ml, abs=tolerance)
    grown = exam.plan.volume_ml + exam.plan.expansion_ml
    assert millilitres(exam.mask_followup) == pytest.approx(grown, abs=tolerance)


def test_a_grown_haematoma_contains_the_one_it_was():
    def plan(n):
        return Plan.draw(np.random.default_rng([32, n]).spawn(5)[0])

    exam = ich_exam((32, next(n for n in range(40) if plan(n).expansion_ml > 5)))
    points = exam.mask.geometry.index_to_physical(np.argwhere(exam.mask.labels)[:, ::-1])
    moved = points @ exam.motion[:3, :3].T + exam.motion[:3, 3]
    index = np.rint(exam.mask_followup.geometry.physical_to_index(moved)).astype(int)
    assert exam.mask_followup.labels[index[:, 2], index[:, 1], index[:, 0]].mean() > 0.97


def test_the_followups_motion_is_rigid_and_lays_bone_on_bone(exam):
    turn = exam.motion[:3, :3]
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.abs(exam.motion - np.eye(4)).max() > 0.5  # millimetres: he does not lie as before
    bone = np.argwhere(exam.baseline.voxels[8:-8] > 700)[:, ::-1] + [0, 0, 8]
    points = exam.baseline.geometry.index_to_physical(bone) @ turn.T + exam.motion[:3, 3]
    index = np.rint(exam.followup.geometry.physical_to_index(points)).astype(int)
    inside = ((index >= 0) & (index < exam.followup.geometry.size)).all(axis=1)
    index = index[inside]
    there = exam.followup.voxels[index[:, 2], index[:, 1], index[:, 0]]
    assert inside.mean() > 0.8
    assert (there > 300).mean() > 0.9


def test_irregularity_makes_the_surface_larger_and_leaves_the_volume():
    def open_space(p):
        return np.full(p[0].shape, -50, np.float32)

    one = replace(Plan.draw(np.random.default_rng(3)).haematomas[0], volume_ml=20.0, grown_ml=0.0)
    z, y, x = np.meshgrid(*[np.arange(-45, 46, 1.0, dtype=np.float32)] * 3, indexing="ij")
    p = tuple(v + np.float32(c) for v, c in zip((x, y, z), one.centre_mm, strict=True))
    counts, faces = [], []
    for irregularity in (0.0, 1.0):
        found = surface(replace(one, irregularity=irregularity), open_space, followup=False)
        inside = found.distance(p, open_space(p)) < 0
        counts.append(inside.sum() / 1000)
        faces.append(sum(np.abs(np.diff(inside.astype(int), axis=axis)).sum() for axis in range(3)))
    assert counts == pytest.approx([20.0, 20.0], rel=0.02)
    assert faces[1] > 1.08 * faces[0]


def test_heterogeneity_and_swirl_spread_the_density_of_the_blood():
    from deepradiomics.phantoms.ich import cohort as phantom

    spread = {}
    for heterogeneity, swirl in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)):
        plan = Plan.draw(np.random.default_rng(3))
        main = replace(plan.haematomas[0], volume_ml=20.0, heterogeneity=heterogeneity, swirl=swirl)
        drawn = replace(plan, haematomas=(main,), site="A")
        stub = SimpleNamespace(draw=lambda rng, drawn=drawn: drawn)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(phantom, "Plan", stub)
            exam = ich_exam((3, 3), followup=False)
        spread[heterogeneity, swirl] = exam.baseline.voxels[exam.mask.labels > 0].std()
    assert spread[1.0, 0.0] > 1.4 * spread[0.0, 0.0]
    assert spread[0.0, 1.0] > 1.2 * spread[0.0, 0.0]


def test_a_second_haematoma_is_its_own_component():
    def plan(n):
        return Plan.draw(np.random.default_rng([33, n]).spawn(5)[0])

    exam = ich_exam((33, next(n for n in range(40) if len(plan(n).haematomas) == 2)), followup=False)
    assert label(exam.mask.labels, np.ones((3, 3, 3)))[1] == 2


def test_an_unknown_size_is_refused():
    with pytest.raises(InputError, match="size: expected small or clinical, got 'large'"):
        ich_exam(1, size="large")


def test_a_small_case_is_drawn_in_well_under_a_second():
    ich_exam((1, 0), followup=False)
    seconds = []
    for number in range(3):
        begun = time.process_time()
        ich_exam((1, number), followup=False)
        seconds.append(time.process_time() - begun)
    assert min(seconds) < 1.0


def test_a_real_head_keeps_its_skull_and_gets_a_haematoma(real_head):
    exam = ich_exam((5, 2), head=real_head)
    assert millilitres(exam.mask) == pytest.approx(exam.plan.volume_ml, rel=0.15)
    blood = exam.mask.labels > 0
    assert 48 < np.median(exam.baseline.voxels[blood]) < 75
    assert exam.baseline.voxels[blood].min() > 0  # no bone, no air inside
    assert np.percentile(exam.baseline.voxels, 99) > 700
    assert "real head" in exam.baseline.notes[0]


def test_the_brain_of_the_real_head_has_a_brains_volume(real_head):
    exam = ich_exam((5, 2), head=real_head, followup=False)
    from deepradiomics.phantoms.ich.scanner import head_points

    middle = np.eye(4)
    grid = exam.baseline.geometry
    middle[:3, 3] = grid.centre_mm
    inside = real_head.brain_distance(head_points(grid, middle)) < 0
    assert 900 < inside.sum() * np.prod(grid.spacing_mm) / 1000 < 1500


def test_an_image_without_a_brain_is_no_head(exam):
    with pytest.raises(InputError, match="no brain was found"):
        RealHead(Volume(np.full(exam.baseline.geometry.shape, -1000, np.int16), exam.baseline.geometry, name="air"))
