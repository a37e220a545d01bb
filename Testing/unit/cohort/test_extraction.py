"""Cohort extraction with the real preparation and engine on small images: cache, kill, errors, workers, templates."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort import Manifest, ManifestRow, extraction, read_manifest, write_manifest
from deepradiomics.cohort.extraction import cohort_templates, exam_features, extract_cohort
from deepradiomics.cohort.load import load_case
from deepradiomics.errors import Cancelled, InputError
from deepradiomics.images import VIEWS, Geometry, Volume, write_volume
from deepradiomics.prepare import Recipe, prepare_exam

pytest.importorskip("pyarrow")
RECIPE = Recipe(resized_shape=(8, 24, 24), roi_fractions=(1.0, 0.5, 0.5), patch_grid=(1, 2, 2))
CASES = 6


def small_cohort(folder: Path, cases: int = CASES) -> Path:
    """A manifest of small smooth random images, one grid for all views."""
    grid = Geometry((24, 24, 8), (1.5, 1.5, 4.0))
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in grid.shape), indexing="ij")
    body = np.exp(-2 * sum(a * a for a in axes))
    rows = []
    for n in range(cases):
        rng = np.random.default_rng(n)
        views = {}
        for view in VIEWS:
            views[view] = folder / f"c{n}" / f"{view}.nii.gz"
            voxels = (200 * body + rng.normal(0, 30, grid.shape)).astype(np.float32)
            write_volume(Volume(voxels, grid), views[view])
        rows.append(ManifestRow(f"c{n}", views, None, {"t": n % 2}, "train" if n < 3 else "test"))
    return write_manifest(Manifest(tuple(rows), VIEWS, ("t",)), folder / "manifest.csv")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> Manifest:
    return read_manifest(small_cohort(tmp_path_factory.mktemp("cohort")))


def entries(cache: Path) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in cache.rglob("exams/??/*/values.npy")}


def test_shapes_names_and_order_follow_manifest_and_recipe(manifest, tmp_path):
    said: list[tuple[float, str]] = []
    found = extract_cohort(manifest, RECIPE, tmp_path, progress=lambda f, m: said.append((f, m)))
    assert found.ids == manifest.ids
    assert found.views == VIEWS
    assert found.images.shape == (CASES, 3, *RECIPE.roi_shape)
    assert found.images.dtype == np.float32
    assert found.values.shape == (CASES, 4, 3, 107)
    assert len(found.feature_names) == 107
    assert found.computed == CASES
    assert np.isfinite(found.values).all()
    assert found.grey_levels is not None
    assert found.grey_levels.shape == (CASES, 4, 3)
    assert found.grey_levels.min() > 1
    assert said[-1][0] == 1.0
    assert "(6 of 6)" in said[-1][1]
    exam = prepare_exam(load_case(manifest.rows[4]), RECIPE)
    np.testing.assert_array_equal(found.values[4], exam_features(exam, RECIPE).values)
    np.testing.assert_array_equal(found.images[4], exam.image)


def test_the_second_run_computes_nothing_and_gives_the_same(manifest, tmp_path):
    first = extract_cohort(manifest, RECIPE, tmp_path)
    before = entries(tmp_path)
    second = extract_cohort(manifest, RECIPE, tmp_path)
    assert second.computed == 0
    assert entries(tmp_path) == before
    np.testing.assert_array_equal(first.values, second.values)
    np.testing.assert_array_equal(first.images, second.images)


def test_the_key_is_the_content_not_the_name(manifest, tmp_path):
    extract_cohort(manifest, RECIPE, tmp_path)
    renamed = replace(manifest, rows=tuple(replace(row, id=f"x{row.id}") for row in reversed(manifest.rows)))
    assert extract_cohort(renamed, RECIPE, tmp_path).computed == 0
    other = replace(RECIPE, bin_width=50.0)
    assert extract_cohort(replace(manifest, rows=manifest.rows[:1]), other, tmp_path).computed == 1


def test_a_damaged_entry_is_computed_again_with_a_warning(manifest, tmp_path):
    first = extract_cohort(manifest, RECIPE, tmp_path)
    path = next(iter(tmp_path.rglob("values.npy")))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.warns(UserWarning, match=r"values\.npy.*checksum.*It is made anew"):
        again = extract_cohort(manifest, RECIPE, tmp_path)
    assert again.computed == 1
    np.testing.assert_array_equal(first.values, again.values)


def test_a_raised_version_leaves_earlier_entries_aside(manifest, tmp_path, monkeypatch):
    one = replace(manifest, rows=manifest.rows[:1])
    assert extract_cohort(one, RECIPE, tmp_path).computed == 1
    assert extract_cohort(one, RECIPE, tmp_path).computed == 0
    monkeypatch.setattr(extraction, "EXAMS", replace(extraction.EXAMS, version=extraction.EXAMS.version + 1))
    assert extract_cohort(one, RECIPE, tmp_path).computed == 1


def test_a_damaged_entry_is_noted_from_another_process_too(manifest, tmp_path):
    pytest.importorskip("distributed")
    few = replace(manifest, rows=manifest.rows[:2])
    extract_cohort(few, RECIPE, tmp_path)
    path = next(iter(tmp_path.rglob("values.npy")))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.warns(UserWarning, match=r"values\.npy.*It is made anew"):
        assert extract_cohort(few, RECIPE, tmp_path, workers=2).computed == 1


def test_after_kill_9_only_the_missing_cases_are_computed(tmp_path):
    path = small_cohort(tmp_path / "cohort")
    cache = tmp_path / "cache"
    script = f"""
        import time
        from deepradiomics.cohort import read_manifest
        from deepradiomics.cohort.extraction import extract_cohort
        from deepradiomics.prepare import Recipe
        recipe = Recipe(resized_shape=(8, 24, 24), roi_fractions=(1.0, 0.5, 0.5), patch_grid=(1, 2, 2))
        def report(fraction, message):
            print(message, flush=True)
            if "(3 of" in message:
                time.sleep(60)  # the parent kills here, in the middle of the cohort
        extract_cohort(read_manifest({str(path)!r}), recipe, {str(cache)!r}, progress=report)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        assert child.stdout is not None
        for line in child.stdout:
            if "(3 of" in line:
                break
    finally:
        child.kill()  # SIGKILL; TerminateProcess on Windows
        rest = child.communicate()[0]
    assert child.returncode == (-signal.SIGKILL if sys.platform != "win32" else 1), rest
    before = entries(cache)
    assert len(before) == 3
    said: list[str] = []
    found = extract_cohort(read_manifest(path), RECIPE, cache, progress=lambda f, m: said.append(m))
    assert found.computed == CASES - 3
    assert ["from the cache" in message for message in said] == [True] * 3 + [False] * 3
    assert {name: time_ns for name, time_ns in entries(cache).items() if name in before} == before
    fresh = extract_cohort(read_manifest(path), RECIPE, tmp_path / "fresh")
    np.testing.assert_array_equal(found.values, fresh.values)


