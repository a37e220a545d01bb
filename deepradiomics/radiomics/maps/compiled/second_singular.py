"""Second largest singular value of a small normalised co-occurrence matrix, compiled: what MCC is the mean of.

With row sums r and column sums c the matrix P_ij / sqrt(r_i c_j) has 1 as its largest singular value, once for each
connected part of the graph that joins row i and column j where P_ij > 0. So two parts or more need no arithmetic; for
the rest the known value is taken out and the largest remaining one is found by Householder's reduction to three
diagonals and the implicit QL method (Golub and Van Loan, Matrix Computations, 8.3).
"""

import math

import numpy as np

from deepradiomics.kernels import njit

TINY = 1e-7  # below this a singular value is the rounding noise of zero


@njit
def _root(parent: np.ndarray, node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@njit
def second_singular(
    row: np.ndarray,
    column: np.ndarray,
    p: np.ndarray,
    n_cells: int,
    px: np.ndarray,
    py: np.ndarray,
    n_levels: int,
    symmetrical: bool,
    parent: np.ndarray,
    place: np.ndarray,
    matrix: np.ndarray,
    work: np.ndarray,
) -> float:
    """Return it for a matrix given by its cells.

    Args:
        row, column, p: (n_cells,) indices and values, which sum to 1.
        px, py: (n_levels,) row and column sums.
        symmetrical: the matrix equals its transpose.
        parent, place: int64 scratch of at least 2 * n_levels.
        matrix, work: float64 scratch of at least (n_levels, n_levels) and (2, n_levels).
    """
    rows = 0
    parts = 0
    for i in range(n_levels):
        parent[i] = i
        parent[n_levels + i] = n_levels + i
        if px[i] > 0:
            place[i] = rows
            rows += 1
            parts += 1
        if py[i] > 0:
            parts += 1
    columns = parts - rows
    for k in range(n_cells):
        a = _root(parent, row[k])
        b = _root(parent, n_levels + column[k])
        if a != b:
            parent[a] = b
            parts -= 1
    if parts > 1:
        return 1.0
    if rows == 1 or columns == 1:
        return 0.0
    for i in range(rows):
        for j in range(rows):
            matrix[i, j] = 0.0
    if symmetrical:
        for k in range(n_cells):
            matrix[place[row[k]], place[column[k]]] = p[k] / math.sqrt(px[row[k]] * py[column[k]])
    else:  # times its transpose: cells of equal column meet
        for k in range(n_cells):
            for m in range(n_cells):
                if column[k] == column[m]:
                    matrix[place[row[k]], place[row[m]]] += p[k] * p[m] / py[column[k]]
        for i in range(n_levels):
            if px[i] > 0:
                for j in range(n_levels):
                    if px[j] > 0:
                        matrix[place[i], place[j]] /= math.sqrt(px[i] * px[j])
    for i in range(n_levels):
        if px[i] > 0:
            for j in range(n_levels):
                if px[j] > 0:
                    matrix[place[i], place[j]] -= math.sqrt(px[i] * px[j])
    largest = largest_magnitude(matrix, rows, work[0], work[1])
    if not symmetrical:
        largest = math.sqrt(largest)
    return min(largest, 1.0) if largest > TINY else 0.0


@njit
def largest_magnitude(matrix: np.ndarray, n: int, diagonal: np.ndarray, beside: np.ndarray) -> float:
    """Return the largest |eigenvalue| of the symmetric ``matrix[:n, :n]``, which is overwritten."""
    if n == 2:
        half = (matrix[0, 0] + matrix[1, 1]) / 2
        return abs(half) + math.hypot((matrix[0, 0] - matrix[1, 1]) / 2, matrix[1, 0])
    _three_diagonals(matrix, n, diagonal, beside)
    for low in range(n):
        for _ in range(60):
            m = low
            while m < n - 1 and abs(beside[m]) > 1e-16 * (abs(diagonal[m]) + abs(diagonal[m + 1])):
                m += 1
            if m == low:
                break
            # a step of implicit QL between low and m, shifted towards the eigenvalue of the corner
            g = (diagonal[low + 1] - diagonal[low]) / (2 * beside[low])
            r = math.hypot(g, 1.0)
            g = diagonal[m] - diagonal[low] + beside[low] / (g + math.copysign(r, g))
            sine, cosine, lost = 1.0, 1.0, 0.0
            broke = False
            for i in range(m - 1, low - 1, -1):
                f = sine * beside[i]
                b = cosine * beside[i]
                r = math.hypot(f, g)
                beside[i + 1] = r
                if r == 0.0:
                    diagonal[i + 1] -= lost
                    beside[m] = 0.0
                    broke = True
                    break
                sine = f / r
                cosine = g / r
                g = diagonal[i + 1] - lost
                r = (diagonal[i] - g) * sine + 2 * cosine * b
                lost = sine * r
                diagonal[i + 1] = g + lost
                g = cosine * r - b
            if not broke:
                diagonal[low] -= lost
                beside[low] = g
                beside[m] = 0.0
    largest = 0.0
    for i in range(n):
        largest = max(largest, abs(diagonal[i]))
    return largest


@njit
def _three_diagonals(matrix: np.ndarray, n: int, diagonal: np.ndarray, beside: np.ndarray) -> None:
    """Householder's reduction: ``diagonal[:n]`` and ``beside[: n - 1]`` of a similar tridiagonal matrix."""
    for k in range(n - 1):
        # reflect the part of column k below the diagonal onto its first entry
        norm = 0.0
        for i in range(k + 1, n):
            norm += matrix[i, k] * matrix[i, k]
        norm = math.sqrt(norm)
        head = matrix[k + 1, k]
        rest = 0.0
        for i in range(k + 2, n):
            rest = max(rest, abs(matrix[i, k]))
        if rest == 0.0:
            beside[k] = head
            continue
        alpha = -math.copysign(norm, head)
        beside[k] = alpha
        matrix[k + 1, k] = head - alpha
        scale = norm * (norm + abs(head))  # half the squared length of the reflecting vector
        for i in range(k + 1, n):
            total = 0.0
            for j in range(k + 1, i + 1):
                total += matrix[i, j] * matrix[j, k]
            for j in range(i + 1, n):
                total += matrix[j, i] * matrix[j, k]
            diagonal[i] = total / scale
        inner = 0.0
        for i in range(k + 1, n):
            inner += diagonal[i] * matrix[i, k]
        inner /= 2 * scale
        for i in range(k + 1, n):
            diagonal[i] -= inner * matrix[i, k]
        for i in range(k + 1, n):
            for j in range(k + 1, i + 1):
                matrix[i, j] -= matrix[i, k] * diagonal[j] + diagonal[i] * matrix[j, k]
    for i in range(n):
        diagonal[i] = matrix[i, i]
    beside[n - 1] = 0.0
