"""A result folder as `deepradiomics fingerprint apply` writes it, made by hand from the documented schema.

Three views on three grids; the reference is an oblique sagittal volume. Two tasks. Every patch has its own relevance,
so that each painted voxel says which patch it belongs to.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics import __version__
from deepradiomics.images import Geometry, Volume, image_record, write_stack
from deepradiomics.prepare.exam.box import Box

TASKS = ("abnormality", "acl")
VIEWS = ("axial", "coronal", "sagittal")
FEATURES = ("original_firstorder_Mean", "original_glcm_Contrast", "original_glrlm_RunEntropy")
GRID = (2, 2, 2)


@dataclass(frozen=True)
class Synthetic:
    """The folder, the volumes it was made from, and what must be found in the scene."""

    folder: Path
    volumes: dict[str, Volume]
    roi_start: tuple[int, int, int]  # (x, y, z) voxel of the reference view
    roi_size: tuple[int, int, int]
    relevance: dict[str, np.ndarray]  # (z, y, x) a task


def rotation(degrees: float, axis: tuple[float, float, float]) -> np.ndarray:
    """(3, 3) rotation about an axis (Rodrigues)."""
    n = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -n[2], n[1]], [n[2], 0, -n[0]], [-n[1], n[0], 0]])
    angle = np.deg2rad(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def oblique_geometry(size: tuple[int, int, int] = (30, 28, 12)) -> Geometry:
    """A sagittal grid, turned by 17 degrees about a skew axis."""
    sagittal = np.array([[0.0, 0, 1], [1, 0, 0], [0, -1, 0]])  # index x → P, y → I, z → L
    direction = rotation(17, (1, 2, 3)) @ sagittal
    return Geometry(size, (1.0, 1.1, 3.0), (-12.0, 20.0, 35.0), tuple(direction.ravel()))


def make_result(folder: Path, *, patient: int = 5, case_id: str = "case") -> Synthetic:
    """Write prediction.json, fingerprint.csv, relevance.nii.gz and gradcam.nii.gz into `folder`.

    Another `patient` has images of other noise, on the same grids.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(patient)
    reference = oblique_geometry()
    geometries = {
        "axial": Geometry((20, 22, 10), (1.5, 1.5, 4.0), (-20.0, -20.0, -18.0)),
        "coronal": Geometry((24, 26, 9), (1.2, 1.2, 3.5), (-15, -18, 30), (1, 0, 0, 0, 0, 1, 0, -1, 0)),
        "sagittal": reference,
    }
    volumes = {view: Volume(_anatomy(geometry, rng), geometry, name=view) for view, geometry in geometries.items()}
    start, size = (8, 7, 3), (14, 12, 6)
    patches = _patches(reference, start, size)
    relevance = {
        "abnormality": np.choose(patches, [0, *np.linspace(0.1, 0.8, 8)]).astype(np.float32),
        "acl": np.choose(patches, [0, *np.linspace(0.9, 0.2, 8)]).astype(np.float32),
    }
    gradcam = {task: (relevance[task] * rng.random(reference.shape)).astype(np.float32) for task in TASKS}
    for name, maps in (("relevance", relevance), ("gradcam", gradcam)):
        write_stack([Volume(maps[task], reference) for task in TASKS], folder / f"{name}.nii.gz")
    prediction = _prediction(volumes, reference, start, size, relevance, patches) | {"case_id": case_id}
    with open(folder / "prediction.json", "w", encoding="utf-8") as file:
        json.dump(prediction, file)
    _write_rows(folder / "fingerprint.csv", prediction, rng)
    return Synthetic(folder, volumes, start, size, relevance)


def _anatomy(geometry: Geometry, rng: np.random.Generator) -> np.ndarray:
    """A bright ball with noise, the same ball in every view: (z, y, x) int16."""
    z, y, x = np.indices(geometry.shape)
    points = geometry.index_to_physical(np.stack([x, y, z], axis=-1))
    centre = np.array(oblique_geometry().centre_mm)
    distance = np.linalg.norm(points - centre, axis=-1)
    return (400 * (distance < 14) + 200 + rng.normal(0, 20, geometry.shape)).astype(np.int16)


