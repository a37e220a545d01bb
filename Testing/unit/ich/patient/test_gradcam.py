"""Grad-CAM of a latent direction: by hand on a linear network, planted in the image, and the randomisation check."""

import numpy as np
import pytest
import torch
from torch import nn

from deepradiomics.errors import InputError
from deepradiomics.ich.patient.gradcam import risk_gradcam
from deepradiomics.networks.dual_unet import DualScaleUNet
from deepradiomics.networks.vaegan import VaeGanSize, autoencoder, level_ends

SIZE = VaeGanSize((4, 8, 8), 6, 1, 2, 4, 1)


class TwoMaps(nn.Module):
    """A network whose maps are known: one channel is the image, the other its negative; latents are their sums."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Conv3d(1, 2, 1, bias=False)
        self.maps.weight.data = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1, 1)

    def encode(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = self.maps(image)
        return maps, torch.ones_like(maps)


def test_the_map_is_that_of_the_formula() -> None:
    network, image = TwoMaps(), np.random.default_rng(0).normal(size=(4, 4, 4)).astype(np.float32)
    weights = np.random.default_rng(1).normal(size=2 * 64)
    alpha = weights.reshape(2, 64).mean(axis=1)  # the gradient of <v, latents> is v itself
    expected = np.maximum(alpha[0] * image - alpha[1] * image, 0)
    found = risk_gradcam(network, network.maps, image, weights)
    assert np.allclose(found, expected / expected.max(), atol=1e-5)
    assert np.allclose(risk_gradcam(network, network.maps, image, 1e-12 * weights), found, atol=1e-5)


def test_a_risk_that_rises_with_brightness_lights_up_the_bright_place() -> None:
    image = np.zeros((16, 16, 16), np.float32)
    image[3:6, 9:13, 4:7] = 1.0
    network = TwoMaps()
    up = np.concatenate([np.ones(16**3), np.zeros(16**3)])
    assert np.array_equal(risk_gradcam(network, network.maps, image, up) > 0, image > 0)
    assert risk_gradcam(network, network.maps, image, -up).max() == 0  # nothing pushes the risk up


def test_outside_the_dilated_lesion_there_is_nothing_and_inside_the_maximum_is_one() -> None:
    network, image = TwoMaps(), np.random.default_rng(0).random((8, 8, 8)).astype(np.float32)
    within = np.zeros(image.shape, bool)
    within[2:5, 2:5, 2:5] = True
    weights = np.concatenate([np.ones(512), np.zeros(512)])
    found = risk_gradcam(network, network.maps, image, weights, within=within)
    assert (found[~within] == 0).all()
    assert found.max() == 1
    assert np.allclose(found[within], image[within] / image[within].max(), atol=1e-5)


def test_several_outcomes_at_once_are_each_as_alone() -> None:
    torch.manual_seed(0)
    network, image = autoencoder(SIZE).eval(), np.random.default_rng(0).random((16, 16, 16)).astype(np.float32)
    weights = np.random.default_rng(1).normal(size=(3, 6 * 64))
    layer = level_ends(network)[2]
    together = risk_gradcam(network, layer, image, weights)
    assert together.shape == (3, 16, 16, 16)
    for one, row in zip(together, weights, strict=True):
        assert np.allclose(one, risk_gradcam(network, layer, image, row), atol=1e-5)


def blob(size: int, at: tuple[int, int, int]) -> np.ndarray:
    z, y, x = np.indices((size,) * 3)
    distance = np.sqrt((z - at[0]) ** 2 + (y - at[1]) ** 2 + (x - at[2]) ** 2)
    noise = 0.02 * np.random.default_rng(sum(at)).normal(size=(size,) * 3)
    return (0.4 + 0.4 * (distance < size / 6) + noise).astype(np.float32)


def taught(network: nn.Module, latents_of: object, size: int) -> tuple[nn.Module, np.ndarray]:
    """Teach a network to answer to the brightness of blobs; returns it and the direction in which it rises."""
    rng = np.random.default_rng(0)
    images, levels = [], []
    for _ in range(16):
        at = tuple(rng.integers(size // 4, 3 * size // 4, 3).tolist())
        level = rng.uniform(0, 1)
        images.append(0.4 + level * (blob(size, at) - 0.4))
        levels.append(level)
    batch, wanted = torch.from_numpy(np.array(images, np.float32))[:, None], torch.tensor(levels, dtype=torch.float32)
    flat = latents_of(network, batch)  # type: ignore[operator]
    torch.manual_seed(1)
    direction = torch.randn(flat.shape[1]) / flat.shape[1] ** 0.5
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(20):
        optimizer.zero_grad()
        loss = (latents_of(network, batch) @ direction - wanted).square().mean()  # type: ignore[operator]
        loss.backward()
        optimizer.step()
    return network.eval(), direction.numpy()


def autoencoder_latents(network: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    return network.encode(batch)[0].flatten(1)  # type: ignore[operator]


def segmenter_latents(network: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    return torch.cat([part.flatten(1) for part in network.encode(batch).bottlenecks], 1)  # type: ignore[operator]


@pytest.mark.parametrize("kind", ["autoencoder", "segmenter"])
def test_randomised_weights_change_the_map(kind: str) -> None:
    """Adebayo et al.: a map that survives the loss of all that was learned explains nothing."""
    torch.manual_seed(0)
    if kind == "autoencoder":
        make, read, layer_of = (lambda: autoencoder(SIZE)), autoencoder_latents, lambda net: level_ends(net)[1]
    else:
        make, read = (lambda: DualScaleUNet((4, 8, 8), supervised=1)), segmenter_latents
        layer_of = lambda net: net.bottleneck_layers[0]  # noqa: E731
    network, direction = taught(make(), read, 16)
    image = blob(16, (5, 10, 6))
    learned = risk_gradcam(network, layer_of(network), image, direction)
    assert learned.shape == image.shape
    assert learned.max() == 1
    similarity = []
    for seed in range(4):
        torch.manual_seed(100 + seed)
        random = make().eval()
        other = risk_gradcam(random, layer_of(random), image, direction)
        similarity.append(np.corrcoef(learned.ravel(), other.ravel())[0, 1] if other.std() > 0 else 0.0)
    again = risk_gradcam(network, layer_of(network), image, direction)
    assert np.array_equal(again, learned)  # it is the weights that change it, nothing else
    assert np.median(np.abs(similarity)) < 0.6


def test_both_bottlenecks_of_a_segmenter_can_be_read_and_weights_must_fit() -> None:
    torch.manual_seed(0)
    network = DualScaleUNet((4, 8, 8), supervised=1).eval()
    image = np.random.default_rng(0).random((16, 16, 16)).astype(np.float32)
    count = sum(part.numel() for part in network.encode(torch.zeros(1, 1, 16, 16, 16)).bottlenecks)
    fine = 8 * 4**3
    weights = np.zeros(count)
    weights[:fine] = 1.0  # speaks of the fine encoder alone
    assert risk_gradcam(network, network.bottleneck_layers[0], image, weights).max() == 1
    assert risk_gradcam(network, network.bottleneck_layers[1], image, weights).max() == 0
    with pytest.raises(InputError, match=f"expected one for each of the {count} latents, got 7"):
        risk_gradcam(network, network.bottleneck_layers[0], image, np.ones(7))


def test_mistakes_are_told() -> None:
    network, image = TwoMaps(), np.ones((4, 4, 4), np.float32)
    with pytest.raises(InputError, match="within: expected the image's shape"):
        risk_gradcam(network, network.maps, image, np.ones(128), within=np.ones((3, 3, 3), bool))
    with pytest.raises(InputError, match="weights: expected finite numbers"):
        risk_gradcam(network, network.maps, image, np.full(128, np.nan))
    with pytest.raises(InputError, match=r"image: expected one image \(z, y, x\)"):
        risk_gradcam(network, network.maps, image[0], np.ones(32))
    with pytest.raises(InputError, match="has no encode"):
        risk_gradcam(network.maps, network.maps, image, np.ones(128))
