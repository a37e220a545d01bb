"""write_case: the regions and features of one case as DICOM files in one folder, both or neither.

folder/segmentation.dcm   the regions
folder/measurements.dcm   their features, which refer to the regions
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepradiomics.dicom_out.drawn import BY_HAND, Drawn
from deepradiomics.dicom_out.measurements import build_measurements
from deepradiomics.dicom_out.segmentation import Segmentation, build_segmentation
from deepradiomics.dicom_out.source import SourceSeries
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import atomic_file
from deepradiomics.images import Mask
from deepradiomics.radiomics.settings.settings import Settings

SEGMENTATION_FILE, MEASUREMENTS_FILE = "segmentation.dcm", "measurements.dcm"


@dataclass(frozen=True)
class WrittenCase:
    """What was written, and what to know of it: one sentence each, without identifiers."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class PreparedCase:
    """A case whose SEG is built, and whose features may follow."""

    folder: Path
    mask: Mask
    source: SourceSeries
    segmentation: Segmentation

    def write(
        self,
        features: Mapping[int, Mapping[str, float]] | None = None,
        settings: Settings | None = None,
        *,
        suv: bool = False,
    ) -> WrittenCase:
        """Write the SEG and, with features, the report; both or neither.

        Args:
            features: values by full key, by label.
            settings: what they were computed by.
            suv: whether the image was turned into the standardised uptake value.

        Raises:
            InputError: the folder cannot be written to, a label has no segment, or settings are missing.
        """
        notes, report = [*self.source.notes, *self.segmentation.notes], None
        if features is not None:
            if settings is None:
                raise InputError("settings: a structured report says what the features were computed by; give them.")
            report = build_measurements(features, self.mask, self.segmentation, self.source, settings, suv=suv)
            notes += report.notes
        check_free(self.folder)
        paths = [self.folder / SEGMENTATION_FILE]
        with atomic_file(paths[0]) as temporary:
            self.segmentation.dataset.save_as(temporary, enforce_file_format=True)
            if report is not None:
                paths.append(self.folder / MEASUREMENTS_FILE)
                with atomic_file(paths[1]) as other:
                    report.dataset.save_as(other, enforce_file_format=True)
        return WrittenCase(tuple(paths), tuple(dict.fromkeys(notes)))


def check_free(folder: str | os.PathLike[str]) -> None:
    """Raise InputError where one of the files is there already: DICOM that exists is not replaced."""
    there = [name for name in (SEGMENTATION_FILE, MEASUREMENTS_FILE) if (Path(folder) / name).exists()]
    if there:
        raise InputError(
            f"{folder}: {' and '.join(there)} exist there already, and DICOM files are not replaced. Choose another "
            "folder, or move them away."
        )


def prepare_case(
    mask: Mask,
    source: SourceSeries,
    folder: str | os.PathLike[str],
    *,
    labels: Sequence[int] | None = None,
    drawn: Mapping[int, Drawn] | Drawn = BY_HAND,
) -> PreparedCase:
    """Build the SEG of a case and find out whether all can be written, before anything is measured.

    Args:
        mask: the regions.
        source: the series that they were drawn on.
        folder: made where it is missing; files of ours there are not replaced.
        labels: those to write; None: all of the mask.
        drawn: how the regions came about.

    Raises:
        InputError: files are there already, or the series' header is unfit.
        GeometryError: the mask lies on another grid than the series.
        MissingDependencyError: highdicom is not installed.
    """
    check_free(folder)
    return PreparedCase(Path(folder), mask, source, build_segmentation(mask, source, labels=labels, drawn=drawn))


def write_case(
    mask: Mask,
    source: SourceSeries,
    folder: str | os.PathLike[str],
    *,
    features: Mapping[int, Mapping[str, float]] | None = None,
    settings: Settings | None = None,
    drawn: Mapping[int, Drawn] | Drawn = BY_HAND,
    suv: bool = False,
) -> WrittenCase:
    """Write the SEG of a case and, with features, the structured report; see :func:`prepare_case`.

    Args:
        mask, source, folder, drawn: as for :func:`prepare_case`.
        features: values by full key, by label; with them those labels are written, else all of the mask.
        settings: what the features were computed by; needed with features.
        suv: whether the image was turned into the standardised uptake value.
    """
    labels = None if features is None else tuple(features)
    return prepare_case(mask, source, folder, labels=labels, drawn=drawn).write(features, settings, suv=suv)


__all__ = [
    "MEASUREMENTS_FILE",
    "SEGMENTATION_FILE",
    "PreparedCase",
    "WrittenCase",
    "check_free",
    "prepare_case",
    "write_case",
]
