"""One random way in which an intact DICOM series is broken: each may be refused, or noted, and never read silently."""

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from Testing.reference.dicom import dicom_files
from Testing.reference.dicom.dicom_series_generator import Series, decimal, item

Damage = Callable[[np.random.Generator, Series], None]
FileDamage = Callable[[np.random.Generator, Series, Path], None]

_PLACE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
_GROUP_OF = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
}


def _one(rng: np.random.Generator, series: Series) -> Dataset:
    return series.datasets[int(rng.integers(len(series.datasets)))]


def _holder(dataset: Dataset, keyword: str, frame: int = 0) -> Dataset:
    """Where an attribute stands: the object, a functional group, or the detector of an NM object."""
    if keyword in dataset:
        return dataset
    if "DetectorInformationSequence" in dataset and keyword in dataset.DetectorInformationSequence[0]:
        return dataset.DetectorInformationSequence[0]
    groups = [*dataset.get("PerFrameFunctionalGroupsSequence", [])[frame : frame + 1],
              *dataset.get("SharedFunctionalGroupsSequence", [])]  # fmt: skip
    for group in groups:
        sequence = group.get(_GROUP_OF.get(keyword, ""))
        if sequence and keyword in sequence[0]:
            return sequence[0]
    raise LookupError(keyword)


def without_place(rng: np.random.Generator, series: Series) -> None:
    """One or all lose position, orientation or spacing."""
    keyword, datasets = str(rng.choice(_PLACE)), [_one(rng, series)] if rng.integers(2) else series.datasets
    for dataset in datasets:
        delattr(_holder(dataset, keyword), keyword)


def place_is_nonsense(rng: np.random.Generator, series: Series) -> None:
    """A place that is no number, not finite, too short, or no direction."""
    keyword = str(rng.choice(_PLACE))
    dataset = _one(rng, series)
    holder = _holder(dataset, keyword)
    count = len(holder[keyword].value)
    bad = [["0"] * count, ["1e400"] * count, ["1"] * (count - 1)]
    if keyword == "ImagePositionPatient":
        bad = bad[1:]
    holder[keyword]._value = None
    values = bad[int(rng.integers(len(bad)))]
    holder.add_new(keyword, "DS", values) if "1e400" not in values else _raw_text(holder, keyword, "\\".join(values))


def decimal_comma(rng: np.random.Generator, series: Series) -> None:
    """A number is written as some locales do."""
    keyword = str(rng.choice([*_PLACE[:1], _PLACE[2]]))
    holder = _holder(_one(rng, series), keyword)
    count = len(holder[keyword].value)
    _raw_text(holder, keyword, "\\".join(["1,5"] * count))


def _raw_text(holder: Dataset, keyword: str, text: str) -> None:
    """Put text into a decimal string that pydicom would not accept."""
    from pydicom.datadict import tag_for_keyword
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    tag = Tag(tag_for_keyword(keyword))
    content = text.encode() + b" " * (len(text) % 2)
    del holder[tag]
    dict.__setitem__(holder._dict, tag, RawDataElement(tag, "DS", len(content), content, 0, False, True))


def spacing_changes(rng: np.random.Generator, series: Series) -> None:
    """One slice has other pixels."""
    _need_single(series)
    dataset = _one(rng, series)
    dataset.PixelSpacing = [decimal(float(v) * 1.3, 6) for v in dataset.PixelSpacing]


def turned(rng: np.random.Generator, series: Series) -> None:
    """One slice lies in another direction."""
    _need_single(series)
    dataset = _one(rng, series)
    row, column = np.array(dataset.ImageOrientationPatient, float).reshape(2, 3)
    dataset.ImageOrientationPatient = [decimal(v) for v in (*-row, *column)]


def sheared(rng: np.random.Generator, series: Series) -> None:
    """Rows and columns are not at right angles."""
    for dataset in series.datasets:
        holder = _holder(dataset, "ImageOrientationPatient")
        row, column = np.array(holder.ImageOrientationPatient, float).reshape(2, 3)
        slanted = column + 0.1 * row
        holder.ImageOrientationPatient = [decimal(v) for v in (*row, *(slanted / np.linalg.norm(slanted)))]


