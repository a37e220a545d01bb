"""prepare_exam: from the images of one case to the normalised region, its patches, and the way back to each image.

views ──register──► common grid ──resize──► normalise ──► region of interest ──► patches
                                                               │
                                   to_view[view]: a point of the region in that view's own scan
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images.case import Case
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.volume import Mask, Volume
from deepradiomics.prepare.affine import AffineTransform
from deepradiomics.prepare.exam.box import Box
from deepradiomics.prepare.exam.patches import patch_labels
from deepradiomics.prepare.exam.recipe import Recipe
from deepradiomics.prepare.exam.templates import Templates
from deepradiomics.prepare.intensity import grey_scale
from deepradiomics.prepare.orientation import canonical_grid
from deepradiomics.prepare.registration.register import register
from deepradiomics.prepare.resample import field_of_view, resample, resample_mask
from deepradiomics.prepare.usable import usable_views
from deepradiomics.progress import Progress, part
from deepradiomics.public import one_line


@one_line
@dataclass(frozen=True, eq=False)
class PreparedExam:
    """One case, ready for radiomics and networks. Arrays are (z, y, x) on ``roi_grid`` and read-only.

    Args:
        case_id: the case's name.
        image: (V, z, y, x) float32, normalised grey levels of each view.
        views: the V names, in the order of ``image``.
        roi_grid: where the region lies; its space is the reference view's, or the template's after registration to it.
        patches: int32, patch number 1..J of every voxel.
        foreground: bool where the segment chosen as region is, or None when the whole block counts.
        to_view: for each view, maps points of the region's space to physical points of that view's own scan.
        notes: what was assumed, filled or reformatted, one sentence each.
    """

    case_id: str
    image: np.ndarray
    views: tuple[str, ...]
    roi_grid: Geometry
    patches: np.ndarray
    foreground: np.ndarray | None
    to_view: Mapping[str, AffineTransform]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = self.roi_grid.shape
        if self.image.shape != (len(self.views), *shape) or self.patches.shape != shape:
            raise GeometryError(
                f"Case {self.case_id}: image {self.image.shape} and patches {self.patches.shape} "
                f"do not fit {len(self.views)} views on a grid (z, y, x) of {shape}."
            )
        for name in ("image", "patches", "foreground"):
            array = getattr(self, name)
            if array is not None:
                view = array.view()
                view.setflags(write=False)
                object.__setattr__(self, name, view)

    @property
    def patch_count(self) -> int:
        """Number of patches, J."""
        return int(self.patches.max())

    @property
    def roi_box(self) -> Box:
        """The region as a block, in the space of ``roi_grid``."""
        return Box.from_geometry(self.roi_grid)

    def volumes(self, scale: float = 1.0) -> tuple[Volume, ...]:
        """Return each view's region as a Volume, grey levels times ``scale`` (``Recipe.intensity_scale``)."""
        return tuple(
            Volume(self.image[v] * np.float32(scale), self.roi_grid, name) for v, name in enumerate(self.views)
        )


