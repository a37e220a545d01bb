"""The background job: progress, result, failure, cancel of the whole child tree; nothing stays. No Slicer here."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from deepradiomics import __version__
from deepradiomics.child import child_environment, package_folder, python_executable, start_process
from deepradiomics.errors import Cancelled, DeepRadiomicsError, InputError, MissingDependencyError
from deepradiomics.scene.job.job import Job, run_blocking


class Script:
    """Starts a real Python child that runs `code` instead of the command line; remembers how it was called."""

    def __init__(self, code: str) -> None:
        self.code = (
            "import json, os, sys, time, subprocess\nsay = lambda **e: print(json.dumps(e), flush=True)\n" + code
        )
        self.command: list[str] = []
        self.folder = Path()

    def __call__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Any:
        self.command, self.folder = list(command), folder
        return start_process([sys.executable, "-c", self.code, *command[3:]], environment, folder)


def wait(job: Job[Any], until: Any = None, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while job.poll():
        assert time.monotonic() < deadline, "the job did not end"
        if until is not None and until():
            return
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.is_file() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z")


def test_a_job_reports_progress_and_hands_over_the_result_then_removes_its_folder() -> None:
    def build(folder: Path) -> list[str]:
        (folder / "input.txt").write_text("given", encoding="utf-8")
        return ["extract", str(folder / "input.txt"), "-o", str(folder / "out.txt")]

    def finished(result: dict[str, Any], folder: Path) -> str:
        return (folder / "out.txt").read_text(encoding="utf-8") + result["extra"]

    child = Script(
        "say(event='progress', fraction=0.5, message='half')\n"
        "print('plain words', flush=True)\n"
        "open(sys.argv[4], 'w').write(open(sys.argv[2]).read() + ' and taken')\n"
        "say(event='result', extra='!')"
    )
    seen: list[tuple[float, str]] = []
    log: list[str] = []
    job = Job(build, on_finished=finished, on_progress=lambda *p: seen.append(p), on_log=log.append, start_child=child)
    assert run_blocking(job, interval_s=0.01) == "given and taken!"
    assert seen == [(0.5, "half")]
    assert log == ["plain words"]
    assert job.state == "finished"
    assert child.command[1:3] == ["-m", "deepradiomics"]
    assert child.command[-1] == "--json"
    assert not child.folder.exists()


CHILD_WITH_A_CHILD = """
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
say(event="progress", fraction=0.1, message=json.dumps([os.getpid(), grandchild.pid]))
time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="looks for processes as POSIX does")
@pytest.mark.parametrize("stubborn", [False, True], ids=["obedient", "ignoring SIGTERM"])
def test_cancel_kills_the_child_and_its_children_and_removes_the_folder(stubborn: bool) -> None:
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" if stubborn else ""
    child = Script(ignore + CHILD_WITH_A_CHILD)
    pids: list[int] = []
    cancelled: list[bool] = []
    job: Job[None] = Job(
        lambda folder: [],
        on_progress=lambda fraction, message: pids.extend(json.loads(message)),
        on_cancelled=lambda: cancelled.append(True),
        on_finished=lambda result, folder: pytest.fail("a cancelled job has no result"),
        start_child=child,
    )
    job.start()
    wait(job, until=lambda: pids)
    assert len(pids) == 2
    assert all(map(alive, pids))
    job.cancel()
    assert job.state == "cancelled"
    assert cancelled == [True]
    deadline = time.monotonic() + 5
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(alive, pids))
    assert not child.folder.exists()
    assert not job.poll()
    job.cancel()  # again: nothing happens
    assert cancelled == [True]


@pytest.mark.skipif(os.name == "nt", reason="looks for processes as POSIX does")
def test_what_the_child_left_running_ends_with_the_job() -> None:
    child = Script(
        "left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "say(event='result', left=left.pid)"
    )
    left = run_blocking(Job(lambda folder: [], on_finished=lambda result, _: result["left"], start_child=child))
    deadline = time.monotonic() + 5
    while alive(left) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(left)


