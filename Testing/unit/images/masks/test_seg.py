"""DICOM SEG as writers write it: packed bits, fractions, label maps, sparse frames, overlaps."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import Code, Geometry, Mask, MaskOptions, Volume, read_mask, read_volume
from Testing.unit.images.masks.seg_material import (
    FRAME,
    random_geometry,
    random_region,
    save,
    seg_dataset,
    segment_item,
    set_pixels,
)

COS, SIN = np.cos(0.3), np.sin(0.3)
GRID = Geometry((7, 5, 9), (0.8, 1.3, 2.5), (-7.0, 8.0, 9.0), (COS, -SIN, 0, SIN, COS, 0, 0, 0, 1))
IMAGE = Volume(np.zeros(GRID.shape, np.int16), GRID, "CT", frame_of_reference=FRAME)


def boxes() -> dict[int, np.ndarray]:
    """Segments 2 and 5: two overlapping boxes, 5 on top."""
    low, high = np.zeros(GRID.shape, bool), np.zeros(GRID.shape, bool)
    low[2:5, 1:4, 1:4] = True
    high[4:7, 2:5, 2:6] = True
    return {2: low, 5: high}


def written(tmp_path: Path, dataset: Any, **how: bool) -> Path:
    return save(dataset, tmp_path / "seg.dcm", **how)


def test_frames_of_single_bits_that_begin_within_a_byte_are_read_exactly(tmp_path: Path) -> None:
    """35 pixels a frame: the second frame begins at bit 3 of byte 4."""
    path = written(tmp_path, seg_dataset(boxes(), GRID))
    mask = read_mask(path, reference=IMAGE)
    assert mask.geometry == GRID
    assert mask.labels_present() == (2, 5)
    assert mask.frame_of_reference == FRAME
    for number, region in boxes().items():
        assert np.array_equal(mask.region(number), region)
    assert np.array_equal(mask.labels == 5, boxes()[5])
    assert set(mask.covered) == {2}


def test_names_terms_and_empty_segments_are_kept(tmp_path: Path) -> None:
    dataset = seg_dataset({**boxes(), 9: np.zeros(GRID.shape, bool)}, GRID)
    dataset.SegmentSequence[0].RecommendedDisplayCIELabValue = [34905, 53485, 50171]  # sRGB red, as dcmqi writes it
    mask = read_mask(written(tmp_path, dataset), reference=IMAGE)
    assert mask.segment_names == {2: "Segment 2", 5: "Segment 5", 9: "Segment 9"}
    assert 9 not in mask.labels_present()
    assert mask.segments[2].type == Code("108369006", "SCT", "Neoplasm")
    assert mask.segments[2].number is None
    assert mask.segments[2].category == Code("85756007", "SCT", "Tissue")
    assert mask.segments[2].colour == pytest.approx((1, 0, 0), abs=0.01)
    assert mask.segments[5].colour is None
    assert "Test" not in repr((mask.name, mask.source, mask.notes))  # the patient's name


def test_a_colour_that_no_screen_shows_is_noted(tmp_path: Path) -> None:
    dataset = seg_dataset(boxes(), GRID)
    dataset.SegmentSequence[1].RecommendedDisplayCIELabValue = [32768, 0, 65535]
    mask = read_mask(written(tmp_path, dataset), reference=IMAGE)
    assert any("colours of segments 5 lie outside" in note for note in mask.notes)


@pytest.mark.parametrize("label", [None, "", " \n"])
def test_a_segment_without_a_name_goes_by_its_label_and_a_note_says_so(tmp_path: Path, label: str | None) -> None:
    dataset = seg_dataset(boxes(), GRID)
    if label is None:
        del dataset.SegmentSequence[1].SegmentLabel
    else:
        dataset.SegmentSequence[1].SegmentLabel = label
    mask = read_mask(written(tmp_path, dataset), reference=IMAGE)
    assert mask.segment_names == {2: "Segment 2"}
    assert mask.labels_present() == (2, 5)
    assert [note for note in mask.notes if "no name" in note] == [
        "Segment 5 has no name in the file (SegmentLabel is missing or empty); it goes by its label."
    ]
    whole = read_mask(written(tmp_path, seg_dataset(boxes(), GRID)), reference=IMAGE)
    assert not any("no name" in note for note in whole.notes)


def test_big_endian_words_of_bytes_and_bits_are_swapped_back(tmp_path: Path) -> None:
    for bits in (1, 8):
        dataset = seg_dataset(boxes(), GRID, bits=bits)
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
        dataset["PixelData"].VR = "OW"
        mask = read_mask(written(tmp_path, dataset, big=True), reference=IMAGE)
        assert all(np.array_equal(mask.region(number), region) for number, region in boxes().items())


@pytest.mark.parametrize("how", [{}, {"implicit": True}, {"big": True}])
@pytest.mark.parametrize(("kind", "bits"), [("BINARY", 1), ("BINARY", 8), ("FRACTIONAL", 8), ("LABELMAP", 16)])
def test_every_plain_encoding_gives_the_same_regions(
    tmp_path: Path, how: dict[str, bool], kind: str, bits: int
) -> None:
    regions: dict[int, np.ndarray] = {n: r * (255 if kind == "FRACTIONAL" else 1) for n, r in boxes().items()}
    if kind == "LABELMAP":
        regions = {0: np.where(boxes()[5], 5, np.where(boxes()[2], 2, 0))}
    dataset = seg_dataset(regions, GRID, kind=kind, bits=bits)
    if how.get("big") and bits == 16:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    mask = read_mask(written(tmp_path, dataset, **how), reference=IMAGE)
    assert np.array_equal(mask.region(5), boxes()[5])
    assert np.array_equal(mask.labels == 2, boxes()[2] & ~boxes()[5])


@pytest.mark.parametrize(("threshold", "lowest"), [(0.5, 50), (0.3, 30), (1.0, 100), (0.001, 1)])
def test_fractions_are_cut_at_the_threshold_and_a_note_says_so(tmp_path: Path, threshold: float, lowest: int) -> None:
    values = np.arange(GRID.size[0] * GRID.size[1] * GRID.size[2]).reshape(GRID.shape) % 101
    path = written(tmp_path, seg_dataset({1: values}, GRID, kind="FRACTIONAL", largest=100))
    mask = read_mask(path, reference=IMAGE, options=MaskOptions(threshold=threshold))
    assert np.array_equal(mask.union(), values >= lowest)
    assert f"voxels of probability {threshold:g} and above" in mask.notes[0]


def test_a_label_map_has_its_own_background_and_palette(tmp_path: Path) -> None:
    values = np.full(GRID.shape, 7)
    values[3:5], values[6:8] = 0, 4
    dataset = seg_dataset({0: values}, GRID, kind="LABELMAP", sparse=False)
    dataset.SegmentSequence.insert(0, segment_item(0))
    dataset.PixelPaddingValue = 7
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    for name, table in (("Red", [0, 0, 0, 0, 255]), ("Green", [255, 0, 0, 0, 51]), ("Blue", [0, 0, 0, 0, 0])):
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [5, 0, 16])
        setattr(dataset, f"{name}PaletteColorLookupTableData", (np.array(table) * 257).astype("<u2").tobytes())
    mask = read_mask(written(tmp_path, dataset), reference=IMAGE)
    assert mask.labels_present() == (4, 5)
    assert np.array_equal(mask.region(5), values == 0)
    assert mask.segments[5].name == "Segment 0"
    assert mask.segments[5].number == 0
    assert mask.segments[4].colour == (1, 0.2, 0)
    assert mask.segments[5].colour == (0, 1, 0)
    assert "Segment 0 (Segment 0) has label 5 here" in mask.notes[0]


def test_without_the_image_empty_slices_lie_between_frames(tmp_path: Path) -> None:
    region = np.zeros(GRID.shape, bool)
    region[[2, 3, 7]] = True
    mask = read_mask(written(tmp_path, seg_dataset({1: region}, GRID)))
    assert mask.geometry.is_close(GRID.crop((0, 0, 2), (7, 5, 6)))
    assert mask.labels.any(axis=(1, 2)).tolist() == [True, True, False, False, False, True]


def test_frames_two_slices_apart_need_the_spacing_or_the_image(tmp_path: Path) -> None:
    region = np.zeros(GRID.shape, bool)
    region[[2, 4, 8]] = True
    spaced = read_mask(written(tmp_path, seg_dataset({1: region}, GRID, between=2.5)))
    assert spaced.geometry.size[2] == 7
    assert "SpacingBetweenSlices of 2.5 mm was taken" in spaced.notes[0]
    with_image = read_mask(written(tmp_path, seg_dataset({1: region}, GRID)), reference=IMAGE)
    assert np.array_equal(with_image.union(), region)
    assert not with_image.notes
    alone = read_mask(written(tmp_path, seg_dataset({1: region}, GRID)))
    assert alone.geometry.spacing_mm[2] == pytest.approx(5)
    assert "their thickness is 2.5 mm" in alone.notes[0]


def test_a_single_slice_needs_the_spacing_or_the_image(tmp_path: Path) -> None:
    region = np.zeros(GRID.shape, bool)
    region[3] = True
    path = written(tmp_path, seg_dataset({1: region}, GRID))
    with pytest.raises(GeometryError, match="a single slice and no SpacingBetweenSlices"):
        read_mask(path)
    assert np.array_equal(read_mask(path, reference=IMAGE).union(), region)


def test_uneven_frames_are_refused_and_a_spacing_that_contradicts_is_noted(tmp_path: Path) -> None:
    region = np.ones(GRID.shape, bool)
    dataset = seg_dataset({1: region}, GRID, between=4.0)
    assert "SpacingBetweenSlices says 4 mm" in read_mask(written(tmp_path, dataset)).notes[0]
    position = dataset.PerFrameFunctionalGroupsSequence[3].PlanePositionSequence[0]
    position.ImagePositionPatient[2] = float(position.ImagePositionPatient[2]) + 1.1
    with pytest.raises(GeometryError, match="uneven distances"):
        read_mask(written(tmp_path, dataset))


def test_an_image_with_its_axes_in_another_order_gets_the_same_region(tmp_path: Path) -> None:
    from deepradiomics.images.masks.axes import reordered_geometry

    path = written(tmp_path, seg_dataset(boxes(), GRID))
    geometry = reordered_geometry(GRID, [(2, -1), (0, 1), (1, -1)])
    mask = read_mask(path, reference=Volume(np.zeros(geometry.shape), geometry))
    assert mask.geometry == geometry
    for number, region in boxes().items():
        points = geometry.index_to_physical(np.argwhere(mask.region(number))[:, ::-1])
        index = np.rint(GRID.physical_to_index(points)).astype(int)
        assert {tuple(i) for i in index.tolist()} == {tuple(i[::-1]) for i in np.argwhere(region).tolist()}


def test_an_image_on_another_grid_leaves_the_mask_on_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, seg_dataset(boxes(), GRID))
    shifted = Geometry(GRID.size, GRID.spacing_mm, tuple(np.array(GRID.origin_mm) + 0.4), GRID.direction)
    mask = read_mask(path, reference=Volume(np.zeros(shifted.shape), shifted))
    assert mask.geometry.is_close(GRID.crop((0, 0, 2), (7, 5, 5)))


def test_half_a_pixel_aside_is_another_grid_not_a_tilted_gantry(tmp_path: Path) -> None:
    path = written(tmp_path, seg_dataset(boxes(), GRID))
    origin = GRID.index_to_physical((0.5, 0.5, 0))
    aside = Geometry(GRID.size, GRID.spacing_mm, tuple(origin), GRID.direction)
    mask = read_mask(path, reference=Volume(np.zeros(aside.shape), aside))
    assert mask.geometry.is_close(GRID.crop((0, 0, 2), (7, 5, 5)))
    assert not mask.notes


def test_thick_slices_on_an_image_of_thin_ones_keep_their_thickness(tmp_path: Path) -> None:
    """Slices of 2.5 mm beside a series of 0.5 mm: a frame is 2.5 mm thick, not one slice of five."""
    thin = Geometry((7, 5, 45), (0.8, 1.3, 0.5), GRID.origin_mm, GRID.direction)
    image = Volume(np.zeros(thin.shape), thin)
    for between in (2.5, None):
        mask = read_mask(written(tmp_path, seg_dataset(boxes(), GRID, between=between)), reference=image)
        assert mask.geometry.spacing_mm[2] == pytest.approx(2.5)
        assert mask.region(5).sum() == boxes()[5].sum()
    region = np.zeros(GRID.shape, bool)
    region[3] = True
    one = read_mask(written(tmp_path, seg_dataset({1: region}, GRID)), reference=image)
    assert one.geometry == thin
    assert one.union().any(axis=(1, 2)).tolist().index(True) == 15
    assert "is 2.5 mm thick; it became one of the image" in one.notes[0]


def test_slices_that_slip_sideways_need_the_straightened_image(tmp_path: Path) -> None:
    dataset = seg_dataset({1: np.ones(GRID.shape, bool)}, GRID)
    for k, item in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        position = np.array(item.PlanePositionSequence[0].ImagePositionPatient, float)
        item.PlanePositionSequence[0].ImagePositionPatient = [f"{v:.10g}" for v in position + GRID.axes[:, 1] * 0.4 * k]
    path = written(tmp_path, dataset)
    with pytest.raises(GeometryError, match="slip sideways"):
        read_mask(path)
    wide = Geometry((7, 9, 9), GRID.spacing_mm, GRID.origin_mm, GRID.direction)
    mask = read_mask(path, reference=Volume(np.zeros(wide.shape), wide))
    assert mask.geometry == wide
    assert any("tilted gantry" in note for note in mask.notes)
    assert mask.union()[8, :2].sum() == 0  # 3.2 mm are 2.46 rows: the nearest is 2
    assert mask.union()[8, 2:7].all()


@pytest.mark.parametrize(
    ("compress", "message"),
    [("rle", None), ("deflated file", None), ("deflated frames", None), ("broken", "no decoder was found")],
)
def test_compressed_segmentations(tmp_path: Path, compress: str, message: str | None) -> None:
    import zlib

    from pydicom import encaps, uid

    bits = 1 if compress.startswith("deflated") else 8
    dataset = seg_dataset(boxes(), GRID, bits=bits)
    if compress == "deflated file":
        dataset.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    elif compress == "deflated frames":
        regions = boxes()
        frames = [regions[n][k] for n in sorted(regions) for k in range(GRID.size[2]) if regions[n][k].any()]
        packed = []
        for frame in frames:
            squeezer = zlib.compressobj(wbits=-15)
            packed.append(squeezer.compress(np.packbits(frame.ravel(), bitorder="little").tobytes()) + squeezer.flush())
        dataset.PixelData = encaps.encapsulate([item + b"\0" * (len(item) % 2) for item in packed])
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = uid.JPEG2000Lossless  # pydicom writes none that it does not know
    elif compress == "rle":
        dataset.compress(uid.RLELossless, encoding_plugin="pydicom")
    else:
        dataset.PixelData = encaps.encapsulate([b"nothing of the kind "] * dataset.NumberOfFrames)
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = uid.JPEG2000Lossless
    path = written(tmp_path, dataset)
    if compress == "deflated frames":
        path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.8.1\0", 1))
    if message:
        with pytest.raises(InputError, match=message):
            read_mask(path, reference=IMAGE)
        return
    mask = read_mask(path, reference=IMAGE)
    assert all(np.array_equal(mask.region(number), region) for number, region in boxes().items())
    assert not mask.notes


@pytest.mark.parametrize(("compressor", "syntax"), [("JPEG2000", "1.2.4.90"), ("JPEG", "1.2.4.70")])
def test_what_gdcm_compresses_without_loss_is_read_with_whatever_decoders_there_are(
    tmp_path: Path, compressor: str, syntax: str
) -> None:
    import pydicom
    import SimpleITK as sitk

    grid = Geometry((32, 36, 5), (0.8, 1.3, 2.5))  # GDCM's writer of JPEG 2000 ends the process over tiny images
    regions = {number: random_region(np.random.default_rng(number), grid) for number in (1, 2)}
    dataset = seg_dataset(regions, grid, bits=8, sparse=False)
    writer = sitk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.UseCompressionOn()
    writer.SetCompressor(compressor)
    writer.SetFileName(str(tmp_path / "frames.dcm"))
    writer.Execute(sitk.GetImageFromArray(np.concatenate(list(regions.values())).astype(np.uint8)))
    packed = pydicom.dcmread(tmp_path / "frames.dcm")
    assert packed.file_meta.TransferSyntaxUID.endswith(syntax)
    dataset.PixelData, dataset.file_meta.TransferSyntaxUID = packed.PixelData, packed.file_meta.TransferSyntaxUID
    dataset["PixelData"].is_undefined_length = True
    mask = read_mask(written(tmp_path, dataset), reference=Volume(np.zeros(grid.shape), grid))
    assert all(np.array_equal(mask.region(number), region) for number, region in regions.items())
    assert not mask.notes


def test_two_frames_of_a_segment_at_one_position_must_be_equal(tmp_path: Path) -> None:
    twice = {1: np.ones(GRID.shape, bool), 2: np.ones(GRID.shape, bool)}
    dataset = seg_dataset(twice, GRID)
    for item in dataset.PerFrameFunctionalGroupsSequence:
        item.SegmentIdentificationSequence[0].ReferencedSegmentNumber = 1
    assert read_mask(written(tmp_path, dataset), reference=IMAGE).region(1).all()
    pixels = np.ones((18, 5, 7), bool)
    pixels[12, 2, 2] = False
    set_pixels(dataset, pixels)
    with pytest.raises(MaskError, match="frames 4 and 13 lie at one position and differ"):
        read_mask(written(tmp_path, dataset), reference=IMAGE)


def test_another_frame_of_reference_is_refused_unless_accepted(tmp_path: Path) -> None:
    path = written(tmp_path, seg_dataset(boxes(), GRID))
    other = Volume(IMAGE.voxels, GRID, frame_of_reference="1.2.3")
    with pytest.raises(MaskError, match="another frame of reference than the image"):
        read_mask(path, reference=other)
    assert read_mask(path, reference=other, options=MaskOptions(any_frame=True)).labels_present() == (2, 5)


def test_a_mask_where_an_image_is_meant_and_the_other_way_round(tmp_path: Path) -> None:
    path = written(tmp_path, seg_dataset(boxes(), GRID))
    for place in (path, tmp_path):
        with pytest.raises(InputError, match=r"expected an image, got a mask \(DICOM SEG\)"):
            read_volume(place)
        assert read_mask(place, reference=IMAGE).labels_present() == (2, 5)
    (tmp_path / "other.dcm").write_bytes(path.read_bytes())
    with pytest.raises(InputError, match=r"holds 2 masks: other\.dcm \(DICOM SEG\), seg\.dcm \(DICOM SEG\)"):
        read_mask(tmp_path)


def test_random_segmentations_by_pydicom_are_read_voxel_by_voxel(tmp_path: Path) -> None:
    check_random(tmp_path, range(40))


@pytest.mark.slow
def test_many_random_segmentations_by_pydicom_are_read_voxel_by_voxel(tmp_path: Path) -> None:
    check_random(tmp_path, range(40, 1000))


def check_random(tmp_path: Path, seeds: range) -> None:
    for seed in seeds:
        rng = np.random.default_rng(seed)
        grid = random_geometry(rng)
        numbers = sorted(rng.choice(np.arange(1, 300), rng.integers(1, 5), replace=False).tolist())
        regions = {int(number): random_region(rng, grid) for number in numbers}
        kind = ("BINARY", "FRACTIONAL", "LABELMAP")[seed % 3]
        stored = {number: region.astype(int) for number, region in regions.items()}
        if kind == "FRACTIONAL":
            stored = {
                n: np.where(r, rng.integers(64, 129, r.shape), rng.integers(0, 64, r.shape)) for n, r in stored.items()
            }
        if kind == "LABELMAP":
            canvas = np.zeros(grid.shape, int)
            for number, region in regions.items():
                canvas[region] = number
            stored, regions = {0: canvas}, {n: canvas == n for n in regions if (canvas == n).any()}
        dataset = seg_dataset(
            stored, grid, kind=kind, bits=16 if kind == "LABELMAP" else None, order=rng,
            sparse=bool(rng.random() < 0.7), between=grid.spacing_mm[2] if rng.random() < 0.7 else None, largest=128,
        )  # fmt: skip
        path = written(tmp_path, dataset, implicit=bool(rng.random() < 0.3))
        mask = read_mask(path, reference=Volume(np.zeros(grid.shape), grid))
        assert mask.geometry == grid, seed
        assert mask.labels_present() == tuple(regions), seed
        for number, region in regions.items():
            assert np.array_equal(mask.region(number), region), (seed, number)
        if alone := without_image(path):
            for number, region in regions.items():
                where = alone.geometry.index_to_physical(np.argwhere(alone.region(number))[:, ::-1])
                index = np.rint(grid.physical_to_index(where)).astype(int)
                again = np.zeros_like(region)
                again[tuple(index.T[::-1])] = True
                assert np.array_equal(again, region), (seed, number)


def without_image(path: Path) -> Mask | None:
    try:
        return read_mask(path)
    except GeometryError as error:
        assert "single slice" in str(error) or "uneven" in str(error)
        return None