def prepare_exam(
    case: Case,
    recipe: Recipe,
    *,
    templates: Templates | None = None,
    roi: Box | None = None,
    roi_label: int | None = None,
    progress: Progress | None = None,
) -> PreparedExam:
    """Bring the views of a case onto one grid, normalise them, and cut out the region of interest and its patches.

    Args:
        case: needs every view of the recipe (make missing ones with :func:`~deepradiomics.prepare.reformat`).
        recipe: all choices.
        templates: needed for ``registration="template"``.
        roi: block in the reference view's physical space, at any angle. Its edges are matched to the reference
            plane's axes; its voxel counts are the recipe's, so that every case looks alike to a network.
        roi_label: label in ``case.mask``. Its voxels become the foreground and, without ``roi``, the block around
            them (along the reference plane's axes) the region.
        progress: called with fraction and message.

    With neither, the region is the central part of the reference view (``recipe.roi_fractions``).

    Raises:
        InputError: a view is missing, NaN or constant; the region lies outside a view; a patch has no foreground.
        MaskError: there is no mask, the label is absent or a single voxel.
    """
    report_part = part(progress, 0.0, 1.0)
    volumes = usable_views(case, recipe.views)
    reference = volumes[recipe.reference_view]
    if recipe.registration == "template":
        if templates is None:
            raise InputError(
                f"Case {case.id}: registration='template' needs templates. Pass those of the model's bundle, "
                "build them with build_templates, or choose registration 'off' or 'reference'."
            )
        grid = templates.grid
    else:
        grid = canonical_grid(reference.geometry, recipe.reference_plane).resized(recipe.resized_shape[::-1])
    to_view, doubts = _align(case.id, volumes, grid, recipe, templates, part(progress, 0.0, 0.8))

    report_part(0.8, "Choosing the region of interest")
    foreground_mask = _foreground_mask(case, recipe, to_view, roi_label) if roi_label is not None else None
    roi_grid = _roi_grid(case, recipe, grid, to_view, roi, roi_label, foreground_mask)
    notes = [*(note for volume in volumes.values() for note in volume.notes), *doubts]

    planes = []
    for number, (name, volume) in enumerate(volumes.items()):
        report_part(0.85 + 0.1 * number / len(volumes), f"Resampling the {name} view")
        region, note = _normalised_region(case.id, name, volume, to_view[name], grid, roi_grid, recipe)
        planes.append(region)
        notes += note

    patches = patch_labels(roi_grid.shape, recipe.patch_grid)
    foreground = None
    if foreground_mask is not None:
        mask, transform = foreground_mask
        foreground = resample_mask(mask, roi_grid, transform=transform).union()
        _require_foreground(case.id, patches, foreground, recipe)
    report_part(1.0, "Prepared")
    return PreparedExam(
        case.id, np.stack(planes), tuple(volumes), roi_grid, patches, foreground, to_view, tuple(dict.fromkeys(notes))
    )


def _align(
    case_id: str,
    volumes: Mapping[str, Volume],
    grid: Geometry,
    recipe: Recipe,
    templates: Templates | None,
    progress: Progress,
) -> tuple[dict[str, AffineTransform], list[str]]:
    """For each view, the map from the common grid's space to the view's own; and which of them may have failed."""
    if recipe.registration == "off":
        return {view: AffineTransform.identity() for view in volumes}, []
    to_view, doubts = {}, []
    for number, (view, volume) in enumerate(volumes.items()):
        if recipe.registration == "reference" and view == recipe.reference_view:
            to_view[view] = AffineTransform.identity()
            continue
        progress(number / len(volumes), f"Registering the {view} view")
        if templates is not None and recipe.registration == "template":
            fixed = templates.view(view)
        else:
            fixed = volumes[recipe.reference_view]
        try:
            registered = register(fixed, volume, backend=recipe.registration_backend)
        except InputError as error:
            raise InputError(f"Case {case_id}, {view} view: {error}") from error
        to_view[view] = registered.transform
        assert registered.quality is not None
        doubts += [f"{view} view: {warning}" for warning in registered.quality.warnings]
    return to_view, doubts


def _foreground_mask(
    case: Case, recipe: Recipe, to_view: Mapping[str, AffineTransform], label: int
) -> tuple[Mask, AffineTransform]:
    """The region of a label in the case's mask as label 1, and the map from the region's space to the mask's own space.

    A mask drawn on the grid of one view follows that view's registration; any other follows the reference view's.
    """
    if case.mask is None:
        raise MaskError(f"Case {case.id}: a segment was asked for as region of interest, but the case has no mask.")
    order = [recipe.reference_view, *recipe.views]
    drawn_on = next((v for v in order if case.views[v].geometry.is_close(case.mask.geometry)), recipe.reference_view)
    mask = case.mask
    try:
        region = mask.region(label)
    except MaskError as error:
        raise MaskError(f"Case {case.id}: {error}") from error
    return Mask(region, mask.geometry, mask.name, mask.source), to_view[drawn_on]


