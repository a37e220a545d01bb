"""The undecimated wavelet transform as PyRadiomics takes it from PyWavelets, to the last bit, of a part of the image.

Each axis is filtered once with a low-pass and a high-pass filter, x first; what two sub-bands have in common is
computed once. The image is periodic; an odd axis is first made even by its own first voxel. Every further level filters
the approximation again, with the same filter (no holes between its taps), as PyRadiomics does.

A box needs only its surroundings, unless they cross an end of the image: then the whole axis is taken.

PyWavelets, which 3D Slicer does not bundle, is imported by the functions that filter; sub-bands are named without it.
"""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from deepradiomics import kernels as compiled
from deepradiomics.errors import InputError
from deepradiomics.radiomics.filters.boundary import Box
from deepradiomics.radiomics.settings.image_prefixes import wavelet_names
from deepradiomics.threads import map_threads

if TYPE_CHECKING:
    import pywt

Span = tuple[int, int]


def wavelet_images(
    voxels: np.ndarray,
    wavelet: str = "coif1",
    level: int = 1,
    start_level: int = 0,
    axes: Sequence[int] = (2, 1, 0),
    *,
    box: Box | None = None,
    threads: int = 1,
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each sub-band, with the prefix of its keys, in PyRadiomics' order; at most eight are in memory at a time.

    Args:
        voxels: (z, y, x), finite; float32 stays float32, all else becomes float64.
        wavelet: a discrete wavelet of PyWavelets.
        level: how many levels are yielded, the first being ``start_level`` (0 is the finest).
        start_level: how many levels are passed over.
        axes: numpy axes to filter, in this order.
        box: the part wanted (z, y, x); None for all.
        threads: how many to use; the numbers do not depend on it.

    Raises:
        InputError: PyWavelets has no such wavelet.
    """
    dtype = np.dtype(np.float32 if voxels.dtype in (np.float16, np.float32) else np.float64)
    bank = _bank(wavelet, dtype)
    total = start_level + level
    even = tuple(n + n % 2 for n in voxels.shape)
    wanted = [side.indices(n)[:2] for side, n in zip(box or (slice(None),) * 3, voxels.shape, strict=True)]
    spans = [wanted]  # of the image that enters each level and, last, of the result, by axis
    for _ in range(total):
        before = [
            _needed(span, even[axis], len(bank[0])) if axis in axes else span for axis, span in enumerate(spans[0])
        ]
        spans.insert(0, before)
    data = _padded(voxels, spans[0]).astype(dtype)
    names = iter(wavelet_names(level, len(axes)))
    for k in range(total):
        keep_details = k >= start_level
        approximation = None
        tree = _split(data, tuple(axes), spans[k], spans[k + 1], even, wavelet, bank, threads, keep_details)
        del data
        for band, image in tree:
            if "H" not in band:
                approximation = image
            else:
                yield next(names), _cut(image, spans[k + 1], wanted)
        assert approximation is not None
        data = approximation
    yield next(names), data


def _split(
    data: np.ndarray,
    axes: tuple[int, ...],
    spans_in: list[Span],
    wanted: list[Span],
    even: tuple[int, ...],
    wavelet: str,
    bank: tuple[np.ndarray, np.ndarray],
    threads: int,
    details: bool,
    band: str = "",
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the sub-bands of one level, depth first, so that few images live at a time."""
    if not axes:
        yield band, data
        return
    axis = axes[0]
    low, high = _pass(data, axis, spans_in[axis], wanted[axis], even[axis], wavelet, bank, threads)
    spans_in = [wanted[a] if a == axis else span for a, span in enumerate(spans_in)]
    del data
    yield from _split(low, axes[1:], spans_in, wanted, even, wavelet, bank, threads, details, band + "L")
    del low
    if details:
        yield from _split(high, axes[1:], spans_in, wanted, even, wavelet, bank, threads, details, band + "H")


def _pass(
    data: np.ndarray,
    axis: int,
    spans_in: Span,
    wanted: Span,
    size: int,
    wavelet: str,
    bank: tuple[np.ndarray, np.ndarray],
    threads: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the low-pass and the high-pass of one axis, on the span wanted."""
    if _compiled_agrees(data.dtype.str):
        order, index, first, last = _taps(size, len(bank[0]), spans_in, wanted)
        return _compiled_pass(data, axis, bank, order, index, first, last, threads)
    odd = data.shape[axis] % 2
    if odd:  # PyWavelets wants even axes; this voxel reaches none of those wanted
        data = np.concatenate([data, data.take([-1], axis)], axis)
    import pywt

    low, high = pywt.swt(data, wavelet, level=1, axis=axis)[0]
    part = [slice(None)] * 3
    part[axis] = slice(wanted[0] - spans_in[0], wanted[1] - spans_in[0])
    return low[tuple(part)], high[tuple(part)]


@lru_cache(256)
def _taps(size: int, length: int, spans_in: Span, wanted: Span) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Return for each voxel wanted the filter taps in PyWavelets' order of summation, and the voxel each one meets.

    Returns:
        order, index: int (voxels, taps); the first and the last + 1 voxel whose taps run 0, 1, 2 … over neighbours.
    """
    order = np.empty((wanted[1] - wanted[0], length), np.int64)
    end = np.arange(wanted[0], wanted[1]) + length // 2  # the voxel that tap 0 meets
    for row, i in zip(order, end.tolist(), strict=True):
        beyond = max(i - size + 1, 0)  # taps that have wrapped round the upper end come first, in reverse
        row[:] = [*range(beyond - 1, -1, -1), *range(beyond, length)]
    index = (end[:, None] - order) % size - spans_in[0]
    plain = (end < size) & (end - length + 1 >= 0)
    inside = np.flatnonzero(plain)
    first, last = (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)
    return order, index, first, last


def _compiled_pass(
    data: np.ndarray,
    axis: int,
    bank: tuple[np.ndarray, np.ndarray],
    order: np.ndarray,
    index: np.ndarray,
    first: int,
    last: int,
    threads: int,
) -> tuple[np.ndarray, np.ndarray]:
    from deepradiomics.radiomics.filters.compiled import wavelet as wavelet_cpu

    data = np.ascontiguousarray(data)
    shape = (*data.shape[:axis], len(order), *data.shape[axis + 1 :])
    low, high = np.empty(shape, data.dtype), np.empty(shape, data.dtype)
    if axis == 2:
        rows = data.reshape(-1, data.shape[2])
        flat = low.reshape(len(rows), -1), high.reshape(len(rows), -1)
        chunks = parts(len(rows), threads)
        map_threads(
            lambda p: wavelet_cpu.along_rows(rows, *flat, *bank, order, index, first, last, *p), chunks, threads
        )
    else:
        columns = (-1, data.shape[axis], int(np.prod(data.shape[axis + 1 :])))
        stack = data.reshape(columns)
        outputs = low.reshape(len(stack), len(order), -1), high.reshape(len(stack), len(order), -1)
        chunks = parts(stack.shape[2], threads)
        map_threads(lambda p: wavelet_cpu.along_columns(stack, *outputs, *bank, order, index, *p), chunks, threads)
    return low, high


def parts(count: int, threads: int) -> list[Span]:
    """Return as many equal ranges of [0, count) as there are threads."""
    edges = np.linspace(0, count, threads + 1).astype(int).tolist()
    return list(pairwise(edges))


@cache
def _compiled_agrees(dtype: str) -> bool:
    """Tell whether the compiled passes give PyWavelets' bits on this machine (fused multiply-add may differ)."""
    import pywt

    if not compiled.available():
        return False
    data = np.random.default_rng(0).normal(size=(8, 10, 12)).astype(dtype)
    bank = _bank("coif1", data.dtype)
    for axis, size in enumerate(data.shape):
        ours = _compiled_pass(data, axis, bank, *_taps(size, 6, (0, size), (0, size)), 1)
        theirs = pywt.swt(data, "coif1", level=1, axis=axis)[0]
        if not all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True)):
            return False
    return True


