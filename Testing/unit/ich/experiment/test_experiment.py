"""Whole experiments on SYNTHETIC heads: the leakage guard, kill and resume, other columns, the bundle."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort.seen.leakage import LeakageError
from deepradiomics.errors import Cancelled, InputError, ManifestError
from deepradiomics.files.tables import read_csv
from deepradiomics.ich.experiment.run import ExperimentRequest, ExperimentResult, run_experiment
from deepradiomics.ich.experiment.tables import COLUMNS
from deepradiomics.ich.features.run import Machines
from Testing.unit.ich import ich_heads as heads

pytest.importorskip("torch")
pytest.importorskip("sklearn")

ROOT = Path(__file__).resolve().parents[4]


Run = Callable[..., ExperimentResult]


@pytest.fixture
def run(places: Path, tmp_path: Path) -> Run:
    def start(out: Path | None = None, **options: object) -> ExperimentResult:
        given = {
            "manifest": places / "a" / "manifest.csv", "config": heads.config(places, **options.pop("changes", {})),
            "cache": places / "cache", "machines": Machines(device="cpu"), **options,
        }  # fmt: skip
        asked = {field.name: given.pop(field.name) for field in fields(ExperimentRequest) if field.name in given}
        return run_experiment(ExperimentRequest(**asked), out or tmp_path / "out", **given)  # type: ignore[arg-type]

    return start


def _tables(folder: Path) -> dict[str, bytes | list[dict[str, str]]]:
    """Every table as bytes; of nmf.csv all but the column seconds, which is a time."""
    found: dict[str, bytes | list[dict[str, str]]] = {
        path.name: path.read_bytes() for path in [*(folder / "tables").glob("*.csv"), folder / "predictions.csv"]
    }
    found["nmf.csv"] = [
        {k: v for k, v in row.items() if k != "seconds"} for row in read_csv(folder / "tables/nmf.csv").rows
    ]
    return found


def test_all_inputs_from_images_to_a_bundle_that_loads(run: Run, places: Path) -> None:
    from deepradiomics.ich.predictor import load_predictor

    found = run(
        external=places / "b" / "manifest.csv", encoder=places / "encoder", autoencoder=places / "autoencoder",
        changes={"classifiers": ("extra-trees",), "shap_cases": 3, "covariates": ("age",), "folds": 2, "trees": 5,
                 "outcomes": ("poor_outcome", "expansion_3ml")},
    )  # fmt: skip
    about = json.loads((found.folder / "experiment.json").read_text(encoding="utf-8"))
    assert about["kind"] == "ich-experiment"
    assert about["synthetic"]
    assert not about["leaking"]
    assert [one["name"] for one in about["inputs"]] == [
        "radiomics", "shape", "encoder", "autoencoder", "latents", "radiomics+latents", "shape+latents"
    ]  # fmt: skip
    assert about["cohorts"]["training"]["n"] == 18
    assert about["cohorts"]["external"]["n"] == 10
    assert [one["patients"] for one in about["networks"]["encoder"]] == [28]
    assert about["bundle"] == {"input": "radiomics+latents", "classifier": "extra-trees"}
    for name, columns in COLUMNS.items():
        first = (found.folder / "tables" / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0]
        assert first == ",".join(columns)
    predictor = load_predictor(found.folder / "bundle")
    assert set(predictor.blocks) == {"radiomics", "encoder", "autoencoder", "clinical"}
    assert predictor.encoder is not None
    assert predictor.autoencoder is not None
    assert [one.n_training for one in predictor.outcomes] == [18] * 2
    shares = read_csv(found.folder / "tables" / "shap_groups.csv").rows
    assert {row["group"] for row in shares} == {"radiomics", "encoder", "autoencoder", "clinical"}


def test_the_bundle_predicts_what_the_table_says(run: Run, places: Path) -> None:
    """External predictions of the bundle's pipeline, computed again from features and the stored arrays."""
    from deepradiomics.ich.cohort.manifest import read_cohort
    from deepradiomics.ich.experiment.plan import settings_of
    from deepradiomics.ich.features.run import cohort_features
    from deepradiomics.ich.predictor import load_predictor

    found = run(
        external=places / "b" / "manifest.csv", changes={"classifiers": ("extra-trees",), "folds": 2, "trees": 5}
    )
    predictor = load_predictor(found.folder / "bundle")
    features = cohort_features(
        read_cohort(places / "b" / "manifest.csv"), settings_of(heads.config(places)), places / "cache"
    )
    table = predictor.table({group: features.table(group)[0] for group in predictor.blocks})
    rows = read_csv(found.folder / "predictions.csv").rows
    for one in predictor.outcomes:
        told = [
            float(row["probability"]) for row in rows
            if (row["outcome"], row["input"], row["cohort"]) == (one.name, predictor.input, "external")
        ]  # fmt: skip
        np.testing.assert_allclose(one.model.probability(table), told, atol=1e-6)


