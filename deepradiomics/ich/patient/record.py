"""ich.json: everything that other programs read about one patient, with its provenance and no identifiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics import __version__
from deepradiomics.files.atomic import content_hash
from deepradiomics.ich.haematoma.volume import abc2, lesions, volume_ml
from deepradiomics.ich.methods_text import case_methods
from deepradiomics.ich.patient.result import KIND, RING
from deepradiomics.images import Mask, Volume, image_record
from deepradiomics.stats.outside import outside_fields
from deepradiomics.training.run_folder import now, versions

if TYPE_CHECKING:
    from deepradiomics.ich.haematoma.expansion import Expansion
    from deepradiomics.ich.haematoma.lesion import LesionCrop
    from deepradiomics.ich.haematoma.region import Region
    from deepradiomics.ich.predictor import Predictor

DISCLAIMER = "Research use only; not a medical device. Not for diagnosis or treatment."
SYNTHETIC_DISCLAIMER = (
    "The model was trained on synthetic images: these risks demonstrate the software and mean nothing clinically."
)
LEAKING_DISCLAIMER = (
    "LEAKING: the model was fitted with latents of networks that had seen its patients (--allow-leakage); its "
    "calibration and thresholds are too optimistic."
)
_IMAGE_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
_SOFTWARE = ("numpy", "scipy", "SimpleITK", "torch", "monai", "scikit-learn", "xgboost")


@dataclass(frozen=True)
class RunFacts:
    """Circumstances of one run.

    Args:
        case_id: name of the case.
        command: how the program was started.
        policy: all or largest, of several haematomas.
        clinical: covariates as given.
        device: where the networks ran.
        synthetic_model: outcome models or a network were trained on synthetic images.
        synthetic_image: the CT is a phantom.
        dilation_voxels: edge of the cube that dilated the haematoma, on a grid of 1 mm.
        seconds: of each stage.
        real_head: of a phantom, whether its head is a real person's.
        outside_share: of the radiomic features that lie far from their training mean; None where it is not known.
    """

    case_id: str
    command: str
    policy: str
    clinical: Mapping[str, Any]
    device: str
    synthetic_model: bool
    synthetic_image: bool
    dilation_voxels: int
    seconds: Mapping[str, float]
    outside_share: float | None = None
    real_head: bool = False


@dataclass(frozen=True, eq=False)
class Outlines:
    """Where the haematoma of a patient lies.

    Args:
        region: the haematoma and its parts.
        regions: 1 haematoma, 2 ring, on the CT's grid.
        crop: of the haematoma, with the ring as it was dilated.
    """

    region: Region
    regions: Mask
    crop: LesionCrop


def case_record(
    predictor: Predictor,
    ct: Volume,
    outlines: Outlines,
    outcomes: Mapping[str, Any],
    grown: Expansion | None,
    notes: tuple[str, ...],
    facts: RunFacts,
) -> dict[str, Any]:
    """Return the content of ich.json, but for ``files``.

    Args:
        predictor: the outcome models.
        ct: the baseline CT.
        outlines: where the haematoma lies.
        outcomes: entries of each outcome.
        grown: what the follow-up shows.
        notes: what was assumed; repeated ones are told once.
        facts: the circumstances of the run.
    """
    software = versions(_SOFTWARE)
    return {
        "kind": KIND,
        "software": "deepradiomics",
        "version": __version__,
        "created": now(),
        "command": facts.command,
        "case_id": facts.case_id,
        "synthetic_model": facts.synthetic_model,
        "synthetic_image": facts.synthetic_image,
        "real_head": facts.synthetic_image and facts.real_head,
        "leaking": predictor.leaking,
        "disclaimer": _disclaimer(predictor.leaking, facts.synthetic_model),
        "bundle": {
            "name": str(predictor.info.get("name", "")),
            "input": predictor.input,
            "classifier": predictor.classifier,
            "sha256": predictor.sha256,
            "encoder_sha256": predictor.encoder_sha256,
            "autoencoder_sha256": predictor.autoencoder_sha256,
        },
        "inputs": {"ct": _provenance(ct), "mask": dict(outlines.region.origin)},
        "volumes": _volumes(outlines.region, outlines.regions, outlines.crop),
        "lesions_policy": facts.policy,
        "clinical": dict(facts.clinical),
        **outside_fields(facts.outside_share),
        "outcomes": {name: {**outcome, "beyond_3sd": facts.outside_share} for name, outcome in outcomes.items()},
        "followup": _followup(grown),
        "columns": {group: where.stop - where.start for group, where in predictor.slices().items()},
        "settings": dict(predictor.radiomics_settings),
        "versions": software,
        "device": facts.device,
        "seconds": dict(facts.seconds),
        "notes": list(dict.fromkeys(notes)),
        "methods_text": case_methods(
            predictor,
            mask_origin=outlines.region.sentence,
            lesions=facts.policy,
            dilation_voxels=facts.dilation_voxels,
            explained_by=[group for group in ("encoder", "autoencoder") if group in predictor.blocks],
            followup=grown is not None,
            versions=software,
        ),
    }


def _volumes(region: Region, regions: Mask, crop: LesionCrop) -> dict[str, Any]:
    """Millilitres. The ring is counted on the 1-mm crop: in thick slices the CT's own grid shows only a part of it."""
    estimate = abc2(region.mask)
    everything = Mask(region.parts.union(), region.parts.geometry)
    return {
        "haematoma_ml": volume_ml(region.mask),
        "abc2_ml": estimate.ml,
        "abc": {"a_mm": estimate.a_mm, "b_mm": estimate.b_mm, "c_mm": estimate.c_mm},
        "lesions": [
            {"label": lesion.number, "ml": lesion.ml, "centre_mm": list(lesion.centre_mm)}
            for lesion in lesions(everything)
        ],
        "ring_ml": float(crop.ring.sum() * np.prod(crop.geometry.spacing_mm) / 1000),
        "ring_on_ct_ml": volume_ml(regions, RING),
    }


def _followup(grown: Expansion | None) -> dict[str, Any] | None:
    if grown is None:
        return None
    values = grown.to_dict()
    return {
        "followup_ml": values["followup_ml"],
        "expansion_ml": values["difference_ml"],
        "relative": values["relative"],
        "labels": values["labels"],
    }


def _disclaimer(leaking: bool, synthetic: bool) -> str:
    texts = ((leaking, LEAKING_DISCLAIMER), (synthetic, SYNTHETIC_DISCLAIMER), (True, DISCLAIMER))
    return " ".join(text for holds, text in texts if holds)


def _provenance(ct: Volume) -> dict[str, Any]:
    """File name without its folder (nothing for DICOM, whose names may tell who it is), a hash, the grid."""
    name = Path(ct.source).name
    return {
        "file": name if name.lower().endswith(_IMAGE_SUFFIXES) else "",
        "sha256": content_hash(np.asarray(ct.voxels), ct.geometry.to_dict()),
        **image_record(ct),
        "size": list(ct.geometry.size),
        "spacing_mm": list(ct.geometry.spacing_mm),
    }
