"""NRRD files are read as their headers say: types, encodings, axes, spaces, units; or refused by the field's name."""

import bz2
import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images import read_mask, read_volume
from deepradiomics.images.formats.nrrd import nrrd_header
from deepradiomics.images.read import read_stored
from Testing.unit.images.formats.stored_files import ORIGIN, SPACING, VOXELS, nrrd_bytes

RAW = VOXELS.astype("<i2").tobytes()


def _file(folder: Path, *lines: str, name: str = "a.nrrd", **fields: object) -> Path:
    (folder / name).write_bytes(nrrd_bytes(*lines, **fields))  # type: ignore[arg-type]
    return folder / name


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("raw", RAW), ("gzip", gzip.compress(RAW, mtime=0)), ("gz", gzip.compress(RAW, mtime=0)),
        ("bzip2", bz2.compress(RAW)), ("bz2", bz2.compress(RAW)),
        ("ascii", " ".join(map(str, VOXELS.ravel())).encode() + b"\n"),
        ("txt", "\n".join(map(str, VOXELS.ravel())).encode()), ("hex", RAW.hex().encode()),
    ],
    ids=["raw", "gzip", "gz", "bzip2", "bz2", "ascii", "txt", "hex"],
)  # fmt: skip
def test_every_encoding_gives_the_stored_voxels(tmp_path: Path, encoding: str, data: bytes) -> None:
    volume = read_volume(_file(tmp_path, encoding=encoding, data=data))
    assert np.array_equal(volume.voxels, VOXELS)
    assert volume.notes == ()
    assert volume.geometry.spacing_mm == SPACING
    assert volume.geometry.origin_mm == ORIGIN


@pytest.mark.parametrize("seed", range(3))
def test_random_images_are_read_as_itk_wrote_them(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for number in range(25):
        kind = rng.choice(["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
        shape = tuple(rng.integers(1, 7, 3).tolist())
        array = rng.integers(0, 100, shape).astype(kind) if kind[0] in "iu" else rng.normal(size=shape).astype(kind)
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(rng.uniform(0.2, 5, 3).tolist())
        image.SetOrigin(rng.uniform(-200, 200, 3).tolist())
        image.SetDirection(turn.ravel().tolist())
        for suffix in (".nrrd", ".mha"):
            path = tmp_path / f"a{number}{suffix}"
            sitk.WriteImage(image, str(path), bool(rng.integers(2)))
            volume = read_volume(path)
            assert np.array_equal(volume.voxels, array)
            assert volume.voxels.dtype == array.dtype
            assert np.allclose(volume.geometry.axes, turn, atol=1e-6)
            assert volume.notes == ()
            assert volume.geometry.spacing_mm == pytest.approx(image.GetSpacing())
            assert volume.geometry.origin_mm == pytest.approx(image.GetOrigin())


def test_big_endian_voxels_and_old_names_of_fields_are_read(tmp_path: Path) -> None:
    path = _file(tmp_path, "centers: cell cell cell", endian="big", data=VOXELS.astype(">i2").tobytes())
    assert np.array_equal(read_volume(path).voxels, VOXELS)


@pytest.mark.parametrize(
    ("space", "sign"),
    [("right-anterior-superior", (-1, -1, 1)), ("RAS", (-1, -1, 1)), ("LAS", (1, -1, 1)), ("LPS", (1, 1, 1))],
)
def test_each_space_is_turned_to_lps(tmp_path: Path, space: str, sign: tuple[int, ...]) -> None:
    geometry = read_volume(_file(tmp_path, space=space)).geometry
    assert geometry.axes.tolist() == np.diag(sign).tolist()
    assert geometry.origin_mm == tuple(np.multiply(sign, ORIGIN))


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"space": "scanner-xyz"}, "scanner-xyz) does not say how the patient lies"),
        ({"space": None, "space dimension": "3"}, "space dimension 3) does not say"),
        ({"without": ("space", "space directions", "space origin"), "spacings": "0.5 0.75 3"}, "spacing but no space"),
        ({"without": ("space origin",)}, "no space origin"),
    ],
)
def test_what_the_header_does_not_say_of_the_patient_is_noted(
    tmp_path: Path, fields: dict[str, object], note: str
) -> None:
    volume = read_volume(_file(tmp_path, **fields))
    assert volume.geometry.spacing_mm == SPACING
    assert note in volume.notes[0]


