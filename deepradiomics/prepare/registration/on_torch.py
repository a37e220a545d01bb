"""Registration in torch: the likeness is differentiable, L-BFGS climbs it, any device does the arithmetic.

Twelve parameters, all in millimetres so that one step length suits them: three translations, then rotation vector,
logarithms of scale and shears, each multiplied by the anatomy's radius. A rigid motion has the first six.

    x ↦ R(ω) · K(shear) · diag(exp s) · (x − c) + c + t
"""

from typing import TYPE_CHECKING

import numpy as np

from deepradiomics.prepare.affine import AffineTransform
from deepradiomics.prepare.registration.pyramid import BINS, Level, similarity, starts
from deepradiomics.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor

SAMPLED_VOXELS = 20_000
"""At most this many voxels of a level enter the metric, drawn once with the seed."""

ITERATIONS = (40, 40, 30)
RIGID = 6


def register_torch(
    levels: list[Level], metric: str, kind: str, seed: int, device: str, progress: Progress
) -> AffineTransform:
    """Return the transform of this kind ("affine" or "rigid") from fixed to moving space.

    float32 on ``device``; the seed alone draws the sampled voxels.
    """
    import torch

    coarse = levels[0]
    geometry = coarse.fixed.geometry
    centre = np.array(geometry.centre_mm)
    radius = float(np.linalg.norm(geometry.extent_mm)) / 4

    def as_transform(parameters: "Tensor") -> AffineTransform:
        linear = _linear(parameters.double().cpu(), radius).numpy()
        return AffineTransform.about(linear, centre, parameters[:3].double().cpu().numpy())

    problem = _Problem(coarse, metric, seed, device, centre, radius)
    tried = []
    for start in starts(coarse):
        begin = torch.zeros(12)
        begin[:3] = torch.tensor(start.array[:3, 3], dtype=torch.float32)
        tried += [begin, problem.climb(begin, ITERATIONS[0], free=RIGID)]
    best = max(tried, key=lambda p: similarity(coarse.fixed, coarse.moving, as_transform(p), metric))
    for number, level in enumerate(levels):
        progress((number + 1) / (len(levels) + 1), f"Registering at {level.spacing_mm:.1f} mm on {device}")
        problem = _Problem(level, metric, seed, device, centre, radius)
        best = problem.climb(best, ITERATIONS[min(number, 2)], free=RIGID if kind == "rigid" else 12)
    return as_transform(best)


class _Problem:
    """One level on the device: sampled fixed points and grey levels, the moving image, and how to climb."""

    def __init__(self, level: Level, metric: str, seed: int, device: str, centre: np.ndarray, radius: float) -> None:
        import torch

        fixed, moving = level.fixed, level.moving
        count = fixed.voxels.size
        rng = np.random.default_rng(seed)
        chosen = (
            np.arange(count) if count <= SAMPLED_VOXELS else np.sort(rng.choice(count, SAMPLED_VOXELS, replace=False))
        )
        z, y, x = np.unravel_index(chosen, fixed.voxels.shape)
        points = fixed.geometry.index_to_physical(np.stack([x, y, z], axis=1)) - centre  # small numbers suit float32
        self.metric, self.radius, self.device = metric, radius, device
        self.points = torch.tensor(points, dtype=torch.float32, device=device)  # (N, 3) mm from the centre
        self.grey = torch.tensor(fixed.voxels.ravel()[chosen], dtype=torch.float32, device=device)  # (N)
        self.fixed_window = _parzen(self.grey) if metric == "mi" else None  # (N, bins)
        self.moving = torch.tensor(np.array(moving.voxels), dtype=torch.float32, device=device)  # (z, y, x)
        to_index = moving.geometry.inverse_affine
        self.to_index = torch.tensor(to_index[:3, :3], dtype=torch.float32, device=device)
        self.index_of_centre = torch.tensor(
            to_index[:3, :3] @ centre + to_index[:3, 3], dtype=torch.float32, device=device
        )

    def climb(self, begin: "Tensor", iterations: int, free: int) -> "Tensor":
        """Maximise the likeness over the first ``free`` parameters from ``begin`` (12); the result is on the CPU."""
        import torch

        start = begin.to(self.device)
        fixed_part = start[free:]
        parameters = start[:free].clone().requires_grad_(True)
        optimiser = torch.optim.LBFGS(
            [parameters],
            lr=1.0,
            max_iter=iterations,
            history_size=12,
            tolerance_grad=1e-6,
            tolerance_change=1e-5,
            line_search_fn="strong_wolfe",
        )

        def closure() -> "Tensor":
            optimiser.zero_grad()
            with torch.enable_grad():
                loss = -self.likeness(torch.cat([parameters, fixed_part]))
                loss.backward()
            return loss

        optimiser.step(closure)  # type: ignore[no-untyped-call]
        end = torch.cat([parameters.detach(), fixed_part]).cpu()
        return end if bool(torch.isfinite(end).all()) else begin

    def likeness(self, parameters: "Tensor") -> "Tensor":
        """Mutual information in nats of the sampled voxels, differentiable in the parameters.

        From the joint histogram, or for "ncc" from the correlation r as two Gaussian variables would have it,
        −½ log(1 − r²): unlike r itself this is not flat near its top.
        """
        moved = self.points @ _linear(parameters, self.radius).T + parameters[:3]
        index = moved @ self.to_index.T + self.index_of_centre  # (N, 3) x, y, z
        grey, weight = _trilinear(self.moving, index)
        total = weight.sum().clamp_min(1.0)
        if self.metric == "ncc":
            a = self.grey - (weight * self.grey).sum() / total
            b = grey - (weight * grey).sum() / total
            variances = (weight * a * a).sum() * (weight * b * b).sum()
            squared = (weight * a * b).sum().square() / variances.clamp_min(1e-12)
            return -0.5 * (1 - squared + 1e-5).log()
        assert self.fixed_window is not None
        joint = (self.fixed_window * weight[:, None]).T @ _parzen(grey) / total  # (fixed bins, moving bins)
        chance = joint.sum(dim=1, keepdim=True) * joint.sum(dim=0, keepdim=True)
        return (joint * ((joint + 1e-10) / (chance + 1e-10)).log()).sum()