def test_cancelling_keeps_what_is_done(manifest, tmp_path):
    def stop(fraction: float, message: str) -> None:
        if fraction > 0.3:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        extract_cohort(manifest, RECIPE, tmp_path, progress=stop)
    assert len(entries(tmp_path)) == 2
    assert extract_cohort(manifest, RECIPE, tmp_path).computed == CASES - 2


def test_bad_cases_are_all_named_and_the_good_ones_are_kept(tmp_path):
    path = small_cohort(tmp_path / "cohort", 4)
    grid = Geometry((24, 24, 8), (1.5, 1.5, 4.0))
    (tmp_path / "cohort" / "c1" / "coronal.nii.gz").write_bytes(b"rubbish")
    write_volume(Volume(np.full(grid.shape, 7.0, np.float32), grid), tmp_path / "cohort" / "c2" / "axial.nii.gz")
    manifest = read_manifest(path)
    with pytest.raises(InputError) as caught:
        extract_cohort(manifest, RECIPE, tmp_path / "cache")
    message = str(caught.value)
    assert message.startswith("2 of 4 cases cannot be used")
    assert "Case c1, column coronal" in message
    assert "c2" in message
    assert "constant" in message
    assert len(entries(tmp_path / "cache")) == 2


def test_a_missing_view_is_named(manifest, tmp_path):
    row = manifest.rows[0]
    lacking = replace(row, views={"axial": row.views["axial"]})
    with pytest.raises(InputError, match="Case c0 lacks the view coronal, sagittal"):
        extract_cohort(replace(manifest, rows=(lacking,)), RECIPE, tmp_path)


