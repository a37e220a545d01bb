"""The cases of a batch as a manifest that `deepradiomics extract` reads: of a folder, or of nodes of the scene.

::

    folder/manifest.csv with id, image or view_<name>, mask     → taken as it is
    folder/manifest.csv with mask_<region> columns              → a row a region (`deepradiomics phantom`)
    folder/<case>/t2.nii.gz, mask.nii.gz (or …_seg, …-label)    → a row an image and mask
    folder/<case>.nii.gz, <case>_mask.nii.gz                    → a row a case

What cannot be used becomes a row all the same: the run says why, and goes on with the others.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError, MaskError

MANIFEST = "manifest.csv"
ENDINGS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
_MASK = re.compile(r"(^|[ _.\-])(mask|seg|segmentation|label|labels|labelmap|roi)([ _.\-]?\w{0,24})$", re.IGNORECASE)
Row = dict[str, str]


def write_folder_manifest(source: Path, folder: Path) -> Path:
    """The manifest of a folder of cases; written into `folder` where the source's own cannot be taken as it is.

    Raises:
        InputError: the folder does not exist, or holds neither a manifest with masks nor images with masks.
    """
    if not source.is_dir():
        raise InputError(f"{source}: this folder does not exist. Choose the folder of cases.")
    manifest = source / MANIFEST
    if manifest.is_file():
        columns, records = _read(manifest)
        lower = [column.lower() for column in columns]
        if "mask" in lower and not _region_columns(columns):
            return manifest
        rows = region_rows(manifest, columns, records)
    else:
        rows = pair_rows(source)
    return _write(folder / MANIFEST, rows)


def region_rows(manifest: Path, columns: Sequence[str], records: Sequence[Row]) -> list[Row]:
    """A row for each case, region and image of a manifest with columns `mask_<region>`; paths become absolute.

    A region's mask belongs to every image of its case, but `mask_<view>` to that view alone where a view has its name.
    A region that a case does not have is no row. Raises InputError where the manifest names no mask or no image.
    """
    regions = {**({"mask": ""} if "mask" in columns else {}), **_region_columns(columns)}
    views = {column: column.removeprefix("view_") for column in columns if _is_view(column)}
    if not regions:
        raise InputError(f"{manifest}: it has no column 'mask' (or mask_<region>), which names each case's label map.")
    if not views:
        raise InputError(f"{manifest}: it has no column 'image' (or view_<name>), which names each case's image.")
    further = [column for column in columns if column not in {*views, *regions, "id"}]
    further = [column for column in further if not column.startswith(("label", "value_"))]
    common = [column for column, view in views.items() if view not in regions.values()]
    rows = []
    for record in records:
        for column, region in regions.items():
            images = [column for column, view in views.items() if view == region] or common
            for view in images if record.get(column) else ():
                if not record.get(view):
                    continue
                name = [record.get("id", ""), region, views[view] if len(images) > 1 else ""]
                about = {
                    "id": " ".join(part for part in name if part), "image": str(manifest.parent / record[view]),
                    "mask": str(manifest.parent / record[column]), "case": record.get("id", ""),
                    "region": region or "mask",
                }  # fmt: skip
                rows.append(about | {column: record.get(column, "") for column in further})
    return rows


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
            f"{source}: neither a manifest.csv nor images with masks were found. Expected one subfolder a case with an "
            "image and a mask (its name ends in mask, seg, label or roi), or case.nii.gz beside case_mask.nii.gz."
        )
    return rows


def write_scene_manifest(pairs: Sequence[tuple[Any, Any]], folder: Path) -> Path:
    """Write volumes and their segments as files, a row a segment: overlapping segments keep all of their voxels.

    A segment that is empty or lies elsewhere, and a volume that cannot be used, become rows that the run refuses.
    """
    from deepradiomics.images import Mask, write_mask, write_volume
    from deepradiomics.scene.terminology import terminology_of
    from deepradiomics.scene.volumes import image_for_run, mask_from_segmentation

    rows: list[Row] = []
    for number, (volume, segmentation) in enumerate(pairs):
        inside, image = folder / f"case{number}", None
        inside.mkdir()
        try:
            image = image_for_run(volume, flat=True)
            write_volume(image, inside / "image.nrrd")
        except InputError:
            pass  # its rows name no image
        segments = segmentation.GetSegmentation()
        for index in range(segments.GetNumberOfSegments()):
            segment = segments.GetNthSegmentID(index)
            region = segments.GetSegment(segment).GetName()
            row = {
                "id": f"{volume.GetName()} {region}", "image": "", "mask": "", "case": volume.GetName(),
                "region": region, "terminology": terminology_of(segments.GetSegment(segment)),
            }  # fmt: skip
            if image is not None:
                try:
                    mask = mask_from_segmentation(segmentation, image.geometry, [segment])
                except MaskError:
                    import numpy as np

                    mask = Mask(np.zeros(image.geometry.shape, np.uint8), image.geometry)  # refused as empty
                write_mask(mask, inside / f"mask{index}.nrrd")
                row |= {"image": str(inside / "image.nrrd"), "mask": str(inside / f"mask{index}.nrrd")}
            rows.append(row)
    if not rows:
        raise InputError("cases: none of the segmentations has a segment.")
    return _write(folder / MANIFEST, _with_usable_ids(rows))


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
            rows.append({
                "id": name, "image": str(image or ""), "mask": str(mask or ""), "case": folder.name, "region": region,
            })  # fmt: skip
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
    from deepradiomics.scene.scene_cohort import safe_name, unique_names

    ids = unique_names([safe_name(row["id"]) for row in rows])
    return [row | {"id": name} for row, name in zip(rows, ids, strict=True)]


def _is_view(column: str) -> bool:
    return column in ("image", "axial", "coronal", "sagittal") or column.startswith("view_")


def _region_columns(columns: Sequence[str]) -> dict[str, str]:
    return {column: column[5:] for column in columns if column.startswith("mask_") and len(column) > 5}


def _read(path: Path) -> tuple[list[str], list[Row]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            records = [{key: (value or "").strip() for key, value in row.items() if key} for row in reader]
            return [column for column in reader.fieldnames or () if column], records
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path}: this is not a readable CSV file ({error}). Save it as UTF-8, comma separated."
        ) from error


def _write(path: Path, rows: Sequence[Row]) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as stream:
        columns = list(dict.fromkeys(column for row in rows for column in row))
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def _ending(path: Path) -> str:
    return next((ending for ending in ENDINGS if path.name.lower().endswith(ending)), "")


def _stem(path: Path) -> str:
    return path.name[: -len(_ending(path))] if _ending(path) else path.stem
