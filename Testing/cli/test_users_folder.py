"""A command executes nothing that lies in the folder in which the user works."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

import deepradiomics.cli.fingerprint.apply_case
from deepradiomics.child import child_environment, package_folder
from deepradiomics.cli.scene_child import scene_is_possible
from deepradiomics.cli.session import Stopped
from Testing.cli import material
from Testing.cli.run_cli import run_cli

# Modules that children import first: `-m` and `-c` begin with runpy and multiprocessing, then with what these import.
TRAPS = (
    "argparse", "json", "numpy", "pickle", "struct", "threading", "socket", "tempfile", "signal", "runpy", "typing",
    "multiprocessing", "logging", "subprocess", "vtk", "slicer", "distributed", "shutil", "random", "pydicom",
)  # fmt: skip


def with_traps(folder: Path) -> Path:
    """Modules that leave a mark when they are executed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in TRAPS:
        code = f"open({str(folder / 'executed.txt')!r}, 'a').write('{name} ')\nraise ImportError('a trap: {name}')\n"
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
    return folder


def command(script: Path, arguments: list[object], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the program as its installed script does, from ``folder``."""
    script.write_text("from deepradiomics.cli.main import main\nif __name__ == '__main__':\n    main()\n")
    words = [sys.executable, str(script), *map(str, arguments)]
    environment = dict(os.environ) | {"PYTHONPATH": str(package_folder().parent)}
    environment.pop("PYTHONSAFEPATH", None)
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300)


def marks(folder: Path) -> str:
    file = folder / "executed.txt"
    return file.read_text() if file.is_file() else ""


def test_apply_and_its_scene(bundle: Path, tmp_path: Path) -> None:
    if not scene_is_possible():
        pytest.skip("slicer-core is not installed")
    folder = with_traps(tmp_path / "data")
    material.image(folder / "knee.nii.gz")
    words: list[object] = ["fingerprint", "apply", bundle, "--view", "sagittal=knee.nii.gz", "-o", "out"]
    ended = command(tmp_path / "program.py", [*words, "--device", "cpu", "--json"], folder)
    assert marks(folder) == "", ended.stdout + ended.stderr
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (folder / "out" / "scene.mrb").is_file()


def test_extract_with_two_workers(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    folder = with_traps(tmp_path / "data")
    lines = ["id,image,mask"]
    for name in ("a", "b"):
        material.image(folder / f"{name}.nii.gz", seed=ord(name))
        material.mask(folder / f"{name}_mask.nii.gz")
        lines.append(f"{name},{name}.nii.gz,{name}_mask.nii.gz")
    (folder / "cases.csv").write_text("\n".join(lines) + "\n")
    words: list[object] = ["extract", "--manifest", "cases.csv", "-o", "table.csv", "--workers", 2, "--json"]
    ended = command(tmp_path / "program.py", words, folder)
    assert marks(folder) == "", ended.stdout + ended.stderr
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len((folder / "table.csv").read_text().splitlines()) == 3


@pytest.mark.skipif(os.name == "nt", reason="the fake command is a script with a first line '#!'")
def test_an_nnunet_of_another_environment(tmp_path: Path) -> None:
    from deepradiomics.child import other_environment, run_logged

    folder = with_traps(tmp_path / "data")
    program = tmp_path / "bin" / "nnunet_fake"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport argparse, json, subprocess, sys\n"
        "sys.exit(subprocess.run([sys.executable, '-c', 'import argparse, json, pickle, threading']).returncode)\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    log = tmp_path / "log.txt"
    assert run_logged([str(program)], other_environment(), folder, log) == 0, log.read_text()
    assert marks(folder) == ""


@pytest.mark.parametrize("module", ["deepradiomics", "deepradiomics.scene"])
def test_python_dash_m_takes_the_folder_off_the_path(module: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("argparse", "json", "numpy", "typer"):  # what Python itself imports before us is out of our hands
        (folder / f"{name}.py").write_text(f"open('executed.txt', 'a').write('{name} ')\n")
    environment = dict(os.environ) | {"PYTHONPATH": str(package_folder().parent)}
    environment.pop("PYTHONSAFEPATH", None)
    ended = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert marks(folder) == "", ended.stderr


def test_who_stops_the_scene_keeps_the_prediction(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(folder: Path, views: object) -> None:
        assert (folder / "prediction.json").is_file()
        raise Stopped(143)

    monkeypatch.setattr(deepradiomics.cli.fingerprint.apply_case, "write_scene", stopped)
    image = material.image(tmp_path / "knee.nii.gz")
    words = ["fingerprint", "apply", bundle, "--view", f"sagittal={image}", "-o", tmp_path / "out"]
    ended = run_cli([*words, "--device", "cpu"])
    assert ended.code == 143
    assert "stopped on request" in ended.err
    assert {"prediction.json", "report.html", "fingerprint.csv"} <= {path.name for path in (tmp_path / "out").iterdir()}


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_sigterm_while_the_scene_is_written_leaves_no_temporary_folder(tmp_path: Path) -> None:
    """The child is deaf to SIGTERM: it is killed, and its folder goes all the same."""
    script = tmp_path / "writer.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\nfrom deepradiomics.cli import scene_child\n"
        "from deepradiomics.cli.session import running\n"
        "deaf = ('import signal, tempfile, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);'\n"
        '        \'open(tempfile.mkdtemp() + "/deaf", "w").close(); time.sleep(60)\')\n'
        "started = scene_child.run_logged\n"
        "scene_child.scene_is_possible = lambda: True\n"
        "scene_child.run_logged = lambda command, *rest, **more: started([sys.executable, '-c', deaf], *rest, **more)\n"
        "with running() as session:\n    scene_child.write_scene(Path('.'), {})\n"
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = child_environment() | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    child = subprocess.Popen([sys.executable, str(script)], cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not list(temporary.glob("deepradiomics-scene-*/*/deaf")):
        assert time.monotonic() < deadline
        assert child.poll() is None
        time.sleep(0.05)
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=30)
    assert child.returncode != 0
    assert list(temporary.iterdir()) == []