@pytest.mark.parametrize(("unit", "factor"), [("cm", 10.0), ("m", 1000.0), ("um", 0.001), ("µm", 0.001)])
def test_units_are_turned_into_millimetres_with_a_note(tmp_path: Path, unit: str, factor: float) -> None:
    volume = read_volume(_file(tmp_path, space_units=f'"{unit}" "{unit}" "{unit}"'))
    assert volume.geometry.spacing_mm == pytest.approx([length * factor for length in SPACING])
    assert volume.geometry.origin_mm == pytest.approx([place * factor for place in ORIGIN])
    assert f"space units ({unit}, {unit}, {unit})" in volume.notes[0]
    assert read_volume(_file(tmp_path, space_units='"mm" "mm" "mm"')).notes == ()


def test_the_edges_of_axes_give_origin_and_spacing_by_their_centering(tmp_path: Path) -> None:
    bare = ("space", "space directions", "space origin", "kinds")
    fields = {"axis_mins": "0 0 0", "axis_maxs": "1 2.25 12", "without": bare}
    cells = read_volume(_file(tmp_path, **fields)).geometry
    assert cells.spacing_mm == SPACING
    assert cells.origin_mm == (0.25, 0.375, 1.5)
    nodes = read_volume(_file(tmp_path, "centerings: node node node", **fields)).geometry
    assert nodes.spacing_mm == (1.0, 1.125, 4.0)
    assert nodes.origin_mm == (0, 0, 0)


@pytest.mark.parametrize("first", [True, False])
def test_an_axis_of_layers_becomes_components_wherever_it_stands(tmp_path: Path, first: bool) -> None:
    layers = np.stack([VOXELS, VOXELS + 100], -1 if first else 0).astype("<i2")
    spatial = "(0.5,0,0) (0,0.75,0) (0,0,3)"
    path = _file(
        tmp_path, dimension="4", data=layers.tobytes(), sizes="2 2 3 4" if first else "2 3 4 2",
        space_directions=f"none {spatial}" if first else f"{spatial} none",
        kinds="list domain domain domain" if first else "domain domain domain list",
    )  # fmt: skip
    stored = read_stored(path)
    assert stored.components == 2
    assert stored.frames == 1
    assert np.array_equal(stored.voxels[0, ..., 0], VOXELS)
    assert np.array_equal(stored.voxels[0, ..., 1], VOXELS + 100)
    assert stored.mask(channel=1).labels.max() == 123
    with pytest.raises(InputError, match="got 2 components"):
        read_volume(path)


def test_segments_of_a_slicer_segmentation_come_from_the_same_header(tmp_path: Path) -> None:
    keys = ("Segment0_Name:=Femur é", "Segment0_LabelValue:=5", "Segment0_Layer:=0")
    path = _file(tmp_path, *keys, name="a.seg.nrrd")
    assert read_mask(path).segment_names == {5: "Femur é"}
    assert nrrd_header(path)["Segment0_Name"] == "Femur é"
    assert nrrd_header(path)["sizes"] == "2 3 4"


