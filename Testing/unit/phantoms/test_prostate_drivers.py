"""The truth's claims, measured with the real engine: each named attribute follows its label, nuisance does not."""

from __future__ import annotations

import pytest
from scipy.stats import spearmanr

from deepradiomics.phantoms.prostate.truth import DRIVERS, NUISANCE
from Testing.unit.phantoms.prostate_features import measured

LEAST, MOST_NUISANCE = 0.55, 0.40  # rank correlation over 60 cases, whose standard error is 0.13 where there is none


@pytest.fixture(scope="module")
def cohort():
    return measured(60, 3)


@pytest.mark.slow
def test_each_claimed_attribute_follows_its_label_and_what_was_planted_for_it(cohort):
    features, truth = cohort
    for driver in DRIVERS:
        values = features[driver.modality, driver.feature]
        label = spearmanr(values, truth[driver.label])[0]
        planted = spearmanr(values, truth[driver.column])[0]
        print(f"{driver.label} {driver.modality} {driver.feature} {driver.direction:+d}: {label:+.2f} {planted:+.2f}")
        if driver.direction:
            assert driver.direction * label > LEAST, driver
            assert driver.direction * planted > LEAST, driver
        else:
            assert abs(label) < MOST_NUISANCE, driver
            assert planted > LEAST, driver  # it is there, and measures the nuisance


@pytest.mark.slow
def test_nuisance_is_drawn_without_looking_at_the_labels(cohort):
    _, truth = cohort
    for name in NUISANCE:
        for label in ("label_pirads", "value_volume_ml"):
            assert abs(spearmanr(truth[name], truth[label])[0]) < MOST_NUISANCE, (name, label)


@pytest.mark.slow
def test_all_features_of_the_lens_are_finite_and_vary(cohort):
    features, _ = cohort
    assert len(features) == 3 * 837
    assert all(values.std() > 0 for values in features.values())  # NaN or infinity would fail this, too


def test_the_claims_name_features_that_the_engine_has_and_columns_that_the_truth_has():
    from deepradiomics.phantoms import prostate_exam
    from deepradiomics.radiomics import Settings, feature_names

    keys, columns = set(feature_names(Settings.from_params("lens"))), set(prostate_exam(0).truth)
    for driver in DRIVERS:
        assert driver.feature in keys, driver
        assert driver.column in columns, driver
    assert set(NUISANCE) <= columns
