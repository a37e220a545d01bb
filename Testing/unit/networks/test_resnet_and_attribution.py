"""G has the size of ResNet-18 and starts undecided; Grad-CAM points where the evidence is."""

import pytest
import torch
from torch import nn

from deepradiomics.errors import InputError
from deepradiomics.networks.attribution import grad_cam
from deepradiomics.networks.resnet import explained_block, relevance_resnet


def test_relevance_begins_near_the_chosen_value_for_every_feature() -> None:
    torch.manual_seed(0)
    network = relevance_resnet(3, 40, "tiny", initial=0.55).eval()
    q = torch.sigmoid(network(torch.randn(2, 3, 8, 19, 32)))
    assert q.shape == (2, 40)
    assert (q - 0.55).abs().max() < 0.05


def test_the_paper_size_is_resnet_18() -> None:
    network = relevance_resnet(3, 1, "paper")
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv3d) and m.kernel_size != (1, 1, 1)]
    assert len(convolutions) == 17  # and one linear layer: 18
    assert convolutions[-1].out_channels == 512


def test_arguments_out_of_range_are_named() -> None:
    with pytest.raises(InputError, match="size: expected one of paper, tiny"):
        relevance_resnet(3, 1, "huge")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="initial"):
        relevance_resnet(3, 1, "tiny", initial=1.0)


def test_grad_cam_by_hand() -> None:
    # Two maps: the image and its negative; the logit is 3·mean(map 0) + 0·mean(map 1), so α_0 > 0 and α_1 = 0:
    # the map is the ReLU of the image, scaled to 1.
    layer = nn.Conv3d(1, 2, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, -1.0]).view(2, 1, 1, 1, 1))
    image = torch.randn(1, 1, 4, 5, 6)

    def forward() -> torch.Tensor:
        return torch.stack([3 * layer(image)[:, 0].mean(), image.sum() * 0], dim=0)[None]

    cam = grad_cam(layer, forward, [0], (4, 5, 6))
    torch.testing.assert_close(cam[0], torch.relu(image[0, 0]) / image.max())


def test_grad_cam_refuses_a_logit_that_does_not_exist() -> None:
    network = relevance_resnet(1, 2, "tiny").eval()
    image = torch.randn(1, 1, 8, 16, 16)
    with pytest.raises(InputError, match=r"targets\[0\]: expected 0 to 1, got 2"):
        grad_cam(explained_block(network), lambda: network(image), [2], (8, 16, 16))


@pytest.mark.parametrize(("size", "region"), [("tiny", (8, 19, 32)), ("paper", (16, 38, 64))])
def test_the_explained_block_tells_both_ends_of_every_axis_apart(size: str, region: tuple[int, int, int]) -> None:
    network = relevance_resnet(1, 2, size).eval()  # type: ignore[arg-type]
    seen: list[torch.Size] = []
    explained_block(network).register_forward_hook(lambda _, __, maps: seen.append(maps.shape[2:]))
    with torch.no_grad():
        network(torch.randn(1, 1, *region))
    assert min(seen[0]) >= 2
