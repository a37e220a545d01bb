"""IBSI's morphology (HCUG): the form of the morphological mask, and where the grey values lie in it.

Surface and volume come from the mesh as in PyRadiomics. Axis lengths come from the covariance of the voxel centres,
here divided by their number less one: the manual does not say, but IBSI's reference values are those. Added are
asphericity, the shift of the centre of mass, integrated intensity, and how well the region fills its convex hull.
"""

import numpy as np

from deepradiomics.radiomics.compute import region_shape
from deepradiomics.radiomics.features.mesh import vertices

Spacing = tuple[float, float, float]


def morphology(
    values: np.ndarray, morphological: np.ndarray, intensity: np.ndarray, spacing: Spacing
) -> dict[str, float]:
    """Return the morphological features of one ROI.

    Args:
        values: grey values (z, y, x).
        morphological: the ROI as drawn, bool (z, y, x).
        intensity: the ROI after re-segmentation, bool (z, y, x).
        spacing: voxel spacing in mm (z, y, x).
    """
    box = tuple(slice(features.min(), features.max() + 1) for features in np.nonzero(morphological))
    features = region_shape(morphological[box], spacing)
    n = int(np.count_nonzero(morphological))
    features |= {
        axis: features[axis] * np.sqrt(n / (n - 1))
        for axis in ("MajorAxisLength", "MinorAxisLength", "LeastAxisLength")
    }
    volume, area = features["MeshVolume"], features["SurfaceArea"]
    hull_volume, hull_area = convex_hull(morphological[box], spacing)
    weights = values[intensity].astype(float)
    shift = np.nan
    if weights.sum() != 0:
        centre = np.argwhere(morphological).mean(axis=0)
        weighted = weights @ np.argwhere(intensity) / weights.sum()
        shift = float(np.linalg.norm((weighted - centre) * np.array(spacing)))
    return features | {
        "AreaDensityConvexHull": area / hull_area if hull_area else np.nan,
        "Asphericity": (area**3 / (36 * np.pi * volume**2)) ** (1 / 3) - 1 if volume else np.nan,
        "CentreOfMassShift": shift,
        "IntegratedIntensity": float(weights.mean() * volume),
        "VolumeDensityConvexHull": volume / hull_volume if hull_volume else np.nan,
    }


def convex_hull(mask: np.ndarray, spacing: Spacing) -> tuple[float, float]:
    """Return volume (mm³) and area (mm²) of the convex hull of a mask's mesh; mask bool (z, y, x)."""
    from scipy.spatial import ConvexHull

    hull = ConvexHull(vertices(mask) * (np.array(spacing) / 2))
    return float(hull.volume), float(hull.area)
