"""The co-occurrence features compiled: the formulas of ``glcm.py``, evaluated in one pass over each direction's matrix.

``glcm.py`` is the definition; these kernels give its numbers without its many passes and temporary arrays (decision
0005). Three things differ in form only: sums run over the levels of a region, not over the padding of its batch; a
symmetrical matrix is read on one side of its diagonal; and of the matrix behind MCC only the one eigenvalue wanted is
found: Householder's reduction to three diagonals, then counts of sign changes (Sturm's sequence) that close in on it.
"""

from collections.abc import Collection

import numpy as np

from deepradiomics.kernels import njit

NAMES = (
    "Autocorrelation", "ClusterProminence", "ClusterShade", "ClusterTendency", "Contrast", "Correlation",
    "DifferenceAverage", "DifferenceEntropy", "DifferenceVariance", "Id", "Idm", "Idmn", "Idn", "Imc1", "Imc2",
    "InverseVariance", "JointAverage", "JointEnergy", "JointEntropy", "MaximumProbability", "SumAverage",
    "SumEntropy", "SumSquares", "MCC",
)  # fmt: skip
EPSILON = float(np.spacing(1.0))
_PROBES = 8  # places at which one pass counts eigenvalues: as many as a processor divides side by side
_PRECISION = 2e-14  # of an eigenvalue; the largest is one
_NOTHING = 1e-280  # squares below this underflow


def glcm_features(
    pairs: np.ndarray,
    levels: np.ndarray,
    n_levels: np.ndarray,
    *,
    symmetrical: bool = True,
    weights: np.ndarray | None = None,
    wanted: Collection[str] | None = None,
) -> dict[str, np.ndarray]:
    """Return the co-occurrence features of a batch of regions, (B,) each; the twin of :func:`glcm.glcm_features`.

    Args:
        pairs: (B, A, L, L) counts of level i having level j at offset a.
        levels: (B, L) grey levels, padded with 1.
        n_levels: (B,) number of levels that occur.
        symmetrical: count each pair in both orders.
        weights: (A,) weights of the offsets; None averages the features over offsets instead.
        wanted: names wanted; ``MCC`` is left out where it is not among them.
    """
    mcc = wanted is None or "MCC" in wanted
    values = np.empty((len(pairs), len(NAMES)))
    _batch(
        np.ascontiguousarray(pairs, np.int64),
        np.ascontiguousarray(levels).astype(np.int64),
        np.asarray(n_levels, np.int64),
        symmetrical,
        np.zeros(0) if weights is None else np.asarray(weights, float),
        mcc,
        values,
    )
    return {name: values[:, k].copy() for k, name in enumerate(NAMES) if mcc or name != "MCC"}


@njit
def _batch(
    pairs: np.ndarray,
    levels: np.ndarray,
    n_levels: np.ndarray,
    symmetrical: bool,
    weights: np.ndarray,
    mcc: bool,
    out: np.ndarray,
) -> None:
    """Mean over the directions that have pairs, NaN left out, of each feature of each region; out (B, F)."""
    names = out.shape[1]
    row = np.empty(names)
    for b in range(len(pairs)):
        n = n_levels[b]
        P = np.empty((n, n))
        known = np.zeros(names, np.int64)
        for f in range(names):
            out[b, f] = 0.0
        for a in range(1 if len(weights) > 0 else pairs.shape[1]):
            if len(weights) > 0:
                P.fill(0.0)
                for direction in range(len(weights)):
                    for i in range(n):
                        for j in range(n):
                            P[i, j] += weights[direction] * pairs[b, direction, i, j]
            else:
                for i in range(n):
                    for j in range(n):
                        P[i, j] = pairs[b, a, i, j]
            if not _normalise(P, symmetrical):
                continue
            _features(P, levels[b], symmetrical, mcc, row)
            for f in range(names):
                if not np.isnan(row[f]):
                    out[b, f] += row[f]
                    known[f] += 1
        for f in range(names):
            out[b, f] = out[b, f] / known[f] if known[f] > 0 else np.nan


@njit
def _normalise(P: np.ndarray, symmetrical: bool) -> bool:
    """Make counts probabilities, in both orders if wanted; False when there is no pair."""
    n = len(P)
    total = 0.0
    for i in range(n):
        for j in range(n):
            total += P[i, j]
    if total == 0:
        return False
    if symmetrical:
        total *= 2
        for i in range(n):
            for j in range(i + 1):
                P[i, j] = P[j, i] = (P[i, j] + P[j, i]) / total
    else:
        for i in range(n):
            for j in range(n):
                P[i, j] /= total
    return True


