"""Localisation: ranks of planted patches worked by hand, and chance for whom says nothing about patches."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.evaluate.localise import rank_of, share_behind
from deepradiomics.fingerprint.evaluate.ranks import Localisation, RankRow


def test_the_highest_patch_has_rank_one() -> None:
    assert rank_of([0.2, 0.9, 0.5, 0.4], 2) == (1.0, 1)
    assert rank_of([0.2, 0.9, 0.5, 0.4], 1) == (4.0, 1)


def test_equal_patches_share_their_rank() -> None:
    assert rank_of([0.2, 0.9, 0.5, 0.5], 3) == (2.5, 2)
    assert rank_of([1.0] * 8, 5) == (4.5, 8)


def test_a_patch_outside_the_grid_is_refused() -> None:
    with pytest.raises(InputError, match="from 1 to 4, got 5"):
        rank_of([1, 2, 3, 4], 5)


def _row(method: str, case: str, rank: float, ties: int = 1, seed: int = 0) -> RankRow:
    return RankRow(method, "relevance", seed, 0, "acl", case, 1, 4, rank, ties)


def test_a_method_that_says_nothing_lands_on_chance() -> None:
    summary = Localisation((_row("nofs", "a", 2.5, 4), _row("nofs", "b", 2.5, 4))).summary("acl", "nofs", "relevance")
    assert summary is not None
    assert summary.mean_rank == summary.chance_rank == 2.5
    assert summary.top1 == summary.chance_top1 == 0.25
    assert summary.share_at_rank == (0.25, 0.25, 0.25, 0.25)


def test_a_case_ranked_by_two_seeds_counts_once() -> None:
    rows = (_row("f", "a", 1), _row("f", "a", 3, seed=1), _row("f", "b", 4))
    summary = Localisation(rows).summary("acl", "f", "relevance")
    assert summary is not None
    assert (summary.cases, summary.mean_rank, summary.top1) == (2, 3.0, 0.25)
    assert summary.mean_rank_low <= 3.0 <= summary.mean_rank_high
    assert summary.share_at_rank == (0.25, 0, 0.25, 0.5)


def test_a_tie_for_the_first_place_is_half_a_first_place() -> None:
    assert _row("f", "a", 1.5, 2).top1 == 0.5
    assert _row("f", "a", 2.5, 2).top1 == 0.0


def test_ranks_come_back_from_their_folder(tmp_path: Path) -> None:
    localisation = Localisation((replace(_row("f", "a", 2.5, 2), ahead=0.5),), {"command": "x"})
    localisation.save(tmp_path)
    assert Localisation.load(tmp_path) == localisation


def test_ahead_compares_with_the_tasks_other_lesion_patches_and_is_one_half_for_ties() -> None:
    values = np.array([0.1, 0.5, 0.9, 0.5])
    assert share_behind(values, 2, [1, 3]) == 0.5
    assert share_behind(values, 2, [4]) == 0.5
    assert share_behind(values, 3, [1, 2, 4]) == 1.0
    assert math.isnan(share_behind(values, 3, []))


def test_a_model_that_ranks_all_patients_alike_is_ahead_in_half_of_them() -> None:
    # Group A's lesion lies in patch 1, group B's in patch 2; the model always puts patch 1 first.
    values = np.array([0.9, 0.8, 0.1, 0.2])
    ranks = [rank_of(values, patch)[0] for patch in (1, 2)]
    assert np.mean(ranks) == 1.5  # far better than chance, 2.5 …
    assert np.mean([share_behind(values, 1, [2]), share_behind(values, 2, [1])]) == 0.5  # … yet blind to the patient
