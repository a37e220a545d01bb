"""From relevance and contributions to what a person reads: rows, patches, and Grad-CAM of one exam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deepradiomics.fingerprint.apply.result import FingerprintRow
from deepradiomics.fingerprint.model.pool import mean_by_patch, sum_by_patch
from deepradiomics.fingerprint.model.tasks import output_slices, probabilities
from deepradiomics.fingerprint.model.thresholds import decide

if TYPE_CHECKING:
    from deepradiomics.fingerprint.model.bundle import FingerprintBundle
    from deepradiomics.fingerprint.model.network import Inference


@dataclass(frozen=True, eq=False)
class Explanation:
    """One exam seen by the model; D columns in use, T tasks, C logits.

    Args:
        pool: raw feature values of the columns in use (D,).
        z: standardised (D,).
        relevance: q (T, D).
        logits: under the inference asked for (C,).
        chances: per inference mode and task: probability of the second class, or of every class.
        predicted: class index of each task.
        contributions: share of each feature in the logit explained, of the predicted class (T, D).
        explained: which logit that is, index into the C logits, for each task.
        intercepts: of all logits (C,).
    """

    pool: np.ndarray
    z: np.ndarray
    relevance: np.ndarray
    logits: np.ndarray
    chances: dict[str, tuple[np.ndarray, ...]]
    predicted: tuple[int, ...]
    contributions: np.ndarray
    explained: tuple[int, ...]
    intercepts: np.ndarray


def explain(
    bundle: FingerprintBundle, image: np.ndarray, pool: np.ndarray, inference: Inference, device: str = "cpu"
) -> Explanation:
    """Predict one exam and take the prediction apart.

    Args:
        bundle: the trained model.
        image: normalised views on the region (V, z, y, x).
        pool: all feature values in the layout's order (P,).
        inference: ``paper``, ``masked`` or ``soft``.
        device: where the relevance network runs.
    """
    from deepradiomics.fingerprint.model.network import INFERENCES
    from deepradiomics.fingerprint.model.predict import contributions_of, logits_of, relevance_of

    model, tasks = bundle.model, bundle.tasks
    z = bundle.scaling.transform(pool[None])  # (1, D)
    relevance = relevance_of(model, image[None], device=device)  # (1, T, D)
    limits = bundle.thresholds.vector(tasks)
    logits = {mode: logits_of(model, z, relevance, mode, limits) for mode in INFERENCES}
    chances = {mode: probabilities(logits[mode], tasks) for mode in INFERENCES}
    decision = bundle.thresholds.decision[inference]
    predicted = tuple(
        int(decide(task, chance, decision[task.name])[0])
        for task, chance in zip(tasks, chances[inference], strict=True)
    )
    explained = tuple(
        where.start + (0 if task.kind == "binary" else winner)
        for task, where, winner in zip(tasks, output_slices(tasks), predicted, strict=True)
    )
    shares = contributions_of(model, z, relevance, inference, limits)[0]  # (C, D)
    return Explanation(
        pool=pool[bundle.scaling.kept],
        z=z[0],
        relevance=relevance[0],
        logits=logits[inference][0],
        chances={mode: tuple(chance[0] for chance in chances[mode]) for mode in INFERENCES},
        predicted=predicted,
        contributions=shares[list(explained)],
        explained=explained,
        intercepts=model.classifier.intercept.detach().double().numpy(),
    )


def rows_of(bundle: FingerprintBundle, found: Explanation) -> tuple[FingerprintRow, ...]:
    """Return the table of all columns in use, task by task, largest absolute contribution first."""
    columns = [bundle.layout.columns[k] for k in bundle.scaling.kept]
    limits = bundle.thresholds.vector(bundle.tasks)
    rows: list[FingerprintRow] = []
    for t, task in enumerate(bundle.tasks):
        selected = found.relevance[t].astype(np.float64) >= limits[t]
        for d in np.argsort(-np.abs(found.contributions[t]), kind="stable"):
            column = columns[d]
            rows.append(
                FingerprintRow(
                    task=task.name,
                    feature=column.feature,
                    view=column.view,
                    patch=column.patch,
                    family=column.family,
                    value=float(found.pool[d]),
                    z=float(found.z[d]),
                    relevance=float(found.relevance[t, d]),
                    selected=bool(selected[d]),
                    contribution=float(found.contributions[t, d]),
                )
            )
    return tuple(rows)


def patch_relevance(bundle: FingerprintBundle, found: Explanation) -> np.ndarray:
    """Return the mean q over each patch's features of all views, (T, J)."""
    return mean_by_patch(found.relevance, bundle.layout.patches[bundle.scaling.kept], bundle.layout.n_patches)


def patch_contribution(bundle: FingerprintBundle, found: Explanation) -> np.ndarray:
    """Return the sum of the contributions of each patch's features, (T, J)."""
    return sum_by_patch(found.contributions, bundle.layout.patches[bundle.scaling.kept], bundle.layout.n_patches)


def gradcam_of(
    bundle: FingerprintBundle, image: np.ndarray, z: np.ndarray, targets: Sequence[int], device: str = "cpu"
) -> np.ndarray | None:
    """Return Grad-CAM of the explained logits with respect to G's explained block, (T, z, y, x), or None without G.

    The thresholded inference modes have no gradient with respect to G, so the logit is that of ``soft`` (f ⊙ q), the
    form in which G was trained.
    """
    import torch

    from deepradiomics.networks.attribution import grad_cam

    layer = bundle.model.explained_block()
    if layer is None:
        return None
    model = bundle.model.to(device).eval()
    views = torch.from_numpy(np.array(image[None], dtype=np.float32)).to(device)
    features = torch.from_numpy(np.array(z[None], dtype=np.float32)).to(device)
    try:
        return grad_cam(layer, lambda: model(views, features).logits, targets, image.shape[1:]).numpy()
    finally:
        model.to("cpu")
