"""What a registration says of itself where the truth is known: real images and phantoms, right and wrong.

    python Testing/reference/registration_quality_table.py --data DIR [--out docs/results]

DIR is the folder of real images (see docs/measured.md). Each row is one registration; ``right`` says whether it
could find the truth at all. Writes registration_quality.csv and .json.
"""

import argparse
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

import deepradiomics
from deepradiomics.files.atomic import write_json, write_text
from deepradiomics.images import Geometry, Volume, read_volume
from deepradiomics.phantoms import ich_exam
from deepradiomics.prepare import register

COLUMNS = (
    "pair", "right", "transform", "likeness", "likeness_before", "likeness_otherwise", "otherwise", "residual_voxels",
    "residual_mm", "blocks", "blocks_alike", "warned", "seconds", "seconds_unchecked",
)  # fmt: skip


def turned(volume: Volume, degrees: float, axis: int = 2) -> Volume:
    """The same voxels, their grid turned about its middle."""
    angle, turn = np.deg2rad(degrees), np.eye(3)
    i, j = (k for k in range(3) if k != axis)
    turn[i, i] = turn[j, j] = np.cos(angle)
    turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
    grid, centre = volume.geometry, np.array(volume.geometry.centre_mm)
    origin = turn @ (np.array(grid.origin_mm) - centre) + centre
    return Volume(volume.voxels, Geometry(grid.size, grid.spacing_mm, tuple(origin), tuple((turn @ grid.axes).ravel())))


def mirrored(volume: Volume) -> Volume:
    """The voxels in reverse order along x."""
    return Volume(volume.voxels[:, :, ::-1].copy(), volume.geometry)


def noise(volume: Volume) -> Volume:
    """Noise on the volume's grid."""
    return Volume(np.random.default_rng(0).normal(size=volume.geometry.shape).astype(np.float32), volume.geometry)


def clipped(volume: Volume) -> Volume:
    """A head CT between -1000 and 300 HU."""
    return Volume(np.clip(np.asarray(volume.voxels, np.float32), -1000, 300), volume.geometry, volume.name)


def pairs(data: Path) -> Iterator[tuple[str, bool, str, Volume, Volume]]:
    """Name, whether the truth can be found, kind of transform, fixed and moving image."""
    head = clipped(read_volume(data / "head_ct_invesalius" / "head_ct_cranium_cropped.nii.gz"))
    flair, later = (
        read_volume(data / "longitudinal_ms_mri" / "patient01" / f"study{k}_FLAIR_defaced.nii.gz") for k in (1, 2)
    )
    knee, other_echo = (
        read_volume(data / "knee_mri_mese" / f"knee_mese_echo{k}.nii.gz") for k in ("1_te6.3ms", "8_te50.5ms")
    )
    for name, fixed, moving in (
        ("head CT", head, head),
        ("FLAIR, two visits", flair, later),
        ("knee, two echoes", knee, other_echo),
    ):
        yield name, True, "rigid", fixed, turned(moving, 10)
        yield f"{name}, 90 degrees", False, "rigid", fixed, turned(moving, 90)
        yield f"{name}, 180 degrees", False, "rigid", fixed, turned(moving, 180)
        yield f"{name}, mirrored", False, "rigid", fixed, mirrored(moving)
        yield f"{name}, noise", False, "rigid", fixed, noise(moving)
    yield "FLAIR and another patient's CT", False, "rigid", flair, head
    patients = [ich_exam(seed) for seed in range(6)]
    for number, patient in enumerate(patients):
        assert patient.followup is not None
        first, second = clipped(patient.baseline), clipped(patient.followup)
        other = clipped(patients[(number + 1) % len(patients)].baseline)
        yield f"synthetic head {number}, two visits", True, "rigid", first, second
        yield f"synthetic head {number}, 90 degrees", False, "rigid", first, turned(second, 90)
        yield f"synthetic head {number}, 180 degrees", False, "rigid", first, turned(second, 180)
        yield f"synthetic head {number}, mirrored", False, "rigid", first, mirrored(second)
        yield f"synthetic head {number}, another patient", False, "rigid", first, other
        yield f"synthetic head {number}, another patient", True, "affine", first, other


def main() -> None:
    """Run, print the rows, write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    arguments = parser.parse_args()
    rows = []
    for pair, right, transform, fixed, moving in pairs(arguments.data):
        registration = register(fixed, moving, transform=transform, backend="cpu")  # type: ignore[arg-type]
        unchecked = register(fixed, moving, transform=transform, backend="cpu", check=False)  # type: ignore[arg-type]
        assert registration.quality is not None
        quality = registration.quality.to_dict()
        row = {
            "pair": pair, "right": right, "transform": transform, "likeness": registration.metric_value, **quality,
            "warned": bool(quality["warnings"]),
            "seconds": registration.seconds, "seconds_unchecked": unchecked.seconds,
        }  # fmt: skip
        rows.append(row)
        print(row, flush=True)
    shown = [[_cell(row[column]) for column in COLUMNS] for row in rows]
    write_text(
        arguments.out / "registration_quality.csv",
        "\n".join(",".join(f'"{cell}"' if "," in cell else cell for cell in line) for line in [list(COLUMNS), *shown])
        + "\n",
    )
    about = {
        "command": "python Testing/reference/registration_quality_table.py --data DIR",
        "seed": 0,
        "version": deepradiomics.__version__,
        "machine": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
        "right_and_silent": sum(row["right"] and not row["warned"] for row in rows),
        "right": sum(row["right"] for row in rows),
        "wrong_and_warned": sum(not row["right"] and row["warned"] for row in rows),
        "wrong": sum(not row["right"] for row in rows),
        "rows": rows,
    }
    write_json(arguments.out / "registration_quality.json", about)
    print({key: about[key] for key in ("right", "right_and_silent", "wrong", "wrong_and_warned")})


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
