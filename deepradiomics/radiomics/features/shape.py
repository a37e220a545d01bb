"""Shape: size and form of the ROI, whatever its grey values. IBSI HCUG; formulas as in PyRadiomics."""

import numpy as np

from deepradiomics.radiomics.features.diameters import largest_distances
from deepradiomics.radiomics.features.mesh import area_and_volume, vertices

Measures = tuple[float, float, np.ndarray, np.ndarray]


def shape_features(
    mask: np.ndarray, spacing_mm: tuple[float, float, float], measured: Measures | None = None
) -> dict[str, float]:
    """Return the shape features of one region.

    Args:
        mask: bool (z, y, x), cropped to the region's bounding box.
        spacing_mm: voxel spacing (z, y, x).
        measured: what :func:`measure` gives, where a compiled pass has measured it already.
    """
    area, volume, distances, variances = measured or measure(mask, spacing_mm)
    in_slice, in_column, in_row, in_space = distances
    least, minor, major = variances
    sphere = (36 * np.pi * volume**2) ** (1 / 3)  # area of the ball of this volume
    features = {
        "Compactness1": volume / (area**1.5 * np.sqrt(np.pi)),
        "Compactness2": 36 * np.pi * volume**2 / area**3,
        "Elongation": np.sqrt(minor / major),
        "Flatness": np.sqrt(least / major),
        "LeastAxisLength": 4 * np.sqrt(least),
        "MajorAxisLength": 4 * np.sqrt(major),
        "Maximum2DDiameterColumn": in_column,
        "Maximum2DDiameterRow": in_row,
        "Maximum2DDiameterSlice": in_slice,
        "Maximum3DDiameter": in_space,
        "MeshVolume": volume,
        "MinorAxisLength": 4 * np.sqrt(minor),
        "Sphericity": sphere / area,
        "SphericalDisproportion": area / sphere if sphere > 0 else np.inf,
        "SurfaceArea": area,
        "SurfaceVolumeRatio": area / volume if volume else np.inf,
        "VoxelVolume": np.count_nonzero(mask) * np.prod(spacing_mm),
    }
    return {name: float(value) for name, value in features.items()}


def measure(mask: np.ndarray, spacing_mm: tuple[float, float, float]) -> Measures:
    """Area (mm²), volume (mm³), largest distances (4,) and principal variances (3,) of one region."""
    area, volume = area_and_volume(mask, spacing_mm)
    return area, volume, largest_distances(vertices(mask), spacing_mm), principal_variances(mask, spacing_mm)


def principal_variances(mask: np.ndarray, spacing_mm: tuple[float, ...]) -> np.ndarray:
    """Return the eigenvalues (mm²), ascending, of the covariance of the voxel (or pixel) centres."""
    points = np.argwhere(mask) * np.array(spacing_mm)
    points -= points.mean(axis=0)
    points /= np.sqrt(len(points))
    return np.maximum(np.linalg.eigvalsh(points.T @ points), 0)
