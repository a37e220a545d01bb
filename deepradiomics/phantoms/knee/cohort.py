"""Synthetic knee examinations with planted lesions, one at a time or as a cohort with its manifest and its truth.

    anatomy (tissues) ─► grey levels a view ─► lesions ─► scanner (pose, thick slices, blur, bias, noise) ─► Volume

Everything is labelled SYNTHETIC: folder, file headers, notes. Nothing learned here means anything clinically.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_text
from deepradiomics.files.tables import write_csv
from deepradiomics.images import VIEWS, Case, Mask, Volume
from deepradiomics.phantoms.knee.anatomy import Body, draw_tissues
from deepradiomics.phantoms.knee.lesions import PLANS, ROI_SIZE_MM, Group, Lesion, add_lesion, plan_lesion
from deepradiomics.phantoms.knee.scanner import PROTOCOLS, scan, texture_field, world_image
from deepradiomics.phantoms.shared import write_labelled
from deepradiomics.progress import Progress

KNEE_TASKS = ("abnormality", "acl", "meniscus")
PHANTOM_VERSION = "1"  # raise when the same seed gives other images

# Which lesions a patient has, and the share of patients: three in eight healthy, three in ten with each tear.
_COMBINATIONS: tuple[tuple[tuple[str, ...], float], ...] = (
    ((), 0.38),
    (("acl",), 0.13),
    (("meniscus",), 0.13),
    (("acl", "meniscus"), 0.12),
    (("abnormality",), 0.14),
    (("abnormality", "acl"), 0.05),
    (("abnormality", "meniscus"), 0.05),
)
_README = """SYNTHETIC DATA - NOT A PATIENT

These knees were computed by DeepRadiomics ("deepradiomics phantom knee --cases {cases} --seed {seed}", phantom version
{version}). They were never acquired, show nobody, and nothing learned from them means anything clinically.

cases/<id>/axial.nii.gz      PD with fat suppression imitated
cases/<id>/coronal.nii.gz    T1 imitated
cases/<id>/sagittal.nii.gz   PD imitated; the physical space of truth.csv
cases/<id>/region_<view>.nii.gz  the region of interest on that view's grid (label 1)
manifest.csv                 images, regions and labels (tasks abnormality, acl, meniscus; 1 = lesion planted)
truth.csv                    one line per planted lesion

