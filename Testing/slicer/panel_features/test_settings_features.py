"""The features' panel, simulated: the settings builder, saved settings, grey levels of the region. Not in Slicer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from Testing.slicer.panel_features.driving import on_centre, on_segments


def own(widget: Any) -> Any:
    from RadiomicFeaturesLib.parameters import OWN

    widget.parameters.featureSettings = OWN
    return widget.parameters


def titles(widget: Any) -> list[str]:
    combo = widget.ui.featureSettingsSelector
    return [combo.itemText(index) for index in range(combo.count)]


def test_the_builder_says_what_the_engine_reads(widget: Any) -> None:
    import qt
    from RadiomicFeaturesLib.choices import BinBy
    from RadiomicFeaturesLib.settings.builder import params_of_builder
    from RadiomicFeaturesLib.settings.feature_sets import settings_of

    p = own(widget)
    widget.ui.binWidthSpin.value = 12.5
    widget.ui.imageTypesList.item(widget.settings.types.keys.index("LoG")).setCheckState(qt.Qt.Checked)
    widget.ui.featureClassesList.item(widget.settings.classes.keys.index("shape")).setCheckState(qt.Qt.Unchecked)
    p.sigmas, p.spacingX, p.spacingY, p.normalize, p.normalizeScale = "1, 2.5", 1.0, 1.0, True, 50.0
    settings = settings_of(p)
    assert settings.bin_width == 12.5
    assert settings.resampled_spacing_mm == (1.0, 1.0, 0.0)
    assert settings.normalize
    assert settings.normalize_scale == 50
    assert "shape" not in settings.families
    assert [kind.name for kind in settings.image_types] == ["Original", "LoG"]
    assert dict(settings.image_types[1].own)["sigma"] == (1.0, 2.5)
    p.binBy, p.binCount = BinBy.COUNT, 48
    assert settings_of(p).bin_count == 48
    assert "binWidth" not in params_of_builder(p)["setting"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("imageTypes", "", "one image type"), ("sigmas", "1, wide", "'1, wide'"), ("sigmas", "0", "such as 1, 3, 5")],
)
def test_a_mistake_in_the_builder_is_told_above_apply(widget: Any, exam: Any, name: str, value: str, said: str) -> None:
    on_centre(widget, exam["axial"])
    p = own(widget)
    p.imageTypes = "Original LoG"
    assert widget.ui.applyButton.enabled
    setattr(p, name, value)
    assert said in widget.ui.estimateLabel.text
    assert not widget.ui.applyButton.enabled


def test_settings_are_saved_offered_changed_and_deleted(widget: Any, tmp_path: Path, errors: list[str]) -> None:
    from RadiomicFeaturesLib.parameters import OWN, SAVED
    from RadiomicFeaturesLib.settings.feature_sets import params_of, settings_of

    p = own(widget)
    p.binWidth, p.imageTypes, p.sigmas = 10.0, "Original LoG", "2"
    widget.ui.settingsNameEdit.text = "  Leber, größer "
    widget.ui.saveSettingsButton.click()
    assert errors  # a comma is no letter of a file's name
    assert "'Leber, größer'" in errors.pop()
    widget.ui.settingsNameEdit.text = "Leber größer (CT)"
    widget.ui.saveSettingsButton.click()
    file = tmp_path / "user" / "RadiomicFeatures" / "Leber größer (CT).json"
    assert errors == []
    assert json.loads(file.read_text(encoding="utf-8"))["setting"] == {"binWidth": 10.0}
    assert p.featureSettings == SAVED + "Leber größer (CT)"
    assert params_of(p) == str(file)
    assert widget.ui.featureSettingsSelector.currentText == "Saved: Leber größer (CT)"
    assert not widget.ui.savedArea.isHidden()
    assert settings_of(p).bin_width == 10
    p.featureSettings, p.binWidth, p.imageTypes = "lens", 25.0, "Original"
    widget.ui.featureSettingsSelector.currentIndex = titles(widget).index("Saved: Leber größer (CT)")
    widget.ui.changeSettingsButton.click()
    assert (p.featureSettings, p.binWidth, p.imageTypes, p.sigmas) == (OWN, 10.0, "Original LoG", "2")
    p.featureSettings, p.binWidth = SAVED + "Leber größer (CT)", 25.0
    widget.ui.deleteSettingsButton.click()
    assert not file.exists()
    assert p.featureSettings == OWN
    assert p.binWidth == 10
    assert not [title for title in titles(widget) if title.startswith("Saved")]
    assert errors == []


@pytest.mark.parametrize("name", ["", "../escape", "a/b", "a\\b", "con", "NUL.txt", "a:b", ".hidden", "x" * 61, "end."])
def test_a_name_that_can_be_no_file_is_refused_before_it_becomes_a_path(
    widget: Any, tmp_path: Path, errors: list[str], name: str
) -> None:
    own(widget)
    widget.ui.settingsNameEdit.text = name
    widget.ui.saveSettingsButton.click()
    assert len(errors) == 1
    assert not (tmp_path / "user").exists()


def test_settings_that_cannot_be_computed_are_not_saved(widget: Any, tmp_path: Path, errors: list[str]) -> None:
    own(widget).featureClasses = ""
    widget.ui.settingsNameEdit.text = "nothing"
    widget.ui.saveSettingsButton.click()
    assert errors == ["Tick at least one feature class."]
    assert not (tmp_path / "user").exists()


def test_grey_levels_are_those_that_an_extraction_reports(widget: Any, segmented: Any) -> None:
    """With normalisation and resampling: the number that the engine writes into its diagnostics."""
    from RadiomicFeaturesLib.settings.builder import params_of_builder

    import deepradiomics
    from deepradiomics.scene.nodes.volumes import mask_from_segmentation, volume_from_node

    on_segments(widget, segmented)
    p = own(widget)
    p.featureClasses = "firstorder"
    image = volume_from_node(segmented[0])
    for width, spacing, normalise in ((25.0, 0.0, False), (3.0, 0.0, False), (9.0, 2.5, True), (30.0, 2.5, True)):
        p.binWidth, p.spacingX, p.normalize = width, spacing, normalise
        found = {}
        for segment in ("a", "b"):
            mask = mask_from_segmentation(segmented[1], image.geometry, [segment])
            found[segment] = deepradiomics.extract(image, mask, params_of_builder(p)).diagnostics["grey_levels"]
        assert widget.ui.levelsLabel.text.startswith(f"Grey levels: a {found['a']}, b {found['b']}."), width


def test_a_new_bin_width_needs_no_new_preparation(widget: Any, segmented: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from RadiomicFeaturesLib.settings import grey_levels

    prepared: list[None] = []
    real = grey_levels.prepared_regions
    monkeypatch.setattr(grey_levels, "prepared_regions", lambda *a, **k: prepared.append(None) or real(*a, **k))
    on_segments(widget, segmented)
    p = own(widget)
    count = len(prepared)
    texts = set()
    for width in (2.0, 4.0, 8.0, 16.0):
        p.binWidth = width
        texts.add(widget.ui.levelsLabel.text)
    assert len(prepared) == count
    assert len(texts) == 4
    p.spacingX = 2.0
    assert len(prepared) == count + 1


def test_edited_voxels_are_counted_again(widget: Any, simulated: Any, segmented: Any) -> None:
    on_segments(widget, segmented)
    before = widget.ui.levelsLabel.text
    voxels = simulated.util.arrayFromVolume(segmented[0])
    voxels[...] = 7
    simulated.util.arrayFromVolumeModified(segmented[0])
    widget.refresh()
    assert widget.ui.levelsLabel.text != before
    assert "a 1, b 1" in widget.ui.levelsLabel.text


def test_too_few_and_too_many_levels_are_warned_of(widget: Any, simulated: Any, segmented: Any) -> None:
    on_segments(widget, segmented)
    p = own(widget)
    voxels = simulated.util.arrayFromVolume(segmented[0])
    voxels[...] = np.arange(voxels.size).reshape(voxels.shape)  # every voxel has a level of its own
    simulated.util.arrayFromVolumeModified(segmented[0])
    p.skippedSegments, p.binWidth = ["b"], 1e5
    assert "take a smaller bin width" in widget.ui.levelsLabel.text
    p.skippedSegments, p.roiSource = [], type(p.roiSource).CENTRE
    p.binWidth = 1.0
    assert "More than 256" in widget.ui.levelsLabel.text or "at most 2048" in widget.ui.levelsLabel.text


def test_a_large_volume_is_counted_when_the_user_asks_for_it(
    widget: Any, segmented: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from RadiomicFeaturesLib.settings import section as settings_section

    monkeypatch.setattr(settings_section, "AT_ONCE_VOXELS", 100)
    on_segments(widget, segmented)
    ui = widget.ui
    assert ui.levelsLabel.isHidden()
    assert not ui.countLevelsButton.isHidden()
    ui.countLevelsButton.click()
    assert ui.levelsLabel.text.startswith("Grey levels: a ")
    assert ui.countLevelsButton.isHidden()
    text = ui.levelsLabel.text
    own(widget).binWidth = 3.0  # another width of the same region needs no second press
    assert ui.levelsLabel.text.startswith("Grey levels: a ")
    assert ui.levelsLabel.text != text
    widget.parameters.skippedSegments = ["b"]
    assert ui.levelsLabel.isHidden()
    assert not ui.countLevelsButton.isHidden()


def test_what_keeps_the_levels_from_being_counted_is_said(widget: Any, simulated: Any, segmented: Any) -> None:
    segmented[1].GetSegmentation().AddEmptySegment("nothing", "nothing")
    on_segments(widget, segmented)
    assert "segment 'nothing'" in widget.ui.levelsLabel.text
    assert "is empty" in widget.ui.levelsLabel.text


def test_a_yaml_file_without_pyyaml_says_what_is_missing_and_json_is_read(
    widget: Any, exam: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from RadiomicFeaturesLib.parameters import FILE

    monkeypatch.setitem(sys.modules, "yaml", None)  # as in Slicer, which does not bundle it
    p = on_centre(widget, exam["axial"])
    (tmp_path / "p.yaml").write_text("setting:\n  binWidth: 5\n", encoding="utf-8")
    (tmp_path / "p.json").write_text('{"setting": {"binWidth": 5}}', encoding="utf-8")
    p.featureSettings, p.parameterFile = FILE, str(tmp_path / "p.json")
    assert widget.ui.applyButton.enabled
    assert widget.ui.levelsLabel.text.startswith("Grey levels: ROI ")
    p.parameterFile = str(tmp_path / "p.yaml")
    assert "yaml" in widget.ui.estimateLabel.text.lower()
    assert not widget.ui.applyButton.enabled
