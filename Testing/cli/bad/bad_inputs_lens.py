"""The bad inputs of ``deepradiomics lens``, each with words of its message; listed with all others in bad_inputs.py."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.images import Mask, write_mask
from Testing.cli.bad.bad_input import OUTPUT, BadInput
from Testing.unit.lens import lens_material as material

CASES = 12
Command = Callable[[Path, Path], Sequence[object]]


def _cohort(folder: Path, change: Callable[[list[dict[str, str]]], None] | None = None, **made: Any) -> Path:
    """A small cohort whose manifest rows a test may change."""
    path = material.cohort(folder / "cohort", CASES, **made)
    if change is None:
        return path
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    _write_levels(folder / "cohort" / "c02_levels.nrrd")
    change(rows)
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    return path


def _write_levels(path: Path) -> None:
    """An image of whole grey levels."""
    levels = np.random.default_rng(0).integers(0, 400, material.ADC.shape).astype(np.int16)
    write_mask(Mask(levels, material.ADC), path)


def _table(folder: Path, name: str, d: int = 5, ids: Sequence[str] = (), drift: float = 0.0) -> Path:
    """A table of embeddings of the cohort's cases."""
    names = ids or [f"c{n:02d}" for n in range(CASES)]
    return material.embeddings(names, d, drift=drift).write(folder / f"{name}.csv")


def _fit(
    *options: object,
    change: Callable[[list[dict[str, str]]], None] | None = None,
    ft: Callable[[Path], Path] = lambda folder: _table(folder, "ft", drift=0.5),
    params: str = material.PARAMS,
    **made: Any,
) -> Command:
    """``lens fit`` with tables of embeddings; ``ft`` makes the second one, ``change`` changes the manifest."""

    def command(folder: Path, _: Path) -> Sequence[object]:
        manifest = _cohort(folder, change, **made)
        features = material.params(folder / "params", params)
        return [
            "lens", "fit", manifest, "--pre", _table(folder, "pre"), "--ft", ft(folder), "-o", folder / OUTPUT,
            "--cache", folder / "cache", "--preset", "tiny", "--hidden", "4", "--params", features,
            *[str(option).replace("FOLDER", str(folder)) for option in options],
        ]  # fmt: skip

    return command


def _reordered(folder: Path) -> Path:
    ids = [f"c{n:02d}" for n in range(CASES)]
    ids[3], ids[4] = ids[4], ids[3]
    return _table(folder, "ft", ids=ids)


def _with_nan(folder: Path) -> Path:
    path = _table(folder, "ft")
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = lines[6].split(",")
    lines[6] = ",".join([cells[0], "nan", *cells[2:]])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _one_table_less(folder: Path) -> Path:
    return _table(folder, "ft", ids=[f"c{n:02d}" for n in range(1, CASES)])


def _clear(column: str, row: int) -> Callable[[list[dict[str, str]]], None]:
    def change(rows: list[dict[str, str]]) -> None:
        rows[row][column] = ""

    return change


def _separate(rows: list[dict[str, str]]) -> None:
    """Give splits that put the scans of one man into two of them."""
    for n, row in enumerate(rows):
        row["patient"] = f"man{n // 2}"
        row["split"] = "train" if n < 7 else "validation" if n < 9 else "test"


def _no_adc(rows: list[dict[str, str]]) -> None:
    for row in rows:
        row["view_adc"] = ""


def _twice(rows: list[dict[str, str]]) -> None:
    """The second case is the first one's scan, in another split."""
    for n, row in enumerate(rows):
        row["split"] = "test" if n % 3 == 1 else "train"
    rows[1]["view_t2"] = rows[0]["view_t2"]


def _image_as_region(rows: list[dict[str, str]]) -> None:
    rows[2]["mask_gland"] = rows[2]["view_adc"].replace("adc", "levels")


def _columns_reordered(folder: Path) -> Path:
    path = _table(folder, "ft")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("e0000,e0001", "e0001,e0000"), encoding="utf-8")
    return path


def _all_the_same(folder: Path) -> Path:
    from deepradiomics.lens.encoders.embeddings import Embeddings

    ids = tuple(f"c{n:02d}" for n in range(CASES))
    return Embeddings(ids, np.ones((CASES, 5))).write(folder / "ft.csv")


def _runs(name: str, *made: str, more: Sequence[str] = ()) -> Command:
    """``lens fit --finetune`` of a folder that holds these folders."""

    def command(folder: Path, bundle: Path) -> Sequence[object]:
        for one in made:
            (folder / name / one).mkdir(parents=True)
        given = _without("--ft", _without("--pre", _fit("--finetune", folder / name, *more)))
        return given(folder, bundle)

    return command


