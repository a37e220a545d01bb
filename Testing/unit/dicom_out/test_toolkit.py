"""Where highdicom is missing, as in 3D Slicer 5.10, one sentence says what to do; nothing else breaks."""

import sys

import pytest

from deepradiomics.dicom_out import toolkit
from deepradiomics.errors import MissingDependencyError


def test_without_highdicom_the_message_names_slicer_5_12(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(MissingDependencyError, match=r"Slicer 5\.12 or later; outside Slicer: pip install"):
        toolkit.highdicom()
    assert "Slicer 5.12" in toolkit.why_not()


def test_an_old_highdicom_is_told_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highdicom", type(sys)("highdicom"))
    sys.modules["highdicom"].__version__ = "0.22.0"  # type: ignore[attr-defined]
    with pytest.raises(MissingDependencyError, match=r"0\.27 or later, 0\.22\.0 is installed"):
        toolkit.highdicom()
