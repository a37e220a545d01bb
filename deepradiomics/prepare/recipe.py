"""Recipe: every choice made between an examination's images and the region the methods see."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from deepradiomics.errors import InputError
from deepradiomics.images.case import VIEWS
from deepradiomics.prepare.box import central_start_and_size
from deepradiomics.prepare.intensity import Normalisation
from deepradiomics.prepare.patches import patch_slices

RegistrationMode = Literal["off", "reference", "template"]
RegistrationBackend = Literal["auto", "cpu", "gpu"]


@dataclass(frozen=True)
class Recipe:
    """How an examination is prepared. Shapes, fractions and grids are (z, y, x).

    Args:
        views: names of the images used, in the order the network sees them.
        reference_view: the view whose grid, planes and physical space the others join.
        registration: "off" (the scanner's coordinates are trusted), "reference" (each view is registered to the
            reference view) or "template" (each view is registered to the cohort's template of that view).
        registration_backend: "cpu" (SimpleITK), "gpu" (torch) or "auto" (gpu where CUDA is present).
        resized_shape: voxels of the common grid over the whole reference view.
        roi_fractions: central part taken as region of interest when none is given.
        patch_grid: patches along each axis.
        normalisation: "zscore", "percentile" or "none", per view over the whole resized image.
        intensity_scale: factor on normalised grey levels before radiomics, so that ``bin_width`` fits.
        bin_width: width of a grey level in radiomics, in units of normalised grey × ``intensity_scale``.
        features: name of the radiomics preset.

    Raises:
        InputError: a choice is unknown or does not fit the others; the message names it.
    """

    views: tuple[str, ...] = VIEWS
    reference_view: str = "sagittal"
    registration: RegistrationMode = "off"
    registration_backend: RegistrationBackend = "cpu"
    resized_shape: tuple[int, int, int] = (32, 128, 128)
    roi_fractions: tuple[float, float, float] = (0.5, 0.3, 0.5)
    patch_grid: tuple[int, int, int] = (2, 2, 2)
    normalisation: Normalisation = "zscore"
    intensity_scale: float = 100.0
    bin_width: float = 25.0
    features: str = "fingerprint-107"

    def __post_init__(self) -> None:
        if isinstance(self.views, str):
            raise InputError(f"views: expected a list of names, got the text {self.views!r}.")
        object.__setattr__(self, "views", tuple(str(v) for v in self.views))
        for name, kind in (("resized_shape", int), ("roi_fractions", float), ("patch_grid", int)):
            values = tuple(getattr(self, name))
            if len(values) != 3 or any(kind(v) != v for v in values):
                raise InputError(f"{name}: expected three numbers (z, y, x), got {values}.")
            object.__setattr__(self, name, tuple(kind(v) for v in values))
        if not self.views or len(set(self.views)) != len(self.views):
            raise InputError(f"views: expected at least one name and none twice, got {list(self.views)}.")
        if self.reference_view not in self.views:
            raise InputError(
                f"reference_view: expected one of the views {list(self.views)}, got {self.reference_view!r}."
            )
        for name, allowed in (
            ("registration", get_args(RegistrationMode)),
            ("registration_backend", get_args(RegistrationBackend)),
            ("normalisation", get_args(Normalisation)),
        ):
            if getattr(self, name) not in allowed:
                raise InputError(f"{name}: expected one of {', '.join(allowed)}, got {getattr(self, name)!r}.")
        if min(self.resized_shape) < 1:
            raise InputError(f"resized_shape: expected positive counts (z, y, x), got {self.resized_shape}.")
        for name in ("intensity_scale", "bin_width"):
            if not 0 < getattr(self, name) < float("inf"):
                raise InputError(f"{name}: expected a positive number, got {getattr(self, name)}.")
        patch_slices(self.roi_shape, self.patch_grid)

    @property
    def roi_shape(self) -> tuple[int, int, int]:
        """Voxels (z, y, x) of the region of interest, the same for every case."""
        return central_start_and_size(self.resized_shape, self.roi_fractions)[1]

    @property
    def roi_start(self) -> tuple[int, int, int]:
        """First voxel (z, y, x) of the automatic region of interest on the common grid."""
        return central_start_and_size(self.resized_shape, self.roi_fractions)[0]

    @property
    def patches(self) -> int:
        """Number of patches, J."""
        z, y, x = self.patch_grid
        return z * y * x

    @property
    def reference_plane(self) -> str:
        """Plane whose axes the common grid follows: the reference view's, or axial when its name is no plane."""
        return self.reference_view if self.reference_view in VIEWS else "axial"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; tuples become lists."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Recipe":
        """Inverse of :meth:`to_dict`; keys left out take their defaults.

        Raises:
            InputError: an unknown key, or a value that does not fit.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InputError(f"Recipe: unknown keys {', '.join(unknown)}; known: {', '.join(sorted(known))}.")
        return cls(**values)
