"""Where the factorisation begins: from the singular vectors (NNDSVDa), or at random; as in scikit-learn.

Source of NNDSVD: Boutsidis & Gallopoulos, Pattern Recognit 2008;41:1350-1362.
"""

from __future__ import annotations

import numpy as np


def nndsvda(X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return W (n, k) and H (k, p) from the k leading singular pairs; zeros are filled with the mean of X.

    The singular vectors are exact, of the Gram matrix of the shorter side (scikit-learn draws them at random).
    """
    U, S, V = singular(X, k)
    n, p = X.shape
    W, H = np.zeros((n, k), X.dtype), np.zeros((k, p), X.dtype)
    W[:, 0], H[0] = np.sqrt(S[0]) * np.abs(U[:, 0]), np.sqrt(S[0]) * np.abs(V[0])
    for j in range(1, k):
        left, right = U[:, j], V[j]
        halves = [(np.maximum(s * left, 0), np.maximum(s * right, 0)) for s in (1, -1)]
        sizes = [(float(np.linalg.norm(u)), float(np.linalg.norm(v))) for u, v in halves]
        best = int(sizes[1][0] * sizes[1][1] >= sizes[0][0] * sizes[0][1])
        (u, v), (a, b) = halves[best], sizes[best]
        if a * b == 0.0:
            continue
        scale = np.sqrt(S[j] * a * b)
        W[:, j], H[j] = scale * u / a, scale * v / b
    mean = X.dtype.type(X.mean(dtype=np.float64))
    for factor in (W, H):
        factor[factor < 1e-6] = 0
        factor[factor == 0] = mean
    return W, H


def random_start(X: np.ndarray, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return half-normal W (n, k) and H (k, p) whose product has about the mean of X; scikit-learn's numbers."""
    generator = np.random.RandomState(seed)
    scale = np.sqrt(X.mean(dtype=np.float64) / k)
    H = scale * np.abs(generator.standard_normal((k, X.shape[1])))
    W = scale * np.abs(generator.standard_normal((X.shape[0], k)))
    return W.astype(X.dtype), H.astype(X.dtype)


def singular(X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the k leading singular triplets: U (n, k), S (k,), V (k, p); the products are summed in float64."""
    if X.shape[0] > X.shape[1]:
        V, S, U = singular(X.T, k)
        return U.T, S, V.T
    n, p = X.shape
    gram = np.zeros((n, n))
    step = max(1, 2**24 // n)  # columns: 128 MB in float64
    for start in range(0, p, step):
        part = X[:, start : start + step].astype(np.float64)
        gram += part @ part.T
    values, vectors = np.linalg.eigh(gram)
    order = np.argsort(values)[::-1][:k]
    S = np.sqrt(np.maximum(values[order], 0.0))
    U = vectors[:, order]
    inverse = np.divide(1.0, S, out=np.zeros_like(S), where=1e-7 * S[0] < S)
    V = (U * inverse).T.astype(X.dtype) @ X
    return U.astype(X.dtype), S, V
