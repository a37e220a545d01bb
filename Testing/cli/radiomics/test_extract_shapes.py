"""``--connected-parts`` and ``--ring``: connected parts and shells as regions, in one case and in a manifest."""

import csv
import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from Testing.cli import material
from Testing.cli.run_cli import run_cli

PARAMS = "featureClass: {firstorder: [Mean], shape: [VoxelVolume]}\n"
VOXEL_MM3 = 1.5 * 1.2 * 2.0


def _table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _mask(path: Path, like: Path, *boxes: tuple[slice, slice, slice], label: int = 1) -> Path:
    image = sitk.ReadImage(str(like))
    labels = np.zeros(image.GetSize()[::-1], np.uint8)
    for box in boxes:
        labels[box] = label
    made = sitk.GetImageFromArray(labels)
    made.CopyInformation(image)
    sitk.WriteImage(made, str(path))
    return path


LARGE = (slice(1, 5), slice(1, 5), slice(1, 5))  # 64 voxels
SMALL = (slice(6, 9), slice(7, 10), slice(8, 11))  # 27 voxels


def test_connected_parts_are_regions_of_their_own_the_largest_first(tmp_path: Path) -> None:
    image = material.image(tmp_path / "image.nrrd")
    mask = _mask(tmp_path / "mask.nrrd", image, SMALL, LARGE)
    params = material.params(tmp_path / "p.yaml", PARAMS)
    words = ["extract", image, mask, "-o", tmp_path / "f.csv", "--params", params, "--connected-parts", "--wide"]
    assert run_cli([*words, "--case-id", "p7"]).code == 0
    rows = _table(tmp_path / "f.csv")
    assert [(row["id"], row["label"], row["name"]) for row in rows] == [
        ("p7", "1", "label 1 1"),
        ("p7", "2", "label 1 2"),
    ]
    volumes = [float(row["original_shape_VoxelVolume"]) / VOXEL_MM3 for row in rows]
    assert np.allclose(volumes, [64, 27])
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(str(image)))
    assert np.isclose(float(rows[1]["original_firstorder_Mean"]), voxels[SMALL].mean(dtype=float))


def test_a_part_of_one_voxel_is_left_out_and_named(tmp_path: Path) -> None:
    image = material.image(tmp_path / "image.nrrd")
    mask = _mask(tmp_path / "mask.nrrd", image, LARGE, (slice(8, 9), slice(8, 9), slice(8, 9)))
    found = run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--connected-parts"])
    assert found.code == 0
    assert "label 2 label 1 2 is left out" in found.err
    assert {row["label"] for row in _table(tmp_path / "f.csv")} == {"1"}


def test_a_ring_is_the_shell_around_the_region_cut_by_a_second_mask(tmp_path: Path) -> None:
    image = material.image(tmp_path / "image.nrrd", spacing=(1.0, 1.0, 1.0))
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(str(image)))
    box = (slice(4, 6), slice(4, 7), slice(5, 8))
    mask = _mask(tmp_path / "mask.nrrd", image, box)
    half = (slice(0, 5), slice(None), slice(None))
    within = _mask(tmp_path / "within.nrrd", image, half)
    params = material.params(tmp_path / "p.yaml", PARAMS)
    words = ["extract", image, mask, "-o", tmp_path / "f.csv", "--params", params, "--wide", "--ring"]
    inside = np.zeros(voxels.shape, bool)
    inside[box] = True
    distance = sitk.GetArrayFromImage(
        sitk.SignedMaurerDistanceMap(sitk.GetImageFromArray(inside.astype(np.uint8)), False, False, True)
    )
    for ring, low, high, options in (("2", 0, 2, []), ("1:2", 1, 2, []), ("2", 0, 2, ["--ring-within", within])):
        assert run_cli([*words, ring, *options]).code == 0
        [row] = _table(tmp_path / "f.csv")
        shell = ~inside & (distance > low + 1e-6) & (distance <= high + 1e-6)
        if options:
            shell[5:] = False
        assert np.isclose(float(row["original_shape_VoxelVolume"]), shell.sum())
        assert np.isclose(float(row["original_firstorder_Mean"]), voxels[shell].mean(dtype=float))
        assert row["name"] == f"label 1 ring {low:g}-{high:g} mm"


def test_rings_of_a_manifest_overlap_and_are_cut_by_the_mask_of_a_column(tmp_path: Path) -> None:
    image = material.image(tmp_path / "image.nrrd")
    two = material.mask(tmp_path / "two.nrrd", "two")
    within = _mask(tmp_path / "within.nrrd", image, (slice(0, 10), slice(2, 10), slice(2, 12)))
    rows: list[dict[str, object]] = [
        {"id": "a", "image": image.name, "mask": two.name, "organ": within.name},
        {"id": "b", "image": image.name, "mask": two.name},
    ]
    manifest = material.manifest(tmp_path, rows, ["id", "image", "mask", "organ"])
    words = ["extract", "--manifest", manifest, "-o", tmp_path / "f.csv", "--all-labels", "--ring", "3", "--json"]
    plain = run_cli(words)
    assert plain.code == 0, plain.out
    assert [(row["id"], row["name"]) for row in _table(tmp_path / "f.csv")] == [
        (case, f"label {label} ring 0-3 mm") for case in "ab" for label in (1, 2)
    ]
    whole = [float(row["original_shape_VoxelVolume"]) for row in _table(tmp_path / "f.csv")][:2]
    found = run_cli([*words, "--ring-within", "organ"])
    assert found.code == 1
    assert "column organ: this cell is empty" in found.result["failed"]["b"]
    cut = [float(row["original_shape_VoxelVolume"]) for row in _table(tmp_path / "f.csv")]
    assert found.result["computed"] == 1
    assert all(less < more for less, more in zip(cut, whole, strict=True))
    unknown = run_cli([*words, "--ring-within", "brain"])
    assert unknown.code == 2
    assert "no such column; further columns: organ" in unknown.events[-1]["message"]


def test_another_mask_that_cuts_the_ring_is_computed_again(tmp_path: Path) -> None:
    image = material.image(tmp_path / "image.nrrd")
    mask = material.mask(tmp_path / "mask.nrrd")
    _mask(tmp_path / "organ.nrrd", image, (slice(0, 10), slice(2, 10), slice(2, 12)))
    rows: list[dict[str, object]] = [{"id": "a", "image": image.name, "mask": mask.name, "organ": "organ.nrrd"}]
    manifest = material.manifest(tmp_path, rows, ["id", "image", "mask", "organ"])
    words = ["extract", "--manifest", manifest, "-o", tmp_path / "f.csv", "--json", "--ring", "3", "--ring-within"]
    words = [*words, "organ"]
    assert [run_cli(words).result["computed"] for _ in range(2)] == [1, 0]
    _mask(tmp_path / "organ.nrrd", image, (slice(0, 10), slice(0, 12), slice(2, 12)))
    assert run_cli(words).result["computed"] == 1
    case = json.loads((tmp_path / "f-cases" / "a.json").read_text("utf-8"))
    assert case["labels"]["1"]["name"] == "label 1 ring 0-3 mm"
