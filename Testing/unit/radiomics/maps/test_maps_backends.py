"""The compiled kernels, the arrays of numpy and the arrays of torch give the same maps; memory that is spent is met."""

import importlib.util
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics import kernels as compiled
from deepradiomics.errors import InputError
from deepradiomics.radiomics.catalogue.pyradiomics import entries
from deepradiomics.radiomics.maps import backends, feature_maps
from deepradiomics.radiomics.maps.field import Field, make_field
from deepradiomics.radiomics.maps.request import MAP_FAMILIES
from deepradiomics.radiomics.maps.result import WindowFeatures
from deepradiomics.radiomics.maps.window import window
from deepradiomics.radiomics.settings.settings import Settings

SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"distances": [1, 2], "gldm_a": 1},
    {"weightingNorm": "euclidean", "binCount": 6},
    {"symmetricalGLCM": False, "binWidth": 7.3},
    {"weightingNorm": "infinity", "symmetricalGLCM": False},
    {"force2D": True, "force2Ddimension": 2, "voxelArrayShift": 300},
    {"binWidth": 5000},
)


def _field(setting: dict[str, Any], radius: int = 1, masked: bool = True, seed: int = 0) -> Field:
    rng = np.random.default_rng(seed)
    voxels, labels = rng.normal(100, 60, (4, 5, 5)), rng.random((4, 5, 5)) < 0.6
    settings = Settings.from_params({"setting": setting, "voxelSetting": {"maskedKernel": masked}})
    return make_field(voxels, labels, (2.0, 1.0, 0.8), radius, settings)


def _all_names(family: str) -> tuple[str, ...]:
    return tuple(name for name, entry in entries()[family].items() if entry.state != "removed")


def _compare(field: Field, one: backends.ChosenBackend, other: backends.ChosenBackend) -> None:
    for family in MAP_FAMILIES:
        names = tuple(
            n for n in _all_names(family) if n in one(field, family, _all_names(family), field.centres).values
        )
        a, b = (backend(field, family, names, field.centres) for backend in (one, other))
        assert set(a.values) == set(b.values) == set(names)
        for name in names:
            np.testing.assert_allclose(a.values[name], b.values[name], rtol=1e-9, atol=1e-9, err_msg=f"{family} {name}")
        if a.present is not None:
            np.testing.assert_array_equal(a.present, b.present)


@pytest.mark.skipif(not compiled.available(), reason="numba is not installed")
@pytest.mark.parametrize("setting", SETTINGS)
def test_numpy_and_the_compiled_kernels_agree(setting: dict[str, Any]) -> None:
    for radius, masked in ((1, True), (1, False), (2, True)) if setting in SETTINGS[:2] else ((1, True),):
        _compare(_field(setting, radius, masked), backends.on_cpu(), backends.with_numpy())


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.parametrize("setting", SETTINGS)
def test_torch_and_numpy_agree(setting: dict[str, Any]) -> None:
    _compare(_field(setting), backends.with_numpy(), backends.with_torch("cpu"))


def test_torch_on_a_gpu_agrees_with_numpy() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA GPU here")
    for setting in SETTINGS:
        _compare(_field(setting), backends.with_numpy(), backends.with_torch("cuda"))


def test_without_numba_the_maps_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    image = sitk.GetImageFromArray(rng.normal(100, 60, (4, 5, 6)))
    mask = sitk.GetImageFromArray((rng.random((4, 5, 6)) < 0.8).astype(np.uint8))
    params = {"featureClass": {family: [] for family in MAP_FAMILIES}}
    expected = feature_maps(image, mask, params=params)
    monkeypatch.setattr(compiled, "available", lambda: False)
    assert backends.on_cpu().name == "numpy"
    found = feature_maps(image, mask, params=params, max_memory_gb=0.05, threads=1)
    for key, one in found.items():
        np.testing.assert_allclose(
            sitk.GetArrayViewFromImage(one),
            sitk.GetArrayViewFromImage(expected[key]),
            rtol=1e-9,
            atol=1e-9,
            err_msg=key,
        )


