"""Expansion: exact volumes, labels of expansion, the map of the change where the anatomy lies, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.ich.cohort import manifest as cohort
from deepradiomics.ich.haematoma.expansion import LIMITS_ML, Expansion, expansion
from deepradiomics.ich.haematoma.result import GROWN, SHRUNK, STABLE
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.phantoms import ich_exam
from deepradiomics.prepare import AffineTransform, resample, resample_mask
from deepradiomics.reports.ich.expansion import draw

GROWING = (21, 5)  # a seed whose haematoma grows from 10 to 23 mL


@pytest.fixture(scope="module")
def exam():
    return ich_exam(GROWING)


@pytest.fixture(scope="module")
def coarse(exam):
    return few(exam)


@pytest.fixture(scope="module")
def found(exam):
    return expansion(exam.baseline, exam.followup, exam.mask, exam.mask_followup, backend="cpu", case="s1")


@pytest.fixture(scope="module")
def coarse_found(coarse):
    return expansion(coarse.baseline, coarse.followup, coarse.mask, coarse.mask_followup, backend="cpu")


def few(exam):
    """The same CTs with few voxels, quick to register; the masks keep their grids."""
    halved = [
        resample(one, one.geometry.resized([n // 2 for n in one.geometry.size]))
        for one in (exam.baseline, exam.followup)
    ]
    return replace(exam, baseline=halved[0], followup=halved[1])


def millilitres(mask):
    return float((mask.labels > 0).sum() * np.prod(mask.geometry.spacing_mm) / 1000)


def true_change(exam, points):
    """Change at points (N, 3) of the baseline's space, from the known motion, each mask read at its nearest voxel."""

    def inside(mask, at):
        index = np.rint(mask.geometry.physical_to_index(at)).astype(int)
        seen = ((index >= 0) & (index < mask.geometry.size)).all(axis=1)
        x, y, z = np.where(seen[:, None], index, 0).T
        return (mask.labels[z, y, x] > 0) & seen

    moved = points @ exam.motion[:3, :3].T + exam.motion[:3, 3]
    before, after = inside(exam.mask, points), inside(exam.mask_followup, moved)
    return np.select([before & after, after, before], [STABLE, GROWN, SHRUNK], 0)


def agreement(exam, change, label):
    """Dice coefficient of one label with the truth, in world coordinates."""
    points = change.geometry.index_to_physical(np.argwhere(np.ones(change.labels.shape, bool))[:, ::-1])
    truth, got = true_change(exam, points) == label, change.labels.ravel() == label
    return 2 * (truth & got).sum() / (truth.sum() + got.sum())


def made(before, after, change=None, case=""):
    """An expansion of given volumes, without images."""
    grid = Geometry((4, 4, 4))
    labels = np.zeros((4, 4, 4), np.uint8) if change is None else change
    image = Volume(np.zeros((4, 4, 4)), grid)
    return Expansion(AffineTransform.identity(), before, after, Mask(labels, grid), image, 1.0, "cpu", case)


def test_volumes_are_voxels_times_their_size_on_each_masks_own_grid(exam, found):
    assert found.baseline_ml == millilitres(exam.mask)
    assert found.followup_ml == millilitres(exam.mask_followup)
    assert found.difference_ml == found.followup_ml - found.baseline_ml
    assert found.difference_ml == pytest.approx(exam.plan.expansion_ml, abs=1.0)


@pytest.mark.parametrize(
    ("before", "after", "exceeded"),
    [
        (10.0, 13.0, set()),  # exactly 3 mL and 30 % are not more than 3 mL and 33 %
        (10.0, 13.01, {"expansion_3ml"}),
        (10.0, 13.4, {"expansion_3ml", "expansion_33pct"}),
        (1.0, 1.34, {"expansion_33pct"}),
        (60.0, 69.5, {"expansion_3ml", "expansion_6ml", "expansion_9ml"}),
        (20.0, 12.0, set()),
    ],
)
def test_expansion_is_labelled_by_what_it_exceeds(before, after, exceeded):
    assert {name for name, passed in made(before, after).labels.items() if passed} == exceeded


def test_the_limits_are_those_of_the_experiment():
    assert LIMITS_ML == cohort._LIMITS_ML
    assert set(made(1.0, 1.0).labels) <= set(cohort.TITLES)


