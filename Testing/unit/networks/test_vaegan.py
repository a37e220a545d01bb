"""VAE-GAN: shapes of both sizes, the arithmetic of its losses by hand, and a full-size step."""

import resource
import time

import pytest
import torch

from deepradiomics.errors import InputError
from deepradiomics.networks.vaegan import (
    VaeGanSize,
    adversarial_loss,
    autoencoder,
    discriminator,
    discriminator_loss,
    feature_distance,
    free_bits,
    kl_divergence,
    level_ends,
)

SMALL = VaeGanSize((4, 8, 8), 6, 1, 2, 4, 2)


def test_the_paper_size_has_512_channels_at_4_cubed_from_64() -> None:
    assert VaeGanSize().latent_shape(64) == (512, 4, 4, 4)
    with torch.device("meta"):  # shapes alone: nothing is computed
        network = autoencoder(VaeGanSize())
        mean, deviation = network.encode(torch.empty(2, 1, 64, 64, 64))
        assert mean.shape == deviation.shape == (2, 512, 4, 4, 4)
        assert network.decode(mean).shape == (2, 1, 64, 64, 64)


def test_small_networks_fit_each_other() -> None:
    network, judge = autoencoder(SMALL), discriminator(SMALL)
    images = torch.rand(2, 1, 16, 16, 16)
    mean, deviation = network.encode(images)
    assert mean.shape == (2, *SMALL.latent_shape(16)) == (2, 6, 4, 4, 4)
    assert (deviation > 0).all()
    assert network.decode(mean).shape == images.shape
    maps = judge(images)
    assert maps[-1].shape[:2] == (2, 1)
    assert len(maps) == SMALL.discriminator_layers + 2


def test_a_verdict_does_not_depend_on_the_batch() -> None:
    judge = discriminator(SMALL)
    images = torch.rand(3, 1, 16, 16, 16)
    assert torch.allclose(judge(images)[-1][:1], judge(images[:1])[-1], atol=1e-5)


def test_levels_end_where_the_image_is_halved() -> None:
    network = autoencoder(SMALL)
    shapes = {}
    for level, layer in level_ends(network).items():
        layer.register_forward_hook(lambda _m, _i, output, level=level: shapes.update({level: tuple(output.shape[1:])}))
    network.encode(torch.rand(1, 1, 16, 16, 16))
    assert shapes == {0: (4, 16, 16, 16), 1: (8, 8, 8, 8), 2: (8, 4, 4, 4)}


def test_the_divergence_is_that_of_torch() -> None:
    mean, deviation = torch.randn(2, 3, 2, 2, 2), torch.rand(2, 3, 2, 2, 2) + 0.1
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(mean, deviation), normal(0.0, 1.0))
    assert torch.allclose(kl_divergence(mean, deviation), expected, atol=1e-5)
    assert kl_divergence(torch.zeros(1), torch.ones(1)) == 0


def test_free_bits_leave_a_collapsed_channel_without_a_push() -> None:
    divergence = torch.tensor([0.01, 1.0]).reshape(1, 2, 1, 1, 1).repeat(2, 1, 2, 2, 2).requires_grad_()
    loss = free_bits(divergence, 0.1)
    assert loss.item() == pytest.approx((0.1 + 1.0) / 2)
    (push,) = torch.autograd.grad(loss, divergence)
    assert (push[:, 0] == 0).all()
    assert (push[:, 1] > 0).all()
    assert free_bits(divergence, 0.0).item() == pytest.approx(0.505)


def test_losses_of_the_game_by_hand() -> None:
    real, made = torch.tensor([1.0, 0.5]), torch.tensor([0.0, 0.5])
    assert discriminator_loss(real, made).item() == pytest.approx(0.5 * (0.125 + 0.125))
    assert adversarial_loss(made).item() == pytest.approx((1 + 0.25) / 2)
    assert discriminator_loss(torch.full((4,), 0.5), torch.full((4,), 0.5)).item() == 0.25
    maps = [torch.zeros(1, 2), torch.ones(1, 4), torch.zeros(1)]
    others = [torch.ones(1, 2), torch.full((1, 4), 4.0), torch.full((1,), 99.0)]  # the verdicts do not count
    assert feature_distance(maps, others).item() == pytest.approx((1 + 3) / 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": (4, 6), "norm_groups": 4}, r"channels: expected multiples of norm_groups \(4\)"),
        ({"channels": (32,)}, "channels: expected 2 to 7 levels"),
        ({"channels": "many"}, "channels: expected whole numbers"),
        ({"latent_channels": 0}, "latent_channels: expected a whole number"),
    ],
)
def test_sizes_that_cannot_be_are_told(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        VaeGanSize(**changes)  # type: ignore[arg-type]


def test_a_crop_that_cannot_be_halved_is_told() -> None:
    with pytest.raises(InputError, match="a crop of 40 voxels cannot be halved 4 times"):
        VaeGanSize().latent_shape(40)
    assert VaeGanSize.from_dict(VaeGanSize().to_dict()) == VaeGanSize()


@pytest.mark.slow
def test_one_full_size_step_forward_and_backward() -> None:
    """Prints time and peak memory: what the preset `paper` costs a crop on this computer."""
    size = VaeGanSize()
    network, judge = autoencoder(size), discriminator(size)
    began = time.perf_counter()
    images = torch.rand(1, 1, 64, 64, 64)
    mean, deviation = network.encode(images)
    made = network.decode(mean + deviation * torch.randn_like(deviation))
    real_maps, made_maps = judge(images), judge(made)
    loss = (made - images).abs().mean() + 0.01 * free_bits(kl_divergence(mean, deviation), 0.05)
    (loss + adversarial_loss(made_maps[-1]) + feature_distance(made_maps, real_maps)).backward()
    seconds, peak = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    weights = sum(p.numel() for p in network.parameters()) / 1e6
    print(f"\npaper size: {weights:.1f} million weights, one crop forward and backward {seconds:.0f} s, {peak:.1f} GiB")
    assert mean.shape == (1, 512, 4, 4, 4)
    assert made.shape == images.shape
    grads = [p.grad for p in [*network.parameters(), *judge.parameters()]]
    assert all(g is not None and torch.isfinite(g).all() for g in grads)
    assert sum(float(g.abs().sum()) > 0 for g in grads if g is not None) > 0.9 * len(grads)
