"""The choices of all panels are those of the library, under one label each."""

from __future__ import annotations

import importlib
from typing import Any, Literal, get_args

import pytest

from deepradiomics.radiomics.settings.parameters import PRESETS


def test_the_same_preset_has_one_label_in_all_panels(simulated: Any) -> None:
    for module in ("RadiomicLens", "RadiomicFeatures"):
        importlib.import_module(module)
    from RadiomicFeaturesLib.settings.feature_sets import entries
    from RadiomicLensLib.choices import FeatureSet

    lens = {member.value: member.label() for member in FeatureSet}
    features = dict(entries())
    assert set(lens) == {*PRESETS, "file"}
    assert lens == {name: features[name] for name in lens}
    assert len(set(features.values())) == len(features)


@pytest.mark.parametrize("values", [Literal["a"], Literal["a", "b", "c"]])
def test_a_choice_with_other_values_than_the_librarys_cannot_be_made(simulated: Any, values: Any) -> None:
    from deepradiomics.scene.panel.choices import Choice

    with pytest.raises(ValueError, match="Letter: expected the values"):

        class Letter(Choice, of=values):
            NONE = None, lambda: "as trained"
            A = "a", lambda: "A"
            B = "b", lambda: "B"


def test_the_modes_of_inference_are_those_of_the_library(simulated: Any) -> None:
    pytest.importorskip("torch")
    importlib.import_module("RadiomicFingerprint")
    from RadiomicFingerprintLib.choices import Inference

    from deepradiomics.fingerprint.apply.run import InferenceMode

    assert {member.value for member in Inference} == set(get_args(InferenceMode))
