"""Synthetic prostate examinations: T2, high-b and ADC on their own grids, gland and lesion masks, grade, volume, truth.

    body, lesion plan ─► tissues painted at each stack's voxels ─► scanner (bias, noise, gain) ─► Volume, Mask

Everything is labelled SYNTHETIC: folder, file headers, notes. Nothing learned here means anything clinically.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_text
from deepradiomics.files.tables import write_csv
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.phantoms.prostate.anatomy import paint
from deepradiomics.phantoms.prostate.body import Body, ellipsoid, gland_distance
from deepradiomics.phantoms.prostate.lesion import GRADES, SHARES, Plan
from deepradiomics.phantoms.prostate.scanner import (
    MODALITIES,
    PROTOCOLS,
    Session,
    Size,
    diffusion_map,
    frame,
    grids,
    magnitude,
    points,
)
from deepradiomics.phantoms.prostate.truth import write_drivers, write_truth
from deepradiomics.phantoms.shared import write_labelled
from deepradiomics.progress import Progress

PHANTOM_VERSION = "1"  # raise when the same seed gives other images
_TWICE = 0.05  # share of scans that are a patient's second
_GLAND_T2, _GLAND_HIGHB = 400.0, 40.0  # grey levels that noise is a share of
_README = """SYNTHETIC DATA - NOT A PATIENT

