"""ELNet: slices are normalised one by one, blurred before they are subsampled, and the strongest response decides."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from deepradiomics.errors import InputError  # noqa: E402
from deepradiomics.networks.elnet import BlockModule, BlurPool, ELNet, multi_slice_norm  # noqa: E402


def _stack(slices: int = 4, height: int = 38, width: int = 64) -> torch.Tensor:
    return torch.randn(2, slices, height, width, generator=torch.Generator().manual_seed(0))


def _tiny(norm: str = "layer") -> ELNet:
    torch.manual_seed(0)
    return ELNet(3, size="tiny", norm=norm).eval()  # type: ignore[arg-type]


def test_blur_pool_keeps_a_constant_image_and_halves_it() -> None:
    pooled = BlurPool(2)(torch.full((1, 2, 7, 8), 3.0))
    assert pooled.shape == (1, 2, 4, 4)
    assert torch.allclose(pooled, torch.full((1, 2, 4, 4), 3.0))


def test_blur_pool_spreads_an_impulse_by_the_binomial_kernel() -> None:
    image = torch.zeros(1, 1, 9, 9)
    image[0, 0, 4, 4] = 256.0
    row = torch.tensor([1.0, 6.0, 1.0])  # the taps 1 4 6 4 1 seen at every second pixel
    assert torch.allclose(BlurPool(1)(image)[0, 0, 1:4, 1:4], torch.outer(row, row), atol=1e-4)


def test_multi_slice_normalisation_treats_each_slice_alone() -> None:
    images = torch.randn(3, 4, 5, 5, generator=torch.Generator().manual_seed(1))
    for kind in ("layer", "instance"):
        norm = multi_slice_norm(4, kind)  # type: ignore[arg-type]
        assert torch.allclose(norm(images)[1:2], norm(images[1:2]), atol=1e-6)
    layer = multi_slice_norm(4, "layer")(images)
    assert torch.allclose(layer.mean(dim=(1, 2, 3)), torch.zeros(3), atol=1e-6)
    instance = multi_slice_norm(4, "instance")(images)
    assert torch.allclose(instance.mean(dim=(2, 3)), torch.zeros(3, 4), atol=1e-6)


def test_a_block_module_with_silent_convolutions_is_the_identity() -> None:
    block = BlockModule(4, 3, 2, "layer")
    for parameter in block.parameters():
        torch.nn.init.zeros_(parameter)
    images = torch.randn(1, 4, 6, 6)
    assert torch.equal(block(images), images)


@pytest.mark.parametrize("norm", ["layer", "instance"])
def test_the_order_and_the_repetition_of_slices_do_not_matter(norm: str) -> None:
    network, stack = _tiny(norm), _stack()
    assert torch.allclose(network(stack), network(stack.flip(1)), atol=1e-5)
    assert torch.allclose(network(stack), network(torch.cat([stack, stack[:, :1]], dim=1)), atol=1e-5)


def test_the_paper_size_stays_under_one_megabyte_as_the_paper_says() -> None:
    network = ELNet(1, size="paper")
    assert 4 * sum(p.numel() for p in network.parameters()) < 1_000_000


def test_small_slices_survive_six_halvings() -> None:
    assert _tiny()(_stack(2, 12, 9)).shape == (2, 3)


def test_an_unknown_norm_and_a_wrong_shape_are_refused() -> None:
    with pytest.raises(InputError, match="'layer' or 'instance', got 'batch'"):
        ELNet(1, norm="batch")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="batch, slices, height, width"):
        _tiny()(torch.zeros(2, 38, 64))