@lru_cache(256)
def _bank(wavelet: str, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Return the low-pass and high-pass taps, as answers to an impulse: PyWavelets rounds them itself for float32."""
    import pywt

    length = known_wavelet(wavelet).dec_len
    impulse = np.zeros(4 * length, dtype)
    impulse[2 * length] = 1
    first = 2 * length - length // 2
    low, high = pywt.swt(impulse, wavelet, level=1)[0]
    return low[first : first + length], high[first : first + length]


def known_wavelet(name: str) -> "pywt.Wavelet":
    """Return a discrete wavelet.

    Raises:
        InputError: there is none of this name; near matches are named.
    """
    import pywt

    known = pywt.wavelist(kind="discrete")
    if name not in known:
        near = get_close_matches(str(name), known, 3, 0.5)
        hint = f"did you mean {', '.join(near)}?" if near else f"known families: {', '.join(pywt.families())}."
        raise InputError(f"wavelet: PyWavelets has no discrete wavelet {name!r}; {hint}")
    return pywt.Wavelet(name)


def _needed(wanted: Span, size: int, length: int) -> Span:
    """Return the voxels of one axis that a filter of this length looks at; all of it when it reaches over an end."""
    low, high = wanted[0] + length // 2 - length + 1, wanted[1] + length // 2
    return (0, size) if low < 0 or high > size else (low, high)


def _padded(voxels: np.ndarray, spans: list[Span]) -> np.ndarray:
    """Return a part of the image made even: an odd axis ends with its own first voxel."""
    for axis, (low, high) in enumerate(spans):
        size = voxels.shape[axis]
        if high > size:
            voxels = voxels.take(np.arange(low, high) % size, axis)
        else:
            part = [slice(None)] * 3
            part[axis] = slice(low, high)
            voxels = voxels[tuple(part)]
    return voxels


def _cut(image: np.ndarray, spans_in: list[Span], wanted: list[Span]) -> np.ndarray:
    return image[tuple(slice(w[0] - g[0], w[1] - g[0]) for g, w in zip(spans_in, wanted, strict=True))]
