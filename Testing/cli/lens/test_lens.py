"""``deepradiomics lens fit``, ``report`` and ``case``, as a user calls them."""

import csv
import json
import re
import shlex
from pathlib import Path

import pytest

from Testing.cli.run_cli import Finished, run_cli
from Testing.unit.lens import lens_material as material
from Testing.unit.reports.fake_lens import write_fake_lens

pytest.importorskip("torch")
pytest.importorskip("pyarrow")
pytest.importorskip("matplotlib")

TUTORIAL = Path(__file__).resolve().parents[3] / "docs" / "tutorials" / "lens.md"


def _fit(manifest: Path, folder: Path, out: Path, *options: object) -> Finished:
    cohort = material.read(manifest)
    pre = material.embeddings(cohort.ids).write(folder / "pre.csv")
    ft = material.embeddings(cohort.ids, drift=0.5).write(folder / "ft.parquet")
    return run_cli([
        "lens", "fit", manifest, "--pre", pre, "--ft", ft, "-o", out, "--preset", "tiny", "--hidden", "4",
        "--params", material.params(folder), "--cache", manifest.parent / "cache", "--device", "cpu", *options,
    ])  # fmt: skip


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return material.cohort(tmp_path_factory.mktemp("cohort"))


@pytest.fixture(scope="module")
def fitted(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, Path]:
    folder = tmp_path_factory.mktemp("fit")
    done = _fit(manifest, folder, folder / "out", "--permutations", 3, "--task-name", "Grade CLS", "--json")
    return done, folder / "out"


