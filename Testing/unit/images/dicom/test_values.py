"""Voxels are stored value × slope + intercept of their own slice, in every transfer syntax and bit depth."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate

from deepradiomics.errors import InputError
from deepradiomics.images import read_volume
from Testing.reference.dicom import dicom_files
from Testing.reference.dicom.dicom_series_generator import item
from Testing.reference.dicom.small_dicom import CT, enhanced, image, save_all, write_slices

# 6 × 8 values 0, 37, 74, … modulo 4096, packed by CharLS: for environments in which nothing writes JPEG-LS.
JPEG_LS_VALUES = (np.arange(48).reshape(6, 8) * 37 % 4096).astype(np.uint16)
JPEG_LS_CODE = bytes.fromhex(
    "ffd8fff7000b0b0006000801011100ffda00080101000000008a4a51d14a51d140000c0a92119110900a80000c3f7cf5e3b344829cc982e58a"
    "942314c4c91120fbe44295e75d71c70840ffd9"
)


def first_values(folder: Path) -> list[float]:
    return [float(value) for value in read_volume(folder).voxels[:, 0, 0]]


def test_slope_and_intercept_are_those_of_each_slice(tmp_path: Path) -> None:
    lines = [("1", "0"), ("0.5", "0"), ("0.001", "0"), ("1", "-2000")]
    datasets = [image(k, 1001, RescaleSlope=a, RescaleIntercept=b) for k, (a, b) in enumerate(lines)]
    assert first_values(save_all(tmp_path / "series", datasets)) == pytest.approx([1001, 500.5, 1.001, -999], abs=1e-12)


@pytest.mark.parametrize(
    ("slope", "intercept", "kind", "value"),
    [
        (None, None, np.uint16, 65535), ("1", "0", np.uint16, 65535), ("1.000", "-1024.0", np.int32, 64511),
        ("-1", "0", np.int32, -65535), ("3", "70000", np.int32, 266605), ("1E5", "0", np.int64, 6553500000),
        ("0.5", "1", np.float64, 32768.5),
    ],
)  # fmt: skip
def test_whole_numbers_stay_whole_in_a_type_that_holds_them(
    tmp_path: Path, slope: str | None, intercept: str | None, kind: Any, value: float
) -> None:
    folder = write_slices(tmp_path / "series", [65535, 0, 1], RescaleSlope=slope, RescaleIntercept=intercept)
    voxels = read_volume(folder).voxels
    assert voxels.dtype == kind
    assert voxels[0, 0, 0] == value


def test_twelve_bits_of_hounsfield_units_need_sixteen(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "series", [4095, 0, 1], sop=CT, BitsStored=12, HighBit=11, RescaleSlope="1",
                          RescaleIntercept="-1024")  # fmt: skip
    voxels = read_volume(folder).voxels
    assert voxels.dtype == np.int16
    assert voxels[:, 0, 0].tolist() == [3071, -1024, -1023]


@pytest.mark.parametrize("content", [0x0FFF, 0xFFFF])  # −1 in twelve bits, with and without the sign carried on
def test_the_sign_of_twelve_bits_is_restored(tmp_path: Path, content: int) -> None:
    folder = write_slices(tmp_path / "series", [content, 5, 0x0800], BitsStored=12, HighBit=11, PixelRepresentation=1)
    volume = read_volume(folder)
    assert volume.voxels[:, 0, 0].tolist() == [-1, 5, -2048]
    assert not volume.notes


def test_overlay_bits_above_those_stored_are_masked_and_told(tmp_path: Path) -> None:
    volume = read_volume(write_slices(tmp_path / "series", [0x1005, 7, 8], BitsStored=12, HighBit=11))
    assert volume.voxels[:, 0, 0].tolist() == [5, 7, 8]
    assert "48 of 144 voxels hold bits above" in volume.notes[0]


def test_values_that_lie_high_in_their_word_are_brought_down(tmp_path: Path) -> None:
    folder = write_slices(
        tmp_path / "series", [0x7FF0, 0x8000, 0x0010], BitsStored=12, HighBit=15, PixelRepresentation=1
    )
    assert first_values(folder) == [2047, -2048, 1]


def test_monochrome1_keeps_the_stored_values(tmp_path: Path) -> None:
    volume = read_volume(write_slices(tmp_path / "series", [3, 2, 1], PhotometricInterpretation="MONOCHROME1"))
    assert volume.voxels[:, 0, 0].tolist() == [3, 2, 1]
    assert "MONOCHROME1" in volume.notes[0]


def test_padding_keeps_its_value_and_is_counted(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "series", [0, 5, 9], PixelPaddingValue=0)
    volume = read_volume(folder)
    assert volume.voxels.min() == 0
    assert "48 of 144 voxels are padding (stored value 0)" in volume.notes[0]


@pytest.mark.parametrize("syntax", ["implicit", "explicit", "big-endian"])
def test_negative_padding_is_told_in_every_byte_order(tmp_path: Path, syntax: str) -> None:
    values = [np.full((6, 8), value, np.int16) for value in (-2000, 5, 9)]
    volume = read_volume(write_slices(tmp_path / "series", values, PixelPaddingValue=-2000, syntax=syntax))
    assert volume.voxels.min() == -2000
    assert "padding (stored value -2000)" in volume.notes[0]


def test_loss_of_compression_is_told(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "series", [1, 2, 3], LossyImageCompression="01", LossyImageCompressionRatio="12")
    assert "compressed with loss (ratio 12)" in read_volume(folder).notes[0]


def test_a_compression_that_may_lose_values_is_told_where_the_header_is_silent(tmp_path: Path) -> None:
    datasets = [image(k, np.full((16, 16), 7, np.uint16), syntax="JPEG 2000") for k in range(3)]
    for dataset in datasets:
        dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.91"
    volume = read_volume(save_all(tmp_path / "series", datasets))
    assert np.unique(volume.voxels).tolist() == [7]
    assert "may have been compressed with loss" in volume.notes[0]


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.102", "1.2.3"])
def test_a_compression_that_nothing_unpacks_is_refused_by_name(tmp_path: Path, uid: str) -> None:
    if pydicom.__version__.startswith("2") and uid.endswith("201"):
        pytest.skip("pydicom 2 does not write high-throughput JPEG 2000")
    datasets = [image(k, np.full((16, 16), 7, np.uint16), syntax="JPEG 2000") for k in range(3)]
    for dataset in datasets:
        dataset.file_meta.TransferSyntaxUID = uid
    with pytest.raises(InputError, match=r"its compression .* is not read"):
        read_volume(save_all(tmp_path / "series", datasets))


def test_slices_without_a_slope_among_others_are_told(tmp_path: Path) -> None:
    datasets = [image(k, 10, **({} if k == 1 else {"RescaleSlope": "2", "RescaleIntercept": "1"})) for k in range(3)]
    volume = read_volume(save_all(tmp_path / "series", datasets))
    assert volume.voxels[:, 0, 0].tolist() == [21, 10, 21]
    assert "1 of 3 slices have no slope" in volume.notes[0]


def test_real_world_values_that_differ_are_told_and_not_applied(tmp_path: Path) -> None:
    mapping = item(RealWorldValueSlope=0.5, RealWorldValueIntercept=0.0)
    volume = read_volume(write_slices(tmp_path / "series", [4, 5, 6], RealWorldValueMappingSequence=mapping))
    assert volume.voxels[:, 0, 0].tolist() == [4, 5, 6]
    assert "Real World Value Mapping" in volume.notes[0]


def test_floating_point_pixels_are_read_and_nan_is_counted(tmp_path: Path) -> None:
    datasets = [image(k, 0) for k in range(3)]
    for k, dataset in enumerate(datasets):
        del dataset.PixelData
        values = np.full((6, 8), 0.1 + k, "<f4")
        values[0, 1] = np.nan
        dataset.FloatPixelData = values.tobytes()
    volume = read_volume(save_all(tmp_path / "series", datasets))
    assert volume.voxels.dtype == np.float32
    assert volume.voxels[2, 0, 0] == np.float32(2.1)
    assert "3 of 144 voxels are NaN" in volume.notes[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, "one grey value a pixel"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "one grey value a pixel"),
        ({"RescaleSlope": "0", "RescaleIntercept": "0"}, "RescaleSlope is 0"),
        ({"ModalityLUTSequence": item(ModalityLUTType="US")}, "values stand in a table"),
        ({"Rows": 5}, r"promise 80 bytes of pixels .*holds 96"),
        ({"Rows": 65535, "Columns": 65535}, "promise"),
        ({"Rows": 0}, "Rows is 0"),
        ({"BitsAllocated": 1}, "BitsAllocated is 1"),
    ],
)  # fmt: skip
def test_what_is_no_grey_value_or_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_volume(write_slices(tmp_path / "series", range(3), **changes))


@pytest.mark.parametrize("syntax", dicom_files.writable())
@pytest.mark.parametrize(
    ("kind", "stored"), [(np.uint8, 8), (np.uint16, 16), (np.int16, 16), (np.uint16, 12), (np.int16, 12)]
)
def test_every_transfer_syntax_gives_equal_voxels(tmp_path: Path, syntax: str, kind: Any, stored: int) -> None:
    low, high = (-(1 << stored - 1), 1 << stored - 1) if kind is np.int16 else (0, 1 << stored)
    values = np.random.default_rng(1).integers(low, high, (3, 16, 20)).astype(kind)
    raw = values if stored != 12 else (values.astype(np.int32) & 0xFFF).astype(np.uint16)
    bits = {"BitsStored": stored, "HighBit": stored - 1, "PixelRepresentation": int(kind is np.int16)}
    folder = write_slices(tmp_path / "series", list(raw), syntax=syntax, **bits)
    volume = read_volume(folder)
    assert np.array_equal(volume.voxels, values)
    assert volume.voxels.dtype == kind
    assert not volume.notes


@pytest.mark.parametrize("syntax", [name for name in dicom_files.writable() if name in dicom_files.PACKED])
@pytest.mark.parametrize(("name", "change"), [("Rows", -1), ("Rows", 1), ("Columns", -2), ("Columns", 2)])
@pytest.mark.parametrize("flat", [True, False])
def test_code_of_another_size_than_the_headers_is_refused(
    tmp_path: Path, syntax: str, name: str, change: int, flat: bool
) -> None:
    values = np.full((16, 20), 7, np.uint16) if flat else np.arange(320, dtype=np.uint16).reshape(16, 20)
    size = {"Rows": 16, "Columns": 20}[name] + change
    with pytest.raises(InputError, match="its compressed pixels"):
        read_volume(write_slices(tmp_path / "series", [values] * 3, syntax=syntax, **{name: size}))


def test_a_jpeg_ls_code_made_elsewhere_is_read(tmp_path: Path) -> None:
    datasets = [image(k, JPEG_LS_VALUES, BitsStored=12, HighBit=11) for k in range(3)]
    for dataset in datasets:
        dataset.file_meta.TransferSyntaxUID = dicom_files.SYNTAXES["JPEG-LS"]
        dataset.add_new(0x7FE00010, "OB", encapsulate([JPEG_LS_CODE], has_bot=False))
        dataset["PixelData"].is_undefined_length = True
    voxels = read_volume(save_all(tmp_path / "series", datasets)).voxels
    assert all(np.array_equal(plane, JPEG_LS_VALUES) for plane in voxels)


def test_a_jpeg_ls_code_of_fewer_bits_than_are_stored_is_read(tmp_path: Path) -> None:
    pytest.importorskip("jpeg_ls")
    values = np.random.default_rng(0).integers(0, 60, (16, 20)).astype(np.uint16)
    datasets = [image(k, values, syntax="JPEG-LS", BitsStored=8) for k in range(3)]
    for dataset in datasets:
        dataset.BitsStored, dataset.HighBit = 12, 11
    assert np.array_equal(read_volume(save_all(tmp_path / "series", datasets)).voxels[2], values)


@pytest.mark.parametrize("syntax", ["RLE", "JPEG lossless", "JPEG 2000"])
@pytest.mark.parametrize("table", [True, False])
def test_a_frame_in_several_fragments_is_joined(tmp_path: Path, syntax: str, table: bool) -> None:
    values = np.random.default_rng(2).integers(0, 4096, (16, 20)).astype(np.uint16)
    datasets = [image(k, values, syntax=syntax) for k in range(3)]
    for dataset in datasets:
        code = dicom_files.packed(values, syntax)
        dataset.add_new(0x7FE00010, "OB", encapsulate([code], fragments_per_frame=3, has_bot=table))
        dataset["PixelData"].is_undefined_length = True
    assert np.array_equal(read_volume(save_all(tmp_path / "series", datasets)).voxels[1], values)


def test_big_endian_bytes_that_lie_swapped_in_words_are_put_right(tmp_path: Path) -> None:
    values = np.arange(48, dtype=np.uint8).reshape(6, 8)
    datasets = [image(k, values, syntax="big-endian") for k in range(3)]
    for dataset in datasets:
        dataset.add_new(0x7FE00010, "OW", values.tobytes())
        dataset["PixelData"].value = values.reshape(-1, 2)[:, ::-1].tobytes()
    assert np.array_equal(read_volume(save_all(tmp_path / "series", datasets)).voxels[0], values)


def test_a_locale_with_a_decimal_comma_changes_nothing(tmp_path: Path) -> None:
    import locale

    folder = write_slices(tmp_path / "series", [10, 20, 30], RescaleSlope="0.25", RescaleIntercept="-0.5")
    before = locale.setlocale(locale.LC_NUMERIC)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "C.UTF-8"):
        try:
            locale.setlocale(locale.LC_NUMERIC, name)
        except locale.Error:
            continue
        break
    try:
        assert first_values(folder) == [2, 4.5, 7]
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)


def test_floating_point_pixels_are_rescaled_in_double_precision(tmp_path: Path) -> None:
    stored = np.full((6, 8), 16777217 / 3, "<f4")
    datasets = [image(k, 0, RescaleSlope="0.1", RescaleIntercept="0") for k in range(3)]
    for dataset in datasets:
        del dataset.PixelData
        dataset.FloatPixelData = stored.tobytes()
    assert first_values(save_all(tmp_path / "series", datasets)) == [float(stored[0, 0]) * 0.1] * 3


def test_a_slope_that_a_single_slice_keeps_in_a_group_of_enhanced_objects_is_applied(tmp_path: Path) -> None:
    group = item(RescaleSlope="2", RescaleIntercept="-1", RescaleType="US")
    folder = write_slices(tmp_path / "series", range(3), PixelValueTransformationSequence=group)
    assert first_values(folder) == [-1, 1, 3]


def test_real_world_values_in_the_groups_of_frames_are_told(tmp_path: Path) -> None:
    mapping = item(RealWorldValueSlope=3.0, RealWorldValueIntercept=0.0)
    frames = [{"value": 100, "height": 3 * k, "RealWorldValueMappingSequence": mapping} for k in range(3)]
    assert "Real World Value" in read_volume(save_all(tmp_path / "series", [enhanced(frames)])).notes[0]


@pytest.mark.parametrize("syntax", ["JPEG lossless", "JPEG 2000"])
def test_one_frame_promised_and_two_packed_are_refused(tmp_path: Path, syntax: str) -> None:
    values = np.random.default_rng(2).integers(0, 4096, (16, 20)).astype(np.uint16)
    datasets = [image(k, values, syntax=syntax) for k in range(3)]
    datasets[1].add_new(0x7FE00010, "OB", encapsulate([dicom_files.packed(values, syntax)] * 2))
    datasets[1]["PixelData"].is_undefined_length = True
    with pytest.raises(InputError, match=r"001\.dcm: 1 frame is promised"):
        read_volume(save_all(tmp_path / "series", datasets))


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 2), (64, 1), (8, 5)])
def test_small_and_narrow_frames_of_run_lengths_are_read(tmp_path: Path, size: tuple[int, int], kind: Any) -> None:
    values = np.random.default_rng(3).integers(0, 5, size).astype(kind) * kind(25)
    datasets = [image(k, values, syntax="RLE") for k in range(2)]
    assert np.array_equal(read_volume(save_all(tmp_path / "series", datasets)).voxels[1], values)
    short = np.arange(size[0] * size[1]).reshape(size).astype(kind)
    code = dicom_files.packed(short, "RLE")
    datasets[1].add_new(0x7FE00010, "OB", encapsulate([code[: 64 + (len(code) - 64) // 2]]))
    datasets[1]["PixelData"].is_undefined_length = True
    if len(code) > 70:
        with pytest.raises(InputError, match=r"\(RLE"):
            read_volume(save_all(tmp_path / "short", datasets))
