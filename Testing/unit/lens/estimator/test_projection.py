"""The shared layer: hand-written gradients against autograd, one job against plain PyTorch and against its parts."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from deepradiomics.errors import Cancelled, InputError  # noqa: E402
from deepradiomics.lens.estimator import projection, projection_batch  # noqa: E402
from deepradiomics.lens.estimator.projection import initial, project, train_projections  # noqa: E402
from deepradiomics.lens.estimator.projection_settings import SWEEP, ProjectionSettings  # noqa: E402

N, D, K, H = 50, 12, 30, 8
SMALL = ProjectionSettings(hidden=H, epochs=25, learning_rate=1e-2, seed=4)


def data(seed: int = 0):
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(N, D))
    return X, np.tanh(X @ generator.normal(size=(D, K))) + 0.1 * generator.normal(size=(N, K))


def loss_of(W, b, T, c, X, Y, l1, l2):
    """The loss as METHODS writes it, for autograd."""
    Z = torch.relu(X @ W.T + b)
    penalty = l1 * (W.abs().sum() + T.abs().sum()) + l2 * (W.square().sum() + T.square().sum())
    return (Z @ T.T + c - Y).abs().mean() + penalty


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("block_bytes", [4 << 20, 4 * N * 7])  # all targets in one block; blocks of 7, the last shorter
@pytest.mark.parametrize("together", [False, True])
def test_hand_written_gradients_equal_autograd(monkeypatch, shared, block_bytes, together):
    monkeypatch.setitem(projection_batch._BLOCK_BYTES, "cpu", block_bytes)
    X, Y = (torch.from_numpy(part) for part in data())
    l1, l2 = np.array([0.0, 1e-3, 2e-2]), np.array([1e-2, 0.0, 3e-3])
    inputs = X[None] if shared else torch.stack([X, X.flip(0), 2 * X])
    start = [part.double() for part in initial(D, K, SMALL, "cpu")]
    generator = torch.Generator().manual_seed(1)
    layers = projection_batch.Layers(
        *(part + 0.1 * torch.randn(3, *part.shape, generator=generator, dtype=torch.float64) for part in start)
    )
    gradients = projection_batch.Gradients(layers, inputs, Y.T.contiguous(), l1, l2)
    if together:  # as on a GPU
        gradients.together = 3
        gradients.S = gradients.S.new_empty(3, gradients.block, N)
    gradients.compute()
    for i in range(3):
        leaves = [part[i].clone().requires_grad_() for part in layers.all()]
        loss_of(*leaves, inputs[0 if shared else i], Y, l1[i], l2[i]).backward()
        for found, leaf in zip(gradients.of.all(), leaves, strict=True):
            np.testing.assert_allclose(found[i], leaf.grad, rtol=0, atol=1e-12)


def test_float32_gradients_of_a_real_size_equal_autograd_to_1e_6():
    settings = ProjectionSettings(hidden=32)
    generator = np.random.default_rng(2)
    X = torch.from_numpy(generator.normal(size=(200, 64))).float()
    Y = torch.from_numpy(generator.normal(size=(200, 300))).float()
    layers = projection_batch.Layers(*(part[None].clone() for part in initial(64, 300, settings, "cpu")))
    gradients = projection_batch.Gradients(layers, X[None], Y.T.contiguous(), np.array([1e-6]), np.array([1e-5]))
    gradients.compute()
    leaves = [part[0].clone().requires_grad_() for part in layers.all()]
    loss_of(*leaves, X, Y, 1e-6, 1e-5).backward()
    for found, leaf in zip(gradients.of.all(), leaves, strict=True):
        np.testing.assert_allclose(found[0], leaf.grad, rtol=0, atol=1e-6)


def test_training_equals_a_plain_pytorch_loop():
    X, Y = data()
    trained = train_projections(X, Y, 1e-4, 1e-3, SMALL)
    leaves = [part.clone().requires_grad_() for part in initial(D, K, SMALL, "cpu")]
    optimiser = torch.optim.Adam(leaves, lr=SMALL.learning_rate)
    rows, targets = torch.from_numpy(X).float(), torch.from_numpy(Y).float()
    for _ in range(SMALL.epochs):
        optimiser.zero_grad()
        loss_of(*leaves, rows, targets, 1e-4, 1e-3).backward()
        optimiser.step()
    np.testing.assert_allclose(trained.weights[0], leaves[0].detach(), atol=1e-4)
    np.testing.assert_allclose(trained.bias[0], leaves[1].detach(), atol=1e-4)
    assert trained.train_loss[0] == pytest.approx(loss_of(*leaves, rows, targets, 0, 0).item(), rel=1e-4)


def test_a_sweep_as_one_job_equals_its_members_alone(monkeypatch):
    X, Y = data()
    l1, l2 = (np.array(column) * 100 for column in zip(*SWEEP, strict=True))
    sweep = train_projections(X, Y, l1, l2, SMALL, validation=(X[:9], Y[:9]))
    monkeypatch.setattr(projection, "_chunk_length", lambda *_: 5)
    chunked = train_projections(X, Y, l1, l2, SMALL, validation=(X[:9], Y[:9]))
    np.testing.assert_allclose(sweep.weights, chunked.weights, atol=1e-4)
    np.testing.assert_allclose(sweep.validation_loss, chunked.validation_loss, rtol=1e-3)
    for i in (0, 13, 23):
        alone = train_projections(X, Y, l1[i], l2[i], SMALL, validation=(X[:9], Y[:9]))
        np.testing.assert_allclose(sweep.weights[i], alone.weights[0], atol=1e-4)
        assert sweep.validation_loss[i] == pytest.approx(alone.validation_loss[0], rel=1e-3)


def test_layers_with_inputs_of_their_own_equal_separate_jobs():
    X, Y = data()
    inputs = np.stack([X, X[::-1], 3 * X])
    together = train_projections(inputs, Y, 1e-4, 1e-4, SMALL)
    for i in range(3):
        alone = train_projections(inputs[i], Y, 1e-4, 1e-4, SMALL)
        np.testing.assert_allclose(together.weights[i], alone.weights[0], atol=1e-4)


def test_training_lowers_the_error_and_penalties_shrink_the_weights():
    X, Y = data()
    few = train_projections(X, Y, 0.0, 0.0, ProjectionSettings(H, 1, 1e-2, 0)).train_loss[0]
    many = train_projections(X, Y, [0.0, 1e-2], [0.0, 1e-2], ProjectionSettings(H, 200, 1e-2, 0))
    assert many.train_loss[0] < 0.7 * few
    assert np.abs(many.weights[1]).sum() < 0.5 * np.abs(many.weights[0]).sum()


def test_equal_seeds_give_equal_layers_and_others_do_not():
    X, Y = data()
    runs = [train_projections(X, Y, 0.0, 0.0, ProjectionSettings(H, 3, 1e-2, seed)).weights for seed in (1, 1, 2)]
    assert np.array_equal(runs[0], runs[1])
    assert not np.allclose(runs[0], runs[2])


def test_the_layer_is_relu_of_a_linear_map():
    Z = project(
        np.array([[1.0, 2.0]]), np.array([[1.0, 1.0], [-1.0, 0.0]], np.float32), np.array([0.5, 0.5], np.float32)
    )
    assert Z.tolist() == [[3.5, 0.0]]


def test_the_sweep_has_the_printed_grid_with_the_repeated_value_read_as_1e_5():
    assert len(set(SWEEP)) == 24
    assert {l1 for l1, _ in SWEEP} == {0, 1e-7, 3e-7, 1e-6, 3e-6, 1e-5}
    assert {l2 for _, l2 in SWEEP} == {0, 1e-5, 1e-4, 1e-3}


def test_training_stops_when_asked():
    def stop(share: float, _: str) -> None:
        if share > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        train_projections(*data(), 0.0, 0.0, SMALL, progress=stop)


def test_a_diverging_rate_is_told():
    with pytest.raises(InputError, match="learning_rate=1e\\+30"):
        train_projections(*data(), 0.0, 0.0, ProjectionSettings(H, 30, 1e30, 0))