def test_an_unusable_cache_folder_is_refused_first(manifest, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be made"):
        extract_cohort(manifest, RECIPE, tmp_path / "file" / "cache")


def test_templates_come_from_training_cases_only_and_are_kept(manifest, tmp_path):
    recipe = replace(RECIPE, registration="template", views=("sagittal",))
    made = cohort_templates(manifest, recipe, tmp_path)
    assert made is not None
    others = replace(
        manifest,
        rows=tuple(r if r.split == "train" else replace(r, views=manifest.rows[0].views) for r in manifest.rows),
    )
    start = time.perf_counter()
    again = cohort_templates(others, recipe, tmp_path)
    assert time.perf_counter() - start < 2.0  # found, not built
    assert again is not None
    np.testing.assert_array_equal(made.views["sagittal"].voxels, again.views["sagittal"].voxels)
    nobody = replace(manifest, rows=tuple(replace(row, split="test") for row in manifest.rows))
    with pytest.raises(InputError, match="split 'train'"):
        cohort_templates(nobody, recipe, tmp_path)
    assert cohort_templates(manifest, RECIPE, tmp_path) is None


def test_template_registration_runs_and_other_templates_give_other_entries(manifest, tmp_path):
    recipe = replace(RECIPE, registration="template", views=("sagittal",))
    few = replace(manifest, rows=manifest.rows[:4])
    first = extract_cohort(few, recipe, tmp_path)
    assert first.computed == 4
    assert first.values.shape == (4, 4, 1, 107)
    assert extract_cohort(few, recipe, tmp_path).computed == 0
    fewer_train = replace(few, rows=(replace(few.rows[0], split="test"), *few.rows[1:]))
    assert extract_cohort(fewer_train, recipe, tmp_path).computed == 4


def test_two_processes_give_the_same_numbers_as_one_and_name_a_bad_case_as_one_does(manifest, tmp_path):
    pytest.importorskip("distributed")
    (tmp_path / "bad.nii.gz").write_bytes(b"rubbish")
    bad = replace(manifest.rows[1], views={**manifest.rows[1].views, "coronal": tmp_path / "bad.nii.gz"})
    with pytest.raises(InputError, match=r"1 of 6 cases cannot be used.*\n.*Case c1, column coronal"):
        extract_cohort(
            replace(manifest, rows=(manifest.rows[0], bad, *manifest.rows[2:])), RECIPE, tmp_path / "two", workers=2
        )
    together = extract_cohort(manifest, RECIPE, tmp_path / "two")
    assert together.computed == 1  # the five good cases were computed by the two processes
    alone = extract_cohort(manifest, RECIPE, tmp_path / "one")
    np.testing.assert_array_equal(alone.values, together.values)


def test_a_full_disk_stops_the_cohort_at_once_and_leaves_nothing_half_written(manifest, tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    said: list[str] = []
    monkeypatch.setattr(np, "save", full)
    with pytest.raises(InputError, match="no space is left"):
        extract_cohort(manifest, RECIPE, tmp_path, progress=lambda f, m: said.append(m))
    assert said == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("workers", [0, -1])
def test_an_impossible_number_of_workers_is_refused(manifest, tmp_path, workers):
    with pytest.raises(InputError, match="workers must be 1 or more"):
        extract_cohort(manifest, RECIPE, tmp_path, workers=workers)
