"""Whether two encoders, or two tables of embeddings, are one network before and after: refused, or a warning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.lens.encoders.embeddings import Embeddings

if TYPE_CHECKING:
    from deepradiomics.networks.encoders.encoder import Encoder

_STAGES = (("pre", "before"), ("ft", "after"))


def check_columns(pre: Embeddings, ft: Embeddings) -> None:
    """Refuse two tables that hold the same columns in another order.

    Raises:
        InputError: the message names the first such column.
    """
    if pre.columns == ft.columns or set(pre.columns) != set(ft.columns):
        return
    place, a, b = next((n, a, b) for n, (a, b) in enumerate(zip(pre.columns, ft.columns, strict=True), 1) if a != b)
    raise InputError(
        f"pre and ft: the tables hold the same columns in different orders (number {place}: {a!r} before, {b!r} after "
        "fine-tuning). Put the columns of both tables into the same order."
    )


def pair_remarks(pre: Encoder | Embeddings, ft: Encoder | Embeddings, one_run: bool) -> list[str]:
    """What speaks against comparing the two, one sentence each.

    Args:
        pre, ft: as given to the lens.
        one_run: they are of one fine-tuning's folder, which knows what it did.
    """
    said = []
    if isinstance(pre, Embeddings) and isinstance(ft, Embeddings) and not (_known(pre) or _known(ft)):
        different = [(a, b) for a, b in zip(pre.columns, ft.columns, strict=False) if a != b]
        if different:
            said.append(
                f"The tables of embeddings name their columns differently ({different[0][0]!r} before, "
                f"{different[0][1]!r} after fine-tuning): columns are compared by their place, so make sure that each "
                "place is the same output of the network."
            )
    if one_run:
        return said
    before, after = _seen(pre), _seen(ft)
    if not before or not after:
        return said
    if before["channels"] != after["channels"]:
        said.append(
            f"The encoder before fine-tuning sees {', '.join(before['channels'])}, the one after sees "
            f"{', '.join(after['channels'])}: what changes is due to the images as well as to the fine-tuning."
        )
    changed = [
        name for name, value in before["recipe"].items() if name in after["recipe"] and value != after["recipe"][name]
    ]
    changed = [name for name in changed if name not in ("modalities", "reference", "fixed_scale")]
    if changed:
        told = "; ".join(f"{name} {before['recipe'][name]} before, {after['recipe'][name]} after" for name in changed)
        said.append(
            f"Images are prepared differently for the two encoders ({told}): what changes is due to that as well as to "
            "the fine-tuning."
        )
    return said


def same_numbers(pre: NDArray[np.float64], ft: NDArray[np.float64]) -> list[str]:
    """Say so when fine-tuning changed nothing."""
    if np.array_equal(pre, ft):
        return ["The embeddings before and after fine-tuning are the same numbers: every shift is 0."]
    return []


def _known(table: Embeddings) -> bool:
    return isinstance(table.about.get("encoder"), Mapping)


def _seen(source: Encoder | Embeddings) -> dict[str, Any]:
    """Channels and recipe of an encoder, or of the one that made a table; empty where unknown."""
    if isinstance(source, Embeddings):
        told = source.about.get("encoder")
        if not isinstance(told, Mapping) or "channels" not in told:
            return {}
        return {"channels": list(told["channels"]), "recipe": dict(told.get("recipe") or {})}
    return {"channels": list(source.channels), "recipe": source.recipe.to_dict()}