These prostates were computed by DeepRadiomics ("deepradiomics phantom prostate --cases {cases} --seed {seed} --size
{size}", phantom version {version}). They were never acquired, show nobody, and nothing learned from them means anything
clinically.

cases/<id>/t2.nii.gz       T2 imitated, oblique axial
cases/<id>/highb.nii.gz    high-b diffusion imitated (b about 1400), its own grid
cases/<id>/adc.nii.gz      ADC map imitated, 1e-6 mm2/s, the grid of highb; 0 where there is too little signal
cases/<id>/gland.nii.gz    the gland, on the grid of t2
cases/<id>/lesion.nii.gz   the lesion, on the grid of t2; none for grade 0
manifest.csv               images, masks, label_pirads (0: < 3, 1: 3, 2: 4, 3: 5), value_volume_ml (of the gland's mask)
truth.csv                  one line per scan: what was planted, and the nuisance
truth_drivers.csv          which radiomic attribute drives each label, through which column of truth.csv

Patients have label 0 with a share of about 0.35, 1 with 0.25, 2 and 3 with 0.20 each. A man of grade 0 has a faint,
diffuse benign area (strength 0.05 to 0.2 of a strong lesion): it is in the images and in truth.csv, but it is no
lesion, so the cell mask_lesion is empty. About one scan in twenty is a patient's second: same gland and lesion, another
visit (column patient). Between T2 and diffusion the patient moved by up to 1 mm (shift_*_mm).

Gain, noise and coarse mottling (gain_*, noise_*, coarse) are nuisance: they were drawn without looking at grade or
volume. Centres are LPS millimetres in the space of T2.
"""


@dataclass(frozen=True, eq=False)
class ProstateExam:
    """A synthetic examination: images and masks by name, the labels that follow, and the numbers that were planted.

    ``masks`` has "gland", and "lesion" from grade 1 on, both on the grid of T2.
    """

    id: str
    views: Mapping[str, Volume]
    masks: Mapping[str, Mask]
    grade: int
    volume_ml: float
    truth: Mapping[str, float | str]


def prostate_exam(
    seed: int | Sequence[int], grade: int = 0, *, id: str = "synthetic", size: Size = "small", scan: int = 0
) -> ProstateExam:
    """One synthetic prostate in three modalities.

    Args:
        seed: decides everything; the same seed gives the same voxels.
        grade: 0 (PIRADS < 3), 1 (3), 2 (4) or 3 (5).
        id: the case's name.
        size: "small" (T2 of 1 × 1 × 3 mm) or "clinical" (0.5 × 0.5 × 3 mm, a larger field of view); diffusion
            2 × 2 × 3 mm.
        scan: number of the patient's visit: same gland and lesion, another position, gain and noise.

    Raises:
        InputError: an unknown grade or size.

    Example:
        prostate_exam(1, grade=3).views["adc"]
    """
    if grade not in range(len(GRADES)):
        raise InputError(f"Case {id}: grade must be 0 to {len(GRADES) - 1} ({', '.join(GRADES)}), got {grade}.")
    check_size(size)
    key = [seed] if isinstance(seed, int) else list(seed)
    body_rng, lesion_rng = np.random.default_rng(key).spawn(2)
    session_rng, *noise_rngs = np.random.default_rng([*key, scan, 2**20]).spawn(4)
    body = Body.draw(body_rng)
    plan = Plan.draw(grade, body, lesion_rng)
    session = Session.draw(session_rng)

    t2_grid, dwi_grid = grids(PROTOCOLS[size], session, body.tilt)
    at_t2 = points(t2_grid, session, body.tilt, moved=False)
    at_dwi = points(dwi_grid, session, body.tilt, moved=True)
    t2 = paint(at_t2, body, plan.focus, plan.look, ("t2",), t2_grid.spacing_mm[0])["t2"]
    dwi = paint(at_dwi, body, plan.focus, plan.look, ("adc", "highb"), dwi_grid.spacing_mm[0])
    voxels = {
        "t2": magnitude(t2, session.gain_t2, session.noise_t2 * _GLAND_T2, session.bias, noise_rngs[0]),
        "highb": magnitude(
            dwi["highb"], 2 * session.gain_highb, session.noise_highb * _GLAND_HIGHB, session.bias, noise_rngs[1]
        ),
        "adc": diffusion_map(dwi["adc"], session.noise_adc, noise_rngs[2]),
    }
    views = {name: _volume(name, voxels[name], t2_grid if name == "t2" else dwi_grid) for name in MODALITIES}
    gland = gland_distance(at_t2, body) < 0
    masks = {"gland": Mask(gland, t2_grid, "SYNTHETIC gland", segments={1: "gland"})}
    lesion = gland & (ellipsoid(at_t2, plan.focus.centre_mm, plan.focus.half_axes_mm) < 0)
    voxel_ml = math.prod(t2_grid.spacing_mm) / 1000
    if grade:
        masks["lesion"] = Mask(lesion, t2_grid, "SYNTHETIC lesion", segments={1: "lesion"})
    volume_ml = round(float(gland.sum()) * voxel_ml, 3)
    truth = _truth(body, plan, session, volume_ml, float(lesion.sum()) * voxel_ml)
    return ProstateExam(id, views, masks, grade, volume_ml, truth)


def check_size(size: str) -> None:
    """Raise InputError for a size that is not known."""
    if size not in PROTOCOLS:
        raise InputError(f"size: expected {' or '.join(get_args(Size))}, got {size!r}.")


def write_prostate_cohort(
    folder: str | Path, cases: int, seed: int, *, size: Size = "small", progress: Progress | None = None
) -> Path:
    """Write a synthetic cohort: `cases/<id>/*.nii.gz`, `truth*.csv`, `README.txt` and, last, `manifest.csv`.

    Returns:
        the manifest's path; it is written only when all images are there.

    Raises:
        InputError: no cases asked for, an unknown size, or the folder cannot be written.
    """
    if cases < 1:
        raise InputError(f"A cohort needs at least one case, got {cases}.")
    check_size(size)
    folder = Path(folder)
    write_text(folder / "README.txt", _README.format(cases=cases, seed=seed, size=size, version=PHANTOM_VERSION))
    (folder / "manifest.csv").unlink(missing_ok=True)  # an older one must not vouch for a cohort half rewritten
    rows, truth = [], []
    for number, (patient, scan, grade) in enumerate(draw_patients(cases, seed)):
        name = f"prostate{number:04d}"
        if progress:
            progress(number / cases, f"synthetic prostate {number + 1} of {cases}")
        exam = prostate_exam((seed, patient), grade, id=name, size=size, scan=scan)
        images: list[tuple[str, Volume | Mask]] = [*exam.views.items(), *exam.masks.items()]
        for what, image in images:
            write_labelled(image, folder / "cases" / name / f"{what}.nii.gz", "prostate")
        rows.append(_manifest_row(exam, f"man{patient:04d}"))
        truth.append({"id": name, "patient": f"man{patient:04d}", "scan": scan, **exam.truth})
    write_truth(truth, folder / "truth.csv")
    write_drivers(folder / "truth_drivers.csv")
    return write_csv(folder / "manifest.csv", list(rows[0]), rows)


def draw_patients(cases: int, seed: int) -> list[tuple[int, int, int]]:
    """(patient, scan, grade) of every scan: one in twenty is a second one; grades' shares hold to the nearest man."""
    rng = np.random.default_rng([seed, 2**16])
    second = round(_TWICE * cases)
    patients = cases - second
    assigned, grades = np.zeros(len(SHARES)), []
    for count in range(1, patients + 1):
        grades.append(int(np.argmax(np.array(SHARES) * count - assigned)))
        assigned[grades[-1]] += 1
    rng.shuffle(grades)
    twice = set(rng.permutation(patients)[:second].tolist())
    return [(p, scan, grades[p]) for p in range(patients) for scan in range(2 if p in twice else 1)]


def _manifest_row(exam: ProstateExam, patient: str) -> dict[str, object]:
    file = f"cases/{exam.id}/{{}}.nii.gz".format
    return {
        "id": exam.id,
        "patient": patient,
        **{f"view_{name}": file(name) for name in exam.views},
        **{f"mask_{roi}": file(roi) if roi in exam.masks else "" for roi in ("gland", "lesion")},
        "label_pirads": exam.grade,
        "value_volume_ml": exam.volume_ml,
    }


def _truth(body: Body, plan: Plan, session: Session, volume_ml: float, lesion_ml: float) -> dict[str, float | str]:
    centre = np.array(session.isocentre_mm) + frame(body.tilt) @ np.array(plan.focus.centre_mm)
    shift = frame(body.tilt) @ np.zeros(3) + np.array(session.shift_mm)
    planted: dict[str, float | str] = {"grade": plan.grade, "volume_ml": volume_ml, "zone": plan.zone}
    planted |= {f"centre_{axis}_mm": round(float(v), 2) for axis, v in zip("xyz", centre, strict=True)}
    planted |= {"radius_mm": round(plan.radius_mm, 3), "focus_ml": round(lesion_ml, 4)}
    for name in ("adc", "highb", "t2", "grain", "field"):
        planted[f"strength_{name}"] = round(getattr(plan, f"strength_{name}"), 4)
    planted["coarse"] = round(plan.coarse, 4)
    for name in ("gain_t2", "gain_highb", "noise_t2", "noise_highb", "noise_adc"):
        planted[name] = round(getattr(session, name), 4)
    return planted | {f"shift_{axis}_mm": round(float(v), 3) for axis, v in zip("xyz", shift, strict=True)}


def _volume(modality: str, voxels: np.ndarray, grid: Geometry) -> Volume:
    what = {"t2": "T2", "highb": "high-b diffusion", "adc": "ADC"}[modality]
    note = f"SYNTHETIC prostate phantom, {what} imitated: computed, not acquired."
    return Volume(voxels, grid, name=f"SYNTHETIC prostate {modality}", source="deepradiomics phantom", notes=(note,))
