"""What the folder of a fine-tuning gives a lens: who was in which split, how well the task was solved, its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deepradiomics.cohort.splits import read_splits
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json
from deepradiomics.files.tables import read_csv
from deepradiomics.lens.result import EVALUATION_COLUMNS

_SHORT = {"class": "CLS", "regress": "REG", "segment": "SEG"}
_ACRONYMS = ("pirads",)
_UNITS = ("ml", "mm", "mm3", "cm3")


@dataclass(frozen=True)
class FinetuneGiven:
    """A fine-tuning as the lens needs it.

    Args:
        splits: split by case id; None without a fine-tuning.
        evaluations: rows of tableA1.csv.
        task: its name in the paper's manner: PIRADS CLS, Volume REG, Lesion SEG.
        where: file of the splits, for messages.
    """

    splits: Mapping[str, str] | None = None
    evaluations: tuple[Mapping[str, str], ...] = ()
    task: str = ""
    where: str = ""

    @classmethod
    def read(cls, folder: str | Path | None) -> FinetuneGiven:
        """Read the folder of ``deepradiomics finetune``; None gives nothing.

        Raises:
            InputError: the folder is none of a finished fine-tuning.
        """
        if folder is None:
            return cls()
        folder = Path(folder)
        table = folder / "tableA1.csv"
        if not table.is_file():
            raise InputError(
                f"--finetune {folder}: this is no folder of a finished 'deepradiomics finetune', it holds no "
                "tableA1.csv. Give that command again (without --only) and it goes on."
            )
        rows = tuple(read_csv(table, needed=tuple(EVALUATION_COLUMNS)).rows)
        file = folder / "splits.csv"
        return cls(read_splits(file), rows, _task_name(folder / "metrics.json"), str(file))


def _task_name(file: Path) -> str:
    stored = read_json(file) if file.is_file() else {}
    stored = stored if isinstance(stored, dict) else {}
    words = str(stored.get("target", "")).split("_")
    target = " ".join(words[:-1] if words[-1] in _UNITS and len(words) > 1 else words)
    target = target.upper() if target in _ACRONYMS else target[:1].upper() + target[1:]
    return f"{target} {_SHORT.get(stored.get('task', ''), '')}".strip()
