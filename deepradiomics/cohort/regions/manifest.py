"""The manifest of an extraction: which regions each case has; the schema of every manifest, read less strictly.

id,image,mask                 as in every manifest (capitals of the columns do not matter)
view_<name>, mask_<roi>       a case with several images or regions: see below which belong together
label, segment                optional: which label, or which segment by name, of the mask is the region
anything else                 carried into the table as text (patient, split, label_<task>, value_<name>, site, age, …)

A row of the manifest becomes a row of the result for each region: ``mask_<roi>`` belongs to the view of that name
alone, where there is one (``mask_followup`` to ``view_followup``); every other mask belongs to all views that have no
mask of their own. An empty cell of one mask among several means that the case has no such region.

A file that is missing, or a case without any image or mask, is a matter of its case: whoever reads the case reports it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from deepradiomics.cohort.columns import Columns, columns_of_regions, masks_of_view
from deepradiomics.cohort.manifest import Manifest, ManifestRow, path_in, read_table, region_in
from deepradiomics.errors import ManifestError


def read_region_manifest(path: str | Path) -> Manifest:
    """Read the manifest of an extraction: one row per region of a case.

    Its rows hold the region's views, ``mask``, ``roi`` (its name; empty for the column ``mask``), ``region`` (the
    label), ``segment`` and ``more``; they may lack files. Rows of one case share its id.

    Raises:
        ManifestError: no column id, image or mask (a near miss is named), a repeated or unnamed column, an unusable or
            repeated id, a name that cannot be a file's, a label that is no whole number above 0.
    """
    path = Path(path)
    names, records = read_table(path)
    ours, columns = columns_of_regions(path, names)
    rows: list[ManifestRow] = []
    ids: list[ManifestRow] = []
    for line, record in records:
        cells = dict(zip(ours, record.values(), strict=True))
        if not cells["id"]:
            raise ManifestError(f"Line {line} of the manifest has no id.")
        case = _case(cells, columns, path.parent)
        ids.append(case)
        rows += _regions(case, cells, columns, path.parent)
    views = tuple(columns.views)
    if ids:
        Manifest(tuple(ids), views, (), path, partial=True)  # an id may come once, whatever regions its case has
    return Manifest(tuple(rows), views, (), path, partial=True, rois=columns.rois)


def _case(cells: Mapping[str, str], columns: Columns, folder: Path) -> ManifestRow:
    """A case with all its images and none of its regions."""
    case = cells["id"]
    files = {view: path_in(cells[name], folder, case, name) for view, name in columns.views.items() if cells[name]}
    region, segment = region_in(case, cells)
    return ManifestRow(
        case,
        files,
        region=region,
        segment=segment,
        more={name: cells[name] for name in columns.more},
        patient=cells.get("patient") or None,
    )


def _regions(case: ManifestRow, cells: Mapping[str, str], columns: Columns, folder: Path) -> Iterator[ManifestRow]:
    """The case's regions, each with the images that it belongs to; one without a mask where there is none at all."""
    views_of: dict[str, list[str]] = {}
    for view in columns.views:
        for roi in masks_of_view(columns, view):
            views_of.setdefault(roi, []).append(view)
    has_mask = False
    for roi, views in views_of.items():
        column = f"mask_{roi}" if roi else "mask"
        if not cells[column]:
            continue
        has_mask = True
        files = {view: case.views[view] for view in views if view in case.views}
        yield replace(case, views=files, mask=path_in(cells[column], folder, case.id, column), roi=roi)
    if not has_mask:
        yield case
