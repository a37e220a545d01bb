"""Synthetic head CTs with haematomas: baseline and follow-up, masks, expansion, mRS, age, sex, site, truth.

    plan (patient) ─► head painted at each visit's voxels ─► haematomas ─► scanner (kernel, noise) ─► Volume, Mask

Everything is labelled SYNTHETIC: folder, file headers, notes; a real head is called real. Nothing learned here means
anything clinically.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_text
from deepradiomics.files.tables import write_csv
from deepradiomics.images import Mask, Volume
from deepradiomics.phantoms.ich.haematoma import paint_haematoma, pushed, surface
from deepradiomics.phantoms.ich.head import AIR_HU, Head
from deepradiomics.phantoms.ich.plan import AT_3, LARGEST_EXPANSION_ML, MRS, MRS_NOISE, RISK, RISK_NOISE, STEEP, Plan
from deepradiomics.phantoms.ich.real_head import RealHead
from deepradiomics.phantoms.ich.scanner import PROTOCOLS, Size, Visit, acquire, head_points, visit_grid
from deepradiomics.phantoms.shared import write_labelled
from deepradiomics.progress import Progress
from deepradiomics.words import REAL_HEAD, REAL_HEAD_HEADER, REAL_HEAD_SHORT

PHANTOM_VERSION = "1"  # raise when the same seed gives other images
_README = """{title}

{what} by DeepRadiomics
("deepradiomics phantom ich --cases {cases} --seed {seed} --size {size}{options}", phantom version {version}).
Nothing learned from them means anything clinically.

cases/<id>/ct.nii.gz             head CT at admission, Hounsfield units
cases/<id>/mask.nii.gz           the haematomas, label 1, on its grid
cases/<id>/ct_followup.nii.gz    head CT about a day later: the patient lies otherwise (rigid), its own grid
cases/<id>/mask_followup.nii.gz  the haematomas then, on that grid
manifest.csv                     files, value_mrs (0 to 6), value_expansion_ml, value_age, value_nihss, sex, site
truth.csv                        one line per patient: what was planted

