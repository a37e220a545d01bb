"""A registration that failed says so; one that found its way says nothing."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from typer.testing import CliRunner

from deepradiomics.cli.main import app
from deepradiomics.files.atomic import read_json
from deepradiomics.images import Geometry, Volume, write_volume
from deepradiomics.phantoms import ich_exam
from deepradiomics.prepare import AffineTransform, register, resample
from deepradiomics.prepare.registration.pyramid import build_pyramid
from deepradiomics.prepare.registration.quality import local_residual
from Testing.benchmarks.known_affines import synthetic_anatomy
from Testing.reference.registration_quality_table import clipped, mirrored, turned


def head(exam, later=False):
    return clipped(exam.followup if later else exam.baseline)


@pytest.fixture(scope="module")
def patients():
    return [ich_exam(seed) for seed in (1, 2)]


@pytest.mark.parametrize("patient", [0, 1])
def test_two_scans_of_one_patient_register_without_a_warning(patients, patient):
    quality = register(
        head(patients[patient]), head(patients[patient], later=True), transform="rigid", backend="cpu"
    ).quality
    assert quality.warnings == ()
    assert quality.residual_voxels < 0.2
    assert quality.blocks_alike == quality.blocks


@pytest.mark.parametrize("degrees", [90, 180])
def test_a_head_that_lies_turned_beyond_reach_is_told(patients, degrees):
    moving = turned(head(patients[0], later=True), degrees)
    quality = register(head(patients[0]), moving, transform="rigid", backend="cpu").quality
    assert any("may have failed" in text for text in quality.warnings)
    assert quality.residual_voxels > 1


@pytest.mark.parametrize("patient", [0, 1])
def test_a_mirrored_head_is_told_although_heads_are_nearly_symmetric(patients, patient):
    moving = mirrored(head(patients[patient], later=True))
    quality = register(head(patients[patient]), moving, transform="rigid", backend="cpu").quality
    assert quality.otherwise == "mirrored"
    assert "left and right exchanged" in quality.warnings[0]


def test_another_patient_is_told_where_the_motion_must_be_rigid(patients):
    quality = register(head(patients[0]), head(patients[1]), transform="rigid", backend="cpu").quality
    assert "of one patient?" in quality.warnings[0]
    assert quality.residual_mm > 3


@pytest.mark.parametrize("transform", ["rigid", "affine"])
def test_noise_agrees_no_more_than_by_chance_and_is_told(transform):
    rng = np.random.default_rng(0)
    grid = Geometry((40, 40, 30), (2, 2, 2))
    smooth = Volume(gaussian_filter(rng.normal(size=grid.shape), 1.5).astype(np.float32), grid)
    quality = register(
        smooth, Volume(rng.normal(size=grid.shape).astype(np.float32), grid), transform=transform, backend="cpu"
    ).quality
    assert "no more than by chance" in quality.warnings[0]


def test_the_residual_is_the_displacement_that_was_left():
    fixed, _ = synthetic_anatomy((64, 60, 48))
    levels = build_pyramid(fixed, resample(fixed, fixed.geometry, fill=float(fixed.voxels.min())))
    spacing = np.array(levels[-1].fixed.geometry.spacing_mm)
    for shift in ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 0.5)):
        voxels, millimetres, _, _ = local_residual(levels[-1], AffineTransform.translation(shift * spacing))
        assert voxels == pytest.approx(np.abs(shift).sum(), abs=0.3)
        assert millimetres == pytest.approx(np.linalg.norm(shift * spacing), abs=0.3 * spacing.max())


def test_images_that_lie_on_each_other_already_are_no_failure():
    fixed, _ = synthetic_anatomy((48, 44, 24))
    quality = register(fixed, fixed, backend="cpu").quality
    assert quality.warnings == ()
    assert quality.residual_voxels < 0.1


def test_the_command_writes_the_quality_and_warns(tmp_path, patients):
    write_volume(head(patients[0]), tmp_path / "fixed.nrrd")
    write_volume(turned(head(patients[0], later=True), 180), tmp_path / "moving.nrrd")
    words = ["register", "fixed.nrrd", "moving.nrrd", "-o", "out", "--transform", "rigid", "--backend", "cpu"]
    words[1:3] = [str(tmp_path / name) for name in words[1:3]]
    words[4] = str(tmp_path / "out")
    outcome = CliRunner().invoke(app, words)
    quality = read_json(tmp_path / "out" / "registration.json")["quality"]
    assert outcome.exit_code == 0
    assert "Warning: The registration may have failed" in outcome.output
    assert quality["residual_mm"] > 1
    assert quality["warnings"]
