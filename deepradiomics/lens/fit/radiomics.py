"""The radiomic targets of a lens: every feature of the region in every modality, each on its own grid.

case ─► region ─► on the grid of t2 ─► engine ─► n features ┐
                  on the grid of adc ─► engine ─► n features ┴─► (M, n), kept by content, found again after a kill
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.cohort.each_case import each_case
from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.cohort.regions.features import Extraction, region_features
from deepradiomics.cohort.roi import roi_mask
from deepradiomics.errors import DeepRadiomicsError, InputError
from deepradiomics.files.atomic import atomic_file, content_hash
from deepradiomics.files.store import ContentStore, Kind, StoreError
from deepradiomics.images import Mask, Volume
from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.fit.inputs import Dropped, without
from deepradiomics.lens.fit.region import load_images, region_on
from deepradiomics.progress import Progress
from deepradiomics.radiomics import ENGINE_VERSION
from deepradiomics.radiomics.region.inputs import load
from deepradiomics.radiomics.settings.feature_names import feature_names
from deepradiomics.radiomics.settings.parameters import read_params
from deepradiomics.radiomics.settings.settings import Settings
from deepradiomics.threads import thread_count

RADIOMICS = Kind("lens-radiomics", version=2, about=("values", "grey_levels", "warnings"))
"""Raise the version when the same images would give other numbers."""
MR_SCALE = 100.0
"""z-scored grey levels are multiplied by this: METHODS, grey levels."""


@dataclass(frozen=True, eq=False)
class RadiomicsTable:
    """Features of a cohort.

    Args:
        ids: cases, in the manifest's order.
        modalities, features: names along the second and third axis.
        values: (cases, M, n) float64; NaN where a feature is not defined.
        notes: by case, what was cut off or assumed.
        levels: by modality, by image (``original``, ``wavelet-LLH`` …) the number of grey levels of each case.
        marks: by case, by modality: hash of the image and its geometry.
        dropped: cases that cannot be used, with the reason.
    """

    ids: tuple[str, ...]
    modalities: tuple[str, ...]
    features: tuple[str, ...]
    values: NDArray[np.float64]
    notes: Mapping[str, tuple[str, ...]]
    levels: Mapping[str, Mapping[str, tuple[int, ...]]]
    marks: Mapping[str, Mapping[str, str]]
    dropped: tuple[Dropped, ...] = ()

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """(modality, feature) of the K = M·n targets, in the order of :attr:`targets`."""
        return tuple((modality, feature) for modality in self.modalities for feature in self.features)

    @property
    def targets(self) -> NDArray[np.float64]:
        """(cases, M·n)."""
        return self.values.reshape(len(self.ids), -1)

    def rows(self, ids: Sequence[str]) -> RadiomicsTable:
        """The same table for some cases, in this order."""
        place = [self.ids.index(case) for case in ids]
        return replace(
            self,
            ids=tuple(ids),
            values=self.values[place],
            notes={case: self.notes[case] for case in ids if case in self.notes},
            levels={
                name: {image: tuple(counts[i] for i in place) for image, counts in own.items()}
                for name, own in self.levels.items()
            },
            marks={case: self.marks[case] for case in ids},
        )

    def write(self, path: Path) -> None:
        """Write as Parquet: id, then a column ``<modality> <feature>`` for each target."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns: dict[str, Any] = {"id": pa.array(self.ids, pa.string())}
        names = [f"{modality} {feature}" for modality, feature in self.keys]
        columns |= {name: pa.array(column) for name, column in zip(names, self.targets.T, strict=True)}
        with atomic_file(path) as part:
            pq.write_table(pa.table(columns), part, compression="zstd")


@dataclass(frozen=True)
class _Job:
    """All that a worker needs for one case; small, for it travels."""

    row: ManifestRow
    config: LensConfig
    cache: Path
    threads: int | None


def settings_for(config: LensConfig, modality: str) -> Settings:
    """The engine's settings for one modality: those of ``config.params``, and the rule of the grey levels.

    Grey levels without a unit are z-scored over the image and multiplied by 100; a quantitative modality is taken as it
    is. Images are resampled to ``config.spacing_mm``. What a parameter file says itself about either stays.

    Raises:
        InputError: no such preset or file, or an unknown setting in it.
    """
    sections = read_params(config.params)
    setting: dict[str, Any] = dict(sections.get("setting") or {})
    if "normalize" not in setting and modality not in config.quantitative:
        setting |= {"normalize": True} | ({} if "normalizeScale" in setting else {"normalizeScale": MR_SCALE})
    if "resampledPixelSpacing" not in setting and config.spacing_mm is not None:
        setting["resampledPixelSpacing"] = list(config.spacing_mm)
    setting |= {"label": 1, "additionalInfo": False}  # the region comes as label 1; see roi_mask
    return Settings.from_params({**sections, "setting": setting})


