"""UPerNet: a label for every voxel, from the encoder's maps at several scales."""

import pytest
import torch

from deepradiomics.errors import InputError
from deepradiomics.networks.convnextv2 import ConvNeXtV2
from deepradiomics.networks.upernet import UPerNet3D

DIMS = (16, 32, 64, 128)


def test_the_labels_lie_on_the_images_grid_and_every_map_and_parameter_takes_part() -> None:
    torch.manual_seed(0)
    encoder, head = ConvNeXtV2(2, "mini"), UPerNet3D(DIMS, 3, width=16)
    images = torch.randn(2, 2, 32, 48, 64)
    maps = [m.detach().requires_grad_() for m in encoder.forward_features(images)]
    logits = head(maps, images.shape[2:])
    assert logits.shape == (2, 3, 32, 48, 64)
    (logits**2).sum().backward()
    assert all(m.grad.abs().sum() > 0 for m in maps)
    assert all(p.grad.abs().sum() > 0 for p in head.parameters())


@pytest.mark.parametrize("shapes", [[(1, 4, 4)] * 4, [(4, 8, 8), (2, 4, 4), (1, 2, 2), (1, 1, 1)]])
def test_one_case_with_small_maps_trains(shapes: list[tuple[int, int, int]]) -> None:
    head = UPerNet3D(DIMS, 1, width=16).train()
    maps = [torch.randn(1, dim, *shape) for dim, shape in zip(DIMS, shapes, strict=True)]
    logits = head(maps, (16, 64, 64))
    assert logits.shape == (1, 1, 16, 64, 64)
    assert logits.isfinite().all()
    assert float(logits.detach().std()) > 0
    logits.sum().backward()


def test_a_case_alone_gets_the_labels_it_gets_in_a_batch() -> None:
    head = UPerNet3D((8, 8), 2, width=8)
    maps = [torch.randn(3, 8, 4, 8, 8), torch.randn(3, 8, 2, 4, 4)]
    for mode in (True, False):
        head.train(mode)
        torch.testing.assert_close(head(maps, (8, 16, 16))[1:2], head([m[1:2] for m in maps], (8, 16, 16)))


def test_the_pyramid_sees_the_whole_map_from_every_place() -> None:
    """Far from a changed voxel of the deepest map, beyond all 3³ kernels, the labels change too."""
    torch.manual_seed(0)
    head = UPerNet3D((8, 8), 1, width=8).double().eval()
    maps = [torch.randn(1, 8, 1, 32, 32, dtype=torch.float64) for _ in range(2)]
    maps[1].requires_grad_()
    head(maps, (1, 32, 32))[0, 0, 0, 0, 0].backward()
    assert (maps[1].grad[0, :, 0, -1, -1] != 0).any()


def test_every_level_of_the_pyramid_receives_all_deeper_maps() -> None:
    torch.manual_seed(0)
    head = UPerNet3D((8, 8, 8), 1, width=8).double().eval()
    maps = [torch.randn(1, 8, n, n, n, dtype=torch.float64, requires_grad=True) for n in (8, 4, 2)]
    for level in (0, 1):
        seen: list[torch.Tensor] = []
        hook = head.outs[level].register_forward_hook(lambda module, inputs, output, seen=seen: seen.append(output))
        head(maps, (8, 8, 8))
        hook.remove()
        gradients = torch.autograd.grad((seen[0] ** 2).sum(), maps, allow_unused=True)
        assert [g is not None and bool(g.abs().sum() > 0) for g in gradients] == [i >= level for i in range(3)]


def test_a_few_steps_with_the_dice_loss_find_a_region() -> None:
    torch.manual_seed(0)
    encoder, head = ConvNeXtV2(1, "mini"), UPerNet3D(DIMS, 1, width=16)
    truth = torch.zeros(1, 1, 16, 64, 64)
    truth[:, :, 4:12, 16:40, 24:48] = 1
    image = truth + 0.3 * torch.randn(truth.shape)
    optimiser = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], 4e-3)
    for _ in range(40):
        optimiser.zero_grad()
        logits = head(encoder.forward_features(image), truth.shape[2:])
        inside = logits.sigmoid()
        (1 - 2 * (inside * truth).sum() / (inside.sum() + truth.sum())).backward()
        optimiser.step()
    found = logits.detach() > 0
    dice = 2 * float((found * truth).sum()) / float(found.sum() + truth.sum())
    assert dice > 0.8, dice


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: UPerNet3D((16,), 1), "two maps"),
        (lambda: UPerNet3D(DIMS, 0), "classes"),
        (lambda: UPerNet3D(DIMS, 1, width=12), "multiple of 8"),
        (lambda: UPerNet3D(DIMS, 1, pool_scales=()), "pool_scales"),
        (
            lambda: UPerNet3D((8, 8), 1)([torch.zeros(1, 8, 2, 2, 2), torch.zeros(1, 4, 2, 2, 2)], (4, 4, 4)),
            r"\[8, 4\]",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()  # type: ignore[operator]
