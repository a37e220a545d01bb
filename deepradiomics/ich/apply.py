"""Apply an outcome model to one patient.

CT (HU?) ─ haematoma (given or segmented) ─ feature families ─ components ─ risks ─ Shapley shares, Grad-CAM ─ result
     └─ follow-up ─ registered ─ expansion
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.devices import resolve_device
from deepradiomics.errors import InputError
from deepradiomics.ich.case_region import Region, given_region, open_segmenter, segmented_region
from deepradiomics.ich.case_result import HAEMATOMA, RING, IchCase, ShapRow
from deepradiomics.ich.predictor import LESIONS, Predictor, load_predictor
from deepradiomics.images import Mask, Volume
from deepradiomics.progress import Progress, part
from deepradiomics.stats.outside import OUTSIDE_LIMIT, outside_sentence
from deepradiomics.words import made_up_sentence

if TYPE_CHECKING:
    from deepradiomics.ich.expansion import Expansion
    from deepradiomics.networks.segmenter import Segmenter


def apply_case(
    bundle: str | Path | Predictor,
    ct: Volume,
    mask: Mask | None = None,
    *,
    label: int | None = None,
    followup: Volume | None = None,
    followup_mask: Mask | None = None,
    model: str | Path | None = None,
    flips: bool = False,
    largest: bool = False,
    lesions: str | None = None,
    clinical: Mapping[str, Any] | None = None,
    case_id: str = "",
    device: str = "auto",
    threads: int | None = None,
    synthetic_image: bool = False,
    real_head: bool = False,
    command: str = "",
    progress: Progress | None = None,
) -> IchCase:
    """Measure the haematoma, predict each outcome, and say where the risk comes from.

    Args:
        bundle: folder of an experiment's bundle, or the loaded predictor.
        ct: the baseline head CT, in HU.
        mask: the haematoma, on any grid in the CT's space; None lets ``model`` or the bundle's network segment.
        label: of the haematoma in the mask; None takes the only label there is.
        followup: a later CT: the expansion is measured.
        followup_mask: the haematoma there; None segments it as the baseline.
        model: bundle or nnU-Net v2 folder that segments instead of the bundle's network.
        flips, largest: options of the segmentation.
        lesions: of several haematomas take ``all`` as one region or the ``largest`` (the bundle's choice by default),
            or measure ``each`` as well; risks are of the bundle's choice then.
        clinical: covariates by name, where the bundle takes some; those left out take the training median.
        case_id: name of the case in the results; the CT's name by default.
        device: auto, cpu, cuda or mps, of the networks.
        threads: of the radiomic engine.
        synthetic_image: the CT is a phantom; noted in the result.
        real_head: of a phantom, whether its head is a real person's (``phantom ich --head``).
        command: how the program was started, for the record.
        progress: may raise Cancelled.

    Raises:
        BundleError: the bundle is damaged, its parts do not belong together, or it does not fit this version.
        InputError: the CT is not in HU, there is no mask and no network, an argument is unknown; its subclasses
            MaskError and GeometryError say that it is the mask.
        MissingDependencyError: an optional package is not installed.

    Example:
        >>> case = apply_case("run/bundle", read_volume("ct.nii.gz"), read_mask("blood.nii.gz"))  # doctest: +SKIP
        >>> case.record["outcomes"]["expansion_6ml"]["probability"]  # doctest: +SKIP
    """
    clock = _Clock()
    case_id = case_id or ct.name or "case"
    say = part(progress, 0.0, 1.0)
    if lesions is not None and lesions not in (*LESIONS, "each"):
        raise InputError(f"lesions: expected one of {', '.join((*LESIONS, 'each'))}, got {lesions!r}.")
    say(0.0, "loading the model")
    where = resolve_device(device)
    predictor = load_predictor(bundle) if isinstance(bundle, str | Path) else bundle
    _check_request(predictor, clinical or {}, mask, followup, followup_mask, model)
    from deepradiomics.ich.case_features import case_features, feature_rows, lesion_rows
    from deepradiomics.ich.case_maps import risk_maps
    from deepradiomics.ich.case_record import RunFacts, case_record
    from deepradiomics.ich.case_risk import outcome_record, outside_share, patient_row
    from deepradiomics.ich.lesion import CropRecipe, regions_on_ct
    from deepradiomics.prepare.hu import check_hu
    from deepradiomics.radiomics import Settings

    networks = _Networks(predictor, model, where)
    clock.lap("loading")

    notes = list(check_hu(ct, case=case_id))
    policy = lesions if lesions in LESIONS else predictor.lesions
    if policy != predictor.lesions:
        notes.append(f"Of several haematomas {policy} was asked for; the model was fitted with {predictor.lesions}.")
    say(0.1, "haematoma")
    region = _region(networks, ct, mask, label, flips, largest, policy, lesions == "each", case_id,
                     part(say, 0.1, 0.25))  # fmt: skip
    notes += region.notes
    clock.lap("haematoma")

    say(0.25, "features")
    settings = Settings.from_params(dict(predictor.radiomics_settings))
    measured = case_features(
        ct, region.mask, settings, encoder=networks.encoder, autoencoder=networks.autoencoder, case=case_id,
        threads=threads, progress=part(say, 0.25, 0.6),
    )  # fmt: skip
    rows = feature_rows(measured.radiomics)
    several = lesion_rows(ct, region.parts, settings, threads) if lesions == "each" else ()
    notes += measured.notes
    notes += [str(text) for text in measured.radiomics.diagnostics.get("warnings", ())]
    clock.lap("features")

    say(0.6, "risks")
    row, remarks = patient_row(predictor, measured, clinical or {})
    notes += remarks
    far = outside_share(predictor, measured)
    if far is not None and far > OUTSIDE_LIMIT:
        notes.append(outside_sentence(far))
    outcomes: dict[str, Any] = {}
    shap: list[ShapRow] = []
    for number, outcome in enumerate(predictor.outcomes):
        outcomes[outcome.name], shares = outcome_record(outcome, row, predictor.columns)
        shap += shares
        say(0.6 + 0.1 * (number + 1) / len(predictor.outcomes), f"explaining {outcome.title}")
    clock.lap("risks and Shapley values")

    segmentation = regions_on_ct(measured.crop, region.mask, ct.geometry)
    heat = risk_maps(
        predictor, row, segmentation > 0, ct.geometry, measured, encoder=networks.encoder,
        autoencoder=networks.autoencoder, progress=part(say, 0.7, 0.8),
    )  # fmt: skip
    notes += heat.notes
    for name, share in heat.shares.items():
        outcomes[name]["gradcam"] = share
    clock.lap("Grad-CAM")

    grown = None
    if followup is not None:
        say(0.8, "follow-up")
        grown = _expansion(networks, ct, region, followup, followup_mask, label, flips, largest, device, case_id, say)
        notes += [f"Follow-up: {note}" for note in grown.notes]
        if policy == "largest" and len(region.parts_ml) > 1:
            notes.append("Follow-up: the expansion counts all haematomas, not the largest alone.")
        clock.lap("expansion")
    notes += _seen(predictor, networks, ct)
    if synthetic_image:
        notes.append(made_up_sentence(real_head))
    regions = Mask(segmentation, ct.geometry, "haematoma", segment_names={HAEMATOMA: "haematoma", RING: "ring"})
    recipe = networks.autoencoder.recipe if networks.autoencoder is not None else CropRecipe()
    facts = RunFacts(
        case_id, command, policy, clinical or {}, where, predictor.synthetic or networks.synthetic, synthetic_image,
        recipe.dilation_voxels, clock.laps, far, real_head,
    )  # fmt: skip
    record = case_record(predictor, ct, region, regions, measured.crop, outcomes, grown, tuple(notes), facts)
    say(1.0, "done")
    return IchCase(record, ct, regions, heat.maps, rows, tuple(shap), grown, several)


class _Clock:
    """Seconds of each stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 3)
        self._last = now