def _pre_of_run(folder: Path, bundle: Path) -> Sequence[object]:
    (folder / "run" / "frozen" / "encoder").mkdir(parents=True)
    return _fit("--pre", folder / "run")(folder, bundle)


def _other_adc(folder: Path, bundle: Path) -> Sequence[object]:
    """The ADC image of one case is that of another examination, far from the gland."""
    from dataclasses import replace

    from deepradiomics.images import read_volume, write_volume

    command = _fit()(folder, bundle)
    file = folder / "cohort" / "c05_adc.nrrd"
    volume = read_volume(file)
    write_volume(replace(volume, geometry=replace(volume.geometry, origin_mm=(400, 0, 0))), file)
    return command


def _constant(folder: Path, bundle: Path) -> Sequence[object]:
    """Every feature is the same for everyone."""
    text = "featureClass: {shape: [VoxelVolume]}\nsetting: {normalize: false}"
    return _fit(params=text)(folder, bundle)


def _encoder(channels: tuple[str, ...]) -> Command:
    """``lens fit`` with encoder bundles that see these modalities."""

    def command(folder: Path, bundle: Path) -> Sequence[object]:
        from deepradiomics.networks.convnextv2 import ConvNeXtV2
        from deepradiomics.networks.encoders.encoder import Encoder
        from deepradiomics.prepare.stack import StackRecipe

        made = Encoder(ConvNeXtV2(len(channels), "mini"), StackRecipe(channels, (16, 16, 16)))
        made.save(folder / "encoder")
        given = [str(word) for word in _fit()(folder, bundle)]
        for option in ("--pre", "--ft"):
            given[given.index(option) + 1] = str(folder / "encoder")
        return given

    return command


def _case(*options: object) -> Command:
    """``lens case`` on plain files."""

    def command(folder: Path, _: Path) -> Sequence[object]:
        manifest = _cohort(folder)
        views = [
            word for name in ("t2", "adc") for word in ("--view", f"{name}={manifest.parent / f'c00_{name}.nrrd'}")
        ]
        named = [str(option).replace("FOLDER", str(folder)) for option in options]
        return ["lens", "case", *views, *named, "--preset", "tiny", "-o", folder / OUTPUT]

    return command


def _fake(*options: object, **kinds: Any) -> Command:
    """``lens case`` or ``lens report`` on a finished result."""

    def command(folder: Path, _: Path) -> Sequence[object]:
        from Testing.unit.reports.fake_lens import write_fake_lens

        lens = write_fake_lens(folder / "lens", case=False, **kinds)
        return ["lens", options[0], lens, *options[1:], "-o", folder / OUTPUT]

    return command


def _without(option: str, command: Command) -> Command:
    """The same without an option and its value."""

    def shorter(folder: Path, bundle: Path) -> Sequence[object]:
        words = list(command(folder, bundle))
        at = words.index(option)
        return [*words[:at], *words[at + 2 :]]

    return shorter


