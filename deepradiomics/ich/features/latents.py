"""Latents of a cohort's patients, each from the network that the patient's row names, kept by content.

The networks run in this process, on a GPU where there is one, however many workers measure radiomics: the numbers of a
patient then do not depend on where they were computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.cohort.each_case import each_case, fault_of
from deepradiomics.cohort.manifest import ManifestRow
from deepradiomics.errors import BundleError, InputError
from deepradiomics.files.store import ContentStore, Entry
from deepradiomics.files.store import Kind as EntryKind
from deepradiomics.ich.autoencoder.latents import load_autoencoder
from deepradiomics.ich.features.case import FeatureSettings, case_regions, read_ct
from deepradiomics.ich.features.patient import flattened
from deepradiomics.images import Mask, Volume
from deepradiomics.networks.bundle import load_info
from deepradiomics.networks.nnunet import is_nnunet_folder
from deepradiomics.progress import Progress

Encode = Callable[["LatentRow"], tuple[NDArray[np.float32], tuple[str, ...]]]
"""Latents of a row, and notes on how they came about."""
LATENTS = EntryKind("latents", version=2, about=("notes",), files=("values.npy",))
"""Raise the version when the same CT and network would give other numbers."""
Kind = str
"""``encoder`` (of the segmentation network) or ``autoencoder`` (the VAE-GAN)."""
KINDS: tuple[Kind, ...] = ("encoder", "autoencoder")


@dataclass(frozen=True, eq=False)
class NetworkUse:
    """A network that gave latents.

    Args:
        folder: of its bundle.
        name: what a person calls it.
        sha256: of its weights.
        info: the bundle's description, with the marks of those whom it has seen.
    """

    folder: Path
    name: str
    sha256: str
    info: Mapping[str, Any]

    @property
    def synthetic(self) -> bool:
        return bool(self.info.get("synthetic"))


@dataclass(frozen=True, eq=False)
class Latents:
    """Latents of one kind.

    Args:
        values: (rows, p) float32.
        networks: each network once.
        given_by: place of each row's network among them, (rows,).
        failed: by place of the row, why it has none.
        notes: by place of the row, what was assumed or done, such as a lesion that was shrunk into the crop.
        computed: rows that were not kept from an earlier run.
    """

    values: NDArray[np.float32]
    networks: tuple[NetworkUse, ...]
    given_by: tuple[int, ...]
    failed: Mapping[int, str]
    computed: int = 0
    notes: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class LatentRow:
    """A patient: the row, the marks that the radiomics pass found, and which haematoma (0: the whole region)."""

    row: ManifestRow
    mark: str
    region: str
    lesion: int = 0


def described_network(kind: Kind, folder: Path) -> NetworkUse:
    """What a bundle says of itself, read without its weights.

    Raises:
        BundleError: it is no bundle of that kind.
    """
    from deepradiomics.networks.segmenter import bundle_folder

    place = bundle_folder(folder) if kind == "encoder" else _autoencoder_folder(folder)
    if is_nnunet_folder(place):
        raise BundleError(
            f"{kind} {folder}: this is a model folder of nnU-Net, which segments but gives no latent features here. "
            "Name a bundle of 'ich train-segmenter'; nnU-Net can draw the masks ('deepradiomics segment')."
        )
    info = load_info(place)
    expected = "ich-segmenter" if kind == "encoder" else "ich-autoencoder"
    if info.get("kind") != expected:
        raise BundleError(
            f"{kind} {folder}: expected a bundle of kind {expected!r}, got {info.get('kind')!r}. Were they exchanged?"
        )
    return NetworkUse(place, str(info.get("name") or place.name), str(info["weights"]["sha256"]), info)


def check_lengths(kind: Kind, networks: Sequence[NetworkUse]) -> None:
    """Check by their descriptions that networks give latents of one length, before any of them runs.

    Raises:
        InputError: they do not.
    """
    lengths = {one.name: _length(one.info) for one in networks}
    known = sorted({length for length in lengths.values() if length})
    if len(known) > 1:
        raise InputError(
            f"{kind}: the networks {', '.join(lengths)} give latents of different lengths "
            f"({', '.join(map(str, known))}). All patients of an experiment need networks of one size."
        )


def _length(info: Mapping[str, Any]) -> int:
    """Number of latents that a bundle says its network gives; 0 where it does not say."""
    shapes = info.get("latents") or [info.get("latent_shape") or [0]]
    return sum(int(np.prod(shape)) for shape in shapes)


def cohort_latents(
    kind: Kind,
    rows: Sequence[LatentRow],
    used: tuple[Sequence[NetworkUse], Sequence[int]],
    settings: FeatureSettings,
    cache: Path,
    *,
    device: str = "auto",
    progress: Progress | None = None,
) -> Latents:
    """Latents of every row, taking from the cache what is there.

    Args:
        kind: ``encoder`` (bottlenecks of the segmentation network, of the whole head) or ``autoencoder`` (posterior
            mean of the VAE-GAN, of the crop around the haematoma).
        rows: the patients.
        used: the networks, each once, and which of them sees which row.
        settings: label and lesions, for the crop.
        cache: folder of kept latents.
        device: of the networks.
        progress: called after each row; may raise Cancelled, which keeps what is done.

    Raises:
        InputError: networks give latents of different lengths.
    """
    networks, given_by = used
    store = ContentStore(cache, LATENTS)
    loaded: dict[int, Encode] = {}  # when a row needs it, the network of the rows at hand: networks are large

    def latents(place: int) -> tuple[Entry, bool]:
        network, row = networks[given_by[place]], rows[place]
        region = row.region if kind == "autoencoder" else ""
        key = LATENTS.key(network=kind, sha256=network.sha256, image=row.mark, region=region)
        if entry := store.get(key):
            return entry, False
        if given_by[place] not in loaded:
            loaded.clear()
            loaded[given_by[place]] = _loaded(kind, network, settings, device)
        values, notes = loaded[given_by[place]](row)
        return store.put(key, {"notes": list(notes)}, {"values": values}), True

    order = sorted(range(len(rows)), key=lambda place: given_by[place])
    doing = f"latents ({kind}) of"
    cases = each_case(
        order,
        latents,
        missing=None,
        doing=lambda place, _: f"{doing} {rows[place].row.id}",
        name=str,
        explain=_fault,
        progress=progress,
    )
    entries = {order[position]: entry for position, (entry, _) in zip(cases.positions, cases.results, strict=True)}
    return Latents(
        _stacked(kind, {place: entry.array("values") for place, entry in entries.items()}, len(rows), networks),
        tuple(networks),
        tuple(given_by),
        {int(place): reason for place, reason in cases.unusable},
        sum(computed for _, computed in cases.results),
        {place: tuple(entry.about["notes"]) for place, entry in entries.items() if entry.about["notes"]},
    )


def _fault(place: str, error: Exception) -> str | None:
    """Readers name the case themselves."""
    return None if fault_of(place, error) is None else str(error)


def _loaded(kind: Kind, network: NetworkUse, settings: FeatureSettings, device: str) -> Encode:
    if kind == "encoder":
        from deepradiomics.networks.segmenter import load_bundle_segmenter

        segmenter = load_bundle_segmenter(network.folder, device=device)

        def bottlenecks(row: LatentRow) -> tuple[NDArray[np.float32], tuple[str, ...]]:
            ct, _ = read_ct(row.row, check=False)
            return flattened(segmenter.encoder_latents(ct, case=row.row.id)), ()

        return bottlenecks
    autoencoder = load_autoencoder(network.folder, device=device)

    def posterior_mean(row: LatentRow) -> tuple[NDArray[np.float32], tuple[str, ...]]:
        ct, mask = _region(row, settings)
        crop = autoencoder.crop(ct, mask, case=row.row.id)
        return flattened([autoencoder.latents(crop)]), crop.notes

    return posterior_mean


def _region(row: LatentRow, settings: FeatureSettings) -> tuple[Volume, Mask]:
    for ct, mask, _, lesion, _ in case_regions(row.row, settings, check=False):
        if lesion == row.lesion:
            return ct, mask
    raise InputError(f"Case {row.row.id}: haematoma {row.lesion} is no longer there; was the mask changed?")


def _stacked(
    kind: Kind, latents_of: Mapping[int, NDArray[np.float32]], rows: int, networks: Sequence[NetworkUse]
) -> NDArray[np.float32]:
    lengths = {values.size for values in latents_of.values()}
    if len(lengths) > 1:
        raise InputError(
            f"{kind}: the networks {', '.join(one.name for one in networks)} give latents of different lengths "
            f"({', '.join(map(str, sorted(lengths)))}). All patients of an experiment need networks of one size."
        )
    values = np.full((rows, lengths.pop() if lengths else 0), np.nan, np.float32)
    for place, one in latents_of.items():
        values[place] = one
    return values


def _autoencoder_folder(folder: Path) -> Path:
    """The bundle that a run's folder, or an experiment's bundle, holds."""
    for inside in (folder, folder / "bundle", folder / "autoencoder"):
        if (inside / "bundle.json").is_file():
            return inside
    return folder
