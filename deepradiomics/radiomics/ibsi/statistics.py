"""IBSI's intensity statistics (UHIW): grey values of the intensity mask, whatever their place.

Where PyRadiomics gives the same quantity its formula is used; IBSI adds three, and its kurtosis is the excess over a
normal distribution. Entropy and Uniformity belong to IBSI's intensity histogram (ZVCW).
"""

import numpy as np

from deepradiomics import kernels as compiled
from deepradiomics.radiomics.compute import formulas
from deepradiomics.radiomics.region.region import LevelRegion


def statistics(values: np.ndarray, levels: LevelRegion | None) -> dict[str, float]:
    """Return the statistics of one ROI.

    Args:
        values: (N,) grey values.
        levels: its grey levels for Entropy and Uniformity; None leaves these out.
    """
    x = values.astype(float)
    counts = np.ones((1, 1)) if levels is None else levels.histogram()[None]
    formula = formulas(compiled.available())["firstorder"]
    features = {name: float(value[0]) for name, value in formula(x[None], counts, 1.0).items()}
    q25, q75 = np.percentile(x, [25, 75])
    variance, mean = features["Variance"], features["Mean"]
    features["ExcessKurtosis"] = features["Kurtosis"] - 3 if variance > 0 else 0.0
    features["MedianAbsoluteDeviation"] = float(np.abs(x - features["Median"]).mean())
    features["CoefficientOfVariation"] = float(np.sqrt(variance) / mean) if mean != 0 else np.nan
    features["QuartileCoefficientOfDispersion"] = float((q75 - q25) / (q75 + q25)) if q75 + q25 != 0 else np.nan
    if levels is None:
        del features["Entropy"], features["Uniformity"]
    return features
