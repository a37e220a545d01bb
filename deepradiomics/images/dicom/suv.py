"""PET activity as standardised uptake value by body weight (SUVbw, g/mL), from what the series itself says.

After the vendor-neutral pseudo-code of QIBA's FDG-PET/CT profile (appendix G): SUVbw = activity × weight / dose, where
the dose is the one left at the time to which the activity was decay-corrected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from pydicom.dataset import Dataset

from deepradiomics.errors import InputError
from deepradiomics.images.dicom.elements import items, number, numbers_at, private_tag, text, texts, texts_at
from deepradiomics.images.dicom.frames import Frame
from deepradiomics.images.volume import Volume

T = TypeVar("T")

_PHILIPS, _GE = "PHILIPS PET PRIVATE GROUP", "GEMS_PETD_01"
_LEAST_DOSE_BQ = 1e5  # a dose below was surely written in MBq or mCi
_HEAVIEST_KG = 700.0
_SHORTEST_S = 60.0  # less than rubidium-82
_HALF_LIVES = {  # s
    ("fluorine", "18"): 6586,
    ("carbon", "11"): 1223,
    ("nitrogen", "13"): 598,
    ("oxygen", "15"): 122.3,
    ("gallium", "68"): 4063,
    ("rubidium", "82"): 76.4,
    ("copper", "64"): 45_720,
    ("zirconium", "89"): 282_300,
    ("iodine", "124"): 360_800,
}
_LATE = timedelta(minutes=10)  # a series that began earlier than this before its first image is told
_SAME_TIME = timedelta(seconds=1)
_TIME = re.compile(r"(\d\d)(\d\d)?(\d\d)?(\.\d{1,6})?")
_MOMENT = re.compile(r"(\d{8})(\d\d)(\d\d)?(\d\d)?(\.\d{1,6})?([+-]\d{4})?")


def with_suv(volume: Volume, frames: Sequence[Frame]) -> Volume:
    """Return a PET volume in SUVbw, float64, with a note of what it was made from.

    Args:
        volume: stored values × slope + intercept, slice by slice.
        frames: the slices that it was made of.

    Raises:
        InputError: no PET, units that say nothing of activity, no decay correction, or weight, dose, half-life or times
            missing, not plausible, or differing between slices.
    """
    headers = list({id(frame.header): frame.header for frame in frames}.values())
    datasets = [header.dataset for header in headers]
    modality = _same(datasets, lambda d: text(d, "Modality"), "Modality")
    if modality != "PT":
        raise InputError(f"SUV: expected PET (modality PT), got {modality or 'no modality'}. Leave out the SUV option.")
    factor, how = suv_factor(datasets)
    note = f"Values are SUVbw in g/mL: {how}."
    return replace(volume, voxels=volume.voxels.astype(float) * factor, notes=(*volume.notes, note))


def suv_factor(datasets: Sequence[Dataset]) -> tuple[float, str]:
    """Return what rescaled values are multiplied by to give SUVbw, and how it was found.

    Raises:
        InputError: as :func:`with_suv`.
    """
    units = _same(datasets, lambda d: text(d, "Units"), "Units").upper()
    if units == "GML":
        kind = _same(datasets, lambda d: text(d, "SUVType"), "SUVType").upper()
        if kind not in ("", "BW"):
            raise InputError(f"SUV: the series holds SUV of type {kind}, not by body weight.")
        return 1.0, "the series holds them (Units GML)"
    if units == "CNTS":
        _require_corrected(datasets)
        ready = _same(datasets, lambda d: _private(d, 0x1000), "the scanner's SUV factor")
        if ready:
            return ready, "counts × the scanner's own SUV factor"
        scale = _same(datasets, lambda d: _private(d, 0x1009), "the scanner's activity factor")
        if not scale:
            raise InputError(
                "SUV: the series holds counts, and no factor of the scanner that turns them into activity."
            )
        factor, how = _from_dose(datasets)
        return scale * factor, f"counts × the scanner's activity factor; {how}"
    if units != "BQML":
        raise InputError(
            f"SUV: Units should be BQML (or CNTS with the scanner's factor, or GML), got {units or 'none'}."
        )
    return _from_dose(datasets)


def _from_dose(datasets: Sequence[Dataset]) -> tuple[float, str]:
    _require_corrected(datasets)
    correction = _same(datasets, lambda d: text(d, "DecayCorrection"), "DecayCorrection").upper()
    if correction not in ("START", "ADMIN"):
        raise InputError(f"SUV: DecayCorrection should be START or ADMIN, got {correction or 'none'}.")
    weight = _positive(datasets, lambda d: number(d, "PatientWeight"), "PatientWeight")
    if weight > _HEAVIEST_KG:
        raise InputError(f"SUV: PatientWeight is {weight:g}; it should be in kg. Was it written in g?")
    dose = _positive(datasets, lambda d: number(_tracer(d), "RadionuclideTotalDose"), "RadionuclideTotalDose")
    if dose < _LEAST_DOSE_BQ:
        raise InputError(f"SUV: RadionuclideTotalDose is {dose:g}; it should be in Bq. Was it written in MBq or mCi?")
    if correction == "ADMIN":
        return weight * 1000 / dose, "activity × weight / dose, decay-corrected to the injection"
    half_life = _half_life(datasets)
    scan, reference = _scan_start(datasets)
    elapsed, assumed = _elapsed(datasets, scan, half_life)
    how = (
        f"activity × weight / dose, the dose decayed over {elapsed / 60:.1f} min from injection to {reference}{assumed}"
    )
    return weight * 1000 / (dose * 2 ** (-elapsed / half_life)), how


def _require_corrected(datasets: Sequence[Dataset]) -> None:
    corrected = {part.upper() for part in _same(datasets, lambda d: texts(d, "CorrectedImage"), "CorrectedImage")}
    for needed, name in (("ATTN", "attenuation"), ("DECY", "decay")):
        if needed not in corrected and not (needed == "DECY" and "DECAY" in corrected):
            raise InputError(f"SUV: the series is not corrected for {name} (CorrectedImage lacks {needed}).")


def _half_life(datasets: Sequence[Dataset]) -> float:
    """Seconds; of the nuclide that the header names, as far as it is known here."""
    seconds = _positive(datasets, lambda d: number(_tracer(d), "RadionuclideHalfLife"), "RadionuclideHalfLife")
    codes = items(_tracer(datasets[0]), "RadionuclideCodeSequence")
    nuclide = text(codes[0], "CodeMeaning").lower() if codes else ""
    for (element, mass), known in _HALF_LIVES.items():
        if element in nuclide and mass in nuclide and abs(seconds - known) > 0.05 * known:
            raise InputError(
                f"SUV: RadionuclideHalfLife is {seconds:g}, that of {element}-{mass} {known:g} s. "
                "Was it written in minutes or hours, or is another nuclide meant?"
            )
    if seconds < _SHORTEST_S:
        raise InputError(f"SUV: RadionuclideHalfLife is {seconds:g}; it should be in s. Was it written in min or h?")
    return seconds


def _scan_start(datasets: Sequence[Dataset]) -> tuple[datetime, str]:
    """The time to which a series with DecayCorrection START was corrected."""
    acquired = min(_moment_of(d, "AcquisitionDate", "AcquisitionTime") for d in datasets)
    series = _same(datasets, lambda d: _moment_of(d, "SeriesDate", "SeriesTime"), "SeriesTime")
    if series <= acquired:
        early = acquired - series
        late = f", which is {early.total_seconds() / 60:.0f} min before the first image" if early > _LATE else ""
        return series, f"the start of the series{late}"
    scans = {_ge_scan(d) for d in datasets} - {None}
    if len(scans) == 1:
        scan = scans.pop()
        assert scan is not None
        if scan <= acquired:
            return scan, "the scan's start that the scanner kept (GE)"
    raise InputError(
        "SUV: the series is dated after its images (it was made later), and nothing says to which time decay was "
        "corrected."
    )


def _elapsed(datasets: Sequence[Dataset], scan: datetime, half_life: float) -> tuple[float, str]:
    """Seconds from injection to scan, and what was assumed of the date."""
    moment = _same(datasets, lambda d: text(_tracer(d), "RadiopharmaceuticalStartDateTime"), "start of the tracer")
    if moment:
        start, assumed = _moment(moment, text(datasets[0], "TimezoneOffsetFromUTC")), ""
        time = _same(datasets, lambda d: text(_tracer(d), "RadiopharmaceuticalStartTime"), "start of the tracer")
        apart = (
            abs(start - start.replace(hour=0, minute=0, second=0, microsecond=0) - _time(time, "injection"))
            if time
            else timedelta()
        )
        if apart > _SAME_TIME:
            raise InputError(
                "SUV: RadiopharmaceuticalStartDateTime and RadiopharmaceuticalStartTime contradict each other: they "
                f"lie {apart.total_seconds() / 60:.1f} min apart."
            )
    else:
        time = _same(datasets, lambda d: text(_tracer(d), "RadiopharmaceuticalStartTime"), "start of the tracer")
        start, assumed = scan.replace(hour=0, minute=0, second=0, microsecond=0) + _time(time, "injection"), ""
        if start > scan:
            start, assumed = start - timedelta(days=1), " (the day before, over midnight)"
            if scan - start > timedelta(hours=12):
                raise InputError("SUV: the injection's time lies after the scan's.")
    elapsed = (scan - start).total_seconds()
    if elapsed < 0:
        raise InputError("SUV: the injection's time lies after the scan's.")
    if elapsed > 20 * half_life:
        raise InputError(f"SUV: {elapsed / half_life:.0f} half-lives lie between injection and scan; a date is wrong.")
    return elapsed, assumed


def _tracer(dataset: Dataset) -> Dataset:
    tracers = items(dataset, "RadiopharmaceuticalInformationSequence")
    if len(tracers) != 1:
        count = "no tracer" if not tracers else f"{len(tracers)} tracers"
        raise InputError(f"SUV: expected one item in RadiopharmaceuticalInformationSequence, got {count}.")
    return tracers[0]


def _positive(datasets: Sequence[Dataset], value: Callable[[Dataset], float | None], name: str) -> float:
    amount = _same(datasets, value, name)
    if amount is None or amount <= 0:
        raise InputError(f"SUV: {name} is {'missing' if amount is None else f'{amount:g}'}; it must be positive.")
    return amount


def _same(datasets: Sequence[Dataset], value: Callable[[Dataset], T], name: str) -> T:
    first = value(datasets[0])
    if any(value(dataset) != first for dataset in datasets[1:]):
        raise InputError(f"SUV: {name} differs between the slices of this series.")
    return first


def _private(dataset: Dataset, element: int) -> float | None:
    tag = private_tag(dataset, 0x7053, _PHILIPS, element)
    values = numbers_at(dataset, tag, "the scanner's factor") if tag is not None else ()
    return values[0] if values and values[0] > 0 else None


def _ge_scan(dataset: Dataset) -> datetime | None:
    tag = private_tag(dataset, 0x0009, _GE, 0x100D)
    values = texts_at(dataset, tag) if tag is not None else ()
    return _moment(values[0], "") if values else None


def _moment_of(dataset: Dataset, date: str, time: str) -> datetime:
    day, hour = text(dataset, date), text(dataset, time)
    if not day or not hour:
        raise InputError(f"SUV: {date} or {time} is missing.")
    try:
        return datetime.strptime(day.replace(".", ""), "%Y%m%d") + _time(hour, time)
    except ValueError as error:
        raise InputError(f"SUV: {date} is no date.") from error


def _time(written: str, name: str) -> timedelta:
    match = _TIME.fullmatch(written.replace(":", ""))
    if not match:
        raise InputError(f"SUV: the time of {name} is {'missing' if not written else 'no time'}.")
    hours, minutes, seconds, fraction = match.groups()
    return timedelta(
        hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0) + float(f"0{fraction or '.0'}")
    )


def _moment(written: str, zone: str) -> datetime:
    match = _MOMENT.fullmatch(written)
    if not match:
        raise InputError("SUV: a date with time could not be read.")
    if match[6] and zone and match[6] != zone:
        raise InputError("SUV: injection and scan are told in different time zones.")
    try:
        return datetime.strptime(match[1], "%Y%m%d") + _time(written[8:].split("+")[0].split("-")[0], "injection")
    except ValueError as error:
        raise InputError("SUV: a date with time could not be read.") from error
