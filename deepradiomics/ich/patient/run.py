"""Apply an outcome model to one patient.

CT (HU?) ─ haematoma (given or segmented) ─ feature families ─ components ─ risks ─ Shapley shares, Grad-CAM ─ result
     └─ follow-up ─ registered ─ expansion
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.cohort.seen.marks import has_seen, image_mark
from deepradiomics.devices import resolve_device
from deepradiomics.ich.autoencoder.latents import load_autoencoder
from deepradiomics.ich.features.patient import CaseFeatures, Measurement, case_features, feature_rows, lesion_rows
from deepradiomics.ich.haematoma.expansion import Expansion, expansion, followup_region
from deepradiomics.ich.haematoma.lesion import CropRecipe, regions_on_ct
from deepradiomics.ich.haematoma.region import (
    Inference,
    Region,
    chosen_or_trained,
    given_region,
    open_segmenter,
    segmented_region,
)
from deepradiomics.ich.patient.maps import RiskMaps, risk_maps
from deepradiomics.ich.patient.record import Outlines, RunFacts, case_record
from deepradiomics.ich.patient.request import PatientRequest
from deepradiomics.ich.patient.result import HAEMATOMA, RING, IchCase, ShapRow
from deepradiomics.ich.patient.risk import outcome_record, outside_share, patient_row
from deepradiomics.ich.predictor import Predictor, load_predictor
from deepradiomics.images import Mask, Volume
from deepradiomics.images.reading import Reading
from deepradiomics.prepare.head.hu import check_hu
from deepradiomics.progress import Progress, part
from deepradiomics.radiomics import Settings
from deepradiomics.stats.outside import OUTSIDE_LIMIT, outside_sentence
from deepradiomics.words import made_up_sentence

if TYPE_CHECKING:
    from deepradiomics.networks.segmenter import Segmenter


def apply_case(
    bundle: str | Path | Predictor,
    request: PatientRequest,
    *,
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> IchCase:
    """Measure the haematoma, predict each outcome, and say where the risk comes from.

    Args:
        bundle: folder of an experiment's bundle, or the loaded predictor.
        request: the patient's images and what is asked of them.
        device: auto, cpu, cuda or mps, of the networks.
        threads: of the radiomic engine.
        progress: may raise Cancelled.

    Raises:
        BundleError: the bundle is damaged, its parts do not belong together, or it does not fit this version.
        InputError: the CT is not in HU, there is no mask and no network, a covariate is unknown; its subclasses
            MaskError and GeometryError say that it is the mask.
        MissingDependencyError: an optional package is not installed.

    Example:
        >>> request = PatientRequest(read_volume("ct.nii.gz"), read_mask("blood.nii.gz"))  # doctest: +SKIP
        >>> case = apply_case("run/bundle", request)  # doctest: +SKIP
        >>> case.record["outcomes"]["expansion_6ml"]["probability"]  # doctest: +SKIP
    """
    report = part(progress, 0.0, 1.0)
    clock = _Clock()
    report(0.0, "loading the model")
    where = resolve_device(device)
    predictor = load_predictor(bundle) if isinstance(bundle, str | Path) else bundle
    request.check_against(predictor)
    patient = _Patient(predictor, request, _Networks(predictor, request.segmenter, where), threads)
    clock.lap("loading")
    report(0.1, "haematoma")
    region = patient.outline(part(report, 0.1, 0.25))
    clock.lap("haematoma")
    report(0.25, "features")
    measured = patient.measure(region, part(report, 0.25, 0.6))
    parts = lesion_rows(request.ct, region.parts, patient.settings, threads) if request.each else ()
    clock.lap("features")
    report(0.6, "risks")
    row, outcomes, shap = patient.predict(measured, part(report, 0.6, 0.7))
    clock.lap("risks and Shapley values")
    segmentation = regions_on_ct(measured.crop, region.mask, request.ct.geometry)
    heat = patient.explain(row, segmentation > 0, measured, part(report, 0.7, 0.8))
    for name, share in heat.shares.items():
        outcomes[name]["gradcam"] = share
    clock.lap("Grad-CAM")
    change = None
    if request.followup is not None:
        report(0.8, "follow-up")
        change = patient.compare(region, request.followup, device, part(report, 0.8, 1.0))
        clock.lap("expansion")
    regions = Mask(segmentation, request.ct.geometry, "haematoma", segments={HAEMATOMA: "haematoma", RING: "ring"})
    facts = patient.facts(request.command(device, threads), where, clock.laps, outside_share(predictor, measured))
    record = case_record(
        predictor, request.ct, Outlines(region, regions, measured.crop), outcomes, change, patient.all_notes(), facts
    )
    report(1.0, "done")
    features = feature_rows(measured.radiomics)
    return IchCase(record, request.ct, regions, heat.maps, features, shap, change, parts, patient.settings)


class _Patient:
    """The steps from a request to its result; each adds to the notes."""

    def __init__(self, predictor: Predictor, request: PatientRequest, networks: _Networks, threads: int | None) -> None:
        self.predictor, self.request, self.networks, self.threads = predictor, request, networks, threads
        self.settings = Settings.from_params(dict(predictor.radiomics_settings))
        self.policy = request.policy(predictor)
        self.notes = [*request.ct.notes, *check_hu(request.ct, case=request.case_id)]
        if self.policy != predictor.lesions:
            self.notes.append(
                f"Of several haematomas {self.policy} was asked for; the model was fitted with {predictor.lesions}."
            )

    def outline(self, progress: Progress) -> Region:
        """The haematoma: the user's mask, else what a network segments."""
        request = self.request
        if request.mask is not None:
            region = given_region(
                request.ct,
                request.mask,
                reading=request.reading,
                trained=self.networks.trained,
                lesions=self.policy,
                each=request.each,
                case=request.case_id,
            )
        else:
            region = segmented_region(
                request.ct,
                self.networks.segmenter,
                Inference(request.flips, request.largest),
                lesions=self.policy,
                each=request.each,
                case=request.case_id,
                progress=progress,
            )
        self.notes += region.notes
        return region

    def measure(self, region: Region, progress: Progress) -> CaseFeatures:
        """Radiomics, and the latents that the model takes."""
        networks = self.networks
        measurement = Measurement(self.settings, networks.encoder, networks.autoencoder, self.threads)
        measured = case_features(
            self.request.ct, region.mask, measurement, case=self.request.case_id, progress=progress
        )
        self.notes += measured.notes
        self.notes += [str(text) for text in measured.radiomics.diagnostics.get("warnings", ())]
        return measured

    def predict(
        self, measured: CaseFeatures, progress: Progress
    ) -> tuple[np.ndarray, dict[str, Any], tuple[ShapRow, ...]]:
        """The classifiers' columns, each outcome's entry of ich.json, and the shares of the columns."""
        row, remarks = patient_row(self.predictor, measured, self.request.clinical)
        self.notes += remarks
        far = outside_share(self.predictor, measured)
        if far is not None and far > OUTSIDE_LIMIT:
            self.notes.append(outside_sentence(far))
        outcomes: dict[str, Any] = {}
        shap: list[ShapRow] = []
        for number, outcome in enumerate(self.predictor.outcomes):
            outcomes[outcome.name], shares = outcome_record(outcome, row, self.predictor.columns)
            shap += shares
            progress((number + 1) / len(self.predictor.outcomes), f"explaining {outcome.title}")
        return row, outcomes, tuple(shap)

    def explain(self, row: np.ndarray, dilated: np.ndarray, measured: CaseFeatures, progress: Progress) -> RiskMaps:
        """Where in and around the haematoma the latents speak for each risk."""
        heat = risk_maps(
            self.predictor,
            row,
            dilated,
            self.request.ct.geometry,
            measured,
            encoder=self.networks.encoder,
            autoencoder=self.networks.autoencoder,
            progress=progress,
        )
        self.notes += heat.notes
        return heat

    def compare(self, region: Region, followup: Volume, device: str, progress: Progress) -> Expansion:
        """How the haematoma has changed until the follow-up."""
        request, name = self.request, f"{self.request.case_id}, follow-up"
        check_hu(followup, case=name)
        baseline = Mask(region.parts.union(), request.ct.geometry, "haematoma")
        ct = Volume(request.ct.voxels, request.ct.geometry, request.ct.name, request.ct.source)  # its notes are known
        change = expansion(
            ct,
            followup,
            baseline,
            self._later(followup, name, part(progress, 0.0, 0.35)),
            all_labels=True,
            device=device,
            case=request.case_id,
            progress=part(progress, 0.35, 1.0),
        )
        self.notes += [note if note.startswith("Follow-up: ") else f"Follow-up: {note}" for note in change.notes]
        if self.policy == "largest" and len(region.parts_ml) > 1:
            self.notes.append("Follow-up: the expansion counts all haematomas, not the largest alone.")
        return change

    def _later(self, followup: Volume, name: str, progress: Progress) -> Mask:
        """The haematoma of the follow-up."""
        request, where = self.request, "the mask of the follow-up"
        if request.followup_mask is None:
            segmenter = self.networks.segmenter
            return segmenter.segment(
                followup, flips=request.flips, largest=request.largest, case=name, progress=progress
            ).mask
        reading = request.reading.for_label(request.followup_label)
        choice, remarks = chosen_or_trained(request.followup_mask, reading, self.networks.trained, where)
        later = followup_region(choice, request.followup_mask, where)
        return replace(later, notes=(*later.notes, *remarks))

    def all_notes(self) -> tuple[str, ...]:
        """What was noted on the way, and what is to be said of the scan itself."""
        notes = [*self.notes, *_memory(self.predictor, self.networks, self.request.ct)]
        if self.request.synthetic_image:
            notes.append(made_up_sentence(self.request.real_head))
        return tuple(notes)

    def facts(self, command: str, device: str, seconds: Mapping[str, float], outside: float | None) -> RunFacts:
        """The circumstances of the run."""
        request, autoencoder = self.request, self.networks.autoencoder
        recipe = CropRecipe() if autoencoder is None else autoencoder.recipe
        return RunFacts(
            request.case_id, command, self.policy, request.clinical, device,
            self.predictor.synthetic or self.networks.synthetic, request.synthetic_image, recipe.dilation_voxels,
            seconds, outside, request.real_head,
        )  # fmt: skip


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

    def __init__(self, predictor: Predictor, segmenter: str | Path | None, device: str) -> None:
        self._predictor, self._named, self._device = predictor, segmenter, device
        self.encoder = self.autoencoder = None
        if "encoder" in predictor.blocks:
            from deepradiomics.networks.segmenter import load_bundle_segmenter

            assert predictor.encoder is not None  # load_predictor has checked it
            self.encoder = load_bundle_segmenter(predictor.encoder, device=device)
        if "autoencoder" in predictor.blocks:
            assert predictor.autoencoder is not None
            self.autoencoder = load_autoencoder(predictor.autoencoder, device=device)
        self._segmenter: Segmenter | None = self.encoder if segmenter is None else None

    @property
    def trained(self) -> Reading:
        """Which labels were the haematoma in the patients that the model was fitted with."""
        stored = self._predictor.info.get("reading") or {}
        return Reading.from_dict({name: stored[name] for name in ("label", "segment", "all_labels") if name in stored})

    @property
    def synthetic(self) -> bool:
        """Whether a network that was used learned from synthetic images."""
        used = (self.encoder, self.autoencoder, self._segmenter)
        return any(network is not None and network.synthetic for network in used)

    @property
    def segmenter(self) -> Segmenter:
        """What segments: the network that the user named, else the bundle's."""
        if self._segmenter is None:
            self._segmenter = open_segmenter(self._predictor.encoder, self._named, self._device)
        return self._segmenter


def _memory(predictor: Predictor, networks: _Networks, ct: Volume) -> list[str]:
    """Whether the model, or a network of its bundle, learned from this very scan."""
    mark = image_mark(ct)
    learned = {"the outcome models": predictor.info}
    for name, network in (("the segmentation network", networks.encoder), ("the VAE-GAN", networks.autoencoder)):
        if network is not None:
            learned[name] = network.info
    known = [name for name, info in learned.items() if has_seen(info, image=mark)]
    if not known:
        return []
    return [f"This scan was among those that trained {' and '.join(known)}: its risks are no forecast, but memory."]
