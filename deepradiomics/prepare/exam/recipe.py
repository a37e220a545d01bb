"""Recipe: every choice made between an examination's images and the region the methods see."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from deepradiomics.errors import InputError
from deepradiomics.images.case import VIEWS
from deepradiomics.options import Option, Options
from deepradiomics.prepare.exam.box import central_start_and_size
from deepradiomics.prepare.exam.patches import patch_slices
from deepradiomics.prepare.intensity import Normalisation

RegistrationMode = Literal["off", "reference", "template"]
RegistrationBackend = Literal["auto", "cpu", "gpu"]


@dataclass(frozen=True)
class Recipe(Options):
    """How an examination is prepared. Shapes, fractions and grids are (z, y, x).

    Raises:
        InputError: a choice is unknown or does not fit the others; the message names it.
    """

    TITLE: ClassVar = "recipe"

    views: Annotated[tuple[str, ...], Option("names of the images used, in the order the network sees them")] = VIEWS
    reference_view: Annotated[str, Option("the view whose grid, planes and physical space the others join")] = (
        "sagittal"
    )
    registration: Annotated[
        RegistrationMode,
        Option(
            "off (the scanner's coordinates are trusted), reference (each view is registered to the reference view) or "
            "template (each view is registered to the cohort's template of that view)"
        ),
    ] = "off"
    registration_backend: Annotated[
        RegistrationBackend, Option("cpu (SimpleITK), gpu (torch) or auto (gpu where CUDA is present)")
    ] = "cpu"
    resized_shape: Annotated[
        tuple[int, int, int],
        Option("of the common grid over the whole reference view", 1, 4096, axes="(z, y, x)", unit="voxels"),
    ] = (32, 128, 128)
    roi_fractions: Annotated[
        tuple[float, float, float],
        Option("central part taken as region of interest when none is given", axes="(z, y, x)"),
    ] = (0.5, 0.3, 0.5)
    patch_grid: Annotated[tuple[int, int, int], Option("patches along each axis", axes="(z, y, x)")] = (2, 2, 2)
    normalisation: Annotated[
        Normalisation, Option("zscore, percentile or none, per view over the whole resized image")
    ] = "zscore"
    intensity_scale: Annotated[
        float, Option("factor on normalised grey levels before radiomics, so that bin_width fits", above=0, high=1e9)
    ] = 100.0
    bin_width: Annotated[
        float,
        Option("of a grey level in radiomics, in units of normalised grey × intensity_scale", above=0, high=1e9),
    ] = 25.0
    features: Annotated[str, Option("name of the radiomics preset")] = "fingerprint-107"

    def _check_together(self) -> None:
        if not self.views:
            raise InputError("views: expected at least one name, got none.")
        if self.reference_view not in self.views:
            raise InputError(
                f"reference_view: expected one of the views {list(self.views)}, got {self.reference_view!r}."
            )
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
