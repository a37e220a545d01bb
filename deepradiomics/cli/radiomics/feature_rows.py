"""The wide table of an extraction, a row per region, a column per feature: of a cohort, or one case (``--wide``)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepradiomics.cli.radiomics.feature_tables import (
    REGION_COLUMNS,
    SEGMENT_COLUMNS,
    STANDARD_OUTPUT,
    segment_cells,
    write_rows,
)
from deepradiomics.files.atomic import atomic_file, write_json

Case = Mapping[str, Any]
"""What is kept of a case: ``id``, ``view``, ``region``, ``scanner``, and ``labels`` as `described` gives them."""


@dataclass
class Columns:
    """The columns that a cohort's table needs, as one pass over its cases finds them."""

    features: dict[str, None] = field(default_factory=dict)
    counts: list[int] = field(default_factory=list)
    segment: set[str] = field(default_factory=set)
    scanner: dict[str, None] = field(default_factory=dict)
    regions: bool = False

    def see(self, case: Case) -> None:
        """Add what a case has."""
        self.scanner |= dict.fromkeys(case.get("scanner") or {})
        self.regions = self.regions or bool(case.get("region"))
        for region in case["labels"].values():
            if not self.features.keys() >= region["features"].keys():
                self.features |= dict.fromkeys(region["features"])
            self.counts.append(len(region["features"]))
            self.segment |= set(segment_cells(region))

    @property
    def about(self) -> tuple[str, ...]:
        """The columns before the manifest's further ones and the features: case, region, segment, scanner."""
        known = [name for name in SEGMENT_COLUMNS if name in self.segment]
        return (*REGION_COLUMNS, *(["region"] if self.regions else []), *known, *self.scanner)


def write_regions(
    output: Path,
    cases: Sequence[Case] | Callable[[], Iterable[Case]],
    more: Mapping[str, Mapping[str, str]],
    document: Mapping[str, Any],
    columns: Columns | None = None,
) -> list[Path]:
    """Write table and JSON of many regions; the table goes to a temporary file first.

    Args:
        output: of the table; ``-`` is standard output, and no JSON then.
        cases: kept cases, or a function that reads them one at a time, so that a cohort need not fit into memory.
        more: further columns of the manifest, by case.
        document: what the JSON says besides.
        columns: of these cases, where they are known already.

    Returns:
        The files written.
    """

    read = cases if callable(cases) else lambda: cases
    if columns is None:
        columns = Columns()
        for case in read():
            columns.see(case)
    if output.suffix.lower() == ".json":
        write_json(output, {**document, "regions": [_record(*row) for row in _regions(read(), columns, more)]})
        return [output]
    further = list(next(iter(more.values()), {}))
    taken = (*columns.about, *columns.features)
    names = [*columns.about, *(f"manifest_{name}" if name in taken else name for name in further), *columns.features]
    rows = (
        (
            *map(about.get, columns.about),
            *map(own.get, further),
            *[None if (value := features.get(name)) is None else float(value) for name in columns.features],
        )
        for about, own, features in _regions(read(), columns, more)
    )
    if output == STANDARD_OUTPUT:
        write_rows(output, names, rows)
        return []
    beside = output.with_suffix(".json")
    with atomic_file(output) as temporary:
        write_rows(temporary, names, rows)
        write_json(beside, document)
    return [output, beside]


def _regions(
    cases: Iterable[Case], columns: Columns, more: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[dict[str, Any], Mapping[str, str], Mapping[str, float]]]:
    """Every region: what it is, the manifest's further cells, and its features."""
    for case in cases:
        for label, region in case["labels"].items():
            about = {
                "id": case["id"],
                "view": case["view"],
                "label": int(label),
                "name": "",
                "region": case.get("region", ""),
                **segment_cells(region),
                **(case.get("scanner") or {}),
            }
            yield {name: about.get(name) for name in columns.about}, more.get(case["id"], {}), region["features"]


def _record(about: Mapping[str, Any], own: Mapping[str, str], features: Mapping[str, float]) -> dict[str, Any]:
    return {**about, **({"manifest": own} if own else {}), "features": features}
