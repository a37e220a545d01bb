"""What a reader of a lens must know: each function returns sentences, or an empty list."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from deepradiomics.lens.config import LensConfig
from deepradiomics.words import count

FEW_LEVELS, MANY_LEVELS = 16, 128

CONTROLS = (
    "The shared layer is trained on one stage's embeddings and reads that stage better: R² and E lean to it, ΔI may "
    "lean to the other. ΔI with the layer trained on the fine-tuned embeddings (delta_i_fit_ft) and on both "
    "(delta_i_fit_both) is beside it. Another seed is another layer: ΔI changes with it much more than ΔE.",
    "ΔI follows the scale and the axes of the embeddings: an encoder whose outputs merely grow loses importance, and "
    "one whose outputs collapse to few directions gains it. ΔI on standardised features (delta_i_standardised) follows "
    "the axes alone; ΔE, the shift of the explained spread (delta_explained), follows neither.",
    "Estimation noise makes importances larger, most where a feature is fitted badly: noise_pre and noise_ft tell the "
    "share of I² that noise alone would give.",
    "That a feature can be read from an embedding does not show that the task uses it.",
)
"""Biases of the method, told with every result (METHODS, Lens)."""


def level_remarks(levels: Mapping[str, Mapping[str, Sequence[int]]]) -> list[str]:
    """Say for each modality how many regions have too few or too many grey levels for texture.

    Args:
        levels: by modality, by image, the counts of all cases.
    """
    said = []
    for modality, images in levels.items():
        known = _known(images.get("original", ()))
        few, many = int((known < FEW_LEVELS).sum()), int((known > MANY_LEVELS).sum())
        if few or many:
            parts = [f"{few} fewer than {FEW_LEVELS}"] * bool(few) + [f"{many} more than {MANY_LEVELS}"] * bool(many)
            said.append(
                f"Grey levels of {modality}: {known.min()} to {known.max()} in the {len(known)} regions; "
                f"{' and '.join(parts)}. Texture says little there: consider another bin width."
            )
        thin = [
            f"{image} ({int(np.median(counts))})"
            for image, own in images.items()
            for counts in [_known(own)]
            if image != "original" and counts.size and np.median(counts) < FEW_LEVELS
        ]
        if thin:
            said.append(
                f"Filtered images of {modality} with fewer than {FEW_LEVELS} grey levels in a typical region (median "
                f"in brackets): {', '.join(thin)}. Their texture says little."
            )
    return said


def _known(counts: Sequence[int]) -> np.ndarray:
    return np.array([count for count in counts if count], int)


def case_remarks(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """One sentence for all cases whose remarks differ in numbers only."""
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for case, texts in notes.items():
        for text in dict.fromkeys(texts):
            groups[re.sub(r"\d+(\.\d+)?", "#", text)].append((case, text))
    return [
        f"{members[0][0]}: {members[0][1].rstrip('.')}"
        + (f" ({len(members)} cases have such a remark)." if len(members) > 1 else ".")
        for members in groups.values()
    ]


def cohort_remarks(counts: Mapping[str, int], config: LensConfig, dimension: int) -> list[str]:
    """Say so when the cohort is small for what is fitted."""
    said = []
    if counts["train"] <= config.hidden:
        said.append(
            f"{count(counts['train'], 'training case')} for {count(config.hidden, 'hidden unit')}: "
            "the linear heads can fit noise, and R² on the test cases tells how much. Consider a smaller --hidden."
        )
    if counts["test"] < 6:
        said.append(f"{count(counts['test'], 'test case')}: a signed-rank test cannot become significant below 6.")
    if dimension < config.hidden:
        said.append(
            f"{count(config.hidden, 'hidden unit')} for embeddings of {dimension} numbers: some units say the same."
        )
    return said


def null_remarks(config: LensConfig) -> list[str]:
    """Say what is missing for telling ΔI from noise."""
    if config.permutations:
        return []
    return ["No permutation null was computed (--permutations), so which ΔI are more than noise is not known."]
