"""Rigid registration recovers known motions with both backends and never changes a volume."""

import numpy as np
import pytest
from typer.testing import CliRunner

from deepradiomics.cli.main import app
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json
from deepradiomics.images import Volume, write_volume
from deepradiomics.phantoms import ich_exam
from deepradiomics.prepare import AffineTransform, register, resample
from Testing.benchmarks.known_affines import Problem, synthetic_anatomy

BACKENDS = ["cpu", pytest.param("gpu", marks=pytest.mark.slow)]


def need(backend):
    if backend == "gpu":
        pytest.importorskip("torch").set_num_threads(1)


def turned(rng, spread_deg=8.0):
    """A rotation by up to so many degrees about a drawn axis."""
    axis = rng.standard_normal(3)
    axis /= np.linalg.norm(axis)
    angle = np.deg2rad(rng.uniform(-spread_deg, spread_deg))
    cross = np.cross(np.eye(3), axis)
    return np.eye(3) - np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def moved_body(seed, scale=1.0):
    rng = np.random.default_rng(seed)
    fixed, landmarks = synthetic_anatomy((48, 44, 24))
    truth = AffineTransform.about(scale * turned(rng), fixed.geometry.centre_mm, rng.uniform(-8, 8, 3))
    warped = resample(fixed, fixed.geometry, transform=truth.inverse(), interpolation="bspline").voxels
    noisy = warped + rng.normal(0, 3, warped.shape)
    return Problem(fixed, Volume(noisy.astype(np.float32), fixed.geometry), landmarks, truth)


@pytest.mark.parametrize(
    ("backend", "seed"), [("cpu", 0), ("cpu", 1), ("gpu", 1), pytest.param("gpu", 0, marks=pytest.mark.slow)]
)
def test_a_known_motion_of_a_body_is_recovered_within_a_fifth_of_a_voxel(backend, seed):
    need(backend)
    case = moved_body(seed)
    found = register(case.fixed, case.moving, transform="rigid", backend=backend, device="cpu").transform
    assert case.error_voxels(AffineTransform.identity()) > 1
    assert case.error_voxels(found) < 0.2
    np.testing.assert_allclose(found.array[:3, :3] @ found.array[:3, :3].T, np.eye(3), atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_rigid_transform_keeps_volumes_where_an_affine_follows_a_change_of_size(backend):
    need(backend)
    case = moved_body(3, scale=1.06)
    volume = {
        kind: np.linalg.det(
            register(case.fixed, case.moving, transform=kind, backend=backend, device="cpu").transform.array[:3, :3]
        )
        for kind in ("rigid", "affine")
    }
    assert volume["rigid"] == pytest.approx(1, abs=1e-5)
    assert volume["affine"] == pytest.approx(1.06**3, abs=0.02)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_head_that_lies_otherwise_at_follow_up_is_laid_back_within_half_a_voxel(backend):
    need(backend)
    exam = ich_exam((5, 8))
    points = exam.baseline.geometry.index_to_physical(np.argwhere(exam.baseline.voxels > 300)[::50, ::-1])
    found = register(exam.baseline, exam.followup, transform="rigid", backend=backend, device="cpu").transform
    truth = points @ exam.motion[:3, :3].T + exam.motion[:3, 3]
    assert np.linalg.norm(points - truth, axis=1).mean() > 4
    assert np.linalg.norm(found.apply(points) - truth, axis=1).mean() < 1.0  # 2 × 2 × 3 mm


def test_the_default_is_affine():
    case = moved_body(0)
    one, other = (register(case.fixed, case.moving, backend="cpu", **kind) for kind in ({}, {"transform": "affine"}))
    assert one.transform == other.transform


def test_another_kind_of_transform_is_refused():
    case = moved_body(0)
    with pytest.raises(InputError, match="transform: expected one of affine, rigid, got 'similarity'"):
        register(case.fixed, case.moving, transform="similarity")


def test_the_command_takes_rigid_and_records_it(tmp_path):
    case = moved_body(1)
    write_volume(case.fixed, tmp_path / "a.nii.gz")
    write_volume(case.moving, tmp_path / "b.nii.gz")
    files = ["register", str(tmp_path / "a.nii.gz"), str(tmp_path / "b.nii.gz"), "-o", str(tmp_path / "out")]
    ran = CliRunner().invoke(app, [*files, "--backend", "cpu", "--transform", "rigid"])
    assert ran.exit_code == 0, ran.output
    found = AffineTransform.read(tmp_path / "out" / "transform.tfm")
    assert case.error_voxels(found) < 0.2
    assert read_json(tmp_path / "out" / "registration.json")["transform_kind"] == "rigid"
    refused = CliRunner().invoke(app, [*files, "--transform", "bent"])
    assert refused.exit_code == 2
