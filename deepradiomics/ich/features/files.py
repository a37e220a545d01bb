"""The feature table of a cohort as files that any program reads: CSV, NumPy arrays, JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics import __version__
from deepradiomics.files import atomic_file, write_json
from deepradiomics.ich.experiment_tables import write_table
from deepradiomics.ich.features import CohortFeatures
from deepradiomics.ich.features_case import FeatureSettings
from deepradiomics.ich.features_latents import KINDS

_FIRST = ("id", "patient", "lesion", "volume_ml")


def write_features(features: CohortFeatures, settings: FeatureSettings, folder: str | Path) -> list[Path]:
    """Write features.csv, a .npy of each kind of latents, and features.json; return the paths."""
    folder = Path(folder)
    files = [write_table(folder / "features.csv", (*_FIRST, *features.names), _rows(features))]
    for kind in KINDS:
        path = folder / f"{kind}.npy"
        if kind not in features.latents:
            path.unlink(missing_ok=True)  # of an earlier run
            continue
        with atomic_file(path) as part, part.open("wb") as stream:
            np.save(stream, features.latents[kind].values, allow_pickle=False)
        files.append(path)
    about = {
        "kind": "ich-features", "software": "deepradiomics", "version": __version__,
        "manifest": features.cohort.where, "synthetic": features.cohort.synthetic, "settings": settings.to_dict(),
        "rows": len(features), "columns": len(features.names),
        "networks": {
            kind: [{"name": one.name, "sha256": one.sha256, "synthetic": one.synthetic} for one in latents.networks]
            for kind, latents in features.latents.items()
        },
        "dropped": [list(one) for one in features.dropped],
        "notes": {case: list(notes) for case, notes in features.notes.items()},
    }  # fmt: skip
    write_json(folder / "features.json", about)
    return [*files, folder / "features.json"]


def _rows(features: CohortFeatures) -> Iterator[dict[str, Any]]:
    for i, case in enumerate(features.ids):
        first = {
            "id": case, "patient": features.cohort.patients[i], "lesion": features.lesions[i],
            "volume_ml": float(features.volume_ml[i]),
        }  # fmt: skip
        yield first | dict(zip(features.names, features.radiomics[i].tolist(), strict=True))
