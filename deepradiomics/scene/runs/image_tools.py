"""Segment or register images from any module: runs that the logics of all modules share.

    logic = ICHLatentFeaturesLogic()                      # or that of any other module
    nodes = logic.segment(volume, "run/bundle")           # a bundle, or an nnU-Net v2 model folder; blocks
    laid = logic.register(fixed, moving, transform="rigid")
    logic.start_segment(volume, "run/bundle", on_finished=print)   # in the background

The child runs `deepradiomics segment` or `deepradiomics register`; the scene is touched only when it has succeeded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer

from deepradiomics.errors import InputError
from deepradiomics.files.results import read_object
from deepradiomics.images import read_mask, read_volume
from deepradiomics.options import check_keys
from deepradiomics.prepare.affine import AffineTransform
from deepradiomics.scene.job.job import Job
from deepradiomics.scene.job.runner import Runner, Work
from deepradiomics.scene.nodes.atomic import all_or_nothing
from deepradiomics.scene.nodes.map_place import put_in_place, reference_place
from deepradiomics.scene.nodes.placement import RAS_LPS, matrix_of
from deepradiomics.scene.nodes.segments import SegmentLook, add_segments
from deepradiomics.scene.nodes.volumes import node_from_volume
from deepradiomics.scene.runs.arguments import absolute, arguments
from deepradiomics.scene.runs.node_files import check_given, write_image
from deepradiomics.scene.tree.folder import reference_inputs
from deepradiomics.scene.tree.provenance import stamp

HAEMATOMA = ("haematoma", (0.86, 0.08, 0.10))
KIND_SEGMENTED, KIND_REGISTERED = "segmented", "registration"
BACKENDS = ("auto", "cpu", "gpu")
TRANSFORMS = ("rigid", "affine")
SEGMENT, REGISTER = ("flips", "largest", "device"), ("metric", "seed", "device")  # further options of the commands


@dataclass(frozen=True, eq=False)
class SegmentedNodes:
    """What `segment` adds to the scene.

    Attributes
    ----------
    segmentation, segment_id
        Segmentation node and the ID of its one segment; None and "" where the network found nothing.
    volume_ml, abc2_ml
        Volume of the segment, and ABC/2 of its largest part beside it; None where the run does not say.
    notes
        What must be said of image and segment.
    parts
        Number of its parts that do not touch.
    """

    segmentation: Any
    segment_id: str
    volume_ml: float | None
    abc2_ml: float | None
    notes: tuple[str, ...] = ()
    parts: int = 1


@dataclass(frozen=True, eq=False)
class RegisteredNodes:
    """What `register` adds to the scene.

    Attributes
    ----------
    transform
        Linear transform node: put above the moving volume, it brings that onto the fixed one.
    volume
        The moving volume on the fixed one's grid, following the fixed one's transform.
    metric, metric_value, backend
        Which similarity was reached, how large it is, and where it was computed.
    warnings
        Why the registration may have failed, one sentence each.
    """

    transform: Any
    volume: Any
    metric: str
    metric_value: float
    backend: str
    warnings: tuple[str, ...] = ()


class ImageTools(Runner):
    """The logic of each module adds its own runs to these two; one run at a time.

    Each kind of run has two methods: one waits for the end and returns the result; the other, whose name begins with
    ``start``, returns the job at once and reports by callbacks: ``on_progress(fraction, message)``, ``on_log(line)``,
    ``on_finished(result)``, ``on_failed(error)``, ``on_cancelled()``.

    What waits raises what went wrong, in the child's own words: InputError (a mistake in the input),
    MissingDependencyError, Cancelled or DeepRadiomicsError. Nothing has been added to the scene then.

    Parameters
    ----------
    start_child, make_timer
        How the child process is started and how it is polled; tests pass fakes.
    """

    def segment(self, volume: Any, model: Path | str, **options: Any) -> SegmentedNodes:
        """Segment a volume by a network.

        Parameters
        ----------
        volume
            Scalar volume node.
        model
            Folder of a segmentation bundle, or of an nnU-Net v2 model (whose own command must be installed).
        options
            ``flips`` (average over mirrored images), ``largest`` (keep the largest component), ``device``, ``name``
            and ``colour`` of the segment.
        """
        return self.run_and_wait(segment, (volume, model), options)  # type: ignore[no-any-return]

    def start_segment(self, volume: Any, model: Path | str, **options: Any) -> Job[Any]:
        """As `segment`, in the background."""
        return self.run_in_background(segment, (volume, model), options)

    def register(self, fixed: Any, moving: Any, **options: Any) -> RegisteredNodes:
        """Lay a volume onto another.

        Parameters
        ----------
        fixed, moving
            Scalar volume nodes; neither is changed.
        options
            ``backend`` ("auto", "cpu", "gpu"), ``transform`` ("rigid", "affine"), ``metric`` ("mi", "ncc"), ``seed``.
        """
        return self.run_and_wait(register, (fixed, moving), options)  # type: ignore[no-any-return]

    def start_register(self, fixed: Any, moving: Any, **options: Any) -> Job[Any]:
        """As `register`, in the background."""
        return self.run_in_background(register, (fixed, moving), options)


def segment(
    volume: Any,
    model: Path | str,
    *,
    name: str = HAEMATOMA[0],
    colour: tuple[float, float, float] = HAEMATOMA[1],
    **options: Any,
) -> Work:
    """A volume segmented by a network; its nodes are `SegmentedNodes`."""
    check_keys("segment", options, SEGMENT)
    check_given(volume, "volume")
    if not str(model):
        raise InputError("model: name the folder of a segmentation bundle, or of an nnU-Net v2 model.")
    places: list[Any] = []  # where the volume lay when the run began

    def build(folder: Path) -> Sequence[str]:
        image = write_image(volume, folder / "image.nrrd")
        places.append(reference_place(volume))
        return arguments(["segment", image], out=folder / "mask.nii.gz", segmenter=absolute(model), **options)

    def show(event: Mapping[str, Any], folder: Path) -> SegmentedNodes:
        mask = read_mask(folder / "mask.nii.gz")
        notes = tuple(str(note) for note in event.get("notes") or ())
        numbers = [None if event.get(key) is None else float(event[key]) for key in ("volume_ml", "abc2_ml")]
        if not mask.labels_present():
            return SegmentedNodes(None, "", numbers[0], numbers[1], ("the network found nothing to segment", *notes))
        with all_or_nothing(slicer.mrmlScene):
            looks = [SegmentLook(label, name, colour) for label in mask.labels_present()[:1]]
            node = add_segments(slicer.mrmlScene, f"{volume.GetName()} {name}", mask, looks, volume, places[-1])
            stamp(node, {}, kind=KIND_SEGMENTED, model=str(Path(model).name), volume_ml=numbers[0], abc2_ml=numbers[1])
            reference_inputs(node, {"image": volume})
        segment_id = node.GetSegmentation().GetSegmentIdBySegmentName(name)
        return SegmentedNodes(node, segment_id, numbers[0], numbers[1], notes, max(1, len(event.get("lesions") or ())))

    return Work(build, show, images=(volume,))


def register(
    fixed: Any,
    moving: Any,
    *,
    backend: str = "auto",
    transform: str = "rigid",
    **options: Any,
) -> Work:
    """A volume laid onto another; its nodes are `RegisteredNodes`."""
    check_keys("register", options, REGISTER)
    check_given(fixed, "fixed")
    check_given(moving, "moving")
    if fixed is moving:
        raise InputError(f"fixed and moving are the same volume, '{fixed.GetName()}': choose two.")
    for option, value, known in (("backend", backend, BACKENDS), ("transform", transform, TRANSFORMS)):
        if value not in known:
            raise InputError(f"{option}: expected one of {', '.join(known)}, got {value!r}.")
    places: list[Any] = []

    def build(folder: Path) -> Sequence[str]:
        images = [write_image(fixed, folder / "fixed.nrrd"), write_image(moving, folder / "moving.nrrd")]
        places.append(reference_place(fixed))
        return arguments(["register", *images], out=folder / "result", backend=backend, transform=transform, **options)

    def show(event: Mapping[str, Any], folder: Path) -> RegisteredNodes:
        return show_registration(folder / "result", fixed, moving, slicer.mrmlScene, place=places[-1])

    return Work(build, show, images=(fixed, moving))


def show_registration(folder: Path, fixed: Any, moving: Any, scene: Any, *, place: Any = None) -> RegisteredNodes:
    """Add the output of `deepradiomics register` to the scene; `place`: where `fixed` lay when the run began.

    Raises InputError if the folder is incomplete or damaged; then nothing is left in the scene.
    """
    about = read_object(folder / "registration.json")
    affine = AffineTransform.read(folder / "transform.tfm")
    image = read_volume(folder / "registered.nii.gz")
    name = f"{moving.GetName()} to {fixed.GetName()}"
    with all_or_nothing(scene):
        node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
        # ITK's transform leads from the fixed to the moving image; above the moving volume that is "from parent".
        node.SetMatrixTransformFromParent(matrix_of(RAS_LPS @ affine.array @ RAS_LPS))
        volume = node_from_volume(image, scene, f"{moving.GetName()} registered")
        put_in_place(volume, image.geometry, fixed, place)
        volume.CreateDefaultDisplayNodes()
        more = {"kind": KIND_REGISTERED} | {key: about[key] for key in ("metric", "metric_value") if key in about}
        for result in (node, volume):
            stamp(result, about, **more)
            reference_inputs(result, {"fixed": fixed, "moving": moving})
    metric, value = str(about.get("metric", "")), float(about.get("metric_value", "nan"))
    quality = about.get("quality")
    warnings = tuple(map(str, quality.get("warnings", ()))) if isinstance(quality, dict) else ()
    return RegisteredNodes(node, volume, metric, value, str(about.get("backend", "")), warnings)
