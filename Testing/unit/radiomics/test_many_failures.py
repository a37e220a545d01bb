"""Many images: what gave nothing is told, and the result makes a data frame in which nothing is lost."""

import subprocess
import sys

import numpy as np
import pytest

from deepradiomics.errors import InputError, MaskError, MissingDependencyError
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.radiomics import extract_many

GRID = Geometry((12, 10, 8))
MEAN = {"featureClass": {"firstorder": ["Mean"]}, "setting": {"label": 2}}
IMAGE = Volume(np.random.default_rng(0).normal(200, 50, GRID.shape).astype(np.float32), GRID, "image")


def _mask(label: int) -> Mask:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[2:6, 2:8, 3:9] = label
    labels[0, 0, 0] = 7  # a single voxel
    return Mask(labels, GRID, "segments")


GOOD, EMPTY = (IMAGE, _mask(2)), (IMAGE, _mask(3))


def test_failures_are_warned_of_once_with_their_number_and_the_first() -> None:
    with pytest.warns(UserWarning, match=r"2 of 3 pairs gave no features; the first: pair 1: ") as caught:
        found = extract_many([EMPTY, GOOD, EMPTY], MEAN)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert [bool(features) for features in found] == [False, True, False]
    assert len(found.failures) == 2
    with pytest.warns(UserWarning, match=r"1 label gave no features; the first: pair 1, label 7: "):
        extract_many([GOOD], MEAN, labels=[2, 7])


def test_a_run_without_failures_says_nothing_and_failures_may_be_kept() -> None:
    assert not extract_many([GOOD], MEAN).failures
    assert extract_many([EMPTY], MEAN, errors="keep")[0].error


def test_the_first_failure_may_be_raised() -> None:
    with pytest.raises(MaskError, match="pair 2: "):
        extract_many([GOOD, EMPTY, GOOD], MEAN, errors="raise")
    with pytest.raises(InputError, match=r"pair 1: none\.nii: this file does not exist"):
        extract_many([("none.nii", _mask(2))], MEAN, errors="raise")
    with pytest.raises(MaskError, match="pair 1, label 7: "):
        extract_many([GOOD], MEAN, labels=[2, 7], errors="raise")
    with pytest.raises(InputError, match="errors: expected 'warn', 'raise' or 'keep', got 'ignore'"):
        extract_many([GOOD], MEAN, errors="ignore")  # type: ignore[arg-type]


def test_a_data_frame_has_a_row_for_every_region_and_every_failure() -> None:
    pytest.importorskip("pandas")
    found = extract_many([GOOD, EMPTY], MEAN, labels=[2, 7], errors="keep")
    frame = found.to_frame()
    assert list(frame.columns) == ["pair", "label", "error", "original_firstorder_Mean"]
    assert frame["pair"].tolist() == [1, 1, 2]
    assert frame["label"].tolist()[:2] == [2, 7]
    assert frame["original_firstorder_Mean"].tolist()[0] == found[0][2]["original_firstorder_Mean"]
    assert frame["original_firstorder_Mean"].isna().tolist() == [False, True, True]
    assert frame["error"].tolist() == ["", found[0].skipped[7], found[1].error]


def test_without_pandas_the_frame_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match="pip install pandas"):
        extract_many([GOOD], MEAN).to_frame()


def test_pandas_is_imported_only_when_a_frame_is_made() -> None:
    code = "import sys, deepradiomics.radiomics.many, deepradiomics.lens; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
