"""The one launcher: what a child imports, how it ends, and that nothing else starts a program."""

import ast
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from deepradiomics.child import (
    ChildProcess,
    child_environment,
    find_program,
    last_words,
    other_environment,
    package_folder,
    run_logged,
    safe_children,
)  # fmt: skip
from deepradiomics.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
CODE = ("deepradiomics", "RadiomicFeatures", "RadiomicFingerprint", "RadiomicLens", "ICHLatentFeatures")
STARTERS = {"subprocess", "multiprocessing", "pty", "pexpect"}
STARTING_CALLS = {
    "system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "startfile", "execv", "execve", "execvp",
    "execvpe", "execl", "execle", "execlp", "spawnv", "spawnve", "spawnl", "spawnlp", "ProcessPoolExecutor", "QProcess",
    "create_subprocess_exec", "create_subprocess_shell", "launchConsoleProcess",
}  # fmt: skip


def starts_of_programs(source: str) -> list[str]:
    """Imports and calls by which a program could be started."""
    starts = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            starts += [alias.name for alias in node.names if alias.name.split(".")[0] in STARTERS]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {alias.name for alias in node.names}
            starts += [node.module] if node.module.split(".")[0] in STARTERS else sorted(names & STARTING_CALLS)
        elif isinstance(node, ast.Attribute) and node.attr in STARTING_CALLS:
            starts += [] if ast.unparse(node) == "platform.system" else [node.attr]
    return starts


def test_no_other_file_starts_a_program() -> None:
    starts = {}
    for folder in CODE:
        for file in sorted((ROOT / folder).rglob("*.py")):
            calls = starts_of_programs(file.read_text(encoding="utf-8"))
            if calls:
                starts[file.relative_to(ROOT).as_posix()] = calls
    assert starts == {"deepradiomics/child.py": ["subprocess"]}


@pytest.mark.parametrize(
    "line",
    ["import subprocess", "from subprocess import Popen", "import os; os.system('a')", "from os import execv",
     "import multiprocessing.pool", "from concurrent.futures import ProcessPoolExecutor"],
)  # fmt: skip
def test_the_scan_sees_what_starts_a_program(line: str) -> None:
    assert starts_of_programs(line)


def test_a_child_takes_no_module_from_where_it_works(tmp_path: Path) -> None:
    for name in ("argparse", "json", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('executed')\n")
    base = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(("", os.environ.get("PYTHONPATH", ""), ""))}
    log = tmp_path / "log.txt"
    for environment in (child_environment(base), other_environment(base)):
        for start in (["-c", "import argparse, json, numpy"], ["-m", "json.tool", "--help"]):
            assert run_logged([sys.executable, *start], environment, tmp_path, log) == 0, log.read_text()


def test_our_package_comes_first_and_an_empty_entry_is_left_out() -> None:
    base = {"PYTHONPATH": os.pathsep.join(("", "elsewhere", "")), "PYTHONINSPECT": "1"}
    environment = child_environment(base)
    paths = [str(package_folder().parent), str(Path("elsewhere").absolute())]
    assert environment["PYTHONPATH"].split(os.pathsep) == paths
    assert environment["PYTHONSAFEPATH"] == "1"
    assert "PYTHONINSPECT" not in environment
    foreign = other_environment(base)  # a program of another environment is not given our packages
    assert foreign["PYTHONPATH"] == str(Path("elsewhere").absolute())
    assert foreign["PYTHONSAFEPATH"] == "1"
    assert "PYTHONPATH" not in other_environment({"PYTHONPATH": ""})


def test_what_libraries_start_is_safe_only_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    with safe_children():
        assert os.environ["PYTHONSAFEPATH"] == "1"
    assert "PYTHONSAFEPATH" not in os.environ


@pytest.mark.skipif(os.name == "nt", reason="a program is made by a mode bit")
def test_a_program_is_not_taken_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "PythonSlicer"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join(("", ".", os.defpath)))
    assert find_program("PythonSlicer") is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program("PythonSlicer") == str(program)
    assert find_program("./PythonSlicer") == str(program)  # who writes a path means it


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not start nowhere-to-be-found"):
        run_logged(["nowhere-to-be-found"], {}, tmp_path, tmp_path / "log.txt")


def test_a_time_limit_ends_the_child_and_its_words_are_there(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    code = "import time; print('begun\\n\\nworking', flush=True); time.sleep(60)"
    started = time.monotonic()
    assert run_logged([sys.executable, "-c", code], child_environment(), tmp_path, log, timeout_s=2.0) is None
    assert time.monotonic() - started < 10
    assert last_words(log) == "begun | working"


@pytest.mark.skipif(os.name == "nt", reason="process groups are POSIX's")
def test_a_child_is_asked_before_it_is_killed_with_all_it_started(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys, time, pathlib\n"
        "signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path('asked').touch(), sys.exit(0)))\n"
        "deaf = 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); '\\\n"
        "       'print(1, flush=True); time.sleep(60)'\n"
        "inner = subprocess.Popen([sys.executable, '-c', deaf], stdout=subprocess.PIPE)\n"
        "inner.stdout.readline()\n"
        "pathlib.Path('pid.part').write_text(str(inner.pid)); pathlib.Path('pid.part').rename('pid')\n"
        "time.sleep(60)\n"
    )
    child = ChildProcess([sys.executable, "-c", code], child_environment(), tmp_path, log=tmp_path / "log", grace_s=0.5)
    deadline = time.monotonic() + 20
    while not (tmp_path / "pid").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child.kill_tree()
    assert (tmp_path / "asked").exists()
    assert child.poll() == 0
    inner = int((tmp_path / "pid").read_text())
    for _ in range(100):  # init takes the exit status of an orphan in its own time
        state = Path(f"/proc/{inner}/stat")
        if not state.exists() or state.read_text().split(")")[1].split()[0] == "Z":
            break
        time.sleep(0.05)
    else:
        os.kill(inner, signal.SIGKILL)
        raise AssertionError("what the child started goes on")
