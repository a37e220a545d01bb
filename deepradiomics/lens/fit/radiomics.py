"""The radiomic targets of a lens: every feature of the region in every modality, each on its own grid.

case ─► region ─► on the grid of t2 ─► engine ─► n features ┐
                  on the grid of adc ─► engine ─► n features ┴─► (M, n), kept by content, found again after a kill
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.cohort.roi import roi_mask
from deepradiomics.cohort.workers import run_everywhere
from deepradiomics.errors import DeepRadiomicsError, InputError
from deepradiomics.files import content_hash, read_json, write_json
from deepradiomics.images import Mask, Volume
from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.inputs import Dropped, without
from deepradiomics.lens.region import load_images, region_on
from deepradiomics.progress import Progress, silent

if TYPE_CHECKING:
    from deepradiomics.radiomics import Settings

RADIOMICS_VERSION = "1"  # raise when the same images would give other numbers
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
            self, ids=tuple(ids), values=self.values[place],
            notes={case: self.notes[case] for case in ids if case in self.notes},
            levels={
                name: {image: tuple(counts[i] for i in place) for image, counts in own.items()}
                for name, own in self.levels.items()
            },
            marks={case: self.marks[case] for case in ids},
        )  # fmt: skip

    def write(self, path: Path) -> None:
        """Write as Parquet: id, then a column ``<modality> <feature>`` for each target."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        from deepradiomics.files import atomic_file

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
    from deepradiomics.radiomics.parameters import read_params
    from deepradiomics.radiomics.settings import Settings

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
        manifest: the cases; see :func:`deepradiomics.lens.inputs.complete_cases`.
        config: with modalities.
        cache: folder of kept results; may be shared by all lenses of a cohort.
        workers: processes on this machine (more than one needs Dask).
        cluster: address of a Dask scheduler whose workers see the same files.
        progress: called after each case; may raise Cancelled, which keeps what is done.

    Raises:
        ManifestError: cases cannot be used (``missing="refuse"``), or none can.
        InputError: the settings cannot be used.
    """
    from deepradiomics.radiomics.settings import feature_names
    from deepradiomics.radiomics.threads import thread_count

    if not config.modalities:
        raise InputError("modalities: none is named; name them, or see deepradiomics.lens.inputs.with_modalities.")
    names = {feature_names(settings_for(config, modality)) for modality in config.modalities}
    if len(names) != 1 or not next(iter(names)):
        raise InputError(f"params {config.params}: they name no features that all modalities share.")
    [features] = names
    threads = max(1, thread_count() // workers) if workers > 1 else None
    jobs = [_Job(row, config, Path(cache), threads) for row in manifest.rows]
    report = progress or silent
    found: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    for done, (number, outcome) in enumerate(run_everywhere(_case_or_reason, jobs, workers, cluster), start=1):
        case = manifest.rows[number].id
        if isinstance(outcome, str):
            failed[case] = outcome
        else:
            found[case] = outcome
        report(done / len(jobs), f"radiomics of {case} ({done} of {len(jobs)})")
    unusable = [(row.id, failed[row.id]) for row in manifest.rows if row.id in failed]
    kept, dropped = without(manifest, unusable, config)
    entries = [found[case] for case in kept.ids]
    return RadiomicsTable(
        kept.ids,
        config.modalities,
        features,
        np.array([[entry[name]["values"] for name in config.modalities] for entry in entries], dtype=float),
        {case: tuple(entry["notes"]) for case, entry in zip(kept.ids, entries, strict=True) if entry["notes"]},
        {name: _levels([entry[name]["grey_levels"] for entry in entries]) for name in config.modalities},
        {case: entry["marks"] for case, entry in zip(kept.ids, entries, strict=True)},
        dropped,
    )


def _case_or_reason(job: _Job) -> dict[str, Any] | str:
    """Everything about one case, or why it cannot be used; a full disk is no fault of the case and is raised."""
    row, config = job.row, job.config
    found: dict[str, Any] = {"notes": [], "marks": {}}
    try:
        images = load_images(row, config.modalities)
        mask = roi_mask(row, config.roi, images[config.modalities[0]])
        prepared = {}
        for name, volume in images.items():
            prepared[name], notes = region_on(mask, volume, case=row.id, modality=name, roi=config.roi)
            found["notes"] += notes
            found["marks"][name] = content_hash(volume.voxels, volume.geometry.to_dict())
    except InputError as error:
        return str(error)
    for name, region in prepared.items():
        settings = settings_for(config, name)
        key = content_hash(
            RADIOMICS_VERSION, _engine(), settings.to_dict(), found["marks"][name], region.labels,
            region.geometry.to_dict(),
        )  # fmt: skip
        file = job.cache / key[:2] / f"{key}.json"
        entry = _kept(file)
        if entry is None:
            try:
                entry = _extracted(images[name], region, settings, job.threads)
            except InputError as error:
                return f"Case {row.id}, modality {name}, ROI {config.roi}: {error}"
            except DeepRadiomicsError:
                raise
            except Exception as error:
                error.add_note(f"This happened in case {row.id}, modality {name}.")
                raise
            write_json(file, entry)
        found[name] = {**entry, "values": [float("nan") if v is None else v for v in entry["values"]]}
        found["notes"] += [f"{name}: {text}" for text in entry["warnings"]]
    return found


def _extracted(volume: Volume, region: Mask, settings: Settings, threads: int | None) -> dict[str, Any]:
    from deepradiomics.cohort.region_features import Extraction, region_features
    from deepradiomics.radiomics.inputs import load

    one = region_features(load(volume, region, settings), Extraction(settings, device="cpu", threads=threads))
    features = one.found[settings.label]
    told = [str(text) for text in features.diagnostics["warnings"] if "grey level" not in str(text)]
    return {
        "values": [value if np.isfinite(value) else None for value in features.values()],
        "grey_levels": features.diagnostics.get("grey_levels_by_image") or {},
        "warnings": told,
    }


def _kept(file: Path) -> dict[str, Any] | None:
    """A kept result; None where it is not there or damaged (then it is computed again)."""
    try:
        entry = read_json(file)
    except InputError:
        return None
    return entry if isinstance(entry, dict) and {"values", "grey_levels", "warnings"} <= set(entry) else None


def _levels(counts: Sequence[Mapping[str, int]]) -> dict[str, tuple[int, ...]]:
    """By image the counts of all cases; 0 where a case has none (no feature needs them, or a filter failed)."""
    images = dict.fromkeys(image for one in counts for image in one)
    return {image: tuple(int(one.get(image, 0)) for one in counts) for image in images}


def _engine() -> str:
    from deepradiomics.radiomics import ENGINE_VERSION

    return ENGINE_VERSION
