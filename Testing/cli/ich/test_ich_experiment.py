"""``deepradiomics ich experiment`` and ``ich features``, as a user calls them."""

import csv
import json
from pathlib import Path

import pytest

from Testing.cli.run_cli import Finished, run_cli
from Testing.unit.ich import ich_heads as heads

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ich")
    heads.write_cohort(folder / "a", 18)
    heads.few_features(folder)
    return folder


def _experiment(places: Path, out: Path, *options: object) -> Finished:
    return run_cli([
        "ich", "experiment", places / "a" / "manifest.csv", "-o", out, "--preset", "tiny", "--folds", "2",
        "--params", places / "few.yaml", "--classifiers", "naive-bayes,extra-trees", "--trees", "5",
        "--components", "3", "--outcomes", "poor_outcome,expansion_6ml", "--cache", places / "cache", "--device", "cpu",
        *options,
    ])  # fmt: skip


def test_an_experiment_writes_tables_bundle_and_report(places: Path, tmp_path: Path) -> None:
    done = _experiment(places, tmp_path / "out", "--covariates", "age,sex", "--json")
    assert done.code == 0, done.out
    result = done.result
    assert result["synthetic"]
    assert not result["leaking"]
    assert len(result["tables"]) == 12
    for path in (*result["tables"], *result["files"], result["report"]):
        assert Path(path).is_file(), path
    assert (Path(result["bundle"]) / "predictor" / "bundle.json").is_file()
    fractions = [event["fraction"] for event in done.events if event["event"] == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert any("No encoder and autoencoder was given" in text for text in result["warnings"])
    about = json.loads((tmp_path / "out" / "experiment.json").read_text(encoding="utf-8"))
    assert about["config"]["covariates"] == ["age", "sex"]
    assert about["config"]["components"] == 3
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "SYNTHETIC" in page
    assert "expansion" in page.lower()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--inputs", "radiomic"), "inputs: expected one of radiomics"),
        (("--classifiers", "forest"), "classifiers: expected one of random-forest"),
        (("--outcomes", "death"), "does not tell the outcome 'death'"),
        (("--covariates", "nihss"), "has no column value_nihss"),
        (("--covariates", "mrs"), "'mrs' is what is to be predicted"),
        (("--lesions", "each"), "'each' gives a patient several rows"),
        (("--search", "grid"), "search: expected one of fixed, nested"),
        (("--encoder", "nowhere"), "expected the folder of a bundle, found none"),
        (("--external", "nowhere.csv"), "this file does not exist"),
    ],
)
def test_what_cannot_be_asked_for_is_told_before_any_work(
    places: Path, tmp_path: Path, options: tuple[str, str], message: str
) -> None:
    done = _experiment(places, tmp_path / "out", *options)
    assert done.code == 2, done.err
    assert message in " ".join(done.err.split()), done.err
    assert not (tmp_path / "out").exists()


def test_a_leaking_run_ends_with_code_2_and_the_way_out(places: Path, tmp_path: Path) -> None:
    knows = heads.segmenter(tmp_path / "knows", seen=heads.read_rows(places / "a" / "manifest.csv"))
    done = _experiment(places, tmp_path / "out", "--encoder", knows)
    assert done.code == 2
    assert "would leak" in done.err
    assert "--allow-leakage" in done.err


def test_features_writes_tables_that_the_experiment_shares(places: Path, tmp_path: Path) -> None:
    encoder = heads.segmenter(tmp_path / "encoder")
    options = ("--params", places / "few.yaml", "--cache", tmp_path / "cache", "--device", "cpu", "--json")
    done, again = (
        run_cli(
            ["ich", "features", places / "a" / "manifest.csv", "-o", tmp_path / "out", "--encoder", encoder, *options]
        )
        for _ in range(2)
    )
    assert done.code == 0, done.out
    assert done.result["rows"] == 18, done.out
    assert done.result["computed"] == 18, done.out
    assert again.result["computed"] == 0
    with (tmp_path / "out" / "features.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 18
    assert float(rows[0]["volume_ml"]) > 0
    assert "original_shape_Sphericity" in rows[0]
    about = json.loads((tmp_path / "out" / "features.json").read_text(encoding="utf-8"))
    assert about["synthetic"]
    assert about["networks"]["encoder"][0]["name"] == "encoder"
    assert {Path(path).name for path in done.result["files"]} == {"features.csv", "encoder.npy", "features.json"}
