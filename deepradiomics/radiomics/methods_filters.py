"""What a methods paragraph says of the filtered images: each with the settings that made it."""

from deepradiomics.radiomics.settings.settings import Settings

IBSI_FILTERS = "Whybra et al., Radiology 2024;310(2):e231319"
_KINDS = {
    "Original": "the original image",
    "Wavelet": "the wavelet images",
    "LoG": "the Laplacian-of-Gaussian images",
    "Square": "the squared image",
    "SquareRoot": "the square-root image",
    "Logarithm": "the logarithm image",
    "Exponential": "the exponential image",
    "Gradient": "the gradient image",
    "LBP2D": "the 2-D local binary patterns",
    "LBP3D": "the 3-D local binary patterns",
    "Mean": "the mean-filtered image",
    "Laws": "the image of Laws' kernels",
}


def kind_words(image_type: str) -> str:
    """Return what a sentence calls the images of a type."""
    return _KINDS[image_type]


def filter_sentence(settings: Settings) -> str:
    """Return the sentence about filtered images, empty where there is none or none is used."""
    used = [(kind, type_settings) for kind, type_settings in settings.per_image_type() if kind != "Original"]
    if not used or not set(settings.families) - {"shape", "shape2D"}:
        return ""
    first = "Beside the original image, features" if len(used) < len(settings.image_types) else "Features"
    phrases = [_phrase(kind, type_settings) for kind, type_settings in used]
    listed = "; ".join(phrases[:-1]) + ("; and " if len(phrases) > 1 else "") + phrases[-1]
    ours = any(_border(type_settings, kind) for kind, type_settings in used)
    return f"{first} were taken from {listed}{f' (filters: {IBSI_FILTERS})' if ours else ''}."


def _phrase(kind: str, settings: Settings) -> str:
    if kind == "Wavelet":
        levels = f"{settings.level} level{'s' * (settings.level > 1)}"
        if settings.start_level:
            levels += f" from level {settings.start_level} on"
        return f"the bands of its undecimated wavelet transform ({settings.wavelet}, {levels}{_border(settings, kind)})"
    if kind == "LoG":
        cut = f", kernel cut off at {settings.log_truncate:g} sigma" if settings.standard == "ibsi" else ""
        sigma = ", ".join(f"{s:g}" for s in settings.sigma_mm)
        return f"its Laplacian of Gaussian (sigma {sigma} mm{cut}{_border(settings, kind)})"
    if kind == "Mean":
        side = " x ".join([str(settings.mean_support)] * settings.filter_dimension)
        return f"its mean over {side} voxels ({_border(settings, kind)[2:]})"
    if kind == "Laws":
        pooled = f", {settings.laws_pooling} over rotations" if settings.laws_rotation_invariance else ""
        delta = settings.laws_energy_delta
        energy = f", energy over {2 * delta + 1} voxels" if delta else ""
        return f"its response to Laws' kernel {settings.laws_kernel} ({_border(settings, kind)[2:]}{pooled}{energy})"
    if kind == "LBP2D":
        return (
            f"its local binary patterns by slice (radius {settings.lbp2d_radius:g}, {settings.lbp2d_samples} samples, "
            f"{settings.lbp2d_method})"
        )
    if kind == "LBP3D":
        return (
            f"its local binary patterns in 3-D ({settings.lbp3d_levels} levels, radius "
            f"{settings.lbp3d_icosphere_radius:g}, icosphere of subdivision {settings.lbp3d_icosphere_subdivision})"
        )
    if kind == "Gradient":
        return "its gradient magnitude" + (" (per mm)" if settings.gradient_use_spacing else " (per voxel)")
    return {
        "Square": "its square",
        "SquareRoot": "its square root",
        "Logarithm": "its logarithm",
        "Exponential": "its exponential",
    }[kind]


def _border(settings: Settings, kind: str) -> str:
    """Dimension and boundary of IBSI's filters; those of PyRadiomics have none to choose."""
    if kind not in ("Mean", "Laws") and not (settings.standard == "ibsi" and kind in ("LoG", "Wavelet")):
        return ""
    return f", {settings.filter_dimension}-D, {settings.filter_boundary} boundary"
