"""The panel, simulated: what was assumed while files were read is in its log and its remarks. Not in Slicer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from Testing.slicer.fake_child import FakeStart, HandTimer, write_features, write_maps
from Testing.slicer.panel_features.driving import applied, on_centre, with_child

NOTE = "image: the gantry was tilted by 15°; the slices were moved onto a regular grid."


def noting(write: Callable[[list[str]], Any], name: str) -> Callable[[list[str]], None]:
    """A child that writes its result as `write` does, and a note into the JSON called `name`."""

    def child(words: list[str]) -> None:
        write(words)
        out = Path(words[words.index("-o") + 1])
        file = out / name if out.is_dir() else out.with_suffix(".json")
        file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"notes": [NOTE]}), encoding="utf-8")

    return child


def logged(widget: Any) -> str:
    return str(widget.ui.logText.toPlainText())


def test_a_note_of_an_extraction_is_in_the_log(widget: Any, exam: Any, errors: list[str]) -> None:
    on_centre(widget, exam["axial"])
    applied(widget, FakeStart(noting(write_features, "features.json")))
    assert errors == []
    assert NOTE in logged(widget)


def test_a_note_of_maps_is_in_the_log(widget: Any, exam: Any, errors: list[str]) -> None:
    from RadiomicFeaturesLib.choices import Mode

    p = on_centre(widget, exam["sagittal"])
    p.mode, p.mapFeatures = Mode.MAPS, ["original_glcm_Contrast"]
    applied(widget, FakeStart(noting(write_maps, "maps.json")))
    assert errors == []
    assert NOTE in logged(widget)


def test_a_note_of_a_case_is_among_the_remarks_of_a_batch(scene: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.show.feature_cohort import show_feature_cohort

    (tmp_path / "f.csv").write_text("id,view,label,name,original_glcm_Contrast\na,image,1,,2.5\n", encoding="utf-8")
    case = {"id": "a", "view": "image", "status": "done", "message": "", "warnings": ["few levels"], "notes": [NOTE]}
    about = {"kind": "features", "software": "deepradiomics", "cases": [case]}
    (tmp_path / "f.json").write_text(json.dumps(about), encoding="utf-8")
    nodes = show_feature_cohort(tmp_path / "f.csv", scene)
    remarks = nodes.remarks.GetTable().GetColumnByName("remark")
    assert remarks.GetValue(0) == f"few levels {NOTE}"


def test_maps_name_the_label_of_the_region_they_are_drawn_in(widget: Any, exam: Any) -> None:
    from RadiomicFeaturesLib.choices import Mode

    p = on_centre(widget, exam["sagittal"])
    p.mode, p.mapFeatures = Mode.MAPS, ["original_glcm_Contrast"]
    start = with_child(widget, FakeStart(write_maps))
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    assert start.words[start.words.index("--label") + 1] == "1"
