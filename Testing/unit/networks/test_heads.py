"""The heads of the paper: two linear layers around a batch-norm for a class, batch-norm and one layer for a volume."""

import numpy as np
import pytest
import torch

from deepradiomics.errors import InputError
from deepradiomics.networks.heads import ClassHead, VolumeHead


def batch_norm(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5) * weight + bias


def arrays(head: torch.nn.Module) -> dict[str, np.ndarray]:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in head.double().parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return {name.removeprefix("layers."): value.numpy() for name, value in head.state_dict().items()}


def test_the_class_head_is_linear_norm_relu_linear() -> None:
    head = ClassHead(6, 4, hidden=5)
    p = arrays(head)
    x = torch.randn(7, 6, dtype=torch.float64)
    hidden = batch_norm(x.numpy() @ p["0.weight"].T + p["0.bias"], p["1.weight"], p["1.bias"])
    expected = np.maximum(hidden, 0) @ p["3.weight"].T + p["3.bias"]
    np.testing.assert_allclose(head.train()(x).detach().numpy(), expected, rtol=1e-9)


def test_the_volume_head_is_norm_linear() -> None:
    head = VolumeHead(6)
    p = arrays(head)
    x = torch.randn(7, 6, dtype=torch.float64)
    expected = batch_norm(x.numpy(), p["0.weight"], p["0.bias"]) @ p["1.weight"].T + p["1.bias"]
    np.testing.assert_allclose(head.train()(x).detach().numpy(), expected[:, 0], rtol=1e-9)


def test_one_case_can_be_predicted_but_not_trained_on() -> None:
    x = torch.randn(1, 6)
    assert ClassHead(6, 4).eval()(x).shape == (1, 4)
    assert VolumeHead(6).eval()(x).shape == (1,)
    for head in (ClassHead(6, 4), VolumeHead(6)):
        with pytest.raises(InputError, match="batch of one case"):
            head.train()(x)


@pytest.mark.parametrize("head", [ClassHead(6, 4), VolumeHead(6)])
def test_another_dimension_is_refused(head: torch.nn.Module) -> None:
    with pytest.raises(InputError, match=r"expected \(batch, 6\), got shape \(2, 5\)"):
        head(torch.zeros(2, 5))


@pytest.mark.parametrize("make", [lambda: ClassHead(6, 1), lambda: ClassHead(0, 2), lambda: VolumeHead(0)])
def test_a_head_of_nothing_is_refused(make: object) -> None:
    with pytest.raises(InputError):
        make()  # type: ignore[operator]
