"""ProFound's layout: state dicts with its names and shapes (made here, not the real weights) become our network."""

import argparse
from pathlib import Path
from typing import Any

import pytest
import torch

from deepradiomics.errors import BundleError
from deepradiomics.networks.convnextv2 import ConvNeXtV2
from deepradiomics.networks.encoders.load import load_encoder
from deepradiomics.networks.encoders.profound import load_profound, profound_size

State = dict[str, torch.Tensor]


def network(size: str = "mini", channels: int = 3) -> ConvNeXtV2:
    torch.manual_seed(0)
    module = ConvNeXtV2(channels, size).eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.2 + 0.1)
    return module


def folded(weight: torch.Tensor) -> torch.Tensor:
    """(out, in, k, k, k) → (k³, in, out), place by place: the first spatial axis runs fastest."""
    out, into, k = weight.shape[:3]
    kernel = torch.empty(k**3, into, out)
    for a in range(k):
        for b in range(k):
            for c in range(k):
                kernel[a + k * b + k * k * c] = weight[:, :, a, b, c].T
    return kernel


def sparse(state: State) -> State:
    """The names and shapes of a sparse pre-training checkpoint."""
    made: State = {}
    for name, value in state.items():
        part = name.split(".")
        if name.startswith("norm."):
            continue  # pre-training has no norm after the pooling
        if part[0] == "downsample_layers" and part[1] != "0":
            if part[2] == "0":
                name = name.replace(".0.weight", ".0.ln.weight").replace(".0.bias", ".0.ln.bias")
            elif part[3] == "weight":
                value = folded(value)
                value = value[0] if len(value) == 1 else value  # a kernel of one voxel is kept as (in, out)
                name = name.replace("weight", "kernel")
            else:
                value = value.view(1, -1)
        elif part[0] == "stages":
            layer = part[3]
            if layer == "dwconv":
                value = folded(value).squeeze(1) if part[4] == "weight" else value.view(1, -1)
                name = name.replace("weight", "kernel")
            elif layer == "norm":
                name = name.replace("norm.", "norm.ln.")
            elif layer.startswith("pwconv"):
                name = name.replace(f"{layer}.", f"{layer}.linear.")
            elif layer == "grn":
                value = value.view(1, -1)
        made[f"encoder.{name}"] = value.clone()
    decoder = {"mask_token": (1, 512, 1, 1, 1), "proj.weight": (512, 128, 1, 1, 1), "proj.bias": (512,),
               "decoder.0.dwconv.weight": (512, 1, 7, 7, 7), "decoder.0.grn.gamma": (1, 1, 1, 1, 512),
               "pred.weight": (4096, 512, 1, 1, 1), "pred.bias": (4096,)}  # fmt: skip
    return made | {name: torch.zeros(shape) for name, shape in decoder.items()}


def test_the_sparse_layout_made_here_has_the_shapes_that_the_code_documents() -> None:
    shapes = {name: tuple(value.shape) for name, value in sparse(network("atto").state_dict()).items()}
    assert shapes["encoder.downsample_layers.0.0.weight"] == (40, 3, 4, 4, 4)
    assert shapes["encoder.downsample_layers.1.0.ln.weight"] == (40,)
    assert shapes["encoder.downsample_layers.1.1.kernel"] == (8, 40, 80)
    assert shapes["encoder.downsample_layers.3.1.kernel"] == (160, 320)
    assert shapes["encoder.downsample_layers.1.1.bias"] == (1, 80)
    assert shapes["encoder.stages.2.5.dwconv.kernel"] == (343, 160)
    assert shapes["encoder.stages.2.5.norm.ln.bias"] == (160,)
    assert shapes["encoder.stages.2.5.pwconv1.linear.weight"] == (640, 160)
    assert shapes["encoder.stages.2.5.grn.gamma"] == (1, 640)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_dense_checkpoint_gives_the_same_embeddings(wrapped: bool) -> None:
    module = network()
    state: dict[str, Any] = {f"encoder.{name}": value for name, value in module.state_dict().items()}
    state |= {"head.0.weight": torch.zeros(256, 128), "head.3.bias": torch.zeros(4)}
    loaded = ConvNeXtV2(3, "mini").eval()
    loaded.load_state_dict(load_profound({"model": state, "epoch": 3} if wrapped else state))
    image = torch.randn(1, 3, 16, 32, 16)
    torch.testing.assert_close(loaded(image), module(image), rtol=0, atol=0)


