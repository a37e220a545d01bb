"""The keys that an extraction gives, in its order, before anything is computed."""

from deepradiomics.errors import InputError
from deepradiomics.radiomics.settings.ibsi_names import ibsi_feature_names
from deepradiomics.radiomics.settings.image_prefixes import image_prefixes
from deepradiomics.radiomics.settings.settings import NUMERIC_DIAGNOSTICS, Settings


def feature_names(settings: Settings, *, dimensions: int = 3) -> tuple[str, ...]:
    """Return the keys that an extraction gives, in PyRadiomics' order: diagnostics, shape, then each filtered image.

    Args:
        settings: what is computed.
        dimensions: of the image, 3 or 2; a flat image has shape2D in place of shape.
    """
    if settings.standard == "ibsi":
        return ibsi_feature_names(settings, dimensions=dimensions)
    settings = settings.in_plane() if dimensions == 2 else settings
    names = list(NUMERIC_DIAGNOSTICS) if settings.numeric_diagnostics else []
    names += shape_names(settings, dimensions=dimensions)
    for image_type, type_settings in settings.per_image_type():
        for prefix in image_prefixes(image_type, type_settings, dimensions):
            names += texture_names(type_settings, prefix)
    return tuple(names)


def idle_families(settings: Settings, dimensions: int = 3) -> list[str]:
    """Say which enabled families and image types give nothing for an image of this many dimensions."""
    sentences = []
    if dimensions == 3 and "shape2D" in settings.families and not settings.force_2d:
        sentences.append(
            "shape2D is not computed: it needs force2D: true and a region of one slice along force2Ddimension."
        )
    if dimensions == 2 and any(name == "LBP3D" for name, _ in settings.per_image_type()):
        sentences.append("LBP3D gives no image: the image is two-dimensional. Take LBP2D.")
    return sentences


def require_features(settings: Settings, dimensions: int = 3) -> None:
    """Refuse settings that leave nothing to compute.

    Raises:
        InputError: no feature is left; the message says why.
    """
    if not feature_names(settings, dimensions=dimensions):
        why = [*settings.notes, *idle_families(settings, dimensions)]
        raise InputError(" ".join(["params: they leave no feature to compute.", *why]))


def shape_names(settings: Settings, *, dimensions: int = 3) -> tuple[str, ...]:
    """Return the keys of shape and, where the computation is two-dimensional, of shape2D."""
    possible = {"shape": dimensions == 3, "shape2D": settings.force_2d}
    chosen = dict(settings.features)
    families = [family for family in settings.shape_families if possible[family]]
    return tuple(f"original_{family}_{name}" for family in families for name in chosen[family])


def texture_names(settings: Settings, prefix: str = "original") -> tuple[str, ...]:
    """Return the keys of one (filtered) image: first order and textures."""
    return tuple(
        f"{prefix}_{family}_{name}"
        for family, names in settings.features
        if family not in ("shape", "shape2D")
        for name in names
    )
