"""The bad inputs of ``deepradiomics pretrain`` and ``finetune``, each with words of its message; see bad_inputs.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from Testing.cli.bad.bad_input import OUTPUT, BadInput
from Testing.unit.lens.ball_cohort import CONFIG, RECIPE, read_rows, write_cohort, write_rows

Command = Callable[[Path, Path], Sequence[object]]
Rows = list[dict[str, str]]
Change = Callable[[Rows], Rows]


def _pretrain(*options: object, change: Change | None = None, cases: int = 8) -> Command:
    """``pretrain`` on a small cohort whose rows ``change`` changes."""

    def command(folder: Path, _: Path) -> Sequence[object]:
        return ["pretrain", _manifest(folder, cases, change), *_common(folder), *options]

    return command


def _finetune(task: str, *options: object, change: Change | None = None, cases: int = 12, encoder: str = "") -> Command:
    """``finetune`` of a fresh encoder, or of the one named, on a small cohort whose rows ``change`` changes."""

    def command(folder: Path, _: Path) -> Sequence[object]:
        from deepradiomics.networks.convnextv2 import ConvNeXtV2
        from deepradiomics.networks.encoders.encoder import Encoder

        fresh = Encoder(ConvNeXtV2(2, "mini"), RECIPE, name="fresh").save(folder / "encoder")
        manifest = _manifest(folder, cases, change)
        return ["finetune", manifest, encoder or fresh, "--task", task, *_common(folder), *options]

    return command


def _common(folder: Path) -> list[object]:
    CONFIG.write(folder / "config.json")
    return ["-o", folder / OUTPUT, "--config", folder / "config.json", "--cache", folder / "cache", "--device", "cpu"]


def _manifest(folder: Path, cases: int, change: Change | None) -> Path:
    path = write_cohort(folder / "cohort", cases)
    return path if change is None else write_rows(path, change(read_rows(path)))


def _without(prefix: str) -> Change:
    return lambda rows: [{key: cell for key, cell in row.items() if not key.startswith(prefix)} for row in rows]


def _renamed(old: str, new: str) -> Change:
    return lambda rows: [{new if key == old else key: cell for key, cell in row.items()} for row in rows]


def _all(column: str, cell: str) -> Change:
    return lambda rows: [{**row, column: cell} for row in rows]


def _one(column: str, cell: str, at: int) -> Change:
    return lambda rows: [{**row, column: cell} if n == at else row for n, row in enumerate(rows)]


def _split(*sizes: int) -> Change:
    names = [name for name, size in zip(("train", "validation", "test"), sizes, strict=True) for _ in range(size)]
    return lambda rows: [{**row, "split": split} for row, split in zip(rows, names, strict=True)]


def _folder(folder: Path, bundle: Path) -> Sequence[object]:
    """The folder of the cohort in the place of its manifest."""
    given = list(_pretrain()(folder, bundle))
    given[1] = folder / "cohort"
    return given


BAD_INPUTS_TRAINING = (
    BadInput("pretrain: a negative seed", _pretrain("--seed", "-1"), ("--seed", "0")),
    BadInput("pretrain: no mask at all", _pretrain(change=_without("mask_")), ("mask_gland", "--centre ellipsoid")),
    BadInput(
        "pretrain: a column with capitals",
        _pretrain(change=_renamed("view_t2", "View_T2")),
        ("View_T2", "did you mean 'view_t2'"),
    ),
    BadInput("pretrain: a view without a name", _pretrain(change=_renamed("view_t2", "view_")), ("'view_' lacks",)),
    BadInput("pretrain: a folder for a manifest", _folder, ("cohort", "this is a folder")),
    BadInput(
        "pretrain: a case without a modality",
        _pretrain(change=_one("view_adc", "", 5)),
        ("Case ball05 lacks the modality adc", "--missing drop"),
    ),
    BadInput(
        "pretrain: two cases of one patient",
        _pretrain(cases=2),
        ("needs at least 2 train cases", "give 0 of 2 cases of 1 patient."),
    ),
    BadInput("finetune: a negative seed", _finetune("class", "--seed", "-1"), ("--seed", "0")),
    BadInput("finetune: a negative split seed", _finetune("class", "--split-seed", "-7"), ("--split-seed", "0")),
    BadInput(
        "finetune: one class", _finetune("class", change=_all("label_grade", "1")), ("of class 1", "another class")
    ),
    BadInput(
        "finetune: a constant value",
        _finetune("regress", change=_all("value_volume_ml", "30")),
        ("value_volume_ml", "the value 30", "nothing to learn"),
    ),
    BadInput(
        "finetune: a segmentation without a named target",
        _finetune("segment", change=_without("mask_lesion")),
        ("mask_gland", "--target gland"),
    ),
    BadInput("finetune: no region to centre on", _finetune("class", change=_without("mask_")), ("--centre ellipsoid",)),
    BadInput(
        "finetune: splits without a test case",
        _finetune("regress", change=_split(10, 2, 0)),
        ("needs at least 1 test case", "0 of 12 cases of 10 patients", "7:1:2"),
    ),
    BadInput(
        "finetune: a case without a modality",
        _finetune("class", change=_one("view_adc", "", 5)),
        ("Case ball05 lacks the modality adc",),
    ),
    BadInput("finetune: an unknown task", _finetune("survival"), ("survival", "class, segment, regress")),
    BadInput("finetune: an encoder that is not there", _finetune("class", encoder="nowhere"), ("nowhere",)),
)  # fmt: skip
