"""What lies in a folder beside the series: damaged files are named, others counted, several series listed."""

import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import read_volume
from deepradiomics.images.dicom import is_dicom
from Testing.reference.dicom.small_dicom import ROOT, image, save_all, write_slices

SEG, SR, PR = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.11.1"


def test_files_of_other_kinds_are_counted_in_a_note(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "series", range(3))
    (folder / "Jane Doe.txt").write_text("a report")
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + b"1.2.840.10008.1.3.10")
    (folder / "inside").mkdir()
    notes = " ".join(read_volume(folder).notes)
    assert "1 file in the folder that DICOM does not know" in notes
    assert "1 folder inside" in notes
    assert "Jane" not in notes


@pytest.mark.parametrize("content", [b"", bytes(600), bytes(128) + b"DICM" + b"junk", b"text without meaning"])
def test_a_file_that_should_be_dicom_and_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    folder = write_slices(tmp_path / "series", range(3))
    (folder / "bad.dcm").write_bytes(content)
    for path in (folder, folder / "000.dcm"):
        with pytest.raises(InputError, match=r"1 DICOM file here could not be read: bad\.dcm"):
            read_volume(path)


def test_objects_without_images_are_no_series(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "series", range(3))
    other = image(9, sop=SEG, Modality="SEG", SeriesInstanceUID=f"{ROOT}.8")
    report = image(8, sop=SR, Modality="SR", SeriesInstanceUID=f"{ROOT}.9")
    for name in ("PixelData", "Rows", "Columns"):
        delattr(report, name)
    save_all(folder, [other, report], first=10)
    assert "2 DICOM objects without images left out (SEG, SR)" in read_volume(folder).notes[0]
    with pytest.raises(InputError, match="DICOM SEG"):
        read_volume(folder / "010.dcm")
    with pytest.raises(InputError, match="a DICOM object of modality SR, not an image"):
        read_volume(folder / "011.dcm")


def test_several_series_are_listed_and_a_file_tells_which(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "series", [1, 1, 1])
    other = [image(k, 7, uid=20 + k, Modality="CT", SeriesInstanceUID=f"{ROOT}.8") for k in range(4)]
    save_all(folder, other, first=10)
    with pytest.raises(InputError, match=r"holds 2 DICOM series \(MR, 3 files; CT, 4 files\)"):
        read_volume(folder)
    assert np.unique(read_volume(folder / "012.dcm").voxels).tolist() == [7]


def test_copies_are_told_and_twins_that_differ_are_refused(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "series", range(3))
    (folder / "copy.dcm").write_bytes((folder / "001.dcm").read_bytes())
    volume = read_volume(folder)
    assert volume.geometry.size[2] == 3
    assert "1 copy of files that are there already" in volume.notes[0]
    save_all(folder, [image(1, 77)], first=50)
    with pytest.raises(InputError, match="claim to be the same image and differ"):
        read_volume(folder)


def test_files_without_preamble_are_read(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "series", [4, 5, 6])
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[132:])
    assert is_dicom(folder / "000.dcm")
    assert read_volume(folder / "000.dcm").voxels[:, 0, 0].tolist() == [4, 5, 6]


def test_files_without_meta_header_are_read(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "series", [4, 5, 6], syntax="implicit")
    for path in folder.iterdir():
        content = path.read_bytes()
        path.write_bytes(content[144 + int.from_bytes(content[140:144], "little") :])
    assert read_volume(folder).voxels[:, 0, 0].tolist() == [4, 5, 6]


def test_nothing_that_names_a_person_leaves_with_the_volume(tmp_path: Path) -> None:
    volume = read_volume(write_slices(tmp_path / "SECRET", range(3), SeriesDescription="Secret^Name"))
    assert "ecret" not in volume.name + volume.source + " ".join(volume.notes)
    assert "SECRET" not in volume.source


def test_pydicoms_remarks_do_not_surface_and_its_settings_stay(tmp_path: Path) -> None:
    settings = pydicom.config.settings.reading_validation_mode
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = write_slices(tmp_path / "series", range(3), SeriesDate="no date", PatientAge="very old")
    read_volume(folder)
    assert pydicom.config.settings.reading_validation_mode == settings


def test_a_header_filled_with_nothing_is_refused_soon(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "series", range(3))
    content = (folder / "001.dcm").read_bytes()
    (folder / "001.dcm").write_bytes(content[: content.rfind(b"\xe0\x7f\x10\x00")] + bytes(1 << 24))
    begun = time.process_time()
    with pytest.raises(InputError, match=r"001\.dcm \(damaged: its header has more than"):
        read_volume(folder)
    assert time.process_time() - begun < 5


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="names are Unicode there")
@pytest.mark.parametrize("syntax", ["explicit", "JPEG 2000"])
def test_a_path_that_is_not_utf_8_is_read(tmp_path: Path, syntax: str) -> None:
    folder = tmp_path / os.fsdecode(b"M\xfcller")
    write_slices(folder, [np.full((16, 16), k, np.uint16) for k in range(3)], syntax=syntax)
    assert read_volume(folder).voxels[:, 0, 0].tolist() == [0, 1, 2]


def test_a_folder_without_dicom_says_where_to_look(tmp_path: Path) -> None:
    write_slices(tmp_path / "exam" / "series", range(3))
    with pytest.raises(InputError, match=r"no readable DICOM series.*holds folders"):
        read_volume(tmp_path / "exam")