def _patches(geometry: Geometry, start: tuple[int, int, int], size: tuple[int, int, int]) -> np.ndarray:
    """(z, y, x) int: 1..8 in the ROI, x fastest; 0 outside."""
    patches = np.zeros(geometry.shape, int)
    for number in range(8):
        low = [start[axis] + ((number >> axis) & 1) * size[axis] // 2 for axis in range(3)]
        high = [low[axis] + size[axis] // 2 for axis in range(3)]
        patches[low[2] : high[2], low[1] : high[1], low[0] : high[0]] = number + 1
    return patches


def _prediction(
    volumes: dict[str, Volume],
    reference: Geometry,
    start: tuple[int, int, int],
    size: tuple[int, int, int],
    relevance: dict[str, np.ndarray],
    patches: np.ndarray,
) -> dict[str, Any]:
    half = tuple(each // 2 for each in size)
    boxes = []
    for number in range(8):
        corner = [start[axis] + ((number >> axis) & 1) * half[axis] for axis in range(3)]
        boxes.append(Box.from_geometry(reference.crop(corner, half)).to_dict())
    task = {
        "type": "binary", "classes": ["absent", "present"], "probability": 0.75, "logit": 1.0986, "intercept": -0.2,
        "predicted": 1, "decision_threshold": 0.5, "relevance_threshold": 0.45, "selected": 31, "pool": 72,
        "by_inference": {"paper": 0.75, "masked": 0.7, "soft": 0.8},
    }  # fmt: skip
    return {
        "software": "deepradiomics", "version": __version__, "kind": "fingerprint",
        "created": "2025-01-02T03:04:05+00:00", "case_id": "case", "synthetic_model": True,
        "disclaimer": "Demonstration only.", "inference": "paper", "reference_view": "sagittal",
        "tasks": {"abnormality": task, "acl": task | {"probability": 0.25, "predicted": 0}},
        "views": {
            view: {
                "file": f"{view}.nii.gz", "sha256": view.ljust(64, "0"), "reformatted_from": None,
                "size": list(volume.geometry.size), "spacing_mm": list(volume.geometry.spacing_mm),
                **image_record(volume),
            }
            for view, volume in volumes.items()
        },
        "roi": Box.from_geometry(reference.crop(start, size)).to_dict(),
        "patch_grid": list(GRID),
        "patches": [
            {
                "patch": number + 1,
                "boxes": dict.fromkeys(VIEWS, boxes[number]),
                "relevance": {name: float(maps[patches == number + 1][0]) for name, maps in relevance.items()},
                "contribution": dict.fromkeys(TASKS, 0.1 * number),
            }
            for number in range(8)
        ],
        "bundle": {"name": "sample", "version": "1", "sha256": "b" * 64},
        "settings": {"patch_grid": list(GRID), "bin_width": 25.0},
        "versions": {"numpy": "2.4", "torch": "2.13"},
        "device": "cpu", "seconds": 1.5, "notes": ["Demonstration model."],
        "methods_text": "Radiomic fingerprints were computed with DeepRadiomics.",
    }  # fmt: skip


def _write_rows(path: Path, prediction: dict[str, Any], rng: np.random.Generator) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["task", "feature", "view", "patch", "family", "value", "z", "relevance", "selected", "contribution"]
        )
        for task in TASKS:
            for patch in prediction["patches"]:
                for view in VIEWS:
                    for feature in FEATURES:
                        relevance = float(np.clip(patch["relevance"][task] + rng.normal(0, 0.02), 0, 1))
                        value, contribution = rng.normal(0, 5), rng.normal(0, 0.2)
                        row = [task, feature, view, patch["patch"], feature.split("_")[1], value, value / 5, relevance]
                        writer.writerow([*row, int(relevance >= 0.45), contribution])