def test_the_transform_is_rigid_and_that_of_the_phantom(exam, found):
    turn = found.transform.array[:3, :3]
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-5)
    points = exam.baseline.geometry.index_to_physical(np.argwhere(exam.baseline.voxels > 300)[::50, ::-1])
    truth = points @ exam.motion[:3, :3].T + exam.motion[:3, 3]
    assert np.linalg.norm(found.transform.apply(points) - truth, axis=1).mean() < 0.5
    assert found.overlap > 0.9
    assert not any("overlap" in note for note in found.notes)


def test_the_change_lies_where_the_haematoma_grew(exam, found):
    assert found.change.geometry == exam.baseline.geometry == found.followup.geometry
    assert agreement(exam, found.change, STABLE) > 0.93
    assert agreement(exam, found.change, GROWN) > 0.93
    assert found.changed_ml(STABLE) + found.changed_ml(SHRUNK) == pytest.approx(found.baseline_ml)
    assert found.changed_ml(STABLE) + found.changed_ml(GROWN) == pytest.approx(found.followup_ml, rel=0.03)
    grown = found.followup.voxels[found.change.labels == GROWN]
    assert np.median(grown) > 50  # blood lies there in the registered follow-up


def oblique(volume, mask, order, angle, spacing):
    """The same image on a grid turned by ``angle`` whose index axes run along other axes of the patient."""
    cos, sin = np.cos(angle), np.sin(angle)
    axes = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ np.eye(3)[:, list(order)]
    axes[:, 0] *= np.sign(np.linalg.det(axes))
    extent = np.abs(axes.T @ volume.geometry.axes) @ np.array(volume.geometry.extent_mm)
    size = np.ceil(extent / spacing).astype(int)
    origin = np.array(volume.geometry.centre_mm) - axes @ ((size - 1) / 2 * spacing)
    grid = Geometry(tuple(size), tuple(spacing), tuple(origin), tuple(axes.ravel()))
    return resample(volume, grid, fill=-1000.0), resample_mask(mask, grid)


@pytest.mark.parametrize(
    ("order", "angle"), [((1, 2, 0), 0.25), ((2, 0, 1), -0.35)], ids=["stored sagittal", "stored coronal"]
)
def test_the_change_lies_right_on_oblique_grids_whose_axes_run_another_way(exam, order, angle):
    baseline, mask = oblique(exam.baseline, exam.mask, order, angle, np.array([2.0, 2.5, 2.2]))
    followup, mask_followup = oblique(exam.followup, exam.mask_followup, (0, 1, 2), -angle, np.array([2.0, 2.1, 2.6]))
    found = expansion(baseline, followup, mask, mask_followup, backend="cpu")
    assert found.change.geometry == baseline.geometry
    assert agreement(exam, found.change, GROWN) > 0.75  # masks read at the nearest voxel three times over
    points = exam.baseline.geometry.index_to_physical(np.argwhere(np.ones(exam.baseline.voxels.shape, bool))[:, ::-1])
    grown = baseline.geometry.index_to_physical(np.argwhere(found.change.labels == GROWN)[:, ::-1])
    truth = points[true_change(exam, points) == GROWN]
    np.testing.assert_allclose(grown.mean(axis=0), truth.mean(axis=0), atol=0.7)  # mm
    assert found.difference_ml == pytest.approx(exam.plan.expansion_ml, abs=1.0)


def test_both_backends_find_the_same_change(coarse, coarse_found, found):
    pytest.importorskip("torch").set_num_threads(1)
    images = (coarse.baseline, coarse.followup, coarse.mask, coarse.mask_followup)
    cpu, gpu = coarse_found, expansion(*images, backend="gpu", device="cpu")
    assert (cpu.backend, gpu.backend) == ("cpu", "gpu")
    assert cpu.difference_ml == gpu.difference_ml == found.difference_ml
    assert agreement(coarse, cpu.change, GROWN) > 0.8
    assert agreement(coarse, gpu.change, GROWN) > 0.8


def test_a_mask_on_another_grid_of_the_same_space_is_measured_there_and_drawn_on_the_baseline(coarse, coarse_found):
    fine = coarse.mask.geometry.resized([n * 2 for n in coarse.mask.geometry.size])
    other = expansion(
        coarse.baseline, coarse.followup, resample_mask(coarse.mask, fine), coarse.mask_followup, backend="cpu"
    )  # fmt: skip
    assert other.baseline_ml == pytest.approx(coarse_found.baseline_ml)
    np.testing.assert_array_equal(other.change.labels, coarse_found.change.labels)


