"""fit_lens: the result folder, resumed and refused."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import BundleError, InputError, ManifestError
from deepradiomics.files.atomic import write_json
from deepradiomics.lens.encoders.embeddings import Embeddings
from deepradiomics.lens.result import SHIFT_COLUMNS, LensResult
from Testing.unit.lens import lens_material as material
from Testing.unit.privacy import files_with_folders

pytest.importorskip("pyarrow")
torch = pytest.importorskip("torch")

from deepradiomics.lens.fit import run  # noqa: E402
from deepradiomics.lens.fit.result_folder import PRODUCTS  # noqa: E402
from deepradiomics.lens.fit.run import LensRequest, fit_lens  # noqa: E402

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def manifest_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return material.cohort(tmp_path_factory.mktemp("cohort"))


@pytest.fixture(scope="module")
def fitted(manifest_path: Path, tmp_path_factory: pytest.TempPathFactory) -> LensResult:
    return _fit(manifest_path, tmp_path_factory.mktemp("lens"), permutations=5)


def _fit(manifest_path: Path, folder: Path, **changes: object) -> LensResult:
    cohort = material.read(manifest_path)
    pre, ft = material.embeddings(cohort.ids), material.embeddings(cohort.ids, drift=0.5)
    config = material.config(manifest_path.parent / "params", **changes)
    return fit_lens(
        LensRequest(cohort, pre, ft, config), folder / "out", cache=manifest_path.parent / "cache", device="cpu"
    )


def test_the_folder_holds_what_it_promises(fitted: LensResult) -> None:
    names = {path.name for path in fitted.folder.iterdir()}
    assert set(PRODUCTS) - {"tableA1.csv", "sweep.csv"} | {"run.json"} <= names
    with (fitted.folder / "shift.csv").open(encoding="utf-8", newline="") as stream:
        assert tuple(csv.DictReader(stream).fieldnames or ()) == tuple(SHIFT_COLUMNS)
    assert len(fitted.shift) + len(fitted.dropped) == 2 * material.N_FEATURES
    assert [row["rank"] for row in fitted.shift] == list(range(1, len(fitted.shift) + 1))
    assert fitted.about["synthetic"] is True  # fmt: skip
    assert fitted.about["counts"] == {
        "train": 11,
        "validation": 2,
        "test": 3,
        "dropped": 0,
    }
    assert "SYNTHETIC" in fitted.about["methods_text"]
    assert "16" not in fitted.about["roi"]


def test_the_shift_is_that_of_the_estimator_on_the_folders_own_tables(fitted: LensResult) -> None:
    import pyarrow.parquet as pq

    from deepradiomics.lens.estimator.lens import RadiomicLens

    pre, ft = (Embeddings.read(fitted.folder / f"embeddings_{stage}.parquet") for stage in ("pre", "ft"))
    table = pq.read_table(fitted.folder / "radiomics.parquet")
    targets = np.stack([table[name].to_numpy() for name in table.column_names[1:]], axis=1)
    parts = [row["split"] for row in fitted.cases]
    lens = RadiomicLens(hidden=4, epochs=20, bootstraps=20, permutations=5, device="cpu")
    lens.fit(pre.values, ft.values, targets, split=parts, feature_names=table.column_names[1:])
    found = {f"{row['modality']} {row['feature']}": row for row in fitted.shift}
    for k, name in enumerate(table.column_names[1:]):
        if lens.kept_[k]:
            np.testing.assert_allclose(found[name]["delta_i"], lens.delta_importance_[k], rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(found[name]["p_null"], lens.p_null_[k])
            np.testing.assert_allclose(found[name]["delta_explained"], lens.delta_explained_[k], rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(found[name]["p_explained"], lens.p_explained_[k])


def test_parquet_and_csv_hold_the_same(fitted: LensResult) -> None:
    import pyarrow.parquet as pq

    rows = pq.read_table(fitted.folder / "shift.parquet").to_pylist()
    assert [(row["modality"], row["feature"], row["rank"]) for row in rows] == [
        (row["modality"], row["feature"], row["rank"]) for row in fitted.shift
    ]
    assert [row["delta_i"] for row in rows] == [row["delta_i"] for row in fitted.shift]


def test_without_a_null_its_cells_are_empty_and_a_remark_says_so(manifest_path: Path, tmp_path: Path) -> None:
    found = _fit(manifest_path, tmp_path)
    assert not found.has_null
    assert np.isnan(found.shift[0]["q_null"])
    assert any("No permutation null" in text for text in found.about["warnings"])
    assert found.about["summary"]["n_beyond_noise"] is None


def test_table_1_and_the_summary_are_means_of_the_shift_table(fitted: LensResult) -> None:
    for row in fitted.table1:
        if row["kind"] == "modality":
            own = [one for one in fitted.shift if one["modality"] == row["group"]]
            assert row["n_features"] == len(own)
            np.testing.assert_allclose(row["mse_ft"], np.mean([one["mse_ft"] for one in own]))
    [everything] = [row for row in fitted.table1 if row["kind"] == "all"]
    assert everything["n_patients"] == 3
    np.testing.assert_allclose(fitted.about["summary"]["mse_pre"], np.mean([row["mse_pre"] for row in fitted.shift]))


def test_the_cases_name_their_files(fitted: LensResult, manifest_path: Path) -> None:
    first = fitted.cases[0]
    assert first["id"] == "c00"
    assert Path(first["view_adc"]) == (manifest_path.parent / "c00_adc.nrrd").resolve()
    assert Path(first["mask_gland"]).is_file()
    assert first["split"] in ("train", "validation", "test")


def test_a_finished_run_is_read_back(fitted: LensResult, manifest_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(run, "radiomics_table", refuse)
    again = _fit(manifest_path, fitted.folder.parent, permutations=5)
    assert again.about == fitted.about
    with pytest.raises(InputError, match=r"another run lives here; config\.hidden differs"):
        _fit(manifest_path, fitted.folder.parent, permutations=5, hidden=5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs SIGKILL")
@pytest.mark.parametrize("fraction", [0.2, 0.9])
def test_a_run_killed_at_any_point_goes_on_and_gives_the_same_tables(
    fraction: float, fitted: LensResult, manifest_path: Path, tmp_path: Path
) -> None:
    params = str(manifest_path.parent / "params" / "features.yaml")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "Testing.unit.lens.fit.killed_lens", str(manifest_path), str(out), params]
    killed = subprocess.run([*command, str(fraction)], cwd=ROOT, check=False, capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr
    assert not (out / "lens.json").exists()
    assert (out / "run.json").is_file()
    with pytest.raises(InputError, match="not finished"):
        LensResult.read(out)
    cohort = material.read(manifest_path)
    pre, ft = material.embeddings(cohort.ids), material.embeddings(cohort.ids, drift=0.5)
    config = material.config(manifest_path.parent / "params", permutations=5)
    fit_lens(LensRequest(cohort, pre, ft, config), out, device="cpu")
    for name in ("shift.csv", "table1.csv", "modality_r2.csv", "cases.csv"):
        assert (out / name).read_bytes() == (fitted.folder / name).read_bytes(), name


def test_no_resume_begins_again(fitted: LensResult, manifest_path: Path, tmp_path: Path) -> None:
    cohort = material.read(manifest_path)
    pre, ft = material.embeddings(cohort.ids), material.embeddings(cohort.ids, drift=0.5)
    _fit(manifest_path, tmp_path, permutations=3)
    config, out = material.config(manifest_path.parent / "params"), tmp_path / "out"
    fit_lens(
        LensRequest(cohort, pre, ft, config), out, cache=manifest_path.parent / "cache", device="cpu", resume=False
    )
    assert LensResult.read(out).about["config"]["permutations"] == 0


def _finetuned(folder: Path, splits: Mapping[str, str], **metrics: object) -> Path:
    """The parts of a fine-tuning's folder that a lens reads."""
    folder.mkdir()
    rows = "".join(f"{case},{part}\n" for case, part in splits.items())
    (folder / "splits.csv").write_text(f"id,split\n{rows}", encoding="utf-8")
    (folder / "tableA1.csv").write_text(
        "task,metric,better,frozen,tuned,unit,frozen_low,frozen_high,tuned_low,tuned_high,n\n"
        "class pirads,quadratic weighted kappa,higher,0.2,0.4,,,,0.1,0.7,9\n",
        encoding="utf-8",
    )
    write_json(folder / "metrics.json", {"task": "class", "target": "pirads", **metrics})
    return folder


