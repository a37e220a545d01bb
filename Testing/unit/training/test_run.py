"""The steps of a training in its folder: what is recorded when, and what is refused."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json
from deepradiomics.training.run import TrainingRun
from deepradiomics.training.run_folder import RunKind

KIND, OTHER = RunKind("cooking", "a cooking"), RunKind("baking", "a baking")


@dataclass
class Prepared:
    digest: str = "5b7f"
    dropped: tuple[tuple[str, str], ...] = (("case2", "no image"),)
    notes: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"case1": ("turned",)})


def opened(folder: Path, kind: RunKind = KIND, **options: Any) -> TrainingRun:
    return TrainingRun(folder, kind, {"seed": 1}, proof=("soup/bundle.json",), products=("soup",), **options)


def test_a_run_is_finished_once_it_says_so_and_its_products_are_there(tmp_path: Path) -> None:
    run = opened(tmp_path)
    run.finish(metrics={"salt": 1})
    assert not opened(tmp_path).is_finished  # somebody removed the bundle, or it was never written
    (tmp_path / "soup").mkdir()
    (tmp_path / "soup" / "bundle.json").write_text("{}", encoding="utf-8")
    again = opened(tmp_path)
    assert again.is_finished
    assert again.record["metrics"] == {"salt": 1}
    assert not opened(tmp_path, resume=False).is_finished


def test_a_run_whose_input_cannot_be_used_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no image"), opened(tmp_path / "a").preparing():
        raise InputError("no image")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_had_begun_stays_where_its_input_cannot_be_used_any_more(tmp_path: Path) -> None:
    opened(tmp_path / "a").begin(Prepared())
    with pytest.raises(InputError, match="no image"), opened(tmp_path / "a").preparing():
        raise InputError("no image")
    assert read_json(tmp_path / "a" / "run.json")["identity"]["data_sha256"] == "5b7f"


def test_the_data_become_part_of_what_makes_a_run_this_run(tmp_path: Path) -> None:
    opened(tmp_path).begin(Prepared())
    record = read_json(tmp_path / "run.json")
    assert record["identity"] == {"kind": "cooking", "seed": 1, "data_sha256": "5b7f"}
    again = opened(tmp_path)
    assert again.dropped == (("case2", "no image"),)
    assert again.notes == {"case1": ("turned",)}
    again.begin(Prepared())
    with pytest.raises(InputError, match="the images or masks have changed"):
        again.begin(Prepared("8491"))


def test_a_part_has_the_identity_of_its_run_and_a_folder_of_its_own(tmp_path: Path) -> None:
    run = opened(tmp_path)
    run.begin(Prepared())
    part = run.subrun("pot-1", pot=1)
    assert part.folder == tmp_path / "pot-1"
    assert part.record["identity"] == {"kind": "cooking", "seed": 1, "data_sha256": "5b7f", "pot": 1}


def test_a_run_of_another_kind_is_named_by_the_title_in_its_record(tmp_path: Path) -> None:
    opened(tmp_path / "pot-1", part=True)  # a part alone, as the stages of a fine-tuning are
    with pytest.raises(InputError, match="another run lives here, a cooking; a baking would write over its files"):
        opened(tmp_path, OTHER)
    opened(tmp_path / "kitchen" / "soup")  # no part of the run that begins beside it
    assert opened(tmp_path / "kitchen", OTHER).status == "running"
