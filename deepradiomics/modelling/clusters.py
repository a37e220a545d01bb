"""Clusters of features that say the same: average linkage on 1 − |r|, each shown by its medoid.

A cluster is what a reader is told instead of its members, whose order among themselves is chance. It is learned on the
training part alone; other cases take its columns.

Source: Sokal & Michener, Univ Kansas Sci Bull 1958;38:1409-1438 (average linkage); Kaufman & Rousseeuw, Finding Groups
in Data, 1990 (medoids).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from deepradiomics.errors import InputError
from deepradiomics.public import one_line

ALIKE = 0.95
"""Mean |r| between two groups from which on they are one cluster."""


@one_line
@dataclass(frozen=True, eq=False)
class Cluster:
    """Columns that say the same.

    Args:
        medoid: the column with the highest mean |r| to the others; the first of several.
        members: all columns, the medoid first, then by falling |r| to it.
        correlation: (members,) r of each with the medoid; negative for one that runs the other way.
    """

    medoid: int
    members: tuple[int, ...]
    correlation: tuple[float, ...]


def feature_clusters(values: ArrayLike, *, alike: float = ALIKE, most: int | None = None) -> tuple[Cluster, ...]:
    """Group the columns of a table.

    Args:
        values: (rows, columns) of the training part; a column that does not vary is in no cluster.
        alike: mean |r| from which on two groups are one, above 0 and at most 1.
        most: at most this many clusters instead, whatever ``alike``.

    Returns:
        Clusters in the order of their first columns.

    Raises:
        InputError: fewer than three rows, values that are not finite, or an option out of range.

    Example:
        >>> x = np.array([1.0, 2.0, 4.0, 3.0])
        >>> y = np.array([1.0, -1.0, 1.0, -1.0])
        >>> [cluster.members for cluster in feature_clusters(np.column_stack([x, y, -2 * x, 0 * x]))]
        [(0, 2), (1,)]
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or len(table) < 3:
        raise InputError(f"values: expected shape (rows, columns) with at least 3 rows, got {table.shape}.")
    if not np.isfinite(table).all():
        column = int(np.argwhere(~np.isfinite(table))[0, 1])
        raise InputError(f"values: column {column} holds a number that is not finite. Leave it out or complete it.")
    if not 0.0 < alike <= 1.0:
        raise InputError(f"alike: expected a correlation above 0 and at most 1, got {alike}.")
    if most is not None and most < 1:
        raise InputError(f"most: expected at least 1, got {most}.")
    columns = np.flatnonzero(table.std(axis=0) > 1e-12 * np.maximum(1.0, np.abs(table).max(axis=0)))
    if not len(columns):
        return ()
    r = _correlations(table[:, columns])
    labels = _labels(r, alike, most)
    clusters = (_cluster(np.flatnonzero(labels == label), columns, r) for label in np.unique(labels))
    return tuple(sorted(clusters, key=lambda cluster: min(cluster.members)))


def _correlations(table: NDArray[np.float64]) -> NDArray[np.float64]:
    scores = table - table.mean(axis=0)
    scores /= np.linalg.norm(scores, axis=0)
    r: NDArray[np.float64] = np.clip(scores.T @ scores, -1.0, 1.0)
    np.fill_diagonal(r, 1.0)
    return r


def _labels(r: NDArray[np.float64], alike: float, most: int | None) -> NDArray[np.int_]:
    if len(r) == 1:
        return np.zeros(1, int)
    tree = linkage(squareform(1.0 - np.abs(r), checks=False), "average")
    if most is not None:
        return np.asarray(fcluster(tree, most, "maxclust"))
    return np.asarray(fcluster(tree, 1.0 - alike + 1e-12, "distance"))


def _cluster(inside: NDArray[np.intp], columns: NDArray[np.intp], r: NDArray[np.float64]) -> Cluster:
    block = np.abs(r[np.ix_(inside, inside)])
    mean = np.round(block.mean(axis=1), 12)  # so that rounding does not choose among equals
    medoid = int(inside[int(np.argmax(mean))])
    order = sorted(inside, key=lambda i: (i != medoid, -round(abs(float(r[medoid, i])), 12), i))
    return Cluster(
        int(columns[medoid]), tuple(int(columns[i]) for i in order), tuple(float(r[medoid, i]) for i in order)
    )
