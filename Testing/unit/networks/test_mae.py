"""The masked autoencoder: exactly the hidden patches count, and the encoder learns from them."""

import pytest
import torch

from deepradiomics.errors import InputError
from deepradiomics.networks.convnextv2 import ConvNeXtV2
from deepradiomics.networks.mae import (
    MaskedAutoencoder,
    from_patches,
    masked_loss,
    normalised_patches,
    random_mask,
    to_patches,
)


def autoencoder(patch: int = 16, ratio: float = 0.6, channels: int = 2) -> MaskedAutoencoder:
    torch.manual_seed(0)
    return MaskedAutoencoder(ConvNeXtV2(channels, "mini"), patch, ratio, decoder_dim=32)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("size", "patch", "ratio", "hidden"),
    [
        ((32, 80, 64), 16, 0.6, 24),
        ((32, 192, 192), 16, 0.6, 173),
        ((64, 64, 64), 32, 0.5, 4),
        ((16, 16, 32), 16, 0.6, 1),
    ],
)
def test_the_ratio_is_exact_in_every_image(size: tuple[int, int, int], patch: int, ratio: float, hidden: int) -> None:
    mask = random_mask(torch.Size((5, 3, *size)), patch, ratio, seeded(0))
    assert mask.shape == (5, *(n // patch for n in size))
    assert mask.dtype == torch.bool
    assert mask.flatten(1).sum(1).tolist() == [hidden] * 5


def test_masks_differ_between_images_and_equal_seeds_give_equal_masks() -> None:
    shape = torch.Size((4, 1, 32, 64, 64))
    mask = random_mask(shape, 16, 0.6, seeded(3))
    assert len({tuple(one.flatten().tolist()) for one in mask}) == 4
    assert torch.equal(mask, random_mask(shape, 16, 0.6, seeded(3)))
    often = torch.stack([random_mask(shape, 16, 0.6, seeded(i)).float().mean(0) for i in range(300)]).mean(0)
    assert ((often - 0.59375).abs() < 0.06).all()  # 19 of 32 patches; no place is preferred


def test_patches_are_the_image_cut_into_cubes_and_back() -> None:
    image = torch.arange(2 * 32 * 48 * 16).float().view(1, 2, 32, 48, 16)
    patches = to_patches(image, 16)
    assert patches.shape == (1, 6, 2, 4096)
    assert torch.equal(patches[0, 4, 1], image[0, 1, 16:32, 16:32, 0:16].flatten())  # patch (1, 1, 0)
    assert torch.equal(from_patches(patches, 16, (2, 3, 1)), image)


def test_targets_have_mean_0_and_variance_1_in_each_patch_and_channel_and_a_constant_patch_is_0() -> None:
    image = torch.randn(1, 2, 16, 32, 32, generator=seeded(0)) * torch.tensor([1.0, 300.0]).view(1, 2, 1, 1, 1) + 7
    image[:, :, :, :16, :16] = 4
    targets, mean, deviation = normalised_patches(image, 16)
    assert (targets[0, 0] == 0).all()
    torch.testing.assert_close(targets[0, 1:].mean(-1), torch.zeros(3, 2), atol=1e-4, rtol=0)
    torch.testing.assert_close(targets[0, 1:].var(-1), torch.ones(3, 2), atol=1e-3, rtol=0)
    torch.testing.assert_close(from_patches(targets * deviation + mean, 16, (1, 2, 2)), image, atol=1e-3, rtol=1e-5)


def test_the_loss_is_the_mean_square_over_hidden_patches_and_blind_to_the_others() -> None:
    mask = torch.tensor([[True, False, True], [False, True, True]])
    predicted = torch.randn(2, 3, 1, 8, generator=seeded(1))
    targets = torch.randn(2, 3, 1, 8, generator=seeded(2))
    by_hand = sum(
        float(((predicted[i, j] - targets[i, j]) ** 2).mean()) for i in range(2) for j in range(3) if mask[i, j]
    )
    loss = masked_loss(predicted, targets, mask)
    assert float(loss) == pytest.approx(by_hand / 4, rel=1e-6)
    changed = torch.where(mask[:, :, None, None], targets, targets + 100)
    assert masked_loss(predicted, changed, mask) == loss
    assert masked_loss(predicted, torch.where(mask[:, :, None, None], targets + 1, targets), mask) != loss


def test_what_is_hidden_cannot_be_seen() -> None:
    model = autoencoder().double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=seeded(parameter.numel())) * 0.2)
    images = torch.randn(1, 2, 32, 32, 32, generator=seeded(0), dtype=torch.float64, requires_grad=True)
    mask = random_mask(images.shape, 16, 0.6, seeded(1))
    model.predicted_patches(images, mask).square().sum().backward()
    gradient = to_patches(images.grad, 16).abs().sum(dim=(2, 3))[0]
    hidden = mask.flatten()
    assert (gradient[hidden] == 0).all()
    assert (gradient[~hidden] > 0).all()


