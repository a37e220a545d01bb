"""The names of the classifiers' columns: what stands beside a bar of the explanation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.radiomics.catalogue.explain import explain

TOP = 3


@dataclass(frozen=True)
class Column:
    """One column that the classifiers see.

    Args:
        group: the family: shape, radiomics, encoder, autoencoder, clinical.
        name: unique in the table: ``radiomics 17``, or the feature's own name.
        label: for people: a component of radiomics names its three strongest features.
        top: features with their loading, the strongest first (loadings relative to the strongest, 1).
    """

    group: str
    name: str
    label: str
    top: tuple[tuple[str, float], ...] = ()


def raw_columns(family: str, names: Sequence[str]) -> tuple[Column, ...]:
    """Columns of a family that keeps its features; clinical covariates are called what the manifest calls them."""
    return tuple(Column(family, name, name if family == "clinical" else _label(name), ((name, 1.0),)) for name in names)


def factor_columns(family: str, H: np.ndarray, name_of: Callable[[int], str], top: int = 10) -> tuple[Column, ...]:
    """Columns of a factorised family; H (k, m). Components are counted from 1."""
    words = {"radiomics": "Radiomics", "encoder": "Encoder latent", "autoencoder": "VAE-GAN latent"}[family]
    top = min(top, H.shape[1])
    strongest = np.argpartition(-H, top - 1, axis=1)[:, :top]
    columns = []
    for t, places in enumerate(strongest):
        ordered = places[np.lexsort((places, -H[t, places]))]
        found = tuple((name_of(int(j)), float(H[t, j])) for j in ordered if H[t, j] > 0)
        label = f"{words} component {t + 1}"
        if family == "radiomics" and found:
            label += ": " + "; ".join(_label(name) for name, _ in found[:TOP])
        columns.append(Column(family, f"{family} {t + 1}", label, found))
    return tuple(columns)


def _label(name: str) -> str:
    """The feature's short name; what the engine does not know keeps its own."""
    try:
        return explain(name).label or name
    except InputError:
        return name
