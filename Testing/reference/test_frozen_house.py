"""Every number of the code as it was before the house was rebuilt comes out bit for bit: features, trainings, tables.

``frozen/house.json`` was made once, at commit 719adca, by :mod:`Testing.reference.freeze_house`. What is computed
stands in :mod:`Testing.reference.house_numbers`; where code moves, that file's imports and calls follow.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from Testing.reference import freeze_house
from Testing.reference.freeze_house import FROZEN, changed, computed, differences, frozen_form
from Testing.reference.house_numbers import GROUPS

for library in ("torch", "monai", "lightning", "sklearn", "xgboost", "numba", "pyarrow"):
    pytest.importorskip(library)

SLOW = ("images", "lens trainings")
RECORD = json.loads(FROZEN.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "group",
    [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in GROUPS if name != "real images"],
)
@pytest.mark.filterwarnings("ignore")
def test_the_numbers_of_synthetic_data_are_those_of_the_first_commit(group: str, tmp_path: Path) -> None:
    require_the_recorded_environment()
    assert changed(RECORD[group], computed(group, tmp_path)) == []


def test_the_features_of_real_images_are_those_of_the_first_commit(data_dir: Path, tmp_path: Path) -> None:
    require_the_recorded_environment()
    assert changed(RECORD["real images"], computed("real images", tmp_path)) == []


def require_the_recorded_environment() -> None:
    if others := differences(RECORD["environment"]):
        pytest.skip(f"hashes are of other versions or another processor: {', '.join(others)}")


def test_every_group_is_frozen_and_none_is_empty() -> None:
    assert [name for name in RECORD if isinstance(RECORD[name], dict) and name != "environment"] == list(GROUPS)
    empty = [name for group in GROUPS for name, entry in RECORD[group].items() if not entry["values"]]
    assert empty == []


def test_the_last_bit_of_one_number_its_name_and_its_shape_make_another_hash() -> None:
    entry = {"a": np.array([[1.0, 2.0]]), "b": 3, "c": ["x", 0.5, None], "d": math.nan}
    others = (
        {**entry, "a": np.array([[1.0, np.nextafter(2.0, 3.0)]])},
        {**entry, "a": np.array([1.0, 2.0])},
        {"A": entry["a"], **{name: entry[name] for name in "bcd"}},
        {**entry, "b": 4},
        {**entry, "c": ["y", 0.5, None]},
        {**entry, "d": None},
    )
    hashes = {frozen_form(other)["sha256"] for other in (entry, *others)}
    assert len(hashes) == 1 + len(others)
    again = {"d": np.float64(math.nan), "c": ["x", 0.5, None], "b": 3.0, "a": np.array([[1.0, 2.0]], np.float32)}
    assert frozen_form(again) == frozen_form(entry)
    assert frozen_form(entry) | {"sha256": ""} == {"sha256": "", "values": 6, "sum": "6.5", "first": ["1", "2", "3"]}


def test_what_changed_is_named_with_its_digits() -> None:
    old, new = {"a": frozen_form({"x": 1.5}), "b": frozen_form({"x": 2})}, {"b": frozen_form({"x": 3})}
    assert changed(old, new) == [
        "a: 1 values, sum 1.5 before, nothing now", "b: 1 values, sum 2 before, 1 values, sum 3 now"
    ]  # fmt: skip
    assert changed(old, old) == []


def test_another_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    current = freeze_house.environment()
    assert differences(current) == []
    assert differences({**current, "numpy": "1.0"}) == [f"numpy {current['numpy']} (recorded: 1.0)"]


def test_the_maker_does_not_replace_what_it_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = FROZEN.read_bytes()
    monkeypatch.setattr("sys.argv", ["freeze_house"])
    assert freeze_house.main() == 1
    assert "is not remade" in capsys.readouterr().out
    assert FROZEN.read_bytes() == before
