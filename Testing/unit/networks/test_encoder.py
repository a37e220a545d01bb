"""Encoders: one class in front of bundles, weights and entry points; what comes out is one vector a case."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from deepradiomics.errors import BundleError, InputError
from deepradiomics.networks.bundle import save_bundle
from deepradiomics.networks.convnextv2 import ConvNeXtV2
from deepradiomics.networks.encoders import examples
from deepradiomics.networks.encoders.encoder import Encoder
from deepradiomics.networks.encoders.load import load_encoder
from deepradiomics.prepare import StackRecipe

RECIPE = StackRecipe(size_zyx=(16, 32, 32))


def mini(seed: int = 0, recipe: StackRecipe = RECIPE, **more: Any) -> Encoder:
    torch.manual_seed(seed)
    return Encoder(ConvNeXtV2(len(recipe.modalities), "mini"), recipe, **more)


def images(channels: int = 3, size: tuple[int, int, int] = (16, 32, 32), batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, channels, *size, generator=torch.Generator().manual_seed(5))


class Giving(nn.Module):
    """A network that gives what it is told to."""

    def __init__(self, make: Any) -> None:
        super().__init__()
        self.make = make
        self.unused = nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> Any:
        return self.make(x)


def test_a_bundle_gives_back_the_same_encoder(tmp_path: Path) -> None:
    encoder = mini(name="prostate", about={"cohort": "SYNTHETIC"})
    folder = encoder.save(tmp_path / "run" / "encoder", {"epochs": 3})
    for source in (folder, str(folder), tmp_path / "run"):  # a run that holds the bundle will do
        loaded = load_encoder(source)
        torch.testing.assert_close(loaded.embed(images()), encoder.embed(images()), rtol=0, atol=0)
        assert loaded.hash == encoder.hash
        assert loaded.recipe == RECIPE
        assert loaded.name == "prostate"
        assert loaded.identity["about"] == {"cohort": "SYNTHETIC", "epochs": 3}
        assert loaded.dimension == 128
        assert loaded.channels == ("t2", "highb", "adc")


def test_the_hash_changes_with_whatever_changes_the_embedding_and_with_nothing_else(tmp_path: Path) -> None:
    encoder = mini()
    hashes = {
        "same": mini(name="other", about={"note": 1}).hash,
        "weights": mini(seed=1).hash,
        "layer": mini(layer="stages.2").hash,
        "recipe": mini(recipe=StackRecipe(size_zyx=(16, 32, 48))).hash,
        "channels": encoder.with_channels(("t2", "adc")).hash,
    }
    assert hashes.pop("same") == encoder.hash
    assert len({*hashes.values(), encoder.hash}) == 5
    with torch.no_grad():
        encoder.module.norm.bias[3] += 1e-3
    assert encoder.hash != mini().hash


def test_a_layer_is_pooled_by_its_mean_over_the_places(tmp_path: Path) -> None:
    encoder = mini()
    maps = encoder.module.forward_features(images())
    for layer, at, dimension in (("stages.2", 2, 64), ("stages.0", 0, 16)):
        folder = encoder.save(tmp_path / layer)
        got = load_encoder(folder, layer=layer)
        assert got.dimension == dimension
        assert got.layer == layer
        torch.testing.assert_close(got.embed(images()), maps[at].detach().mean(dim=(2, 3, 4)))
    kept = load_encoder(mini(layer="stages.1").save(tmp_path / "kept"))
    assert kept.layer == "stages.1"  # the bundle's own choice
    assert kept.dimension == 32


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda x: x, lambda x: x.mean((2, 3, 4))),
        (lambda x: x.flatten(2), lambda x: x.flatten(2).mean(1)),
        (lambda x: x.mean((2, 3, 4)), lambda x: x.mean((2, 3, 4))),
        (lambda x: [x, x * 2], lambda x: 2 * x.mean((2, 3, 4))),
        (lambda x: (0, [x, (x, x * 3)]), lambda x: 3 * x.mean((2, 3, 4))),
        (lambda x: x.half(), lambda x: x.half().mean((2, 3, 4)).float()),
    ],
)
def test_pooling_follows_the_shape(make: Any, expected: Any) -> None:
    encoder = Encoder(Giving(make), RECIPE)
    assert encoder.dimension == expected(images()).shape[1]
    torch.testing.assert_close(encoder.embed(images()), expected(images()))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda x: x[:, :, 0], r"shape \(1, 3, 32, 32\) for a batch of 1 and cannot be pooled"),
        (lambda x: x.sum(), r"shape \(\)"),
        (lambda x: {"features": x}, "is a dict; expected a tensor"),
        (lambda x: x[:0].mean((2, 3, 4)), "cannot be pooled"),
        (lambda x: [], "is a list"),
        (lambda x: nn.functional.conv3d(x, torch.zeros(2, 5, 1, 1, 1)), "does not take images of shape .* size_zyx"),
    ],
)
def test_an_output_that_cannot_be_pooled_is_refused_when_the_encoder_is_made(make: Any, words: str) -> None:
    with pytest.raises(BundleError, match=words):
        Encoder(Giving(make), RECIPE)


def test_an_unknown_layer_is_refused_with_its_neighbours_and_an_unused_one_by_name() -> None:
    with pytest.raises(BundleError, match=r"no layer 'stage.2'; similar: stages.2.*first level: downsample_layers"):
        mini(layer="stage.2")
    with pytest.raises(BundleError, match=r"no layer 'xyz'; its first level"):
        mini(layer="xyz")
    with pytest.raises(BundleError, match="layer 'unused' is not used"):
        Encoder(Giving(lambda x: x), RECIPE, layer="unused")


def test_embedding_leaves_training_mode_and_gradients_as_they_were() -> None:
    encoder = mini()
    encoder.module.train()
    assert not encoder.embed(images()).requires_grad
    assert encoder.module.training
    with pytest.raises(InputError, match=r"expected \(batch, 3, z, y, x\), channels t2, highb, adc, got .*\(2, 2,"):
        encoder.embed(images(2))


def test_slicing_the_stem_is_blind_to_the_channels_left_out() -> None:
    encoder = mini()
    with torch.no_grad():
        encoder.module.downsample_layers[0][0].bias.normal_()
    reduced = encoder.with_channels(("adc", "t2"))
    assert reduced.channels == reduced.recipe.modalities == ("adc", "t2")
    assert reduced.module.in_channels == 2
    full = images()
    full[:, 1] = 0  # highb adds nothing to the stem's sum
    torch.testing.assert_close(reduced.embed(full[:, [2, 0]]), encoder.embed(full), rtol=1e-4, atol=1e-5)
    assert encoder.module.in_channels == 3  # untouched
    assert encoder.channels == ("t2", "highb", "adc")
    assert encoder.with_channels(encoder.channels) is encoder


def test_replicating_feeds_one_modality_to_every_channel(tmp_path: Path) -> None:
    encoder = mini()
    for name in ("t2", "ct"):
        single = encoder.with_channels((name,), "replicate")
        one = images(1)
        torch.testing.assert_close(
            single.embed(one), encoder.embed(one.expand(-1, 3, -1, -1, -1)), rtol=1e-4, atol=1e-5
        )
        assert single.channels == (name,)
        assert single.identity["about"]["channels_changed"]["how"] == "replicate"
        assert load_encoder(single.save(tmp_path / name)).hash == single.hash


def test_channels_that_do_not_fit_are_refused_with_both_lists() -> None:
    encoder = mini()
    with pytest.raises(
        BundleError, match=r"sees the modalities t2, highb, adc, but highb is not among .* t2, adc, dce.*--mod"
    ):
        encoder.require_channels(("t2", "adc", "dce"))
    encoder.require_channels(("adc", "t2", "highb", "dce"))
    with pytest.raises(BundleError, match="has the channels t2, highb, adc, so it cannot be reduced to ct"):
        encoder.with_channels(("ct",))
    with pytest.raises(BundleError, match="cannot be reduced to none"):
        encoder.with_channels(())
    with pytest.raises(BundleError, match="one modality to every channel; got 2"):
        encoder.with_channels(("t2", "adc"), "replicate")
    with pytest.raises(InputError, match="'slice' or 'replicate'"):
        encoder.with_channels(("t2",), "mean")  # type: ignore[arg-type]
    with pytest.raises(BundleError, match="no plain 3D convolution of 3 channels"):
        Encoder(Giving(lambda x: x), RECIPE).with_channels(("t2",))
    with pytest.raises(BundleError, match="2 channels, its recipe 3 modalities"):
        Encoder(ConvNeXtV2(2, "mini"), RECIPE)


def test_bundles_that_are_no_encoders_are_refused(tmp_path: Path) -> None:
    save_bundle(tmp_path / "other", {"w": np.zeros(2)}, {"kind": "fingerprint"})
    with pytest.raises(BundleError, match="kind 'encoder', this one is of kind 'fingerprint'"):
        load_encoder(tmp_path / "other")
    state = dict(ConvNeXtV2(3, "mini").state_dict())
    good = {"kind": "encoder", "architecture": {"name": "convnextv2", "size": "mini", "in_channels": 3}}
    good |= {"recipe": RECIPE.to_dict()}
    for number, (tensors, info, words) in enumerate(
        [
            (state, good | {"architecture": {"name": "vit"}}, "unknown architecture .*'vit'"),
            (state, good | {"recipe": {"sizes": 1}}, "not that of an encoder .*setting 'sizes' is unknown"),
            (state, {k: v for k, v in good.items() if k != "recipe"}, "not that of an encoder .*recipe"),
            ({k: v for k, v in state.items() if k != "norm.bias"}, good, r"missing norm.bias \(128,\)"),
            (
                state,
                good | {"architecture": {"name": "convnextv2", "size": "atto", "in_channels": 3}},
                "missing stages.0.1",
            ),
        ]
    ):
        folder = save_bundle(tmp_path / str(number), tensors, info)
        with pytest.raises(BundleError, match=words):
            load_encoder(folder)
    for source in ("nowhere", str(tmp_path / "nowhere"), tmp_path / "x:y z"):
        with pytest.raises(BundleError, match=r"there is no such folder.*'module:function'"):
            load_encoder(source)
    with pytest.raises(BundleError, match=r"cannot be saved as a bundle.*entry point"):
        Encoder(Giving(lambda x: x), RECIPE).save(tmp_path / "giving")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with a user's own encoders in it."""
    (tmp_path / "my_encoders.py").write_text(
        "import torch\n"
        "from deepradiomics.networks.convnextv2 import ConvNeXtV2\n"
        "from deepradiomics.networks.encoders.encoder import Encoder\n"
        "from deepradiomics.prepare import StackRecipe\n"
        "RECIPE = StackRecipe(('t2',), (16, 16, 16))\n"
        "def pair():\n    return torch.nn.Conv3d(1, 7, 3), RECIPE\n"
        "def whole():\n    return Encoder(ConvNeXtV2(1, 'mini'), RECIPE, layer='stages.1')\n"
        "def module_only():\n    return torch.nn.Conv3d(1, 7, 3)\n"
        "def swapped():\n    return RECIPE, torch.nn.Conv3d(1, 7, 3)\n"
        "def broken():\n    return 1 / 0\n"
        "number = 3\n"
    )
    (tmp_path / "needs_more.py").write_text("import a_package_that_is_not_there\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in ("my_encoders", "needs_more"):
        sys.modules.pop(name, None)


def test_a_function_of_the_users_is_an_encoder(here: Path) -> None:
    before = list(sys.path)
    pair, whole = load_encoder("my_encoders:pair"), load_encoder("my_encoders:whole")
    assert (pair.dimension, whole.dimension) == (7, 32)
    assert pair.source == whole.source == "entry point"
    assert pair.embed(images(1)).shape == (2, 7)
    assert pair.name == "my_encoders:pair"
    assert load_encoder("my_encoders:whole", layer="stages.0").dimension == 16
    assert sys.path == before


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("my_encoder:pair", "no Python module 'my_encoder'.*folder that holds its file"),
        ("my_encoders:pairs", "no function 'pairs'; did you mean pair"),
        ("my_encoders:number", "no function 'number'"),
        ("my_encoders:module_only", r"returned Conv3d; expected \(nn.Module, StackRecipe\) or an Encoder"),
        ("my_encoders:swapped", r"returned \(StackRecipe, Conv3d\)"),
        ("my_encoders:broken", "the function failed: ZeroDivisionError"),
    ],
)
def test_an_entry_point_that_is_none_is_refused(here: Path, source: str, words: str) -> None:
    with pytest.raises(BundleError, match=words):
        load_encoder(source)