def test_cancel_may_come_from_the_progress_callback() -> None:
    def progress(fraction: float, message: str) -> None:
        raise Cancelled("enough")

    child = Script("say(event='progress', fraction=0.1, message='a')\ntime.sleep(600)")
    job: Job[None] = Job(lambda folder: [], on_progress=progress, start_child=child)
    with pytest.raises(Cancelled):
        run_blocking(job, interval_s=0.01)
    assert not child.folder.exists()


FAILURES = {
    "user's mistake": (
        "say(event='error', message='mask.nii.gz: the mask is empty', exit_code=2); sys.exit(2)",
        InputError,
        r"^mask\.nii\.gz: the mask is empty$",
    ),
    "usage": ("sys.stderr.write('No such option: --colour\\n'); sys.exit(2)", InputError, "No such option: --colour"),
    "traceback": ("raise KeyError('lost')", DeepRadiomicsError, "(?s)exit code 1.*KeyError: 'lost'"),
    "missing package": ("import torch_of_nowhere", MissingDependencyError, "'torch_of_nowhere' is missing"),
    "no result": ("pass", DeepRadiomicsError, "ended without a result; it wrote nothing"),
    "other version": ("say(event='started', version='9.9'); time.sleep(60)", DeepRadiomicsError, "deepradiomics 9.9"),
    "only half a line": ('sys.stdout.write(\'{"event": "res\')', DeepRadiomicsError, "ended without a result"),
}
if os.name != "nt":
    FAILURES["killed"] = ("os.kill(os.getpid(), 9)", DeepRadiomicsError, "signal 9.*out of memory")


@pytest.mark.parametrize("case", FAILURES)
def test_a_failing_child_gives_its_own_message_and_leaves_nothing(case: str) -> None:
    code, kind, message = FAILURES[case]
    child = Script(code)
    failed: list[DeepRadiomicsError] = []
    job: Job[None] = Job(
        lambda folder: [],
        on_failed=failed.append,
        on_finished=lambda result, folder: pytest.fail("a failed job has no result"),
        start_child=child,
    )
    with pytest.raises(kind, match=message) as caught:
        run_blocking(job, interval_s=0.01)
    assert failed == [caught.value]
    assert job.state == "failed"
    assert not child.folder.exists()


def test_a_result_written_by_another_version_is_not_shown() -> None:
    child = Script("open('prediction.json', 'w').write('{\"version\": \"0.0.7\"}'); say(event='result')")
    job: Job[None] = Job(lambda folder: [], on_finished=lambda *_: pytest.fail("not shown"), start_child=child)
    with pytest.raises(DeepRadiomicsError, match=rf"0\.0\.7.*but {__version__} is loaded here"):
        run_blocking(job)


def test_a_result_that_cannot_be_shown_is_a_failure_and_the_folder_goes() -> None:
    def show(result: dict[str, Any], folder: Path) -> None:
        raise ZeroDivisionError("no layout")

    child = Script("say(event='result')")
    with pytest.raises(DeepRadiomicsError, match="could not be shown: no layout"):
        run_blocking(Job(lambda folder: [], on_finished=show, start_child=child))
    assert not child.folder.exists()


def test_inputs_that_cannot_be_written_leave_no_folder_and_start_no_child() -> None:
    folders: list[Path] = []

    def build(folder: Path) -> list[str]:
        folders.append(folder)
        raise InputError("the volume holds no image")

    job: Job[None] = Job(build, start_child=lambda *_: pytest.fail("started"))
    with pytest.raises(InputError, match="holds no image"):
        job.start()
    assert not folders[0].exists()
    assert job.state == "failed"
    with pytest.raises(InputError, match="already failed"):
        job.start()


def test_a_program_that_cannot_be_started_is_named() -> None:
    job: Job[None] = Job(lambda folder: [], python="/nowhere/PythonSlicer")
    with pytest.raises(InputError, match="could not start /nowhere/PythonSlicer"):
        job.start()


class Spoken:
    """A process that has already said everything: the seam that other tests may fill like this."""

    def __init__(self, out: str) -> None:
        self.stdout, self.stderr, self.pid = io.StringIO(out), io.StringIO(""), 0
        self.kills = 0

    def poll(self) -> int | None:
        return 0

    def kill_tree(self) -> None:
        self.kills += 1


