"""RadiomicFeatures' logic on Slicer's real scene: with a child process that never runs, and with the real one."""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume, write_mask, write_volume
from Testing.slicer.fake_child import FakeStart, HandTimer, named_features, write_features, write_maps
from Testing.slicer.logic.test_fingerprint_logic import add_segment
from Testing.slicer.scene.test_fingerprint_scene import snapshot

MODULE = Path(__file__).resolve().parents[3] / "RadiomicFeatures"
PROSTATE = "Terms~SCT^123037004^Anatomical Structure~SCT^41216001^Prostate~SCT^7771000^Left~Places~^^~^^|"
BOX_A, BOX_B = (slice(2, 6), slice(3, 8), slice(4, 10)), (slice(8, 10), slice(10, 13), slice(12, 16))
PARAMS = {"featureClass": {"firstorder": ["Mean", "Entropy"], "shape": ["VoxelVolume"]}, "setting": {"binWidth": 20}}


@pytest.fixture
def lib(headless: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module's logic, imported as Slicer imports it."""
    monkeypatch.syspath_prepend(str(MODULE))
    from RadiomicFeaturesLib import logic

    HandTimer.made.clear()
    yield logic
    for name in [name for name in sys.modules if name.startswith("RadiomicFeaturesLib")]:
        del sys.modules[name]


@pytest.fixture
def volume(scene: Any) -> Any:
    """A volume node of noise."""
    from deepradiomics.scene.nodes.volumes import node_from_volume

    return node_from_volume(noise(1), scene, "T1")


def noise(seed: int, size: tuple[int, int, int] = (22, 20, 14)) -> Volume:
    geometry = Geometry(size, (1.0, 1.2, 2.5), (-10.0, -12.0, -16.0))
    return Volume(np.random.default_rng(seed).normal(200, 40, geometry.shape).astype(np.float32), geometry)


def column(node: Any, name: str) -> list[Any]:
    found = node.GetTable().GetColumnByName(name)
    return [found.GetValue(row) for row in range(found.GetNumberOfValues())]


# --- one volume ------------------------------------------------------------------------------------------------------


def test_features_of_all_segments_come_into_one_table(lib: Any, scene: Any, volume: Any) -> None:
    segmentation, _ = add_segment(scene, volume)
    add_segment(scene, volume, segmentation, "b", BOX_B)
    start = FakeStart(write_features)
    nodes = lib.RadiomicFeaturesLogic(start).extract(volume, segmentation=segmentation)
    assert column(nodes.features, "value") == [120.0, 24.0]
    assert column(nodes.features, "region") == ["a", "b"]
    assert start.words[0] == "extract"
    assert "--all-labels" in start.words
    assert start.given("--params") == "fingerprint-107"


def test_segments_bring_their_names_and_terminology_into_both_tables(lib: Any, scene: Any, volume: Any) -> None:
    segmentation, segment = add_segment(scene, volume)
    segmentation.GetSegmentation().GetSegment(segment).SetTag("TerminologyEntry", PROSTATE)
    add_segment(scene, volume, segmentation, "b", BOX_B)
    segmentation.GetSegmentation().GetSegment("b").RemoveTag("TerminologyEntry")  # Slicer gives "Tissue" to a new one
    nodes = lib.RadiomicFeaturesLogic(FakeStart(write_features)).extract(volume, segmentation=segmentation)
    for table in (nodes.features, nodes.by_region):
        assert column(table, "region") == ["a", "b"]
        assert column(table, "terminology") == ["Anatomical Structure / Prostate / Left", ""]
        assert table.GetColumnDescription("terminology")


def test_one_segment_of_several_is_taken_alone(lib: Any, scene: Any, volume: Any) -> None:
    segmentation, _ = add_segment(scene, volume)
    add_segment(scene, volume, segmentation, "b", BOX_B)
    nodes = lib.RadiomicFeaturesLogic(FakeStart(write_features)).extract(
        volume, segmentation=segmentation, segment_ids=["b"]
    )
    assert column(nodes.features, "region") == ["b"]
    assert column(nodes.features, "value") == [24.0]


def test_segments_that_overlap_keep_all_of_their_voxels(lib: Any, scene: Any, volume: Any, tmp_path: Path) -> None:
    """A lesion inside a gland: the real child, against the engine on each segment alone."""
    import deepradiomics
    from deepradiomics.scene.nodes.volumes import mask_from_segmentation, volume_from_node

    segmentation, _ = add_segment(scene, volume, name="gland", where=(slice(2, 11), slice(3, 16), slice(3, 18)))
    add_segment(scene, volume, segmentation, "lesion", (slice(4, 8), slice(5, 10), slice(6, 12)))
    add_segment(scene, volume, segmentation, "elsewhere", (slice(11, 13), slice(16, 19), slice(3, 8)))
    nodes = lib.RadiomicFeaturesLogic().extract(
        volume, segmentation=segmentation, params=PARAMS, output_folder=tmp_path
    )
    image = volume_from_node(volume)
    rows = zip(*(column(nodes.features, name) for name in ("region", "feature", "value")), strict=True)
    values = {(region, feature): value for region, feature, value in rows}
    assert list(dict.fromkeys(column(nodes.features, "region"))) == ["gland", "lesion", "elsewhere"]
    for region in ("gland", "lesion", "elsewhere"):
        alone = mask_from_segmentation(segmentation, image.geometry, [region])
        expected = deepradiomics.extract(image, alone, PARAMS)
        assert {f: v for (r, f), v in values.items() if r == region} == pytest.approx(dict(expected), rel=1e-12)
    gland = values["gland", "original_shape_VoxelVolume"]
    assert gland == pytest.approx(9 * 13 * 15 * 1.0 * 1.2 * 2.5)  # the lesion's voxels are the gland's too
    about = json.loads((tmp_path / "T1_features" / "features.json").read_text(encoding="utf-8"))
    assert "Mean" in str(about["settings"])
    assert about["methods_text"]
    assert len(about["provenance"]["masks"]) == 2


@pytest.mark.parametrize("degrees", [0.0, 8.0])
def test_a_segment_sampled_in_its_box_is_the_one_sampled_in_the_whole_grid(
    lib: Any, scene: Any, volume: Any, degrees: float
) -> None:
    from RadiomicFeaturesLib.regions import segment_box

    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.nodes.volumes import mask_from_segmentation
    from Testing.slicer.scene.test_volumes import rigid, under

    segmentation, _ = add_segment(scene, volume)
    add_segment(scene, volume, segmentation, "corner", (slice(11, 14), slice(17, 20), slice(19, 22)))
    under(scene, segmentation, rigid(degrees, (1.3, -0.4, 0.9)))
    geometry = placement(volume).geometry
    for segment in ("a", "corner"):
        whole = mask_from_segmentation(segmentation, geometry, [segment]).labels > 0
        box, inside = segment_box(segmentation, segment, geometry)
        pasted = np.zeros(geometry.shape, bool)
        pasted[box] = inside
        np.testing.assert_array_equal(pasted, whole)
        assert inside.size < whole.size / 2


def test_features_of_a_box_can_be_split_into_patches(lib: Any, scene: Any, volume: Any) -> None:
    nodes = lib.RadiomicFeaturesLogic(FakeStart(write_features)).extract(volume, patch_grid=(2, 2, 2))
    assert nodes.features.GetNumberOfRows() == 8
    assert column(nodes.features, "region")[0] == "patch 1"


def test_a_box_beside_the_volume_is_refused(lib: Any, scene: Any, volume: Any) -> None:
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    roi.SetCenter(900.0, 0.0, 0.0)
    roi.SetSize(10.0, 10.0, 10.0)
    with pytest.raises(MaskError, match="outside the volume"):
        lib.RadiomicFeaturesLogic(FakeStart(write_features)).extract(volume, roi=roi)


def test_a_box_finer_than_the_voxels_is_refused(lib: Any, scene: Any, volume: Any) -> None:
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    roi.SetSize(2.0, 2.0, 4.0)
    with pytest.raises(MaskError, match="hold no voxel"):
        lib.RadiomicFeaturesLogic(FakeStart(write_features)).extract(volume, roi=roi, patch_grid=(3, 3, 3))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"segmentation": "node", "roi": "node"}, "one of them"),
        ({"segment_ids": ["nowhere"]}, "has no segment nowhere"),
        ({"roi": "unplaced"}, "no extent yet"),
    ],
)
def test_a_mistake_is_named_and_leaves_the_scene_alone(
    lib: Any, scene: Any, volume: Any, options: dict[str, Any], said: str
) -> None:
    segmentation, _ = add_segment(scene, volume)
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    given = {"segmentation": segmentation} if "roi" not in options else {}
    given |= {name: {"node": segmentation, "unplaced": roi}.get(str(value), value) for name, value in options.items()}
    before, start = snapshot(scene), FakeStart(write_features)
    with pytest.raises(InputError, match=said):
        lib.RadiomicFeaturesLogic(start).extract(volume, **given)
    assert snapshot(scene) == before
    assert start.child is None
    with pytest.raises(InputError, match="choose a volume"):
        lib.RadiomicFeaturesLogic(start).extract(None)