class _Networks:
    """The networks that this patient needs, each loaded once and when it is first asked for.

    ``encoder`` and ``autoencoder`` are those whose latents the model takes (None where it takes none); ``segmenter``
    is what segments.
    """

    def __init__(self, predictor: Predictor, model: str | Path | None, device: str) -> None:
        self._predictor, self._model, self._device = predictor, model, device
        self.encoder = self.autoencoder = None
        if "encoder" in predictor.blocks:
            from deepradiomics.networks.segmenter import load_bundle_segmenter

            assert predictor.segmenter is not None  # load_predictor has checked it
            self.encoder = load_bundle_segmenter(predictor.segmenter, device=device)
        if "vaegan" in predictor.blocks:
            from deepradiomics.ich.autoencoder import load_autoencoder

            assert predictor.autoencoder is not None
            self.autoencoder = load_autoencoder(predictor.autoencoder, device=device)
        self._segmenter: Segmenter | None = self.encoder if model is None else None

    @property
    def synthetic(self) -> bool:
        """Whether a network that was used learned from synthetic images."""
        used = (self.encoder, self.autoencoder, self._segmenter)
        return any(network is not None and network.synthetic for network in used)

    @property
    def segmenter(self) -> Segmenter:
        """What segments: the network that the user named, else the bundle's."""
        if self._segmenter is None:
            self._segmenter = open_segmenter(self._predictor.segmenter, self._model, self._device)
        return self._segmenter


