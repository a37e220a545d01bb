"""``deepradiomics ich report``, as a user calls it."""

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from Testing.cli.run_cli import run_cli
from Testing.unit.reports.fake_ich import write_fake_case, write_fake_experiment


def test_an_experiment_is_drawn_again_from_its_folder(tmp_path: Path) -> None:
    folder = write_fake_experiment(tmp_path / "e", outcomes=("poor_outcome",), inputs=("shape", "radiomics+latents"),
                                   classifiers=("extra-trees",), external=False)  # fmt: skip
    done = run_cli(["ich", "report", folder, "--json"])
    assert done.code == 0
    assert done.result["kind"] == "ich-experiment"
    assert all(Path(file).is_file() for file in done.result["files"])
    assert (folder / "report.html").is_file()


def test_a_patients_folder_is_drawn_again_with_its_ct(tmp_path: Path) -> None:
    folder, ct = write_fake_case(tmp_path / "c", outcomes=("poor_outcome",), followup=False)
    done = run_cli(["ich", "report", folder])
    assert done.code == 2
    assert "do not hold the CT. Give it with --ct" in done.err
    assert not (folder / "report.html").exists()
    done = run_cli(["ich", "report", folder, "--ct", ct, "--json"])
    assert done.code == 0
    assert done.result["kind"] == "ich-case"
    assert (folder / "report.html").is_file()


def test_another_folder_is_refused(tmp_path: Path) -> None:
    done = run_cli(["ich", "report", tmp_path])
    assert done.code == 2
    assert "expected a folder of 'ich experiment'" in done.err
    assert run_cli(["ich", "report", tmp_path / "none"]).code == 2
