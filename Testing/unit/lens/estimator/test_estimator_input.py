"""What RadiomicLens refuses, and what it says."""

from __future__ import annotations

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.lens import RadiomicLens

N, D, K = 60, 6, 5
GENERATOR = np.random.default_rng(0)
X, R = GENERATOR.normal(size=(N, D)), GENERATOR.normal(size=(N, K))
IDS = [f"p{i:02d}" for i in range(N)]


def fit(X_pre=X, X_ft=X, targets=R, options=None, **fit_options):
    defaults = {"hidden": 4, "epochs": 2, "bootstraps": 0, "variants": False, "device": "cpu"}
    return RadiomicLens(**{**defaults, **(options or {})}).fit(X_pre, X_ft, targets, **fit_options)


def with_value(array: np.ndarray, row: int, value: float) -> np.ndarray:
    changed = array.copy()
    changed[row, 2] = value
    return changed


def split_of(**counts: int) -> list[str]:
    return [part for part, count in counts.items() for _ in range(count)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X_ft": X[:, :4]}, "before fine-tuning have dimension 6, after it 4"),
        ({"X_ft": X[:50]}, "expected the 60 patients of X_pre in the same order, got 50 rows"),
        ({"ids": IDS, "ids_ft": [*IDS[:7], "q", *IDS[8:]]},
         r"Row 7 \(from 0\) is case p07 before fine-tuning and case q after it \(p07 is not among"),
        ({"ids": IDS, "ids_ft": [*IDS[:7], "p08", "p07", *IDS[9:]]},
         r"Row 7 \(from 0\) is case p07 before fine-tuning and case p08 after it\. Bring"),
        ({"ids": IDS, "ids_ft": IDS[:59]}, "Case p59 has an embedding only before fine-tuning"),
        ({"ids": IDS[:5]}, "ids: expected one name for each of the 60 rows"),
        ({"X_pre": with_value(X, 9, np.nan), "ids": IDS}, "X_pre: .* case p09 is NaN or infinite in 1 of 6 numbers"),
        ({"X_ft": with_value(X, 4, np.inf), "ids": IDS}, "X_ft: the embedding of case p04"),
        ({"X_pre": X[0]}, r"X_pre: expected embeddings of shape \(patients, d\), got \(6,\)"),
        ({"X_pre": [["a"]]}, "X_pre: expected an array of numbers"),
        ({"targets": R[:59]}, r"R: expected shape \(60, targets\)"),
        ({"targets": R[:59, 0]}, r"R: expected shape .* got \(59, 1\)"),
        ({"X_pre": X + 1j}, "X_pre: expected real numbers, got complex"),
        ({"targets": R * 1j}, "R: expected real numbers, got complex"),
        ({"ids": [*IDS[:59], "p03"]}, "ids: 'p03' is there more than once"),
        ({"X_ft": np.tile(X[:1], (N, 1))}, "X_ft: all 60 cases have the same embedding"),
        ({"targets": with_value(np.full((N, K), 1.0), 0, 1.0)}, "none of the 5 columns can be used"),
        ({"feature_names": ["a", "b"]}, "feature_names: expected 5 names"),
        ({"feature_names": ["a", "b", "c", "d", "a"]}, "'a' is there twice"),
        ({"feature_names": [("t2", "x"), ("adc", "x"), ("t2", "y"), "y", ("t2", "x")]}, "'t2:x' is there twice"),
        ({"groups": [1, 2]}, "groups: expected one patient for each of the 60 rows, got 2"),
        ({"split": ["train"] * 59}, "for each of 60 rows, got 59"),
        ({"split": [*split_of(train=40, test=19), "hold-out"], "ids": IDS}, "case p59 is in 'hold-out'"),
        ({"split": split_of(train=40, test=20), "groups": [0, *range(58), 0], "ids": IDS},
         "separates the scans of one patient: p00 in train, p59 in test"),
        ({"split": split_of(train=59, test=1)}, "test has 1 patient, but.*60 patients gave 59"),
        ({"split": split_of(train=40, test=20), "options": {"sweep": True}}, "validation has 0 patients.*the sweep"),
        ({"options": {"hidden": 256}}, "42 training cases for hidden=256:.*hidden to 14 or fewer.*ridge=0.001"),
        ({"options": {"fit_on": "fit"}}, "fit_on: expected one of pre, ft, both, got 'fit'. Did you mean 'ft'"),
        ({"options": {"target_scaling": "z-score"}}, "Did you mean 'zscore'"),
        ({"options": {"embedding_scaling": "owns"}}, "Did you mean 'own'"),
        ({"options": {"hidden": 0}}, "hidden: expected a whole number from 1 to 65536, got 0"),
        ({"options": {"epochs": 2.5}}, "epochs: expected a whole number"),
        ({"options": {"bootstraps": 3}}, "bootstraps: expected 0 or a whole number from 20"),
        ({"options": {"l1": -1.0}}, "l1: expected a number from 0"),
        ({"options": {"learning_rate": 0.0}}, "learning_rate: expected a number above 0"),
        ({"options": {"device": "gpu"}}, "device: expected one of auto, cpu, cuda, mps"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_its_name(arguments, message):
    with pytest.raises(InputError, match=message):
        fit(**arguments)


def test_more_units_than_patients_are_allowed_with_a_real_ridge():
    lens = fit(options={"hidden": 64, "ridge": 0.1})
    assert np.isfinite(lens.importance_pre_).all()


def test_without_a_sweep_no_validation_patients_are_needed():
    assert np.isfinite(fit(split=split_of(train=40, test=20)).r2_mean_pre_)


def test_an_unknown_option_is_told_with_the_nearest():
    with pytest.raises(InputError, match=r"has no option 'hiden'\. Did you mean hidden"):
        RadiomicLens().set_params(hiden=3)


def test_what_was_not_fitted_cannot_predict():
    with pytest.raises(InputError, match=r"not fitted: call fit\(X_pre, X_ft, R\) first"):
        RadiomicLens().predict(X)


def test_prediction_checks_its_input_too():
    lens = fit()
    with pytest.raises(InputError, match="fitted on embeddings of dimension 6, got 5"):
        lens.predict(X[:, :5])
    with pytest.raises(InputError, match="row 3"):
        lens.transform(with_value(X, 3, np.nan))
    with pytest.raises(InputError, match="stage: expected one of pre, ft, got 'after'"):
        lens.predict(X, "after")
    with pytest.raises(InputError, match="expected 5 targets as in the fit, got 2"):
        lens.score(X, R[:, :2])


@pytest.mark.parametrize(
    ("rows", "hidden", "advice"),
    [
        (42, 256, "Set hidden to 14 or fewer (--hidden 14)"),
        (5, 8, "Set hidden to 1 (--hidden 1), add patients"),
        (2, 8, "too few for any width: add patients"),
        (1, 8, "1 training case for hidden=8"),
    ],
)
def test_the_width_that_is_asked_for_can_work(rows: int, hidden: int, advice: str) -> None:
    from deepradiomics.lens.estimator.checks import check_enough

    with pytest.raises(InputError) as caught:
        check_enough(rows, hidden, ridge=0.0)
    assert advice in str(caught.value)
    assert "1 or fewer" not in str(caught.value)
