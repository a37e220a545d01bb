"""Feature clusters: groups by hand, against average linkage written out, and what never changes."""

import itertools

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.modelling.clusters import feature_clusters


def table(seed: int = 0, rows: int = 40, sources: int = 4, copies: int = 4) -> np.ndarray:
    """``copies`` noisy views of each of ``sources`` signals, side by side."""
    rng = np.random.default_rng(seed)
    signal = np.repeat(rng.standard_normal((rows, sources)), copies, axis=1)
    return signal + rng.uniform(0.02, 0.6, sources * copies) * rng.standard_normal(signal.shape)


def average_linkage(values: np.ndarray, alike: float) -> set[frozenset[int]]:
    """Join the two groups of highest mean |r| until it is below ``alike``."""
    r = np.abs(np.corrcoef(values, rowvar=False))
    groups = [frozenset([column]) for column in range(values.shape[1])]
    while len(groups) > 1:
        pairs = {(a, b): r[np.ix_(sorted(a), sorted(b))].mean() for a, b in itertools.combinations(groups, 2)}
        first, second = max(pairs, key=lambda pair: pairs[pair])
        if pairs[first, second] < alike:
            break
        groups = [group for group in groups if group not in (first, second)] + [first | second]
    return set(groups)


@pytest.mark.parametrize("alike", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("seed", range(4))
def test_groups_are_those_of_average_linkage(seed: int, alike: float) -> None:
    values = table(seed)
    clusters = feature_clusters(values, alike=alike)
    assert {frozenset(cluster.members) for cluster in clusters} == average_linkage(values, alike)


def test_the_medoid_has_the_highest_mean_correlation_and_stands_first() -> None:
    values = table()
    r = np.corrcoef(values, rowvar=False)
    for cluster in feature_clusters(values, alike=0.5):
        inside = sorted(cluster.members)
        assert cluster.medoid == cluster.members[0]
        assert cluster.medoid == inside[int(np.argmax(np.abs(r[np.ix_(inside, inside)]).mean(axis=1)))]
        np.testing.assert_allclose(cluster.correlation, r[cluster.medoid, list(cluster.members)], atol=1e-12)
        assert list(np.abs(cluster.correlation)) == sorted(np.abs(cluster.correlation), reverse=True)


def test_a_number_of_clusters_can_be_asked_for() -> None:
    clusters = feature_clusters(table(), most=3)
    assert len(clusters) == 3
    assert sorted(column for cluster in clusters for column in cluster.members) == list(range(16))
    assert len(feature_clusters(table(), most=100)) == 16


def test_units_signs_and_the_order_of_rows_change_nothing() -> None:
    values = table()
    expected = [cluster.members for cluster in feature_clusters(values, alike=0.8)]
    scaled = values * np.where(np.arange(16) % 2, -1e4, 1e-4) + 7
    assert [cluster.members for cluster in feature_clusters(scaled, alike=0.8)] == expected
    assert [cluster.members for cluster in feature_clusters(values[::-1], alike=0.8)] == expected


def test_a_column_that_does_not_vary_is_in_no_cluster() -> None:
    values = np.column_stack([np.full(40, 0.1), table()])
    assert all(0 not in cluster.members for cluster in feature_clusters(values))
    assert feature_clusters(np.ones((5, 3))) == ()
    assert [cluster.members for cluster in feature_clusters(np.arange(5.0)[:, None])] == [(0,)]


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.ones((2, 3)), {}, "at least 3 rows"),
        (np.ones(5), {}, r"expected shape \(rows, columns\)"),
        (np.array([[1.0, 2.0], [np.inf, 1.0], [0.0, 1.0]]), {}, "column 0 holds a number that is not finite"),
        (table(), {"alike": 0.0}, "alike: expected a correlation above 0"),
        (table(), {"alike": 1.1}, "alike: expected a correlation above 0"),
        (table(), {"most": 0}, "most: expected at least 1"),
    ],
)
def test_what_cannot_be_grouped_is_refused(values, options, message) -> None:
    with pytest.raises(InputError, match=message):
        feature_clusters(values, **options)