def test_fit_writes_tables_figures_and_report(fitted: tuple[Finished, Path]) -> None:
    done, out = fitted
    assert done.code == 0, done.out
    expected = {"shift.csv", "table1.csv", "figure2.png", "figure2.svg", "figure3.png", "report.html", "lens.json"}
    assert expected <= {path.name for path in out.iterdir()}
    assert done.result["counts"]["train"] == 11
    assert len(done.result["picked"]["top"]) == 5
    assert "Grade CLS" in (out / "report.html").read_text(encoding="utf-8")
    fractions = [event["fraction"] for event in done.events if event["event"] == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_figure_3_has_the_map_of_the_first_test_case(fitted: tuple[Finished, Path]) -> None:
    """The feature is the one whose explained spread grew most."""
    about = json.loads((fitted[1] / "case" / "case.json").read_text(encoding="utf-8"))
    with (fitted[1] / "shift.csv").open(encoding="utf-8") as stream:
        first = next(row for row in csv.DictReader(stream) if row["rank_explained"] in ("1", "1.0"))
    with (fitted[1] / "cases.csv").open(encoding="utf-8") as stream:
        tested = [row["id"] for row in csv.DictReader(stream) if row["split"] == "test"]
    assert (about["case_id"], about["modality"], about["feature"]) == (tested[0], first["modality"], first["feature"])
    assert "figure 3 shows no map" not in fitted[0].out
    assert (fitted[1] / "case" / "map.nrrd").is_file()


def test_the_same_command_again_changes_nothing(fitted: tuple[Finished, Path], manifest: Path) -> None:
    _, out = fitted
    before = (out / "shift.csv").read_bytes()
    again = _fit(manifest, out.parent, out, "--permutations", 3, "--task-name", "Grade CLS")
    assert again.code == 0, again.err
    assert (out / "shift.csv").read_bytes() == before
    assert "Grade CLS: 108 features, 11 training and 3 test cases" in again.out
    assert "SYNTHETIC" not in again.err


def test_another_configuration_in_the_same_folder_is_refused(fitted: tuple[Finished, Path], manifest: Path) -> None:
    _, out = fitted
    done = _fit(manifest, out.parent, out, "--task-name", "Grade CLS")
    assert done.code == 2
    assert "config.permutations differs" in done.err
    assert "--no-resume" in done.err


def test_report_puts_tasks_side_by_side(fitted: tuple[Finished, Path], tmp_path: Path) -> None:
    other = write_fake_lens(
        tmp_path / "volume", task="Volume REG", modalities=("t2", "adc"), images=("original",), case=False
    )
    done = run_cli(["lens", "report", fitted[1], other, "-o", tmp_path / "joint", "--json"])
    assert done.code == 0, done.out
    assert done.result["tasks"] == ["Grade CLS", "Volume REG"]
    with (tmp_path / "joint" / "table1.csv").open(encoding="utf-8", newline="") as stream:
        assert {row["task"] for row in csv.DictReader(stream)} == {"Grade CLS", "Volume REG"}
    for file in done.result["files"]:
        assert Path(file).is_file()


def test_files_of_others_are_not_replaced(fitted: tuple[Finished, Path], manifest: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "report.html").write_text("<title>Annual report</title>", encoding="utf-8")
    for done in (_fit(manifest, tmp_path, foreign), run_cli(["lens", "report", fitted[1], "-o", foreign])):
        assert done.code == 2
        assert "report.html there is not of a lens" in done.err
    assert [file.name for file in foreign.iterdir()] == ["report.html"]
    other = write_fake_lens(tmp_path / "other", case=False)
    done = run_cli(["lens", "report", fitted[1], "-o", other])
    assert done.code == 2
    assert "another lens is there" in done.err


def test_a_report_may_be_drawn_again(tmp_path: Path) -> None:
    lens = write_fake_lens(tmp_path / "lens", modalities=("t2",), images=("original",), case=False)
    for _ in range(2):
        assert run_cli(["lens", "report", lens, "-o", tmp_path / "report"]).code == 0


def test_given_splits_are_used_and_equal_embeddings_are_told(manifest: Path, tmp_path: Path) -> None:
    ids = material.read(manifest).ids
    rows = [f"{case},{'test' if n < 4 else 'validation' if n < 6 else 'train'}" for n, case in enumerate(ids)]
    (tmp_path / "splits.csv").write_text("\n".join(["id,split", *rows]) + "\n", encoding="utf-8")
    same = material.embeddings(ids).write(tmp_path / "same.csv")
    done = _fit(manifest, tmp_path, tmp_path / "out", "--splits", tmp_path / "splits.csv", "--ft", same, "--json")
    assert done.code == 0, done.out
    assert done.result["counts"] == {"train": 10, "validation": 2, "test": 4, "dropped": 0}
    assert "same numbers: every shift is 0" in done.result["warnings"][0]


def test_case_draws_a_feature_of_the_table(fitted: tuple[Finished, Path], tmp_path: Path) -> None:
    done = run_cli(["lens", "case", fitted[1], "--case-id", "c03", "--rank", "top", "-o", tmp_path / "case", "--json"])
    assert done.code == 0, done.out
    top = fitted[0].result["picked"]["explained"]["top"][0]
    assert [done.result["modality"], done.result["feature"]] == top
    names = {path.name for path in (tmp_path / "case").iterdir()}
    assert {"case.json", "map.nrrd", "picture.png", "roi_t2.nrrd", "roi_adc.nrrd"} <= names


def test_case_says_that_another_region_than_the_lens_measured_is_shown(
    fitted: tuple[Finished, Path], tmp_path: Path
) -> None:
    named = ["--case-id", "c03", "--roi", "ellipsoid", "--modality", "t2", "--feature", "original_firstorder_Mean"]
    done = run_cli(["lens", "case", fitted[1], *named, "-o", tmp_path / "case"])
    assert done.code == 0, done.err
    assert "of the ROI gland, which the lens measured; the map is of ellipsoid" in done.err


def test_case_takes_plain_files_and_says_that_an_ellipsoid_is_none_of_a_reader(manifest: Path, tmp_path: Path) -> None:
    views = [word for name in ("t2", "adc") for word in ("--view", f"{name}={manifest.parent / f'c00_{name}.nrrd'}")]
    named = ["--modality", "adc", "--feature", "glcm_Contrast", "--preset", "tiny", "-o", tmp_path / "case"]
    done = run_cli(["lens", "case", *views, "--roi", "ellipsoid", *named])
    assert done.code == 0, done.err
    assert "not a reader's contour" in done.err
    assert "adc original_glcm_Contrast of case c00_t2" in done.out
    again = run_cli(["lens", "case", *views, "--mask", manifest.parent / "c00_gland.nrrd", *named])
    assert again.code == 0
    assert "contour" not in again.err


def test_the_prostate_of_a_real_patient_on_its_own_grids(data_dir: Path, tmp_path: Path) -> None:
    files = {"t2": "t2w", "highb": "hbv", "adc": "adc"}
    views = [
        word
        for name, end in files.items()
        for word in ("--view", f"{name}={data_dir / 'prostatex' / f'ProstateX-0000_{end}.nii.gz'}")
    ]
    done = run_cli([
        "lens", "case", *views, "--roi", "ellipsoid", "--modality", "adc", "--feature", "wavelet-LLL_firstorder_Mean",
        "--case-id", "ProstateX-0000", "--preset", "tiny", "-o", tmp_path / "case", "--json",
    ])  # fmt: skip
    assert done.code == 0, done.out
    import numpy as np

    from deepradiomics.images import read_mask, read_volume

    sizes = {name: read_mask(tmp_path / "case" / f"roi_{name}.nrrd") for name in files}
    volumes = {name: np.prod(one.geometry.spacing_mm) * (one.labels > 0).sum() / 1000 for name, one in sizes.items()}
    for millilitres in volumes.values():  # 4/3 π 25 · 20 · 22.5 mm³
        assert millilitres == pytest.approx(47.1, rel=0.05)
    values = read_volume(tmp_path / "case" / "map.nrrd").voxels
    inside = values[np.isfinite(values)]
    assert len(inside) == (sizes["adc"].labels > 0).sum()
    adc = read_volume(data_dir / "prostatex" / "ProstateX-0000_adc.nii.gz").voxels[sizes["adc"].labels > 0]
    # The low-pass band is the image smoothed, times √2³: a mean over windows keeps that ratio.
    assert np.median(inside) / np.median(adc) == pytest.approx(2**1.5, rel=0.1)


def _commands() -> list[list[str]]:
    blocks = re.findall(r"```bash\n(.*?)```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line.strip()]


@pytest.mark.slow
def test_every_command_of_the_tutorial_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in _commands():
        assert command[0] == "deepradiomics"
        done = run_cli(command[1:])
        assert done.code == 0, f"{' '.join(command)}\n{done.err}"
    assert (tmp_path / "lens" / "report.html").is_file()
    assert (tmp_path / "together" / "table1.csv").is_file()


def test_the_options_of_the_tutorial_exist() -> None:
    commands = _commands()
    assert len(commands) >= 12
    for command in commands:
        words = [word for word in command[1:] if not word.startswith("-")][:2]
        depth = 2 if words[0] in ("phantom", "lens") else 1
        shown = run_cli([*words[:depth], "--help"]).out
        for option in (word for word in command if word.startswith("--")):
            assert option in shown, f"{option} of {' '.join(command)}"
