"""MetaImage files are read as their headers say, or refused by the key's name."""

import zlib
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images import read_volume
from deepradiomics.images.read import read_stored
from Testing.unit.images.formats.stored_files import ORIGIN, SPACING, VOXELS, metaimage_bytes

RAW = VOXELS.astype("<i2").tobytes()
PACKED = zlib.compress(RAW)


def _file(folder: Path, *lines: str, **fields: object) -> Path:
    (folder / "a.mha").write_bytes(metaimage_bytes(*lines, **fields))  # type: ignore[arg-type]
    return folder / "a.mha"


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"BinaryDataByteOrderMSB": "True", "data": VOXELS.astype(">i2").tobytes()},
        {"CompressedData": "True", "CompressedDataSize": str(len(PACKED)), "data": PACKED},
        {"CompressedData": "True", "data": PACKED},
        {"BinaryData": "False", "data": " ".join(map(str, VOXELS.ravel())).encode()},
    ],
)  # fmt: skip
def test_every_way_of_storing_gives_the_stored_voxels(tmp_path: Path, fields: dict[str, object]) -> None:
    volume = read_volume(_file(tmp_path, **fields))
    assert np.array_equal(volume.voxels, VOXELS)
    assert volume.notes == ()
    assert volume.geometry.spacing_mm == SPACING
    assert volume.geometry.origin_mm == ORIGIN


def test_a_row_of_the_matrix_is_the_direction_of_an_index_axis(tmp_path: Path) -> None:
    geometry = read_volume(_file(tmp_path, TransformMatrix="0 1 0 0 0 1 1 0 0")).geometry
    assert geometry.axes[:, 0].tolist() == [0, 1, 0]
    assert geometry.axes[:, 2].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"without": ("TransformMatrix",)}, "no TransformMatrix"),
        ({"without": ("Offset",)}, "no Offset"),
        ({"without": ("ElementSpacing",), "ElementSize": "0.5 0.75 3"}, "ElementSize is taken"),
        ({"CenterOfRotation": "1 2 3"}, "CenterOfRotation is not applied"),
    ],
)
def test_what_the_header_does_not_say_is_noted(tmp_path: Path, fields: dict[str, object], note: str) -> None:
    volume = read_volume(_file(tmp_path, **fields))
    assert volume.geometry.spacing_mm == SPACING
    assert note in volume.notes[0]


def test_element_size_is_no_spacing_where_both_stand(tmp_path: Path) -> None:
    assert read_volume(_file(tmp_path, ElementSize="9 9 9")).geometry.spacing_mm == SPACING


def test_centimetres_and_intensities_are_turned_with_a_note(tmp_path: Path) -> None:
    volume = read_volume(_file(tmp_path, DistanceUnits="cm"))
    assert volume.geometry.spacing_mm == (5.0, 7.5, 30.0)
    assert "DistanceUnits" in volume.notes[0]
    fields = {"ElementToIntensityFunctionSlope": "2", "ElementToIntensityFunctionOffset": "-5"}
    volume = read_volume(_file(tmp_path, **fields))
    assert np.array_equal(volume.voxels, VOXELS * 2 - 5)
    assert "multiplied by 2 and -5 was added" in volume.notes[0]


def test_channels_become_components(tmp_path: Path) -> None:
    data = np.stack([VOXELS, VOXELS + 50], -1).astype("<i2").tobytes()
    path = _file(tmp_path, ElementNumberOfChannels="2", ElementType="MET_SHORT_ARRAY", data=data)
    assert np.array_equal(read_stored(path).voxels[0, ..., 1], VOXELS + 50)
    with pytest.raises(InputError, match="got 2 components"):
        read_volume(path)


def test_a_flat_image_is_one_slice_where_it_is_asked_for(tmp_path: Path) -> None:
    path = _file(
        tmp_path, NDims="2", DimSize="6 4", ElementSpacing="2 3", Offset="1 2", TransformMatrix="1 0 0 1",
        CenterOfRotation="0 0",
    )  # fmt: skip
    stored = read_stored(path)
    assert stored.dimensions == 2
    assert stored.volume(flat=True).geometry.spacing_mm == (2.0, 3.0, 1.0)
    with pytest.raises(GeometryError, match="got 2-D"):
        read_volume(path)


BAD = [
    ({"TransformMatrix": "1 0 0 0 1 0 0.2 0 0.98"}, "sheared grid"),
    ({"TransformMatrix": "2 0 0 0 1 0 0 0 1"}, "must have length 1"),
    ({"TransformMatrix": "1 0 0 0 1 0 0 0 nan"}, "must have length 1"),
    ({"TransformMatrix": "1 0 0 0 1 0"}, "expected 9 numbers"),
    ({"ElementSpacing": "0,5 0,75 3"}, "decimal point, not a comma"),
    ({"ElementSpacing": "0.5 -0.75 3"}, "positive distances"),
    ({"Offset": "1e30 0 0"}, "no image lies so"),
    ({"Offset": "nan 0 0"}, "not finite"),
    ({"without": ("ElementSpacing",)}, "no ElementSpacing"),
    ({"without": ("DimSize",)}, "DimSize is missing"),
    ({"DimSize": "2 3"}, "NDims = 3 and DimSize = 2 3"),
    ({"DimSize": "2 3 0"}, "DimSize = 2 3 0"),
    ({"DimSize": "2 3 5"}, "cut short"),
    ({"DimSize": "2 3 3"}, "longer than its header promises"),
    ({"ElementType": "MET_STRING"}, "ElementType 'MET_STRING'"),
    ({"ElementNumberOfChannels": "0"}, "at least 1"),
    ({"ObjectType": "Mesh"}, "MetaObject of type 'Mesh'"),
    ({"BinaryDataByteOrderMSB": "perhaps"}, "expected True or False"),
    ({"DistanceUnits": "inch"}, "DistanceUnits 'inch'"),
    ({"ElementToIntensityFunctionSlope": "0"}, "cannot be"),
    ({"HeaderSize": "12"}, "HeaderSize is 12"),
    ({"CompressedData": "True"}, "damaged or cut short"),
    ({"CompressedData": "True", "CompressedDataSize": "7", "data": PACKED}, "CompressedDataSize is 7"),
    ({"CompressedData": "True", "data": PACKED[:-1] + b"x"}, "damaged or cut short"),
    ({"CompressedData": "True", "data": PACKED + b"x"}, "other bytes follow"),
]


@pytest.mark.parametrize(("fields", "message"), BAD, ids=[message for _, message in BAD])
def test_a_key_that_cannot_be_is_refused_by_name(tmp_path: Path, fields: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        read_volume(_file(tmp_path, **fields))
    assert "a.mha" in str(raised.value)


def test_a_key_that_stands_twice_and_a_header_without_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gives Offset twice"):
        read_volume(_file(tmp_path, "Position = 1 2 3"))
    (tmp_path / "b.mhd").write_bytes(b"\x00\x01\x02 nothing = of the kind")
    with pytest.raises(InputError, match="no line ElementDataFile"):
        read_volume(tmp_path / "b.mhd")
