"""What a lens is fitted on, put together and checked: the cohort's cases, the embeddings' rows, the splits.

manifest ─► cases that have all that is needed ─► those with radiomics ─► their embeddings, pre and ft ─► their splits
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from deepradiomics.cohort.each_case import refusal
from deepradiomics.cohort.manifest import SPLITS, Manifest
from deepradiomics.cohort.roi import has_roi
from deepradiomics.cohort.splits import check_patients, with_splits
from deepradiomics.errors import InputError, ManifestError
from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.encoders.embeddings import Embeddings
from deepradiomics.lens.fit.pairing import check_columns

if TYPE_CHECKING:
    from deepradiomics.networks.encoders.encoder import Encoder

Dropped = tuple[str, str]
"""A case left out, and why."""


def with_modalities(config: LensConfig, manifest: Manifest) -> LensConfig:
    """Return the configuration with its modalities named: those asked for, or all views of the manifest.

    Raises:
        InputError: the manifest has no such view, or no such region.
    """
    unknown = [name for name in config.modalities if name not in manifest.views]
    if unknown:
        raise InputError(
            f"modalities: {manifest.where} has no column view_{unknown[0]}; its modalities are: "
            f"{', '.join(manifest.views)}."
        )
    known = _regions(manifest)
    for name, region in (("roi", config.roi), ("centre", config.centre or config.roi)):
        if region not in known:
            raise InputError(
                f"{name}: {manifest.where} has no region {region!r}; choose one of: {', '.join(known)} "
                "(the ellipsoid is drawn in the middle of the image and is no reader's contour)."
            )
    return replace(config, modalities=config.modalities or tuple(manifest.views))


def with_centre(
    config: LensConfig, manifest: Manifest, pre: Encoder | Embeddings, ft: Encoder | Embeddings
) -> LensConfig:
    """Return the configuration with the region named in whose middle both encoders' images lie.

    That asked for; else that of the encoders' training, as they tell it, where the cohort has it; else the gland; else
    the region measured. It stays empty where no encoder needs one.
    """
    encoders = [one for one in (ft, pre) if not isinstance(one, Embeddings) and one.recipe.centre == "roi"]
    if config.centre or not encoders:
        return config
    stages = [one.about.get(stage) for one in encoders for stage in ("finetuning", "pretraining")]
    named = [stage["roi"] for stage in stages if isinstance(stage, Mapping) and stage.get("roi")]
    known = _regions(manifest)
    return replace(config, centre=next((region for region in (*named, "gland", config.roi) if region in known), ""))


def _regions(manifest: Manifest) -> tuple[str, ...]:
    return (*(["mask"] if any(row.mask for row in manifest.rows) else []), *manifest.rois, "ellipsoid")


def complete_cases(
    manifest: Manifest, config: LensConfig, channels: Sequence[str] = ()
) -> tuple[Manifest, tuple[Dropped, ...]]:
    """Return the cases that have every modality and the region, and those that do not, with what they lack.

    Args:
        manifest: the cohort.
        config: with modalities and centre.
        channels: further modalities, which an encoder sees.

    Raises:
        ManifestError: ``missing="refuse"`` and a case lacks something, or none is left.
    """
    needed = tuple(dict.fromkeys((*config.modalities, *channels)))
    empty = [name for name in config.modalities if not any(name in row.views for row in manifest.rows)]
    if empty:
        others = [name for name in config.modalities if name not in empty]
        raise ManifestError(
            f"{manifest.where}: the column view_{empty[0]} is empty in every row. Name the images there, or measure "
            f"the other modalities only (--modalities {','.join(others)})."
        )
    lacking = []
    for row in manifest.rows:
        absent = [f"modality {name}" for name in needed if name not in row.views]
        regions = dict.fromkeys((config.roi, *([config.centre] if config.centre else [])))
        absent += [f"ROI {region}" for region in regions if not has_roi(row, region)]
        if absent:
            lacking.append((row.id, f"lacks {' and '.join(absent)}"))
    return without(manifest, lacking, config)


def without(
    manifest: Manifest, unusable: Sequence[Dropped], config: LensConfig
) -> tuple[Manifest, tuple[Dropped, ...]]:
    """Leave cases out, or refuse the cohort naming them, as ``config.missing`` says.

    Raises:
        ManifestError: see :func:`complete_cases`.
    """
    if not unusable:
        return manifest, ()
    named = [(case, why if why.startswith(f"Case {case}") else f"Case {case}: {why}") for case, why in unusable]
    if config.missing == "refuse":
        raise ManifestError(refusal(named, len(manifest)))
    gone = {case for case, _ in unusable}
    rows = tuple(row for row in manifest.rows if row.id not in gone)
    if not rows:
        raise ManifestError(f"None of the {len(manifest)} cases can be used; the first: {named[0][1]}")
    return replace(manifest, rows=rows), tuple(unusable)


def check_pair(pre: Encoder | Embeddings, ft: Encoder | Embeddings) -> None:
    """Check that two encoders or embedding tables can be compared.

    Raises:
        InputError: their dimensions differ, or two tables name other cases or columns, or the same in another order.
    """
    sizes = int(pre.dimension), int(ft.dimension)
    if sizes[0] != sizes[1]:
        raise InputError(
            f"pre and ft: the embeddings before fine-tuning have {sizes[0]} dimensions, those after have {sizes[1]}. "
            "The lens compares one encoder before and after: give the same network and layer twice."
        )
    if not (isinstance(pre, Embeddings) and isinstance(ft, Embeddings)):
        return
    check_columns(pre, ft)
    if pre.ids == ft.ids:
        return
    for what, some, others in (("pre", pre.ids, ft.ids), ("ft", ft.ids, pre.ids)):
        alone = [case for case in some if case not in set(others)]
        if alone:
            more = f" and {len(alone) - 1} more" if len(alone) > 1 else ""
            raise InputError(
                f"pre and ft: case {alone[0]}{more} is in the {what} table only. Encode the same cases twice."
            )
    row, a, b = next((i, a, b) for i, (a, b) in enumerate(zip(pre.ids, ft.ids, strict=True), 1) if a != b)
    raise InputError(
        f"pre and ft: the tables name the cases in different orders (row {row}: {a} before, {b} after fine-tuning). "
        "If rows were sorted after encoding, ids and numbers may no longer belong together: encode again, or put both "
        "tables into the same order."
    )


def split_cases(
    manifest: Manifest, splits: Mapping[str, str] | None, config: LensConfig, seed: int, where: str = ""
) -> tuple[Manifest, tuple[Dropped, ...]]:
    """Give every case its split: that of ``splits``, else the manifest's own, else 7 : 1 : 2 by patient.

    Args:
        where: how messages call the origin of ``splits``.

    Returns:
        the cases with splits, and those that ``splits`` does not name.

    Raises:
        ManifestError: a split separates a patient's scans, or ``splits`` lacks cases (``missing="refuse"``).
    """
    manifest = replace(manifest, tasks=())  # the lens needs no labels, and no class in every split
    dropped: tuple[Dropped, ...] = ()
    if splits is not None:
        strange = next((case for case, split in splits.items() if split not in SPLITS), None)
        if strange is not None:
            raise ManifestError(f"Splits, case {strange}: expected {', '.join(SPLITS)}, got {splits[strange]!r}.")
        absent = [(row.id, "is in none of the splits given") for row in manifest.rows if row.id not in splits]
        manifest, dropped = without(manifest, absent, config)
        manifest = replace(manifest, rows=tuple(replace(row, split=splits[row.id]) for row in manifest.rows))  # type: ignore[arg-type]
    try:
        check_patients(manifest)
    except ManifestError as error:
        if splits is None:
            raise
        raise ManifestError(f"{where or 'The splits given'}: {error}") from error
    return with_splits(manifest, seed), dropped
