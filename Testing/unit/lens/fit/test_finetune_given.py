"""What the folder of a fine-tuning gives a lens."""

from pathlib import Path

import pytest

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_json
from deepradiomics.lens.fit.finetuned import FinetuneGiven

TABLE = "task,metric,better,frozen,tuned,unit\nx,MAE,lower,5,4,mL\n"


def _folder(path: Path, table: str = TABLE, **metrics: object) -> Path:
    path.mkdir()
    (path / "splits.csv").write_text("id,split\na,train\nb,test\n", encoding="utf-8")
    (path / "tableA1.csv").write_text(table, encoding="utf-8")
    write_json(path / "metrics.json", metrics)
    return path


@pytest.mark.parametrize(
    ("task", "target", "name"),
    [
        ("class", "pirads", "PIRADS CLS"),
        ("regress", "volume_ml", "Volume REG"),
        ("segment", "lesion", "Lesion SEG"),
        ("class", "gleason_group", "Gleason group CLS"),
        ("regress", "ml", "Ml REG"),
    ],
)
def test_a_task_is_named_as_the_paper_names_it(task: str, target: str, name: str, tmp_path: Path) -> None:
    found = FinetuneGiven.read(_folder(tmp_path / "run", task=task, target=target))
    assert found.task == name
    assert found.splits == {"a": "train", "b": "test"}
    assert found.evaluations[0]["tuned"] == "4"


def test_without_a_fine_tuning_nothing_is_given() -> None:
    assert FinetuneGiven.read(None) == FinetuneGiven(None, (), "")


def test_a_table_of_other_columns_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"tableA1\.csv: expected the columns task, metric, better, frozen"):
        FinetuneGiven.read(_folder(tmp_path / "run", "task,score\nx,1\n"))
