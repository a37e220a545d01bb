"""What killed writers left goes with the next run; what others write stays."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deepradiomics.child import child_environment
from deepradiomics.files import parts
from deepradiomics.files.atomic import atomic_file, atomic_folder, stage_inside

pytestmark = pytest.mark.skipif(os.name == "nt", reason="on Windows parts go by their age alone")

KILLED = """
import os, signal
from pathlib import Path
from deepradiomics.files.atomic import atomic_file, atomic_folder, stage_inside
folder = Path({folder!r})
with atomic_file(folder / "f.csv") as part, atomic_folder(folder / "out") as made, stage_inside(folder) as stage:
    part.write_text("half")
    (made / "a").write_text("half")
    (stage / "b").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def _as_a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_cleaned", set())


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def test_the_next_run_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    code = KILLED.format(folder=str(tmp_path))
    ended = subprocess.run([sys.executable, "-c", code], env=child_environment(), check=False)
    assert ended.returncode == -9
    assert len(hidden(tmp_path)) == 3
    with atomic_file(tmp_path / "another.csv") as part:
        part.write_text("whole")
    assert hidden(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["another.csv"]


def test_what_a_living_process_or_another_machine_writes_stays(tmp_path: Path) -> None:
    living = f".f.{parts.token()}.part.csv"
    machine = ".f.000000-1-abcdef.part.csv"
    users = [".f.deadbeef.part.csv", ".notes.old", ".thesis.part", ".git"]
    for name in (living, machine, *users):
        (tmp_path / name).write_text("x")
    parts.clean_once(tmp_path)
    assert hidden(tmp_path) == sorted([living, machine, *users])
    day_ago = time.time() - parts.OLD_S - 10
    for name in (living, machine, *users):
        os.utime(tmp_path / name, (day_ago, day_ago))
    parts._cleaned.clear()
    parts.clean_once(tmp_path)
    assert hidden(tmp_path) == sorted(users)


def test_a_folder_that_was_moved_aside_for_a_successor_that_never_came_is_put_back(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    token = parts.token().split("-")
    aside = tmp_path / f".out.{token[0]}-{gone.pid}-abcdef.old"
    aside.mkdir()
    (aside / "result").write_text("precious")
    with atomic_folder(tmp_path / "other"):
        pass
    assert (tmp_path / "out" / "result").read_text() == "precious"
    assert hidden(tmp_path) == []


def test_a_writer_at_work_is_not_disturbed_by_another_of_the_same_file(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "f.csv") as slow, stage_inside(tmp_path) as stage:
        slow.write_text("slow")
        (stage / "a").write_text("a")
        code = f"from deepradiomics.files.atomic import write_text; write_text({str(tmp_path / 'f.csv')!r}, 'quick')"
        subprocess.run([sys.executable, "-c", code], env=child_environment(), check=True)
        assert (tmp_path / "f.csv").read_text() == "quick"
        assert (stage / "a").is_file()
    assert (tmp_path / "f.csv").read_text() == "slow"
    assert hidden(tmp_path) == []


def test_a_result_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: (order.append("disk"), sync(number))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("name"), replace(a, b))[1])
    with atomic_file(tmp_path / "f.csv") as part:
        part.write_text("x")
    assert order == ["disk", "name", "disk"]
    order.clear()
    with atomic_folder(tmp_path / "out") as made:
        (made / "a").write_text("x")
        (made / "b").write_text("x")
    assert order == ["disk", "disk", "disk", "name", "disk"]
    order.clear()
    with atomic_file(tmp_path / "kept.npy", durable=False) as part:
        part.write_text("x")
    assert order == ["name"]
