"""What tells the images of one position apart: echo, b-value, phase, time, kind of image, and more."""

from __future__ import annotations

from collections.abc import Callable

from deepradiomics.errors import InputError
from deepradiomics.images.dicom.elements import decimal, numbers_at, private_tag
from deepradiomics.images.dicom.frames import Frame

_B_VALUES: tuple[tuple[int, str, int, Callable[[float], float]], ...] = (
    (0x0019, "SIEMENS MR HEADER", 0x0C, lambda b: b),
    (0x0043, "GEMS_PARM_01", 0x39, lambda b: b % 100_000),  # GE adds 10⁹ as a mark
    (0x2001, "PHILIPS IMAGING DD 001", 0x03, lambda b: b),
)

# Name, and the attributes that say it, the first that is there. In the order in which they are tried on a series.
_ATTRIBUTES = {
    "stack": ("StackID",),
    "type": ("FrameType", "ImageType"),
    "component": ("ComplexImageComponent",),
    "direction": ("DiffusionGradientOrientation",),
    "echo": ("EchoNumbers",),
    "te": ("EffectiveEchoTime", "EchoTime"),
    "inversion": ("InversionTime", "InversionTimes"),
    "flip": ("FlipAngle",),
    "tr": ("RepetitionTime",),
    "kvp": ("KVP",),
    "kernel": ("ConvolutionKernel",),
    "filter": ("FilterType",),
    "temporal": ("TemporalPositionIndex", "TemporalPositionIdentifier"),
    "phase": ("NominalPercentageOfCardiacPhase", "NominalPercentageOfRespiratoryPhase"),
    "trigger": ("NominalCardiacTriggerDelayTime", "TriggerTime"),
    "frame-time": ("FrameReferenceTime",),
    "acquisition": ("FrameAcquisitionNumber", "AcquisitionNumber"),
    "coil": ("ReceiveCoilName",),
    "sequence": ("PulseSequenceName", "SequenceName"),
}
TRAITS = ("stack", "type", "component", "b", *[n for n in _ATTRIBUTES if n not in ("stack", "type", "component")])
"""Names of all traits, as the user writes them."""

# Counters and clocks: they grow from stack to stack, though their values differ from slice to slice.
CLOCKS = ("temporal", "phase", "trigger", "frame-time", "acquisition", "time", "number")
_CLOCK_ATTRIBUTES = {
    "time": ("FrameAcquisitionDateTime", "AcquisitionDateTime", "AcquisitionTime", "ContentTime"),
    "number": ("InstanceNumber",),
}
# One stack has one of each: slices that differ here were not made alike.
UNIFORM = (
    "stack", "component", "b", "direction", "echo", "te", "inversion", "flip", "kvp", "kernel", "temporal", "phase",
)  # fmt: skip
# So does this, where slices say it at all: another person, posture or unit is another stack.
UNIFORM_ATTRIBUTES = ("Modality", "PatientID", "StudyInstanceUID", "PatientPosition", "RescaleType", "Units")
# Words of the image type that name what was measured or computed; other words may differ, which is told.
CONTRASTS = frozenset((
    "M", "P", "R", "I", "MAGNITUDE", "PHASE", "REAL", "IMAGINARY", "M_FFE", "P_FFE", "R_FFE", "I_FFE", "M_SE", "P_SE",
    "R_SE", "I_SE", "M_IR", "P_IR", "R_IR", "I_IR", "W", "F", "WATER", "FAT", "IP", "OP", "IN_PHASE", "OUT_PHASE",
    "OPP_PHASE", "OUT_OF_PHASE", "FAT_FRACTION", "R2_STAR", "T2_STAR", "ADC", "EADC", "FA", "TRACE", "TRACEW",
    "DIFFUSION", "DIFFUSION_ANISO", "T1", "T2", "T1_MAP", "T2_MAP", "RCBV", "RCBF", "MTT", "TTP", "SUBTRACTION",
    "SUB", "MIN_IP", "MIP", "LOCALIZER",
))  # fmt: skip


def trait(frame: Frame, name: str) -> str:
    """Return a frame's trait in words, or nothing where its headers do not say."""
    if name == "b":
        value = b_value(frame)
        return "" if value is None else f"{value:g}"
    for keyword in _ATTRIBUTES.get(name, ()) or _CLOCK_ATTRIBUTES.get(name, ()):
        values = frame.texts(keyword)
        if values:
            return "\\".join(_plain(value) for value in values)
    return ""


def _plain(value: str) -> str:
    amount = decimal(value)
    return value.upper() if amount is None else f"{amount:.6g}"


def clock(frame: Frame, name: str) -> float | None:
    """Return a counter or a time as a number, or None."""
    value = trait(frame, name).split("\\")[0] if name in _ATTRIBUTES else _time(frame, name)
    return decimal(value) if value else None


def _time(frame: Frame, name: str) -> str:
    if name == "number" and frame.multiple:
        return str(frame.index)
    for keyword in _CLOCK_ATTRIBUTES[name]:
        values = frame.texts(keyword)
        if values:
            return values[0].replace(":", "")
    return ""


def b_value(frame: Frame) -> float | None:
    """Return the b-value in s/mm²: the standard's attribute, or the one that Siemens, GE or Philips kept before it."""
    standard = frame.number("DiffusionBValue")
    if standard is not None:
        return standard
    for group, creator, element, meaning in _B_VALUES:
        dataset = frame.header.dataset
        tag = private_tag(dataset, group, creator, element)
        try:
            values = numbers_at(dataset, tag, "b-value") if tag is not None else ()
        except InputError:
            continue
        if values and values[0] >= 0:
            return meaning(values[0])
    return None
