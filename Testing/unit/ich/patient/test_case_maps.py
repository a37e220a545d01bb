"""Grad-CAM of a patient: it lies where the lesion lies, points at what was planted, and needs the trained weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("monai")
pytest.importorskip("sklearn")

from deepradiomics.ich.autoencoder.latents import load_autoencoder  # noqa: E402
from deepradiomics.ich.features.patient import CaseFeatures, flattened  # noqa: E402
from deepradiomics.ich.haematoma.lesion import LesionCrop, lesion_crop, regions_on_ct  # noqa: E402
from deepradiomics.ich.patient.gradcam import risk_gradcam  # noqa: E402
from deepradiomics.ich.patient.maps import RiskMaps, bottleneck_gradcam, risk_maps  # noqa: E402
from deepradiomics.ich.predictor import OutcomeModel, Predictor, load_predictor  # noqa: E402
from deepradiomics.images import Geometry, Mask, Volume  # noqa: E402
from deepradiomics.modelling.classifiers import make_classifier  # noqa: E402
from deepradiomics.modelling.components.nmf_components import Components  # noqa: E402
from deepradiomics.modelling.frozen import freeze  # noqa: E402
from deepradiomics.networks.segmenter import load_bundle_segmenter  # noqa: E402
from deepradiomics.phantoms.ich.cohort import ich_exam  # noqa: E402
from deepradiomics.prepare.head.head import HeadRecipe, prepare_head  # noqa: E402
from Testing.unit.ich.tiny_predictor import tiny_bundle  # noqa: E402


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("maps") / "bundle", classifier="elastic-net")


class Case:
    """A patient with the networks of a bundle, explained as apply does it."""

    def __init__(self, bundle: Path) -> None:
        self.predictor = load_predictor(bundle)
        self.encoder = load_bundle_segmenter(bundle / "encoder", device="cpu")
        self.autoencoder = load_autoencoder(bundle / "autoencoder", device="cpu")
        exam = ich_exam(3, followup=False)
        self.ct, self.mask = exam.baseline, exam.mask
        self.crop = self.autoencoder.crop(self.ct, self.mask)
        self.regions = regions_on_ct(self.crop, self.mask, self.ct.geometry)
        self.row = self.predictor.outcomes[0].background[:1]

    def maps(self, **networks: Any) -> RiskMaps:
        given = {"encoder": self.encoder, "autoencoder": self.autoencoder, **networks}
        found = measured(self.ct, self.crop, given["encoder"])
        return risk_maps(self.predictor, self.row, self.regions > 0, self.ct.geometry, found, **given)


def measured(ct: Volume, crop: LesionCrop, encoder: Any) -> CaseFeatures:
    """What the maps need of a patient's features."""
    head = encoder.prepare(ct) if encoder is not None else None
    latents = flattened(encoder.latents_of(head)) if encoder is not None else None
    return CaseFeatures(None, crop, latents, None, head)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def case(bundle: Path) -> Case:
    return Case(bundle)


def test_maps_are_nought_outside_the_dilated_lesion_and_reach_one_inside(case: Case) -> None:
    found = case.maps()
    assert list(found.maps) == ["poor_outcome", "expansion_6ml"]
    for heat in found.maps.values():
        assert heat.geometry == case.ct.geometry
        assert heat.voxels.dtype == np.float32
        assert not heat.voxels[case.regions == 0].any()
        assert heat.voxels.max() == pytest.approx(1.0)
    for share in found.shares.values():
        assert sum(share.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("network", ["encoder", "autoencoder"])
def test_randomised_weights_change_the_map(case: Case, bundle: Path, network: str) -> None:
    """The sanity check of Adebayo et al.: what does not answer to the weights explains the image, not the network."""
    load = {"encoder": load_bundle_segmenter, "autoencoder": load_autoencoder}[network]
    folder = bundle / network
    same, other = load(folder, device="cpu"), load(folder, device="cpu")
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in other.module.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.2)
    inside = case.regions > 0
    for outcome, heat in case.maps().maps.items():
        again = case.maps(**{network: same}).maps[outcome].voxels[inside]
        assert np.array_equal(again, heat.voxels[inside])
        changed = case.maps(**{network: other}).maps[outcome].voxels[inside]
        assert np.abs(changed - heat.voxels[inside]).mean() > 0.02


def test_a_model_without_latents_has_no_map_and_says_so(case: Case) -> None:
    from Testing.unit.ich.tiny_predictor import random_predictor

    found = risk_maps(
        random_predictor(input="shape"), np.zeros((1, 14)), case.regions > 0, case.ct.geometry,
        measured(case.ct, case.crop, None),
    )  # fmt: skip
    assert found.maps == {}
    assert "the input 'shape' holds no latents" in found.notes[0]


