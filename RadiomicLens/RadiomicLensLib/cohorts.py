"""What the chosen cohort offers: its modalities, its regions, its number of cases; or what is wrong with it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from deepradiomics.cohort.manifest import read_manifest
from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.scene.runs.scene_cohort import SceneCase, cases_of_scene, shared

from .choices import CasesSource

ELLIPSOID = "ellipsoid"


@dataclass(frozen=True)
class Cohort:
    """What there is to choose from.

    Attributes
    ----------
    rois
        Names of regions; the ellipsoid, which needs no contour, is always the last.
    views, regions
        What each case has, by its name.
    problem
        What is wrong; empty when the cohort can be used.
    """

    modalities: tuple[str, ...] = ()
    rois: tuple[str, ...] = (ELLIPSOID,)
    views: Mapping[str, frozenset[str]] = field(default_factory=dict)
    regions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    problem: str = ""

    @property
    def cases(self) -> int:
        return len(self.views)

    def lacking(self, modalities: Collection[str], roi: str) -> tuple[str, ...]:
        """The cases that lack one of these modalities or the region."""
        without = (name for name, views in self.views.items() if not set(modalities) <= views)
        unmarked = () if roi == ELLIPSOID else (name for name, rois in self.regions.items() if roi not in rois)
        return tuple(dict.fromkeys((*without, *unmarked)))


class CohortReader:
    """Reads the cohort anew only when it has changed: the panel asks at every touch of a control."""

    def __init__(self) -> None:
        self._state: tuple[str, float] | None = None
        self._read = Cohort()

    def read(self, parameters) -> Cohort:
        """The cohort that the parameters name."""
        if parameters.casesSource is CasesSource.SCENE:
            return cohort_of_scene()
        path = Path(parameters.manifest) if parameters.manifest else None
        if path is None or not path.is_file():
            return Cohort(problem=_("Choose the manifest (CSV)."))
        state = (str(path), path.stat().st_mtime)
        if state != self._state:
            self._state, self._read = state, cohort_of_manifest(path)
        return self._read


def cohort_of_manifest(path: Path) -> Cohort:
    """What a manifest offers."""
    try:
        manifest = read_manifest(path, need_labels=False)
    except DeepRadiomicsError as error:
        return Cohort(problem=str(error))
    masks = ("mask",) if any(row.mask for row in manifest.rows) else ()
    regions = {row.id: frozenset((*row.masks, *(("mask",) if row.mask else ()))) for row in manifest.rows}
    views = {row.id: frozenset(row.views) for row in manifest.rows}
    return Cohort(tuple(manifest.views), (*manifest.rois, *masks, ELLIPSOID), views, regions)


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
    return Cohort(
        tuple(shared([case.volumes for case in cases])),
        (*shared([case.rois for case in cases]), ELLIPSOID),
        {case.name: frozenset(case.volumes) for case in cases},
        {case.name: frozenset(case.rois) for case in cases},
    )


def cohort_text(cohort: Cohort, modalities: Collection[str], roi: str) -> str:
    """The cohort in a line or two; what is wrong with it stands above Apply."""
    if cohort.problem:
        return ""
    text = _("Cases: {cases}; modalities: {modalities}").format(
        cases=cohort.cases, modalities=", ".join(cohort.modalities)
    )
    lacking = cohort.lacking(modalities, roi)
    if lacking:
        shown = ", ".join(lacking[:3]) + (", …" if len(lacking) > 3 else "")
        text += "\n" + _("Without a modality or the region: {count} ({shown})").format(count=len(lacking), shown=shown)
    return text
