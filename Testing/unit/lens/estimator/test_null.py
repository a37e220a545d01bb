"""The permutation null: exact p-values, calibrated under exchangeable stages, alert to a planted change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import Cancelled
from deepradiomics.lens.estimator.lens import RadiomicLens
from deepradiomics.lens.estimator.null import null_test
from deepradiomics.lens.estimator.projection_settings import ProjectionSettings
from Testing.unit.lens.planted import planted

SMALL = {"hidden": 6, "epochs": 15, "learning_rate": 1e-2, "bootstraps": 0, "variants": False, "device": "cpu"}


def test_p_values_worked_by_hand():
    # one feature, observed 5, permuted 1, 0, 0, -1: mean 1; distances 4, 0, 1, 1, 2; only the observed is as far
    found = null_test(np.array([5.0]), np.array([[1.0], [0.0], [0.0], [-1.0]]))
    assert found.p.tolist() == [0.2]
    assert found.p_family.tolist() == [0.2]
    # observed 0, permuted 2, -2, 4, -4: mean 0, and the observed lies nearest to it
    assert null_test(np.array([0.0]), np.array([[2.0], [-2.0], [4.0], [-4.0]])).p.tolist() == [1.0]


def test_the_family_wise_p_is_never_below_the_single_one():
    generator = np.random.default_rng(0)
    found = null_test(generator.normal(size=40) * 2, generator.normal(size=(99, 40)))
    assert (found.p_family >= found.p - 1e-12).all()
    assert (found.q >= found.p - 1e-12).all()


def test_a_feature_that_never_moves_has_p_1():
    permuted = np.column_stack([np.zeros(9), np.random.default_rng(0).normal(size=9)])
    found = null_test(np.array([0.0, 50.0]), permuted)
    assert found.p.tolist() == [1.0, 0.1]
    assert found.p_family.tolist() == [1.0, 0.1]


def test_identical_stages_have_p_1_everywhere():
    data = planted(n=60, d=8, K=5)
    lens = RadiomicLens(**SMALL, permutations=5).fit(data.X_pre, data.X_pre, data.R)
    assert (lens.permuted_ == 0).all()
    assert lens.p_null_.tolist() == [1.0] * 5
    assert lens.p_family_.tolist() == [1.0] * 5


def test_exchangeable_stages_give_a_twentieth_of_small_p_values():
    """40 cohorts × 12 features at 5 %; features of one cohort are correlated, hence the width of the band."""
    calls = []
    for seed in range(40):
        generator = np.random.default_rng(seed)
        data = planted(n=50, d=8, K=12, seed=seed)
        X_pre, X_ft = (data.X_pre + 0.5 * generator.normal(size=data.X_pre.shape) for _ in range(2))
        lens = RadiomicLens(**SMALL, permutations=39, seed=seed).fit(X_pre, X_ft, data.R)
        calls.append(lens.p_null_ <= 0.05)
    assert 0.02 <= np.mean(calls) <= 0.08


def test_a_stage_that_carries_the_attributes_weakly_is_told_from_one_that_carries_them_fully():
    data = planted(n=150, d=10, K=6, after=0.3, seed=1)
    lens = RadiomicLens(**SMALL, permutations=39).fit(data.X_pre, data.X_ft, data.R)
    assert (lens.p_null_ <= 0.05).mean() > 0.8


def test_scans_of_one_patient_are_swapped_together(monkeypatch):
    import deepradiomics.lens.estimator.null as null

    seen = []
    real = null.train_projections

    def spy(X, *args, **kwargs):
        seen.append(X)
        return real(X, *args, **kwargs)

    monkeypatch.setattr(null, "train_projections", spy)
    data = planted(n=80, d=6, K=4)
    marked = [np.zeros_like(data.X_pre), np.ones_like(data.X_pre)]  # 0 before, 1 after
    groups = np.repeat(np.arange(40), 2)
    split = np.where(groups < 30, "train", "test")
    rows = null.TrainingRows(
        *(X[split == "train"] for X in marked), data.R[split == "train"], groups[split == "train"],
        scaled=lambda a, b: (a, b), inputs=lambda a, _: a,
    )  # fmt: skip
    null.permuted_deltas(rows, null.LayerFit((0.0, 0.0), ProjectionSettings(4, 1), ridge=1e-10), 6, 0)
    which = seen[0][:, :, 0].reshape(6, 30, 2)
    assert np.array_equal(which[..., 0], which[..., 1])
    assert 0.2 < which.mean() < 0.8
    assert len({tuple(row) for row in which[..., 0].tolist()}) == 6


def test_the_null_does_not_depend_on_how_many_permutations_are_trained_together(monkeypatch):
    import deepradiomics.lens.estimator.null as null

    data = planted(n=70, d=8, K=5, after=0.5)
    one = RadiomicLens(**SMALL, permutations=6).fit(data.X_pre, data.X_ft, data.R)
    monkeypatch.setitem(null._TOGETHER, "cpu", 4)
    two = RadiomicLens(**SMALL, permutations=6).fit(data.X_pre, data.X_ft, data.R)
    np.testing.assert_allclose(one.permuted_, two.permuted_, rtol=1e-2, atol=1e-3)
    assert one.p_null_ == pytest.approx(two.p_null_, abs=0.15)


def test_a_stopped_null_goes_on_where_it_was_and_gives_the_same(tmp_path: Path, monkeypatch):
    import deepradiomics.lens.estimator.null as null

    monkeypatch.setitem(null._TOGETHER, "cpu", 2)
    data = planted(n=70, d=8, K=5, after=0.5)
    whole = RadiomicLens(**SMALL, permutations=6).fit(data.X_pre, data.X_ft, data.R)

    def stop(_: float, message: str) -> None:
        if message.startswith("permutations: 6"):
            raise Cancelled

    with pytest.raises(Cancelled):
        RadiomicLens(**SMALL, permutations=6).fit(data.X_pre, data.X_ft, data.R, store=tmp_path, progress=stop)
    kept = sorted(tmp_path.rglob("shifts.npy"))
    assert len(kept) == 4
    kept[1].write_bytes(b"half written")
    counted = []
    real = null.train_projections
    monkeypatch.setattr(null, "train_projections", lambda X, *a, **k: (counted.append(len(X)), real(X, *a, **k))[1])
    with pytest.warns(UserWarning, match=r"shifts\.npy.*It is made anew"):
        again = RadiomicLens(**SMALL, permutations=6).fit(data.X_pre, data.X_ft, data.R, store=tmp_path)
    assert sum(counted) == 3  # the damaged one and the two that were missing
    np.testing.assert_allclose(again.permuted_, whole.permuted_, rtol=1e-2, atol=1e-3)
    other = RadiomicLens(**SMALL, permutations=2, seed=1).fit(data.X_pre, data.X_ft, data.R, store=tmp_path)
    assert not np.allclose(other.permuted_, whole.permuted_[:2])