def test_a_package_that_the_users_module_lacks_is_named(here: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="a_package_that_is_not_there"):
        load_encoder("needs_more:make")


@pytest.mark.parametrize(("name", "dimension"), [("monai_resnet", 512), ("swin_unetr", 192)])
def test_monais_networks_enter_by_an_entry_point(here: Path, name: str, dimension: int) -> None:
    pytest.importorskip("monai")
    if name == "swin_unetr":
        pytest.importorskip("einops")
    (here / "needs_more.py").write_text(
        "from deepradiomics.networks.encoders import examples\n"
        f"def small():\n    return examples.{name}(size_zyx=(32, 32, 32))\n"
    )
    encoder = load_encoder("needs_more:small")
    assert encoder.dimension == dimension
    assert encoder.channels == ("t2", "highb", "adc")
    one = images(size=(32, 32, 32))
    embedded = encoder.embed(one)
    assert embedded.isfinite().all()
    assert float(embedded.std()) > 0
    with torch.no_grad():
        raw = encoder.module(one)
    deepest = raw[-1] if isinstance(raw, list) else raw
    torch.testing.assert_close(embedded, deepest.mean((2, 3, 4)) if deepest.ndim == 5 else deepest)
    again, _ = getattr(examples, name)(size_zyx=(32, 32, 32))
    for first, second in zip(encoder.module.parameters(), again.parameters(), strict=True):
        assert torch.equal(first, second)  # seeded
    if name == "monai_resnet":
        assert encoder.with_layer("layer3").dimension == 256
        assert encoder.with_channels(("t2",)).embed(one[:, :1]).shape == (2, dimension)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_on_a_gpu_mixed_precision_stays_near_the_cpu_and_an_overflow_is_computed_again() -> None:
    on_cpu, on_gpu = mini(), mini(device="cuda")
    torch.testing.assert_close(on_gpu.embed(images()).cpu(), on_cpu.embed(images()), rtol=0, atol=2e-2)
    huge = Encoder(nn.Sequential(nn.Conv3d(3, 4, 1), nn.Conv3d(4, 4, 1)), RECIPE, device="cuda")
    with torch.no_grad():
        huge.module[0].weight.fill_(3e4)
        huge.module[1].weight.fill_(3e4)
    result = huge.embed(images().abs())  # about 1e9 overflows half precision
    assert result.isfinite().all()
    assert float(result.max()) > 1e6
