"""Progress in a log file: a line for each step forward, and none that says the same again."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from deepradiomics.cli.session import Session, explain
from Testing.cli.run_cli import run_cli


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Ten seconds pass between any two reports."""
    clock = iter(range(0, 100_000, 10))
    monkeypatch.setattr("deepradiomics.cli.session.time.monotonic", lambda: float(next(clock)))
    return io.StringIO()


def test_a_line_is_printed_only_when_the_percent_or_the_message_changed(log: io.StringIO) -> None:
    session = Session(False, io.StringIO(), log)
    for step in range(19):
        session.progress(0.89 + step * 1e-5, "permutations: 40 of 50")
    session.progress(0.89, "permutations: 41 of 50")
    session.progress(0.9, "permutations: 41 of 50")
    session.progress(1.0, "done")
    session.progress(1.0, "done")
    assert log.getvalue().splitlines() == [
        " 89% permutations: 40 of 50", " 89% permutations: 41 of 50", " 90% permutations: 41 of 50", "100% done",
    ]  # fmt: skip


def test_a_program_that_reads_json_gets_every_report(log: io.StringIO) -> None:
    out = io.StringIO()
    session = Session(True, out, log)
    for _ in range(3):
        session.progress(0.5, "same")
    assert out.getvalue().count('"progress"') == 3


@pytest.mark.parametrize("code", [errno.ENAMETOOLONG, errno.ELOOP, errno.EIO, errno.EFBIG, errno.EMFILE, errno.EBUSY])
def test_what_a_file_system_refuses_is_no_fault_of_the_software(code: int) -> None:
    exit_code, message = explain(OSError(code, os.strerror(code), "a" * 5000))
    assert exit_code == 2
    assert os.strerror(code) in message
    assert len(message) < 400


@pytest.mark.parametrize(
    "words",
    [
        ("ich", "volume", "{}"), ("extract", "{}", "{}", "-o", "t.csv"), ("extract", "--manifest", "{}", "-o", "t.csv"),
        ("lens", "report", "{}", "-o", "r.html"), ("features", "list", "-o", "{}.csv"),
    ],
)  # fmt: skip
def test_a_name_longer_than_any_file_s_is_refused_in_words(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run_cli([word.format("a" * 300) for word in words])
    assert ended.code == 2
    assert "fault of the software" not in ended.err
    assert "name too long" in ended.err
