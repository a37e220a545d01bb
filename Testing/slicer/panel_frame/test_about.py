"""What Slicer shows of each module before its panel is opened: simulated."""

from __future__ import annotations

import importlib
import re
import types
from typing import Any

import pytest

from Testing.slicer.panel.conftest import ROOT
from Testing.slicer.panel.simulated import MODULES

PAGES = "https://github.com/DeepRadiomics/SlicerDeepRadiomics/blob/main/"


@pytest.fixture(params=MODULES)
def parent(request: pytest.FixtureRequest, simulated: Any) -> Any:
    """What each module has filled in."""
    simulated.app.connect = lambda signal, slot: None
    parent = types.SimpleNamespace(path=str(ROOT / request.param / f"{request.param}.py"))
    getattr(importlib.import_module(request.param), request.param)(parent)
    return parent


def test_the_help_text_links_the_first_five_minutes_and_the_tutorial_of_the_module(parent: Any) -> None:
    links = re.findall(r'href="([^"]+)"', parent.helpText)
    assert len(links) == 2
    assert links[0] == f"{PAGES}docs/tutorials/first_five_minutes.md"
    pages = [ROOT / link.removeprefix(PAGES) for link in links]
    assert all(page.is_file() for page in pages)
    assert parent.title in pages[1].read_text(encoding="utf-8")


def test_the_help_text_says_what_the_module_is_not(parent: Any) -> None:
    assert "Research use only; not a medical device." in parent.helpText


def test_contributors_are_those_of_the_extension(parent: Any) -> None:
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    assert f'set(EXTENSION_CONTRIBUTORS "{", ".join(parent.contributors)}")' in text
    assert all(re.fullmatch(r".+ \(.+\)", name) for name in parent.contributors)
