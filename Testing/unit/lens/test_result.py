"""A lens result read back from its folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json, write_json
from deepradiomics.lens.result import LensResult
from Testing.unit.reports.fake_lens import write_fake_lens


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_fake_lens(tmp_path / "lens", case=False)


def test_rows_come_in_the_order_of_their_rank(folder: Path) -> None:
    found = LensResult.read(folder)
    assert [row["rank"] for row in found.shift] == list(range(1, len(found.shift) + 1))
    assert found.shift[0]["delta_i"] == max(row["delta_i"] for row in found.shift)
    assert found.task == "PIRADS CLS"
    assert found.modalities == ("t2", "highb", "adc")


def test_the_picked_rows_are_those_of_the_table(folder: Path) -> None:
    found = LensResult.read(folder)
    assert list(found.picked("top")) == list(found.shift[:5])
    assert list(found.picked("bottom")) == list(found.shift[::-1][:5])


def test_an_empty_cell_is_nan_and_tells_that_there_is_no_null(tmp_path: Path) -> None:
    assert LensResult.read(write_fake_lens(tmp_path / "with", case=False)).has_null
    without = LensResult.read(write_fake_lens(tmp_path / "without", permutations=0, case=False))
    assert not without.has_null
    assert without.shift[0]["p_null"] != without.shift[0]["p_null"]


def test_a_feature_is_found_and_a_misspelt_one_told_with_near_ones(folder: Path) -> None:
    found = LensResult.read(folder)
    assert found.row("adc", "original_glcm_Contrast")["family"] == "glcm"
    with pytest.raises(InputError, match=r"Did you mean original_glcm_Contrast"):
        found.row("adc", "original_glcm_Contrst")
    with pytest.raises(InputError, match=r"modality 'dwi': this lens has t2, highb, adc"):
        found.row("dwi", "original_glcm_Contrast")


def test_folders_that_are_none_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no folder"):
        LensResult.read(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no lens\.json"):
        LensResult.read(tmp_path / "empty")
    write_json(tmp_path / "empty" / "run.json", {})
    with pytest.raises(InputError, match="not finished; start the same command again"):
        LensResult.read(tmp_path / "empty")
    old = read_json(folder / "lens.json") | {"format_version": 1}
    write_json(folder / "lens.json", old)
    with pytest.raises(InputError, match="made by an older version of deepradiomics: fit it again"):
        LensResult.read(folder)
    write_json(folder / "lens.json", old | {"format_version": 9})
    with pytest.raises(InputError, match="expected format version 2, got 9"):
        LensResult.read(folder)
    write_json(folder / "lens.json", {"format": "other"})
    with pytest.raises(InputError, match="not a lens result"):
        LensResult.read(folder)


def test_damaged_tables_are_told(folder: Path) -> None:
    table = folder / "shift.csv"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace("delta_i_low", "low"), encoding="utf-8")
    with pytest.raises(InputError, match="has no column delta_i_low"):
        LensResult.read(folder)
    table.write_text(text.replace("\nt2,", "\nt2,,", 1), encoding="utf-8")
    with pytest.raises(InputError, match=r"shift\.csv, line \d+: expected \d+ cells"):
        LensResult.read(folder)
    header, row, *rest = text.split("\n")
    cells = row.split(",")
    cells[header.split(",").index("delta_i_low")] = "much"
    table.write_text("\n".join([header, ",".join(cells), *rest]), encoding="utf-8")
    with pytest.raises(InputError, match=r"shift\.csv, line \d+: 'much' in column 'delta_i_low' is not a number"):
        LensResult.read(folder)
    table.unlink()
    with pytest.raises(InputError, match=r"shift\.csv is missing: the run did not finish"):
        LensResult.read(folder)


@pytest.mark.parametrize(
    "module", ["deepradiomics.lens.result", "deepradiomics.lens.config", "deepradiomics.lens.case.run"]
)
def test_reading_a_result_needs_nothing_heavy(module: str) -> None:
    heavy = ("torch", "monai", "lightning", "sklearn", "matplotlib", "pyarrow", "pandas", "numba")
    code = f"import sys, {module}; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr or done.stdout