@njit
def _features(P: np.ndarray, level: np.ndarray, symmetrical: bool, mcc: bool, out: np.ndarray) -> None:
    """All features, in the order of ``NAMES``, of one matrix of probabilities P (n, n)."""
    n = len(P)
    px, py = np.zeros(n), np.zeros(n)
    for i in range(n):
        for j in range(n):
            px[i] += P[i, j]
            py[j] += P[i, j]
    highest = level[n - 1]
    ux, uy, HX, HY = 0.0, 0.0, 0.0, 0.0
    rows, columns = 0, 0
    for i in range(n):
        ux += px[i] * level[i]
        uy += py[i] * level[i]
        if px[i] > 0:
            rows += 1
            HX -= px[i] * np.log2(px[i] + EPSILON)
        if py[i] > 0:
            columns += 1
            HY -= py[i] * np.log2(py[i] + EPSILON)
    sums, gaps = np.zeros(2 * highest + 1), np.zeros(highest)
    auto, covariance, energy, largest, HXY, HXY1, HXY2 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        for j in range(i + 1 if symmetrical else n):
            times = 2.0 if symmetrical and j < i else 1.0
            product = px[i] * py[j]
            if product == 0:
                continue
            log_product = np.log2(product + EPSILON)
            HXY2 -= times * product * log_product
            p = P[i, j]
            if p == 0:
                continue
            largest = max(largest, p)
            energy += times * p * p
            HXY -= times * p * np.log2(p + EPSILON)
            HXY1 -= times * p * log_product
            auto += times * p * level[i] * level[j]
            covariance += times * p * (level[i] - ux) * (level[j] - uy)
            sums[level[i] + level[j]] += times * p
            gaps[abs(level[i] - level[j])] += times * p
    variance_x, variance_y = 0.0, 0.0
    for i in range(n):
        variance_x += px[i] * (level[i] - ux) ** 2
        variance_y += py[i] * (level[i] - uy) ** 2
    out[0], out[16], out[17], out[18], out[19], out[22] = auto, ux, energy, HXY, largest, variance_x
    # a standard deviation is zero, not merely small, where one level stands on that side of all pairs
    one_level = rows == 1 or columns == 1
    out[5] = 1.0 if one_level else covariance / (np.sqrt(variance_x) * np.sqrt(variance_y) + EPSILON)
    out[13] = (HXY - HXY1) / max(HX, HY) if max(HX, HY) != 0 else 0.0
    inside = 1 - np.exp(-2 * (HXY2 - HXY))
    out[14] = 0.0 if HXY2 == HXY else (np.nan if inside < 0 else np.sqrt(inside))
    _of_sums(sums, level, ux + uy, out)
    _of_gaps(gaps, highest, out)
    if mcc:
        out[23] = _mcc(P, px, py, symmetrical)


@njit
def _of_sums(sums: np.ndarray, level: np.ndarray, mean: float, out: np.ndarray) -> None:
    average, entropy, m2, m3, m4 = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(2 * level[0], len(sums)):
        p = sums[k]
        if p == 0:
            continue
        square = (k - mean) * (k - mean)
        average += p * k
        m2 += p * square
        m3 += p * square * (k - mean)
        m4 += p * square * square
        entropy -= p * np.log2(p + EPSILON)
    out[1], out[2], out[3], out[20], out[21] = m4, m3, m2, average, entropy


@njit
def _of_gaps(gaps: np.ndarray, highest: int, out: np.ndarray) -> None:
    average, entropy, contrast, variance = 0.0, 0.0, 0.0, 0.0
    inverse, inverse2, inverse2n, inverse_n, inverse_variance = 0.0, 0.0, 0.0, 0.0, 0.0
    for d in range(len(gaps)):
        p = gaps[d]
        if p == 0:
            continue
        square, part = float(d * d), d / highest
        average += p * d
        contrast += p * square
        entropy -= p * np.log2(p + EPSILON)
        inverse += p / (1 + d)
        inverse2 += p / (1 + square)
        inverse2n += p / (1 + part * part)
        inverse_n += p / (1 + part)
        if d > 0:
            inverse_variance += p / square
    for d in range(len(gaps)):
        variance += gaps[d] * (d - average) ** 2
    out[4], out[6], out[7], out[8] = contrast, average, entropy, variance
    out[9], out[10], out[11], out[12], out[15] = inverse, inverse2, inverse2n, inverse_n, inverse_variance


