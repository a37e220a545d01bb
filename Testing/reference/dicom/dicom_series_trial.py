"""One trial of the reader on a random series: intact, or broken in one random way."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepradiomics import read_volume
from deepradiomics.errors import InputError
from deepradiomics.images import Volume
from Testing.reference.dicom.dicom_file_damage import FILE_DAMAGES
from Testing.reference.dicom.dicom_series_damage import DAMAGES
from Testing.reference.dicom.dicom_series_generator import Series, random_series

PLACE_MM = 1e-5  # of the affine; directions are the nearest rotation to ten written digits


@dataclass(frozen=True)
class Trial:
    """What became of one series.

    Args:
        seed: that it was drawn with.
        series: what it was, in words.
        damage: how it was broken; empty: intact.
        outcome: ``right``, ``noted``, ``refused``, or ``WRONG``.
        detail: the error, the notes, or the difference.
    """

    seed: int
    series: str
    damage: str
    outcome: str
    detail: str


def is_right(volume: Volume, series: Series) -> bool:
    """Voxels equal, and the grid within rounding."""
    return (
        volume.voxels.shape == series.voxels.shape
        and bool((volume.voxels == series.voxels).all())
        and bool(np.abs(volume.geometry.affine - series.affine).max() < PLACE_MM)
    )


def intact_trial(seed: int, folder: Path) -> Trial:
    """Write, read and compare a series; whatever is not exact is wrong, a note included."""
    series = random_series(np.random.default_rng(seed))
    words = f"{series.kind}, {series.syntax}, {series.plan['bits']}, slopes {series.plan['slopes'][:2]}"
    try:
        volume = read_volume(series.write(folder))
    except InputError as error:
        return Trial(seed, words, "", "WRONG", f"refused: {error}")
    notes = [note for note in volume.notes if "each slice has its own" not in note]
    right = is_right(volume, series) and not notes and "Secret" not in repr(vars(volume))
    return Trial(seed, words, "", "right" if right else "WRONG", "" if right else f"{volume.notes}")


def broken_trial(seed: int, folder: Path) -> Trial:
    """Break a series in one way and read it: refused, or still read right, noted or not; all else is wrong."""
    rng = np.random.default_rng(seed)
    number = int(rng.integers(len(DAMAGES) + len(FILE_DAMAGES)))
    before, after = number < len(DAMAGES), number - len(DAMAGES)
    damage = DAMAGES[number] if before else FILE_DAMAGES[after]
    while True:
        series = random_series(rng)
        target = folder / f"{rng.integers(1 << 60)}"
        try:
            if before:
                DAMAGES[number](rng, series)
            series.write(target)
            if not before:
                FILE_DAMAGES[after](rng, series, target)
        except LookupError:  # this damage does not fit this kind of series
            continue
        break
    words = f"{series.kind}, {series.syntax}"
    try:
        volume = read_volume(target)
    except InputError as error:
        return Trial(seed, words, damage.__name__, "refused", str(error))
    except Exception as error:
        return Trial(seed, words, damage.__name__, "WRONG", f"raw {type(error).__name__}: {error}")
    told = " ".join(volume.notes)
    if not is_right(volume, series):
        return Trial(seed, words, damage.__name__, "WRONG", f"other voxels or another place; notes: {told or 'none'}")
    return Trial(seed, words, damage.__name__, "noted" if told else "right", told)