def test_a_killed_experiment_goes_on_to_the_same_tables(run: Run, places: Path, tmp_path: Path) -> None:
    external = places / "b" / "manifest.csv"
    changes = {"folds": 2}
    whole = run(tmp_path / "whole", external=external, seed=1, changes=changes)
    child = [
        sys.executable,
        "-m",
        "Testing.unit.ich.experiment.killed_experiment",
        places / "a" / "manifest.csv",
        external,
    ]
    died = subprocess.run([*map(str, child), tmp_path / "killed", places, "0.75"], cwd=ROOT, capture_output=True)
    assert died.returncode != 0, died.stderr
    cells = list((tmp_path / "killed" / "cells").rglob("*.json"))
    assert cells
    assert not (tmp_path / "killed" / "experiment.json").exists()
    before = {path: path.stat().st_mtime_ns for path in cells}
    resumed = run(tmp_path / "killed", external=external, seed=1, changes={"folds": 2})
    assert {path: path.stat().st_mtime_ns for path in cells} == before  # what was finished is not repeated
    assert _tables(resumed.folder) == _tables(whole.folder)


def test_a_network_that_has_seen_a_patient_stops_the_run_and_names_both(run: Run, places: Path, tmp_path: Path) -> None:
    rows = heads.read_rows(places / "a" / "manifest.csv")
    knows = heads.segmenter(tmp_path / "knows", seen=rows[3:5])
    with pytest.raises(LeakageError, match=r"'knows' .* learned from patients ball-s0-03, ball-s0-04 .*--folds 5"):
        run(encoder=knows)
    assert not (tmp_path / "out").exists()


def test_a_network_that_has_seen_a_scan_stops_the_run_whatever_the_patient_is_called(
    run: Run, places: Path, tmp_path: Path
) -> None:
    rows = [row | {"patient": "renamed"} for row in heads.read_rows(places / "a" / "manifest.csv")[:1]]
    knows = heads.autoencoder(tmp_path / "knows", seen=rows, root=places / "a")
    with pytest.raises(LeakageError, match=r"VAE-GAN 'knows' .* learned from patient ball-s0-00"):
        run(autoencoder=knows)


def test_allowed_leakage_marks_everything_as_leaking(run: Run, places: Path, tmp_path: Path) -> None:
    from deepradiomics.ich.predictor import load_predictor

    knows = heads.segmenter(tmp_path / "knows", seen=heads.read_rows(places / "a" / "manifest.csv"))
    found = run(encoder=knows, allow_leakage=True, changes={"inputs": ("encoder",), "folds": 2})
    assert found.about["leaking"]
    assert any("LEAKAGE" in text for text in found.about["warnings"])
    assert "LEAKS" in found.about["methods_text"]
    assert load_predictor(found.folder / "bundle").leaking


def test_out_of_fold_networks_pass_and_the_bundle_does_without_their_latents(
    run: Run, places: Path, tmp_path: Path
) -> None:
    """Each half of the cohort gets its latents from the network that saw the other half."""
    rows = heads.read_rows(places / "a" / "manifest.csv")
    for half in (0, 1):
        own = [row for i, row in enumerate(rows) if i % 2 != half]
        heads.segmenter(tmp_path / f"fold{half}", seen=own, seed=half)
    for i, row in enumerate(rows):
        row |= {"encoder": str(tmp_path / f"fold{i % 2}"), "image": str(places / "a" / row["image"])}
        row["mask"] = str(places / "a" / row["mask"])
    manifest = heads.write_rows(tmp_path / "manifest.csv", rows)
    found = run(manifest=manifest, changes={"inputs": ("radiomics", "encoder"), "folds": 2})
    assert not found.about["leaking"]
    assert len(found.about["networks"]["encoder"]) == 2
    assert any("2 different networks" in text for text in found.about["warnings"])
    assert found.about["bundle"]["input"] == "radiomics"
    for row in rows:
        row["encoder"] = str(tmp_path / "fold0")
    with pytest.raises(LeakageError, match="9 in all"):
        run(manifest=heads.write_rows(tmp_path / "wrong.csv", rows), changes={"inputs": ("encoder",)})