def test_at_a_bottleneck_grad_cam_needs_no_gradient(case: Case) -> None:
    """The short way equals Grad-CAM by automatic differentiation, at both scales."""
    head = case.encoder.prepare(case.ct)
    latents = case.encoder.latents_of(head)
    sizes = [found.size for found in latents]
    directions = np.random.default_rng(0).normal(0.3, 1, (2, sum(sizes)))
    for start, found, layer in zip((0, sizes[0]), latents, case.encoder.module.bottleneck_layers, strict=True):
        mine = bottleneck_gradcam(found, directions[:, start : start + found.size])
        assert mine.any()
        large = torch.nn.functional.interpolate(torch.from_numpy(mine)[None], head.image.shape, mode="trilinear")[0]
        expected = risk_gradcam(case.encoder.module, layer, head.image, directions)
        for ours, theirs in zip(large.numpy(), expected, strict=True):
            np.testing.assert_allclose(ours / max(ours.max(), 1e-12), theirs, atol=1e-4)


class Pooled(torch.nn.Module):
    """A network that sees the mean grey level of each block of 4³ voxels, and nothing else."""

    def __init__(self, bottleneck: bool) -> None:
        super().__init__()
        self.pool = torch.nn.Conv3d(1, 1, 4, stride=4, bias=False)
        torch.nn.init.constant_(self.pool.weight, 1 / 64)
        self.bottleneck = bottleneck

    def encode(self, image: Any) -> Any:
        maps = self.pool(image)
        return SimpleNamespace(bottlenecks=(maps,)) if self.bottleneck else (maps, None)


@dataclass(frozen=True)
class Seer:
    """Stands in for a segmenter or an autoencoder around such a network."""

    module: Pooled
    recipe: HeadRecipe
    latent_shapes: tuple[tuple[int, ...], ...]

    @property
    def last_layer(self) -> torch.nn.Module:
        return self.module.pool

    def prepare(self, ct: Volume) -> Any:
        return prepare_head(ct, self.recipe)

    def latents_of(self, head: Any) -> Any:
        with torch.no_grad():
            return tuple(
                found[0].numpy() for found in self.module.encode(torch.from_numpy(head.image)[None, None]).bottlenecks
            )


def oblique_head() -> tuple[Volume, Mask, np.ndarray]:
    """A head on a grid turned about two axes, a haematoma across 46 mm, and a dense clot at one end of it (LPS)."""
    a, b = np.radians(20.0), np.radians(-14.0)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    )
    grid = Geometry((88, 96, 60), (2.0, 2.0, 3.0), (-60.0, -95.0, -110.0), tuple(turn.ravel()))
    z, y, x = np.indices(grid.shape)
    points = grid.index_to_physical(np.stack([x, y, z], -1))
    middle = np.array(grid.centre_mm)
    radius = np.linalg.norm((points - middle) / (70.0, 84.0, 75.0), axis=-1)
    voxels = np.full(grid.shape, -1000.0, np.float32)
    voxels[radius < 1] = 900.0
    voxels[radius < 0.92] = 32.0
    blood = np.linalg.norm((points - middle - (20.0, 10.0, 5.0)) / (12.0, 23.0, 12.0), axis=-1) < 1
    voxels[blood] = 45.0
    clot = middle + np.array([20.0, 26.0, 5.0])  # the posterior end
    voxels[blood & (np.linalg.norm(points - clot, axis=-1) < 7)] = 118.0
    return Volume(voxels, grid), Mask(blood.astype(np.uint8), grid), clot


def rising_predictor(group: str, latents: int) -> Predictor:
    """A model whose risk rises with every latent alike."""
    rng = np.random.default_rng(0)
    level = rng.uniform(0, 1, 40)
    values = level[:, None] + 0.05 * rng.uniform(0, 1, (40, latents))
    block = Components.fit(values, family=group, n_components=2, threads=1)  # type: ignore[arg-type]
    rows = block.transform(values)
    model = freeze(make_classifier("elastic-net").fit(rows, (level > 0.5).astype(int)))
    outcome = OutcomeModel("poor_outcome", "", model, 0.5, 0.5, 40, (), rows)
    return Predictor(group, "elastic-net", {group: block}, (outcome,), {}, "all", "0" * 64, "0" * 64)


@pytest.mark.parametrize("group", ["encoder", "autoencoder"])
def test_in_an_oblique_ct_the_map_is_hottest_at_the_planted_clot_in_world_coordinates(group: str) -> None:
    ct, mask, clot = oblique_head()
    crop = lesion_crop(ct, mask)
    recipe = HeadRecipe(size_zyx=(64, 64, 64), spacing_mm=3.0)
    seer = Seer(Pooled(group == "encoder"), recipe, ((1, 16, 16, 16),))
    predictor = rising_predictor(group, 16**3)
    regions = regions_on_ct(crop, mask, ct.geometry)
    network: dict[str, Any] = {"encoder" if group == "encoder" else "autoencoder": seer}
    row = predictor.outcomes[0].background[:1]
    found_of = measured(ct, crop, seer if group == "encoder" else None)
    heat = risk_maps(predictor, row, regions > 0, ct.geometry, found_of, **network)
    voxels = heat.maps["poor_outcome"].voxels
    hot = np.argwhere(voxels > 0.8 * voxels.max())[:, ::-1]
    found = ct.geometry.index_to_physical(hot).mean(axis=0)
    assert np.linalg.norm(found - clot) < 6.0, (found, clot)  # a block of the network is 4 mm (crop) or 12 mm (head)
