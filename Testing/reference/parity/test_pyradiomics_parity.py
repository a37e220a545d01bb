"""Every feature equals PyRadiomics 3.0.1's within 1e-6, on real images, patches, and random images and masks."""

import os
from pathlib import Path

import pytest

from deepradiomics.images import mask_from_sitk, volume_from_sitk
from deepradiomics.radiomics import extract, extract_patches, family_of
from Testing.reference.parity import oracle
from Testing.reference.parity.compare import FAMILIES
from Testing.reference.parity.parity_cases import ParityCase, all_cases, patch_pair, random_pair
from Testing.reference.parity.parity_matrix import quick_cases

CASES = {case.name: case for case in [*all_cases(), *quick_cases()]}


def _theirs(case: ParityCase, pair: tuple) -> dict[str, float]:
    needs_lbp = any(name.startswith("LBP") for name in case.params.get("imageType", {}))
    live = oracle.is_live() and (oracle.has_lbp() or not needs_lbp)
    return oracle.live_values(*pair, case.params) if live else oracle.frozen_values(case)


def _folder(case: ParityCase, request: pytest.FixtureRequest) -> Path | None:
    return None if case.kind == "random" else request.getfixturevalue("data_dir")


@pytest.mark.parametrize("name", CASES)
def test_every_feature_equals_pyradiomics(name: str, request: pytest.FixtureRequest) -> None:
    case = CASES[name]
    pair = case.load(_folder(case, request))
    ours, theirs = extract(*pair, case.params), _theirs(case, pair)
    assert list(ours) == list(theirs), "the same features in the same order"
    differences = {key: oracle.relative_difference(key, ours[key], theirs[key]) for key in theirs}
    assert {key: (d, ours[key], theirs[key]) for key, d in differences.items() if d > oracle.TOLERANCE} == {}


def test_the_cases_reach_every_family_and_image_type(data_dir: Path) -> None:
    keys = [key for case in quick_cases() for key in oracle.frozen_values(case)]
    assert {family_of(key) for key in keys} == set(FAMILIES)
    assert {key.split("_")[0].split("-")[0] for key in keys} == {
        "original", "wavelet", "wavelet2", "log", "square", "squareroot", "logarithm", "exponential", "gradient", "lbp",
    }  # fmt: skip
    assert len(oracle.frozen_values(CASES["breast1, default"])) == 107


def test_patches_of_one_exam_equal_pyradiomics_patch_by_patch(data_dir: Path) -> None:
    image, mask = patch_pair(data_dir)
    volume, labels = volume_from_sitk(image, "sagittal"), mask_from_sitk(mask).labels
    batch = extract_patches([volume], labels, "fingerprint-107")
    for j in range(1, 9):
        theirs = _theirs(CASES[f"patch {j} of brain1"], (image, mask))
        for k, key in enumerate(batch.feature_names):
            assert oracle.relative_difference(key, batch.values[j - 1, 0, k], theirs[key]) <= oracle.TOLERANCE, (j, key)


@pytest.mark.skipif(not oracle.is_live(), reason="PyRadiomics is not installed here")
@pytest.mark.parametrize("name", ["breast1, default", "random 3", "random 7", "breast1, force2D, axis 1"])
def test_the_frozen_values_are_those_of_the_live_oracle(name: str, request: pytest.FixtureRequest) -> None:
    case = CASES[name]
    live, frozen = oracle.live_values(*case.load(_folder(case, request)), case.params), oracle.frozen_values(case)
    assert all(oracle.relative_difference(key, frozen[key], live[key]) <= oracle.TOLERANCE for key in live)


@pytest.mark.slow
@pytest.mark.skipif(not oracle.is_live(), reason="PyRadiomics is not installed here")
def test_hundreds_of_further_random_cases_equal_pyradiomics() -> None:
    from Testing.reference.parity.parity_cases import random_params

    for seed in range(1000, 1000 + int(os.environ.get("DEEPRADIOMICS_FUZZ", "200"))):
        pair, params = random_pair(seed), random_params(seed)
        params["setting"] |= {"binCount": 2 + seed % 40} if "binCount" in params["setting"] else {}
        ours, theirs = extract(*pair, params), oracle.live_values(*pair, params)
        wrong = {k: (ours[k], theirs[k]) for k in theirs if oracle.relative_difference(k, ours[k], theirs[k]) > 1e-6}
        assert wrong == {}, (seed, wrong)


@pytest.mark.skipif(not oracle.is_live(), reason="PyRadiomics is not installed here")
def test_features_on_request_equal_pyradiomics() -> None:
    pair = random_pair(3)
    params = {"featureClass": {
        "firstorder": ["StandardDeviation"],
        "shape": ["Compactness1", "Compactness2", "SphericalDisproportion"],
    }}  # fmt: skip
    ours, theirs = extract(*pair, params), oracle.live_values(*pair, params)
    assert list(ours) == list(theirs)
    assert dict(ours) == pytest.approx(theirs, rel=oracle.TOLERANCE)