truth.csv: patch counts 1 to 8 over the 2 x 2 x 2 grid of the region of interest (the middle 50 % of the slices, 30 % of
the height and 50 % of the width of the sagittal view): right to left slowest, then superior to inferior, anterior to
posterior fastest. Centres are LPS millimetres. contrast_<view> is the strength of the lesion's texture in that view.
A patient is abnormal with any lesion; the task "abnormality" also has lesions of its own. Groups A and B of a task
differ in patch and texture. All knees are right knees.
"""


@dataclass(frozen=True, eq=False)
class KneeExam:
    """A synthetic examination: its images, its planted lesions, and the labels that follow from them."""

    case: Case
    lesions: tuple[Lesion, ...]
    labels: Mapping[str, int]


def knee_exam(
    seed: int | Sequence[int],
    lesions: Sequence[tuple[str, Group]] = (),
    *,
    id: str = "synthetic",
    strength: float = 1.0,
) -> KneeExam:
    """One synthetic knee in three views.

    Args:
        seed: decides everything; the same seed gives the same voxels.
        lesions: (task, group) of each lesion to plant; none gives a healthy knee.
        id: the case's name.
        strength: factor on all lesions' contrast.

    Raises:
        InputError: an unknown task or group.

    Example:
        >>> exam = knee_exam(1, [("acl", "A"), ("meniscus", "B")])
        >>> exam.labels["acl"], exam.lesions[0].patch, sorted(exam.case.views)
        (1, 2, ['axial', 'coronal', 'sagittal'])
    """
    for task, group in lesions:
        if (task, group) not in PLANS:
            known = ", ".join(f"{t} {g}" for t, g in PLANS)
            raise InputError(f"Case {id}: no lesion {task} {group} can be planted; known are {known}.")
    key = [seed] if isinstance(seed, int) else list(seed)
    shape_rng, texture_rng, lesion_rng, *stack_rngs = np.random.default_rng(key).spawn(3 + len(VIEWS))
    body = Body.draw(shape_rng)
    isocentre = np.round(shape_rng.uniform((-20, -15, -15), (20, 15, 15)), 1)
    tissue, grain = draw_tissues(body, shape_rng), texture_field(texture_rng)
    roughness = float(texture_rng.uniform(0.85, 1.15))
    planted = [plan_lesion(task, group, lesion_rng) for task, group in lesions]
    texture_keys = [int(k) for k in lesion_rng.integers(0, 2**31, len(planted))]

    views = {}
    for view, rng in zip(VIEWS, stack_rngs, strict=True):
        image = world_image(view, tissue, grain, roughness)
        for lesion, texture_key in zip(planted, texture_keys, strict=True):
            amplitude = PROTOCOLS[view].lesion * lesion.contrast[view] * strength
            add_lesion(image, lesion, amplitude, (texture_key,))
        views[view] = scan(view, image, isocentre, rng, moved=view != "sagittal")
    truth = tuple(replace(lesion, centre_mm=_shifted(lesion.centre_mm, isocentre)) for lesion in planted)
    tasks = {lesion.task for lesion in planted}
    labels = {task: int(task in tasks or (task == "abnormality" and bool(tasks))) for task in KNEE_TASKS}
    return KneeExam(Case(id, views), truth, labels)


def write_knee_cohort(folder: str | Path, cases: int, seed: int, *, progress: Progress | None = None) -> Path:
    """Write a synthetic cohort: `cases/<id>/<view>.nii.gz`, `truth.csv`, `README.txt` and, last, `manifest.csv`.

    Returns:
        the manifest's path; it is written only when all images are there.

    Raises:
        InputError: no cases asked for, or the folder cannot be written.
    """
    if cases < 1:
        raise InputError(f"A cohort needs at least one case, got {cases}.")
    folder = Path(folder)
    write_text(folder / "README.txt", _README.format(cases=cases, seed=seed, version=PHANTOM_VERSION))
    (folder / "manifest.csv").unlink(missing_ok=True)  # an older one must not vouch for a cohort half rewritten
    exams: list[tuple[str, dict[str, int]]] = []
    truth: list[tuple[str, Lesion]] = []
    for number, lesions in enumerate(_draw_lesions(cases, seed)):
        name = f"knee{number:04d}"
        if progress:
            progress(number / cases, f"synthetic knee {number + 1} of {cases}")
        exam = knee_exam((seed, number), lesions, id=name)
        for view, volume in exam.case.views.items():
            write_labelled(volume, folder / "cases" / name / f"{view}.nii.gz", "knee")
            write_labelled(region_of_interest(volume), folder / "cases" / name / f"region_{view}.nii.gz", "knee")
        exams.append((name, dict(exam.labels)))
        truth += [(name, lesion) for lesion in exam.lesions]
    _write_truth(truth, folder / "truth.csv")
    return _write_manifest(exams, folder / "manifest.csv")


def region_of_interest(volume: Volume) -> Mask:
    """The box around the joint's middle in which lesions are planted, on a view's grid; its middle is the stack's."""
    geometry = volume.geometry
    indices = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.size), indexing="ij"), axis=-1)
    points = geometry.index_to_physical(indices.reshape(-1, 3)) - np.array(geometry.centre_mm)
    inside = (np.abs(points) <= np.array(ROI_SIZE_MM) / 2).all(axis=1).reshape(geometry.size)
    return Mask(inside.T.astype(np.uint8), geometry, "SYNTHETIC knee region", segments={1: "joint"})


def _draw_lesions(cases: int, seed: int) -> list[list[tuple[str, Group]]]:
    """Lesions of every case: shares as planned to the nearest case, groups A and B in turn, order shuffled."""
    rng = np.random.default_rng([seed, 2**16])
    shares = np.array([share for _, share in _COMBINATIONS])
    assigned, chosen = np.zeros(len(shares)), []
    for count in range(1, cases + 1):
        pick = int(np.argmax(shares * count - assigned))
        assigned[pick] += 1
        chosen.append(_COMBINATIONS[pick][0])
    rng.shuffle(chosen)
    turn = {task: int(rng.integers(2)) for task in KNEE_TASKS}
    drawn = []
    for tasks in chosen:
        lesions: list[tuple[str, Group]] = []
        for task in tasks:
            lesions.append((task, "A" if turn[task] % 2 == 0 else "B"))
            turn[task] += 1
        drawn.append(lesions)
    return drawn


def _write_truth(truth: list[tuple[str, Lesion]], path: Path) -> None:
    header = ["id", "task", "group", "patch", "centre_x_mm", "centre_y_mm", "centre_z_mm", "radius_mm", "texture"]
    rows = []
    for name, lesion in truth:
        place = [name, lesion.task, lesion.group, lesion.patch, *lesion.centre_mm, lesion.radius_mm, lesion.texture]
        rows.append([*place, *(lesion.contrast[view] for view in VIEWS)])
    write_csv(path, [*header, *(f"contrast_{view}" for view in VIEWS)], rows)


def _write_manifest(exams: list[tuple[str, dict[str, int]]], path: Path) -> Path:
    rows = []
    for name, labels in exams:
        files = [f"cases/{name}/{part}{view}.nii.gz" for part in ("", "region_") for view in VIEWS]
        rows.append([name, *files, *(labels[task] for task in KNEE_TASKS)])
    regions, tasks = (f"mask_{view}" for view in VIEWS), (f"label_{task}" for task in KNEE_TASKS)
    return write_csv(path, ["id", *VIEWS, *regions, *tasks], rows)


def _shifted(centre: tuple[float, float, float], isocentre: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (round(float(c + i), 2) for c, i in zip(centre, isocentre, strict=True))
    return x, y, z
