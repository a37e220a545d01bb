"""The dual-scale U-Net: the paper's shapes, what each encoder contributes, and that all of it learns."""

import resource
import sys
import time

import pytest
import torch

from deepradiomics.errors import InputError
from deepradiomics.networks.dual_unet import DualScaleUNet
from deepradiomics.networks.segmenter import latent_shapes
from deepradiomics.prepare.head.head import HeadRecipe


def small(dual: bool = True) -> DualScaleUNet:
    torch.manual_seed(0)
    return DualScaleUNet((4, 6, 8), dual=dual, supervised=2)


def test_at_full_size_the_bottlenecks_are_those_of_the_paper() -> None:
    with torch.device("meta"):  # shapes without numbers
        dual, single = DualScaleUNet(), DualScaleUNet(dual=False)
    assert latent_shapes(dual, HeadRecipe()) == ((512, 8, 8, 8), (512, 4, 4, 4))
    assert latent_shapes(single, HeadRecipe()) == ((512, 8, 8, 8),)


def test_five_stages_halve_an_image_and_the_image_at_half_its_size() -> None:
    widths, sizes = (1, 2, 3, 4, 8), (64, 32, 16, 8, 4)
    network = DualScaleUNet(widths).eval()
    with torch.no_grad():
        maps = network.encode(torch.rand(1, 1, 64, 64, 64))
        opinions = network.decode(maps)
    for found, halved in ((maps.fine, 1), (maps.coarse, 2)):
        assert [tuple(one.shape[1:]) for one in found] == [
            (width, *[size // halved] * 3) for width, size in zip(widths, sizes, strict=True)
        ]
    assert [tuple(one.shape[1:]) for one in maps.bottlenecks] == list(
        latent_shapes(network, HeadRecipe(size_zyx=(64, 64, 64)))
    )
    assert [tuple(one.shape) for one in opinions] == [(1, 1, n, n, n) for n in (64, 32, 16)]


def test_the_single_scale_twin_has_one_encoder_and_the_same_output() -> None:
    network, image = small(dual=False).eval(), torch.rand(1, 1, 16, 16, 16)
    assert [tuple(one.shape[1:]) for one in network.encode(image).bottlenecks] == [(8, 4, 4, 4)]
    assert [tuple(one.shape) for one in network(image)] == [(1, 1, n, n, n) for n in (16, 8)]
    assert not [name for name, _ in network.named_parameters() if name.startswith(("coarse", "rise", "join"))]


@pytest.mark.parametrize("dual", [True, False])
def test_every_weight_gets_a_gradient(dual: bool) -> None:
    network = small(dual)
    sum(one.square().mean() for one in network(torch.rand(2, 1, 16, 16, 16))).backward()  # type: ignore[union-attr]
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_both_encoders_decide_the_output() -> None:
    network, image = small().eval(), torch.rand(1, 1, 16, 16, 16)
    whole = network(image)[0]
    for encoder in (network.fine, network.coarse):
        kept = {name: value.clone() for name, value in encoder[0].state_dict().items()}
        with torch.no_grad():
            encoder[0].first.weight.mul_(-1)  # type: ignore[operator, union-attr]
        assert not torch.allclose(network(image)[0], whole)
        encoder[0].load_state_dict(kept)
    assert torch.equal(network(image)[0], whole)


def test_the_coarse_encoder_sees_the_image_at_half_its_size() -> None:
    network, image = small().eval(), torch.rand(1, 1, 16, 16, 16)
    halved = torch.nn.functional.avg_pool3d(image, 2)
    assert torch.allclose(network.encode(image).coarse[0], network.coarse[0](halved))


def test_the_first_opinion_is_that_blood_is_rare() -> None:
    chance = torch.sigmoid(small()(torch.rand(1, 1, 16, 16, 16))[0].detach())
    assert 0.001 < float(chance.mean()) < 0.1


def test_the_bottlenecks_can_be_watched() -> None:
    network, image, seen = small(), torch.rand(1, 1, 16, 16, 16), []
    for layer in network.bottleneck_layers:
        layer.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    found = network.encode(image).bottlenecks
    assert len(seen) == 2
    assert all(torch.equal(a, b) for a, b in zip(seen, found, strict=True))


@pytest.mark.parametrize(
    ("shape", "dual"), [((1, 1, 16, 16, 12), True), ((1, 2, 16, 16, 16), True), ((16, 16, 16), True),
                        ((1, 1, 4, 4, 2), False)],
)  # fmt: skip
def test_images_that_cannot_be_halved_are_refused(shape: tuple[int, ...], dual: bool) -> None:
    with pytest.raises(InputError, match=r"multiples of \d, got shape"):
        small(dual)(torch.zeros(shape))


@pytest.mark.parametrize("wrong", [{"widths": (4, 8)}, {"widths": (4, 0, 8)}, {"widths": (4, 6, 8), "supervised": 3}])
def test_impossible_networks_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"widths: expected|supervised: expected 1 to 2"):
        DualScaleUNet(**wrong)  # type: ignore[arg-type]


@pytest.mark.slow
def test_one_full_size_step_forward_and_backward(capsys: pytest.CaptureFixture[str]) -> None:
    from deepradiomics.ich.segmenter.module import deep_loss

    torch.manual_seed(0)
    network = DualScaleUNet()
    image = torch.rand(1, 1, 128, 128, 128)
    mask = torch.zeros_like(image)
    mask[..., 50:70, 50:70, 50:70] = 1
    image[mask > 0] += 0.5
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    begun = time.perf_counter()
    before = deep_loss(network(image), mask)
    before.backward()
    optimizer.step()
    seconds = time.perf_counter() - begun
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in network.parameters())
    with torch.no_grad():
        after = deep_loss(network(image), mask)
    assert float(after) < float(before.detach())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform != "darwin" else 2**30)
    count = sum(p.numel() for p in network.parameters())
    with capsys.disabled():
        print(f"\n{count / 1e6:.1f} M weights, one step {seconds:.0f} s, peak memory {peak:.1f} GiB")
