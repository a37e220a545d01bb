"""Read one DICOM series as a volume, refusing what would give a wrong geometry."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images.convert import volume_from_sitk
from deepradiomics.images.tilt import straighten
from deepradiomics.images.volume import Volume

_POSITION, _ORIENTATION, _SERIES = "0020|0032", "0020|0037", "0020|000e"
_THICKNESS = "0018|0050"
_ECHO_TIME, _ECHO_NUMBER, _ACQUISITION = "0018|0081", "0018|0086", "0020|0012"


def is_dicom(path: Path) -> bool:
    """Tell whether a file begins as DICOM files do (128 bytes, then DICM)."""
    with open(path, "rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def read_dicom(path: Path) -> Volume:
    """Read the one series in a folder, or the series that a file belongs to.

    A series that holds several images at each position (echoes, acquisitions) gives the first of them, and a note
    says so. The result names neither files nor patient.

    Raises:
        InputError: no series, several series, or an unreadable one.
        GeometryError: slices missing or unevenly spaced.
    """
    with _quiet_itk():  # what ITK would print is checked here, and said as an error
        return _read_series(path)


@contextmanager
def _quiet_itk() -> Iterator[None]:
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.GlobalWarningDisplayOff()
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


def _read_series(path: Path) -> Volume:
    folder = path if path.is_dir() else path.parent
    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if path.is_file():
        wanted = _header(path).get(_SERIES, "")
        series = tuple(s for s in series if s == wanted)
    if not series:
        raise InputError(f"{path}: no readable DICOM series was found here. Name a folder with one image series.")
    if len(series) > 1:
        counts = [len(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), s)) for s in series]
        raise InputError(
            f"{path}: this folder holds {len(series)} DICOM series (of {', '.join(map(str, counts))} files). "
            "Name a file of the series wanted, or put each series into its own folder."
        )
    files = [Path(f) for f in sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series[0])]
    headers = {f: _header(f) for f in files}
    files, notes = _one_stack(files, headers)
    notes += _gap_note([headers[f] for f in files])
    try:
        image = sitk.ReadImage([str(f) for f in files]) if len(files) > 1 else sitk.ReadImage(str(files[0]))
    except RuntimeError as error:
        raise InputError(f"{path}: this DICOM series could not be read ({str(error).splitlines()[-1]}).") from error
    volume = volume_from_sitk(image, name="DICOM series", source=f"DICOM series of {len(files)} files", notes=notes)
    if len(files) < 2 or any(_POSITION not in headers[f] for f in files):
        return volume
    return straighten(volume, np.array([headers[f][_POSITION].split("\\") for f in files], float))


def _gap_note(headers: list[dict[str, str]]) -> tuple[str, ...]:
    """Say when the slices are much thinner than their distance: what lies between was not scanned."""
    if len(headers) < 2 or any(not headers[n].get(tag) for n in (0, 1) for tag in (_POSITION, _ORIENTATION)):
        return ()
    cosines = np.array(headers[0][_ORIENTATION].split("\\"), float)
    first, second = (np.array(headers[n][_POSITION].split("\\"), float) for n in (0, 1))
    distance = abs(float(np.cross(cosines[:3], cosines[3:]) @ (second - first)))
    thickness = float(headers[0].get(_THICKNESS) or 0)
    if not 0 < thickness < 0.8 * distance:
        return ()
    return (f"Slice gap: slices of {thickness:.3g} mm lie {distance:.3g} mm apart; what is between was not scanned.",)


def _header(path: Path) -> dict[str, str]:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(f"{path}: this DICOM file could not be read; it may be damaged or compressed.") from error
    return {k: reader.GetMetaData(k).strip() for k in reader.GetMetaDataKeys()}


def _one_stack(files: list[Path], headers: dict[Path, dict[str, str]]) -> tuple[list[Path], tuple[str, ...]]:
    """Order the files along the slice normal; of several images at one position keep the first echo or acquisition."""
    if len(files) == 1 or any(_POSITION not in headers[f] or _ORIENTATION not in headers[f] for f in files):
        return files, ()
    cosines = np.array(headers[files[0]][_ORIENTATION].split("\\"), float)
    normal = np.cross(cosines[:3], cosines[3:])
    stacks: dict[float, list[Path]] = defaultdict(list)
    for file in files:
        orientation = np.array(headers[file][_ORIENTATION].split("\\"), float)
        if not np.allclose(orientation, cosines, atol=1e-3):
            raise GeometryError(f"{files[0].parent}: the slices of this series do not share one orientation.")
        position = float(normal @ np.array(headers[file][_POSITION].split("\\"), float))
        stacks[round(position, 3)].append(file)
    positions = sorted(stacks)
    counts = {len(stacks[p]) for p in positions}
    if len(counts) > 1:
        raise GeometryError(
            f"{files[0].parent}: some slice positions of this series hold more images than others "
            f"({sorted(counts)}). Export the series again, one image a position."
        )
    gaps = np.diff(positions)
    if len(gaps) and np.ptp(gaps) > 0.01 * np.median(gaps) + 1e-3:
        raise GeometryError(
            f"{files[0].parent}: slice distances range from {gaps.min():.3f} to {gaps.max():.3f} mm: slices are "
            "missing or unevenly spaced. Export the series again, or resample it onto an even grid."
        )

    def rank(file: Path) -> tuple[float, ...]:
        return tuple(float(headers[file].get(k) or 0) for k in (_ECHO_TIME, _ECHO_NUMBER, _ACQUISITION))

    first = [min(stacks[p], key=rank) for p in positions]
    copies = counts.pop()
    if copies == 1:
        return first, ()
    echo = headers[first[0]].get(_ECHO_TIME, "")
    which = f"the shortest echo (TE {float(echo):.1f} ms)" if echo else "the first"
    return first, (f"The DICOM series holds {copies} images at each position; {which} is used.",)