def test_maps_take_the_segments_together_and_a_structure_of_settings(lib: Any, scene: Any, volume: Any) -> None:
    from deepradiomics.images import read_mask

    segmentation, _ = add_segment(scene, volume)
    add_segment(scene, volume, segmentation, "b", BOX_B)
    voxels: list[int] = []

    def look(words: list[str]) -> None:
        mask = read_mask(words[2])
        voxels.append(int(mask.region(1).sum()))
        assert mask.labels_present() == (1,) or list(mask.labels_present()) == [1]
        assert json.loads(Path(words[words.index("--params") + 1]).read_text(encoding="utf-8")) == PARAMS
        assert named_features(words) == ["firstorder_Mean"]
        write_maps(words)

    nodes = lib.RadiomicFeaturesLogic(FakeStart(look)).maps(
        volume, "firstorder_Mean", segmentation=segmentation, params=PARAMS
    )
    assert voxels == [144]
    assert nodes.table.GetName().startswith("T1 maps")


# --- many cases ------------------------------------------------------------------------------------------------------


def write_pair(folder: Path, seed: int, name: str = "image") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    image = noise(seed, (14, 12, 8))
    labels = np.zeros(image.geometry.shape, np.uint8)
    labels[2:6, 3:9, 3:11] = 1
    write_volume(image, folder / f"{name}.nrrd")
    write_mask(Mask(labels, image.geometry), folder / "mask.nrrd")