def test_a_fine_tuning_gives_splits_performance_and_name(manifest_path: Path, tmp_path: Path) -> None:
    cohort = material.read(manifest_path)
    parts = {case: ("train", "validation", "test")[(n > 9) + (n > 11)] for n, case in enumerate(cohort.ids)}
    folder = _finetuned(tmp_path / "finetuned", parts)
    pre, ft = material.embeddings(cohort.ids), material.embeddings(cohort.ids, drift=0.5)
    found = fit_lens(
        LensRequest(cohort, pre, ft, material.config(tmp_path), finetune=folder), tmp_path / "out", device="cpu",
        cache=manifest_path.parent / "cache",
    )  # fmt: skip
    assert {row["id"]: row["split"] for row in found.cases} == parts
    assert found.task == "PIRADS CLS"
    assert [(row["task"], row["frozen"], row["tuned"]) for row in found.evaluations] == [("PIRADS CLS", 0.2, 0.4)]
    kept = (tmp_path / "out" / "tableA1.csv").read_text(encoding="utf-8").splitlines()
    assert kept[0].endswith("unit,frozen_low,frozen_high,tuned_low,tuned_high,n")
    assert kept[1].endswith(",,,,0.1,0.7,9")


def test_an_unfinished_fine_tuning_is_told(manifest_path: Path, tmp_path: Path) -> None:
    cohort = material.read(manifest_path)
    with pytest.raises(InputError, match=r"no folder of a finished 'deepradiomics finetune'"):
        fit_lens(
            LensRequest(
                cohort, material.embeddings(cohort.ids), material.embeddings(cohort.ids), material.config(tmp_path),
                finetune=tmp_path,
            ),
            tmp_path / "out",
        )  # fmt: skip


