"""Request: a finished result that is to go out as DICOM, as the scene hands it to the program that writes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepradiomics.dicom_out.case import WrittenCase, prepare_case
from deepradiomics.dicom_out.drawn import Drawn
from deepradiomics.dicom_out.source import read_source
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json, write_json
from deepradiomics.images import Code, Mask, Segment, read_mask, read_volume
from deepradiomics.radiomics.settings.settings import Settings

REQUEST_FILE = "request.json"


@dataclass(frozen=True)
class Request:
    """A finished result.

    Args:
        files: the DICOM files of the image.
        image: the image as it was measured; its voxels must still be those of the files.
        masks: label maps on its grid, whose labels differ; regions may overlap.
        segments: what is known of each label.
        features: values by full key, by label.
        settings: what they were computed by, as ``Settings.to_dict`` gives it.
        drawn: how each label's region came about; one that is not named by hand.
    """

    files: tuple[Path, ...]
    image: Path
    masks: tuple[Path, ...]
    segments: Mapping[int, Segment]
    features: Mapping[int, Mapping[str, float]]
    settings: Mapping[str, Any]
    drawn: Mapping[int, Drawn] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write ``request.json``; returns its path."""
        document = {
            "files": [str(file) for file in self.files],
            "image": str(self.image),
            "masks": [str(mask) for mask in self.masks],
            "segments": {str(label): _plain(segment) for label, segment in self.segments.items()},
            "features": {
                str(label): {key: value if math.isfinite(value) else None for key, value in values.items()}
                for label, values in self.features.items()
            },
            "settings": dict(self.settings),
            "drawn": {str(label): _plain_way(way) for label, way in self.drawn.items()},
        }
        write_json(folder / REQUEST_FILE, document)
        return folder / REQUEST_FILE

    @classmethod
    def read(cls, path: Path) -> Request:
        """Inverse of :meth:`write`.

        Raises:
            InputError: the file is missing or is no request.
        """
        document = read_json(path)
        try:
            return cls(
                tuple(map(Path, document["files"])),
                Path(document["image"]),
                tuple(map(Path, document["masks"])),
                {int(label): _segment(about) for label, about in document["segments"].items()},
                {
                    int(label): {key: math.nan if value is None else float(value) for key, value in values.items()}
                    for label, values in document["features"].items()
                },
                dict(document["settings"]),
                {
                    int(label): Drawn(way[0], way[1], way[2], Code(*way[3]) if way[3] else None)
                    for label, way in document["drawn"].items()
                },
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{path}: this is no request to write DICOM ({type(error).__name__}: {error}).") from error

    def fulfil(self, folder: Path) -> WrittenCase:
        """Write SEG and report.

        Raises:
            InputError: a file is missing, or the image's voxels are no longer those of its DICOM files.
            GeometryError: the image does not lie on the stored slices.
            MissingDependencyError: highdicom is not installed.
        """
        volume = read_volume(self.image)
        source = read_source(self.files, volume, same_voxels=True)
        mask = _joined([read_mask(path) for path in self.masks], self.segments)
        settings = Settings.from_params(dict(self.settings))
        prepared = prepare_case(mask, source, folder, drawn=self.drawn)
        return prepared.write(self.features, settings)


def _joined(masks: list[Mask], segments: Mapping[int, Segment]) -> Mask:
    """Label maps as one mask whose regions may overlap."""
    labels = masks[0].labels.copy()
    covered = {}
    for mask in masks:
        for label in mask.labels_present():
            covered[label] = mask.region(label)
            labels[covered[label]] = label
    return Mask(labels, masks[0].geometry, "regions", segments=segments, covered=covered)


def _plain_way(way: Drawn) -> list[Any]:
    return [way.way, way.algorithm, way.version, None if way.family is None else list(way.family)]


def _plain(segment: Segment) -> dict[str, Any]:
    return {
        "name": segment.name,
        "colour": segment.colour,
        "category": None if segment.category is None else list(segment.category),
        "type": None if segment.type is None else list(segment.type),
    }


def _segment(about: Mapping[str, Any]) -> Segment:
    category, kind = (Code(*about[name]) if about.get(name) else None for name in ("category", "type"))
    return Segment(str(about["name"]), tuple(about["colour"]) if about.get("colour") else None, category, kind)


__all__ = ["REQUEST_FILE", "Request"]