def manifest_of(folder: Path, out: Path) -> list[dict[str, str]]:
    from RadiomicFeaturesLib.batch.cases import write_folder_manifest

    out.mkdir(exist_ok=True)
    with open(write_folder_manifest(folder, out), encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_images_and_masks_of_a_folder_are_paired(lib: Any, tmp_path: Path) -> None:
    source = tmp_path / "cohort"
    for case, names in {
        "ann": ("t1.nii.gz", "t1_seg.nii.gz"), "bob": ("ct.nrrd", "liver-label.nrrd", "mask_spleen.nrrd"),
        "eve": ("t1.nrrd", "t2.nrrd", "roi.nrrd"), "zoe": ("only.nrrd", "notes.txt"),
    }.items():  # fmt: skip
        (source / case).mkdir(parents=True)
        for name in names:
            (source / case / name).touch()
    for name in ("p7.nii.gz", "p7_mask.nii.gz", "p8_segmentation.nii.gz"):
        (source / name).touch()
    rows = manifest_of(source, tmp_path / "out")
    assert {row["id"]: (Path(row["image"]).name, Path(row["mask"]).name) for row in rows} == {
        "ann": ("t1.nii.gz", "t1_seg.nii.gz"),
        "bob liver-label": ("ct.nrrd", "liver-label.nrrd"), "bob mask_spleen": ("ct.nrrd", "mask_spleen.nrrd"),
        "eve t1": ("t1.nrrd", "roi.nrrd"), "eve t2": ("t2.nrrd", "roi.nrrd"),
        "zoe": ("only.nrrd", ""),  # a row that the run refuses: its mask is missing
        "p7_mask": ("p7.nii.gz", "p7_mask.nii.gz"), "p8_segmentation": ("", "p8_segmentation.nii.gz"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "id,Image,mask,site\na,a.nrrd,m.nrrd,x\n",
        "id,view_t2,view_adc,mask_gland,mask_lesion,label_grade,site\na,a2.nrrd,aa.nrrd,ag.nrrd,al.nrrd,1,x\n",
        "id,image,view_followup,mask,mask_followup\nh1,ct.nrrd,later.nrrd,m.nrrd,ml.nrrd\n",
        "id,image,mask,segment\na,a.nrrd,m.seg.nrrd,core\n",
    ],
)
def test_a_manifest_of_whatever_method_is_taken_as_it_is(lib: Any, tmp_path: Path, text: str) -> None:
    from RadiomicFeaturesLib.batch.cases import write_folder_manifest

    own = tmp_path / "manifest.csv"
    own.write_text(text, encoding="utf-8")
    (tmp_path / "out").mkdir()
    assert write_folder_manifest(tmp_path, tmp_path / "out") == own
    assert own.read_text(encoding="utf-8") == text
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "neither a manifest.csv nor images with masks"), ("id,image\na,b.nrrd\n", "no column 'mask'"),
     ("id,mask_x\na,b.nrrd\n", "no image column"), ("id,image,mask,label\na,a.nrrd,m.nrrd,x\n", "column label")],
)  # fmt: skip
def test_a_folder_without_masks_is_refused_in_words(lib: Any, tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "manifest.csv").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        lib.RadiomicFeaturesLogic(FakeStart()).batch(tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="does not exist"):
        lib.RadiomicFeaturesLogic(FakeStart()).batch(tmp_path / "nowhere", tmp_path / "out")


