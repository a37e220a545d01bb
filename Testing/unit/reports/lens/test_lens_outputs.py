"""What is written of one lens result into its own folder, and of several elsewhere."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from deepradiomics.errors import InputError
from deepradiomics.lens.result import LensResult
from deepradiomics.reports.lens.case import read_case
from deepradiomics.reports.lens.outputs import _cases_of, slug, write_outputs
from Testing.unit.reports.fake_lens import write_fake_lens


def test_one_result_is_written_into_its_own_folder(tmp_path: Path) -> None:
    folder = write_fake_lens(tmp_path / "fit", images=("original",))
    before = {path.name for path in folder.iterdir()}
    pyplot = "matplotlib.pyplot" in sys.modules
    written = write_outputs([LensResult.read(folder)], folder, cases=[folder / "case"])
    assert {path.name for path in written} == {
        "table1_paper.csv", "table1.md", "tableA1.md", "figure2.png", "figure2.svg", "figure3.png", "figure3.svg",
        "figure3_explained.png", "figure3_explained.svg",
        "overview.png", "overview.svg", "report.html",
    }  # fmt: skip
    assert {path.name for path in folder.iterdir()} == before | {path.name for path in written}
    assert all(path.stat().st_size for path in written)
    assert (folder / "figure3.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert ("matplotlib.pyplot" in sys.modules) == pyplot
    LensResult.read(folder)  # still the same result


def test_several_results_are_written_together_elsewhere(tmp_path: Path) -> None:
    bare = LensResult.read(
        write_fake_lens(tmp_path / "fit", task="Volume REG", modalities=("t2",), images=("original",), case=False)
    )
    two = [bare, dataclasses.replace(bare, about={**bare.about, "task": "PIRADS CLS"})]
    written = {path.name for path in write_outputs(two, tmp_path / "joint")}
    assert {"table1.csv", "report.html", "figure2.png", "figure3_pirads-cls.png", "figure3_volume-reg.svg"} <= written
    with pytest.raises(InputError, match="is the folder of one of the results"):
        write_outputs(two, bare.folder)
    with pytest.raises(InputError, match="at least one lens result"):
        write_outputs([], tmp_path)


def test_a_case_stands_with_the_result_whose_shift_it_tells(tmp_path: Path) -> None:
    one, two = (
        LensResult.read(write_fake_lens(tmp_path / task, task=task, images=("original",))) for task in ("A", "B")
    )
    given = [read_case(one.folder / "case")]
    assert _cases_of(one, given) == given
    (other,) = _cases_of(two, given)
    assert other.map is None
    assert other.id == "synthetic-001"
    plain = [dataclasses.replace(given[0], shift={})]
    assert _cases_of(one, plain) == _cases_of(two, plain) == plain


def test_labels_become_file_names() -> None:
    assert slug("Lesion SEG-L (gland)") == "lesion-seg-l-gland"
    assert slug("前立腺") == "task"
