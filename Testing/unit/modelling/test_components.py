"""Components: fitted on training rows only, the same for a patient alone, and back to the features they came from."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("sklearn")

from deepradiomics.errors import BundleError, InputError
from deepradiomics.modelling.components.cache import fitted
from deepradiomics.modelling.components.nmf_components import Components

NAMES = ("original_shape_Sphericity", "original_glcm_Contrast", "wavelet-LLH_glszm_ZoneEntropy", "age")


def table(n: int = 50, p: int = 80, parts: int = 4, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    X = generator.gamma(0.5, size=(n, parts)) @ generator.gamma(0.5, size=(parts, p))
    return 10.0 * X - 3.0 + 0.2 * generator.normal(size=(n, p))  # negative values too: the scaling's business


def radiomics_names(p: int) -> list[str]:
    return [NAMES[i % 3] for i in range(p)]


def test_new_rows_do_not_change_what_was_fitted_and_a_row_has_its_columns_alone():
    X = table()
    components = Components.fit(X[:40], None, family="encoder", n_components=5)
    together = components.transform(X)
    alone = np.concatenate([components.transform(X[i : i + 1]) for i in range(50)])
    np.testing.assert_allclose(alone, together, rtol=1e-9, atol=1e-12)
    assert together.min() >= 0


def test_test_rows_far_outside_the_training_range_are_clipped():
    X = table()
    components = Components.fit(X, None, family="autoencoder", n_components=4)
    edge = np.where(np.arange(80) < 40, X.max(axis=0), X.min(axis=0))[None]
    far = np.where(np.arange(80) < 40, 1e6, -1e6)[None]
    np.testing.assert_allclose(components.transform(far), components.transform(edge), atol=1e-6)


def test_constant_columns_go_and_undefined_values_take_the_training_median():
    X = table()
    X[:, 7] = 4.0
    X[:40, 11] = np.nan  # in most rows
    X[3, 20] = np.nan
    components = Components.fit(X, None, family="encoder", n_components=4)
    assert not {7, 11} & set(components.kept.tolist())
    assert components.notes[0].startswith("encoder: 2 columns left out")
    filled = X[3:4].copy()
    filled[0, 20] = np.nanmedian(X[:, 20])
    np.testing.assert_allclose(components.transform(X[3:4]), components.transform(filled), atol=1e-7)
    assert np.isfinite(components.transform(X)).all()


def test_radiomics_components_name_their_three_strongest_features():
    components = Components.fit(table(p=9), radiomics_names(9), family="radiomics", n_components=3)
    column = components.columns[0]
    assert (column.group, column.name) == ("radiomics", "radiomics 1")
    assert column.top[0][1] == pytest.approx(1.0)
    assert [loading for _, loading in column.top] == sorted((loading for _, loading in column.top), reverse=True)
    assert column.label.startswith("Radiomics component 1: ")
    assert column.label.count(";") == 2


def test_latent_components_are_known_by_number():
    columns = Components.fit(table(), None, family="encoder", n_components=3).columns
    assert [column.label for column in columns] == [f"Encoder latent component {i}" for i in (1, 2, 3)]
    assert columns[0].top[0][0].startswith("encoder[")


def test_shape_and_clinical_columns_stay_themselves_standardised():
    X = table(p=4)
    components = Components.fit(X, NAMES, family="shape")
    found = components.transform(X)
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(found.std(axis=0), 1.0, atol=1e-12)
    assert components.columns[0].label == "Shape Sphericity"
    assert components.columns[3].label == "age"
    with_gap = X[:1].copy()
    with_gap[0, 3] = np.nan
    assert np.isfinite(components.transform(with_gap)).all()


def test_components_are_capped_by_the_rows_and_it_is_said():
    components = Components.fit(table(n=12), None, family="encoder", n_components=128)
    assert components.fit_["components"] == 12
    assert "12 components instead of 128" in components.notes[-1]


def test_the_fit_is_told_in_numbers():
    fit = Components.fit(table(), None, family="encoder", n_components=4).fit_
    assert (fit["rows"], fit["columns"], fit["components"]) == (50, 80, 4)
    assert 0 < fit["relative_error"] < 0.1
    assert fit["iterations"] >= 1


def test_a_step_along_the_direction_raises_the_columns_as_the_slopes_say():
    X = table(200, 30, 3)
    components = Components.fit(X, None, family="encoder", n_components=3)
    slopes = np.array([0.7, -0.2, 0.4])
    direction = components.direction(slopes)
    inside = components.H.T.astype(float) @ np.array([0.3, 0.3, 0.3])  # a row that the components explain exactly
    inside *= 0.5 / inside.max()
    row = components.low + inside * (components.high - components.low)
    steps = 0.01 * (components.high - components.low)
    before = components.transform(row[None])[0] @ slopes
    changes = components.transform(row + np.diag(steps)) @ slopes - before  # one feature at a time
    np.testing.assert_allclose(changes, direction * steps, rtol=1e-3, atol=1e-7)


def test_the_direction_of_raw_columns_is_the_slope_over_the_spread():
    X = table(p=4)
    X[:, 1] = 5.0
    components = Components.fit(X, NAMES, family="clinical")
    found = components.direction(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(found, [1 / X[:, 0].std(), 0, 2 / X[:, 2].std(), 3 / X[:, 3].std()])


@pytest.mark.parametrize("family", ["encoder", "radiomics", "shape"])
def test_arrays_and_json_give_the_same_components_back(family):
    X = table(p=9)
    names = None if family == "encoder" else radiomics_names(9)
    components = Components.fit(X, names, family=family, n_components=3)
    arrays, info = components.to_arrays()
    again = Components.from_arrays(arrays, json.loads(json.dumps(info)))
    np.testing.assert_array_equal(again.transform(X), components.transform(X))
    assert again.columns == components.columns
    assert again.notes == components.notes
    with pytest.raises(BundleError, match="'kept' is missing"):
        Components.from_arrays({key: value for key, value in arrays.items() if key != "kept"}, info)
    with pytest.raises(BundleError, match="do not belong together"):
        Components.from_arrays(arrays | {"low": arrays["low"][:-1]}, info)


def test_a_split_is_factorised_once(tmp_path, monkeypatch):
    X = table().astype(np.float32)
    options = {"family": "encoder", "cache": tmp_path, "n_components": 3}
    first, seconds = fitted(X, None, **options)
    monkeypatch.setattr(Components, "fit", lambda *a, **k: pytest.fail("factorised again"))
    again, said = fitted(X, None, **options)
    assert said == seconds > 0, "a later run says how long it took when it was done"
    np.testing.assert_array_equal(again.transform(X), first.transform(X))
    with pytest.raises(pytest.fail.Exception):
        fitted(X[:40], None, **options)
    with pytest.raises(pytest.fail.Exception):
        fitted(X, None, **options | {"n_components": 2})


def test_a_damaged_cache_is_fitted_again(tmp_path):
    X = table()
    first, _ = fitted(X, None, family="encoder", cache=tmp_path, n_components=3, key="split 1")
    file = next(tmp_path.rglob("H.npy"))
    for damage in (file.read_bytes()[:200], b"nonsense", b""):
        file.write_bytes(damage)
        with pytest.warns(UserWarning, match=r"H\.npy.*It is made anew"):
            again, _ = fitted(X, None, family="encoder", cache=tmp_path, n_components=3, key="split 1")
        np.testing.assert_array_equal(again.H, first.H)


def test_tables_that_cannot_be_used_are_refused_with_a_reason():
    X = table(p=4)
    with pytest.raises(InputError, match="every feature is the same"):
        Components.fit(np.ones((5, 3)), None, family="encoder")
    with pytest.raises(InputError, match="row 2, column 1"):
        Components.fit(np.where(np.arange(4) == 1, np.where(np.arange(50)[:, None] == 2, np.inf, X), X), family="shape")
    with pytest.raises(InputError, match="at least 2 rows"):
        Components.fit(X[:1], NAMES, family="shape")
    with pytest.raises(InputError, match="expected 4 names"):
        Components.fit(X, NAMES[:2], family="shape")
    with pytest.raises(InputError, match="expected one of shape"):
        Components.fit(X, NAMES, family="texture")
    components = Components.fit(X, NAMES, family="shape")
    with pytest.raises(InputError, match="expected 4 feature columns"):
        components.transform(X[:, :2])
    with pytest.raises(InputError, match="one number for each column"):
        components.direction(np.ones(9))


def test_radiomic_and_shape_components_know_how_far_a_case_lies_from_the_training_mean():
    X = table()
    X[0, 5] = np.nan
    for family in ("radiomics", "shape"):
        components = Components.fit(X, radiomics_names(80), family=family, n_components=4)
        arrays, about = components.to_arrays()
        for one in (components, Components.from_arrays(arrays, json.loads(json.dumps(about)))):
            mean, sd = np.nanmean(X, axis=0), np.nanstd(X, axis=0)
            assert one.beyond(mean) == 0.0
            assert one.beyond(np.where(np.arange(80) < 20, mean + 3.5 * sd, mean - 2.5 * sd)) == pytest.approx(0.25)
            assert one.beyond(np.where(np.arange(80) < 40, np.nan, mean + 4 * sd)) == 1.0


def test_latents_and_bundles_of_earlier_versions_cannot_tell_and_say_so_by_none():
    X = table()
    assert Components.fit(X, None, family="encoder", n_components=4).beyond(X[0]) is None
    arrays, about = Components.fit(X, radiomics_names(80), family="radiomics", n_components=4).to_arrays()
    earlier = {name: value for name, value in arrays.items() if name not in ("mean", "sd")}
    assert Components.from_arrays(earlier, about).beyond(X[0]) is None


def test_one_component_is_one():
    (note,) = Components.fit(table(2), None, family="encoder", n_components=9).notes[-1:]
    assert "2 components instead of 9: 2 training rows" in note