def test_a_device_whose_memory_is_spent_goes_on_in_smaller_parts_and_then_on_the_cpu() -> None:
    field, sizes = _field({}), []

    def small(limit: int) -> backends.Backend:
        def function(field: Field, family: str, wanted: Any, centres: np.ndarray) -> WindowFeatures:
            sizes.append(len(centres))
            if len(centres) > limit:
                raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
            return backends.with_numpy()(field, family, wanted, centres)

        return function

    expected = backends.with_numpy()(field, "glcm", ("Idm", "MCC"), field.centres)
    for limit, message in ((40, "fewer at a time"), (0, "the rest runs on the CPU")):
        with pytest.warns(UserWarning) as told:
            found = backends.SmallerParts(small(limit), "cuda:0", backends.with_numpy)(
                field, "glcm", ("Idm", "MCC"), field.centres
            )
        assert message in str(told[-1].message)
        assert len(told) == (1 if limit else 2)
        assert max(sizes[-2:]) <= 40
        np.testing.assert_array_equal(found.present, expected.present)
        for name in ("Idm", "MCC"):
            np.testing.assert_allclose(found.values[name], expected.values[name], rtol=1e-12)


def test_another_error_of_the_device_is_not_hidden() -> None:
    def broken(*_: Any) -> WindowFeatures:
        raise RuntimeError("device-side assert")

    field = _field({})
    with pytest.raises(RuntimeError, match="assert"):
        backends.SmallerParts(broken, "cuda")(field, "glcm", ("Idm",), field.centres)


def test_a_budget_that_holds_not_one_window_is_refused() -> None:
    budget = backends.Budget(1e-5)
    with pytest.raises(InputError, match="smaller kernel_radius"):
        backends.windows_at_a_time(_field({}), backends.with_numpy(), budget, 1)
    assert 1 <= backends.windows_at_a_time(_field({}), backends.with_numpy(), backends.Budget(0.01), 1) < 200


def test_mps_takes_the_cpu_because_it_has_no_double_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert backends.chosen_backend("mps").name == backends.chosen_backend("cpu").name
    with pytest.raises(InputError, match="device"):
        backends.chosen_backend("gpu")


def test_the_tables_of_a_window_by_counting() -> None:
    cube = window(1)
    assert cube.size == 27
    assert len(cube.offsets) == 13
    # 3 directions along an axis with 18 pairs, 6 in a plane with 12, 4 in space with 8
    assert sorted(np.diff(cube.pairs.start)) == [8] * 4 + [12] * 6 + [18] * 3
    assert np.diff(cube.touching.start).tolist()[13] == 26
    assert np.diff(cube.touching.start)[0] == 7
    for d in range(13):
        lines = range(cube.lines_of[d], cube.lines_of[d + 1])
        at = [cube.lines.items[cube.lines.start[k] : cube.lines.start[k + 1]] for k in lines]
        assert sorted(np.concatenate(at)) == list(range(27)), "each voxel lies on one line of a direction"
        for line in at:
            assert (np.diff(cube.positions[line], axis=0) == cube.run_offsets[d]).all()
    flat = window(2, (1, 2), 1)
    assert flat.size == 25
    assert (flat.positions[:, 1] == 0).all()
    assert (flat.offsets[:, 1] == 0).all()


@pytest.mark.skipif(not compiled.available(), reason="numba is not installed")
def test_the_second_singular_value_is_numpys() -> None:
    from deepradiomics.radiomics.maps.compiled.second_singular import second_singular

    rng = np.random.default_rng(0)
    for trial in range(400):
        n, symmetrical = int(rng.integers(1, 14)), trial % 2 == 0
        P = rng.integers(0, 3, (n, n)) * (rng.random((n, n)) < rng.uniform(0.1, 1))
        P = P + P.T if symmetrical else P
        if P.sum() == 0:
            continue
        P = P / P.sum()
        px, py = P.sum(axis=1), P.sum(axis=0)
        scale = np.sqrt(np.outer(np.where(px > 0, px, 1), np.where(py > 0, py, 1)))
        expected = np.append(np.linalg.svd(P / scale)[1], 0)[1]
        row, column = np.nonzero(P)
        found = second_singular(
            row, column, P[row, column], len(row), px, py, n, symmetrical,
            np.empty(2 * n, np.int64), np.empty(2 * n, np.int64), np.empty((n, n)), np.empty((2, n)),
        )  # fmt: skip
        assert found == pytest.approx(expected, abs=3e-8), (n, symmetrical)
