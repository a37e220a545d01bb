"""PyRadiomics' deprecated features: given when named, with its values; those that it has withdrawn are not given."""

import warnings

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.radiomics import extract

GIVEN = {
    "firstorder": ["StandardDeviation"],
    "shape": ["Compactness1", "Compactness2", "SphericalDisproportion"],
    "shape2D": ["SphericalDisproportion"],
}
WITHDRAWN = {
    "glcm": ["Dissimilarity", "Homogeneity1", "Homogeneity2", "SumVariance"],
    "gldm": ["GrayLevelNonUniformityNormalized", "DependencePercentage"],
}


def _pair(flat: bool) -> tuple[sitk.Image, sitk.Image]:
    rng = np.random.default_rng(0)
    mask = np.zeros((6, 9, 8), np.uint8)
    mask[(slice(2, 3) if flat else slice(1, 5)), 1:8, 2:7] = rng.random((1 if flat else 4, 7, 5)) < 0.8
    image = sitk.GetImageFromArray(rng.integers(-50, 300, mask.shape).astype(np.int16))
    region = sitk.GetImageFromArray(mask)
    for volume in (image, region):
        volume.SetSpacing((0.7, 1.2, 3.0))
    return image, region


def _theirs(image: sitk.Image, mask: sitk.Image, params: dict) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        radiomics = pytest.importorskip("radiomics")
        from radiomics import featureextractor

        radiomics.setVerbosity(60)
        extractor = featureextractor.RadiomicsFeatureExtractor(
            {**params, "setting": {**params["setting"], "additionalInfo": False}}
        )
        return {name: float(value) for name, value in extractor.execute(image, mask).items()}


def test_the_list_is_the_one_of_pyradiomics() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("radiomics")
        from radiomics import featureextractor

        classes = featureextractor.getFeatureClasses()
    deprecated = {f: {n for n, old in c.getFeatureNames().items() if old} for f, c in classes.items()}
    assert {f: names for f, names in deprecated.items() if names} == {
        f: set(names) for f, names in (GIVEN | WITHDRAWN).items()
    }


@pytest.mark.parametrize("family", GIVEN)
def test_deprecated_features_are_given_when_named(family: str) -> None:
    flat = family == "shape2D"
    beside = {"firstorder": "Variance", "shape": "Sphericity", "shape2D": "Sphericity"}[family]
    params = {"featureClass": {family: [*GIVEN[family], beside]}, "setting": {"force2D": True} if flat else {}}
    image, mask = _pair(flat)
    ours, theirs = extract(image, mask, params), _theirs(image, mask, params)
    assert list(ours) == list(theirs)
    assert len(ours) == len(GIVEN[family]) + 1
    assert dict(ours) == pytest.approx(theirs, rel=1e-9)
    without = extract(image, mask, {**params, "featureClass": {family: []}})
    assert not {f"original_{family}_{name}" for name in GIVEN[family]} & set(without)
    assert f"original_{family}_{beside}" in without


@pytest.mark.parametrize("family", WITHDRAWN)
def test_withdrawn_features_are_not_given_and_the_reader_is_told_what_equals_them(family: str) -> None:
    params = {"featureClass": {family: [*WITHDRAWN[family], "GrayLevelVariance" if family == "gldm" else "Contrast"]},
              "setting": {}}  # fmt: skip
    image, mask = _pair(False)
    ours = extract(image, mask, params)
    assert list(ours) == list(_theirs(image, mask, params))
    assert len(ours) == 1
    for name in WITHDRAWN[family]:
        assert any(f"{family} {name} is not computed: it equals" in w for w in ours.diagnostics["warnings"]), name
