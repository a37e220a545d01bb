"""evaluate and ablate from images to predictions on a very small cohort: complete, resumable, honest about splits."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("sklearn")
pytest.importorskip("pyarrow")

from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.errors import InputError
from deepradiomics.fingerprint.evaluate.ablate import AblationRequest, ablate, variants
from deepradiomics.fingerprint.evaluate.localise import localise
from deepradiomics.fingerprint.evaluate.result import Evaluation
from deepradiomics.fingerprint.evaluate.run import EvaluationRequest, evaluate_fingerprint, method_infos
from deepradiomics.fingerprint.evaluate.units import repeats
from deepradiomics.fingerprint.model.config import FingerprintConfig, ModelConfig, TrainingConfig, config
from deepradiomics.images import Geometry, Volume, write_volume
from deepradiomics.prepare import Recipe
from deepradiomics.reports.fingerprint.evaluation import write_evaluation
from deepradiomics.stats import youden

CASES = 20
TASKS = ("abnormality", "acl")
ALL = {
    ("fingerprint", "paper"), ("fingerprint", "masked"), ("mean-q", "paper"), ("mean-q", "masked"),
    ("shuffled-q", "paper"), ("shuffled-q", "masked"), ("nofs", ""), ("signature", ""), ("mrnet", ""), ("elnet", ""),
}  # fmt: skip


def _config() -> FingerprintConfig:
    recipe = Recipe(views=("sagittal",), resized_shape=(6, 8, 8), roi_fractions=(1, 1, 1), patch_grid=(2, 2, 2))
    training = TrainingConfig(epochs=1, batch_size=8, shift_voxels=(0, 0, 0))
    return FingerprintConfig("tiny", recipe, ModelConfig(network="tiny", pairwise="none"), training)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    folder = tmp_path_factory.mktemp("cohort")
    geometry = Geometry((8, 8, 6), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0, 0, 1, 1, 0, 0, 0, -1, 0))
    rng = np.random.default_rng(0)
    rows = []
    for i in range(CASES):
        labels = {"abnormality": i % 2, "acl": (i // 2) % 2}
        voxels = rng.standard_normal((6, 8, 8)).astype(np.float32)
        voxels[:3, :4, :4] += 3.0 * labels["acl"] * rng.standard_normal((3, 4, 4))
        path = folder / f"c{i}.nii.gz"
        write_volume(Volume(voxels, geometry), path)
        rows.append(ManifestRow(f"c{i}", {"sagittal": path}, None, labels))
    lines = [f"c{i},acl,{1 + i % 8}" for i in range(CASES) if (i // 2) % 2]
    lines += [f"c{i},abnormality,1" for i in range(CASES) if i % 2]
    (folder / "truth.csv").write_text("id,task,patch\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return Manifest(tuple(rows), ("sagittal",), TASKS, folder / "manifest.csv")


@pytest.fixture(scope="module")
def finished(cohort: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Evaluation]]:
    out = tmp_path_factory.mktemp("evaluation")
    yield out, evaluate_fingerprint(EvaluationRequest(cohort, _config(), seeds=(0, 1)), out, device="cpu")


def test_every_method_judges_every_test_case_of_every_task_and_seed(finished: tuple[Path, Evaluation]) -> None:
    _, evaluation = finished
    tested = [row for row in evaluation.predictions if row.part == "test"]
    assert {row.key for row in tested} == ALL
    cases = {row.case for row in tested}
    assert len(tested) == len(ALL) * len(TASKS) * len(cases) * 2
    assert {info.method + info.inference for info in evaluation.methods} == {"".join(key) for key in ALL}


def test_thresholds_are_youdens_on_validation_and_decide_on_test(finished: tuple[Path, Evaluation]) -> None:
    _, evaluation = finished
    for key in ALL:
        rows = [r for r in evaluation.predictions if r.key == key and r.task == "acl" and r.seed == 0]
        seen = [r for r in rows if r.part == "validation"]
        expected = np.clip(youden([r.label for r in seen], [r.probabilities[0] for r in seen]), 0, 1)
        assert [r.threshold for r in rows] == pytest.approx([float(expected)] * len(rows), abs=1e-6)
        assert all(r.predicted == (r.probabilities[0] >= r.threshold) for r in rows)


def test_training_validation_and_test_cases_are_apart_and_shared_by_the_seeds(
    cohort: Manifest, finished: tuple[Path, Evaluation]
) -> None:
    _, evaluation = finished
    parts = {
        (seed, part): {r.case for r in evaluation.predictions if (r.seed, r.part) == (seed, part)}
        for seed in (0, 1) for part in ("validation", "test")
    }  # fmt: skip
    assert parts[0, "test"] == parts[1, "test"]
    assert not parts[0, "test"] & parts[0, "validation"]
    assert len(parts[0, "test"] | parts[0, "validation"]) < CASES


def test_a_finished_evaluation_is_read_and_not_repeated(cohort: Manifest, finished: tuple[Path, Evaluation]) -> None:
    out, evaluation = finished
    said: list[str] = []
    again = evaluate_fingerprint(
        EvaluationRequest(cohort, _config(), seeds=(0, 1)), out, device="cpu", progress=lambda f, m: said.append(m)
    )
    assert again.predictions == evaluation.predictions
    assert sum("read from" in message for message in said) == 10  # five groups, two seeds
    assert not any("epoch" in message for message in said)


def test_only_what_is_missing_is_done_again_and_comes_out_the_same(
    cohort: Manifest, finished: tuple[Path, Evaluation], tmp_path: Path
) -> None:
    out, evaluation = finished
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    shutil.rmtree(copy / "runs" / "seed1" / "fingerprint")
    said: list[str] = []
    again = evaluate_fingerprint(
        EvaluationRequest(cohort, _config(), seeds=(0, 1)), copy, device="cpu", progress=lambda f, m: said.append(m)
    )
    assert {m.split(":")[0] for m in said if "epoch" in m} == {"seed1, fingerprint"}
    assert again.predictions == evaluation.predictions


def test_other_settings_in_the_same_folder_are_refused(cohort: Manifest, finished: tuple[Path, Evaluation]) -> None:
    out, _ = finished
    other = replace(_config(), training=replace(_config().training, epochs=2))
    with pytest.raises(InputError, match="finished run with another training lives here"):
        evaluate_fingerprint(EvaluationRequest(cohort, other, seeds=(0, 1)), out, device="cpu")


def test_the_tables_recomputed_from_the_saved_predictions_are_the_same(
    cohort: Manifest, finished: tuple[Path, Evaluation], tmp_path: Path
) -> None:
    from deepradiomics.reports.fingerprint.tables import t1

    out, evaluation = finished
    assert t1(Evaluation.load(out), n_bootstrap=20).rows == t1(evaluation, n_bootstrap=20).rows


def test_tables_figures_and_localisation_are_written(cohort: Manifest, finished: tuple[Path, Evaluation]) -> None:
    assert cohort.path is not None
    out, evaluation = finished
    written = write_evaluation(evaluation, out, truth=cohort.path.parent / "truth.csv", n_bootstrap=20)
    names = {path.name for path in written}
    assert {"t1.csv", "t1.json", "t1.md", "selection.csv", "top_features.csv", "localisation.csv"} <= names
    assert {"roc.png", "calibration.png", "localisation.png", "loss_seed0.png", "top_acl_contribution.png"} <= names


def test_nofs_relevance_lies_on_chance_and_the_fingerprint_is_ranked(
    cohort: Manifest, finished: tuple[Path, Evaluation]
) -> None:
    assert cohort.path is not None
    localisation = localise(finished[0], cohort.path.parent / "truth.csv", save=False)
    assert localisation.groups()[0] == ("fingerprint", "relevance")
    nofs = localisation.summary("acl", "nofs", "relevance")
    assert nofs is not None
    assert (nofs.mean_rank, nofs.top1) == (4.5, 0.125)


def test_the_selection_says_how_large_and_how_alike_fingerprints_are(finished: tuple[Path, Evaluation]) -> None:
    for row in finished[1].selections:
        assert 0 < row.size_mean <= row.pool == 8 * 107
        assert row.relevance_variance_between >= 0
        assert 0 <= row.jaccard_between_seeds <= 1


def test_an_ablation_reuses_the_fingerprint_and_nofs_of_an_evaluation(
    cohort: Manifest, finished: tuple[Path, Evaluation]
) -> None:
    out, evaluation = finished
    said: list[str] = []
    only = ("fingerprint", "nofs", "second", "grid1")
    found = ablate(
        AblationRequest(cohort, _config(), seeds=(0, 1), only=only),
        out,
        device="cpu",
        progress=lambda f, m: said.append(m),
    )
    trained = {m.split(":")[0].split(", ")[1] for m in said if "epoch" in m}
    assert trained == {"second", "grid1"}
    assert {row.key for row in found.predictions} == {
        ("fingerprint", "paper"), ("fingerprint", "masked"), ("nofs", ""), ("second", "paper"), ("second", "masked"),
        ("grid1", "paper"), ("grid1", "masked"),
    }  # fmt: skip
    own = [row for row in evaluation.predictions if row.key in {("fingerprint", "paper"), ("nofs", "")}]
    assert set(own) <= set(found.predictions)
    assert found.notes == ("NoReg is left out: the configured registration is off already.",)
    assert {path.name for path in write_evaluation(found, out, n_bootstrap=0)} == {"t2.csv", "t2.json", "t2.md"}
    assert Evaluation.load(out).predictions == evaluation.predictions  # the evaluation beside it is untouched


def test_the_variants_are_those_of_the_papers_table_2() -> None:
    found = {v.name: v for v in variants(config("paper"))}
    assert list(found) == ["fingerprint", "grid3", "grid1", "second", "first-shape", "nofs", "noreg"]
    assert found["grid3"].config.recipe.patch_grid == (3, 3, 3)
    assert found["noreg"].config.recipe.registration == "off"
    assert found["nofs"].config.model.selection == "none"


def test_folds_test_every_case_once_a_seed() -> None:
    labels = [{"abnormality": i % 2, "acl": (i // 2) % 2} for i in range(60)]
    rows = tuple(ManifestRow(f"c{i}", {"sagittal": Path("x.nii")}, None, both) for i, both in enumerate(labels))
    large = Manifest(rows, ("sagittal",), TASKS)
    made = repeats(large, (0, 1), folds=2)
    assert [(r.seed, r.fold, r.name) for r in made] == [
        (0, 1, "seed0-fold1"), (0, 2, "seed0-fold2"), (1, 1, "seed1-fold1"), (1, 2, "seed1-fold2"),
    ]  # fmt: skip
    tested = [row.id for r in made[:2] for row in r.manifest.rows if row.split == "test"]
    assert sorted(tested) == sorted(large.ids)


def test_unknown_methods_and_repeated_seeds_are_refused(cohort: Manifest, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected some of fingerprint, nofs"):
        evaluate_fingerprint(EvaluationRequest(cohort, _config(), methods=("svm",)), tmp_path)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="distinct whole numbers"):
        evaluate_fingerprint(EvaluationRequest(cohort, _config(), seeds=(1, 1)), tmp_path)
    with pytest.raises(InputError, match="unknown variants"):
        ablate(AblationRequest(cohort, _config(), only=("grid9",)), tmp_path)


def test_mrnets_backbone_is_said_to_be_from_scratch() -> None:
    from deepradiomics.fingerprint.evaluate.slices import SliceOptions

    (info,) = method_infos(_config(), ("mrnet",), SliceOptions())
    assert info.note == "from scratch"


def test_a_task_of_three_classes_goes_through_every_method(cohort: Manifest, tmp_path: Path) -> None:
    splits = ("train",) * 8 + ("validation",) * 6 + ("test",) * 6
    rows = tuple(
        replace(row, labels={"grade": i % 3}, split=split)  # type: ignore[arg-type]
        for i, (row, split) in enumerate(zip(cohort.rows, splits, strict=True))
    )
    graded = Manifest(rows, ("sagittal",), ("grade",))
    evaluation = evaluate_fingerprint(EvaluationRequest(graded, _config(), seeds=(0,)), tmp_path, device="cpu")
    assert {row.key for row in evaluation.predictions} == ALL
    for row in evaluation.predictions:
        assert row.threshold is None
        assert sum(row.probabilities) == pytest.approx(1.0)
        assert row.predicted == int(np.argmax(row.probabilities))
    table = write_evaluation(evaluation, tmp_path, n_bootstrap=0)
    assert not {"roc.png", "calibration.png"} & {path.name for path in table}
