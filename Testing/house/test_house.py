"""Every figure of the house, on a small invented checkout where it is known by hand."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest

from Testing.house import __main__ as house
from Testing.house.figures import Figure, measure, offenders
from Testing.house.imports import cycles
from Testing.house.sources import UnknownCommitError, checkout, read_sources

FILES = {
    "deepradiomics/__init__.py": '"""Top."""\nfrom deepradiomics.a import short\nfrom deepradiomics.rooms import d\n',
    "deepradiomics/a.py": """from typing import TYPE_CHECKING

import deepradiomics.b

if TYPE_CHECKING:
    from deepradiomics.alone import Kind


def short(self, one, two, three, four, /, five, six, *rest, seven=7, **more):
    found = [each for each in rest]
    value: int = 3
    return found


class Room:
    def many(self, a, b, c, d, e, f, g, h):
        self.kept = "# fmt: skip"
        with open(a) as told, open(b) as text:
            for row, whole in zip(told, text):
                pass
""",
    "deepradiomics/alone.py": "from deepradiomics import a\n\nKind = int\n",
    "deepradiomics/b.py": """def later():
    from deepradiomics.rooms import d, public
    import numpy, json

    def inner():
        from .rooms.d import leaf
        return leaf
    return inner
""",
    "deepradiomics/rooms/__init__.py": "from deepradiomics.rooms.d import public\n",
    "deepradiomics/rooms/d.py": "from . import e\npublic = (1,\n          2)  # fmt: skip\nleaf = 3\n",
    "deepradiomics/rooms/e.py": "import deepradiomics.a\n",
    "Panel/Panel.py": "class Panel:\n    def go(self):\n        import PanelLib.logic\n        import json\n",
    "Panel/PanelLib/logic.py": "",
    "docs/example.py": "found = 1\n",
    "Testing/test_a.py": "def test_it(tmp_path):\n    assert tmp_path\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "checkout"


def test_every_figure_of_the_package_is_the_one_counted_by_hand(root: Path) -> None:
    assert measure(root)["package"] == {
        "files": Figure(9),
        "lines": Figure(3 + 20 + 3 + 8 + 1 + 4 + 1 + 4 + 0),
        "largest folder": Figure(4, "deepradiomics"),
        "median file": Figure(3),
        "largest function": Figure(8, "later"),
        "functions of 8 or more parameters": Figure(1),
        "fmt: skip": Figure(1),
        "pronoun names per 1,000": Figure(round(5000 / 27, 1), "one 1, found 1, each 1, told 1, whole 1"),
        "imports inside functions": Figure(3),
        "import cycles": Figure(1, "5 files"),
    }


def test_tests_are_counted_apart_and_other_folders_not_at_all(root: Path) -> None:
    tests = measure(root)["tests"]
    assert (tests["files"], tests["lines"]) == (Figure(1), Figure(2))
    assert "import cycles" not in tests
    assert tests["pronoun names per 1,000"] == Figure(0.0)


@pytest.mark.parametrize(
    ("which", "lines"),
    [
        ("folders", ["    4  deepradiomics", "    3  deepradiomics/rooms", "    1  Panel", "    1  Panel/PanelLib"]),
        ("parameters", ["    8  deepradiomics/a.py:16 many"]),
        ("imports", ["deepradiomics/b.py:2 deepradiomics.rooms", "deepradiomics/b.py:6 deepradiomics.rooms.d",
                     "Panel/Panel.py:3 PanelLib.logic"]),
        ("pronouns", [f"deepradiomics/a.py:{line} {name}" for line, name in
                      ((9, "one"), (10, "found"), (10, "each"), (18, "told"), (19, "whole"))]),
    ],
)  # fmt: skip
def test_the_places_behind_a_figure_are_listed(root: Path, which: str, lines: list[str]) -> None:
    assert offenders(root, which) == lines


def test_a_cycle_holds_inner_imports_but_neither_those_for_type_checkers_nor_the_top_package(root: Path) -> None:
    rooms = [f"deepradiomics.{name}" for name in ("a", "b", "rooms", "rooms.d", "rooms.e")]
    assert cycles(read_sources(root)["package"]) == [rooms]
    (root / "deepradiomics/rooms/e.py").write_text("import deepradiomics\n", encoding="utf-8")
    assert cycles(read_sources(root)["package"]) == []  # rooms → d → e ends there; d does not name its own package
    (root / "deepradiomics/rooms/d.py").write_text("from . import public\n", encoding="utf-8")
    assert cycles(read_sources(root)["package"]) == [["deepradiomics.rooms", "deepradiomics.rooms.d"]]


def test_two_knots_are_told_apart_and_the_larger_comes_first(tmp_path: Path) -> None:
    imports = {"a": "b", "b": "a", "c": "d", "d": "e", "e": "c", "f": "a"}
    (tmp_path / "deepradiomics").mkdir()
    for name, target in imports.items():
        (tmp_path / "deepradiomics" / f"{name}.py").write_text(f"import deepradiomics.{target}\n", encoding="utf-8")
    parts = [[module.rpartition(".")[2] for module in knot] for knot in cycles(read_sources(tmp_path)["package"])]
    assert parts == [["c", "d", "e"], ["a", "b"]]


def test_edges_are_those_of_the_import_linter() -> None:
    grimp = pytest.importorskip("grimp")
    from Testing.house import imports

    graph = grimp.build_graph("deepradiomics", exclude_type_checking_imports=True, cache_dir=None)
    package = [source for source in read_sources(house.ROOT)["package"] if source.path.startswith("deepradiomics/")]
    modules = {imports._module(source.path): source for source in package}
    assert set(modules) == graph.modules
    for name, source in modules.items():
        assert set(imports._imported(source, modules)) == graph.find_modules_directly_imported_by(name) - {name}


@pytest.fixture
def history(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The invented checkout under version control, one file added after its first commit."""

    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=n", "-c", "user.email=e@example.org", *arguments]
        return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    monkeypatch.setattr(house, "ROOT", root)
    monkeypatch.setattr(house, "FIRST_COMMIT", git("rev-parse", "--short", "HEAD"))
    (root / "deepradiomics/new.py").write_text("x = 1\ny = 2\n", encoding="utf-8")
    return root


