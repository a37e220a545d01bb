"""What is asked of one patient: the images, whose outline counts, and what is known beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.ich.patient.risk import covariate_values
from deepradiomics.ich.predictor import LESIONS, Predictor
from deepradiomics.images import Mask, Volume
from deepradiomics.images.reading import Reading
from deepradiomics.options import check_choice, command_words
from deepradiomics.public import one_line


@one_line
@dataclass(frozen=True, eq=False)
class PatientRequest:
    """One patient's images and what is asked of them.

    Args:
        ct: the baseline head CT, in HU.
        mask: the haematoma, on any grid in the CT's space; None lets ``segmenter`` or the bundle's network segment.
        label, segment, all_labels: of the haematoma in both masks, by number or name, or all together; else the only
            label there is, or of several those that the model was fitted with.
        followup: a later CT: the expansion is measured.
        followup_mask: the haematoma there; None segments it as the baseline; an empty one says that it is gone.
        followup_label: of the haematoma in ``followup_mask``, where it is another.
        segmenter: bundle or nnU-Net v2 folder that segments instead of the bundle's network.
        flips, largest: options of the segmentation.
        lesions: of several haematomas take ``all`` as one region or the ``largest`` (the bundle's choice by default),
            or measure ``each`` as well; risks are of the bundle's choice then.
        clinical: covariates by name, where the bundle takes some; those left out take the training median.
        case_id: name of the case in the results; the CT's name by default.
        synthetic_image: the CT is a phantom; noted in the result.
        real_head: of a phantom, whether its head is a real person's (``phantom ich --head``).

    Raises:
        InputError: ``lesions`` is unknown, several options name labels, or a mask of a follow-up has no follow-up.
    """

    ct: Volume
    mask: Mask | None = None
    label: int | None = None
    segment: str | None = None
    all_labels: bool = False
    followup: Volume | None = None
    followup_mask: Mask | None = None
    followup_label: int | None = None
    segmenter: str | Path | None = None
    flips: bool = False
    largest: bool = False
    lesions: str | None = None
    clinical: Mapping[str, Any] = field(default_factory=dict)
    case_id: str = ""
    synthetic_image: bool = False
    real_head: bool = False

    def __post_init__(self) -> None:
        if self.lesions is not None:
            check_choice("lesions", self.lesions, (*LESIONS, "each"))
        if self.followup_mask is not None and self.followup is None:
            raise InputError("followup_mask: it belongs to a follow-up CT, and none is given.")
        self.reading  # noqa: B018 - refuses labels that exclude each other
        object.__setattr__(self, "case_id", self.case_id or self.ct.name or "case")

    @property
    def reading(self) -> Reading:
        """Which labels of the masks are the haematoma."""
        return Reading(label=self.label, segment=self.segment, all_labels=self.all_labels)

    @property
    def each(self) -> bool:
        """Whether features are measured of each haematoma as well."""
        return self.lesions == "each"

    def policy(self, predictor: Predictor) -> str:
        """Which of several haematomas the risks are of: all or largest."""
        return self.lesions if self.lesions in LESIONS else predictor.lesions

    def command(self, device: str = "auto", threads: int | None = None) -> str:
        """The command that asks the same, without names of files and the patient: ``… apply BUNDLE CT --mask FILE``."""
        files = {"mask": self.mask, "followup": self.followup, "followup_mask": self.followup_mask}
        words = command_words(
            **{name: None if image is None else "FILE" for name, image in files.items()},
            label=self.label,
            segment=self.segment,
            merge_labels=self.all_labels,
            followup_label=self.followup_label,
            segmenter="FOLDER" if self.segmenter else None,
            flips=self.flips,
            largest=self.largest,
            lesions=self.lesions,
            clinical=tuple(f"{name}={value}" for name, value in self.clinical.items()),
            device=device,
            threads=threads,
        )
        return " ".join(["deepradiomics ich apply BUNDLE CT", *words])

    def check_against(self, predictor: Predictor) -> None:
        """Say at once what would otherwise end a long run.

        Raises:
            InputError: a covariate that the bundle does not take, or a mask or network that is needed and not there.
        """
        covariate_values(predictor, self.clinical, [])
        needed = [("mask", self.mask is None), ("followup_mask", bool(self.followup) and self.followup_mask is None)]
        lacking = [name for name, lacks in needed if lacks]
        if lacking and self.segmenter is None and predictor.encoder is None:
            raise InputError(
                f"{' and '.join(lacking)}: this bundle holds no segmentation network. Give the mask of the haematoma, "
                "or a network to segment with (--segmenter: a bundle of 'ich train-segmenter' or an nnU-Net v2 model "
                "folder)."
            )
        folders = (("encoder", predictor.encoder), ("autoencoder", predictor.autoencoder))
        needs = [name for name, folder in folders if name in predictor.blocks and folder is None]
        if needs:
            raise InputError(
                f"bundle: the input {predictor.input!r} needs networks for {', '.join(needs)}; load the predictor from "
                "the folder of its bundle, in which they lie."
            )
