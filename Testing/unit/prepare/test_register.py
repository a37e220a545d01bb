"""Registration finds affines that are known, and its result means what ITK and Slicer take it to mean."""

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.errors import Cancelled, InputError
from deepradiomics.images import Case, Geometry, Volume, to_sitk
from deepradiomics.prepare import (
    AffineTransform,
    Box,
    Recipe,
    build_templates,
    paint_patches,
    patch_boxes,
    prepare_exam,
    register,
    resample,
)
from deepradiomics.prepare.registration.pyramid import build_pyramid, similarity
from Testing.benchmarks.known_affines import ANATOMIES, Problem, make_problem, synthetic_anatomy

BACKENDS = ["cpu", "gpu"]


def need(backend: str) -> None:
    if backend == "gpu":
        torch = pytest.importorskip("torch")
        torch.set_num_threads(1)


def problem(seed: int = 0, size: tuple[int, int, int] = (48, 44, 24)) -> Problem:
    return make_problem(*synthetic_anatomy(size), seed)


@pytest.mark.parametrize(("backend", "seed"), [("cpu", 0), ("cpu", 1), ("cpu", 2), ("gpu", 0)])
def test_a_known_affine_of_a_synthetic_body_is_recovered_within_a_voxel(backend, seed):
    need(backend)
    case = problem(seed)
    found = register(case.fixed, case.moving, backend=backend, device="cpu")
    assert case.error_voxels(AffineTransform.identity()) > 3
    assert case.error_voxels(found.transform) < 1.0
    assert (found.backend, found.metric) == (backend, "mi")
    assert found.seconds > 0
    finest = build_pyramid(case.fixed, case.moving)[-1]
    assert found.metric_value == pytest.approx(similarity(finest.fixed, finest.moving, case.truth, "mi"), rel=0.05)


@pytest.mark.parametrize("backend", BACKENDS)
def test_correlation_recovers_an_affine_between_like_contrasts(backend):
    need(backend)
    fixed, landmarks = synthetic_anatomy((48, 44, 24))
    case = make_problem(fixed, landmarks, 3)
    moving = resample(fixed, case.moving.geometry, transform=case.truth.inverse())
    found = register(fixed, moving, backend=backend, metric="ncc", device="cpu")
    assert case.error_voxels(found.transform) < 0.5
    assert found.metric == "ncc"
    assert 0.95 < found.metric_value <= 1


def test_mutual_information_does_not_mind_an_inverted_contrast():
    case = problem(2)
    inverted = Volume(1000 - case.moving.voxels, case.moving.geometry)
    found = register(case.fixed, inverted, backend="cpu")
    assert case.error_voxels(found.transform) < 0.5


@pytest.mark.parametrize("anatomy", ANATOMIES)
def test_one_known_affine_of_each_real_anatomy_is_recovered_within_a_voxel(data_dir, anatomy):
    case = make_problem(*ANATOMIES[anatomy](data_dir), 0)
    assert case.error_voxels(register(case.fixed, case.moving, backend="cpu").transform) < 1.0


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("anatomy", ANATOMIES)
def test_twenty_known_affines_of_each_anatomy_are_recovered_within_a_voxel(data_dir, anatomy, backend):
    need(backend)
    fixed, landmarks = ANATOMIES[anatomy](data_dir)
    errors = []
    for seed in range(20):
        case = make_problem(fixed, landmarks, seed)
        errors.append(case.error_voxels(register(case.fixed, case.moving, backend=backend).transform))
    assert max(errors) < 1.0, np.round(errors, 2).tolist()


def test_the_transform_file_brings_the_moving_image_onto_the_fixed_one_in_simpleitk(tmp_path):
    case = problem(1)
    found = register(case.fixed, case.moving, backend="cpu")
    found.transform.write(tmp_path / "transform.tfm")
    fixed = to_sitk(case.fixed)
    transform = sitk.ReadTransform(str(tmp_path / "transform.tfm"))
    on_fixed = sitk.GetArrayFromImage(sitk.Resample(to_sitk(case.moving), fixed, transform, sitk.sitkLinear, -1.0))
    as_it_was = sitk.GetArrayFromImage(sitk.Resample(to_sitk(case.moving), fixed, sitk.Transform(), sitk.sitkLinear))
    ours = resample(case.moving, case.fixed.geometry, transform=found.transform, fill=-1.0).voxels
    np.testing.assert_allclose(ours, on_fixed, atol=1e-3)
    seen = on_fixed >= 0
    correlation = np.corrcoef(on_fixed[seen], case.fixed.voxels[seen])[0, 1]
    assert correlation > 0.95 > np.corrcoef(as_it_was[seen], case.fixed.voxels[seen])[0, 1] + 0.2


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_same_seed_gives_the_same_transform(backend):
    need(backend)
    case = problem(0, (24, 24, 12))
    first, second = (register(case.fixed, case.moving, backend=backend, seed=3, device="cpu") for _ in range(2))
    assert first.transform == second.transform


def test_images_far_apart_in_scanner_space_meet_by_their_centres():
    case = problem(0, (40, 40, 20))
    far = AffineTransform.translation((400.0, -300.0, 250.0))
    grid = case.moving.geometry
    moved = Geometry(grid.size, grid.spacing_mm, tuple(far.apply(grid.origin_mm)), grid.direction)
    found = register(case.fixed, Volume(case.moving.voxels, moved), backend="cpu")
    assert case.error_voxels(found.transform.then(far.inverse())) < 0.5