def slice_missing(rng: np.random.Generator, series: Series) -> None:
    """A slice between others is not there."""
    k = int(rng.integers(1, len(series.stored) - 1))
    where = series.plan["order"].index(k)
    if not series.multiple:
        del series.datasets[where]
        return
    dataset = series.datasets[0]
    if "PerFrameFunctionalGroupsSequence" in dataset:
        del dataset.PerFrameFunctionalGroupsSequence[where]
    else:
        dataset.SliceVector = [v for n, v in enumerate(dataset.SliceVector) if n != where]
    dataset.NumberOfFrames = len(series.stored) - 1
    kept = np.delete(_stored_order(series), where, axis=0)
    dicom_files.put_pixels(dataset, kept, series.syntax)


def _stored_order(series: Series) -> np.ndarray:
    from Testing.reference.dicom.dicom_series_generator import _raw

    return _raw(series)[series.plan["order"]]


def moved(rng: np.random.Generator, series: Series) -> None:
    """One slice between others lies aside, or nearer to one neighbour."""
    k = int(rng.integers(1, len(series.stored) - 1))
    dataset = series.datasets[0 if series.multiple else series.plan["order"].index(k)]
    if series.kind == "NM slices":
        raise LookupError("NM slices have no place of their own")
    holder = _holder(dataset, "ImagePositionPatient", series.plan["order"].index(k))
    row, column = np.array(_holder(dataset, "ImageOrientationPatient").ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(row, column) * series.plan["grid"]["step"]
    by = [0.3 * normal, 4 * row, -3 * column][int(rng.integers(3))]
    holder.ImagePositionPatient = [decimal(v) for v in np.array(holder.ImagePositionPatient, float) + by]


def second_stack(rng: np.random.Generator, series: Series) -> None:
    """Every position twice: another b-value, echo, time, or nothing that tells them apart."""
    _need_single(series)
    traits = [("DiffusionBValue", 0.0, 800.0), ("TemporalPositionIdentifier", 1, 2), ("EchoTime", "5", "15"),
              ("InversionTime", "100", "900"), ("AcquisitionNumber", 1, 2), ("SOPInstanceUID", "", "")]  # fmt: skip
    keyword, first, second = traits[int(rng.integers(len(traits)))]
    others = copy.deepcopy(series.datasets)
    rng.shuffle(others)  # type: ignore[arg-type]
    shift = len(others)
    for number, dataset in enumerate(others):
        uid = f"{dataset.SOPInstanceUID}.9.{number}"
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
        dataset.InstanceNumber += shift
        if keyword != "SOPInstanceUID":
            setattr(dataset, keyword, second)
            setattr(series.datasets[number], keyword, first)
        _other_pixels(dataset, series)
    series.datasets += others


def _other_pixels(dataset: Dataset, series: Series) -> None:
    frame = np.zeros_like(_stored_order(series)[:1])
    frame[0, 3:5] = 7
    dicom_files.put_pixels(dataset, frame, series.syntax)


def one_of_another_contrast(rng: np.random.Generator, series: Series) -> None:
    """One slice has another echo, b-value or kernel."""
    _need_single(series)
    keyword, usual, other = [("EchoTime", "5", "90"), ("DiffusionBValue", 0.0, 1000.0), ("KVP", "120", "80"),
                             ("ConvolutionKernel", "B30f", "B70f")][int(rng.integers(4))]  # fmt: skip
    for dataset in series.datasets:
        setattr(dataset, keyword, usual)
    setattr(_one(rng, series), keyword, other)


def doubled(rng: np.random.Generator, series: Series) -> None:
    """One slice is there twice, as a copy, under another identity, or with other pixels under the same."""
    _need_single(series)
    twin, style = copy.deepcopy(_one(rng, series)), int(rng.integers(3))
    if style == 1:
        twin.SOPInstanceUID = twin.file_meta.MediaStorageSOPInstanceUID = f"{twin.SOPInstanceUID}.5"
    if style == 2:
        _other_pixels(twin, series)
    series.datasets.append(twin)


def another_space(rng: np.random.Generator, series: Series) -> None:
    """One slice lies in another frame of reference."""
    _need_single(series)
    _one(rng, series).FrameOfReferenceUID = "1.2.3.4"


def another_series(rng: np.random.Generator, series: Series) -> None:
    """One slice says that it belongs to another series."""
    _need_single(series)
    _one(rng, series).SeriesInstanceUID = "1.2.3.5"


def sizes_lie(rng: np.random.Generator, series: Series) -> None:
    """Rows, Columns, frames or bits do not fit the pixels."""
    keyword, change = [("Rows", -1), ("Rows", 7), ("Columns", -2), ("Columns", 60000 - 16), ("NumberOfFrames", 1),
                       ("NumberOfFrames", 2**31 - 20)][int(rng.integers(6))]  # fmt: skip
    dataset = _one(rng, series)
    setattr(dataset, keyword, int(dataset.get(keyword, 1)) + change)


def bits_lie(rng: np.random.Generator, series: Series) -> None:
    """Bits allocated, stored or highest are missing or impossible."""
    dataset = _one(rng, series)
    changes = [
        ("BitsAllocated", 12),
        ("BitsAllocated", 64),
        ("BitsStored", 40),
        ("HighBit", 63),
        ("PixelRepresentation", 2),
    ]
    keyword, value = changes[int(rng.integers(len(changes)))]
    setattr(dataset, keyword, value)


def colour(rng: np.random.Generator, series: Series) -> None:
    """One object holds colour."""
    dataset = _one(rng, series)
    if rng.integers(2):
        dataset.PhotometricInterpretation = "PALETTE COLOR"
    else:
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0


def slope_is_nonsense(rng: np.random.Generator, series: Series) -> None:
    """A slope of 0, with a comma, not a number, or values by a table."""
    dataset, style = _one(rng, series), int(rng.integers(4))
    try:
        holder = _holder(dataset, "RescaleSlope")
    except LookupError:
        holder = dataset
        holder.RescaleSlope, holder.RescaleIntercept = "2", "0"
    if style == 0:
        holder.RescaleSlope = "0"
    elif style == 3:
        dataset.ModalityLUTSequence = item(ModalityLUTType="US")
    else:
        _raw_text(holder, "RescaleSlope", ("1,5", "nan")[style - 1])


def functional_groups_lie(rng: np.random.Generator, series: Series) -> None:
    """Groups are fewer than frames, not there, or two frames claim one place."""
    if not series.kind.startswith("enhanced"):
        raise LookupError("no functional groups")
    dataset, style = series.datasets[0], int(rng.integers(3))
    groups = dataset.PerFrameFunctionalGroupsSequence
    if style == 0:
        dataset.PerFrameFunctionalGroupsSequence = Sequence(list(groups)[:-1])
    elif style == 1:
        del dataset.PerFrameFunctionalGroupsSequence
    else:
        groups[0].PlanePositionSequence = copy.deepcopy(groups[1].PlanePositionSequence)


def only_one(rng: np.random.Generator, series: Series) -> None:
    """A single slice, whose distance to nothing is unknown."""
    _need_single(series)
    series.datasets = series.datasets[:1]


def _need_single(series: Series) -> None:
    if series.multiple:
        raise LookupError("one object holds all frames")


DAMAGES: tuple[Damage, ...] = (
    without_place, place_is_nonsense, decimal_comma, spacing_changes, turned, sheared, slice_missing, moved,
    second_stack, one_of_another_contrast, doubled, another_space, another_series, sizes_lie, bits_lie, colour,
    slope_is_nonsense, functional_groups_lie, only_one,
)  # fmt: skip
