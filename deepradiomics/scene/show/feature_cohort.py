"""Show the result of `deepradiomics extract --manifest` in the scene: one table of all cases, and remarks on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.files.results import read_object
from deepradiomics.radiomics.catalogue.explain import explain
from deepradiomics.scene.nodes.atomic import all_or_nothing
from deepradiomics.scene.nodes.tables import add_table, explain_columns, table_of_csv
from deepradiomics.scene.show.features import explained
from deepradiomics.scene.tree.folder import result_folder_item
from deepradiomics.scene.tree.provenance import stamp

KIND = "feature-cohort"
REMARKS_ROLE = "DeepRadiomics.remarks"  # from the table of features to that of remarks
ABOUT_HELP = {
    "id": "Case",
    "view": "Image of the case",
    "label": "Label of the region in the mask",
    "name": "Name of the label in the mask's file, where it has one",
    "segment_number": "Number of the segment in its file",
    "segment_colour": "Colour of the segment in its file",
    "segment_category": "Category of the segment: scheme^code^meaning",
    "segment_type": "Type of the segment: scheme^code^meaning",
    "case": "Folder or volume that the row comes from",
    "region": "Name of the region: of the segment, of the mask's file, or of the manifest's column mask_<region>",
    "terminology": "What the segment is said to be: category / type / modifier; empty where nobody has said",
}
REMARK_HELP = {
    "case": "Case, as in the table of features",
    "image": "Image of the case",
    "region": "Region of the case, where it has several masks",
    "status": "done: computed in this run; kept: by an earlier one; failed: not in the table of features",
    "remark": "Why it failed; or what to know about its numbers, and what was assumed or chosen while reading",
}
_ORDER = ("failed", "done", "kept")


@dataclass(frozen=True, eq=False)
class CohortNodes:
    """The nodes of a batch.

    Attributes
    ----------
    features
        Table node with a row per case and region, and a column per feature; it refers to `remarks`.
    remarks
        Table node with a row per case: what became of it and why; failed ones first.
    folder_item
        The subject-hierarchy item ID of their folder.
    cases, computed
        How many there are, and how many were computed by this run; the others were kept from an earlier one or failed.
    failed
        Reason by case; by case, image and region where a case has several.
    """

    features: Any
    remarks: Any
    folder_item: int
    cases: int
    computed: int
    failed: Mapping[str, str]


def show_feature_cohort(table: Path, scene: Any, *, name: str = "Features of the batch") -> CohortNodes:
    """Add a cohort's CSV table to the scene, each column explained, with the remarks of the JSON beside it.

    Raises InputError if either file is missing or damaged; then nothing is left in the scene.
    """
    content = read_object(table.with_suffix(".json"))
    cases = content.get("cases")
    if not isinstance(cases, list):
        raise InputError(f"{table.with_suffix('.json')} does not say what became of each case: run again")
    with all_or_nothing(scene):
        features = table_of_csv(scene, table, name, ABOUT_HELP)
        explain_columns(features, {key: explained(key) for key in feature_columns(features)})
        remarks = _remark_table(scene, f"{name}, remarks", cases)
        features.SetNodeReferenceID(REMARKS_ROLE, remarks.GetID())
        for node in (features, remarks):
            stamp(node, content, kind=KIND)
        item = result_folder_item(scene, name, [features, remarks])
    status = [str(case.get("status")) for case in cases]
    failed = {_called(case): str(case.get("message", "")) for case in cases if case.get("status") == "failed"}
    return CohortNodes(features, remarks, item, len(cases), status.count("done"), failed)


def feature_columns(node: Any) -> list[str]:
    """The names of the columns that are features: those after `id`, `view`, `label`, `name` and what was carried over.

    A feature's key has an image, a family and a name: at least two underscores.
    """

    def known(name: str) -> bool:
        try:
            explain(name)
        except InputError:
            return False
        return True

    names = [node.GetColumnName(index) for index in range(node.GetNumberOfColumns())]
    return [name for name in names if name.count("_") >= 2 and known(name)]


def region_title(case: str, image: str = "", region: str = "", name: str = "") -> str:
    """What a row of a batch is called: its case, and what tells its rows apart.

    >>> region_title("p7", "adc", "gland"), region_title("p7 core", "image", name="core")
    ('p7 adc gland', 'p7 core')
    """
    title = case
    for part in ("" if image == "image" else image, region, name):
        title += f" {part}" if part and f" {part} " not in f" {title} " else ""
    return title


def _called(case: Mapping[str, Any]) -> str:
    image = case.get("view", "")
    return " ".join(
        str(part) for part in (case.get("id"), "" if image == "image" else image, case.get("region")) if part
    )


def _remark_table(scene: Any, name: str, cases: Sequence[Mapping[str, Any]]) -> Any:
    ordered = sorted(cases, key=lambda case: (_rank(case), not _remark(case)))
    columns = {
        "case": [str(case.get("id", "")) for case in ordered],
        "image": [str(case.get("view", "")) for case in ordered],
        "region": [str(case.get("region", "") or "") for case in ordered],
        "status": [str(case.get("status", "")) for case in ordered],
        "remark": [_remark(case) for case in ordered],
    }
    return add_table(scene, name, columns, dict.fromkeys(columns, str), REMARK_HELP)


def _rank(case: Mapping[str, Any]) -> int:
    status = case.get("status")
    return _ORDER.index(str(status)) if status in _ORDER else len(_ORDER)


def _remark(case: Mapping[str, Any]) -> str:
    remarks = [str(text) for kind in ("warnings", "notes") for text in case.get(kind) or ()]
    return str(case.get("message") or "") or " ".join(remarks)
