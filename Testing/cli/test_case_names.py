"""A case that is given no name is called by its file or its DICOM folder, never just "case"."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepradiomics.cli.cases import case_name


@pytest.mark.parametrize(
    ("path", "what", "name"),
    [
        ("exams/knee 7.nii.gz", "sagittal", "knee 7"),
        ("exams/Knee.v2.NII.GZ", "", "Knee.v2"),
        ("exams/patient3/sagittal.nrrd", "sagittal", "patient3"),
        ("ich-0001/ct.nii.gz", "ct", "ich-0001"),
        ("a.npy", "", "a"),
        ("study_0012", "", "study_0012"),
    ],
)
def test_the_name_is_that_of_the_file_without_suffixes(path: str, what: str, name: str) -> None:
    assert case_name(Path(path), what) == name


def test_a_dicom_folder_gives_its_own_name_dots_included(tmp_path: Path) -> None:
    (tmp_path / "series 1.2.nii").mkdir()
    assert case_name(tmp_path / "series 1.2.nii") == "series 1.2.nii"
    (tmp_path / "kim" / "axial").mkdir(parents=True)
    assert case_name(tmp_path / "kim" / "axial", "axial") == "kim"
