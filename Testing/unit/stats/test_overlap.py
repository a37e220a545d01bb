"""Dice overlap by hand, by its relation to Jaccard, and its errors."""

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.stats import dice, jaccard


def test_dice_by_hand() -> None:
    a = np.zeros((2, 2, 2), dtype=bool)
    b = a.copy()
    a[0], b[0, 0], b[1, 0] = True, True, True  # 4 voxels, 4 voxels, 2 shared
    assert dice(a, b) == 0.5
    assert dice(a, a) == 1.0
    assert dice(a, ~a) == 0.0


def test_two_empty_masks_agree_and_one_empty_mask_does_not() -> None:
    assert dice([0, 0], [0, 0]) == 1.0
    assert dice([0, 0], [0, 1]) == 0.0


def test_dice_follows_from_jaccard() -> None:
    a, b = np.random.default_rng(0).random((2, 500)) < 0.3
    assert dice(a, b) == pytest.approx(2 * jaccard(a, b) / (1 + jaccard(a, b)), abs=1e-12)


def test_masks_of_other_shapes_or_values_are_refused() -> None:
    with pytest.raises(InputError, match="one shape"):
        dice([1, 0], [1, 0, 0])
    with pytest.raises(InputError, match="True and False"):
        dice([2, 0], [1, 0])