def test_masks_of_several_labels_are_refused_or_taken_as_named(coarse, found):
    grid, region = coarse.mask.geometry, coarse.mask.labels > 0
    oedema = np.zeros(region.shape, bool)
    oedema[:, 1:, :] = region[:, :-1, :] & ~region[:, 1:, :]
    several = Mask(np.where(oedema, 3, region).astype(np.uint8), grid, segments={1: "blood", 3: "oedema"})
    images = coarse.baseline, coarse.followup
    with pytest.raises(MaskError, match=r"the mask of the baseline: it has 2 labels: 1 \(blood\), 3 \(oedema\)"):
        expansion(*images, several, coarse.mask_followup, backend="cpu")
    with pytest.raises(MaskError, match=r"the mask of the follow-up: it has 2 labels"):
        expansion(*images, coarse.mask, several, backend="cpu")
    named = expansion(*images, several, coarse.mask_followup, label=1, backend="cpu")
    assert named.baseline_ml == found.baseline_ml
    assert named.followup_ml == found.followup_ml
    both = expansion(*images, several, coarse.mask_followup, all_labels=True, backend="cpu")
    cell = np.prod(grid.spacing_mm) / 1000
    assert both.baseline_ml == pytest.approx((region | oedema).sum() * cell)
    assert any("its 2 labels were taken together, 1 (blood), 3 (oedema)" in note for note in both.notes)
    assert any("the mask of the follow-up: its only label was taken, 1" in note for note in found.notes)


def test_a_follow_up_without_the_label_is_refused_and_an_empty_one_says_that_it_is_gone(coarse):
    other = Mask(coarse.mask_followup.labels * 3, coarse.mask_followup.geometry)
    with pytest.raises(MaskError, match=r"follow-up: no voxel has label 1; labels present: 3.*give an empty mask"):
        expansion(coarse.baseline, coarse.followup, coarse.mask, other, label=1, backend="cpu")