def _roi_grid(
    case: Case,
    recipe: Recipe,
    grid: Geometry,
    to_view: Mapping[str, AffineTransform],
    roi: Box | None,
    roi_label: int | None,
    foreground_mask: tuple[Mask, AffineTransform] | None,
) -> Geometry:
    if roi is None and foreground_mask is None:
        return grid.crop(recipe.roi_start[::-1], recipe.roi_shape[::-1])
    to_reference = to_view[recipe.reference_view]
    if roi is not None:
        box = roi if to_reference.is_identity() else roi.transformed(to_reference.inverse())
        what = "the region of interest"
    else:
        mask, to_mask = foreground_mask  # type: ignore[misc]
        along = to_mask.array[:3, :3] @ grid.axes
        u, _, vt = np.linalg.svd(along)
        box = Box.from_mask(mask, axes=u @ vt)
        box = box if to_mask.is_identity() else box.transformed(to_mask.inverse())
        what = f"the segment with label {roi_label}"
    box = box.aligned_to(grid.axes)
    in_scan = box if to_reference.is_identity() else box.transformed(to_reference)
    geometry = case.views[recipe.reference_view].geometry
    if not in_scan.overlaps(geometry):
        centre = ", ".join(f"{c:.1f}" for c in in_scan.centre_mm)
        middle = ", ".join(f"{c:.1f}" for c in geometry.centre_mm)
        raise InputError(
            f"Case {case.id}: {what} (centre {centre} mm LPS) lies outside the {recipe.reference_view} view "
            f"(centre {middle} mm, extent {', '.join(f'{e:.1f}' for e in geometry.extent_mm)} mm). "
            "Move it into the image; check whether its coordinates are RAS or LPS."
        )
    return box.grid(recipe.roi_shape)


def _normalised_region(
    case_id: str,
    name: str,
    volume: Volume,
    transform: AffineTransform,
    grid: Geometry,
    roi_grid: Geometry,
    recipe: Recipe,
) -> tuple[np.ndarray, list[str]]:
    """The view on ``roi_grid``; grey levels normalised over the whole resized view, not over the region."""
    label = f"Case {case_id}, {name} view"
    resampled = resample(volume, grid, transform=transform).voxels
    covered = field_of_view(grid, volume.geometry, transform)
    scale = grey_scale(resampled, recipe.normalisation, inside=covered, name=label)
    inside = field_of_view(roi_grid, volume.geometry, transform)
    missing = 1.0 - float(inside.mean())
    if missing == 1.0:
        raise InputError(
            f"{label}: the region of interest lies outside this view. Do the views share the scanner's coordinates? "
            "If not, use registration; otherwise move the region."
        )
    darkest = float(resampled[covered].min())
    region = resample(volume, roi_grid, transform=transform, fill=darkest).voxels
    notes = []
    if missing > 0:
        notes.append(
            f"{missing:.1%} of the region of interest lies outside the {name} view "
            "and was filled with that view's darkest value."
        )
    return scale.apply(region).astype(np.float32), notes


def _require_foreground(case_id: str, patches: np.ndarray, foreground: np.ndarray, recipe: Recipe) -> None:
    counts = np.bincount(patches[foreground], minlength=recipe.patches + 1)[1:]
    empty = [number for number, count in enumerate(counts, start=1) if not count]
    if len(empty) == recipe.patches:
        raise InputError(
            f"Case {case_id}: the segment is thinner than the voxels of the region, so none of its voxels is left. "
            "Use a larger resized_shape, or the whole box as region."
        )
    if empty:
        names = ", ".join(map(str, empty))
        grid = " x ".join(map(str, recipe.patch_grid))
        raise InputError(
            f"Case {case_id}: patch {names} of the {grid} grid holds no voxel of the segment. "
            "Use a coarser patch grid (for example 1 x 1 x 1) or the whole box as region."
        )