def test_a_patient_of_both_cohorts_stops_the_run(run: Run, places: Path, tmp_path: Path) -> None:
    rows = heads.read_rows(places / "b" / "manifest.csv")
    for row in rows:
        row |= {name: str(places / "b" / row[name]) for name in ("image", "mask")}
    rows[2]["patient"] = "P0-5"  # capitals do not make another person
    with pytest.raises(LeakageError, match=r"patient ball-s1-02 .* as well"):
        run(external=heads.write_rows(tmp_path / "b.csv", rows))


def test_a_scan_of_both_cohorts_stops_the_run(run: Run, places: Path, tmp_path: Path) -> None:
    rows = heads.read_rows(places / "b" / "manifest.csv")
    other = heads.read_rows(places / "a" / "manifest.csv")[4]
    for row in rows:
        row |= {name: str(places / "b" / row[name]) for name in ("image", "mask")}
    rows[1] |= {name: str(places / "a" / other[name]) for name in ("image", "mask")}
    with pytest.raises(LeakageError, match="ball-s1-01 is ball-s0-04"):
        run(external=heads.write_rows(tmp_path / "b.csv", rows))


def test_an_external_cohort_with_other_columns_is_told(run: Run, places: Path, tmp_path: Path) -> None:
    rows = heads.read_rows(places / "b" / "manifest.csv")
    for row in rows:
        row |= {name: str(places / "b" / row[name]) for name in ("image", "mask")}
        row["value_outcome_scale"], row["value_expansion"] = row.pop("value_mrs"), row.pop("value_expansion_ml")
    with pytest.raises(InputError, match=r"tells none of the outcomes .*value_mrs, value_expansion_ml"):
        run(external=heads.write_rows(tmp_path / "b.csv", rows))
    for row in rows:
        row["value_mrs"] = row.pop("value_outcome_scale")
        row.pop("value_age")
    manifest = heads.write_rows(tmp_path / "b.csv", rows)
    with pytest.raises(ManifestError, match=r"b\.csv has no column value_age"):
        run(external=manifest, changes={"covariates": ("age",)})
    found = run(external=manifest, changes={"inputs": ("shape",), "folds": 2})
    assert any("does not tell expansion_3ml, expansion_6ml" in text for text in found.about["warnings"])
    assert found.about["outcomes"][1]["external"] is None


def test_inputs_that_need_a_network_are_left_out_or_asked_for(run: Run) -> None:
    with pytest.raises(InputError, match=r"'autoencoder' needs latents.*--autoencoder"):
        run(changes={"inputs": ("shape", "autoencoder")})


def test_one_bad_scan_is_left_out_and_listed(run: Run, places: Path, tmp_path: Path) -> None:
    from deepradiomics.images import read_volume, write_volume
    from deepradiomics.images.volume import Volume

    rows = heads.read_rows(places / "a" / "manifest.csv")
    for row in rows:
        row |= {name: str(places / "a" / row[name]) for name in ("image", "mask")}
    ct = read_volume(rows[0]["image"])
    write_volume(
        Volume(np.clip((ct.voxels + 1000) / 8, 0, 255).astype(np.float32), ct.geometry), tmp_path / "png.nii.gz"
    )
    rows[0]["image"] = str(tmp_path / "png.nii.gz")
    rows[1]["mask"] = ""
    found = run(manifest=heads.write_rows(tmp_path / "m.csv", rows), changes={"inputs": ("shape",), "folds": 2})
    assert [one[:2] for one in found.about["dropped"]] == [["training", "ball-s0-00"], ["training", "ball-s0-01"]]
    reasons = " ".join(one[2] for one in found.about["dropped"])
    assert "cannot be HU" in reasons
    assert "column mask: this cell is empty" in reasons
    assert any("2 of 18 training patients cannot be used" in text for text in found.about["warnings"])


def test_a_cancelled_run_keeps_what_is_done(run: Run) -> None:
    def stop(fraction: float, message: str) -> None:
        if fraction > 0.7:
            raise Cancelled("stopped")

    changes = {"inputs": ("shape",), "folds": 2}
    with pytest.raises(Cancelled):
        run(progress=stop, changes=changes)
    assert run(changes=changes).tables["cells"]


def test_another_experiment_in_the_folder_is_refused(run: Run) -> None:
    run(changes={"inputs": ("shape",), "folds": 2})
    with pytest.raises(InputError, match=r"config\.folds differs"):
        run(changes={"inputs": ("shape",), "folds": 3})