def test_encoders_of_one_modality_are_measured_in_all(manifest_path: Path, tmp_path: Path) -> None:
    from deepradiomics.networks.convnextv2 import ConvNeXtV2
    from deepradiomics.networks.encoders.encoder import Encoder
    from deepradiomics.prepare.stack import StackRecipe

    recipe = StackRecipe(("t2",), (16, 16, 16), (1.2, 1.2, 1.5))
    torch.manual_seed(0)
    before = Encoder(ConvNeXtV2(1, "mini"), recipe, name="before")
    torch.manual_seed(1)
    after = Encoder(ConvNeXtV2(1, "mini"), recipe, name="after")
    cohort, config = material.read(manifest_path), material.config(tmp_path)
    given = {"cache": manifest_path.parent / "cache", "device": "cpu"}
    found = fit_lens(LensRequest(cohort, before, after, config), tmp_path / "out", **given)  # type: ignore[arg-type]
    assert found.modalities == ("t2", "adc")
    assert found.about["encoders"]["ft"]["name"] == "after"
    assert {row["modality"] for row in found.shift} == {"t2", "adc"}
    assert "unknown whether these cases were part" in found.about["leakage"]
    same = fit_lens(LensRequest(cohort, before, before, config), tmp_path / "same", **given)  # type: ignore[arg-type]
    assert all(row["delta_i"] == 0 for row in same.shift)
    wide = Encoder(ConvNeXtV2(2, "mini"), StackRecipe(("t2", "dwi"), (16, 16, 16)), name="wide")
    with pytest.raises(
        BundleError,
        match=r"pre: encoder 'wide' sees the modalities t2, dwi, but .* has no column view_dwi; it has: t2, adc",
    ):
        fit_lens(LensRequest(cohort, wide, wide, config), tmp_path / "wide")
    assert not (tmp_path / "wide").exists()


