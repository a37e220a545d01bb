"""What holds for every command: quick help, JSON lines, exit codes, no torch before it is needed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from deepradiomics import __version__
from deepradiomics.cli.main import app
from Testing.cli import material
from Testing.cli.run_cli import run_cli

COMMANDS = (
    ("dicom",),
    ("extract",),
    ("maps",),
    ("components",),
    ("features", "list"),
    ("features", "explain"),
    ("encode",),
    ("pretrain",),
    ("finetune",),
    ("lens", "fit"),
    ("lens", "report"),
    ("lens", "case"),
    ("register",),
    ("demo",),
    ("warm-up",),
    ("phantom", "knee"),
    ("phantom", "prostate"),
    ("manifest", "mrnet"),
    ("fingerprint", "train"),
    ("fingerprint", "apply"),
    ("fingerprint", "evaluate"),
    ("fingerprint", "ablate"),
    ("segment",),
    ("phantom", "ich"),
    ("ich", "train-segmenter"),
    ("ich", "train-autoencoder"),
    ("ich", "volume"),
    ("ich", "expansion"),
    ("ich", "apply"),
    ("ich", "report"),
    ("ich", "features"),
    ("ich", "experiment"),
)


def test_the_list_of_commands_is_whole() -> None:
    def below(command: Any, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
        inner = getattr(command, "commands", None)
        if inner is None:
            return [words]
        return [found for name, one in inner.items() for found in below(one, (*words, name))]

    assert sorted(below(typer.main.get_command(app))) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_and_takes_json(command: tuple[str, ...]) -> None:
    found = run_cli([*command, "--help"])
    assert found.code == 0
    assert "--json" in found.out
    assert "Usage" in found.out


def test_help_texts_are_shown_whole() -> None:
    """What stands in square brackets is taken as markup and not shown: ``[default: 25]`` would vanish."""
    from rich.text import Text

    def helps(command: Any, name: str = "") -> Iterator[tuple[str, str]]:
        yield name, command.help or ""
        for one in getattr(command, "params", []):
            yield f"{name} {one.name}", getattr(one, "help", None) or ""
        for word, inner in getattr(command, "commands", {}).items():
            yield from helps(inner, f"{name} {word}")

    lost = [name for name, text in helps(typer.main.get_command(app)) if Text.from_markup(text).plain != text]
    assert lost == []


def test_the_start_loads_little_and_nothing_heavy() -> None:
    heavy = ("torch", "numpy", "SimpleITK", "monai", "matplotlib", "lightning", "numba", "pandas", "sklearn", "pooch")
    code = (
        "import sys\n"
        "from deepradiomics.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([m for m in {heavy!r} if m in sys.modules], len(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    loaded, modules = done.stdout.splitlines()[-1].rsplit(" ", 1)
    assert loaded == "[]"
    assert int(modules) < 500  # 421 on Python 3.11 with typer 0.20; each costs about a millisecond


def test_the_version_is_the_packages() -> None:
    assert run_cli(["--version"]).out.strip() == f"deepradiomics {__version__}"


def test_a_wrong_command_line_is_a_json_error_with_json() -> None:
    found = run_cli(["extract", "--nonsense", "--json"])
    assert found.code == 2
    assert found.events[-1]["event"] == "error"
    assert "--nonsense" in found.events[-1]["message"]
    assert run_cli(["extract", "--nonsense"]).code == 2


def test_an_unexpected_error_exits_with_1_and_says_how_to_see_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import deepradiomics.phantoms.knee.cohort

    def broken(*_: object, **__: object) -> Path:
        raise KeyError("inner trouble")

    monkeypatch.setattr(deepradiomics.phantoms.knee.cohort, "write_knee_cohort", broken)
    monkeypatch.delenv("DEEPRADIOMICS_DEBUG", raising=False)
    quiet = run_cli(["phantom", "knee", "-o", tmp_path / "out"])
    assert quiet.code == 1
    assert "inner trouble" in quiet.err
    assert "DEEPRADIOMICS_DEBUG=1" in quiet.err
    assert "Traceback" not in quiet.err
    monkeypatch.setenv("DEEPRADIOMICS_DEBUG", "1")
    assert "Traceback" in run_cli(["phantom", "knee", "-o", tmp_path / "out"]).err


def test_a_phantom_cohort_reports_progress_and_its_manifest(tmp_path: Path) -> None:
    found = run_cli(["phantom", "knee", "--cases", 2, "-o", tmp_path / "knees", "--json"])
    assert found.code == 0, found.err
    assert found.events[0]["event"] == "started"
    assert found.events[0]["version"] == __version__
    fractions = [event["fraction"] for event in found.events if event["event"] == "progress"]
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert fractions == sorted(fractions)
    assert Path(found.result["manifest"]).is_file()
    assert found.result["synthetic"] is True


def test_a_manifest_of_mrnets_layout_can_be_read_back(tmp_path: Path) -> None:
    import numpy as np

    source = tmp_path / "mrnet"
    for part, numbers in (("train", range(6)), ("valid", range(1130, 1134))):
        for number in numbers:
            for view in ("axial", "coronal", "sagittal"):
                path = source / part / view / f"{number:04d}.npy"
                path.parent.mkdir(parents=True, exist_ok=True)
                np.save(path, np.random.default_rng(number).integers(0, 255, (4, 8, 8), dtype=np.uint8))
        for task in ("abnormal", "acl", "meniscus"):
            labels = "\n".join(f"{number:04d},{number % 2}" for number in numbers)
            (source / f"{part}-{task}.csv").write_text(labels + "\n", encoding="utf-8")
    found = run_cli(["manifest", "mrnet", source, "-o", tmp_path / "manifest.csv", "--json"])
    assert found.code == 0, found.out
    assert found.result["cases"] == 10
    from deepradiomics.cohort import read_manifest

    assert len(read_manifest(tmp_path / "manifest.csv").rows) == 10


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise on Windows")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_run_with_its_code_and_no_temporary_file(tmp_path: Path, number: int, code: int) -> None:
    command = [sys.executable, "-m", "deepradiomics", "phantom", "knee", "--cases", "500", "-o", "out", "--json"]
    child = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        if json.loads(line).get("fraction", 0) > 0:
            break
    time.sleep(0.3)
    child.send_signal(number)
    out, err = child.communicate(timeout=30)
    assert child.returncode == code, err
    assert json.loads(out.splitlines()[-1])["event"] == "error"
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.rglob("*.part*")] == []
    assert not (tmp_path / "out" / "manifest.csv").exists()


def test_registration_writes_transform_image_and_record(tmp_path: Path) -> None:
    fixed, moving = material.image(tmp_path / "a.nii.gz"), material.image(tmp_path / "b.nii.gz")
    found = run_cli(["register", fixed, moving, "-o", tmp_path / "out", "--backend", "cpu", "--json"])
    assert found.code == 0, found.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "transform.tfm",
        "registered.nii.gz",
        "registration.json",
    }
    assert found.result["backend"] == "cpu"


def test_results_leave_other_files_of_the_folder_alone(tmp_path: Path) -> None:
    from deepradiomics.cli.outputs import staged

    (tmp_path / "work.txt").write_text("mine", encoding="utf-8")
    with staged(tmp_path) as stage:
        (stage / "new.txt").write_text("new", encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.txt", "work.txt"]
    with pytest.raises(RuntimeError), staged(tmp_path) as stage:
        (stage / "half.txt").write_text("half", encoding="utf-8")
        raise RuntimeError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.txt", "work.txt"]
