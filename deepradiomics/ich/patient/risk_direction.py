"""In which direction of a network's latents does a patient's risk rise?

Trees have no gradient, so the slope of the probability along each component is that of a secant, one standard
deviation of the training cohort to either side of the patient::

    slope_j = (p(x + s_j e_j) − p(x − s_j e_j)) / (width of the step)

Through the components (a factorisation and a scaling, both linear) the slopes become a direction v in the space of
the latents; <v, latents> is the scalar that Grad-CAM explains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deepradiomics.errors import InputError

if TYPE_CHECKING:
    from deepradiomics.modelling.components.nmf_components import Components
    from deepradiomics.modelling.frozen import FrozenModel


def risk_slopes(
    model: FrozenModel, row: np.ndarray, background: np.ndarray, wanted: np.ndarray | None = None
) -> np.ndarray:
    """Return the secant slope of the probability along each column.

    Args:
        model: the frozen classifier.
        row: (p,) the patient's columns.
        background: (b, p) training rows: one standard deviation of theirs is the half-width of the step. A step does
            not leave the range of background and patient, so that no component turns negative.
        wanted: bool (p,), the columns whose slope is asked for (all by default); a forest takes its time for each.

    Returns:
        (p,) change of the probability per unit of the column; 0 where a column never varied or is not wanted.

    Raises:
        InputError: row and background differ in width.

    Example: with p = x₀ / 10 and a background of spread 1 the slope is 0.1 along x₀ and 0 elsewhere.
    """
    row, background = np.asarray(row, float).ravel(), np.asarray(background, float)
    if background.ndim != 2 or background.shape[1] != row.size:
        raise InputError(f"background: expected (rows, {row.size}), got shape {background.shape}.")
    spread = background.std(axis=0)
    low = np.maximum(row - spread, np.minimum(background.min(axis=0), row))
    high = np.minimum(row + spread, np.maximum(background.max(axis=0), row))
    width = high - low
    columns = np.flatnonzero(width > 0 if wanted is None else (width > 0) & wanted)
    slopes = np.zeros(row.size)
    if columns.size:
        steps = np.repeat(row[None], 2 * columns.size, axis=0)  # (2 columns, p): first all low ends, then all high
        ends = np.arange(columns.size)
        steps[ends, columns] = low[columns]
        steps[columns.size + ends, columns] = high[columns]
        p = np.asarray(model.probability(steps), float)
        slopes[columns] = (p[columns.size :] - p[: columns.size]) / width[columns]
    return slopes


def latent_directions(block: Components, slopes: np.ndarray) -> np.ndarray:
    """Return, for each outcome, the direction in the space of a network's latents in which its risk rises.

    Args:
        block: the components of the latents.
        slopes: (outcomes, k) of :func:`risk_slopes`, the block's columns.

    Returns:
        (outcomes, latents); 0 where the risk does not answer to the block.
    """
    return block.direction(slopes)
