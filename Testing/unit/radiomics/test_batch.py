"""extract_patches equals one extract for each patch and view, and names a patch that cannot be used."""

import numpy as np
import pytest

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.radiomics import extract, extract_patches

GRID = Geometry((10, 9, 6), (1.0, 1.5, 2.0))


def _views() -> list[Volume]:
    rng = np.random.default_rng(1)
    return [Volume(rng.normal(0, 150, GRID.shape), GRID, name) for name in ("axial", "coronal", "sagittal")]


def _patches() -> np.ndarray:
    z, y, x = np.indices(GRID.shape)
    return (1 + (z >= 3) * 4 + (y >= 4) * 2 + (x >= 5)).astype(np.int32)


def test_a_batch_equals_single_extractions() -> None:
    rng = np.random.default_rng(2)
    views, patches, foreground = _views(), _patches(), rng.random(GRID.shape) < 0.8
    batch = extract_patches(views, patches, foreground=foreground)
    assert batch.values.shape == (8, 3, 107)
    for j in (1, 4, 8):
        mask = Mask((patches == j) & foreground, GRID)
        for v, view in enumerate(views):
            single = extract(view, mask)
            assert tuple(single) == batch.feature_names
            np.testing.assert_allclose(batch.values[j - 1, v], list(single.values()), rtol=1e-9, err_msg=f"{j} {v}")


def test_labels_may_be_permuted() -> None:
    views, patches = _views(), _patches()
    order = np.array([0, 3, 1, 2, 8, 7, 6, 5, 4])
    a, b = extract_patches(views, patches), extract_patches(views, order[patches].astype(np.int32))
    np.testing.assert_allclose(b.values[order[1:] - 1], a.values, rtol=1e-12)


def test_a_patch_that_is_undefined_somewhere_says_where_and_why() -> None:
    foreground = np.ones(GRID.shape, bool)
    foreground[:3, :4, :5] = False
    foreground[0, 0, 0] = foreground[2, 1, 3] = True  # patch 1 keeps two voxels that share no line
    batch = extract_patches(_views(), _patches(), foreground=foreground)
    assert "original_glcm_Contrast" in batch.diagnostics["undefined"]["patch 1, coronal"]
    assert set(batch.diagnostics["undefined"]) == {f"patch 1, {v}" for v in ("axial", "coronal", "sagittal")}


def test_empty_and_single_voxel_patches_are_named() -> None:
    patches = _patches()
    with pytest.raises(MaskError, match="patch 3 of 8 is empty: none of its 75 voxels is foreground"):
        extract_patches(_views(), patches, foreground=patches != 3)
    with pytest.raises(MaskError, match="patch 8 of 10 is empty: no voxel has this label"):
        extract_patches(_views(), np.where(patches == 8, 10, patches))
    lonely = np.where(patches == 5, 0, patches)
    lonely[4, 1, 1] = 5
    with pytest.raises(MaskError, match="patch 5: the ROI is a single voxel"):
        extract_patches(_views(), lonely)


def test_views_on_different_grids_and_wrong_shapes_are_refused() -> None:
    other = Volume(np.zeros(GRID.shape), Geometry(GRID.size, (1.0, 1.5, 2.5)), "sagittal")
    with pytest.raises(GeometryError, match="all views must lie on one grid; sagittal"):
        extract_patches([*_views(), other], _patches())
    with pytest.raises(GeometryError, match="patches: expected shape"):
        extract_patches(_views(), _patches()[1:])
    with pytest.raises(InputError, match="whole numbers"):
        extract_patches(_views(), _patches().astype(float))
    with pytest.raises(InputError, match="at least one volume"):
        extract_patches([], _patches())


def test_nan_names_patch_and_view() -> None:
    views = _views()
    voxels = views[1].voxels.copy()
    voxels[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="patch 1, coronal: NaN"):
        extract_patches([views[0], Volume(voxels, GRID, "coronal")], _patches())


def test_settings_that_would_change_the_grid_or_the_mask_are_refused() -> None:
    with pytest.raises(InputError, match="resampledPixelSpacing"):
        extract_patches(_views(), _patches(), {"setting": {"resampledPixelSpacing": [1, 1, 1]}})
    with pytest.raises(InputError, match="resegmentRange"):
        extract_patches(_views(), _patches(), {"setting": {"resegmentRange": [0.0]}})


def test_progress_ends_at_one() -> None:
    seen: list[float] = []
    extract_patches(_views(), _patches(), progress=lambda fraction, message: seen.append(fraction))
    assert seen[-1] == 1


def test_neither_memory_nor_threads_change_a_number() -> None:
    whole = extract_patches(_views(), _patches()).values
    for choice in ({"max_memory_gb": 1e-3}, {"threads": 1}, {"threads": 3}):
        np.testing.assert_allclose(extract_patches(_views(), _patches(), **choice).values, whole, rtol=1e-12)