def test_the_encoder_looks_where_it_was_trained_whatever_region_is_measured(
    manifest_path: Path, tmp_path: Path
) -> None:
    from dataclasses import replace

    from deepradiomics.images import Mask, write_mask
    from deepradiomics.networks.convnextv2 import ConvNeXtV2
    from deepradiomics.networks.encoders.encoder import Encoder
    from deepradiomics.prepare.stack import StackRecipe

    cohort, rows = material.read(manifest_path), []
    for row in cohort.rows:
        spot = tmp_path / f"{row.id}_lesion.nrrd"
        write_mask(Mask(material.ellipsoid(material.T2, (4, 3, 2), 3.5), material.T2), spot)
        rows.append(replace(row, masks={**row.masks, "lesion": spot}))
    cohort = replace(cohort, rows=tuple(rows), rois=("gland", "lesion"))
    torch.manual_seed(0)
    encoder = Encoder(ConvNeXtV2(1, "mini"), StackRecipe(("t2",), (16, 16, 16), (1.2, 1.2, 1.5)))
    given = {"cache": tmp_path / "cache", "device": "cpu"}

    def embeddings(name: str, roi: str, centre: str = "", about: Mapping[str, object] | None = None) -> np.ndarray:
        encoder.about = dict(about or {})
        config = material.config(tmp_path, roi=roi, centre=centre, bootstraps=0, variants=False)
        found = fit_lens(LensRequest(cohort, encoder, encoder, config), tmp_path / name, **given)  # type: ignore[arg-type]
        return Embeddings.read(found.folder / "embeddings_pre.parquet").values

    of_gland = embeddings("gland", "gland")
    np.testing.assert_array_equal(embeddings("lesion", "lesion"), of_gland)  # the gland is there, so it is looked at
    on_lesion = embeddings("centred", "lesion", "lesion")
    assert not np.allclose(on_lesion, of_gland)
    np.testing.assert_array_equal(embeddings("told", "gland", about={"pretraining": {"roi": "lesion"}}), on_lesion)


def test_scans_of_one_patient_stay_together_and_count_once(tmp_path: Path) -> None:
    path = material.cohort(tmp_path / "cohort", 20, patients=10)
    found = _fit(path, tmp_path)
    parts: dict[str, set[str]] = {}
    for row in found.cases:
        parts.setdefault(row["patient"], set()).add(row["split"])
    assert len(parts) == 10
    assert all(len(part) == 1 for part in parts.values())
    [everything] = [row for row in found.table1 if row["kind"] == "all"]
    assert everything["n_patients"] == 2
    assert found.about["counts"]["test"] == 4


def test_a_constant_feature_is_listed_and_left_out(manifest_path: Path, tmp_path: Path) -> None:
    text = "featureClass: {firstorder: [Mean, Variance, Skewness], shape: [VoxelVolume]}"
    found = _fit(manifest_path, tmp_path, params=str(material.params(tmp_path / "own", text)))
    assert {row["feature"] for row in found.dropped} == {"original_shape_VoxelVolume"}
    assert all("constant" in row["reason"] for row in found.dropped)
    with pytest.raises(InputError, match=r"left out of this lens: constant"):
        found.row("t2", "original_shape_VoxelVolume")


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"hidden": 64}, InputError, "11 training cases for hidden=64"),
        ({"roi": "lesion"}, InputError, "no region 'lesion'"),
        ({"modalities": ["t2", "dwi"]}, InputError, "no column view_dwi"),
        ({"params": "lense"}, InputError, "lense"),
    ],
)
def test_what_cannot_be_fitted_is_told_before_anything_is_written(
    changes: dict[str, object], error: type[Exception], says: str, manifest_path: Path, tmp_path: Path
) -> None:
    with pytest.raises(error, match=says):
        _fit(manifest_path, tmp_path, **changes)
    assert not (tmp_path / "out").exists()


