"""The synthetic prostate: deterministic, three grids, masks that fit what is seen, grades that grow stronger."""

from __future__ import annotations

import time

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.phantoms import prostate_exam
from deepradiomics.phantoms.prostate.body import Body, gland_distance
from deepradiomics.phantoms.prostate.lesion import Plan
from deepradiomics.phantoms.prostate.scanner import MOST_SHIFT_MM, Session
from deepradiomics.prepare import resample_mask


@pytest.fixture(scope="module")
def strong():
    return prostate_exam(4, 3)


def test_the_seed_decides_every_voxel(strong):
    again, other = prostate_exam(4, 3), prostate_exam(5, 3)
    for name, volume in strong.views.items():
        np.testing.assert_array_equal(volume.voxels, again.views[name].voxels)
        assert not np.array_equal(volume.voxels, other.views[name].voxels)
    assert strong.truth == again.truth


def test_t2_and_diffusion_lie_on_grids_of_their_own_both_oblique(strong):
    t2, highb, adc = (strong.views[name].geometry for name in ("t2", "highb", "adc"))
    assert t2.spacing_mm == (1.0, 1.0, 3.0)
    assert adc.spacing_mm == (2.0, 2.0, 3.0)
    assert highb == adc != t2
    assert t2.size != adc.size
    assert not np.allclose(t2.axes, adc.axes, atol=1e-3)
    assert not np.allclose(t2.origin_mm, adc.origin_mm, atol=0.5)
    assert 0.1 < abs(t2.axes[1, 2]) < 0.6  # slices lean about the left-right axis, as across the gland


def test_clinical_grids_are_those_of_a_clinic():
    exam = prostate_exam(4, 1, size="clinical")
    assert exam.views["t2"].geometry.spacing_mm == (0.5, 0.5, 3.0)
    assert exam.views["t2"].geometry.extent_mm == (160.0, 160.0, 72.0)
    assert exam.views["adc"].geometry.extent_mm == (168.0, 208.0, 69.0)


@pytest.mark.parametrize("seed", range(6))
def test_the_gland_is_whole_in_every_modality_and_holds_the_lesion(seed):
    exam = prostate_exam((9, seed), 1 + seed % 3)
    gland, lesion = exam.masks["gland"], exam.masks["lesion"]
    assert gland.geometry == exam.views["t2"].geometry == lesion.geometry
    assert not (lesion.labels.astype(bool) & ~gland.labels.astype(bool)).any()
    assert lesion.labels.any()
    for volume in exam.views.values():
        here = resample_mask(gland, volume.geometry).labels
        for axis in range(3):
            ends = np.take(here, [0, -1], axis)
            assert not ends.any()  # nothing is cut off
        ml = here.sum() * np.prod(volume.geometry.spacing_mm) / 1000
        assert ml == pytest.approx(exam.volume_ml, rel=0.05)


def test_the_largest_gland_still_fits_the_smallest_field_of_view():
    for seed in range(60):
        body = Body.draw(np.random.default_rng((9, seed)).spawn(2)[0])
        if body.volume_ml > 85:
            break
    exam = prostate_exam((9, seed), 0)
    for volume in exam.views.values():
        here = resample_mask(exam.masks["gland"], volume.geometry).labels
        assert not any(np.take(here, [0, -1], axis).any() for axis in range(3)), (seed, body.volume_ml)


def test_the_volume_is_the_masks_and_near_the_one_drawn():
    for seed in range(5):
        exam = prostate_exam((9, seed))
        gland = exam.masks["gland"]
        assert exam.volume_ml == pytest.approx(gland.labels.sum() * 3.0 / 1000, abs=1e-3)
        drawn = Body.draw(np.random.default_rng((9, seed)).spawn(2)[0]).volume_ml
        assert exam.volume_ml == pytest.approx(drawn, rel=0.12)  # the shape is not quite an ellipsoid


def test_a_strong_lesion_is_dark_in_adc_and_t2_and_bright_in_high_b(strong):
    faint = prostate_exam(4, 0)  # the same man at the same visit, had he no lesion
    for name, sign in (("adc", -1), ("t2", -1), ("highb", 1)):
        inside = resample_mask(strong.masks["lesion"], strong.views[name].geometry).labels.astype(bool)
        ratio = np.median(strong.views[name].voxels[inside]) / np.median(faint.views[name].voxels[inside])
        assert sign * np.log(ratio) > 0.25, (name, ratio)


