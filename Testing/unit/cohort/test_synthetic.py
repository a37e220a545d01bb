"""Images that say that they are made up: by their header, or by a README."""

import numpy as np
import SimpleITK as sitk

from deepradiomics.cohort.synthetic import is_synthetic_image


def test_a_header_tells(tmp_path):
    image = sitk.GetImageFromArray(np.zeros((2, 3, 4), np.float32))
    sitk.WriteImage(image, str(tmp_path / "real.nii.gz"))
    image.SetMetaData("ITK_FileNotes", "SYNTHETIC - a phantom")
    sitk.WriteImage(image, str(tmp_path / "made.nii.gz"))
    assert is_synthetic_image(tmp_path / "made.nii.gz")
    assert not is_synthetic_image(tmp_path / "real.nii.gz")


def test_a_readme_beside_or_above_tells(tmp_path):
    file = tmp_path / "cohort" / "cases" / "c1" / "t2.nii.gz"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no image")
    assert not is_synthetic_image(file)
    (tmp_path / "cohort" / "README.txt").write_text("SYNTHETIC DATA\n", encoding="utf-8")
    assert is_synthetic_image(file)
