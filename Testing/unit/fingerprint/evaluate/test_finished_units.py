"""A finished unit of an evaluation is read again only as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import sha256_file
from deepradiomics.files.sealed import write_sealed
from deepradiomics.fingerprint.evaluate.methods import _finished
from deepradiomics.fingerprint.evaluate.records import Prediction, write_predictions

ROW = Prediction("nofs", "", 0, 0, "acl", "case1", "test", 1, (0.25,), 0.5, 0)
IDENTITY = {"group": "nofs", "hash": "abc"}


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    write_predictions([ROW], tmp_path / "predictions.csv")
    done = {"group": "nofs", "identity": IDENTITY, "predictions_sha256": sha256_file(tmp_path / "predictions.csv")}
    write_sealed(tmp_path / "done.json", done)
    return tmp_path


def test_it_is_read_as_it_was_written(unit: Path, tmp_path: Path) -> None:
    assert _finished(unit, IDENTITY) == (ROW,)
    assert _finished(tmp_path / "other", IDENTITY) is None


@pytest.mark.parametrize("name", ["predictions.csv", "done.json"])
def test_a_changed_digit_is_noticed(name: str, unit: Path) -> None:
    file = unit / name
    text = file.read_text("utf-8")
    place = next(i for i, sign in enumerate(text) if sign.isdigit())
    file.write_text(f"{text[:place]}{(int(text[place]) + 1) % 10}{text[place + 1 :]}", encoding="utf-8")
    with pytest.warns(UserWarning, match=rf"{name}.*It is made anew"):
        assert _finished(unit, IDENTITY) is None


def test_a_unit_of_other_data_is_refused(unit: Path) -> None:
    with pytest.raises(InputError, match="a finished run with another group lives here"):
        _finished(unit, {"group": "elnet", "hash": "def"})
