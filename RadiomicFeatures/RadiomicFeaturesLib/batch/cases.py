"""The cases of a batch as a manifest that `deepradiomics extract` reads: of a folder, of nodes of the scene, of DICOM.

::

    folder/manifest.csv, of whatever method                     → taken as it is
    folder/<case>/t2.nii.gz, mask.nii.gz (or …_seg, …-label)    → one row per image and mask
    folder/<case>.nii.gz, <case>_mask.nii.gz                    → one row per case

What cannot be used becomes a row all the same: the run reports why, and continues with the others.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.cohort.regions.manifest import read_region_manifest
from deepradiomics.errors import InputError, MaskError
from deepradiomics.files.tables import write_csv
from deepradiomics.images import Mask, write_mask, write_volume
from deepradiomics.scene.nodes.terminology import terminology_of
from deepradiomics.scene.nodes.volumes import image_for_run, mask_from_segmentation
from deepradiomics.scene.runs.scene_cohort import safe_name, unique_names

from .dicom_series import SeriesPair, pair_row

MANIFEST = "manifest.csv"
ENDINGS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
_MASK = re.compile(r"(^|[ _.\-])(mask|seg|segmentation|label|labels|labelmap|roi)([ _.\-]?\w{0,24})$", re.IGNORECASE)
Row = dict[str, str]


def write_folder_manifest(source: Path, folder: Path) -> Path:
    """The manifest of a folder of cases: its own, which `extract` reads as it is, or one written into `folder`.

    Raises:
        InputError: the folder does not exist, holds neither a manifest nor images with masks, or its manifest cannot be
            read.
    """
    if not source.is_dir():
        raise InputError(f"{source}: this folder does not exist. Choose the folder of cases.")
    manifest = source / MANIFEST
    if manifest.is_file():
        read_region_manifest(manifest)  # what is wrong is reported before anything starts
        return manifest
    return _write(folder / MANIFEST, pair_rows(source))


def pair_rows(source: Path) -> list[Row]:
    """A row for each image and mask that belong together, in subfolders or side by side.

    Raises:
        InputError: there is no such pair.
    """
    rows: list[Row] = []
    for folder in sorted(path for path in source.iterdir() if path.is_dir()):
        rows += _rows_of_subfolder(folder)
    rows += _rows_side_by_side(source)
    rows = _with_usable_ids(rows)
    if not any(row["image"] and row["mask"] for row in rows):
        raise InputError(
            f"{source}: neither a manifest.csv nor images with masks were found. Expected one subfolder per case with "
            "an image and a mask (its name ends in mask, seg, label or roi), or case.nii.gz beside case_mask.nii.gz."
        )
    return rows


def write_scene_manifest(pairs: Sequence[tuple[Any, Any]], folder: Path) -> Path:
    """Write volumes and their segments as files, one row per segment: overlapping segments keep all of their voxels.

    A segment that is empty or lies elsewhere, and a volume that cannot be used, become rows that the run refuses.
    """
    rows: list[Row] = []
    for number, (volume, segmentation) in enumerate(pairs):
        case_folder, image = folder / f"case{number}", None
        case_folder.mkdir()
        try:
            image = image_for_run(volume, flat=True)
            write_volume(image, case_folder / "image.nrrd")
        except InputError:
            pass  # its rows name no image
        segments = segmentation.GetSegmentation()
        for index in range(segments.GetNumberOfSegments()):
            segment = segments.GetNthSegmentID(index)
            region = segments.GetSegment(segment).GetName()
            row = {
                "id": f"{volume.GetName()} {region}",
                "image": "",
                "mask": "",
                "case": volume.GetName(),
                "region": region,
                "terminology": terminology_of(segments.GetSegment(segment)),
            }
            if image is not None:
                try:
                    mask = mask_from_segmentation(segmentation, image.geometry, [segment])
                except MaskError:
                    mask = Mask(np.zeros(image.geometry.shape, np.uint8), image.geometry)  # refused as empty
                write_mask(mask, case_folder / f"mask{index}.nrrd")
                row |= {"image": str(case_folder / "image.nrrd"), "mask": str(case_folder / f"mask{index}.nrrd")}
            rows.append(row)
    if not rows:
        raise InputError("cases: none of the segmentations has a segment.")
    return _write(folder / MANIFEST, _with_usable_ids(rows))


def write_series_manifest(pairs: Sequence[SeriesPair], folder: Path) -> Path:
    """Image series and what was drawn on each, one row per pair; the files are read where the DICOM database has them.

    Raises:
        InputError: the files of a series do not lie in one folder.
    """
    return _write(folder / MANIFEST, [dict(pair_row(pair)) for pair in pairs])


def _rows_of_subfolder(folder: Path) -> list[Row]:
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and _ending(path)]
    masks = [path for path in files if _MASK.search(_stem(path))]
    images = [path for path in files if path not in masks]
    if not files:
        return []
    rows = []
    for image in images or [None]:
        for mask in masks or [None]:
            name = folder.name
            name += f" {_stem(mask)}" if mask is not None and len(masks) > 1 else ""
            name += f" {_stem(image)}" if image is not None and len(images) > 1 else ""
            region = _stem(mask) if mask is not None else ""
            rows.append(
                {"id": name, "image": str(image or ""), "mask": str(mask or ""), "case": folder.name, "region": region}
            )
    return rows


def _rows_side_by_side(folder: Path) -> list[Row]:
    files = {_stem(path): path for path in sorted(folder.iterdir()) if path.is_file() and _ending(path)}
    rows = []
    for stem, mask in files.items():
        ending = _MASK.search(stem)
        if ending is not None:
            case, region = stem[: ending.start()], stem[ending.start() :].strip(" _.-")
            image = next((files[name] for name in (case, f"{case}_image", f"{case}-image") if name in files), "")
            rows.append({"id": stem, "image": str(image), "mask": str(mask), "case": case, "region": region})
    return rows


def _with_usable_ids(rows: Sequence[Row]) -> list[Row]:
    """The rows with ids that can be files' names, each there once."""
    ids = unique_names([safe_name(row["id"]) for row in rows])
    return [row | {"id": name} for row, name in zip(rows, ids, strict=True)]


def _write(path: Path, rows: Sequence[Row]) -> Path:
    return write_csv(path, list(dict.fromkeys(column for row in rows for column in row)), rows)


def _ending(path: Path) -> str:
    return next((ending for ending in ENDINGS if path.name.lower().endswith(ending)), "")


def _stem(path: Path) -> str:
    return path.name[: -len(_ending(path))] if _ending(path) else path.stem