def test_noise_without_anatomy_still_yields_a_believable_transform():
    rng = np.random.default_rng(0)
    fixed, moving = (Volume(rng.random((12, 20, 20)).astype(np.float32), Geometry((20, 20, 12))) for _ in range(2))
    stretch = np.linalg.svd(register(fixed, moving, backend="cpu").transform.array[:3, :3], compute_uv=False)
    assert stretch.min() > 0.4
    assert stretch.max() < 2.5


def test_images_that_cannot_be_registered_are_named():
    good = problem(0, (20, 20, 10)).fixed
    flat = Volume(np.full(good.voxels.shape, 5.0), good.geometry, "t1")
    holed = Volume(np.where(good.voxels > 50, np.nan, good.voxels), good.geometry)
    thin = Volume(good.voxels[:2], good.geometry.crop((0, 0, 0), (20, 20, 2)))
    with pytest.raises(InputError, match="moving image t1 is constant"):
        register(good, flat, backend="cpu")
    with pytest.raises(InputError, match="fixed image has NaN"):
        register(holed, good, backend="cpu")
    with pytest.raises(InputError, match="at least 4 voxels"):
        register(good, thin, backend="cpu")
    with pytest.raises(InputError, match="auto, cpu, gpu"):
        register(good, good, backend="tpu")
    with pytest.raises(InputError, match="mi, ncc"):
        register(good, good, backend="cpu", metric="ssd")


def test_a_cancelled_registration_stops():
    case = problem(0, (40, 40, 20))
    seen = []

    def stop(fraction, message):
        seen.append(fraction)
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        register(case.fixed, case.moving, backend="cpu", progress=stop)
    assert seen == sorted(seen)
    assert seen[-1] < 0.9


RECIPE = Recipe(views=("axial", "sagittal"), resized_shape=(14, 32, 32), roi_fractions=(0.5, 0.5, 0.5))


def moved_case(name: str, seed: int) -> tuple[Case, Problem]:
    """A case whose sagittal view is the synthetic body and whose axial view is the same, moved and recoloured."""
    known = problem(seed)
    return Case(name, {"axial": known.moving, "sagittal": known.fixed}), known


def assert_painting_returns_patches_to_their_anatomy(exam, case):
    """Every painted voxel, carried back by hand, lies in the cell of its patch."""
    values = np.arange(1, exam.patch_count + 1)
    for view in exam.views:
        target = case.views[view].geometry
        painted = paint_patches(values, exam, target, view).voxels
        boxes = patch_boxes(exam)[view]
        count = 0
        for z, y, x in np.argwhere(painted > 0)[::37]:
            point = target.index_to_physical((x, y, z))
            index = exam.roi_grid.physical_to_index(exam.to_view[view].inverse().apply(point))
            i, j, k = np.floor(index + 0.5).astype(int)
            assert exam.patches[k, j, i] == painted[z, y, x]
            assert boxes[int(painted[z, y, x]) - 1].contains(point)
            count += 1
        assert count > 20


def test_registration_to_the_reference_view_finds_the_way_to_each_view():
    case, known = moved_case("c1", 5)
    recipe = Recipe(**{**RECIPE.to_dict(), "registration": "reference"})
    exam = prepare_exam(case, recipe)
    assert exam.to_view["sagittal"].is_identity()
    assert known.error_voxels(exam.to_view["axial"]) < 0.7
    off = prepare_exam(case, RECIPE)
    alike = [np.corrcoef(e.image[0].ravel(), e.image[1].ravel())[0, 1] for e in (off, exam)]
    assert alike[1] > 0.9 > alike[0] + 0.2
    assert_painting_returns_patches_to_their_anatomy(exam, case)


def test_registration_to_a_template_puts_cases_on_one_grid_and_keeps_a_drawn_region_in_its_place():
    pairs = [moved_case(f"c{s}", s) for s in (5, 6)]
    cases = [pair[0] for pair in pairs]
    recipe = Recipe(**{**RECIPE.to_dict(), "registration": "template"})
    templates = build_templates(cases[:1], recipe, iterations=1)
    exams = [prepare_exam(case, recipe, templates=templates) for case in cases]
    assert exams[0].roi_grid == exams[1].roi_grid
    for exam, case in zip(exams, cases, strict=True):
        assert_painting_returns_patches_to_their_anatomy(exam, case)
    # A block drawn on the second case's reference scan comes back around the same anatomy.
    centre = np.array(cases[1].views["sagittal"].geometry.centre_mm)
    box = Box(tuple(centre + np.array([5, -4, 3])), (20.0, 18.0, 22.0))
    exam = prepare_exam(cases[1], recipe, templates=templates, roi=box)
    back = exam.roi_box.transformed(exam.to_view["sagittal"])
    np.testing.assert_allclose(back.centre_mm, box.centre_mm, atol=1e-6)
    assert back.contains(box.corners_mm(), 1e-6).all()
    with pytest.raises(InputError, match=r"c6: .* lies outside the sagittal view"):
        prepare_exam(cases[1], recipe, templates=templates, roi=Box((400, 0, 0), (5, 5, 5)))
