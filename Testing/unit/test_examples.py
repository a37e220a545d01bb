"""The examples in docstrings run, and give what they promise."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest

from deepradiomics import write_mask, write_volume
from deepradiomics.images import Geometry, Mask, Volume

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "deepradiomics"
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def with_examples() -> list[str]:
    """Names of the modules whose text holds an example."""
    paths = (path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8"))
    names = (path.relative_to(ROOT).with_suffix("").parts for path in paths)
    return [".".join(parts[:-1] if parts[-1] == "__init__" else parts) for parts in names]


def own_examples(name: str) -> list[doctest.DocTest]:
    """The examples of a module's own functions and classes; skips where it needs a package that is not installed."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("deepradiomics"):
            raise
        pytest.skip(f"{name} needs {error.name}")
    return [example for example in doctest.DocTestFinder(exclude_empty=True).find(module, name) if example.examples]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what examples read: image.nii.gz, mask.nii.gz (120 voxels of 2 mm³), segmentation.nii.gz (two)."""
    folder = tmp_path_factory.mktemp("examples")
    grid = Geometry((10, 9, 8), (1.0, 1.0, 2.0))
    generator = np.random.default_rng(0)
    labels = np.zeros((8, 9, 10), np.uint8)
    labels[2:6, 2:7, 2:8] = 1
    write_volume(Volume(generator.normal(100.0, 40.0, labels.shape), grid), folder / "image.nii.gz")
    write_mask(Mask(labels, grid), folder / "mask.nii.gz")
    labels[4:] *= 2
    write_mask(Mask(labels, grid), folder / "segmentation.nii.gz")
    return folder


@pytest.mark.parametrize("name", with_examples())
def test_examples_give_what_they_promise(name: str, images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(images)
    failures: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
    for example in own_examples(name):
        runner.run(example, out=failures.append)
    if failures:
        pytest.fail("".join(failures), pytrace=False)


def test_an_example_that_is_wrong_is_found() -> None:
    example = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    written: list[str] = []
    doctest.DocTestRunner(optionflags=OPTIONS, verbose=False).run(example, out=written.append)
    assert "Expected:" in "".join(written)


def test_examples_are_many_and_few_are_skipped() -> None:
    lines = [line for path in PACKAGE.rglob("*.py") for line in path.read_text(encoding="utf-8").splitlines()]
    examples = [line for line in lines if line.lstrip().startswith(">>> ")]
    assert len(examples) > 120
    assert len([line for line in examples if "+SKIP" in line]) <= 12  # they need a trained model or a user's image