def test_the_table_puts_the_first_commit_beside_the_working_tree(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = history / "house.csv"
    assert house.main(["--csv", str(path)]) == 0
    with open(path, encoding="utf-8", newline="") as stream:
        rows = {(row["figure"], row["group"]): row for row in csv.DictReader(stream)}
    assert (rows["files", "package"]["before"], rows["files", "package"]["after"]) == ("9", "10")
    assert (rows["lines", "package"]["before"], rows["lines", "package"]["after"]) == ("44", "46")
    assert rows["import cycles", "package"]["goal"] == "at most 0"
    assert rows["files", "tests"]["after"] == "1"
    record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert record["before"] == house.FIRST_COMMIT
    assert record["command"].startswith("python -m Testing.house --csv ")
    assert "package and modules" in capsys.readouterr().out


def test_a_commit_is_measured_alone(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert house.main(["--at", house.FIRST_COMMIT]) == 0
    medians = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("  median file")]
    assert medians == [["median", "file", "3"], ["median", "file", "2"]]
    assert house.main(["--list", "parameters", "--at", house.FIRST_COMMIT]) == 0
    assert capsys.readouterr().out == "    8  deepradiomics/a.py:16 many\n"


def test_without_the_history_the_first_commits_figures_come_from_their_table_and_that_is_said(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(house, "ROOT", root)
    assert house.main([]) == 0
    streams = capsys.readouterr()
    assert f"Commit {house.FIRST_COMMIT} is not in this history: its figures are those in house.csv" in streams.err
    lines = {line.split("  ")[1].strip(): line for line in streams.out.splitlines() if line.startswith("  lines")}
    with house.STORED.open(encoding="utf-8", newline="") as stream:
        before = {row["group"]: row["before"] for row in csv.DictReader(stream) if row["figure"] == "lines"}
    assert "working tree" in streams.out
    assert f"{int(before['tests']):,}" in lines["lines"]
    assert house.main(["--at", "0123abc"]) == 1
    with pytest.raises(UnknownCommitError, match="git fetch --unshallow"), checkout(root, "0123abc"):
        pass