def test_a_sparse_checkpoint_gives_the_same_maps_and_the_identity_as_last_norm() -> None:
    module = network()
    state = load_profound({"model": sparse(module.state_dict())})
    loaded = ConvNeXtV2(3, "mini").eval()
    loaded.load_state_dict(state)
    image = torch.randn(1, 3, 16, 32, 48)
    for ours, theirs in zip(loaded.forward_features(image), module.forward_features(image), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    assert (state["norm.weight"] == 1).all()
    assert (state["norm.bias"] == 0).all()


@pytest.mark.parametrize("size", ["atto", "tiny"])
@pytest.mark.parametrize("channels", [1, 3])
def test_size_and_channels_are_read_from_the_shapes(size: str, channels: int) -> None:
    with torch.device("meta"):
        state = ConvNeXtV2(channels, size).state_dict()
    assert profound_size(state) == (size, channels)


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors"])
def test_a_file_of_weights_becomes_an_encoder_of_t2_highb_and_adc(tmp_path: Path, suffix: str) -> None:
    from safetensors.torch import save_file

    module, path = network(), tmp_path / f"profound{suffix}"
    if suffix == ".safetensors":
        save_file(module.state_dict(), path)
    else:  # as training scripts save it: with their command line
        torch.save({"model": module.state_dict(), "epoch": 7, "args": argparse.Namespace(lr=1e-3)}, path)
    encoder = load_encoder(path)
    assert encoder.channels == ("t2", "highb", "adc")
    assert encoder.recipe.fixed_scale == ()
    assert encoder.source == "checkpoint"
    assert "untested with the real weights" in encoder.identity["about"]["note"]
    image = torch.randn(1, 3, 16, 16, 16)
    torch.testing.assert_close(encoder.embed(image), module(image).detach())


class Trap:
    """Unpickling this would run code."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (print, ("executed",))


def test_a_file_that_would_run_code_is_refused_and_runs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"model": network().state_dict(), "extra": Trap()}, path)
    with pytest.raises(BundleError, match=r"cannot be read safely .*save_file"):
        load_profound(path)
    assert "executed" not in capsys.readouterr().out


def edited(remove: str = "", add: State | None = None) -> State:
    state = {name: value for name, value in network().state_dict().items() if not remove or not name.startswith(remove)}
    return state | (add or {})


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (edited("stages.2.1.pwconv2.bias"), [r"missing stages.2.1.pwconv2.bias \(64,\)"]),
        (edited(add={"stages.0.0.extra": torch.zeros(3)}), [r"unknown stages.0.0.extra \(3,\)"]),
        (
            edited(add={"stages.1.0.norm.weight": torch.zeros(7)}),
            [r"stages.1.0.norm.weight: expected shape \(32,\), got \(7,\)"],
        ),
        (edited("stages.2.1."), [r"blocks \(1, 1, 1, 1\) with 16 channels", r"tiny \(3, 3, 9, 3\) / 96"]),
        (edited("downsample_layers.0.0"), ["stem 'downsample_layers.0.0.weight'"]),
        ({"conv1.weight": torch.zeros(2, 2)}, ["not a ConvNeXt-V2 in ProFound's layout", "got conv1.weight"]),
        (edited(add={"stages.0.0.dwconv.bias": torch.full((16,), torch.nan)}), ["'stages.0.0.dwconv.bias' holds NaN"]),
        (
            edited("stages.0.0.dwconv.weight", {"stages.0.0.dwconv.kernel": torch.zeros(300, 16)}),
            [r"'stages.0.0.dwconv.kernel' has shape \(300, 16\); expected \(k³, in, out\)"],
        ),
        (edited(add={"encoder.norm.bias": torch.zeros(128)}), ["stand for 'norm.bias'"]),
    ],
)
def test_keys_that_do_not_fit_are_named_with_what_was_expected(state: State, words: list[str]) -> None:
    for word in words:
        with pytest.raises(BundleError, match=word):
            load_profound(state)


def test_files_that_are_no_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"not a checkpoint")
    (tmp_path / "b.safetensors").write_bytes(b"nor this")
    torch.save([1, 2], tmp_path / "c.pt")
    for name, words in (
        ("a.pth", "cannot be read"),
        ("b.safetensors", "cannot be read"),
        ("c.pt", "dictionary of weights, got a list"),
        ("d.pt", "does not exist"),
    ):
        with pytest.raises(BundleError, match=words):
            load_encoder(str(tmp_path / name))
    torch.save(network(channels=1).state_dict(), tmp_path / "one.pt")
    with pytest.raises(BundleError, match="1 channels, ProFound's are t2, highb, adc"):
        load_encoder(tmp_path / "one.pt")


def test_a_pickle_of_strangers_is_not_read_by_a_torch_that_cannot_do_so_safely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save({"model": {}}, tmp_path / "weights.pth")
    monkeypatch.setattr(torch, "__version__", "2.9.1+cpu")
    with pytest.raises(BundleError, match=r"torch 2\.9\.1\+cpu cannot do so; torch 2\.10 or later can"):
        load_profound(tmp_path / "weights.pth")
