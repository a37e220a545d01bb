"""The case that a new lens shows: the first test case, with the map of the feature whose explained spread grew most."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from deepradiomics.cli.outputs import staged
from deepradiomics.errors import InputError

if TYPE_CHECKING:
    from deepradiomics.lens.result import LensResult

CASE_FOLDER = "case"


def shown_case(result: "LensResult", output: Path, warn: Callable[[str], None], device: str = "auto") -> list[Path]:
    """Write ``output/case``, a folder as `lens case` writes it, for figure 3 and the report.

    A finished lens keeps the case that is there. A map that cannot be computed is told and leaves the figure without.

    Returns:
        The folder, or nothing.
    """
    from deepradiomics.lens.case.run import CaseSource, case_map, chosen_feature
    from deepradiomics.reports.lens.case import case_picture, read_case

    folder = output / CASE_FOLDER
    try:
        modality, feature = chosen_feature(result, rank="top", by="explained")
        test = next((case["id"] for case in result.cases if case["split"] == "test"), None)
        if test is None:
            return []
        if (folder / "case.json").is_file():
            earlier = read_case(folder)
            if (earlier.modality, earlier.feature, earlier.shift.get("delta_i")) == _told(result, modality, feature):
                return [folder]
        drawn = case_map(CaseSource.of_result(result, test, None), modality, feature, result, device=device)
        with staged(folder) as stage:
            drawn.write(stage)
            case_picture(stage, stage / "picture.png")
    except InputError as error:
        warn(f"figure 3 shows no map: {error}")
        return []
    return [folder]


def _told(result: "LensResult", modality: str, feature: str) -> tuple[str, str, float]:
    row = next(row for row in result.shift if (row["modality"], row["feature"]) == (modality, feature))
    return modality, feature, row["delta_i"]