def _linear(parameters: "Tensor", radius: float) -> "Tensor":
    """(3, 3) from the twelve parameters."""
    import torch

    turn, scale, shear = parameters[3:6] / radius, parameters[6:9] / radius, parameters[9:12] / radius
    zero = torch.zeros_like(turn[0])
    ones = torch.ones_like(zero)
    cross = torch.stack([zero, -turn[2], turn[1], turn[2], zero, -turn[0], -turn[1], turn[0], zero]).reshape(3, 3)
    angle = (turn.square().sum() + 1e-12).sqrt()  # Rodrigues' formula
    rotation = (
        torch.eye(3, dtype=turn.dtype, device=turn.device)
        + (angle.sin() / angle) * cross
        + ((1 - angle.cos()) / angle.square()) * (cross @ cross)
    )
    slant = torch.stack([ones, shear[0], shear[1], zero, ones, shear[2], zero, zero, ones]).reshape(3, 3)
    return rotation @ slant @ torch.diag(scale.exp())


def _parzen(grey: "Tensor") -> "Tensor":
    """(N, bins): cubic B-spline weights of grey levels in [0, 1] over the bins."""
    import torch

    bins = torch.arange(BINS, dtype=grey.dtype, device=grey.device)
    distance = (1.5 + grey[:, None] * (BINS - 4) - bins).abs()  # 1.5 bins of room for the window at both ends
    near = (2 / 3) - distance.square() * (1 - distance / 2)
    far = (2 - distance).clamp_min(0).pow(3) / 6
    return torch.where(distance < 1, near, far)


def _trilinear(image: "Tensor", index: "Tensor") -> tuple["Tensor", "Tensor"]:
    """Grey level at continuous indices (N, 3) in x, y, z, and how far the point is inside (1 inside, fading to 0).

    Gathering eight neighbours keeps the backward pass free of scatter operations, which are slow or not
    deterministic on some devices.
    """
    import torch

    size = torch.tensor(image.shape[::-1], device=index.device)
    low = index.detach().floor()
    part = index - low  # (N, 3), differentiable
    flat = image.reshape(-1)
    value = torch.zeros_like(index[:, 0])
    inside = torch.zeros_like(value)
    for corner in range(8):
        bits = torch.tensor([corner & 1, corner >> 1 & 1, corner >> 2 & 1], device=index.device)
        cell = low.long() + bits
        within = ((cell >= 0) & (cell < size)).all(dim=1)
        cell = torch.minimum(cell.clamp_min(0), size - 1)
        weight = torch.where(bits.bool(), part, 1 - part).prod(dim=1) * within
        value = value + weight * flat[(cell[:, 2] * size[1] + cell[:, 1]) * size[0] + cell[:, 0]]
        inside = inside + weight
    return value / inside.clamp_min(1e-6), inside