def test_the_decoder_sees_the_encoders_map_at_visible_places_and_the_token_at_hidden_ones() -> None:
    model = autoencoder().eval()
    torch.nn.init.ones_(model.project.bias)
    seen: list[torch.Tensor] = []
    model.decoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].detach()))
    images = torch.randn(1, 2, 32, 32, 32, generator=seeded(0))
    mask = random_mask(images.shape, 16, 0.6, seeded(1))
    model.predicted_patches(images, mask)
    maps = model.encoder.forward_features(images, (~mask).float().unsqueeze(1))[-1]
    expected = torch.where(mask.unsqueeze(1), model.mask_token, model.project(maps)).detach()
    torch.testing.assert_close(seen[0], expected)


def test_the_gradient_reaches_every_parameter_of_the_encoder_but_its_last_norm() -> None:
    model = autoencoder()
    for module in model.modules():
        if hasattr(module, "gamma"):
            torch.nn.init.ones_(module.gamma)
    model(torch.randn(2, 2, 32, 32, 32, generator=seeded(0)), seeded(0)).loss.backward()
    still = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert still == ["encoder.norm.weight", "encoder.norm.bias"]  # used when pooling only


def test_larger_patches_hide_several_places_of_the_last_map() -> None:
    result = autoencoder(32, 0.5, channels=1)(torch.randn(1, 1, 32, 32, 64, generator=seeded(0)), seeded(0))
    assert result.mask.shape == (1, 1, 1, 2)
    assert result.loss.isfinite()


def test_a_few_steps_reduce_the_loss() -> None:
    model = autoencoder()
    z, y, x = torch.meshgrid(*(torch.linspace(0, 6, n) for n in (32, 64, 64)), indexing="ij")
    images = torch.stack([torch.stack([torch.sin(x + k + y), torch.cos(z + y * k)]) for k in (1, 2)])
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3)
    losses = []
    for _ in range(12):
        optimiser.zero_grad()
        loss = model(images, seeded(0)).loss
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert 0.8 < losses[0] < 1.3, losses
    assert losses[-1] < 0.8 * losses[0], losses


def test_the_reconstruction_is_on_the_images_scale() -> None:
    images = 1000 + 50 * torch.randn(1, 2, 32, 32, 32, generator=seeded(0))
    result = autoencoder()(images, seeded(0))
    assert result.image.shape == images.shape
    assert not result.image.requires_grad
    assert 990 < float(result.image.mean()) < 1010  # an untrained decoder predicts the patch's mean
    assert result.mask.shape == (1, 2, 2, 2)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: autoencoder(patch=8), "patch: expected a multiple of 16"),
        (lambda: autoencoder(ratio=1.0), "ratio"),
        (
            lambda: autoencoder(patch=32)(torch.zeros(1, 2, 16, 64, 64)),
            r"patch of 32.* does not divide .* \(16, 64, 64\)",
        ),
        (lambda: autoencoder()(torch.zeros(1, 2, 16, 16, 16)), "of 1 patches .* hides 1; at least one"),
        (lambda: autoencoder()(torch.zeros(1, 2, 20, 32, 32)), "patch of 16"),
    ],
)
def test_what_does_not_fit_is_refused(make: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()  # type: ignore[operator]
