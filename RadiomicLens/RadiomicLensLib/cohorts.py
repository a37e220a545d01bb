"""What the chosen cohort offers: its modalities, its regions, how many cases; or what is wrong with it."""

from dataclasses import dataclass
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.scene.scene_cohort import SceneCase, cases_of_scene, shared

from .choices import CasesSource

ELLIPSOID = "ellipsoid"


@dataclass(frozen=True)
class Cohort:
    """What there is to choose from.

    Attributes
    ----------
    rois
        Names of regions; the ellipsoid, which needs no contour, is always the last.
    incomplete
        Cases that lack a modality that others have.
    problem
        What is wrong; empty when the cohort can be used.
    """

    cases: int = 0
    modalities: tuple[str, ...] = ()
    rois: tuple[str, ...] = (ELLIPSOID,)
    incomplete: tuple[str, ...] = ()
    problem: str = ""


class CohortReader:
    """Reads the cohort anew only when it has changed: the panel asks at every touch of a control."""

    def __init__(self) -> None:
        self._seen: tuple[str, float] | None = None
        self._read = Cohort()

    def read(self, parameters) -> Cohort:
        """The cohort that the parameters name."""
        if parameters.casesSource is CasesSource.SCENE:
            return cohort_of_scene()
        path = Path(parameters.manifest) if parameters.manifest else None
        if path is None or not path.is_file():
            return Cohort(problem=_("Choose the manifest (CSV)."))
        seen = (str(path), path.stat().st_mtime)
        if seen != self._seen:
            self._seen, self._read = seen, cohort_of_manifest(path)
        return self._read


def cohort_of_manifest(path: Path) -> Cohort:
    """What a manifest offers."""
    from deepradiomics.cohort.manifest import read_manifest

    try:
        manifest = read_manifest(path, need_labels=False)
    except DeepRadiomicsError as error:
        return Cohort(problem=str(error))
    masks = ("mask",) if any(row.mask for row in manifest.rows) else ()
    incomplete = tuple(row.id for row in manifest.rows if len(row.views) < len(manifest.views))
    return Cohort(len(manifest), tuple(manifest.views), (*manifest.rois, *masks, ELLIPSOID), incomplete)


def scene_cases() -> tuple[SceneCase, ...]:
    """The cases in Slicer's scene."""
    return cases_of_scene(slicer.mrmlScene)


def cohort_of_scene() -> Cohort:
    """What the scene offers."""
    try:
        cases = scene_cases()
    except DeepRadiomicsError as error:
        return Cohort(problem=str(error))
    if not cases:
        return Cohort(
            problem=_("No case in the scene: put each patient's volumes and segmentation in a folder (Data).")
        )
    modalities = tuple(shared([case.volumes for case in cases]))
    incomplete = tuple(case.name for case in cases if len(case.volumes) < len(modalities))
    return Cohort(len(cases), modalities, (*shared([case.rois for case in cases]), ELLIPSOID), incomplete)


def cohort_words(cohort: Cohort) -> str:
    """The cohort in a line or two; what is wrong with one is said above Apply."""
    if cohort.problem:
        return ""
    text = _("{cases} cases; modalities: {modalities}").format(
        cases=cohort.cases, modalities=", ".join(cohort.modalities)
    )
    if cohort.incomplete:
        shown = ", ".join(cohort.incomplete[:3]) + (", …" if len(cohort.incomplete) > 3 else "")
        text += "\n" + _("{count} lack a modality: {shown}").format(count=len(cohort.incomplete), shown=shown)
    return text
