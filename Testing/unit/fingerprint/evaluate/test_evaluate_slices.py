"""Slice networks as baselines: which way slices are cut, how they are moved, how planes are combined."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("sklearn")

from deepradiomics.errors import InputError  # noqa: E402
from deepradiomics.fingerprint.evaluate.slices import (  # noqa: E402
    PlaneNetwork,
    SliceOptions,
    SliceTraining,
    combine,
    moved_slices,
    run_slice_networks,
    slice_axis,
)
from deepradiomics.fingerprint.model.config import FingerprintConfig, ModelConfig, TrainingConfig  # noqa: E402
from deepradiomics.fingerprint.model.tasks import Task  # noqa: E402
from deepradiomics.fingerprint.train.data import TrainingData  # noqa: E402
from deepradiomics.prepare import Recipe  # noqa: E402


@pytest.mark.parametrize(
    ("reference", "axes"),
    # canonical grids, array axes (z, y, x): sagittal (L, I, P), coronal (P, I, L), axial (S, P, L)
    [("sagittal", (1, 2, 0)), ("coronal", (1, 0, 2)), ("axial", (0, 1, 2))],
)
def test_each_view_is_cut_along_its_own_slices(reference: str, axes: tuple[int, int, int]) -> None:
    assert tuple(slice_axis(view, reference) for view in ("axial", "coronal", "sagittal")) == axes


def test_a_view_named_after_no_plane_keeps_the_grids_slices() -> None:
    assert slice_axis("t2", "sagittal") == 0


def test_a_plane_network_sees_its_view_only_slice_by_slice() -> None:
    seen = []

    class Spy(torch.nn.Module):
        def forward(self, stack: torch.Tensor) -> torch.Tensor:
            seen.append(stack)
            return stack.amax(dim=(1, 2, 3))[:, None]

    image = torch.arange(2 * 3 * 4 * 5 * 6, dtype=torch.float32).view(2, 3, 4, 5, 6)
    output = PlaneNetwork(Spy(), view=1, axis=2, augment=True).eval()(image, torch.zeros(2, 0))
    assert torch.equal(seen[0], image[:, 1].permute(0, 3, 1, 2))
    assert output.relevance is None


def test_moving_by_nothing_leaves_a_stack_or_mirrors_it() -> None:
    stack = torch.randn(6, 2, 5, 8, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    moved = moved_slices(stack, degrees=0.0, shift=0.0)
    for before, after in zip(stack, moved, strict=True):
        assert torch.allclose(after, before, atol=1e-5) or torch.allclose(after, before.flip(-1), atol=1e-5)


def test_a_quarter_turn_keeps_shapes_although_pixels_are_not_square_in_the_sampling_grid() -> None:
    stack = torch.zeros(1, 1, 9, 17)
    stack[0, 0, 4, 8 + 3] = 1.0  # 3 pixels right of the middle
    torch.manual_seed(1)
    for _ in range(8):
        moved = moved_slices(stack, degrees=90.0, shift=0.0)[0, 0]
        row, column = divmod(int(moved.argmax()), 17)
        assert np.hypot(row - 4, column - 8) == pytest.approx(3.0, abs=1.0)  # distance from the middle is kept


def test_planes_are_combined_by_what_they_know_about_the_training_cases() -> None:
    rng = np.random.default_rng(0)
    label = np.arange(40) % 2
    logits = np.column_stack([label * 4.0 - 2 + rng.normal(size=40), rng.normal(size=40)])
    chance = combine(logits, label, np.arange(30), seed=0)
    assert chance.shape == (40, 2)
    assert ((chance[30:, 1] > 0.5) == (label[30:] == 1)).mean() >= 0.8


def _data() -> TrainingData:
    rng = np.random.default_rng(0)
    labels = np.stack([np.arange(12) % 2, np.arange(12) % 3], axis=1)
    splits = tuple(["train"] * 6 + ["validation"] * 3 + ["test"] * 3)
    images = rng.standard_normal((12, 1, 4, 8, 8)).astype(np.float32)
    tasks = (Task("acl", (0, 1)), Task("grade", (0, 1, 2)))
    return TrainingData(tuple(f"c{i}" for i in range(12)), images, np.zeros((12, 0), np.float32), labels, splits, tasks)


def _config() -> FingerprintConfig:
    recipe = Recipe(views=("sagittal",), resized_shape=(4, 8, 8), roi_fractions=(1, 1, 1), patch_grid=(1, 1, 1))
    training = TrainingConfig(epochs=1, batch_size=4, shift_voxels=(0, 0, 0))
    return FingerprintConfig("tiny", recipe, ModelConfig(network="tiny", pairwise="none"), training)


@pytest.mark.parametrize("per_task", [False, True])
def test_every_task_gets_probabilities_for_every_case(tmp_path: Path, per_task: bool) -> None:
    options = SliceOptions(per_task=per_task)
    acl, grade = run_slice_networks(
        SliceTraining("elnet", _data(), _config(), options=options, device="cpu"), tmp_path, seed=0
    )
    assert acl.shape == (12, 1)
    assert grade.shape == (12, 3)
    assert grade.sum(axis=1) == pytest.approx(np.ones(12))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == ({"sagittal-acl", "sagittal-grade"} if per_task else {"sagittal"})


def test_absent_imagenet_weights_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        SliceOptions(imagenet_weights=tmp_path / "alexnet.safetensors").identity()