def test_a_fake_process_serves_as_well() -> None:
    fake = Spoken('{"event": "result", "value": 7}\n')
    job = Job(lambda folder: [], on_finished=lambda result, _: result["value"], start_child=lambda *_: fake)
    assert run_blocking(job) == 7
    assert fake.kills == 1


def test_the_child_finds_our_package_before_any_other_copy(tmp_path: Path) -> None:
    (tmp_path / "deepradiomics").mkdir()
    (tmp_path / "deepradiomics" / "__init__.py").write_text("raise SystemExit('the wrong copy')", encoding="utf-8")
    environment = child_environment({**os.environ, "PYTHONPATH": str(tmp_path)})
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(package_folder().parent), str(tmp_path)]
    code = "import deepradiomics; print(deepradiomics.__file__)"
    done = subprocess.run([python_executable(), "-c", code], env=environment, capture_output=True, text=True)
    assert Path(done.stdout.strip()).parent == package_folder()


def test_inside_slicer_the_child_is_pythonslicer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / ("PythonSlicer.exe" if os.name == "nt" else "PythonSlicer")
    program.parent.mkdir()
    program.touch()
    monkeypatch.setenv("SLICER_HOME", str(tmp_path))
    assert python_executable() == str(program)
    monkeypatch.delenv("SLICER_HOME")
    assert python_executable() == sys.executable
    monkeypatch.setattr(sys, "executable", str(tmp_path / "SlicerApp-real"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="no Python found"):
        python_executable()


def test_job_and_dependencies_import_without_slicer_or_vtk() -> None:
    code = (
        "import sys\n"
        "sys.modules['slicer'] = sys.modules['vtk'] = None\n"
        "import deepradiomics.scene, deepradiomics.scene.job.job, deepradiomics.scene.job.dependencies\n"
        "print([name for name in ('torch', 'monai', 'SimpleITK', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=child_environment(), capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("exit_code", "errors"),
    [
        (1, "[/opt/Slicer/bin/python-real] exit abnormally - Report the problem.\n"),  # PythonSlicer, of any crash
        (-9, ""),
        (137, ""),
        (
            1,
            "Traceback (most recent call last):\n  numpy._core._exceptions._ArrayMemoryError: Unable to allocate\n",
        ),
    ],
)
def test_a_child_that_took_too_much_memory_is_told_as_that(exit_code: int, errors: str) -> None:
    from Testing.slicer.fake_child import FakeChild

    job: Job[Any] = Job(lambda folder: [], start_child=lambda *_: FakeChild([], exit_code, errors))
    with pytest.raises(DeepRadiomicsError, match="out of memory"):
        run_blocking(job)


def test_an_ordinary_failure_does_not_speak_of_memory() -> None:
    from Testing.slicer.fake_child import FakeChild

    job: Job[Any] = Job(lambda folder: [], start_child=lambda *_: FakeChild([], 1, "KeyError: 3\n"))
    with pytest.raises(DeepRadiomicsError, match="failed with exit code 1; it wrote last") as raised:
        run_blocking(job)
    assert "memory" not in str(raised.value)


@pytest.mark.skipif(os.name == "nt", reason="process groups are POSIX's")
def test_cancelling_waits_for_the_process_behind_a_launcher_that_ends_at_once(tmp_path: Path) -> None:
    """As PythonSlicer does: the launcher has no handler for SIGTERM, the Python behind it needs a moment to tidy up."""
    tidy = (
        "import signal, sys, time, pathlib\n"
        "def end(*_):\n    time.sleep(0.4); pathlib.Path(sys.argv[1], 'tidied').touch(); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\npathlib.Path(sys.argv[1], 'up').touch()\ntime.sleep(60)\n"
    )
    launcher = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {tidy!r}, {str(tmp_path)!r}])\n"
    child = start_process([sys.executable, "-c", launcher], dict(os.environ), tmp_path)
    deadline = time.monotonic() + 20
    while not (tmp_path / "up").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child.kill_tree()
    assert (tmp_path / "tidied").exists()
    child.stdout.close()
    child.stderr.close()
