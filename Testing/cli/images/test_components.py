"""``deepradiomics components``: parts and rings of a region by name, which every method then takes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort import ManifestRow
from deepradiomics.images import Mask, Segment, read_mask, read_volume, write_mask
from deepradiomics.images.reading import Reading
from Testing.cli import material
from Testing.cli.run_cli import Finished, run_cli

VOXEL_MM3 = 1.5 * 1.2 * 2.0
LARGE, SMALL = (slice(1, 5), slice(1, 5), slice(1, 5)), (slice(6, 9), slice(7, 10), slice(8, 11))  # 64 and 27 voxels
NAMES = ("lesion 1", "lesion 2")
RINGS = ("lesion 1 ring 0-3 mm", "lesion 2 ring 0-3 mm")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image, a mask with the segments lesion (two parts) and organ, and what is made of the lesion."""
    folder = tmp_path_factory.mktemp("components")
    volume = read_volume(material.image(folder / "image.nrrd"))
    labels = np.zeros(material.SHAPE, np.uint8)
    labels[:, :6], labels[LARGE], labels[SMALL] = 2, 1, 1
    segments = {1: Segment("lesion", (1, 0, 0)), 2: Segment("organ")}
    write_mask(Mask(labels, volume.geometry, segments=segments), folder / "mask.seg.nrrd")
    write_mask(Mask((labels > 0).astype(np.uint8), volume.geometry), folder / "body.nrrd")
    assert made(folder, "parts", "--segment", "lesion").code == 0
    assert made(folder, "rings", "--segment", "lesion", "--ring", 3).code == 0
    return folder


def made(folder: Path, name: str, *options: object) -> Finished:
    return run_cli(
        ["components", folder / "image.nrrd", folder / "mask.seg.nrrd", "-o", folder / f"{name}.seg.nrrd", *options]
    )


def boxes() -> list[np.ndarray]:
    regions = []
    for box in (LARGE, SMALL):
        region = np.zeros(material.SHAPE, bool)
        region[box] = True
        regions.append(region)
    return regions


def test_each_connected_part_is_a_named_region_the_largest_first(place: Path) -> None:
    parts = read_mask(place / "parts.seg.nrrd")
    assert tuple(parts.segment_names.values()) == NAMES
    assert parts.segments[1].colour == (1, 0, 0)
    for number, region in enumerate(boxes(), start=1):
        np.testing.assert_array_equal(parts.region(number), region)
    found = made(place, "again", "--label", 1, "--json").result
    assert [(one["label"], one["name"], one["voxels"]) for one in found["regions"]] == [
        (1, "lesion 1", 64), (2, "lesion 2", 27),
    ]  # fmt: skip
    assert found["regions"][0]["volume_mm3"] == pytest.approx(64 * VOXEL_MM3)


def test_parts_below_the_minimum_are_left_out_with_a_note(place: Path) -> None:
    found = made(place, "large", "--label", 1, "--minimum-mm3", 28 * VOXEL_MM3)
    assert found.code == 0
    assert "1 parts smaller than" in found.err
    assert read_mask(place / "large.seg.nrrd").labels_present() == (1,)
    both = made(place, "both", "--all-labels", "--minimum-mm3", 65 * VOXEL_MM3, "--json").result
    assert [one["name"] for one in both["regions"]] == ["organ 1"]
    assert any("lesion: none of its 2 parts has" in note for note in both["notes"])
    none = made(place, "none", "--label", 1, "--minimum-mm3", 1e6)
    assert none.code == 2
    assert "Lower the minimum" in none.err
    assert not (place / "none.seg.nrrd").exists()


def test_rings_of_the_parts_overlap_and_lose_no_voxel(place: Path) -> None:
    from scipy import ndimage

    rings = read_mask(place / "rings.seg.nrrd")
    assert tuple(rings.segment_names.values()) == RINGS
    shells = []
    for number, region in enumerate(boxes(), start=1):
        distance = ndimage.distance_transform_edt(~region, sampling=(2.0, 1.2, 1.5))
        shells.append((distance > 0) & (distance <= 3 + 1e-6))
        np.testing.assert_array_equal(rings.region(number), shells[-1])
    wide = made(place, "wide", "--segment", "lesion", "--ring", "1:9")
    assert wide.code == 0
    assert "cut at its border" in wide.err
    over = read_mask(place / "wide.seg.nrrd")
    assert (over.region(1) & over.region(2)).any()