def test_a_synthetic_prostate_cohort_runs_as_it_was_written(lib: Any, scene: Any, tmp_path: Path) -> None:
    """The manifest of `deepradiomics phantom prostate`: masks on the T2 grid, ADC and high-b on others."""
    from deepradiomics.phantoms.prostate.cohort import write_prostate_cohort

    write_prostate_cohort(tmp_path / "cohort", 2, 1)
    nodes = lib.RadiomicFeaturesLogic().batch(tmp_path / "cohort", tmp_path / "out", params=PARAMS)
    assert nodes.failed == {}
    assert nodes.cases == nodes.computed >= 6
    regions, values = column(nodes.features, "region"), column(nodes.features, "original_firstorder_Mean")
    assert set(regions) >= {"gland"}
    assert np.isfinite(values).all()
    assert set(zip(column(nodes.features, "view"), regions, strict=True)) >= {
        (view, "gland") for view in ("t2", "adc", "highb")
    }
    remarks = dict(zip(column(nodes.remarks, "image"), column(nodes.remarks, "remark"), strict=True))
    assert "drawn on the view t2" in remarks["adc"]
    assert column(nodes.remarks, "region")[0] == "gland"


def test_every_region_of_a_case_that_failed_is_told(lib: Any, scene: Any, tmp_path: Path) -> None:
    write_pair(tmp_path / "cohort", 1, "a")
    (tmp_path / "cohort" / "manifest.csv").write_text(
        "id,image,mask_gland,mask_rim,mask_core\np,a.nrrd,mask.nrrd,none.nrrd,nothing.nrrd\n", encoding="utf-8"
    )
    nodes = lib.RadiomicFeaturesLogic().batch(tmp_path / "cohort", tmp_path / "out", params=PARAMS)
    assert set(nodes.failed) == {"p rim", "p core"}
    assert "mask_rim" in nodes.failed["p rim"]
    assert sorted(column(nodes.remarks, "region")) == ["core", "gland", "rim"]


