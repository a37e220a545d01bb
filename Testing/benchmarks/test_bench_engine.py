"""The bench suite measures what it says: workloads of the right size, ratios, goals, tables and charts."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.radiomics import Settings, feature_names, features_preset
from Testing.benchmarks import inputs
from Testing.benchmarks.bench_engine import output
from Testing.benchmarks.engine.workloads import BY_NAME, parameters
from Testing.benchmarks.tables import SPEED_COLUMNS, speed_row, write_csv
from Testing.reference.parity import oracle

BENCH = Path(__file__).with_name("bench_engine.py")


@pytest.mark.parametrize(
    ("name", "count"), [("ct-107", 107), ("ct-1130", 1130), ("ct-ich-1688", 1688), ("all-maps", 93), ("glcm-maps", 24)]
)
def test_a_workload_computes_as_many_features_as_its_title_says(name: str, count: int) -> None:
    assert len(feature_names(Settings.from_params(parameters(name)))) == count


def test_the_haemorrhage_workload_is_the_preset() -> None:
    assert set(parameters("ct-ich-1688")["imageType"]) == set(features_preset("ich-1688")["imageType"])


def test_an_exam_has_three_views_and_36_patches_each() -> None:
    views, grids = inputs.exam()
    assert [view.shape for view in views] == [inputs.ROI_SHAPE] * 3
    assert [int(grid.max()) for grid in grids] == [1, 8, 27]
    assert all(set(np.unique(grid)) == set(range(1, grid.max() + 1)) for grid in grids)


def test_the_real_regions_have_the_sizes_they_are_said_to_have(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPRADIOMICS_TEST_DATA", str(data_dir))
    image, mask = inputs.lesion_30000()
    assert int(sitk.GetArrayViewFromImage(mask).sum()) == pytest.approx(30_000, rel=0.01)
    assert image.GetSize() == mask.GetSize()
    image, mask = inputs.chest_wall()
    values = sitk.GetArrayViewFromImage(image)[sitk.GetArrayViewFromImage(mask) == 1]
    assert len(values) == 16**3
    assert (values < -700).mean() > 0.25  # lung
    assert (values > -100).mean() > 0.35  # wall
    assert len(np.unique(values // 25)) == 50


def test_a_row_tells_ratio_memory_and_whether_the_goal_is_met() -> None:
    theirs = {"median_s": 5.0, "first_s": 5.2, "runs": 2, "peak_mb": 500.0}
    row = speed_row(BY_NAME["ct-107"], "DeepRadiomics", "2 threads", {"median_s": 0.25, "peak_mb": 400.0}, theirs)
    assert (row["times_faster"], row["goal"], row["met"]) == (20.0, ">= 10 x, <= 1000 MB", "yes")
    row = speed_row(BY_NAME["ct-107"], "DeepRadiomics", "2 threads", {"median_s": 0.25, "peak_mb": 1400.0}, theirs)
    assert row["met"] == "no"
    row = speed_row(BY_NAME["patches-64"], "DeepRadiomics", "GPU", {"median_s": 0.64}, {"median_s": 3.0}, 64)
    assert (row["seconds"], row["times_faster"], row["met"]) == (0.01, 300.0, "yes")
    row = speed_row(BY_NAME["all-maps"], "DeepRadiomics", "1 thread", {"median_s": 61.0}, {"problem": "not run"})
    assert (row["times_faster"], row["met"]) == (None, "no")
    assert speed_row(BY_NAME["ct-107"], "MIRP", "1 thread", {"median_s": 19.0}, theirs)["times_faster"] == 0.263


def test_what_takes_too_long_or_fails_is_said() -> None:
    assert output([sys.executable, "-c", "import time; print(1, flush=True); time.sleep(9)"], None, 1.5)[1] == (
        "did not finish in 1.5 s"
    )
    assert output([sys.executable, "-c", "raise SystemExit('no such thing')"], None, 20)[1] == "no such thing"


def test_charts_are_drawn_from_the_tables(tmp_path: Path) -> None:
    from Testing.benchmarks.charts import draw

    points = [(who, n, x, x / 1e6 * k) for who, n, k in (("pyradiomics", 1, 9), ("ours", 1, 1)) for x in (1e3, 1e4)]
    rows = [
        dict(zip(("series", "who", "threads", "x", "seconds"), ("voxels", *point), strict=True)) for point in points
    ]
    rows += [{"series": "threads, patches", "who": "ours", "threads": n, "x": n, "seconds": 1 / n} for n in (1, 2)]
    write_csv(tmp_path / "engine_scaling.csv", rows)
    row = speed_row(BY_NAME["ct-107"], "DeepRadiomics", "1 thread", {"median_s": 0.1}, {"median_s": 2.0})
    write_csv(tmp_path / "engine_speed.csv", [row], SPEED_COLUMNS)
    names = {path.name for path in draw(tmp_path)}
    assert names >= {"engine_scaling_voxels.png", "engine_scaling_threads.svg", "engine_speed.svg"}
    assert all((tmp_path / name).stat().st_size > 1000 for name in names)


@pytest.mark.skipif(not oracle.is_live(), reason="PyRadiomics is not installed here")
def test_the_bench_runs_on_tiny_images(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", str(BENCH), "--quick", "--only", "ct-107", "--skip", "first", "scaling"]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "engine_speed.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["program"] for row in rows][:2] == ["PyRadiomics", "DeepRadiomics"]
    assert all(row["values"] == "107" and float(row["seconds"]) > 0 for row in rows if not row["problem"])
    assert {row["problem"] for row in rows if row["program"] == "MIRP"} == {"not installed"}
    assert json.loads((tmp_path / "engine.json").read_text(encoding="utf-8"))["engine_speed"][0]["workload"] == "ct-107"
