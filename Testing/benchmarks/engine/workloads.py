"""The workloads of the engine's speed table: what is computed, by us and by PyRadiomics, and the goal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from Testing.benchmarks import inputs

Job = Callable[[], Any]


@dataclass(frozen=True)
class Workload:
    """One row of the table.

    Args:
        name: short name, used on the command line and in the tables.
        title: what a reader sees.
        goal_cpu, goal_gpu: how many times faster than PyRadiomics it should be, or None.
        goal_seconds_cpu, goal_seconds_gpu: within how many seconds it should finish, or None.
        goal_peak_mb: what memory it may need on the CPU, or None.
        repeats: how often PyRadiomics is timed after its first run (0: the first run is the measurement).
    """

    name: str
    title: str
    goal_cpu: float | None = None
    goal_gpu: float | None = None
    goal_seconds_cpu: float | None = None
    goal_seconds_gpu: float | None = None
    goal_peak_mb: float | None = None
    repeats: int = 2


WORKLOADS = (
    Workload("ct-107", "107 features, CT phantom at 1 mm (359,733 voxels), resampling included", 10, 100,
             goal_peak_mb=1000),
    Workload("ct-1130", "1,130 features (original, wavelet, 3 LoG), same, resampling included", 8, 100,
             goal_peak_mb=1000, repeats=1),
    Workload("ct-ich-1688", "preset ich-1688, same, resampling included", 8, 100, goal_peak_mb=1000, repeats=0),
    Workload("brain-1130", "1,130 features, brain lesion of 4,137 voxels"),
    Workload("patches", "patch pool of an exam: 3 views x (1 + 8 + 27) patches x 107 features", 20),
    Workload("patches-64", "patch pools of 64 exams in one go, per exam", None, 200),
    Workload("glcm-maps", "voxel-wise GLCM maps, 16 x 16 x 16 across lung and chest wall, 24 features", 100, 1000,
             repeats=0),
    Workload("glcm-maps-batched", "the same, PyRadiomics with voxelBatch: 100", 100, repeats=0),
    Workload("all-maps", "voxel-wise maps of all classes (93), lesion of 30,000 voxels",
             goal_seconds_cpu=60, goal_seconds_gpu=1),
)  # fmt: skip
BY_NAME = {workload.name: workload for workload in WORKLOADS}
WITHOUT_DATA = ("patches",)  # what means something on synthetic images
EXAMS = 64
GLCM_MAPS: dict[str, Any] = {"featureClass": {"glcm": None}, "setting": {"binWidth": 25}}


def parameters(name: str) -> dict[str, Any]:
    """Return the parameters of a workload as PyRadiomics takes them."""
    at_1_mm = {"setting": inputs.AT_1_MM, "featureClass": inputs.FAMILIES}
    return {
        "ct-107": {"imageType": {"Original": {}}, **at_1_mm},
        "ct-1130": {"imageType": inputs.FILTERED, **at_1_mm},
        "ct-ich-1688": {"imageType": inputs.ICH, **at_1_mm},
        "brain-1130": {"imageType": inputs.FILTERED, "featureClass": inputs.FAMILIES},
        "glcm-maps": GLCM_MAPS,
        "glcm-maps-batched": GLCM_MAPS,
        "all-maps": {"featureClass": {f: None for f in inputs.FAMILIES if f != "shape"}, "setting": {"binWidth": 25}},
    }.get(name, {})


def pair(name: str, quick: bool) -> inputs.Pair:
    """Return image and mask of a workload."""
    maker = {
        "brain-1130": inputs.brain_lesion,
        "glcm-maps": inputs.chest_wall,
        "glcm-maps-batched": inputs.chest_wall,
        "all-maps": inputs.lesion_30000,
    }
    return maker.get(name, inputs.ct_phantom)(quick)


def ours(name: str, device: str, threads: int | None, quick: bool) -> Job:
    """Return our run of a workload, inputs loaded."""
    from deepradiomics.images import Geometry, Volume
    from deepradiomics.radiomics import extract, extract_patches

    if name.startswith("patches"):
        arrays, grids = inputs.exam()
        geometry = Geometry(inputs.ROI_SHAPE[::-1], (1.0, 1.0, 3.0))
        views = [Volume(voxels, geometry, f"view {k}") for k, voxels in enumerate(arrays)]
        exams = 1 if name == "patches" else EXAMS

        def pools() -> int:
            count = 0
            for grid in grids:  # one call a grid holds the views of all exams
                many = extract_patches(views * exams, grid, device=device, threads=threads)
                count += many.values.size
            return count

        return pools
    image, mask = pair(name, quick)
    params = parameters(name)
    if "maps" in name:
        from deepradiomics.radiomics.maps import feature_maps

        return lambda: len(feature_maps(image, mask, params=params, device=device, threads=threads))
    return lambda: len(extract(image, mask, params, device=device, threads=threads))


def pyradiomics(name: str, quick: bool) -> Job | None:
    """Return PyRadiomics' run of a workload, inputs loaded; None where it is not timed."""
    import SimpleITK as sitk

    from Testing.reference.parity import oracle

    if name in ("all-maps", "patches-64"):  # it would take many minutes
        return None
    if name == "patches":
        arrays, grids = inputs.exam()
        images = [_spaced(voxels) for voxels in arrays]
        masks = [_spaced(labels) for labels in grids]
        # the one patch of the coarsest grid fills the mask, which PyRadiomics refuses: give it a border
        jobs = [
            (sitk.ConstantPad(i, [1] * 3, [1] * 3, 0), sitk.ConstantPad(m, [1] * 3, [1] * 3, 0), label)
            for i in images for m, labels in zip(masks, grids, strict=True) for label in range(1, int(labels.max()) + 1)
        ]  # fmt: skip
        return lambda: sum(len(oracle.extractor({}).execute(i, m, label=label)) for i, m, label in jobs)
    image, mask = pair(name, quick)
    params = parameters(name)
    if name.startswith("glcm-maps"):
        # its default, all voxels in one batch, holds 4,096 matrices of 50 x 50 x 13 several times
        batch = {"voxelBatch": 100} if name == "glcm-maps-batched" else {}
        params = {**params, "voxelSetting": {"kernelRadius": 1, **batch}}
        return lambda: len(oracle.extractor(params).execute(image, mask, voxelBased=True))
    return lambda: len(oracle.live_values(image, mask, params))


def _spaced(array: Any) -> Any:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(array)
    image.SetSpacing((1.0, 1.0, 3.0))
    return image
