"""ConvNeXt-V2 in three dimensions: each part against its formula, the whole against a dense recomputation."""

import math

import numpy as np
import pytest
import torch

from deepradiomics.errors import InputError
from deepradiomics.networks.convnextv2 import GRN, SIZES, Block, ChannelsFirstNorm, ConvNeXtV2, DropPath


def shaken(module: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Every parameter random: fresh ones hide mistakes (γ = β = 0 makes GRN the identity)."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3 + 0.1)
    return module.double().eval()


def gelu(x: np.ndarray) -> np.ndarray:
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def layer_norm(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Over the last axis, ε 1e-6."""
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6) * weight + bias


def grn(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """The paper's equations, one sample (z, y, x, C), written with loops over channels."""
    strength = np.array([math.sqrt(sum(v * v for v in x[..., c].ravel())) for c in range(x.shape[-1])])
    relative = strength / (strength.sum() / len(strength) + 1e-6)
    return np.stack([gamma[c] * x[..., c] * relative[c] + beta[c] + x[..., c] for c in range(x.shape[-1])], -1)


def arrays(module: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.detach().numpy() for name, tensor in module.state_dict().items()}


def convolved(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """x (C, z, y, x), weight (out, in, k, k, k): a sum over the kernel's places."""
    k = weight.shape[-1]
    x = np.pad(x, [(0, 0)] + [(padding, padding)] * 3)
    size = [(n - k) // stride + 1 for n in x.shape[1:]]
    out = np.zeros((weight.shape[0], *size)) + bias[:, None, None, None]
    for a, b, c in np.ndindex(k, k, k):
        part = x[
            :, a : a + stride * size[0] : stride, b : b + stride * size[1] : stride, c : c + stride * size[2] : stride
        ]
        out += np.tensordot(weight[:, :, a, b, c], part[:, : size[0], : size[1], : size[2]], 1)
    return out


def block(x: np.ndarray, p: dict[str, np.ndarray], prefix: str = "") -> np.ndarray:
    """One block on (C, z, y, x), densely."""
    p = {name.removeprefix(prefix): value for name, value in p.items() if name.startswith(prefix)}
    depthwise = np.concatenate(
        [
            convolved(x[c : c + 1], p["dwconv.weight"][c : c + 1], p["dwconv.bias"][c : c + 1], 1, 3)
            for c in range(len(x))
        ]
    )
    last = layer_norm(np.moveaxis(depthwise, 0, -1), p["norm.weight"], p["norm.bias"])
    last = gelu(last @ p["pwconv1.weight"].T + p["pwconv1.bias"])
    last = grn(last, p["grn.gamma"].ravel(), p["grn.beta"].ravel())
    return x + np.moveaxis(last @ p["pwconv2.weight"].T + p["pwconv2.bias"], -1, 0)


def test_grn_is_the_papers_formula() -> None:
    module = shaken(GRN(5))
    x = torch.randn(2, 3, 4, 2, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    p = arrays(module)
    for sample, got in zip(x.numpy(), module(x).detach().numpy(), strict=True):
        np.testing.assert_allclose(got, grn(sample, p["gamma"].ravel(), p["beta"].ravel()), rtol=1e-12)


def test_grn_starts_as_the_identity_and_its_norms_do_not_overflow_half_precision() -> None:
    x = torch.full((1, 8, 16, 16, 4), 100.0, dtype=torch.float16)
    torch.testing.assert_close(GRN(4).half()(x), x)
    module = GRN(4).half()
    torch.nn.init.ones_(module.gamma)
    assert module(x).isfinite().all()


def test_channels_first_norm_is_torchs_layer_norm() -> None:
    module = shaken(ChannelsFirstNorm(6))
    other = torch.nn.LayerNorm(6, eps=1e-6).double()
    other.load_state_dict(module.state_dict())
    x = torch.randn(2, 6, 3, 4, 5, dtype=torch.float64)
    torch.testing.assert_close(module(x), other(x.movedim(1, -1)).movedim(-1, 1))
    np.testing.assert_allclose(
        module(x).detach().numpy(),
        np.moveaxis(layer_norm(np.moveaxis(x.numpy(), 1, -1), *arrays(module).values()), -1, 1),
        rtol=1e-9,
    )


def test_a_block_equals_its_dense_recomputation() -> None:
    module = shaken(Block(3))
    x = torch.randn(2, 3, 4, 5, 6, dtype=torch.float64)
    for sample, got in zip(x.numpy(), module(x).detach().numpy(), strict=True):
        np.testing.assert_allclose(got, block(sample, arrays(module)), rtol=1e-10, atol=1e-10)


def test_the_whole_encoder_equals_its_dense_recomputation() -> None:
    module = shaken(ConvNeXtV2(2, "mini"))
    x = torch.randn(1, 2, 16, 32, 16, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    p, maps, stages = arrays(module), x[0].numpy(), []
    for i, (stride, depth) in enumerate(zip((4, 2, 2, 1), SIZES["mini"].depths, strict=True)):
        norm, conv = (1, 0) if i == 0 else (0, 1)  # the stem is convolution, norm; the others norm, convolution
        steps = [norm, conv] if i else [conv, norm]
        for step in steps:
            weight, bias = (p[f"downsample_layers.{i}.{step}.{name}"] for name in ("weight", "bias"))
            if step == conv:
                assert weight.shape[-1] == stride
                maps = convolved(maps, weight, bias, stride, 0)
            else:
                maps = np.moveaxis(layer_norm(np.moveaxis(maps, 0, -1), weight, bias), -1, 0)
        for j in range(depth):
            maps = block(maps, p, f"stages.{i}.{j}.")
        stages.append(maps)
    for expected, got in zip(stages, module.forward_features(x), strict=True):
        np.testing.assert_allclose(got[0].detach().numpy(), expected, rtol=1e-8, atol=1e-8)
    pooled = layer_norm(maps.mean(axis=(1, 2, 3)), p["norm.weight"], p["norm.bias"])
    np.testing.assert_allclose(module(x)[0].detach().numpy(), pooled, rtol=1e-8, atol=1e-8)
    assert [m.shape[1:] for m in stages] == [(4, 8, 4), (2, 4, 2), (1, 2, 1), (1, 2, 1)]


def parameters_by_hand(channels: int, depths: tuple[int, ...], dims: tuple[int, ...]) -> int:
    total = channels * 4**3 * dims[0] + dims[0] + 2 * dims[0]  # stem, its norm
    for before, after, kernel in zip(dims, dims[1:], (8, 8, 1), strict=False):
        total += 2 * before + kernel * before * after + after
    for depth, c in zip(depths, dims, strict=True):
        depthwise, norm, grn_, up, down = 343 * c + c, 2 * c, 2 * 4 * c, c * 4 * c + 4 * c, 4 * c * c + c
        total += depth * (depthwise + norm + up + grn_ + down)
    return total + 2 * dims[-1]


@pytest.mark.parametrize(
    ("size", "depths", "dims"),
    [
        ("atto", (2, 2, 6, 2), (40, 80, 160, 320)),
        ("femto", (2, 2, 6, 2), (48, 96, 192, 384)),
        ("pico", (2, 2, 6, 2), (64, 128, 256, 512)),
        ("nano", (2, 2, 8, 2), (80, 160, 320, 640)),
        ("tiny", (3, 3, 9, 3), (96, 192, 384, 768)),
    ],
)
def test_a_published_size_has_as_many_parameters_as_its_formula(size: str, depths: tuple, dims: tuple) -> None:
    with torch.device("meta"):
        module = ConvNeXtV2(3, size)
    assert sum(p.numel() for p in module.parameters()) == parameters_by_hand(3, depths, dims)
    assert module.dimension == dims[-1]


@pytest.mark.parametrize(("size", "first"), [("base", 128), ("large", 192), ("huge", 352)])
def test_the_larger_sizes_have_27_blocks_in_the_third_stage(size: str, first: int) -> None:
    assert SIZES[size].depths == (3, 3, 27, 3)
    assert SIZES[size].dims == tuple(first * 2**i for i in range(4))


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_any_number_of_channels_gives_one_vector(channels: int) -> None:
    assert ConvNeXtV2(channels, "mini")(torch.randn(2, channels, 16, 16, 32)).shape == (2, 128)


def test_hidden_places_stay_zero_and_change_nothing_that_is_visible() -> None:
    module = shaken(ConvNeXtV2(2, "mini"))
    generator = torch.Generator().manual_seed(0)
    visible = torch.tensor([[[1, 0, 1], [0, 1, 1]]], dtype=torch.float64).view(1, 1, 1, 2, 3)
    x = torch.randn(1, 2, 16, 32, 48, generator=generator, dtype=torch.float64)
    cover = visible.repeat_interleave(16, 2).repeat_interleave(16, 3).repeat_interleave(16, 4)
    other = torch.where(cover.bool(), x, torch.randn(x.shape, generator=generator, dtype=torch.float64))
    for a, b in zip(module.forward_features(x, visible), module.forward_features(other, visible), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
        hidden = torch.nn.functional.interpolate(1 - visible, a.shape[2:]).bool().expand_as(a)
        assert (a[hidden] == 0).all()
        assert (a[~hidden] != 0).all()
    everything = module.forward_features(x, torch.ones_like(visible))
    for a, b in zip(everything, module.forward_features(x), strict=True):
        torch.testing.assert_close(a, b)


def test_a_block_with_hidden_places_is_the_sparse_block_over_the_visible_ones() -> None:
    module = shaken(Block(3))
    p = arrays(module)
    generator = torch.Generator().manual_seed(3)
    visible = torch.rand(1, 1, 4, 5, 6, generator=generator, dtype=torch.float64) < 0.4
    x = torch.randn(1, 3, 4, 5, 6, generator=generator, dtype=torch.float64) * visible
    got = module(x, visible.double())[0].detach().numpy()
    places = np.argwhere(visible[0, 0].numpy())
    assert 20 < len(places) < 80
    gathered = np.zeros((len(places), 3))  # the depthwise sum visits visible neighbours only
    for n, here in enumerate(places):
        gathered[n] = p["dwconv.bias"]
        for there in places:
            a, b, c = there - here + 3
            if min(a, b, c) >= 0 and max(a, b, c) < 7:
                gathered[n] += p["dwconv.weight"][:, 0, a, b, c] * x[0][:, there[0], there[1], there[2]].numpy()
    hidden = gelu(layer_norm(gathered, p["norm.weight"], p["norm.bias"]) @ p["pwconv1.weight"].T + p["pwconv1.bias"])
    hidden = grn(hidden[:, None, None], p["grn.gamma"].ravel(), p["grn.beta"].ravel())[:, 0, 0]
    branch = hidden @ p["pwconv2.weight"].T + p["pwconv2.bias"]
    expected = x[0].numpy().copy()
    expected[:, places[:, 0], places[:, 1], places[:, 2]] += branch.T
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10)


def test_an_image_alone_gives_what_it_gives_in_a_batch() -> None:
    module = shaken(ConvNeXtV2(1, "mini"))
    x = torch.randn(3, 1, 16, 16, 16, dtype=torch.float64)
    torch.testing.assert_close(module(x)[1:2], module(x[1:2]))


def test_stochastic_depth_leaves_out_whole_branches_in_training_only_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    drop, ones = DropPath(0.4), torch.ones(4000, 2, 1, 1, 1)
    kept = drop(ones)
    assert kept.unique().tolist() == pytest.approx([0, 1 / 0.6])
    assert abs(float(kept.mean()) - 1) < 0.05
    assert (kept[:, 0] == kept[:, 1]).all()
    assert drop.eval()(ones) is ones
    module = ConvNeXtV2(1, "mini", drop_path=0.3)
    rates = [b.drop_path.rate for stage in module.stages for b in stage]
    assert rates == pytest.approx([0, 0.075, 0.15, 0.225, 0.3])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ConvNeXtV2(3, "giant"), "size: expected one of micro, mini, atto"),
        (lambda: ConvNeXtV2(0, "mini"), "in_channels"),
        (lambda: ConvNeXtV2(1, "mini", drop_path=1.0), "drop_path"),
        (lambda: ConvNeXtV2(3, "mini")(torch.zeros(1, 2, 16, 16, 16)), r"expected \(batch, 3, z, y, x\)"),
        (lambda: ConvNeXtV2(1, "mini")(torch.zeros(1, 1, 16, 24, 16)), r"multiples of 16 .* got \(16, 24, 16\)"),
    ],
)
def test_what_does_not_fit_is_refused(make: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()  # type: ignore[operator]
