"""Loss and augmentation of a segmenter: worked by hand, and what they depend on."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from deepradiomics.ich.segmenter.config import SegmenterTraining
from deepradiomics.ich.segmenter.module import deep_loss, segmentation_loss, varied

STILL = SegmenterTraining(
    flip=False, rotate_degrees=0, zoom=0, shift_mm=0, grey_shift=0, grey_scale=0, noise_sd=0
)  # fmt: skip


def test_the_loss_is_dice_and_cross_entropy_worked_by_hand() -> None:
    target = torch.zeros(1, 1, 2, 2, 2)
    target[..., 0, 0] = 1.0  # 2 of 8 voxels
    logits = torch.zeros(1, 1, 2, 2, 2)  # every chance is a half
    dice = (2 * 2 * 0.5 + 1) / (8 * 0.5 + 2 + 1)
    assert float(segmentation_loss(logits, target)) == pytest.approx(1 - dice + math.log(2))


def test_a_right_answer_costs_nothing_and_a_wrong_one_much() -> None:
    target = (torch.rand(2, 1, 8, 8, 8) > 0.8).float()
    right = segmentation_loss(40 * (2 * target - 1), target)
    wrong = segmentation_loss(-40 * (2 * target - 1), target)
    assert float(right) < 1e-3
    assert float(wrong) > 30
    empty = torch.zeros(1, 1, 4, 4, 4)
    assert float(segmentation_loss(empty - 40, empty)) < 1e-6  # nothing there and nothing found


def test_smaller_sizes_count_half_as_much_each_and_see_shares() -> None:
    mask = torch.zeros(1, 1, 4, 4, 4)
    mask[..., :3, :3, :3] = 1
    logits = [torch.randn(1, 1, n, n, n) for n in (4, 2)]
    share = torch.nn.functional.avg_pool3d(mask, 2)
    expected = (segmentation_loss(logits[0], mask) + 0.5 * segmentation_loss(logits[1], share)) / 1.5
    assert float(deep_loss(logits, mask)) == pytest.approx(float(expected))


def test_without_augmentation_heads_stay_as_they_are() -> None:
    images, masks = torch.rand(2, 1, 8, 8, 8), torch.ones(2, 1, 8, 8, 8)
    found = varied(images, masks, STILL, [(0, 1, 2), (0, 1, 3)], 4.0)
    assert torch.equal(found[0], images)
    assert torch.equal(found[1], masks)


def test_what_is_drawn_depends_on_seed_epoch_and_case_alone() -> None:
    images, masks = torch.rand(2, 1, 16, 16, 16), (torch.rand(2, 1, 16, 16, 16) > 0.5).float()
    numbers = [(0, 1, 7), (0, 1, 8)]
    both = varied(images, masks, SegmenterTraining(), numbers, 4.0)
    alone = varied(images[1:], masks[1:], SegmenterTraining(), numbers[1:], 4.0)
    assert torch.equal(both[0][1:], alone[0])
    assert torch.equal(both[1][1:], alone[1])
    again = varied(images[1:], masks[1:], SegmenterTraining(), [(0, 2, 8)], 4.0)
    assert not torch.equal(again[0], alone[0])


def test_image_and_mask_move_together_and_keep_their_size_within_the_zoom() -> None:
    at = torch.stack(torch.meshgrid(*[torch.arange(24.0)] * 3, indexing="ij"), -1) - torch.tensor([12.0, 9.0, 14.0])
    blob = (at.square().sum(-1) < 25).float()[None, None]
    moves = SegmenterTraining(grey_shift=0, grey_scale=0, noise_sd=0, shift_mm=8, zoom=0.1)
    seen = []
    for case in range(12):
        image, mask = varied(blob, blob, moves, [(3, 1, case)], 4.0)
        assert set(mask.unique().tolist()) <= {0.0, 1.0}
        overlap = 2 * (mask * (image > 0.5)).sum() / (mask.sum() + (image > 0.5).sum())
        assert overlap > 0.93
        assert 0.9**3 * 0.9 < float(mask.sum() / blob.sum()) < 1.12**3 * 1.1
        seen.append(ndimage.center_of_mass(mask[0, 0].numpy()))
    assert np.ptp(np.array(seen), axis=0).min() > 2  # voxels: they do move


def test_half_of_the_heads_are_mirrored_left_and_right() -> None:
    only = SegmenterTraining(rotate_degrees=0, zoom=0, shift_mm=0, grey_shift=0, grey_scale=0, noise_sd=0)
    image = torch.rand(1, 1, 8, 8, 8)
    kinds = []
    for case in range(40):
        found = varied(image, image, only, [(0, 1, case)], 4.0)[0]
        mirrored = torch.allclose(found, image.flip(-1), atol=1e-5)
        assert mirrored or torch.allclose(found, image, atol=1e-5)
        kinds.append(mirrored)
    assert 10 < sum(kinds) < 30


def test_grey_levels_change_within_their_limits_and_stay_between_0_and_1() -> None:
    greys = SegmenterTraining(flip=False, rotate_degrees=0, zoom=0, shift_mm=0, noise_sd=0)
    image, mask = torch.full((1, 1, 8, 8, 8), 0.5), torch.zeros(1, 1, 8, 8, 8)
    levels = [float(varied(image, mask, greys, [(0, 1, case)], 4.0)[0].mean()) for case in range(30)]
    assert 0.5 * 0.9 - 0.03 <= min(levels) < 0.48
    assert 0.52 < max(levels) <= 0.5 * 1.1 + 0.03
    bright = varied(torch.ones_like(image), mask, SegmenterTraining(noise_sd=0.5), [(0, 1, 0)], 4.0)[0]
    assert 0 <= float(bright.min()) <= float(bright.max()) <= 1
