"""The lens bundle: what comes back is what was fitted, and it names no case."""

from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import BundleError

pytest.importorskip("torch")

from deepradiomics.lens.bundle import LensBundle, load_lens
from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.estimator.lens import RadiomicLens
from deepradiomics.networks.bundle import save_bundle

NAMES = [("t2", f"original_glcm_{n}") for n in range(6)]


@pytest.fixture(scope="module")
def lens() -> RadiomicLens:
    rng = np.random.default_rng(0)
    X, R = rng.normal(size=(30, 5)), rng.normal(size=(30, 6))
    R[:, 2] = 4.0  # constant: left out, NaN in every array
    ids = [f"secret-{n}" for n in range(30)]
    made = RadiomicLens(hidden=4, epochs=10, bootstraps=20, permutations=3, device="cpu")
    return made.fit(X, X + 0.1 * rng.normal(size=X.shape), R, ids=ids, feature_names=NAMES)


def test_a_bundle_predicts_and_tells_as_the_lens_did(lens: RadiomicLens, tmp_path: Path) -> None:
    config = LensConfig(hidden=4, modalities=("t2",))
    LensBundle(lens, config, {"task": "a task"}).save(tmp_path / "lens")
    again = load_lens(tmp_path / "lens")
    assert again.config == config
    assert again.about == {"task": "a task"}
    assert len(again.sha256) == 64
    X = np.random.default_rng(1).normal(size=(4, 5))
    for stage in ("pre", "ft"):
        np.testing.assert_array_equal(again.lens.predict(X, stage), lens.predict(X, stage))
        assert np.isnan(again.lens.predict(X, stage)[:, 2]).all()
    for name in ("delta_importance_", "delta_low_", "p_null_", "r2_ft_", "squared_error_pre_"):
        np.testing.assert_array_equal(getattr(again.lens, name), getattr(lens, name))


def test_a_bundle_names_no_case(lens: RadiomicLens, tmp_path: Path) -> None:
    folder = LensBundle(lens, LensConfig(hidden=4), {}).save(tmp_path / "lens")
    assert not any(b"secret" in file.read_bytes() for file in folder.iterdir())


def test_the_bundle_of_a_result_folder_is_found(lens: RadiomicLens, tmp_path: Path) -> None:
    LensBundle(lens, LensConfig(hidden=4), {}).save(tmp_path / "lens")
    assert load_lens(tmp_path).config.hidden == 4


def test_a_bundle_of_another_kind_or_a_damaged_one_is_told(lens: RadiomicLens, tmp_path: Path) -> None:
    save_bundle(tmp_path / "encoder", {"w": np.zeros(2)}, {"kind": "encoder"})
    with pytest.raises(BundleError, match="expected a bundle of kind 'lens', got 'encoder'"):
        load_lens(tmp_path / "encoder")
    save_bundle(tmp_path / "half", {"w": np.zeros(2)}, {"kind": "lens", "config": {}})
    with pytest.raises(BundleError, match="an entry is missing or unusable"):
        load_lens(tmp_path / "half")
