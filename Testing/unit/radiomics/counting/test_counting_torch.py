"""Counting in torch stays within its budget, and survives a device that runs out of memory."""

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.radiomics.counting import reference as counting_reference
from deepradiomics.radiomics.counting.plan import CountingPlan, RegionCounts
from deepradiomics.radiomics.region.region import LevelRegion

torch = pytest.importorskip("torch")

from deepradiomics.radiomics.counting import on_torch as counting_torch  # noqa: E402 - needs torch

MATRICES = ("glcm", "glrlm", "zones", "gldm", "ngtdm", "voxels")
PLAN = CountingPlan(distances=(1, 2), alpha=1)


def _regions(count: int, size: int = 9, seed: int = 0) -> list[LevelRegion]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        levels = rng.integers(1, rng.choice([3, 12]), rng.integers(1, size + 1, 3)) * 2
        levels = levels * (rng.random(levels.shape) < rng.choice([0.5, 1.0]))
        levels.flat[0] = 2
        grey = np.unique(levels[levels > 0])
        codes = np.where(levels > 0, np.searchsorted(grey, levels) + 1, 0)
        found.append(LevelRegion(codes.astype(np.int32), grey))
    return found


def _assert_same(found: list[RegionCounts], expected: list[RegionCounts]) -> None:
    for a, b in zip(expected, found, strict=True):
        for matrix in MATRICES:
            np.testing.assert_array_equal(getattr(a, matrix), getattr(b, matrix), err_msg=matrix)


@pytest.mark.parametrize("block", [5, 64, 100_000])
def test_blocks_of_any_size_count_the_same(block: int) -> None:
    regions = _regions(4, 6)
    found = counting_torch._count_batch(regions, PLAN, torch.device("cpu"), block)
    _assert_same(found, counting_reference.count(regions, PLAN))


@pytest.mark.parametrize("max_memory_gb", [1e-6, 1e-4, None])
def test_the_budget_changes_nothing_but_the_chunks(max_memory_gb: float | None) -> None:
    regions = _regions(30)
    found = counting_torch.on_device("cpu", max_memory_gb=max_memory_gb)(regions, PLAN)
    _assert_same(found, counting_reference.count(regions, PLAN))


def test_every_region_is_in_one_batch_and_batches_keep_to_the_budget() -> None:
    regions = _regions(200)
    for allowed in (10_000, 100_000, 10_000_000):
        batches = counting_torch._batches(range(200), regions, PLAN, allowed)
        assert sorted(k for batch in batches for k in batch) == list(range(200))
        for batch in batches:
            members = [regions[k] for k in batch]
            box = int(counting_torch._padded_box(members, PLAN).prod())
            levels = max(len(r.grey_levels) for r in members)
            assert len(batch) == 1 or counting_torch._cost(len(batch), box, levels, PLAN) <= allowed * 2 / 3
    assert len(counting_torch._batches(range(200), regions, PLAN, 10_000_000)) < 20


def test_regions_come_back_in_their_order_whatever_their_size() -> None:
    regions = _regions(3, 9) + _regions(3, 2, seed=1) + _regions(3, 12, seed=2)
    found = counting_torch.on_device("cpu")(regions, CountingPlan(("gldm",)))
    assert [len(c.voxels) for c in found] == [len(r.grey_levels) for r in regions]


class _SmallDevice:
    """Stands in for the counting of a batch on a device with little memory."""

    def __init__(self, capacity_bytes: int) -> None:
        self.capacity_bytes, self.real, self.batch_sizes = capacity_bytes, counting_torch._count_batch, []

    def __call__(
        self, regions: list[LevelRegion], plan: CountingPlan, device: object, block: int
    ) -> list[RegionCounts]:
        self.batch_sizes.append(len(regions))
        box = int(counting_torch._padded_box(regions, plan).prod())
        levels = max(len(r.grey_levels) for r in regions)
        if counting_torch._cost(len(regions), box, levels, plan) > self.capacity_bytes:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return self.real(regions, plan, device, block)


def test_a_device_that_runs_out_gets_smaller_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    regions = _regions(40)
    device = _SmallDevice(400_000)
    monkeypatch.setattr(counting_torch, "_count_batch", device)
    monkeypatch.setattr(counting_torch, "SMALLEST_BYTES", 1)
    said: list[str] = []
    found = counting_torch.on_device("cpu", remark=said.append)(regions, PLAN)
    _assert_same(found, counting_reference.count(regions, PLAN))
    assert max(device.batch_sizes) > 1
    assert len(said) >= 1
    assert all("ran out of memory; going on with chunks of" in sentence for sentence in said)


def test_what_fits_nowhere_is_counted_on_the_cpu_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    regions = _regions(10)
    monkeypatch.setattr(counting_torch, "_count_batch", _SmallDevice(0))
    said: list[str] = []
    found = counting_torch.on_device("cpu", remark=said.append)(regions, PLAN)
    _assert_same(found, counting_reference.count(regions, PLAN))
    assert all("counted on the CPU" in sentence for sentence in said)
    with pytest.warns(RuntimeWarning, match="ran out of memory even for small chunks; .*counted on the CPU"):
        counting_torch.on_device("cpu")(regions, PLAN)


def test_other_errors_are_not_taken_for_a_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(counting_torch, "_count_batch", broken)
    with pytest.raises(RuntimeError, match="device-side assert"):
        counting_torch.on_device("cpu")(_regions(1), PLAN)


@pytest.mark.parametrize("gigabytes", [0, -1, float("nan")])
def test_a_budget_must_be_positive(gigabytes: float) -> None:
    with pytest.raises(InputError, match="max_memory_gb: expected a positive number"):
        counting_torch.on_device("cpu", max_memory_gb=gigabytes)


def test_torch_counts_on_a_gpu_exactly_what_the_reference_counts() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA GPU")
    regions = _regions(60)
    for budget in (None, 1e-4):
        found = counting_torch.on_device("cuda", max_memory_gb=budget)(regions, PLAN)
        _assert_same(found, counting_reference.count(regions, PLAN))
