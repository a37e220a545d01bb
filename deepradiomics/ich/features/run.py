"""The feature table of a cohort: three families of each patient, each computed once and found again.

    manifest ─► (no mask: the row's network segments) ─► radiomics and volume, in workers ─► latents, in this process

Everything lies under ``cache`` by the hash of what decides its numbers, so that a run that was killed resumes where it
stood and another experiment on the same patients starts with everything there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepradiomics.cohort.each_case import each_case
from deepradiomics.cohort.manifest import ManifestRow
from deepradiomics.errors import InputError
from deepradiomics.ich.cohort.manifest import IchCohort
from deepradiomics.ich.features.case import CaseJob, FeatureSettings, Measured, measure
from deepradiomics.ich.features.latents import (
    KINDS,
    Kind,
    LatentRow,
    Latents,
    NetworkUse,
    check_lengths,
    cohort_latents,
    described_network,
)
from deepradiomics.ich.features.masks import with_masks
from deepradiomics.ich.features.patient import SHAPE_PREFIX
from deepradiomics.images.reading import Reading
from deepradiomics.progress import Progress, part
from deepradiomics.radiomics import feature_names
from deepradiomics.threads import thread_count
from deepradiomics.words import some

_SHOWN = 5


@dataclass(frozen=True, eq=False)
class CohortFeatures:
    """Features of the patients that can be used, in the cohort's order.

    Args:
        cohort: those patients; one for each row (with ``lesions="each"`` a patient stands once for each haematoma).
        ids: of the rows.
        names: of the radiomic features (R,).
        radiomics: (n, R) float64, NaN where undefined.
        volume_ml: of the haematoma (n,).
        marks: of the CTs.
        latents: by network kind (``encoder``, ``autoencoder``), those that were asked for.
        notes: by row, what was assumed or found; rows without are left out.
        dropped: patients that cannot be used, with the reason.
        computed: rows that were not kept from an earlier run.
        reading: how the cohort's files were read.
    """

    cohort: IchCohort
    ids: tuple[str, ...]
    names: tuple[str, ...]
    radiomics: NDArray[np.float64]
    volume_ml: NDArray[np.float64]
    marks: tuple[str, ...]
    regions: tuple[str, ...]
    lesions: tuple[int, ...]
    latents: Mapping[str, Latents] = field(default_factory=dict)
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dropped: tuple[tuple[str, str], ...] = ()
    computed: int = 0
    reading: Reading = field(default_factory=Reading)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def shape(self) -> NDArray[np.float64]:
        """(n, 14): the shape features, which are among the radiomics."""
        return self.radiomics[:, self._shape_columns()]

    @property
    def encoder(self) -> NDArray[np.float32] | None:
        """(n, p) bottlenecks of the segmentation network."""
        return self.latents["encoder"].values if "encoder" in self.latents else None

    @property
    def autoencoder(self) -> NDArray[np.float32] | None:
        """(n, p) posterior means of the VAE-GAN."""
        return self.latents["autoencoder"].values if "autoencoder" in self.latents else None

    def table(self, group: str) -> tuple[NDArray[np.floating], tuple[str, ...] | None]:
        """Values (n, d) and names of the columns of a group; latents have no names.

        Raises:
            InputError: the group was not measured.
        """
        if group == "radiomics":
            return self.radiomics, self.names
        if group == "shape":
            return self.shape, tuple(self.names[i] for i in self._shape_columns())
        values = {"encoder": self.encoder, "autoencoder": self.autoencoder}.get(group)
        if values is None:
            raise InputError(f"features: the group {group!r} was not measured; name the network that gives it.")
        return values, None

    def take(self, rows: Sequence[int], dropped: Sequence[tuple[str, str]] = ()) -> CohortFeatures:
        """Some rows, in this order; ``dropped`` says why others are left out."""
        index = np.asarray(rows, np.intp)
        ids = tuple(self.ids[i] for i in rows)
        latents = {
            kind: replace(
                one, values=one.values[index], given_by=tuple(one.given_by[i] for i in rows), failed={}, notes={}
            )
            for kind, one in self.latents.items()
        }
        return replace(
            self,
            cohort=self.cohort.take(rows),
            ids=ids,
            radiomics=self.radiomics[index],
            volume_ml=self.volume_ml[index],
            marks=tuple(self.marks[i] for i in rows),
            regions=tuple(self.regions[i] for i in rows),
            lesions=tuple(self.lesions[i] for i in rows),
            latents=latents,
            notes={name: self.notes[name] for name in ids if name in self.notes},
            dropped=(*self.dropped, *dropped),
        )

    def _shape_columns(self) -> list[int]:
        return [i for i, name in enumerate(self.names) if name.startswith(SHAPE_PREFIX)]


@dataclass(frozen=True)
class Machines:
    """What computes.

    Args:
        workers: processes; the numbers do not depend on it.
        cluster: address of a Dask scheduler instead; its workers must see the same files.
        device: of networks and factorisations: auto, cpu, cuda, mps.
    """

    workers: int = 1
    cluster: str | None = None
    device: str = "auto"


def cohort_features(
    cohort: IchCohort,
    settings: FeatureSettings,
    cache: str | Path,
    *,
    networks: Mapping[Kind, Path | None] | None = None,
    kinds: Sequence[Kind] = KINDS,
    machines: Machines | None = None,
    progress: Progress | None = None,
) -> CohortFeatures:
    """Measure everything: :func:`measure_cohort`, then :func:`with_latents` for the networks that rows name.

    Args:
        cohort: the patients.
        settings: what is measured.
        cache: folder of kept results; may be shared by all experiments and by the workers of a cluster.
        networks: bundles by kind for the rows that name none.
        kinds: of the networks whose latents are wanted, where rows name them.
        machines: what computes the radiomics and runs the networks.
        progress: called after each patient; may raise Cancelled, which keeps what is done.

    Raises:
        InputError: nobody can be used, or some patients have a network and others none.
    """
    defaults, machines = networks or {}, machines or Machines()
    used = {kind: networks_of(cohort, kind, defaults.get(kind)) for kind in kinds}
    features = measure_cohort(
        cohort, settings, cache, machines, encoder=defaults.get("encoder"), progress=part(progress, 0.0, 0.6)
    )
    for number, kind in enumerate(kinds):
        if used[kind] is not None:
            share = part(progress, 0.6 + 0.2 * number, 0.8 + 0.2 * number)
            features = with_latents(
                features, kind, settings, cache, default=defaults.get(kind), device=machines.device, progress=share
            )
    return features


def measure_cohort(
    cohort: IchCohort,
    settings: FeatureSettings,
    cache: str | Path,
    machines: Machines,
    *,
    encoder: Path | None = None,
    progress: Progress | None = None,
) -> CohortFeatures:
    """Radiomics, volume and marks of every patient who can be used; a missing mask is drawn by the row's network.

    Raises:
        InputError: nobody can be used; the message says why.
    """
    names = tuple(feature_names(settings.engine()))
    rows, failed = with_masks(cohort, encoder, Path(cache), device=machines.device, progress=part(progress, 0.0, 0.3))
    threads = max(1, thread_count() // machines.workers) if machines.workers > 1 else None
    jobs = [CaseJob(row, settings, Path(cache), threads) for row in rows if row.id not in failed]
    cases = each_case(
        jobs,
        measure,
        missing=None,
        doing="radiomics of",
        name=_id_of,
        workers=machines.workers,
        cluster=machines.cluster,
        progress=part(progress, 0.3, 1.0),
    )
    failed |= dict(cases.unusable)
    measured_of = dict(zip(cases.ids, cases.results, strict=True))
    dropped = tuple((case, failed[case]) for case in cohort.ids if case in failed)
    if not measured_of:
        shown = "\n  ".join(reason for _, reason in dropped[:_SHOWN])
        raise InputError(f"{cohort.where}: none of its {len(cohort)} patients can be used:\n  {shown}")
    measured = [one for case in cohort.ids for one in measured_of.get(case, ())]
    return CohortFeatures(
        _renamed(cohort, rows, measured_of),
        tuple(one.id for one in measured),
        names,
        np.array([one.values for one in measured]),
        np.array([one.volume_ml for one in measured]),
        tuple(one.mark for one in measured),
        tuple(one.region for one in measured),
        tuple(one.lesion for one in measured),
        notes={one.id: one.notes for one in measured if one.notes},
        dropped=dropped,
        computed=sum(one.computed for one in measured),
        reading=cohort.manifest.reading,
    )


def _id_of(job: CaseJob) -> str:
    return job.row.id


def with_latents(
    features: CohortFeatures,
    kind: Kind,
    settings: FeatureSettings,
    cache: str | Path,
    *,
    default: Path | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> CohortFeatures:
    """The same rows with the latents of one kind; patients of whom there are none are left out and listed.

    Raises:
        InputError: no network is named for some or all of them, or none of them has latents.
    """
    used = networks_of(features.cohort, kind, default)
    if used is None:
        raise InputError(
            f"{features.cohort.where}: no {kind} is named. Fill the column {kind}, or give --{kind} a bundle."
        )
    rows = [
        LatentRow(row, mark, region, lesion)
        for row, mark, region, lesion in zip(
            features.cohort.manifest.rows, features.marks, features.regions, features.lesions, strict=True
        )
    ]
    latents = cohort_latents(kind, rows, used, settings, Path(cache), device=device, progress=progress)
    if len(latents.failed) == len(rows):
        raise InputError(
            f"{features.cohort.where}: no patient has latents ({kind}): {next(iter(latents.failed.values()))}"
        )
    notes = dict(features.notes)
    for i, remarks in latents.notes.items():
        notes[features.ids[i]] = (*notes.get(features.ids[i], ()), *remarks)
    all_rows = replace(features, latents={**features.latents, kind: latents}, notes=notes)
    if not latents.failed:
        return all_rows
    usable = [i for i in range(len(rows)) if i not in latents.failed]
    return all_rows.take(usable, [(features.ids[i], reason) for i, reason in sorted(latents.failed.items())])


def networks_of(
    cohort: IchCohort, kind: Kind, default: Path | None
) -> tuple[tuple[NetworkUse, ...], tuple[int, ...]] | None:
    """The networks that the rows name (or the default), each once, and which of them sees which row; None where no row
    has one.

    Raises:
        InputError: some rows have a network and others none, or a bundle cannot be used.
    """
    named = cohort.network(kind, default)
    lacking = [case for case, folder in zip(cohort.ids, named, strict=True) if folder is None]
    if len(lacking) == len(named):
        return None
    if lacking:
        raise InputError(
            f"{cohort.where}, column {kind}: {some(lacking)} ({len(lacking)} of {len(named)}) name no network, the "
            f"others do. Fill the column, or give --{kind} a bundle for those that name none."
        )
    folders = list(dict.fromkeys(Path(folder) for folder in named if folder is not None))
    described = {folder: described_network(kind, folder) for folder in folders}
    by_hash: dict[str, NetworkUse] = {}
    for one in described.values():
        by_hash.setdefault(one.sha256, one)
    check_lengths(kind, tuple(by_hash.values()))
    order = list(by_hash)
    given_by = tuple(order.index(described[Path(folder)].sha256) for folder in named if folder is not None)
    return tuple(by_hash.values()), given_by


def _renamed(
    cohort: IchCohort, rows: Sequence[ManifestRow], measured_of: Mapping[str, Sequence[Measured]]
) -> IchCohort:
    """The cohort of those measured: a row per region, with the masks that were drawn for it."""
    places = [i for i, row in enumerate(rows) for _ in measured_of.get(row.id, ())]
    named = [
        replace(row, id=one.id, patient=row.patient or row.id) for row in rows for one in measured_of.get(row.id, ())
    ]
    return IchCohort(
        replace(cohort.manifest, rows=tuple(named)),
        tuple(cohort.sex[i] for i in places),
        tuple(cohort.site[i] for i in places),
        cohort.synthetic,
        cohort.real_head,
    )
