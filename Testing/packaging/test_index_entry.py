"""The entry for Slicer's Extensions Index: it fits CMakeLists.txt and the schema; what the index asks of a README."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepradiomics
from deepradiomics.images import Geometry, Mask, Volume

ROOT = Path(__file__).resolve().parents[2]
ENTRY = ROOT / "docs" / "DeepRadiomics.json"
SCHEMA = Path("Schemas/slicer-extension-catalog-entry-schema-v1.0.1.json")
MODULES = ("RadiomicFeatures", "RadiomicFingerprint", "RadiomicLens", "ICHLatentFeatures")
TYPES = {"string": str, "array": list, "boolean": bool, "integer": int}


@pytest.fixture
def entry() -> dict[str, Any]:
    return json.loads(ENTRY.read_text(encoding="utf-8"))


@pytest.fixture
def schema() -> dict[str, Any]:
    source = os.environ.get("SLICER_SOURCE_DIR")
    if not source or not (Path(source) / SCHEMA).is_file():
        pytest.skip("SLICER_SOURCE_DIR names no Slicer checkout with the schema of the index's entries")
    return json.loads((Path(source) / SCHEMA).read_text(encoding="utf-8"))


def cmake(name: str) -> str:
    """The value of a variable that CMakeLists.txt sets, or what follows `project(`."""
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    pattern = r"^project\((\w+)" if name == "project" else rf"^set\({name}\s+\"([^\"]*)\"\)"
    values = re.findall(pattern, text, re.MULTILINE)
    assert len(values) == 1, f"CMakeLists.txt sets {name} {len(values)} times"
    return values[0]


def faults(entry: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """What the schema has against an entry: the keywords that Slicer's schema uses, and no others."""
    properties = schema["properties"]
    lines = [f"missing: {key}" for key in schema["required"] if key not in entry]
    lines += [f"unknown: {key}" for key in entry if key not in properties and not schema["additionalProperties"]]
    for key, value in entry.items():
        rule = properties.get(key, {})
        expected = TYPES[rule["type"]] if rule else object
        if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
            lines.append(f"{key}: not of type {rule['type']}")
        elif expected is list and not all(isinstance(item, TYPES[rule["items"]["type"]]) for item in value):
            lines.append(f"{key}: an item is not of type {rule['items']['type']}")
        elif "enum" in rule and value not in rule["enum"]:
            lines.append(f"{key}: not one of {', '.join(rule['enum'])}")
        elif expected is int and not rule.get("minimum", value) <= value <= rule.get("maximum", value):
            lines.append(f"{key}: out of range")
    return lines


def test_the_entry_says_what_cmake_says(entry: dict[str, Any]) -> None:
    assert ENTRY.stem == cmake("project")
    assert entry["build_dependencies"] == cmake("EXTENSION_DEPENDS").split()
    assert entry["category"] == cmake("EXTENSION_CATEGORY")
    assert entry["scm_url"] == cmake("EXTENSION_HOMEPAGE") + ".git"


def test_the_entry_keeps_to_the_schema_that_it_names(entry: dict[str, Any], schema: dict[str, Any]) -> None:
    assert entry["$schema"] == schema["$id"]
    assert faults(entry, schema) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"category": None}, "missing: category"),
        ({"licence": "Apache-2.0"}, "unknown: licence"),
        ({"build_dependencies": "PyTorch"}, "build_dependencies: not of type array"),
        ({"build_dependencies": [1]}, "build_dependencies: an item is not of type string"),
        ({"scm_type": "svn"}, "scm_type: not one of git, local"),
        ({"tier": 9}, "tier: out of range"),
        ({"tier": True}, "tier: not of type integer"),
    ],
)
def test_a_fault_in_the_entry_is_named(
    entry: dict[str, Any], schema: dict[str, Any], change: dict[str, Any], fault: str
) -> None:
    changed = {key: value for key, value in {**entry, **change}.items() if value is not None}
    assert faults(changed, schema) == [fault]


def test_the_repository_is_called_slicer_and_the_name_of_the_extension(entry: dict[str, Any]) -> None:
    assert entry["scm_url"].endswith(f"/Slicer{cmake('project')}.git")
    assert not cmake("project").startswith("Slicer")


def test_contributors_of_the_extension_carry_an_institution() -> None:
    assert re.fullmatch(r"[^()]+ \([^()]+\)(, [^()]+ \([^()]+\))*", cmake("EXTENSION_CONTRIBUTORS"))


def test_pictures_that_the_extension_manager_shows_are_in_the_repository() -> None:
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    prefix = "https://raw.githubusercontent.com/DeepRadiomics/SlicerDeepRadiomics/main/"
    pictures = re.findall(re.escape(prefix) + r"([^\"\s]+)", text)
    assert len(pictures) >= 2
    assert [name for name in pictures if not (ROOT / name).is_file()] == []


def test_the_readme_has_the_sections_that_the_index_asks_for() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert {"Modules", "Where it runs", "Publications", "Safety and patents", "License"} <= set(headings)
    modules = text.split("## Modules\n")[1].split("\n## ")[0]
    assert [name for name in MODULES if f"**{name}**" not in modules] == []
    publications = text.split("## Publications\n")[1].split("\n## ")[0]
    assert len(re.findall(r"\]\(https://[^)]+\)", publications)) >= 4


def test_the_readme_stays_on_one_page() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 90


def test_the_five_lines_of_python_in_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [code] = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 5
    generator = np.random.default_rng(0)
    labels = np.zeros((8, 9, 10), np.uint8)
    labels[2:6, 2:7, 2:8] = 1
    grid = Geometry((10, 9, 8), (1.0, 1.0, 2.0))
    deepradiomics.write_volume(Volume(generator.normal(100, 40, labels.shape), grid), tmp_path / "image.nii.gz")
    deepradiomics.write_mask(Mask(labels, grid), tmp_path / "mask.nii.gz")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert float(names["features"]["original_glcm_Contrast"]) > 0
    assert [name for name in names["maps"] if "Contrast" in name]


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: str(page.relative_to(ROOT))
)
def test_links_of_the_documentation_lead_to_files_and_headings_that_exist(page: Path) -> None:
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text(encoding="utf-8"))):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            lost.append(target)
    assert lost == []


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
