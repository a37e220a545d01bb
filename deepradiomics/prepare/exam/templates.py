"""Templates: what the registered training images of each view look like on average."""

from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import atomic_folder, read_json, write_json
from deepradiomics.files.names import path_part
from deepradiomics.files.reading import reads
from deepradiomics.images.case import Case
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.volume import Volume
from deepradiomics.prepare.affine import AffineTransform
from deepradiomics.prepare.exam.recipe import Recipe
from deepradiomics.prepare.intensity import grey_scale
from deepradiomics.prepare.orientation import canonical_grid
from deepradiomics.prepare.registration.register import register
from deepradiomics.prepare.resample import field_of_view, resample
from deepradiomics.prepare.usable import usable_views
from deepradiomics.progress import Progress, part
from deepradiomics.public import one_line


@one_line
@dataclass(frozen=True, eq=False)
class Templates:
    """One average image for each view, all on one grid.

    Raises:
        InputError: there is no view, or the grids differ.
    """

    views: Mapping[str, Volume]

    def __post_init__(self) -> None:
        if not self.views:
            raise InputError("Templates: at least one view is needed.")
        for name, volume in self.views.items():
            if not volume.geometry.is_close(self.grid):
                raise InputError(f"Templates: the {name} template lies on another grid than the others.")

    @property
    def grid(self) -> Geometry:
        """The common grid."""
        return next(iter(self.views.values())).geometry

    def view(self, name: str) -> Volume:
        """Return the template of a view, or raise InputError when there is none."""
        if name not in self.views:
            raise InputError(f"Templates: there is no {name} template; present: {', '.join(self.views)}.")
        return self.views[name]

    def write(self, folder: str | Path) -> None:
        """Write ``<view>.npy`` and ``templates.json`` into a folder (made anew; whole or not at all)."""
        with atomic_folder(folder) as temporary:
            self.write_into(temporary)

    def write_into(self, folder: Path) -> None:
        """As :meth:`write`, into a folder that is there."""
        for name in self.views:
            path_part(name, "Templates: the view")
        for name, volume in self.views.items():
            np.save(folder / f"{name}.npy", volume.voxels, allow_pickle=False)
        write_json(folder / "templates.json", {"views": list(self.views), "grid": self.grid.to_dict()})

    @classmethod
    @reads("templates.json")
    def read(cls, folder: str | Path) -> "Templates":
        """Inverse of :meth:`write`."""
        folder = Path(folder)
        if not (folder / "templates.json").is_file():
            raise InputError(f"{folder}: no templates.json here. Give the folder that Templates.write made.")
        info = read_json(folder / "templates.json")
        grid = Geometry.from_dict(info["grid"])
        for name in info["views"]:
            path_part(name, f"{folder}: templates.json: the view")
        return cls({v: Volume(np.load(folder / f"{v}.npy", allow_pickle=False), grid, v) for v in info["views"]})


def build_templates(
    cases: Iterable[Case], recipe: Recipe, *, iterations: int = 1, progress: Progress | None = None
) -> Templates:
    """Average the cases' views after affine registration.

    The first template is the average after the cases' centres were laid on top of each other, on the grid of the
    first case's reference view. Each iteration registers every view of every case to the current template of that
    view and averages again, voxel by voxel over the images that see the voxel.

    Args:
        cases: training cases only, never test cases. Gone through ``iterations + 1`` times: an iterable that loads
            each case when asked saves memory; a one-shot generator is turned into a list first.
        recipe: which views, grid and backend.
        iterations: registrations of the whole cohort; 0 leaves the centred average.
        progress: called with fraction and message.

    Raises:
        InputError: no case, a missing view, or an image that cannot be normalised; the message names the case.
    """
    if iter(cases) is cases:
        cases = list(cases)
    templates = _average(cases, recipe, None, part(progress, 0.0, 1 / (iterations + 1)))
    for i in range(iterations):
        share = part(progress, (i + 1) / (iterations + 1), (i + 2) / (iterations + 1))
        templates = _average(cases, recipe, templates, share)
    return templates


def _average(cases: Iterable[Case], recipe: Recipe, current: Templates | None, progress: Progress) -> Templates:
    """Average of all cases, laid on the current templates, or centre on centre where there are none yet."""
    grid = current.grid if current else None
    total = len(cases) if isinstance(cases, Sized) else 0
    sums: dict[str, np.ndarray] = {}
    counts: dict[str, np.ndarray] = {}
    for number, case in enumerate(cases):
        progress(number / total if total else 0.0, f"Template: case {case.id}")
        volumes = usable_views(case, recipe.views)
        reference = volumes[recipe.reference_view].geometry
        if grid is None:
            grid = canonical_grid(reference, recipe.reference_plane).resized(recipe.resized_shape[::-1])
        for view, volume in volumes.items():
            try:
                transform = _to_case(current, grid, reference, volume, view, recipe)
            except InputError as error:
                raise InputError(f"Case {case.id}, {view} view: {error}") from error
            covered = field_of_view(grid, volume.geometry, transform)
            voxels = resample(volume, grid, transform=transform).voxels
            voxels = grey_scale(voxels, "zscore", inside=covered, name=f"Case {case.id}, {view} view").apply(voxels)
            sums[view] = sums.get(view, 0.0) + np.where(covered, voxels, 0.0)
            counts[view] = counts.get(view, 0) + covered.astype(np.int32)
    if grid is None:
        raise InputError("Templates: no case was given.")
    averages = {}
    for view in recipe.views:
        mean = sums[view] / np.maximum(counts[view], 1)
        darkest = mean[counts[view] > 0].min()
        mean[counts[view] == 0] = darkest  # where no image reached
        averages[view] = Volume(mean.astype(np.float32), grid, view)
    return Templates(averages)


def _to_case(
    current: Templates | None, grid: Geometry, reference: Geometry, volume: Volume, view: str, recipe: Recipe
) -> AffineTransform:
    if current is None:
        return AffineTransform.translation(np.array(reference.centre_mm) - np.array(grid.centre_mm))
    # A case that does not fit blurs the average; it is told when the case itself is prepared.
    return register(current.view(view), volume, backend=recipe.registration_backend, check=False).transform
