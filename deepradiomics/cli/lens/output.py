"""Where a lens's tables and report may be written: over our own, never over anybody else's files of the same names."""

from pathlib import Path

from deepradiomics.errors import InputError

_NAMES = (
    "report.html", "shift.csv", "shift.parquet", "table1.csv", "table1.md", "table1_paper.csv", "tableA1.csv",
    "tableA1.md", "modality_r2.csv", "dropped.csv", "cases.csv", "radiomics.parquet", "embeddings_pre.parquet",
    "embeddings_ft.parquet", "figure2.png", "figure2.svg", "figure3.png", "figure3.svg",
)  # fmt: skip
_TITLE = "Radiomic lens"  # in the head of our report


def check_fit_output(folder: Path) -> None:
    """Refuse a folder of `lens fit` in which files of its names are not of a lens.

    Raises:
        InputError: such a file is there; the message names it.
    """
    if not any((folder / name).is_file() for name in ("lens.json", "run.json")):  # a run.json is checked by the fit
        _refuse(folder, [name for name in _NAMES if (folder / name).exists()])


def check_report_output(folder: Path, results: list[Path]) -> None:
    """Refuse a folder of `lens report` that is another lens's, or in which files of its names are not of a report.

    Args:
        folder: where the report shall be.
        results: folders that it is drawn from; a single one may be ``folder`` itself.

    Raises:
        InputError: a result is given twice, or files would be lost; the message names it.
    """
    places = [result.resolve() for result in results]
    twice = next((result for result, place in zip(results, places, strict=True) if places.count(place) > 1), None)
    if twice is not None:
        raise InputError(f"{twice}: this result is given twice; a table shows each task once.")
    if folder.resolve() in places:
        return
    if (folder / "lens.json").is_file():
        raise InputError(f"output {folder}: another lens is there, whose tables would be lost. Name another folder.")
    if not _is_report(folder / "report.html"):
        _refuse(folder, [name for name in _NAMES if (folder / name).exists()])


def _is_report(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open(encoding="utf-8", errors="replace") as stream:
        return _TITLE in stream.read(4096)


def _refuse(folder: Path, there: list[str]) -> None:
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise InputError(
            f"output {folder}: {there[0]}{more} there is not of a lens and would be replaced. Choose another folder."
        )
