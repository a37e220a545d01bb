"""Small images, masks, cohorts and a bundle for tests of the command line, some of them broken on purpose."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk

SHAPE = (10, 12, 14)  # (z, y, x)


def image(path: Path, *, spacing: tuple[float, float, float] = (1.5, 1.2, 2.0), seed: int = 0) -> Path:
    """A noisy image with its centre at the origin."""
    voxels = np.random.default_rng(seed).normal(200, 40, SHAPE).astype(np.float32)
    return _write(path, voxels, spacing)


def broken_image(path: Path, kind: str) -> Path:
    """``nan``: some voxels are NaN; ``constant``: all are equal."""
    voxels = np.full(SHAPE, 5.0, np.float32)
    if kind == "nan":
        voxels = np.random.default_rng(0).normal(200, 40, SHAPE).astype(np.float32)
        voxels[2:4, 3:6, 3:9] = np.nan
    return _write(path, voxels, (1.5, 1.2, 2.0))


def colour_image(path: Path) -> Path:
    """An image with three numbers per voxel, on the grid of `image`."""
    voxels = np.random.default_rng(0).integers(0, 255, (*SHAPE, 3)).astype(np.uint8)
    found = sitk.GetImageFromArray(voxels, isVector=True)
    found.CopyInformation(sitk.ReadImage(str(image(path.with_name(f"plain-{path.name}")))))
    sitk.WriteImage(found, str(path))
    return path


def params(path: Path, text: str) -> Path:
    """A parameter file."""
    path.write_text(text, encoding="utf-8")
    return path


def mask(path: Path, kind: str = "box") -> Path:
    """``box``, ``two`` (labels 1, 2), ``empty``, ``one-voxel``, ``label-7``, ``other-grid``, ``l-shape``, ``line``."""
    labels = np.zeros(SHAPE, np.uint8)
    if kind != "empty":
        labels[2:8, 3:9, 3:11] = 7 if kind == "label-7" else 1
    if kind == "two":
        labels[2:8, 3:9, 7:11] = 2
    if kind == "two-and-a-voxel":
        labels[0, 0, 0] = 9
    if kind == "one-voxel":
        labels[:] = 0
        labels[4, 5, 6] = 1
    if kind == "line":  # one voxel thick along two axes
        labels[:] = 0
        labels[4, 5, 3:9] = 1
    if kind == "l-shape":
        labels[4:8, 3:9, 3:11] = 0
        labels[2:8, 6:9, 3:11] = 0
        labels[2:8, 3:5, 3:4] = 1
    return _write(path, labels, (1.5, 1.2, 3.0) if kind == "other-grid" else (1.5, 1.2, 2.0))


def _write(path: Path, voxels: np.ndarray, spacing: tuple[float, float, float]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    found = sitk.GetImageFromArray(voxels)
    found.SetSpacing(spacing)
    found.SetOrigin([-(n - 1) * s / 2 for n, s in zip(voxels.shape[::-1], spacing, strict=True)])
    sitk.WriteImage(found, str(path))
    return path


def manifest(folder: Path, rows: list[dict[str, object]], columns: list[str] | None = None) -> Path:
    """A manifest of these rows; each case's sagittal image is made unless its row names one."""
    columns = columns or ["id", "sagittal", "label_acl"]
    folder.mkdir(parents=True, exist_ok=True)
    lines = [",".join(columns)]
    for row in rows:
        name = f"{row.get('id', 'x')}.nii.gz"
        if "sagittal" in columns and "sagittal" not in row:
            image(folder / name, seed=len(lines))
            row = {**row, "sagittal": name}
        lines.append(",".join(str(row.get(column, "")) for column in columns))
    path = folder / "manifest.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def false_dicom(folder: Path) -> Path:
    """A folder with a file that begins as DICOM does and then breaks off."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "slice1.dcm").write_bytes(bytes(128) + b"DICM" + b"\x02\x00\x00\x00broken")
    return folder


def small_cohort(folder: Path, cases: int = 12) -> Path:
    """Noise in three views with two task labels: nothing can be learned from it, and commands do not need that."""
    views = ("axial", "coronal", "sagittal")
    rows: list[dict[str, object]] = []
    for number in range(cases):
        files = {view: f"k{number}_{view}.nii.gz" for view in views}
        for place, (_, name) in enumerate(files.items()):
            image(folder / name, seed=10 * number + place)
        rows.append({"id": f"k{number}", **files, "label_acl": number % 2, "label_meniscus": number // 2 % 2})
    return manifest(folder, rows, ["id", *views, "label_acl", "label_meniscus"])


def tiny_bundle(folder: Path) -> Path:
    """A model trained for one epoch on noise, on a coarse grid, so that tests stay quick."""
    from deepradiomics.cohort import read_manifest
    from deepradiomics.fingerprint.model.config import FingerprintConfig
    from deepradiomics.fingerprint.train.run import TrainRequest, train_fingerprint

    config = FingerprintConfig.from_dict(
        {
            "preset": "tiny",
            "recipe": {"registration": "off", "resized_shape": [12, 32, 32]},
            "training": {"epochs": 1, "batch_size": 4},
        }
    )
    return train_fingerprint(
        TrainRequest(read_manifest(small_cohort(folder / "cohort")), config), folder / "run", device="cpu"
    ).bundle


def flat_pair(
    folder: Path, name: str = "flat", suffix: str = ".nii.gz", seed: int = 0, both: bool = False
) -> tuple[Path, Path]:
    """A two-dimensional image and its mask with the label 1, or with ``both`` the labels 1 and 2."""
    voxels = np.random.default_rng(seed).normal(200, 40, (20, 24)).astype(np.float32)
    labels = np.zeros(voxels.shape, np.uint8)
    labels[4:15, 3:12], labels[4:15, 13:21] = 1, 2 * both
    image, mask = folder / f"{name}{suffix}", folder / f"{name}_mask{suffix}"
    for path, array in ((image, voxels), (mask, labels)):
        made = sitk.GetImageFromArray(array)
        made.SetSpacing((0.5, 0.7))
        sitk.WriteImage(made, str(path))
    return image, mask