BAD_INPUTS_LENS: tuple[BadInput, ...] = (
    BadInput(
        "lens: pre and ft of different dimension",
        _fit(ft=lambda folder: _table(folder, "ft", d=6)),
        ("before fine-tuning have 5 dimensions", "after have 6"),
    ),
    BadInput("lens: pre and ft of different patient order", _fit(ft=_reordered), ("orders", "row 4", "c03", "c04")),
    BadInput("lens: a patient in one table only", _fit(ft=_one_table_less), ("c00", "pre table only")),
    BadInput(
        "lens: a modality missing for a patient",
        _fit(change=_clear("view_adc", 2)),
        ("Case c02", "modality adc", "--missing drop"),
    ),
    BadInput("lens: the region missing for a patient", _fit(change=_clear("mask_gland", 7)), ("Case c07", "ROI gland")),
    BadInput("lens: all features constant", _constant, ("original_shape_VoxelVolume", "constant over the 8 training")),
    BadInput(
        "lens: fewer patients than hidden units", _fit("--hidden", "64"), ("8 training cases", "hidden=64", "ridge")
    ),
    BadInput("lens: NaN embeddings", _fit(ft=_with_nan), ("--ft", "case c05", "finite")),
    BadInput(
        "lens: an encoder that does not fit the channels",
        _encoder(("t2", "dwi")),
        ("pre: encoder", "t2, dwi", "no column view_dwi", "it has: t2, adc"),
    ),
    BadInput(
        "lens: a mask outside one modality",
        _other_adc,
        ("Case c05", "ROI gland", "outside modality adc", "same examination"),
    ),
    BadInput(
        "lens: splits that separate one patient's scans",
        _fit(change=_separate, patients=6),
        ("patient man3", "c06 in train", "c07 in validation"),
    ),
    BadInput("lens: no encoder", _without("--ft", _fit()), ("--finetune", "--pre and --ft")),
    BadInput("lens: an encoder that is not there", _fit("--ft", "FOLDER/nowhere"), ("--ft", "nowhere")),
    BadInput("lens: an unknown preset", _fit("--preset", "huge"), ("--preset", "huge", "tiny")),
    BadInput("lens: an unknown region", _fit("--roi", "prostate"), ("no region 'prostate'", "gland")),
    BadInput("lens: an unknown modality", _fit("--modalities", "t2,dwi"), ("view_dwi", "t2, adc")),
    BadInput("lens: unknown parameters", _fit("--params", "lense"), ("lense", "lens")),
    BadInput("lens: a layer of a table", _fit("--layer", "stages.2"), ("--layer", "table")),
    BadInput("lens: --finetune beside --pre", _fit("--finetune", "FOLDER/cohort"), ("--finetune", "or --pre and --ft")),
    BadInput("lens: a folder that is no fine-tuning", _runs("cohort"), ("--finetune", "cohort", "frozen/ and tuned/")),
    BadInput("lens: --finetune of a pre-training", _runs("run", "encoder"), ("--finetune", "a pre-training", "--pre")),
    BadInput(
        "lens: --finetune of one stage only",
        _runs("run", "tuned/encoder"),
        ("--finetune", "no frozen/encoder", "--only"),
    ),
    BadInput("lens: --pre of a fine-tuning", _pre_of_run, ("--pre", "the folder of a fine-tuning", "--finetune")),
    BadInput("lens: a negative seed", _fit("--seed", "-1"), ("--seed", "greater than or equal to 0")),
    BadInput("lens: splits and a fine-tuning", _runs("run", "x", more=("--splits", "s.csv")), ("--splits and",)),
    BadInput("lens: splits that are not there", _fit("--splits", "FOLDER/s.csv"), ("--splits", "does not exist")),
    BadInput("lens: a column of images that is empty", _fit(change=_no_adc), ("view_adc is empty", "--modalities t2")),
    BadInput("lens: one scan under two ids", _fit(change=_twice), ("c00", "c01", "same image of t2", "patient")),
    BadInput("lens: an image as region", _fit(change=_image_as_region), ("c02", "mask_gland", "grey-level image?")),
    BadInput(
        "lens: columns of tables in another order",
        _fit(ft=_columns_reordered),
        ("different orders", "'e0000' before", "'e0001' after"),
    ),
    BadInput("lens: constant embeddings", _fit(ft=_all_the_same), ("ft: all 12 cases have the same embedding",)),
    BadInput("lens: bootstraps that mean nothing", _fit("--bootstraps", "3"), ("bootstraps", "20")),
    BadInput(
        "lens report of a folder without a lens",
        lambda f, b: ["lens", "report", material.cohort(f / "cohort", 1).parent, "-o", f / OUTPUT],
        ("lens.json",),
    ),
    BadInput(
        "lens report of the same result twice",
        lambda f, b: ["lens", "report", f / "lens", f / "lens", "-o", f / OUTPUT],
        ("given twice",),
    ),
    BadInput(
        "lens case of a shape",
        _case("--modality", "t2", "--feature", "original_shape_MeshVolume", "--roi", "ellipsoid"),
        ("original_shape_MeshVolume", "no map"),
    ),
    BadInput("lens case without a region", _case("--modality", "t2", "--feature", "glcm_Idm"), ("--roi ellipsoid",)),
    BadInput(
        "lens case of an unknown feature",
        _case("--modality", "t2", "--feature", "glcm_Contrst", "--mask", "FOLDER/cohort/c00_gland.nrrd"),
        ("glcm_Contrst", "glcm_Contrast"),
    ),
    BadInput(
        "lens case of an unknown modality",
        _case("--modality", "dwi", "--feature", "glcm_Contrast", "--roi", "ellipsoid"),
        ("dwi", "t2, adc"),
    ),
    BadInput(
        "lens case that the lens does not have",
        _fake("case", "--case-id", "synthetic-1", "--rank", "top"),
        ("synthetic-1", "synthetic-001"),
    ),
    BadInput("lens case without a feature", _fake("case", "--case-id", "synthetic-001"), ("--feature", "--rank")),
    BadInput(
        "lens case by a rank too far", _fake("case", "--case-id", "synthetic-001", "--rank", "9999"), ("--rank", "1 to")
    ),
)  # fmt: skip
