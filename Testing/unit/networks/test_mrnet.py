"""MRNet: the slice with the strongest response decides, whatever its place in the stack."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from deepradiomics.errors import BundleError, InputError  # noqa: E402
from deepradiomics.networks.mrnet import MRNet, alexnet_features, load_imagenet_weights  # noqa: E402


def _stack(slices: int = 4) -> torch.Tensor:
    return torch.randn(2, slices, 38, 64, generator=torch.Generator().manual_seed(0))


def _tiny(n_outputs: int = 3) -> MRNet:
    torch.manual_seed(0)
    return MRNet(n_outputs, size="tiny").eval()


def test_a_stack_becomes_one_row_of_logits_per_exam() -> None:
    assert _tiny()(_stack()).shape == (2, 3)


def test_the_order_of_the_slices_does_not_matter() -> None:
    network, stack = _tiny(), _stack()
    assert torch.allclose(network(stack), network(stack.flip(1)), atol=1e-6)


def test_a_repeated_slice_changes_nothing() -> None:
    network, stack = _tiny(), _stack()
    assert torch.allclose(network(stack), network(torch.cat([stack, stack[:, :1]], dim=1)), atol=1e-6)


def test_the_paper_backbone_is_alexnet_with_its_2_469_696_weights() -> None:
    # 3·64·121+64 + 64·192·25+192 + 192·384·9+384 + 384·256·9+256 + 256·256·9+256, torchvision's alexnet().features
    assert sum(p.numel() for p in alexnet_features().parameters()) == 2_469_696


def test_the_paper_backbone_makes_6_by_6_maps_of_a_224_slice() -> None:
    with torch.no_grad():
        assert alexnet_features()(torch.zeros(1, 3, 224, 224)).shape == (1, 256, 6, 6)


def test_imagenet_weights_in_torchvision_names_fill_the_backbone(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    torch.manual_seed(1)
    given = {f"features.{name}": tensor for name, tensor in alexnet_features().state_dict().items()}
    save_file({**given, "classifier.1.bias": torch.zeros(2)}, tmp_path / "alexnet.safetensors")
    torch.manual_seed(2)
    network = load_imagenet_weights(MRNet(1, size="paper"), tmp_path / "alexnet.safetensors")
    assert torch.equal(network.features[0].weight, given["features.0.weight"])
    assert torch.equal(network.features[10].bias, given["features.10.bias"])


def test_weights_that_do_not_fit_are_refused_by_name(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"features.0.weight": torch.zeros(2, 2)}, tmp_path / "other.safetensors")
    with pytest.raises(BundleError, match=r"features\.0\.weight.*\(2, 2\), expected \(64, 3, 11, 11\)"):
        load_imagenet_weights(MRNet(1, size="paper"), tmp_path / "other.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"not weights")
    with pytest.raises(BundleError, match="not a readable safetensors"):
        load_imagenet_weights(MRNet(1, size="paper"), tmp_path / "broken.safetensors")
    with pytest.raises(InputError, match="does not exist"):
        load_imagenet_weights(MRNet(1, size="paper"), tmp_path / "absent.safetensors")


def test_an_image_without_slices_is_refused() -> None:
    with pytest.raises(InputError, match="batch, slices, height, width"):
        _tiny()(torch.zeros(2, 38, 64))
