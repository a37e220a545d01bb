"""What users give to options, checked and read: files, folders, lists, distances, how images and masks are read."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, cast

from deepradiomics.cli.groups import comma_list
from deepradiomics.errors import InputError
from deepradiomics.files.reading import require_an_end

if TYPE_CHECKING:
    from deepradiomics.images.options import MaskOptions, ReadOptions, SliceSpacing
    from deepradiomics.images.segment import Segment

SEG_THRESHOLD = 0.5  # the default of --seg-threshold


def read_options(stack: str | None = None, slice_spacing: str | None = None, suv: bool = False) -> "ReadOptions":
    """What ``--stack``, ``--slice-spacing`` and ``--suv`` say about the reading of images.

    Raises:
        InputError: the header that stands in for slice positions is not one of the two that can; no stack is named.
    """
    from deepradiomics.images.options import ReadOptions

    if stack is not None and not stack.strip():
        raise InputError("--stack: expected a number of the list or words such as b=1000, got nothing.")
    headers = {name.lower(): name for name in ("SliceThickness", "SpacingBetweenSlices")}
    header = None if slice_spacing is None else headers.get(slice_spacing.strip().lower())
    if slice_spacing is not None and header is None:
        raise InputError(f"--slice-spacing: expected {' or '.join(headers.values())}, got {slice_spacing!r}.")
    return ReadOptions(stack, cast("SliceSpacing | None", header), suv)


def mask_options(seg_threshold: float = SEG_THRESHOLD, any_frame: bool = False) -> "MaskOptions":
    """What ``--seg-threshold`` and ``--any-frame`` say about the reading of masks.

    Raises:
        InputError: the threshold is not above 0 and at most 1.
    """
    from deepradiomics.images.options import MaskOptions

    try:
        return MaskOptions(seg_threshold, any_frame)
    except InputError:
        raise InputError(
            f"--seg-threshold: expected a fraction above 0 and at most 1, got {seg_threshold:g}."
        ) from None


def names_of(label_names: Path | None) -> "tuple[tuple[int, Segment | str], ...]":
    """(label, name) of the file of ``--label-names``; with its colour, as a Segment, where the file has one.

    Raises:
        InputError: the file is missing or is no list of names.
    """
    if label_names is None:
        return ()
    from deepradiomics.images.label_names import read_label_names

    names = read_label_names(existing_file(label_names, "--label-names"))
    return tuple((label, names[label] if names[label].colour else names[label].name) for label in sorted(names))


def ring_mm(ring: str | None) -> tuple[float, float] | None:
    """``--ring 5`` -> (0, 5), ``--ring 2:5`` -> (2, 5): from how far to how far from the region's border, in mm.

    Raises:
        InputError: not one or two distances that rise.
    """
    if ring is None:
        return None
    inner, colon, outer = ring.partition(":")
    try:
        distances = (float(inner), float(outer)) if colon else (0.0, float(inner))
    except ValueError:
        distances = (0.0, 0.0)
    if not (0 <= distances[0] < distances[1] < math.inf):
        raise InputError(f"--ring: expected a distance such as 5, or two that rise such as 2:5 (mm), got {ring!r}.")
    return distances


def integers(text: str, option: str) -> tuple[int, ...]:
    """Split ``"0,1,2"`` into whole numbers.

    Raises:
        InputError: a part is not a whole number, or there is none.
    """
    try:
        values = tuple(int(part) for part in comma_list(text) or ())
    except ValueError as error:
        raise InputError(f"{option}: expected whole numbers separated by commas, got {text!r}.") from error
    if not values:
        raise InputError(f"{option}: expected at least one whole number, got {text!r}.")
    return values


def existing_model(folder: Path, option: str = "--segmenter") -> Path:
    """Return the folder of a network when it is there; what it holds is checked when it is loaded.

    Raises:
        InputError: it does not exist or is a file.
    """
    if not folder.is_dir():
        why = "expected a folder, this is a file" if folder.exists() else "this folder does not exist"
        other = "" if option == "--init" else ", or of a model of nnU-Net v2"
        raise InputError(f"{option} {folder}: {why}. Name the folder of a bundle{other}.")
    return folder


def existing_file(path: Path, what: str) -> Path:
    """Return ``path`` when it is a file.

    Raises:
        InputError: it does not exist, or is a folder, a pipe or a device.
    """
    if path.is_dir():
        raise InputError(f"{what} {path}: expected a file, this is a folder.")
    if not path.exists():
        raise InputError(f"{what} {path}: this file does not exist.")
    require_an_end(path, what)
    return path