What drives what (weights of standardised drivers; their squares and the noise's add up to 1):
  risk of expansion   {risk}, noise {risk_noise:.2f};
                   expansion = 3 mL * exp({steep} * (risk - {at_3})), at most {most:.0f} mL, less some shrinkage
  mRS              {mrs}, noise {mrs_noise:.2f} (volume: logarithm of that at follow-up)
About 29 % grow by more than 3 mL, 19 % by more than 6 mL, 14 % by more than 9 mL; about 40 % have mRS > 3.
heterogeneity: spread of the haematoma's density (SD 1 to 9 HU); swirl: dark areas in it (down to -26 HU); irregularity:
of its surface; all 0 to 1, drawn independently of volume. Only the main haematoma grows; every tenth patient has a
second, small one. Site (kernel, noise), sex and oedema are nuisance: drawn without looking at any outcome.
value_expansion_ml is what was planted: the masks give it but for the voxels' size.
rotation_deg and shift_mm tell how the head moved between the scans.
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
    seed: int | Sequence[int],
    *,
    id: str = "synthetic",
    followup: bool = True,
    size: Size = "small",
    head: RealHead | None = None,
) -> IchExam:
    """One synthetic patient with an intracerebral haematoma.

    Args:
        seed: decides everything; the same seed gives the same voxels.
        id: the case's name.
        followup: also draw the CT of about a day later.
        size: "small" (2 × 2 × 3 mm) or "clinical" (0.5 × 0.5 × 5 mm).
        head: a real head to put the haematomas into; None: a synthetic one.

    Raises:
        InputError: an unknown size.

    Example:
        ich_exam(1).plan.expansion_ml
    """
    check_size(size)
    key = [seed] if isinstance(seed, int) else list(seed)
    plan_rng, head_rng, visit_rng, noise_rng, later_rng = np.random.default_rng(key).spawn(5)
    plan = Plan.draw(plan_rng)
    stage = Head.draw(plan.age, plan.sex == "M", head_rng) if head is None else head
    plan = replace(plan, haematomas=tuple(replace(h, centre_mm=stage.place(h.centre_mm)) for h in plan.haematomas))
    first = Visit.draw(visit_rng)
    baseline, mask = _scan(plan, stage, first, size, noise_rng, followup=False)
    if not followup:
        return IchExam(id, baseline, mask, None, None, None, plan)
    second = Visit.draw(visit_rng, first)
    later, mask_later = _scan(plan, stage, second, size, later_rng, followup=True)
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

    Args:
        out: folder.
        cases: number of patients.
        seed: decides everything; it is in every id, so that two cohorts share no name.
        followup: False leaves out the second CT; its outcome stays in the manifest.
        head: a real head CT (HU, no haemorrhage) to put the haematomas into.
        size: as in :func:`ich_exam`.
        progress: called with fraction and message.

    Returns:
        the manifest's path; it is written only when all images are there.

    Raises:
        InputError: no cases asked for, an unknown size, no brain in ``head``, or the folder cannot be written.
    """
    if cases < 1:
        raise InputError(f"A cohort needs at least one case, got {cases}.")
    check_size(size)
    folder = Path(out)
    stage = None if head is None else RealHead(head)
    write_text(folder / "README.txt", _readme(cases, seed, size, followup, head))
    (folder / "manifest.csv").unlink(missing_ok=True)  # an older one must not vouch for a cohort half rewritten
    rows, truth = [], []
    kind, shown = ("ich", "head CT") if head is None else ("ichreal", REAL_HEAD_HEADER)
    for number in range(cases):
        name = f"{kind}-s{seed}-{number + 1:04d}"
        if progress:
            progress(number / cases, f"{'synthetic head' if head is None else 'head'} {number + 1} of {cases}")
        exam = ich_exam((seed, number), id=name, followup=followup, size=size, head=stage)
        files: dict[str, Volume | Mask | None] = {
            "ct": exam.baseline,
            "mask": exam.mask,
            "ct_followup": exam.followup,
            "mask_followup": exam.mask_followup,
        }
        for what, image in files.items():
            if image is not None:
                write_labelled(image, folder / "cases" / name / f"{what}.nii.gz", shown)
        rows.append(_manifest_row(exam, f"person-{kind}-s{seed}-{number + 1:04d}"))
        truth.append({"id": name, **_truth(exam)})
    write_csv(folder / "truth.csv", list(truth[0]), truth)
    return write_csv(folder / "manifest.csv", list(rows[0]), rows)


def _scan(
    plan: Plan, head: Head | RealHead, visit: Visit, size: Size, rng: np.random.Generator, *, followup: bool
) -> tuple[Volume, Mask]:
    protocol = PROTOCOLS[size]
    grid = visit_grid(protocol, visit)
    everywhere = head_points(grid, visit.pose)
    drawn = head.outer_distance(everywhere) < 0  # the rest is air
    x, y, z = (v[drawn] for v in np.broadcast_arrays(*everywhere))
    p = (x, y, z)
    brain = head.brain_distance(p)
    surfaces = tuple(surface(h, head.brain_distance, followup=followup) for h in plan.haematomas)
    edge = protocol.spacing_mm[0]
    tissue = head.paint(p, edge, pushed(p, surfaces, brain))
    inside = np.zeros(tissue.shape, bool)
    for outline in surfaces:
        distance = outline.distance(p, brain)
        paint_haematoma(tissue, p, outline, distance, brain, edge)
        inside |= distance < 0
    image, labels = np.full(grid.shape, AIR_HU, np.float32), np.zeros(grid.shape, np.uint8)
    image[drawn], labels[drawn] = tissue, inside
    noise = 1.0 if isinstance(head, Head) else 0.5  # a real head brings its own
    voxels = acquire(image, plan.site, visit, protocol.spacing_mm, rng, noise)
    note = "SYNTHETIC head CT phantom: computed, not acquired."
    if isinstance(head, RealHead):
        note = f"SYNTHETIC haematomas, computed, in a real head CT ({REAL_HEAD_SHORT}): treat it as a person's."
    name = "SYNTHETIC head CT" if isinstance(head, Head) else "SYNTHETIC haematoma in a REAL head CT"
    volume = Volume(voxels, grid, name=name, source="deepradiomics phantom", notes=(note,))
    return volume, Mask(labels, grid, "SYNTHETIC haematoma", segments={1: "haematoma"})


def _readme(cases: int, seed: int, size: Size, followup: bool, head: Volume | None) -> str:
    what = "These head CTs were never acquired and show nobody: they were computed"
    options = "" if followup else " --without-followup"
    title = "SYNTHETIC DATA - NOT A PATIENT"
    if head is not None:
        what = (
            f"{REAL_HEAD} ({REAL_HEAD_SHORT}).\nEvery CT here is a person's scan: face and skull can be recognised. "
            "Keep it, share it and delete it\nas the scan that it was made of. Its haematomas are not real: "
            "they were computed"
        )
        options += " --head HEAD"  # a file's name may tell who it is
        title = "SYNTHETIC HAEMATOMAS - IN THE HEAD OF A REAL PERSON"
    return _README.format(
        title=title, what=what, cases=cases, seed=seed, size=size, options=options, version=PHANTOM_VERSION,
        risk=", ".join(f"{name} {weight}" for name, weight in RISK.items()), risk_noise=RISK_NOISE,
        steep=STEEP, at_3=AT_3, most=LARGEST_EXPANSION_ML,
        mrs=", ".join(f"{name} {weight}" for name, weight in MRS.items()), mrs_noise=MRS_NOISE,
    )  # fmt: skip


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
    turned, shift = "", ""
    if exam.motion is not None:
        turned = f"{math.degrees(math.acos(min(1.0, (np.trace(exam.motion[:3, :3]) - 1) / 2))):.3f}"
        middle = np.array(exam.baseline.geometry.centre_mm)
        shift = f"{np.linalg.norm(exam.motion[:3, :3] @ middle + exam.motion[:3, 3] - middle):.3f}"
    return {
        "volume_ml": round(plan.volume_ml, 3), "expansion_ml": round(plan.expansion_ml, 3),
        "lesions": len(plan.haematomas), "heterogeneity": round(main.heterogeneity, 4), "swirl": round(main.swirl, 4),
        "irregularity": round(main.irregularity, 4), "location": main.location, "oedema_mm": round(main.oedema_mm, 2),
        "density_hu": round(main.density_hu, 2), "risk": round(plan.risk, 4), "severity": round(plan.severity, 4),
        "mrs": plan.mrs, "nihss": plan.nihss, "age": plan.age, "sex": plan.sex, "site": plan.site,
        "rotation_deg": turned, "shift_mm": shift,
    }  # fmt: skip
