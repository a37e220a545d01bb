"""The paragraph for a paper says what was done, and nothing that was not."""

from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.fit.methods_text import methods_text
from deepradiomics.lens.fit.radiomics import settings_for


def _text(config: LensConfig, **more: object) -> str:
    about = {
        "config": config.to_dict(), "counts": {"train": 70, "validation": 10, "test": 20}, "synthetic": False,
        "task": "PIRADS CLS", "roi": config.roi, "modalities": list(config.modalities), "software": {"numpy": "2"},
        "encoders": {"pre": {"name": "before", "hash": "a" * 64}, "ft": {"name": "after"}},
        "summary": {"l1": 1e-6, "l2": 1e-5}, **more,
    }  # fmt: skip
    settings = {name: settings_for(config, name) for name in config.modalities}
    return methods_text(about, settings, 320, 1674)


PAPER = LensConfig(modalities=("t2", "highb", "adc"))


def test_the_numbers_of_the_settings_are_in_it() -> None:
    text = _text(PAPER)
    for words in (
        "'PIRADS CLS' on a cohort of 70 training, 10 validation and 20 test cases",
        "Embeddings of 320 numbers came from the encoders before (aaaaaaaaaaaa) before fine-tuning and after after",
        "256 rectified linear units", "λ1 = 1e-06", "λ2 = 1e-05", "200 epochs", "1674 features", "0.5 x 0.5 x 1 mm",
        "For t2 and highb:", "z-scored over the image and multiplied by 100", "For adc:", "1000 bootstrap samples",
        "then z-scored", "Wilcoxon",
    ):  # fmt: skip
        assert words in text, words
    assert text.count("z-scored over the image") == 1  # not said of ADC


def test_what_was_not_done_is_not_said() -> None:
    text = _text(LensConfig(modalities=("t2",), spacing_mm=None, bootstraps=0))
    assert "resampled" not in text
    assert "bootstrap" not in text
    assert "null" not in text
    assert "SYNTHETIC" not in text
    assert "For t2:" not in text  # one treatment for all modalities


def test_what_is_unusual_is_said() -> None:
    config = LensConfig(modalities=("t2",), sweep=True, fit_on="both", permutations=500, target_scaling="minmax",
                        embedding_scaling="own", roi="ellipsoid")  # fmt: skip
    text = _text(config, synthetic=True)
    for words in ("chosen on the validation cases", "of both stages together", "500 times", "not a reader's contour",
                  "SYNTHETIC", "standardised by its own"):  # fmt: skip
        assert words in text, words
    assert "then z-scored." not in text
