"""The methods paragraph says what was done, and nothing that was not."""

from deepradiomics.radiomics import Settings
from deepradiomics.radiomics.methods_text import methods_text

VERSIONS = {"deepradiomics": "0.1.0", "engine": "1", "numpy": "2.4.6"}


def test_the_default_paragraph_names_bin_width_counts_and_versions() -> None:
    text = methods_text(Settings.from_params(None), VERSIONS, [107])
    assert "107 radiomic features (firstorder, glcm, gldm, glrlm, glszm, ngtdm, shape) of one region" in text
    assert "bin width of 25." in text
    assert text.endswith("Software: numpy 2.4.6.")
    assert "resampled" not in text and "z-scored" not in text and "re-segmented" not in text


def test_every_step_asked_for_is_said() -> None:
    setting = {"normalize": True, "normalizeScale": 100, "resampledPixelSpacing": [1, 1, 2], "binCount": 32,
               "resegmentRange": [-3, 3], "resegmentMode": "sigma"}  # fmt: skip
    text = methods_text(Settings.from_params({"setting": setting}), VERSIONS, [107, 107])
    for words in ("2 regions", "multiplied by 100", "1 x 1 x 2 mm", "32 bins", "-3, 3 (sigma)"):
        assert words in text


def test_filters_are_named_with_their_own_settings() -> None:
    types = {"Original": {}, "Wavelet": {"wavelet": "db2", "level": 2}, "LoG": {"sigma": [1.0, 3.0]}, "Square": {}}
    text = methods_text(Settings.from_params({"imageType": types}), VERSIONS, [1])
    assert (
        "Beside the original image, features were taken from "
        "the bands of its undecimated wavelet transform (db2, 2 levels), "
        "its Laplacian of Gaussian (sigma 1, 3 mm), its square." in text
    )
    alone = methods_text(Settings.from_params({"imageType": {"Gradient": {}}}), VERSIONS, [1])
    assert "Features were taken from its gradient magnitude." in alone


def test_the_standard_is_said() -> None:
    text = methods_text(Settings.from_params({"setting": {"standard": "ibsi", "force2D": True}}), VERSIONS, [1])
    assert "Image Biomarker Standardisation Initiative" in text and "PyRadiomics" not in text
    assert "Texture was computed within slices." in text
