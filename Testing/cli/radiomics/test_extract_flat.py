"""``extract`` on two-dimensional files: the numbers of the Python call, shape2D in place of shape."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics import extract
from Testing.cli import material
from Testing.cli.run_cli import run_cli


def _table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha", ".tif"])
def test_a_flat_image_has_the_values_of_the_python_call(tmp_path: Path, suffix: str) -> None:
    image, mask = material.flat_pair(tmp_path, suffix=suffix)
    found = run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--json"])
    assert found.code == 0, found.out
    rows, expected = _table(tmp_path / "f.csv"), extract(image, mask)
    assert {row["feature"]: float(row["value"]) for row in rows} == dict(expected)
    families = [row["family"] for row in rows]
    assert families.count("shape2D") == 9
    assert "shape" not in families
    assert len(rows) == 93 + 9
    said = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert "shape2D" in said["methods_text"]
    assert "shape2D" in said["settings"]["featureClass"]
    assert "shape" not in said["settings"]["featureClass"]


def test_every_label_of_a_flat_mask(tmp_path: Path) -> None:
    image, mask = material.flat_pair(tmp_path, both=True)
    assert run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--all-labels"]).code == 0
    rows = _table(tmp_path / "f.csv")
    second = {row["feature"]: float(row["value"]) for row in rows if row["label"] == "2"}
    assert second == dict(extract(image, mask, label=2))
    assert len(rows) == 2 * 102


def test_a_manifest_may_hold_flat_cases_beside_others(tmp_path: Path) -> None:
    material.flat_pair(tmp_path, "a", seed=1)
    material.flat_pair(tmp_path, "b", seed=2)
    flat = [{"id": k, "image": f"{k}.nii.gz", "mask": f"{k}_mask.nii.gz"} for k in "ab"]
    out = tmp_path / "flat.csv"
    manifest = material.manifest(tmp_path, flat, ["id", "image", "mask"])
    assert run_cli(["extract", "--manifest", manifest, "-o", out]).code == 0
    rows = _table(out)
    for row in rows:
        alone = extract(tmp_path / f"{row['id']}.nii.gz", tmp_path / f"{row['id']}_mask.nii.gz")
        assert {name: float(row[name]) for name in alone} == dict(alone)
    assert "shape2D" in json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))["methods_text"]
    again = run_cli(["extract", "--manifest", manifest, "-o", out, "--json"])
    assert again.result["computed"] == 0
    thick = {"id": "c", "image": material.image(tmp_path / "c.nrrd").name, "mask": "c_mask.nrrd"}
    material.mask(tmp_path / "c_mask.nrrd")
    both = material.manifest(tmp_path, [*flat, thick], ["id", "image", "mask"])
    assert run_cli(["extract", "--manifest", both, "-o", tmp_path / "both.csv"]).code == 0
    mixed = {row["id"]: row for row in _table(tmp_path / "both.csv")}
    assert mixed["a"]["original_shape_MeshVolume"] == ""
    assert mixed["c"]["original_shape2D_Perimeter"] == ""
    assert float(mixed["c"]["original_shape_MeshVolume"]) > 0


def test_a_flat_image_is_not_kept_for_a_slice_of_the_same_voxels(tmp_path: Path) -> None:
    image, mask = material.flat_pair(tmp_path, "a")
    manifest = material.manifest(tmp_path, [{"id": "a", "image": image.name, "mask": mask.name}],
                                 ["id", "image", "mask"])  # fmt: skip
    options = ["--manifest", manifest, "-o", tmp_path / "f.csv", "--json"]
    assert run_cli(["extract", *options]).result["computed"] == 1
    for path in (image, mask):
        sitk.WriteImage(sitk.JoinSeries([sitk.ReadImage(str(path))]), str(path))
    assert run_cli(["extract", *options]).result["computed"] == 1
    assert "original_shape_MeshVolume" in _table(tmp_path / "f.csv")[0]


def test_a_flat_image_needs_a_flat_mask(tmp_path: Path) -> None:
    image, _ = material.flat_pair(tmp_path)
    found = run_cli(["extract", image, material.mask(tmp_path / "m.nrrd"), "-o", tmp_path / "f.csv"])
    assert found.code == 2
    assert "the image is two-dimensional, so the mask must be too" in found.err


def test_nan_in_a_flat_nifti_is_not_read_as_zero(tmp_path: Path) -> None:
    image, mask = material.flat_pair(tmp_path)
    voxels = sitk.ReadImage(str(image))
    array = sitk.GetArrayFromImage(voxels)
    array[6, 6] = np.nan
    holed = sitk.GetImageFromArray(array)
    holed.CopyInformation(voxels)
    sitk.WriteImage(holed, str(image))
    found = run_cli(["extract", image, mask, "-o", tmp_path / "f.csv"])
    assert found.code == 2
    assert "1 of the" in found.err
    assert "NaN" in found.err


def test_a_flat_file_cut_short_is_an_input_error(tmp_path: Path) -> None:
    image, mask = material.flat_pair(tmp_path, suffix=".mha")
    image.write_bytes(image.read_bytes()[:-300])
    found = run_cli(["extract", image, mask, "-o", tmp_path / "f.csv"])
    assert found.code == 2
    assert "cut short" in found.err


def test_by_ibsi_a_flat_image_takes_an_aggregation_of_slices(tmp_path: Path) -> None:
    image, mask = material.flat_pair(tmp_path)
    refused = run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--standard", "ibsi"])
    assert refused.code == 2
    assert "2D_averaged" in refused.err
    params = material.params(tmp_path / "p.yaml", "setting: {standard: ibsi, aggregation: [2D_averaged]}\n"
                             "featureClass: {glcm: [Dissimilarity]}\n")  # fmt: skip
    assert run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--params", params]).code == 0
    assert [row["feature"] for row in _table(tmp_path / "f.csv")] == ["original_glcm_Dissimilarity_2D_averaged"]


def test_maps_of_a_flat_image_are_flat_images(tmp_path: Path) -> None:
    from deepradiomics import feature_maps

    image, mask = material.flat_pair(tmp_path)
    names = "firstorder_Mean,gradient_firstorder_Energy"
    found = run_cli(["maps", image, mask, "-o", tmp_path / "maps", "--features", names, "--json"])
    assert found.code == 0, found.out
    for key, expected in feature_maps(image, mask, names.split(",")).items():
        written = sitk.ReadImage(str(tmp_path / "maps" / f"{key}.nrrd"))
        assert written.GetDimension() == 2
        assert written.GetSpacing() == pytest.approx((0.5, 0.7))
        assert np.array_equal(sitk.GetArrayFromImage(written), sitk.GetArrayFromImage(expected))
    said = json.loads((tmp_path / "maps" / "maps.json").read_text(encoding="utf-8"))["methods_text"]
    assert "3 x 3 voxels in the plane" in said
