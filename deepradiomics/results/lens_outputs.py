"""Everything that is drawn and written of lens results: tables in the paper's form, figures 2 and 3, the report.

LensResult (one task, or several) ─► table1_paper.csv table1.md tableA1.md
                                     figure2 figure3 overview (PNG and SVG)  report.html
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deepradiomics.errors import InputError
from deepradiomics.results.lens_source import LensSource
from deepradiomics.results.lens_tables import write_tables

if TYPE_CHECKING:
    from deepradiomics.lens.result import LensResult


def write_outputs(results: Sequence[LensResult], out: Path) -> list[Path]:
    """Write the tables, figures and the report of one lens result, or of several tasks together."""
    if not results:
        raise InputError("write_outputs: expected at least one lens result, got none.")
    sources = [LensSource.read(result.folder) for result in results]
    return write_tables(sources, out)