@njit
def _mcc(P: np.ndarray, px: np.ndarray, py: np.ndarray, symmetrical: bool) -> float:
    """The second largest singular value of C = P / sqrt(px py + eps), over the levels that occur."""
    n = len(P)
    if n == 1:
        return 1.0
    occurs, m = np.empty(n, np.int64), 0
    for i in range(n):
        if px[i] + py[i] > 0:
            occurs[m] = i
            m += 1
    if m == 1:
        return 0.0
    # the singular values of a symmetric C are its eigenvalues' magnitudes; of any C, those of [[0, C], [C', 0]], twice
    side = 0 if symmetrical else m
    A = np.zeros((m + side, m + side))
    for r in range(m):
        for c in range(m):
            i, j = occurs[r], occurs[c]
            value = P[i, j] / np.sqrt(px[i] * py[j] + EPSILON)
            A[r, side + c] = value
            A[side + c, r] = value
    return _magnitude(A, 2 if symmetrical else 4)


@njit
def _magnitude(A: np.ndarray, rank: int) -> float:
    """The magnitude that ``rank`` eigenvalues of a symmetric matrix reach: 2 for the second; A is overwritten."""
    m = len(A)
    diagonal, beside2 = _three_diagonals(A)
    low, high = 0.0, 0.0
    for i in range(m):  # Gershgorin's bound
        reach = np.sqrt(beside2[i - 1]) if i > 0 else 0.0
        reach += np.sqrt(beside2[i]) if i < m - 1 else 0.0
        high = max(high, abs(diagonal[i]) + reach)
    at, q = np.empty(2 * _PROBES), np.empty(2 * _PROBES)
    below = np.empty(2 * _PROBES, np.int64)
    while high - low > _PRECISION * max(high, 1.0):
        step = (high - low) / (_PROBES + 1)
        for t in range(_PROBES):
            at[t] = low + (t + 1) * step
            at[_PROBES + t] = -at[t]
        for t in range(2 * _PROBES):
            q[t] = diagonal[0] - at[t]
            below[t] = 1 if q[t] < 0 else 0
        for i in range(1, m):
            for t in range(2 * _PROBES):
                divisor = q[t] if abs(q[t]) > _NOTHING else -_NOTHING
                value = diagonal[i] - at[t] - beside2[i - 1] / divisor
                q[t] = value
                below[t] += 1 if value < 0 else 0
        least = low
        for t in range(_PROBES):
            if m - below[t] + below[_PROBES + t] >= rank:  # rank eigenvalues are larger in magnitude
                least = at[t]
            else:
                high = at[t]
                break
        low = least
    return (low + high) / 2


@njit
def _three_diagonals(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Householder's reduction: the diagonal (m,), and the squares of the entries beside it (m - 1,); A is overwritten.

    It works from the last row upwards, so that every inner loop begins at 0 and compiles to vector instructions.
    """
    m = len(A)
    diagonal, beside2 = np.empty(m), np.empty(m - 1)
    v, w = np.empty(m), np.empty(m)
    for k in range(m - 1, 0, -1):
        norm2 = 0.0
        for i in range(k):
            v[i] = A[k, i]
            norm2 += v[i] * v[i]
        diagonal[k] = A[k, k]
        beside2[k - 1] = norm2
        rest = norm2 - v[k - 1] * v[k - 1]
        if k == 1 or rest <= 0 or norm2 < _NOTHING:
            continue
        v[k - 1] += np.sqrt(norm2) if v[k - 1] > 0 else -np.sqrt(norm2)
        scale = 2.0 / (rest + v[k - 1] * v[k - 1])
        for j in range(k):
            w[j] = 0.0
        for i in range(k):  # A is symmetric, so that A v is gathered row by row
            factor = scale * v[i]
            row = A[i]
            for j in range(k):
                w[j] += factor * row[j]
        half = 0.0
        for i in range(k):
            half += w[i] * v[i]
        half *= scale / 2
        for i in range(k):
            w[i] -= half * v[i]
        for i in range(k):
            vi, wi = v[i], w[i]
            row = A[i]
            for j in range(k):
                row[j] -= vi * w[j] + wi * v[j]
    diagonal[0] = A[0, 0]
    return diagonal, beside2
