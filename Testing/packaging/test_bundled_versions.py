"""Nothing that a supported Slicer bundles is asked for in a newer version than its oldest release brings.

pip can never replace a package that Slicer bundles, so such a requirement could not be met there at all.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from deepradiomics.scene.job.dependencies import NEEDS
from Testing.slicer.bare.bundled import normal, read_release, releases

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
OURS = ("slicer", "test", "dev")  # extras that are never installed into a Slicer


def declared() -> Iterator[tuple[str, Requirement]]:
    """Where a requirement stands, and the requirement."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    groups = {"dependencies": project["dependencies"], **project["optional-dependencies"]}
    for group, lines in groups.items():
        if group not in OURS:
            yield from ((f"pyproject.toml, {group}", Requirement(line)) for line in lines)
    for feature, dependencies in NEEDS.items():
        for dependency in dependencies:
            yield f"scene/job/dependencies.py, {feature}", Requirement(dependency.requirement)


def unmet(release: str, requirements: Iterator[tuple[str, Requirement]]) -> list[str]:
    """The requirements that a release's own packages do not meet."""
    distributions = read_release(release).distributions
    bundled = [(where, each, distributions.get(normal(each.name))) for where, each in requirements]
    return [
        f"{where}: {requirement}, but Slicer {release} bundles {about.version}"
        for where, requirement, about in bundled
        if about is not None and not requirement.specifier.contains(about.version, prereleases=True)
    ]


@pytest.mark.parametrize("release", releases())
def test_every_requirement_is_met_by_what_the_release_bundles(release: str) -> None:
    assert unmet(release, declared()) == []
    assert {"numpy", "scipy", "simpleitk"} <= {normal(requirement.name) for _, requirement in declared()}


def test_a_requirement_that_is_too_new_is_named() -> None:
    asked = [("here", Requirement("scipy>=1.14")), ("there", Requirement("numpy>=2.0")), ("there", Requirement("a>=9"))]
    assert unmet("5.10", iter(asked)) == ["here: scipy>=1.14, but Slicer 5.10 bundles 1.13.1"]
    assert unmet("5.12", iter(asked)) == []