def test_a_ring_around_the_whole_region_is_cut_by_a_second_mask(place: Path) -> None:
    assert made(place, "whole", "--label", 1, "--whole", "--ring", 3).code == 0
    whole, rings = read_mask(place / "whole.seg.nrrd"), read_mask(place / "rings.seg.nrrd")
    assert whole.segment_names == {1: "lesion ring 0-3 mm"}
    np.testing.assert_array_equal(whole.region(1), rings.union() & ~(boxes()[0] | boxes()[1]))
    within = ("--ring-within", place / "body.nrrd")
    assert made(place, "cut", "--label", 1, "--whole", "--ring", 3, *within).code == 0
    body = read_mask(place / "body.nrrd").union()
    np.testing.assert_array_equal(read_mask(place / "cut.seg.nrrd").region(1), whole.region(1) & body)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "it has 2 labels: 1 (lesion), 2 (organ). Say which is meant"),
        (["--segment", "lesoin"], "Did you mean 'lesion'?"),
        (["--label", 1, "--segment", "lesion"], "give one of them"),
        (["--label", 1, "--ring", "5:2"], "--ring: expected a distance"),
        (["--label", 1, "--ring-within", "body.nrrd"], "--ring-within: it cuts the shell of --ring"),
        (
            ["--label", 1, "--ring", 3, "--ring-within", "none.nrrd"],
            "--ring-within none.nrrd: this file does not exist",
        ),
        (["--label", 1, "--whole"], "--whole: without --ring nothing is made"),
        (["--label", 1, "--whole", "--ring", 3, "--minimum-mm3", 5], "which --whole does not make"),
        (["--label", 1, "--minimum-mm3", "nan"], "--minimum-mm3: expected a volume from 0 on, got nan"),
        (["--label", 1, "--minimum-mm3", -1], "--minimum-mm3: expected a volume from 0 on, got -1"),
    ],
)
def test_what_means_nothing_is_refused_and_nothing_is_written(place: Path, options: list[object], says: str) -> None:
    found = made(place, "refused", *options)
    assert found.code == 2
    assert says in " ".join(found.err.split())
    assert "Traceback" not in found.err
    assert not (place / "refused.seg.nrrd").exists()


def test_only_a_segmentation_of_slicer_can_hold_them_and_no_input_is_overwritten(place: Path) -> None:
    words = ["components", place / "image.nrrd", place / "mask.seg.nrrd", "-o"]
    found = run_cli([*words, place / "parts.nii.gz"])
    assert found.code == 2
    assert "ends in .seg.nrrd" in found.err
    before = (place / "mask.seg.nrrd").read_bytes()
    found = run_cli([*words, place / "mask.seg.nrrd", "--label", 1])
    assert found.code == 2
    assert "would be lost" in found.err
    assert (place / "mask.seg.nrrd").read_bytes() == before


@pytest.mark.parametrize(
    ("file", "shape"), [("parts", ["--connected-parts"]), ("rings", ["--connected-parts", "--ring", "3"])]
)
def test_the_engine_measures_them_as_with_its_own_options(place: Path, tmp_path: Path, file: str, shape: list) -> None:
    params = material.params(tmp_path / "p.yaml", "featureClass: {firstorder: [Mean], shape: [VoxelVolume]}\n")
    words = ["-o", tmp_path / "f.csv", "--params", params, "--wide", "--case-id", "p"]
    image, tables = place / "image.nrrd", []
    for source in (
        [image, place / f"{file}.seg.nrrd", "--all-labels"],
        [image, place / "mask.seg.nrrd", "--label", 1, *shape],
    ):
        assert run_cli(["extract", *source, *words]).code == 0
        with open(tmp_path / "f.csv", encoding="utf-8", newline="") as stream:
            kept = ("name", "original_firstorder_Mean", "original_shape_VoxelVolume")
            tables.append([[row[name] for name in kept] for row in csv.DictReader(stream)])
    assert tables[0] == tables[1]
    assert len(tables[0]) == 2


def test_maps_take_a_part_and_a_ring_by_name(place: Path, tmp_path: Path) -> None:
    for file, name in (("parts", NAMES[1]), ("rings", RINGS[1])):
        mask = place / f"{file}.seg.nrrd"
        words = ["maps", place / "image.nrrd", mask, "-o", tmp_path / file, "--features", "firstorder_Mean"]
        assert run_cli([*words, "--segment", name]).code == 0
        assert json.loads((tmp_path / file / "maps.json").read_text("utf-8"))["segment"] == name


@pytest.mark.parametrize(("file", "name", "number"), [("parts", NAMES[1], 2), ("rings", RINGS[0], 1)])
def test_every_method_takes_a_part_and_a_ring_by_name(place: Path, file: str, name: str, number: int) -> None:
    """Their entrances: fingerprint's case, lens' case of a manifest's row, haemorrhage's region and training row."""
    from deepradiomics.cli.cases import load
    from deepradiomics.ich.haematoma.region import given_region
    from deepradiomics.ich.segmenter.data import read_baseline
    from deepradiomics.lens.case.run import CaseSource

    image, mask, reading = place / "image.nrrd", place / f"{file}.seg.nrrd", Reading(segment=name)
    expected = read_mask(mask).region(number)
    volume = read_volume(image)
    case = load("a", {"image": image}, mask, reading)
    row = ManifestRow("a", {"image": image}, mask, segment=name)
    regions = {
        "fingerprint": case.mask,
        "lens": CaseSource.of_row(row, ("image",), "mask").mask,
        "ich": given_region(volume, reading.read_drawn(mask, volume), reading=reading, lesions="all").mask,
        "ich training": read_baseline(row)[1],
    }
    for method, region in regions.items():
        assert region is not None, method
        np.testing.assert_array_equal(region.region(1), expected, err_msg=method)


def test_haemorrhage_volumes_are_those_of_the_parts(place: Path) -> None:
    found = run_cli(["ich", "volume", place / "parts.seg.nrrd", "--segment", NAMES[1], "--json"]).result
    assert found["volume_ml"] == pytest.approx(27 * VOXEL_MM3 / 1000)
