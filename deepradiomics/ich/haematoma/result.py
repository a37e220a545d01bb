"""A folder of `ich expansion`, or a patient's with a follow-up: what became of the haematoma.

::

    expansion.json                 volumes, difference, which limits were passed, registration, notes
    expansion.nii.gz               on the baseline's grid: 1 stable, 2 grown, 3 shrunk
    followup_registered.nii.gz     the follow-up CT on the baseline's grid
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_json
from deepradiomics.files.reading import reads
from deepradiomics.files.results import must_be_there, read_object
from deepradiomics.images import Mask, Volume, read_mask, read_volume, write_mask, write_volume

KIND = "ich-expansion"
STABLE, GROWN, SHRUNK = 1, 2, 3
CHANGES = {STABLE: "stable", GROWN: "grown", SHRUNK: "shrunk"}
"""Labels of expansion.nii.gz."""
EXPANSION_JSON, EXPANSION_FILE, FOLLOWUP_FILE = "expansion.json", "expansion.nii.gz", "followup_registered.nii.gz"


@dataclass(frozen=True, eq=False)
class ExpansionFolder:
    """What became of a haematoma between two scans.

    Args:
        about: the content of expansion.json.
        change: on the baseline CT's grid: 1 stable, 2 grown, 3 shrunk.
        followup: the follow-up CT, laid onto the baseline's grid.
    """

    about: Mapping[str, Any]
    change: Mask
    followup: Volume

    def write(self, folder: Path) -> None:
        """Write the files into a folder that is there, expansion.json last."""
        write_mask(self.change, folder / EXPANSION_FILE)
        write_volume(self.followup, folder / FOLLOWUP_FILE)
        write_json(folder / EXPANSION_JSON, dict(self.about))

    @classmethod
    @reads(EXPANSION_JSON)
    def read(cls, folder: Path | str) -> ExpansionFolder:
        """Read and check the folder.

        Raises:
            InputError: a file is missing or damaged; the message names it.
        """
        folder = Path(folder)
        about = read_object(folder / EXPANSION_JSON)
        lacking = [key for key in ("baseline_ml", "followup_ml", "difference_ml", "labels") if key not in about]
        if lacking:
            raise InputError(f"{folder / EXPANSION_JSON} has no '{lacking[0]}': it was not written by `ich expansion`")
        change = read_labels(folder / EXPANSION_FILE, CHANGES)
        must_be_there(folder / FOLLOWUP_FILE)
        return cls(about, change, read_volume(folder / FOLLOWUP_FILE))


def read_labels(path: Path, known: Collection[int]) -> Mask:
    """A mask of a result.

    Raises:
        InputError: it is missing, damaged, or holds a label that is not known.
    """
    must_be_there(path)
    mask = read_mask(path)
    unknown = sorted(set(mask.labels_present()) - set(known))
    if unknown:
        raise InputError(f"{path} holds the label {unknown[0]}; expected {', '.join(map(str, known))}. Run again.")
    return mask