def test_segments_of_the_scene_are_rows_and_what_is_empty_is_a_remark(lib: Any, scene: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.nodes.volumes import node_from_volume

    pairs = []
    for number in range(2):
        node = node_from_volume(noise(number), scene, f"T1: {number}")
        segmentation, segment = add_segment(scene, node)
        segmentation.GetSegmentation().GetSegment(segment).SetTag("TerminologyEntry", PROSTATE)
        add_segment(scene, node, segmentation, "inside a", (slice(3, 5), slice(4, 7), slice(5, 9)))
        pairs.append((node, segmentation))
    pairs[1][1].GetSegmentation().AddEmptySegment("nothing", "nothing")
    nodes = lib.RadiomicFeaturesLogic().batch(pairs, tmp_path / "out", params=PARAMS)
    assert column(nodes.features, "region") == ["a", "inside a"] * 2
    assert column(nodes.features, "case") == ["T1: 0"] * 2 + ["T1: 1"] * 2
    assert column(nodes.features, "terminology")[0] == "Anatomical Structure / Prostate / Left"
    assert column(nodes.features, "original_shape_VoxelVolume")[:2] == pytest.approx([120 * 3.0, 24 * 3.0])
    assert list(nodes.failed) == ["T1_ 1 nothing"]
    assert "empty" in nodes.failed["T1_ 1 nothing"]
    assert column(nodes.remarks, "status") == ["failed", "done", "done", "done", "done"]
    assert nodes.features.GetColumnTitle("original_firstorder_Mean") == "First order Mean"


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process group")
def test_a_batch_of_fifty_with_three_broken_ones_goes_on_after_it_was_killed(
    lib: Any, scene: Any, tmp_path: Path
) -> None:
    source, out = tmp_path / "cohort", tmp_path / "out"
    for number in range(50):
        write_pair(source / f"case{number:02d}", number)
    (source / "case07" / "image.nrrd").write_bytes(b"no image")
    (source / "case21" / "mask.nrrd").unlink()
    empty = noise(33, (14, 12, 8)).geometry
    write_mask(Mask(np.zeros(empty.shape, np.uint8), empty), source / "case33" / "mask.nrrd")

    logic, failures = lib.RadiomicFeaturesLogic(make_timer=HandTimer), []
    before = snapshot(scene)
    job = logic.start_batch(source, out, params=PARAMS, on_failed=failures.append)
    deadline = time.monotonic() + 120
    finished = "case??.json"  # and not the hidden part of a file, which a kill may leave
    while len(list((out / "features-cases").glob(finished))) < 12 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(job._process.pid, signal.SIGKILL)  # as the out-of-memory killer does
    while job.poll():
        time.sleep(0.01)
    assert job.state == "failed"
    assert len(failures) == 1
    assert snapshot(scene) == before
    kept = {path.name: path.stat().st_mtime_ns for path in (out / "features-cases").glob(finished)}
    assert 12 <= len(kept) < 47
    assert not (out / "features.csv").exists()

    nodes = lib.RadiomicFeaturesLogic().batch(source, out, params=PARAMS)
    assert nodes.cases == 50
    assert nodes.computed == 47 - len(kept)
    assert all((out / "features-cases" / name).stat().st_mtime_ns == changed for name, changed in kept.items())
    assert set(nodes.failed) == {"case07", "case21", "case33"}
    assert "damaged" in nodes.failed["case07"] or "read" in nodes.failed["case07"]
    assert "column mask" in nodes.failed["case21"]
    assert "empty" in nodes.failed["case33"]
    assert column(nodes.remarks, "status").count("kept") == len(kept)
    assert column(nodes.remarks, "case")[:3] == ["case07", "case21", "case33"]
    assert nodes.features.GetNumberOfRows() == 47
    assert "case07" not in column(nodes.features, "id")
    with open(out / "features.csv", encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 47


def test_a_whole_batch_that_failed_says_why(lib: Any, scene: Any, tmp_path: Path) -> None:
    write_pair(tmp_path / "cohort" / "a", 1)
    (tmp_path / "cohort" / "a" / "image.nrrd").write_bytes(b"no image")
    before = snapshot(scene)
    with pytest.raises(InputError, match="its only case cannot be used"):
        lib.RadiomicFeaturesLogic().batch(tmp_path / "cohort", tmp_path / "out", params=PARAMS)
    assert snapshot(scene) == before
