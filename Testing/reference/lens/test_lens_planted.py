"""The lens where the answer is known: what it must get right, and where the paper's own reading gets it wrong.

The whole table is made by ``python -m Testing.reference.lens.lens_planted_table``; here are its claims, small.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="the lens needs torch")

from deepradiomics.lens.estimator.lens import RadiomicLens
from deepradiomics.radiomics import Settings, feature_names
from Testing.reference.lens.lens_planted import Plant, attributes, auc, exchangeable, planted, reseeded, rotation
from Testing.reference.lens.lens_planted_readings import deltas, fitted, readings
from Testing.reference.lens.lens_planted_table import COLUMNS, NULL, NULL_FIT, control_rows, null_rows, planted_rows

SMALL = Plant(patients=500, attributes=24, dimension=64, noise=0.6)
FAST = {"hidden": 48, "epochs": 100}
SEEDS = range(4)


@pytest.fixture(scope="module")
def found():
    """AUC of each reading over seeds, with the elastic penalty and without."""
    areas: dict[str, dict[str, list[float]]] = {"elastic": {}, "none": {}}
    for name, options in (("elastic", {}), ("none", {"l1": 0.0, "l2": 0.0})):
        for seed in SEEDS:
            data = planted(seed, SMALL)
            for reading, delta in deltas(fitted(data, seed=seed, **FAST, **options), data).items():
                areas[name].setdefault(reading, []).append(auc(delta, data.direction))
    return areas


@pytest.mark.parametrize("penalty", ["elastic", "none"])
@pytest.mark.parametrize("reading", ["explained", "ridge10", "r2"])
def test_the_strengthened_rank_above_the_weakened(found, penalty, reading):
    areas = found[penalty][reading]
    assert np.mean(areas) >= 0.85, areas
    assert min(areas) >= 0.7, areas


def test_the_papers_weights_are_inverted_where_the_embedding_shows_attributes_clearly():
    """θ falls as 1/a once an attribute stands out of the noise: raw ΔI then calls the strengthened weakened."""
    clear = replace(SMALL, noise=0.1)
    areas = {"raw": [], "standardised": [], "explained": []}
    for seed in SEEDS:
        data = planted(seed, clear)
        delta = deltas(fitted(data, seed=seed, **(FAST | {"hidden": 128})), data)
        for reading in areas:
            areas[reading].append(auc(delta[reading], data.direction))
    assert np.mean(areas["raw"]) < 0.35, areas
    assert np.mean(areas["standardised"]) < 0.35, areas
    assert np.mean(areas["explained"]) > 0.95, areas


def test_a_single_noisy_unit_shows_why():
    """z = a·r + σ·e: θ = a / (a² + σ²) turns over at a = σ; the explained share a / √(a² + σ²) never does."""
    rng = np.random.default_rng(0)
    r, noise = rng.standard_normal((2, 200_000))
    weight, explained = [], []
    for a in (0.5, 1.0, 2.0, 4.0):
        z = a * r + noise
        theta = np.linalg.lstsq(z[:, None], r, rcond=None)[0][0]
        assert theta == pytest.approx(a / (a**2 + 1), rel=0.02)
        weight.append(theta)
        explained.append(np.std(theta * z))
    assert weight[0] < weight[1] > weight[2] > weight[3]
    assert np.all(np.diff(explained) > 0)


def test_the_readings_agree_with_the_estimators_own_variants():
    data = planted(0, SMALL)
    lens = RadiomicLens(bootstraps=0, device="cpu", **FAST).fit(data.X_pre, data.X_ft, data.R)
    own = deltas(lens, data)
    np.testing.assert_allclose(own["raw"], lens.delta_importance_, atol=1e-12)
    np.testing.assert_allclose(own["standardised"], lens.variants_["standardised"], atol=1e-8)
    np.testing.assert_allclose(own["explained"], lens.delta_explained_, atol=1e-8)
    other = fitted(data, fit_on="both", **FAST)
    np.testing.assert_allclose(other.delta_importance_, lens.variants_["fit_both"], atol=1e-8)


def test_the_explained_reading_is_the_weight_with_whitened_units():
    """‖θ Σ^½‖ by an independent way: standardise the principal components of Z, regress, take the norm; less noise."""
    data = planted(0, SMALL)
    lens = fitted(data, **FAST)
    train = lens.split_ == "train"
    Z = lens.transform(data.X_pre, "pre")[train]
    U = np.linalg.svd(Z - Z.mean(0), full_matrices=False)[0] * np.sqrt(train.sum())  # white, (n, rank)
    Y = (data.R[train] - data.R[train].mean(0)) / data.R[train].std(0)
    U = U[:, np.linalg.svd(Z - Z.mean(0), compute_uv=False) > 1e-6]
    white = np.linalg.norm(U.T @ Y / train.sum(), axis=0)
    n, rank = U.shape
    noise = (1 - white**2) * rank / (n - 1 - rank)  # targets have variance 1
    np.testing.assert_allclose(readings(lens, data)["explained"][0], np.sqrt(white**2 - noise), rtol=1e-6)


# Controls of METHODS: nothing was strengthened


def test_an_identical_encoder_shifts_nothing_exactly():
    data = planted(1, SMALL)
    lens = fitted(data, X_ft=data.X_pre.copy(), **FAST)
    for name, (pre, ft) in readings(lens, data, data.X_pre).items():
        np.testing.assert_array_equal(pre, ft, err_msg=name)


def test_a_scaled_copy_moves_the_papers_weights_by_its_scale_and_no_reading_that_knows_scales():
    data = planted(1, SMALL)
    lens = fitted(data, X_ft=3 * data.X_pre, **FAST)
    shift = {k: np.mean(ft - pre) / np.mean(pre) for k, (pre, ft) in readings(lens, data, 3 * data.X_pre).items()}
    assert shift["raw"] == pytest.approx(1 / 3 - 1, abs=0.1)  # weights of a third
    assert abs(shift["standardised"]) < 0.1
    assert abs(shift["explained"]) < 0.02
    own = fitted(data, X_ft=3 * data.X_pre, embedding_scaling="own", **FAST)
    assert np.abs(own.delta_importance_).max() < 1e-6 * own.importance_pre_.max()


@pytest.mark.parametrize("name", ["rotated", pytest.param("reseeded", marks=pytest.mark.slow)])
def test_another_view_of_the_same_content_is_nearly_as_explained_when_the_layer_saw_both(name):
    shifts = {"pre": [], "both": []}
    for seed in SEEDS:
        data = planted(seed, SMALL)
        after = data.X_pre @ rotation(seed, 64) if name == "rotated" else reseeded(seed, data, SMALL)
        for fit_on in shifts:
            pre, ft = readings(fitted(data, X_ft=after, fit_on=fit_on, **FAST), data, after)["explained"]
            shifts[fit_on].append(np.mean(ft - pre) / np.mean(pre))
    assert abs(np.mean(shifts["both"])) < 0.05, shifts
    assert np.mean(shifts["pre"]) < np.mean(shifts["both"])  # a layer trained on pre favours pre
    assert np.mean(shifts["pre"]) < 0


# The null


@pytest.mark.parametrize("fit_on", ["pre", pytest.param("both", marks=pytest.mark.slow)])
def test_the_null_finds_a_twentieth_where_there_is_nothing_to_find(fit_on):
    each, family = null_rows(fit_on, 50, permutations=19, epochs=20)  # 19: the outermost of 20 has p = 0.05 exactly
    assert 0.02 <= each["mean"] <= 0.08, each
    assert family["mean"] <= 0.11, family  # of 50 data sets: 5 % and two standard errors


# The experiment itself


def test_experiments_repeat_by_seed_and_fine_tuning_changes_what_it_says():
    first, again, other = planted(3, SMALL), planted(3, SMALL), planted(4, SMALL)
    np.testing.assert_array_equal(first.X_ft, again.X_ft)
    assert not np.array_equal(first.X_pre, other.X_pre)
    change = first.strength_ft / first.strength_pre
    assert (change[first.direction > 0] >= 1.5).all()
    assert (change[first.direction < 0] <= 0.6).all()
    np.testing.assert_allclose(change[first.direction == 0], 1.0)
    assert [int((first.direction == sign).sum()) for sign in (1, -1, 0)] == [6, 6, 12]


def test_attributes_have_names_of_the_engine_and_are_as_correlated_as_features():
    keys = set(feature_names(Settings.from_params("lens")))
    data = planted(0, Plant())
    assert {key for _, key in data.names} <= keys
    assert len(set(data.names)) == 40
    assert {modality for modality, _ in data.names} == {"t2", "highb", "adc"}
    r = np.corrcoef(attributes(np.random.default_rng(0), 4000, 40).T)
    assert np.abs(r[np.triu_indices(40, 1)]).mean() == pytest.approx(0.32, abs=0.04)


def test_exchangeable_encoders_share_all_but_their_noise():
    data = exchangeable(0, NULL)
    assert data.X_pre.shape == data.X_ft.shape == (160, 16)
    assert not data.direction.any()
    assert data.X_pre.std() == pytest.approx(data.X_ft.std(), rel=0.05)
    assert 0.2 < np.std(data.X_pre - data.X_ft) / np.std(data.X_pre) < 1.2


def test_the_auc_counts_ties_half():
    assert auc(np.array([2.0, 1.0, 1.0, 9.0]), np.array([1, 1, -1, 0])) == 0.75


def test_the_tables_rows_have_its_columns():
    tiny = replace(SMALL, patients=150, attributes=8, dimension=16)
    rows = planted_rows(tiny, 8, "none", range(2)) + control_rows("identical", 8, range(1))
    assert all(set(row) <= set(COLUMNS) for row in rows)
    assert NULL_FIT["permutations"] == 99
    assert all(row["mean"] == 0.0 for row in rows if row["experiment"] == "control")
