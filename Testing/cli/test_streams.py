"""A run ends well although nobody listens: closed standard streams, and readers that leave."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deepradiomics.child import child_environment
from deepradiomics.cli.session import Session
from deepradiomics.cli.streams import Steady
from Testing.cli import material

pytestmark = pytest.mark.skipif(os.name == "nt", reason="closed by a shell of POSIX")


def shell(folder: Path, closed: str, *words: str) -> int:
    """Extract a case through a shell that closes streams; return the exit code."""
    image, mask = material.image(folder / "a.nii.gz"), material.mask(folder / "m.nii.gz")
    command = f"exec '{sys.executable}' -m deepradiomics extract '{image}' '{mask}' -o '{folder / 'f.csv'}' "
    command += f"{' '.join(words)} {closed}"
    return subprocess.run(["sh", "-c", command], env=child_environment(), cwd=folder, check=False).returncode


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&- >&- 2>&-", "2>&- --json >/dev/null"])
def test_closed_streams_do_not_stop_a_run(closed: str, tmp_path: Path) -> None:
    assert shell(tmp_path, closed) == 0
    assert (tmp_path / "f.csv").read_text().count("\n") >= 2


def test_a_reader_of_progress_that_leaves_does_not_stop_a_run(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        session = Session(False, sys.stdout, stream)
        session.progress(0.5, "half")
        session.warn("a warning")
        assert session.warnings == ["a warning"]
        Steady(stream).flush()


def test_a_program_whose_standard_error_nobody_reads_ends_well(tmp_path: Path) -> None:
    code = "import sys, time; from deepradiomics.cli.session import running\n"
    code += "with running() as session:\n    sys.stdin.readline()\n    session.warn('w')\n    session.result('done')"
    child = subprocess.Popen(
        [sys.executable, "-c", code], env=child_environment(), cwd=tmp_path, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stderr is not None
    assert child.stdin is not None
    assert child.stdout is not None
    child.stderr.close()
    child.stdin.write("go\n")
    child.stdin.close()
    assert child.stdout.read() == "done\n"
    assert child.wait(60) == 0
    child.stdout.close()


def test_without_any_stream_a_session_still_keeps_its_warnings() -> None:
    session = Session(False, None, None)
    session.progress(0.5, "half")
    session.note("a note")
    session.result("text")
    assert session.notes == ["a note"]


def test_json_lines_that_no_disk_takes_end_in_words_without_a_traceback(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full")
    command = [sys.executable, "-m", "deepradiomics", "features", "list", "--json"]
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            command, env=child_environment(), cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 2
    assert "no space is left" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Exception" not in ended.stderr