def test_embeddings_that_lack_a_case_are_told(manifest_path: Path, tmp_path: Path) -> None:
    cohort = material.read(manifest_path)
    few = material.embeddings(cohort.ids[1:])
    cache = manifest_path.parent / "cache"
    with pytest.raises(InputError, match=r"Case c00: has no embedding \(ft\)"):
        fit_lens(LensRequest(cohort, few, few, material.config(tmp_path)), tmp_path / "out", cache=cache)
    config = material.config(tmp_path, missing="drop")
    found = fit_lens(LensRequest(cohort, few, few, config), tmp_path / "out", cache=cache, device="cpu")
    assert [one["id"] for one in found.about["dropped_cases"]] == ["c00"]
    assert len(found.cases) == 15


def test_a_case_that_only_the_encoder_cannot_use_is_dropped_with_its_reason(
    manifest_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepradiomics.networks.convnextv2 import ConvNeXtV2
    from deepradiomics.networks.encoders.encoder import Encoder
    from deepradiomics.prepare.stack import StackRecipe

    torch.manual_seed(0)
    encoder = Encoder(ConvNeXtV2(1, "mini"), StackRecipe(("t2",), (16, 16, 16), (1.2, 1.2, 1.5)), name="mini")
    real = encoder.embed
    seen: list[int] = []

    def nan_for_the_third(images: "torch.Tensor") -> "torch.Tensor":
        found = real(images)
        for at in range(len(images)):
            seen.append(1)
            if len(seen) == 3:
                found[at] = float("nan")
        return found

    monkeypatch.setattr(encoder, "embed", nan_for_the_third)
    cohort = material.read(manifest_path)
    pre = material.embeddings(cohort.ids, d=encoder.dimension)
    config = material.config(tmp_path, missing="drop")
    found = fit_lens(
        LensRequest(cohort, pre, encoder, config), tmp_path / "out", cache=tmp_path / "cache", device="cpu"
    )
    [gone] = found.about["dropped_cases"]
    assert gone["id"] == "c02"
    assert "NaN" in gone["reason"]
    assert len(found.cases) == 15


def test_a_cohort_refused_on_the_way_leaves_its_cache_and_no_run(manifest_path: Path, tmp_path: Path) -> None:
    text = "featureClass: {shape: [VoxelVolume]}"
    with pytest.raises(InputError, match=r"R: none of the 2 columns can be used"):
        _fit(manifest_path, tmp_path, params=str(material.params(tmp_path / "own", text)))
    assert not (tmp_path / "out").exists()
    assert any((manifest_path.parent / "cache").rglob("*.json"))


def test_dropped_cases_are_listed_with_the_reason(manifest_path: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    cohort = material.read(manifest_path)
    rows = list(cohort.rows)
    rows[4] = replace(rows[4], views={"t2": rows[4].views["t2"]})
    cohort = replace(cohort, rows=tuple(rows))
    pre, ft = material.embeddings(cohort.ids), material.embeddings(cohort.ids, drift=0.5)
    config, cache = material.config(tmp_path), manifest_path.parent / "cache"
    with pytest.raises(ManifestError, match="Case c04: lacks modality adc"):
        fit_lens(LensRequest(cohort, pre, ft, config), tmp_path / "out", cache=cache)
    config = material.config(tmp_path, missing="drop")
    found = fit_lens(LensRequest(cohort, pre, ft, config), tmp_path / "out", cache=cache, device="cpu")
    assert found.about["dropped_cases"] == [{"id": "c04", "reason": "lacks modality adc"}]
    assert found.about["counts"]["dropped"] == 1
    assert len(found.cases) == 15


def test_run_json_tells_how_it_was_made(fitted: LensResult) -> None:
    record = json.loads((fitted.folder / "run.json").read_text(encoding="utf-8"))
    assert record["status"] == "finished"
    assert record["identity"]["kind"] == "lens"


def test_nothing_names_a_folder_but_what_cases_and_their_features_are_found_by(fitted: LensResult) -> None:
    assert set(files_with_folders(fitted.folder, fitted.folder.parents[1])) <= {"cases.csv", "lens.json", "run.json"}
    about = json.loads((fitted.folder / "lens.json").read_text(encoding="utf-8"))
    del about["config"]["params"]
    assert str(fitted.folder.parents[1]) not in json.dumps(about)
