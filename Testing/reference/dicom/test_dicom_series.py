"""A random DICOM series is read back exactly; one that is broken in one way is refused or noted, never silently wrong.

The default run takes a sample; ``-m slow`` takes 500 of each.
"""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from Testing.reference.dicom.dicom_file_damage import FILE_DAMAGES
from Testing.reference.dicom.dicom_series_damage import DAMAGES
from Testing.reference.dicom.dicom_series_generator import Series, random_series
from Testing.reference.dicom.dicom_series_trial import PLACE_MM, Trial, broken_trial, intact_trial

SAMPLE, ALL = range(60), range(500)


def failures(trials: list[Trial]) -> str:
    return "\n".join(
        f"seed {t.seed}: {t.damage or 'intact'} ({t.series}): {t.detail}" for t in trials if t.outcome == "WRONG"
    )


def intact(seeds: range, folder: Path) -> list[Trial]:
    return [intact_trial(seed, folder / f"{seed}") for seed in seeds]


def broken(seeds: range, folder: Path) -> list[Trial]:
    return [broken_trial(seed, folder / f"{seed}") for seed in seeds]


def test_a_random_series_is_read_back_exactly(tmp_path: Path) -> None:
    assert not failures(intact(SAMPLE, tmp_path))


def test_a_series_broken_in_one_way_is_refused_or_noted(tmp_path: Path) -> None:
    assert not failures(broken(SAMPLE, tmp_path))


@pytest.mark.slow
def test_five_hundred_random_series_are_read_back_exactly(tmp_path: Path) -> None:
    trials = intact(ALL, tmp_path)
    print(Counter(trial.outcome for trial in trials))
    assert not failures(trials)
    assert len(trials) >= 500


@pytest.mark.slow
def test_five_hundred_broken_series_are_refused_or_noted(tmp_path: Path) -> None:
    trials = broken(ALL, tmp_path)
    print(Counter(trial.outcome for trial in trials), Counter((trial.damage, trial.outcome) for trial in trials))
    assert not failures(trials)
    assert {trial.damage for trial in trials} == {damage.__name__ for damage in (*DAMAGES, *FILE_DAMAGES)}
    assert Counter(trial.outcome for trial in trials)["refused"] > 400  # the damages do reach the reader


@pytest.mark.slow
def test_itk_reads_the_intact_series_that_it_supports_alike_and_each_disagreement_is_known(tmp_path: Path) -> None:
    reasons: Counter[str] = Counter()
    for seed in ALL:
        series = random_series(np.random.default_rng(seed))
        reason = disagreement(series, series.write(tmp_path / f"{seed}"))
        known = explained(series)
        assert reason == "" or known, f"seed {seed}: {series.kind}, {series.syntax}: {reason}"
        reasons[f"{reason}: {known}" if reason else "alike"] += 1
    print(reasons)
    assert reasons["alike"] > 100


def disagreement(series: Series, folder: Path) -> str:
    """What ITK's series reader gives otherwise than the truth; empty where it agrees."""
    try:
        names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
        image = sitk.ReadImage(names if len(names) > 1 else names[0])
    except RuntimeError:
        return "not read"
    voxels = sitk.GetArrayFromImage(image)
    if voxels.shape != series.voxels.shape or not np.allclose(voxels, series.voxels, rtol=1e-6, atol=1e-6):
        return "other values"
    directions = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    same = np.abs(directions - series.affine[:3, :3]).max() < 100 * PLACE_MM
    return "" if same and np.allclose(image.GetOrigin(), series.affine[:3, 3], atol=1e-4) else "other place"


def explained(series: Series) -> str:
    """Why ITK reads a series otherwise, or nothing."""
    if len(set(series.plan["slopes"])) > 1:
        return "ITK takes slope and intercept of one slice for all"
    if series.kind in ("NM", "XA", "SC", "CR"):
        return "GDCM takes spacing or position of these SOP classes from elsewhere"
    if series.multiple:
        return "GDCM takes the frames as they are stored, or spacing and slopes of the first"
    if series.plan["slopes"][0] != ("1", "0"):
        return "GDCM stores the result in a type that the stored bits suggest"
    return ""
