"""IBSI's reference values read from the manual's own tables, for the configurations B, D and E.

The test data hold the values of A and C. Those of all five stand in the manual's sources, which anyone can get:
``docs/03_Image_features.rst`` of github.com/theibsi/ibsi-doc. Its path in ``DEEPRADIOMICS_IBSI_MANUAL`` adds B, D and E
to the table and to the tests.
"""

import os
import re
from functools import cache
from pathlib import Path

from deepradiomics.radiomics.catalogue.ibsi import Entry, entries, key_of, tag_of
from Testing.reference.ibsi.ibsi_cases import Reference

VARIABLE = "DEEPRADIOMICS_IBSI_MANUAL"
HISTOGRAM = "Intensity histogram"
TITLES = {
    "shape": "Morphology",
    "firstorder": "Statistics",
    "glcm": "Co-occurrence matrix",
    "glrlm": "Run length matrix",
    "glszm": "Size zone matrix",
    "gldm": "Neighbouring grey level dependence matrix",
    "ngtdm": "Neighbourhood grey tone difference matrix",
}
_CODE = re.compile(r'text-align:right">(\w{4})</p>')
_ROW = re.compile(r"\|\s*config\. ([BDE])\s*\|(.+)\|")


@cache
def manual_references() -> tuple[Reference, ...]:
    """Return the values of the features that are computed here; none where the manual is not named."""
    path = os.environ.get(VARIABLE)
    if not path:
        return ()
    ours = {entry.code: entry for names in entries().values() for entry in names.values()}
    found, code = [], ""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        heading, row = _CODE.search(line), _ROW.search(line)
        code = heading[1] if heading else code
        if row and code in ours:
            entry, cells = ours[code], [cell.strip() for cell in row[2].split("|")]
            way = cells[0].replace(", ", "_").replace("-", "_") if len(cells) == 4 else ""
            tag = tag_of(key_of("original", entry.family, entry.name, way))
            value, tolerance, consensus = cells[-3:]
            if value != "—":  # no consensus was reached
                numbers = _number(value), _number(tolerance)
                found.append(Reference(row[1], cells[0] if way else "not_applicable", _family(entry), code, tag,
                                       entry.ibsi, *numbers, consensus))  # fmt: skip
    order = [*TITLES.values()]
    order.insert(2, HISTOGRAM)
    return tuple(sorted(found, key=lambda r: (r.configuration, order.index(r.family), r.aggregation)))


def _family(entry: Entry) -> str:
    """Return the family's name in the tables; two features of our firstorder belong to the histogram there."""
    return HISTOGRAM if entry.tag.startswith("ih_") else TITLES[entry.family]


def _number(text: str) -> float:
    r"""Read a table cell: ``0.5``, ``—``, ``:math:`3.58 \times 10^{5}```, or with a minus in math mode before it."""
    if text == "—":
        return 0.0
    sign = -1.0 if text.startswith(":math:`-`") else 1.0
    plain = text.removeprefix(":math:`-`").lstrip("\\ ").removeprefix(":math:`").rstrip("`")
    mantissa, _, exponent = plain.partition(r"\times")
    power = int(exponent.strip().removeprefix("10^{").rstrip("}")) if exponent else 0
    return sign * float(f"{mantissa.strip()}e{power}")
