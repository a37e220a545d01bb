"""Each kind of map has one palette, whose colours are those of its name."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.reports import palettes
from deepradiomics.reports.palettes import colormap, table


@pytest.mark.parametrize(
    ("palette", "known"), [("Plasma", "plasma"), ("Inferno", "inferno"), ("DivergingBlueRed", "coolwarm")]
)
def test_the_colours_are_those_that_the_name_promises(palette: palettes.Palette, known: str) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    theirs = matplotlib.colormaps[known](np.linspace(0, 1, 64))[:, :3]
    assert np.abs(table(palette, 64) - theirs).max() < 0.05  # interpolated from 11 to 15 points
    assert colormap(palette).name == palette
    assert np.allclose(colormap(palette)(np.linspace(0, 1, 64))[:, :3], table(palette, 64), atol=0.01)


def test_the_scene_can_read_them_without_matplotlib() -> None:
    tree = ast.parse(Path(palettes.__file__).read_text(encoding="utf-8"))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {name.name for node in top if isinstance(node, ast.Import) for name in node.names}
    modules |= {str(node.module) for node in top if isinstance(node, ast.ImportFrom)}
    assert modules <= {"__future__", "typing", "numpy"} | set(sys.stdlib_module_names)