def test_zones_look_as_in_men():
    exam = prostate_exam(4)
    t2, grid = exam.views["t2"].voxels.astype(float), exam.views["t2"].geometry
    gland = exam.masks["gland"].labels.astype(bool)
    rows = np.argwhere(gland)[:, 1]
    back = gland & (np.arange(grid.size[1])[None, :, None] > np.percentile(rows, 85))
    front = gland & (np.arange(grid.size[1])[None, :, None] < np.percentile(rows, 50))
    assert np.median(t2[back]) > 1.4 * np.median(t2[front])  # the peripheral zone is the brighter one
    assert t2[~gland].max() > t2[back].mean() * 1.3  # urine in the bladder is brighter still


def test_grade_zero_has_a_faint_area_but_no_lesion_mask():
    exam = prostate_exam(8, 0)
    assert set(exam.masks) == {"gland"}
    assert 0 < float(exam.truth["strength_adc"]) < 0.5
    assert float(exam.truth["focus_ml"]) > 0


def test_each_grade_is_stronger_than_the_last_and_pirads_5_is_15_mm_and_more():
    plans = {}
    for grade in range(4):
        drawn = []
        for seed in range(60):
            rng = np.random.default_rng(seed)
            drawn.append(Plan.draw(grade, Body.draw(rng), rng))
        plans[grade] = drawn
    for name in ("adc", "highb", "t2", "grain", "field"):
        means = [np.mean([getattr(plan, f"strength_{name}") for plan in plans[grade]]) for grade in range(4)]
        assert np.diff(means).min() > 0.1, name
    assert min(2 * plan.radius_mm for plan in plans[3]) >= 15 > max(2 * plan.radius_mm for plan in plans[2])
    same = [np.mean([plan.coarse for plan in plans[grade]]) for grade in range(4)]
    np.testing.assert_allclose(same, same[0], atol=1e-12)  # nuisance comes from the same draws, whatever the grade


def test_a_second_scan_shows_the_same_gland_in_another_visit():
    first, second = prostate_exam(4, 2), prostate_exam(4, 2, scan=1)
    assert first.volume_ml == pytest.approx(second.volume_ml, rel=0.02)
    for name in ("strength_adc", "coarse", "radius_mm", "zone"):
        assert first.truth[name] == second.truth[name]
    assert first.truth["gain_t2"] != second.truth["gain_t2"]
    assert not first.views["t2"].geometry.is_close(second.views["t2"].geometry)


def test_the_patient_moves_by_a_millimetre_at_most():
    shifts = [np.linalg.norm(Session.draw(np.random.default_rng(seed)).shift_mm) for seed in range(200)]
    assert max(shifts) <= MOST_SHIFT_MM
    assert max(shifts) > 0.9


def test_the_truths_centre_lies_in_the_lesion(strong):
    centre = [float(strong.truth[f"centre_{axis}_mm"]) for axis in "xyz"]
    x, y, z = np.rint(strong.views["t2"].geometry.physical_to_index(centre)).astype(int)
    assert strong.masks["lesion"].labels[z, y, x] == 1


def test_the_distance_is_negative_inside_and_its_slope_is_about_one():
    body = Body.draw(np.random.default_rng(0))
    line = np.linspace(0, 60, 601, dtype=np.float32)
    flat = np.zeros_like(line)
    distance = gland_distance((flat, -line, flat), body)
    assert distance[0] < 0 < distance[-1]
    np.testing.assert_allclose(np.diff(distance)[5:] / 0.1, 1.0, atol=0.02)


def test_everything_says_that_it_is_synthetic(strong):
    for image in (*strong.views.values(), *strong.masks.values()):
        assert "SYNTHETIC" in image.name
    assert all("SYNTHETIC" in volume.notes[0] for volume in strong.views.values())


def test_unknown_grades_and_sizes_are_refused():
    with pytest.raises(InputError, match=r"Case x: grade must be 0 to 3 \(PIRADS < 3, .*\), got 4"):
        prostate_exam(0, 4, id="x")
    with pytest.raises(InputError, match="size: expected small or clinical, got 'huge'"):
        prostate_exam(0, size="huge")


def test_a_small_case_is_made_in_a_fraction_of_a_second():
    started = time.perf_counter()
    prostate_exam(1)
    assert time.perf_counter() - started < 2.0  # about 0.15 s on one free core; a regression would be tenfold
