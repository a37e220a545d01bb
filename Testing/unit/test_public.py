"""Every name that a package offers is there, explained and listed; results and estimators are shown in one line."""

import dataclasses
import importlib
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.lens import LensResult, RadiomicLens
from deepradiomics.public import lazy

_METHODS = ("lens", "ich", "fingerprint", "modelling", "reports", "radiomics", "images", "cohort", "prepare")


@pytest.mark.parametrize("package", ["deepradiomics", *(f"deepradiomics.{name}" for name in _METHODS)])
def test_every_offered_name_is_there_explained_and_listed(package: str) -> None:
    module = importlib.import_module(package)
    assert len(module.__all__) == len(set(module.__all__)) > 5
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            assert (value.__doc__ or "").strip(), name
            assert not value.__doc__.startswith(f"{name}("), f"{name}: this docstring is a dataclass's own"


def test_a_name_that_no_package_offers_is_refused_as_python_does() -> None:
    names, load, listed = lazy("some.package", {"math": "pi tau"})
    assert names == listed() == ["pi", "tau"]
    assert load("pi") == np.pi
    with pytest.raises(AttributeError, match=r"module 'some.package' has no attribute 'e'"):
        load("e")


def test_images_and_results_are_shown_in_one_line() -> None:
    grid = Geometry((4, 3, 2), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    assert repr(Volume(np.zeros((2, 3, 4)), grid, "ct", notes=("a", "b"))) == (
        "Volume(voxels=<2 × 3 × 4 float64>, geometry=<Geometry>, name='ct', notes=<2>)"
    )
    assert repr(Mask(np.zeros((2, 3, 4), np.uint8), grid)).startswith("Mask(labels=<2 × 3 × 4 ")
    result = LensResult(Path("run/lens"), {"task": "grade"}, [{"rank": i} for i in range(120)], (), ())
    assert repr(result) == f"LensResult(folder={str(Path('run/lens'))!r}, about=<1>, shift=<120>)"


def test_long_texts_are_cut_and_the_estimator_shows_what_differs() -> None:
    grid = Geometry((1, 1, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    assert len(repr(Volume(np.zeros((1, 1, 1)), grid, "n" * 500, "s" * 500))) < 250
    assert repr(RadiomicLens(hidden=7)) == "RadiomicLens(hidden=7)"


@pytest.mark.parametrize("package", ["deepradiomics", *(f"deepradiomics.{name}" for name in _METHODS)])
def test_no_offered_class_dumps_arrays_or_rows(package: str) -> None:
    module = importlib.import_module(package)
    offered = [value for name in module.__all__ if dataclasses.is_dataclass(value := getattr(module, name))]
    for cls in offered:
        fields = [field for field in dataclasses.fields(cls) if field.repr]
        heavy = [field.name for field in fields if re.search("ndarray|Sequence|Volume", str(field.type))]
        assert not heavy or cls.__repr__.__name__ == "represented", f"{cls.__name__} shows {heavy} in full"
