"""Batches and rates of a training run: by seed and epoch alone, and the same for any number of processes."""

import numpy as np
import pytest

from deepradiomics.training.batches import SeededBatches
from deepradiomics.training.schedule import cosine
from deepradiomics.training.seeds import seed_of


def test_a_single_case_left_over_joins_the_batch_before_it() -> None:
    batches = SeededBatches(17, 8, seed=0)
    assert [len(batch) for batch in batches] == [8, 9]
    assert len(batches) == 2
    assert sorted(case for batch in batches for case in batch) == list(range(17))


def test_the_order_of_cases_depends_on_seed_and_epoch_alone() -> None:
    def order(seed: int, epoch: int) -> list[list[int]]:
        batches = SeededBatches(20, 8, seed)
        batches.set_epoch(epoch)
        return list(batches)

    assert order(1, 4) == order(1, 4) != order(1, 5) != order(2, 5)


@pytest.mark.parametrize("world", [2, 3])
def test_processes_divide_each_batch_equally(world: int) -> None:
    whole = list(SeededBatches(17, 8, seed=3))
    parts = [list(SeededBatches(17, 8, seed=3, rank=rank, world=world)) for rank in range(world)]
    for number, batch in enumerate(whole):
        shares = [part[number] for part in parts]
        assert len({len(share) for share in shares}) == 1
        assert len(shares[0]) == -(-len(batch) // world)
        assert set(np.concatenate(shares)) == set(batch)


def test_the_learning_rate_falls_along_a_half_cosine() -> None:
    assert cosine(0, 10) == 1.0
    assert cosine(5, 10) == pytest.approx(0.5)
    assert 0 < cosine(9, 10) < 0.03


def test_seeds_differ_with_each_number_and_its_place() -> None:
    assert len({seed_of(1, 2), seed_of(2, 1), seed_of(1, 2, 1), seed_of(1, 3)}) == 4
    assert seed_of(1, 2) == seed_of(1, 2)