def test_a_segment_that_another_covers_counts_whole(coarse, found):
    region = coarse.mask.labels > 0
    upper = region.copy()
    upper[: region.shape[0] // 2] = False
    hidden = Mask(
        np.where(upper, 2, region).astype(np.uint8), coarse.mask.geometry, segments={1: "blood", 2: "clot"},
        covered={1: region},
    )  # fmt: skip
    named = expansion(coarse.baseline, coarse.followup, hidden, coarse.mask_followup, all_labels=True, backend="cpu")
    assert named.baseline_ml == found.baseline_ml


def test_the_record_holds_what_the_json_file_promises(found):
    record = found.to_dict()
    assert record["kind"] == "ich-expansion"
    assert record["case_id"] == "s1"
    assert record["difference_ml"] == pytest.approx(record["followup_ml"] - record["baseline_ml"])
    assert record["relative"] == pytest.approx(record["difference_ml"] / record["baseline_ml"])
    assert AffineTransform.from_dict(record["transform"]) == found.transform
    assert set(record["on_baseline_grid_ml"]) == {"stable", "grown", "shrunk"}


def test_scans_in_the_wrong_order_are_suspected(coarse):
    swapped = expansion(coarse.followup, coarse.baseline, coarse.mask_followup, coarse.mask, backend="cpu")
    assert swapped.difference_ml < 0
    assert any("are the two scans in the right order?" in note for note in swapped.notes)


def test_a_mask_of_the_other_scan_is_suspected_by_its_density(coarse):
    mirrored = Mask(coarse.mask.labels[:, :, ::-1].copy(), coarse.mask.geometry)
    found = expansion(coarse.baseline, coarse.followup, mirrored, coarse.mask_followup, backend="cpu")
    assert any("under the baseline's mask" in note and "Is it the mask of this scan?" in note for note in found.notes)


def test_the_same_image_twice_is_refused(exam):
    with pytest.raises(InputError, match="Case 7: baseline and follow-up are the same image"):
        expansion(exam.baseline, exam.baseline, exam.mask, exam.mask, case="7")


def test_an_empty_baseline_mask_is_refused_and_an_empty_followup_is_noted(coarse):
    nothing = Mask(np.zeros(coarse.mask.labels.shape, np.uint8), coarse.mask.geometry)
    with pytest.raises(MaskError, match="the mask of the baseline is empty, so there is no haematoma to follow"):
        expansion(coarse.baseline, coarse.followup, nothing, coarse.mask_followup)
    gone = Mask(np.zeros(coarse.mask_followup.labels.shape, np.uint8), coarse.mask_followup.geometry)
    found = expansion(coarse.baseline, coarse.followup, coarse.mask, gone, backend="cpu")
    assert found.followup_ml == 0
    assert found.relative == -1
    assert not any(found.labels.values())
    assert any("was the haematoma removed, or was it not found?" in note for note in found.notes)


def test_a_mask_that_lies_outside_its_scan_is_refused(exam):
    far = replace(exam.mask.geometry, origin_mm=(500.0, 0.0, 0.0))
    with pytest.raises(GeometryError, match="100% of the baseline's mask lie outside its CT"):
        expansion(exam.baseline, exam.followup, Mask(exam.mask.labels, far), exam.mask_followup)


def cropped(image, low_mm, high_mm):
    """The slices of an image or a mask that lie between two heights above its first one."""
    grid = image.geometry
    first, last = (round(mm / grid.spacing_mm[2]) for mm in (low_mm, high_mm))
    new = grid.crop((0, 0, first), (grid.size[0], grid.size[1], last - first))
    if isinstance(image, Mask):
        return Mask(image.labels[first:last], new)
    return Volume(image.voxels[first:last], new)


def test_a_followup_that_misses_the_haematoma_is_refused(coarse):
    low = 3.0 * (np.argwhere(coarse.mask_followup.labels)[:, 0].min() + 4)
    followup, mask = (cropped(one, low, 156) for one in (coarse.followup, coarse.mask_followup))
    with pytest.raises(GeometryError, match=r"the follow-up does not show .* of the place where the haematoma was"):
        expansion(coarse.baseline, followup, coarse.mask, mask, backend="cpu")


def test_a_haematoma_cut_off_by_the_image_is_noted(coarse):
    high = 3.0 * np.argwhere(coarse.mask_followup.labels)[:, 0].max()
    followup, mask = cropped(coarse.followup, 0, high + 12), cropped(coarse.mask_followup, 0, high)
    found = expansion(coarse.baseline, followup, coarse.mask, mask, backend="cpu")
    assert any("first or last slice of the follow-up" in note for note in found.notes)


def test_a_followup_that_is_no_such_head_is_refused(coarse):
    rng = np.random.default_rng(0)
    other = Volume(rng.normal(200, 400, coarse.followup.voxels.shape).astype(np.float32), coarse.followup.geometry)
    with pytest.raises(InputError, match="could not be laid onto the baseline"):
        expansion(coarse.baseline, other, coarse.mask, coarse.mask_followup, backend="cpu")


def test_another_persons_followup_is_remarked(coarse):
    other = few(ich_exam((21, 1)))
    found = expansion(coarse.baseline, other.followup, coarse.mask, other.mask_followup, backend="cpu")
    assert any("look at the registered follow-up" in note for note in found.notes)


def test_progress_rises_and_can_cancel(coarse):
    said = []
    with pytest.raises(KeyboardInterrupt):

        def stop(fraction, message):
            said.append(fraction)
            if fraction > 0.5:
                raise KeyboardInterrupt

        expansion(coarse.baseline, coarse.followup, coarse.mask, coarse.mask_followup, backend="cpu", progress=stop)
    assert said == sorted(said)


def test_the_picture_shows_the_slices_of_the_change_and_says_synthetic(exam, found):
    figure = draw(exam.baseline, found, synthetic="SYNTHETIC")
    axes = [one for one in figure.axes if one.images]
    assert len(axes) % 3 == 0
    assert axes[0].get_ylabel() == "Baseline"
    assert f"{found.difference_ml:+.1f} mL" in figure._suptitle.get_text()
    assert "SYNTHETIC" in [text.get_text() for text in figure.texts]
    shown = figure.legends[0].get_texts()[1].get_text()
    assert shown == f"grown, {found.changed_ml(GROWN):.1f} mL"


def test_the_picture_of_nothing_left_is_drawn():
    assert draw(Volume(np.zeros((4, 4, 4)), Geometry((4, 4, 4))), made(1.0, 0.0, case="x")).axes