def radiomics_table(
    manifest: Manifest,
    config: LensConfig,
    cache: str | Path,
    *,
    workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> RadiomicsTable:
    """Extract every case, taking from the cache what is there.

    Args:
        manifest: the cases; see :func:`deepradiomics.lens.fit.inputs.complete_cases`.
        config: with modalities.
        cache: folder of kept results; may be shared by all lenses of a cohort.
        workers: processes on this machine (more than one needs Dask).
        cluster: address of a Dask scheduler whose workers see the same files.
        progress: called after each case; may raise Cancelled, which keeps what is done.

    Raises:
        ManifestError: cases cannot be used (``missing="refuse"``), or none can.
        InputError: the settings cannot be used.
    """
    if not config.modalities:
        raise InputError("modalities: none is named; name them, or see deepradiomics.lens.fit.inputs.with_modalities.")
    names = {feature_names(settings_for(config, modality)) for modality in config.modalities}
    if len(names) != 1 or not next(iter(names)):
        raise InputError(f"params {config.params}: they name no features that all modalities share.")
    [features] = names
    threads = max(1, thread_count() // workers) if workers > 1 else None
    jobs = [_Job(row, config, Path(cache), threads) for row in manifest.rows]
    cases = each_case(
        jobs,
        _measured,
        missing=None,
        doing="radiomics of",
        name=_id_of,
        workers=workers,
        cluster=cluster,
        progress=progress,
    )
    usable, dropped = without(manifest, cases.unusable, config)
    entries = cases.results
    return RadiomicsTable(
        usable.ids,
        config.modalities,
        features,
        np.array([[entry[name]["values"] for name in config.modalities] for entry in entries], dtype=float),
        {case: tuple(entry["notes"]) for case, entry in zip(usable.ids, entries, strict=True) if entry["notes"]},
        {name: _levels([entry[name]["grey_levels"] for entry in entries]) for name in config.modalities},
        {case: entry["marks"] for case, entry in zip(usable.ids, entries, strict=True)},
        dropped,
    )


def _id_of(job: _Job) -> str:
    return job.row.id


def _measured(job: _Job) -> dict[str, Any]:
    """Everything about one case: by modality its entry, and ``notes`` and ``marks``."""
    row, config = job.row, job.config
    notes: list[str] = []
    images = load_images(row, config.modalities)
    mask = roi_mask(row, config.roi, images[config.modalities[0]], others=images.values())
    notes += mask.notes
    regions = {}
    for name, volume in images.items():
        notes += [f"{name}: {note}" for note in volume.notes]
        regions[name], remarks = region_on(mask, volume, case=row.id, modality=name, roi=config.roi)
        notes += remarks
    marks = {name: content_hash(volume.voxels, volume.geometry.to_dict()) for name, volume in images.items()}
    measured: dict[str, Any] = {"notes": notes, "marks": marks}
    for name, region in regions.items():
        try:
            entry = _kept_or_extracted(images[name], region, marks[name], settings_for(config, name), job)
        except StoreError:
            raise
        except InputError as error:
            raise InputError(f"Case {row.id}, modality {name}, ROI {config.roi}: {error}") from error
        except DeepRadiomicsError:
            raise
        except Exception as error:
            error.add_note(f"This happened in modality {name}.")
            raise
        measured[name] = {**entry, "values": [float("nan") if v is None else v for v in entry["values"]]}
        notes += [f"{name}: {text}" for text in entry["warnings"]]
    return measured


def _kept_or_extracted(volume: Volume, region: Mask, mark: str, settings: Settings, job: _Job) -> Mapping[str, Any]:
    store = ContentStore(job.cache, RADIOMICS)
    key = RADIOMICS.key(
        engine=ENGINE_VERSION,
        settings=settings.to_dict(),
        image=mark,
        region=content_hash(region.labels, region.geometry.to_dict()),
    )
    if entry := store.get(key):
        return entry.about
    return store.put(key, _extracted(volume, region, settings, job.threads)).about


def _extracted(volume: Volume, region: Mask, settings: Settings, threads: int | None) -> dict[str, Any]:
    extraction = Extraction(settings, device="cpu", threads=threads)
    features = region_features(load(volume, region, settings), extraction).found[settings.label]
    warnings = [str(text) for text in features.diagnostics["warnings"] if "grey level" not in str(text)]
    return {
        "values": [value if np.isfinite(value) else None for value in features.values()],
        "grey_levels": features.diagnostics.get("grey_levels_by_image") or {},
        "warnings": warnings,
    }


def _levels(counts: Sequence[Mapping[str, int]]) -> dict[str, tuple[int, ...]]:
    """By image the counts of all cases; 0 where a case has none (no feature needs them, or a filter failed)."""
    images = dict.fromkeys(image for case in counts for image in case)
    return {image: tuple(int(case.get(image, 0)) for case in counts) for image in images}