def _check_request(
    predictor: Predictor,
    clinical: Mapping[str, Any],
    mask: Mask | None,
    followup: Volume | None,
    followup_mask: Mask | None,
    model: str | Path | None,
) -> None:
    """Say at once what would otherwise end a long run."""
    from deepradiomics.ich.case_risk import covariate_values

    covariate_values(predictor, clinical, [])
    if followup_mask is not None and followup is None:
        raise InputError("followup_mask: it belongs to a follow-up CT, and none is given.")
    lacks = [
        name
        for name, needed, given in (("mask", True, mask), ("followup_mask", followup is not None, followup_mask))
        if needed and given is None
    ]
    if lacks and model is None and predictor.segmenter is None:
        raise InputError(
            f"{' and '.join(lacks)}: this bundle holds no segmentation network. Give the mask of the haematoma, or a "
            "network to segment with (--model: a bundle of 'ich train-segmenter' or an nnU-Net v2 model folder)."
        )
    needs = [name for name, folder in (("encoder", predictor.segmenter), ("vaegan", predictor.autoencoder))
             if name in predictor.blocks and folder is None]  # fmt: skip
    if needs:
        raise InputError(
            f"bundle: the input {predictor.input!r} needs networks for {', '.join(needs)}; load the predictor from the "
            "folder of its bundle, in which they lie."
        )


def _region(
    networks: _Networks,
    ct: Volume,
    mask: Mask | None,
    label: int | None,
    flips: bool,
    largest: bool,
    policy: str,
    each: bool,
    case: str,
    progress: Progress,
) -> Region:
    if mask is not None:
        return given_region(ct, mask, label=label, lesions=policy, each=each, case=case)
    return segmented_region(
        ct, networks.segmenter, flips=flips, largest=largest, lesions=policy, each=each, case=case, progress=progress
    )


def _expansion(
    networks: _Networks,
    ct: Volume,
    region: Region,
    followup: Volume,
    followup_mask: Mask | None,
    label: int | None,
    flips: bool,
    largest: bool,
    device: str,
    case: str,
    say: Progress,
) -> Expansion:
    from deepradiomics.ich.expansion import expansion
    from deepradiomics.prepare.hu import check_hu

    name = f"{case}, follow-up"
    check_hu(followup, case=name)
    if followup_mask is None:
        later = networks.segmenter.segment(
            followup, flips=flips, largest=largest, case=name, progress=part(say, 0.8, 0.87)
        ).mask
    elif label is not None:  # an empty mask is an answer too: the haematoma is gone
        later = Mask((followup_mask.labels == label).astype(np.uint8), followup_mask.geometry, followup_mask.name)
    else:
        later = followup_mask
    whole = Mask((region.parts.labels > 0).astype(np.uint8), ct.geometry, "haematoma")
    return expansion(ct, followup, whole, later, device=device, case=case, progress=part(say, 0.87, 1.0))


def _seen(predictor: Predictor, networks: _Networks, ct: Volume) -> list[str]:
    """Whether the model, or a network of its bundle, learned from this very scan."""
    from deepradiomics.ich.marks import has_seen, image_mark

    mark = image_mark(ct)
    told = {"the outcome models": predictor.info}
    for name, network in (("the segmentation network", networks.encoder), ("the VAE-GAN", networks.autoencoder)):
        if network is not None:
            told[name] = network.info
    known = [name for name, info in told.items() if has_seen(info, image=mark)]
    if not known:
        return []
    return [f"This scan was among those that trained {' and '.join(known)}: its risks are no forecast, but memory."]
