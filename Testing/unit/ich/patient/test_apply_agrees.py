"""One computation: a patient by himself gets the risk that the experiment gave him in its external cohort."""

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("monai")
pytest.importorskip("sklearn")

from deepradiomics.files.tables import read_csv
from deepradiomics.ich.cohort.manifest import read_cohort
from deepradiomics.ich.experiment.run import ExperimentRequest, run_experiment
from deepradiomics.ich.features.run import Machines
from deepradiomics.ich.patient.request import PatientRequest
from deepradiomics.ich.patient.run import apply_case
from deepradiomics.images import read_mask, read_volume
from Testing.unit.ich import ich_heads as heads


def test_a_patient_alone_gets_the_risk_that_the_experiment_gave_him(places: Path, tmp_path: Path) -> None:
    networks = {"encoder": places / "encoder", "autoencoder": places / "autoencoder"}
    changes = {
        "classifiers": ("extra-trees",), "folds": 2, "inputs": ("radiomics+latents",), "covariates": ("age", "sex"),
        "shap_cases": 0,
    }  # fmt: skip
    found = run_experiment(
        ExperimentRequest(
            places / "a" / "manifest.csv", places / "b" / "manifest.csv", heads.config(places, **changes), **networks
        ),
        tmp_path / "out", cache=places / "cache", machines=Machines(device="cpu"),
    )  # fmt: skip
    told = {
        (row["id"], row["outcome"]): float(row["probability"])
        for row in read_csv(found.folder / "predictions.csv").rows
        if row["cohort"] == "external"
    }
    cohort = read_cohort(places / "b" / "manifest.csv")
    for place in (0, 3):
        row = cohort.manifest.rows[place]
        case = apply_case(
            found.folder / "bundle",
            PatientRequest(
                read_volume(row.views["image"]), read_mask(row.mask),  # type: ignore[arg-type]
                clinical={"age": row.values["age"], "sex": cohort.sex[place]},
            ),
            device="cpu",
        )  # fmt: skip
        for name, one in case.record["outcomes"].items():
            assert one["probability"] == pytest.approx(told[row.id, name], abs=1e-6)
        assert not any("memory" in note for note in case.record["notes"])
    own = read_cohort(places / "a" / "manifest.csv").manifest.rows[0]
    case = apply_case(
        found.folder / "bundle", PatientRequest(read_volume(own.views["image"]), read_mask(own.mask)), device="cpu",  # type: ignore[arg-type]
    )  # fmt: skip
    assert any("among those that trained the outcome models" in note for note in case.record["notes"])
