"""Each bad input gets a clear message, exit code 2, no traceback, and leaves nothing behind."""

from pathlib import Path

import pytest

from deepradiomics.errors import InputError
from Testing.cli.bad.bad_input import OUTPUT, BadInput
from Testing.cli.bad.bad_inputs import BAD_INPUTS, remarks_of, run_bad_input
from Testing.cli.bad.bad_inputs_ich import BAD_CALLS_ICH, WARNED_INPUTS_ICH, BadCall


def _left_behind(folder: Path) -> list[str]:
    output = folder / OUTPUT
    found = [path for path in output.rglob("*") if path.is_file()] if output.exists() else []
    return [str(path) for path in [*found, *folder.rglob("*.part*"), *folder.rglob(".part*")]]


@pytest.mark.parametrize("case", BAD_INPUTS, ids=lambda case: case.what)
def test_a_bad_input_gets_a_message_and_leaves_nothing(
    case: BadInput, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEEPRADIOMICS_DEBUG", raising=False)
    model = request.getfixturevalue("bundle") if case.bundle else tmp_path
    found = run_bad_input(case, tmp_path, model, "--json")
    assert found.code == 2, found
    error = found.events[-1]
    assert error["event"] == "error"
    assert error["exit_code"] == 2
    for words in case.says:
        assert words.lower() in error["message"].lower(), error["message"]
    assert "Traceback" not in found.err
    assert _left_behind(tmp_path) == []


@pytest.mark.parametrize("case", WARNED_INPUTS_ICH, ids=lambda case: case.what)
def test_a_doubtful_input_is_worked_on_and_warned_of(case: BadInput, tmp_path: Path) -> None:
    found = run_bad_input(case, tmp_path, tmp_path, "--json")
    assert found.code == 0, found
    remarks = "\n".join(remarks_of(found))
    for words in case.says:
        assert words in remarks, remarks


@pytest.mark.parametrize("case", BAD_CALLS_ICH, ids=lambda case: case.what)
def test_a_bad_call_of_the_library_is_refused(case: BadCall) -> None:
    with pytest.raises(InputError) as refused:
        case.call()
    for words in case.says:
        assert words in str(refused.value)


def test_for_a_person_the_message_stands_on_standard_error(tmp_path: Path) -> None:
    found = run_bad_input(BAD_INPUTS[0], tmp_path, tmp_path)
    assert found.code == 2
    assert found.out == ""
    assert "Error: " in found.err
    assert "does not exist" in found.err
    assert "Traceback" not in found.err