BAD = [
    ({"space_directions": "(0.5,0,0) (0,0.75,0) (0.5,0,3)"}, "sheared grid"),
    ({"space_directions": "(0,5,0,0) (0,0,75,0) (0,0,3)"}, "decimal points"),
    ({"space_directions": "(0.5,0,0) (0,0.75,0) (0,0,nan)"}, "not finite"),
    ({"space_directions": "(0.5,0,0) (0,0.75,0) (0,0,0)"}, "no image lies so"),
    ({"space_directions": "(0.5,0,0) (0,0.75,0)"}, "expected 3 space directions"),
    ({"space_origin": "(-7,8)"}, "vector of 3 numbers"),
    ({"space": "left-posterior-superior-time"}, "is not read"),
    ({"space_units": '"inch" "inch" "inch"'}, "'inch'.*not read"),
    ({"space_units": '"mm" "mm"'}, "expected 3 space units"),
    ({"without": ("space", "space directions", "space origin")}, "no spacing"),
    ({"without": ("space directions",), "spacings": "1 1 1"}, "no space directions"),
    ({"without": ("space", "space directions", "space origin"), "spacings": "0,5 0,75 3"}, "point, not a comma"),
    ({"sizes": "2 3"}, "do not fit its dimension"),
    ({"sizes": "2 3 -4"}, "do not fit"),
    ({"sizes": "2 3 x"}, "are no numbers"),
    ({"sizes": "2 3 5"}, "cut short"),
    ({"sizes": "2 3 3"}, "longer than its header promises"),
    ({"sizes": "20000 20000 20000"}, "GB of voxels; at most"),
    ({"type": "block"}, "none that is read"),
    ({"endian": None}, "endian must say little or big"),
    ({"endian": "middle"}, "endian must say"),
    ({"encoding": "zstd"}, "encoding 'zstd'"),
    ({"encoding": "gzip"}, "damaged or cut short"),
    ({"encoding": "ascii"}, "no numbers of type"),
    ({"byte_skip": "4"}, "cut short"),
    ({"line_skip": "-1"}, "line skip -1"),
    ({"byte_skip": "x"}, "no whole number"),
    ({"kinds": "domain domain"}, "expected 3 kinds"),
    ({"without": ("type",)}, "no field 'type'"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "message"), BAD, ids=[message for _, message in BAD])
def test_a_field_that_cannot_be_is_refused_by_name(tmp_path: Path, fields: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        read_volume(_file(tmp_path, **fields))
    assert "a.nrrd" in str(raised.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [("sizes: 2 3 4", "'sizes' stands twice"), ("spacngs: 1 1 1", "no field that NRRD knows"), ("noise", "no field")],
)
def test_a_line_that_is_unknown_or_stands_twice_is_refused(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_volume(_file(tmp_path, line))


def test_a_fourth_axis_of_volumes_is_refused_with_their_number(tmp_path: Path) -> None:
    path = _file(
        tmp_path, dimension="4", sizes="2 3 2 2", without=("space", "space directions", "space origin", "kinds"),
        spacings="1 1 1 1",
    )  # fmt: skip
    with pytest.raises(GeometryError, match=r"4-D of size \(2, 3, 2, 2\): 2 volumes"):
        read_volume(path)


@pytest.mark.parametrize("place", [-8, -4])
def test_a_wrong_checksum_or_length_of_gzip_is_refused(tmp_path: Path, place: int) -> None:
    packed = bytearray(gzip.compress(RAW))
    packed[place] ^= 1
    for data, encoding in ((bytes(packed), "gzip"), (gzip.compress(RAW) + b"more", "gzip"),
                           (bz2.compress(RAW)[:-3], "bzip2"), (bz2.compress(RAW) + b"more", "bzip2")):  # fmt: skip
        with pytest.raises(InputError, match="damaged or cut short"):
            read_volume(_file(tmp_path, encoding=encoding, data=data))


def test_rounded_directions_are_put_right_with_a_note(tmp_path: Path) -> None:
    volume = read_volume(_file(tmp_path, space_directions="(0.5,0.0001,0) (0,0.75,0) (0,0,3)"))
    axes = volume.geometry.axes
    assert np.allclose(axes.T @ axes, np.eye(3), atol=1e-12)
    assert "nearest ones" in volume.notes[0]


def test_nothing_of_zlib_is_taken_for_raw(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"longer|cut short"):
        read_volume(_file(tmp_path, data=zlib.compress(RAW)))


def test_labels_below_0_of_a_segmentation_are_refused(tmp_path: Path) -> None:
    keys = ("Segment0_Name:=A", "Segment0_LabelValue:=1", "Segment0_Layer:=0")
    path = _file(tmp_path, *keys, name="a.seg.nrrd", data=(-VOXELS).astype("<i2").tobytes())
    with pytest.raises(InputError, match="labels below 0"):
        read_mask(path)
