"""Result folders whose JSON lacks an entry, or has one of a wrong kind, are told by the file's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_json
from deepradiomics.fingerprint.evaluate.ranks import Localisation
from deepradiomics.fingerprint.evaluate.result import Evaluation
from deepradiomics.ich.experiment.result import Experiment
from deepradiomics.ich.patient.result import CaseFolder
from deepradiomics.lens.result import LensResult
from deepradiomics.prepare import Templates
from deepradiomics.reports.lens.case import read_case


@pytest.mark.parametrize("content", [{}, [], None, 3, {"kind": "lens-case"}, {"kind": []}])
@pytest.mark.parametrize(
    ("read", "name"),
    [
        (LensResult.read, "lens.json"), (read_case, "case.json"), (CaseFolder.read, "ich.json"),
        (Experiment.read, "experiment.json"), (Evaluation.load, "evaluation.json"),
        (Localisation.load, "localisation.json"), (Templates.read, "templates.json"),
    ],
)  # fmt: skip
def test_a_result_of_another_kind_is_told(
    read: Callable[[Path], Any], name: str, content: object, tmp_path: Path
) -> None:
    write_json(tmp_path / name, content)
    with pytest.raises(InputError, match=name.removesuffix(".json")):
        read(tmp_path)
