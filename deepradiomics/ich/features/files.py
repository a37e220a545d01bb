"""The feature table of a cohort as files that any program reads: CSV, NumPy arrays, JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics import __version__
from deepradiomics.files.atomic import atomic_file, write_json
from deepradiomics.files.tables import write_table
from deepradiomics.ich.features.case import FeatureSettings
from deepradiomics.ich.features.latents import KINDS
from deepradiomics.ich.features.run import CohortFeatures

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
        "kind": "ich-features",
        "software": "deepradiomics",
        "version": __version__,
        "manifest": features.cohort.where,
        "synthetic": features.cohort.synthetic,
        "real_head": features.cohort.real_head,
        "settings": settings.to_dict(),
        **({"reading": choices} if (choices := features.reading.to_dict()) else {}),
        "rows": len(features),
        "columns": len(features.names),
        "networks": {
            kind: [
                {"name": network.name, "sha256": network.sha256, "synthetic": network.synthetic}
                for network in latents.networks
            ]
            for kind, latents in features.latents.items()
        },
        "dropped": [list(pair) for pair in features.dropped],
        "notes": {case: list(notes) for case, notes in features.notes.items()},
    }
    write_json(folder / "features.json", about)
    return [*files, folder / "features.json"]


def _rows(features: CohortFeatures) -> Iterator[dict[str, Any]]:
    for i, case in enumerate(features.ids):
        first = {
            "id": case,
            "patient": features.cohort.patients[i],
            "lesion": features.lesions[i],
            "volume_ml": float(features.volume_ml[i]),
        }
        yield first | dict(zip(features.names, features.radiomics[i].tolist(), strict=True))
