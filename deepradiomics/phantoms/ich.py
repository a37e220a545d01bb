"""Synthetic head CTs with haematomas: baseline and follow-up, masks, expansion, mRS, age, sex, site, truth.

    plan (patient) ─► head painted at each visit's voxels ─► haematomas ─► scanner (kernel, noise) ─► Volume, Mask

Everything is labelled SYNTHETIC: folder, file headers, notes. Nothing learned here means anything clinically.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.files import atomic_file, write_text
from deepradiomics.images import Mask, Volume, to_sitk
from deepradiomics.images.nifti import require_written
from deepradiomics.phantoms.ich_haematoma import Surface, paint_haematoma, pushed, surface
from deepradiomics.phantoms.ich_head import Head, paint_head
from deepradiomics.phantoms.ich_plan import Plan
from deepradiomics.phantoms.ich_scanner import PROTOCOLS, Size, Visit, acquire, head_points, visit_grid
from deepradiomics.progress import Progress

PHANTOM_VERSION = "1"  # raise when the same seed gives other images
_README = """SYNTHETIC DATA - NOT A PATIENT

These head CTs were computed by DeepRadiomics ("deepradiomics phantom ich --cases {cases} --seed {seed} --size {size}",
phantom version {version}). They were never acquired, show nobody, and nothing learned from them means anything
clinically.
"""


@dataclass(frozen=True, eq=False)
class IchExam:
    """A synthetic patient: CT and mask at baseline and, unless left out, at follow-up.

    ``motion`` (4, 4) maps points of the baseline's LPS space to the follow-up's, rigidly.
    """

    id: str
    baseline: Volume
    mask: Mask
    followup: Volume | None
    mask_followup: Mask | None
    motion: NDArray[np.float64] | None
    plan: Plan


def ich_exam(
    seed: int | Sequence[int], *, id: str = "synthetic", followup: bool = True, size: Size = "small"
) -> IchExam:
    """One synthetic patient with an intracerebral haematoma.

    Args:
        seed: decides everything; the same seed gives the same voxels.
        id: the case's name.
        followup: also draw the CT of about a day later.
        size: "small" (2 × 2 × 3 mm) or "clinical" (0.5 × 0.5 × 5 mm).

    Raises:
        InputError: an unknown size.
    """
    check_size(size)
    key = [seed] if isinstance(seed, int) else list(seed)
    plan_rng, head_rng, visit_rng, noise_rng, later_rng = np.random.default_rng(key).spawn(5)
    plan = Plan.draw(plan_rng)
    head = Head.draw(plan.age, plan.sex == "M", head_rng)
    first = Visit.draw(visit_rng)
    baseline, mask = _scan(plan, head, first, size, noise_rng, followup=False)
    if not followup:
        return IchExam(id, baseline, mask, None, None, None, plan)
    second = Visit.draw(visit_rng, first)
    later, mask_later = _scan(plan, head, second, size, later_rng, followup=True)
    motion = second.pose @ np.linalg.inv(first.pose)
    return IchExam(id, baseline, mask, later, mask_later, motion, plan)


def check_size(size: str) -> None:
    """Raise InputError for a size that is not known."""
    if size not in PROTOCOLS:
        raise InputError(f"size: expected {' or '.join(get_args(Size))}, got {size!r}.")


def write_ich_cohort(
    out: str | Path,
    cases: int,
    seed: int,
    *,
    followup: bool = True,
    head: Volume | None = None,
    size: Size = "small",
    progress: Progress | None = None,
) -> Path:
    """Write a synthetic cohort: `cases/<id>/*.nii.gz`, `truth.csv`, `README.txt` and, last, `manifest.csv`.

    Returns:
        the manifest's path; it is written only when all images are there.

    Raises:
        InputError: no cases asked for, an unknown size, or the folder cannot be written.
    """
    if cases < 1:
        raise InputError(f"A cohort needs at least one case, got {cases}.")
    check_size(size)
    if head is not None:
        raise InputError('head: haematomas in a real head are not available yet.')
    folder = Path(out)
    write_text(folder / "README.txt", _README.format(cases=cases, seed=seed, size=size, version=PHANTOM_VERSION))
    (folder / "manifest.csv").unlink(missing_ok=True)  # an older one must not vouch for a cohort half rewritten
    rows, truth = [], []
    for number in range(cases):
        name = f"ich-s{seed}-{number + 1:04d}"
        if progress:
            progress(number / cases, f"synthetic head {number + 1} of {cases}")
        exam = ich_exam((seed, number), id=name, followup=followup, size=size)
        files: dict[str, Volume | Mask | None] = {
            "ct": exam.baseline, "mask": exam.mask, "ct_followup": exam.followup, "mask_followup": exam.mask_followup,
        }  # fmt: skip
        for what, image in files.items():
            if image is not None:
                _write_labelled(image, folder / "cases" / name / f"{what}.nii.gz")
        rows.append(_manifest_row(exam, f"person-s{seed}-{number + 1:04d}"))
        truth.append({"id": name, **_truth(exam)})
    _write_csv(truth, folder / "truth.csv")
    _write_csv(rows, folder / "manifest.csv")
    return folder / "manifest.csv"


def _scan(
    plan: Plan, head: Head, visit: Visit, size: Size, rng: np.random.Generator, *, followup: bool
) -> tuple[Volume, Mask]:
    protocol = PROTOCOLS[size]
    grid = visit_grid(protocol, visit)
    p = head_points(grid, visit.pose)
    brain = head.brain_distance(p)
    surfaces: tuple[Surface, ...] = tuple(surface(h, head.brain_distance, followup=followup) for h in plan.haematomas)
    edge = protocol.spacing_mm[0]
    image = paint_head(p, head, edge, inner=pushed(p, surfaces, brain))
    inside = np.zeros(image.shape, bool)
    for one in surfaces:
        distance = one.distance(p, brain)
        paint_haematoma(image, p, one, distance, brain, edge)
        inside |= distance < 0
    voxels = acquire(image, plan.site, visit, protocol.spacing_mm, rng)
    note = "SYNTHETIC head CT phantom: computed, not acquired."
    volume = Volume(voxels, grid, name="SYNTHETIC head CT", source="deepradiomics phantom", notes=(note,))
    return volume, Mask(inside, grid, "SYNTHETIC haematoma", segment_names={1: "haematoma"})


def _manifest_row(exam: IchExam, patient: str) -> dict[str, object]:
    file = f"cases/{exam.id}/{{}}.nii.gz".format
    later = exam.followup is not None
    plan = exam.plan
    return {
        "id": exam.id, "patient": patient, "image": file("ct"), "view_followup": file("ct_followup") if later else "",
        "mask": file("mask"), "mask_followup": file("mask_followup") if later else "", "value_mrs": plan.mrs,
        "value_expansion_ml": round(plan.expansion_ml, 3), "value_age": plan.age, "value_nihss": plan.nihss,
        "sex": plan.sex, "site": plan.site, "encoder": "", "autoencoder": "",
    }  # fmt: skip


def _truth(exam: IchExam) -> dict[str, object]:
    plan, main = exam.plan, exam.plan.haematomas[0]
    planted: dict[str, object] = {
        "volume_ml": round(plan.volume_ml, 3), "expansion_ml": round(plan.expansion_ml, 3), "lesions": len(plan.haematomas),
        "heterogeneity": round(main.heterogeneity, 4), "swirl": round(main.swirl, 4),
        "irregularity": round(main.irregularity, 4), "oedema_mm": round(main.oedema_mm, 2),
        "density_hu": round(main.density_hu, 2), "location": main.location, "risk": round(plan.risk, 4),
        "severity": round(plan.severity, 4), "mrs": plan.mrs, "age": plan.age, "sex": plan.sex, "site": plan.site,
    }  # fmt: skip
    return planted


def _write_csv(rows: Sequence[dict[str, object]], path: Path) -> None:
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_labelled(image: Volume | Mask, path: Path) -> None:
    """NIfTI whose header's description says that it is synthetic."""
    labelled = to_sitk(image)
    labelled.SetMetaData("ITK_FileNotes", "SYNTHETIC - DeepRadiomics head CT phantom")
    with atomic_file(path) as temporary:
        try:
            sitk.WriteImage(labelled, str(temporary), useCompression=True, compressionLevel=1)
        except RuntimeError as error:
            raise InputError(
                f"{path}: the image could not be written; is there space, and may you write here?"
            ) from error
        require_written(temporary, path)
