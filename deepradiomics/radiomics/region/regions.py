"""Which regions of a mask an extraction is about: what a call names, what its parameters name, or the one rule.

::

    label, segment or all labels of the call   →  these
    a parameter file, a dictionary, Settings   →  its label, 1 where it is silent, as in PyRadiomics
    neither (nothing, or one of our presets)   →  the mask's only label, with a note; several are refused with the list
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.images import LabelChoice, Mask, chosen_labels, listed_labels
from deepradiomics.radiomics.settings.parameters import PRESETS, read_params
from deepradiomics.radiomics.settings.rules import RULES
from deepradiomics.radiomics.settings.settings import Settings


@dataclass(frozen=True)
class RegionChoice:
    """What is said about the regions wanted, before any mask is read.

    Args:
        label: the label's number.
        segment: the segment's name.
        all_labels: every label of the mask.
        of_params: the label of the parameters, which holds where none of the three is given; None: they name none.
        silent: the parameters name no label themselves, ``of_params`` is PyRadiomics' default.

    Raises:
        InputError: two of ``label``, ``segment`` and ``all_labels``, a label below 1, or an empty name.
    """

    label: int | None = None
    segment: str | None = None
    all_labels: bool = False
    of_params: int | None = None
    silent: bool = False

    def __post_init__(self) -> None:
        if (self.label is not None) + (self.segment is not None) + bool(self.all_labels) > 1:
            raise InputError("label, segment and all labels: give one of them, not two.")
        if self.label is not None:
            object.__setattr__(self, "label", RULES["label"].checked("label", self.label))
        if self.segment is not None and not (isinstance(self.segment, str) and self.segment):
            raise InputError(f"segment: expected the name of a segment of the mask, got {self.segment!r}.")

    @classmethod
    def of(
        cls, params: Any, label: int | None = None, segment: str | None = None, all_labels: bool = False
    ) -> "RegionChoice":
        """The choice of a call with these parameters.

        Raises:
            InputError: two of the three are given, or the parameters cannot be read.
        """
        of_params, silent = _label_of_params(params)
        return cls(label, segment, all_labels, of_params, silent)

    def of_case(self, label: int | None, segment: str | None) -> "RegionChoice":
        """The choice with what a row of a manifest names itself, which goes first."""
        if label is None and segment is None:
            return self
        return replace(self, label=label, segment=segment, all_labels=False)

    def labels(self, mask: Mask, where: str = "", *, several: bool = True) -> LabelChoice:
        """The labels of a mask that are meant; see :func:`deepradiomics.images.chosen_labels`.

        Raises:
            MaskError: the mask is empty, lacks what is named, or has several labels and none is named.
        """
        if self.label is not None or self.segment is not None or self.all_labels or self.of_params is None:
            return chosen_labels(
                mask, label=self.label, segment=self.segment, all_labels=self.all_labels, where=where, several=several
            )
        chosen = chosen_labels(mask, label=self.of_params, where=where)
        if not self.silent or len(mask.labels_present()) == 1:
            return chosen
        return LabelChoice(
            chosen.labels,
            (
                f"{where or mask.called}: label {self.of_params} was taken of {listed_labels(mask)}: the parameters "
                "name none, which means 1, as in PyRadiomics.",
            ),
        )


def _label_of_params(params: Any) -> tuple[int | None, bool]:
    """The label that parameters mean, and whether they are silent about it; (None, False) where they mean none."""
    if isinstance(params, Settings):
        return params.label, False
    if params is None or (isinstance(params, str | os.PathLike) and str(params) in PRESETS):
        return None, False
    setting = read_params(params).get("setting") or {}
    if not isinstance(setting, Mapping) or "label" not in setting:
        return 1, True
    return int(RULES["label"].checked("label", setting["label"])), False


def alone(mask: Mask, label: int) -> Mask:
    """The mask with one region alone where segments overlap: what lies over it is not lost by moving or cropping.

    Raises:
        MaskError: no voxel has this label.
    """
    if not mask.covered:
        return mask
    region = mask.region(label)
    segments = {label: mask.segments[label]} if label in mask.segments else {}
    labels = np.where(region, np.array(label, np.min_scalar_type(label)), 0)
    return replace(mask, labels=labels, segments=segments, covered={})
