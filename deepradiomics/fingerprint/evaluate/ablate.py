"""Change one choice at a time: everything that table T2 is made of.

Variants, as in the paper's table 2: patch grid (1, 2, 3 along each axis), radiomic families (2nd order; 1st order and
shape), no selection (NoFS), no registration (NoReg). Every other choice stays as configured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from deepradiomics.errors import InputError
from deepradiomics.files.lock import holds_out
from deepradiomics.fingerprint.evaluate.methods import MODES, Unit, run_variant
from deepradiomics.fingerprint.evaluate.records import Prediction
from deepradiomics.fingerprint.evaluate.result import Evaluation, MethodInfo
from deepradiomics.fingerprint.evaluate.run import FAMILIES, grid_text
from deepradiomics.fingerprint.evaluate.units import Extractor, labelled, provenance, repeats
from deepradiomics.fingerprint.model.config import FingerprintConfig
from deepradiomics.progress import Progress, part

if TYPE_CHECKING:
    from deepradiomics.cohort import Manifest


@dataclass(frozen=True)
class Variant:
    """One row of the table: its folder name, its label, its configuration."""

    name: str
    label: str
    config: FingerprintConfig


def variants(config: FingerprintConfig) -> tuple[Variant, ...]:
    """The configured model and what differs from it in one choice; what would equal it is left out."""

    def model(**changes: object) -> FingerprintConfig:
        return replace(config, model=replace(config.model, **changes))  # type: ignore[arg-type]

    def recipe(**changes: object) -> FingerprintConfig:
        return replace(config, recipe=replace(config.recipe, **changes))  # type: ignore[arg-type]

    made = [Variant("fingerprint", f"Ours {grid_text(config)}", config)]
    for n in (2, 3, 1):
        changed = recipe(patch_grid=(n, n, n))
        made.append(Variant(f"grid{n}", "1 patch" if n == 1 else f"Ours {grid_text(changed)}", changed))
    made += [
        Variant("second", "2nd RF", model(families="second")),
        Variant("first-shape", "1st RF", model(families="first+shape")),
        Variant("nofs", "NoFS", model(selection="none")),
        Variant("noreg", "NoReg", recipe(registration="off")),
    ]
    return tuple(v for i, v in enumerate(made) if all(v.config != earlier.config for earlier in made[:i]))


@dataclass(frozen=True, eq=False)
class AblationRequest:
    """Which variants are judged on which repetitions of a cohort.

    Args:
        manifest, config, seeds, folds, split_seed: as in an ``EvaluationRequest``.
        only: names of the variants wanted; all when None.
    """

    manifest: Manifest
    config: FingerprintConfig
    seeds: Sequence[int] = (0, 1, 2)
    folds: int = 0
    split_seed: int = 0
    only: Sequence[str] | None = None


@holds_out
def ablate(
    request: AblationRequest,
    out: Path | str,
    *,
    workers: int = 1,
    cluster: str | None = None,
    device: str = "auto",
    cache: Path | str | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Train and judge every variant on every repetition, and save what table T2 needs.

    Written into a folder that already holds an evaluation of the same cohort, seeds and configuration, the fingerprint
    and NoFS trained there are read, not trained again.

    Args:
        request: what is judged on what.
        out: gets ``ablation_predictions.csv``, ``ablation.json`` and ``runs/<repetition>/<variant>/``.
        workers, cluster, device, cache, progress: as for ``evaluate``.

    Raises:
        InputError: unusable arguments, or ``out`` holds finished runs of other data or settings.
    """
    out, manifest, config, only = Path(out), request.manifest, request.config, request.only
    every = variants(config)
    unknown = sorted(set(only or ()) - {variant.name for variant in every})
    if unknown:
        raise InputError(f"only: unknown variants {unknown}; known are {', '.join(v.name for v in every)}.")
    chosen = [variant for variant in every if only is None or variant.name in only]
    repetitions = repeats(manifest, request.seeds, request.folds, request.split_seed)
    extractor = Extractor(Path(cache) if cache else out / "cache", workers, cluster)
    steps = len(chosen) * len(repetitions)
    predictions: list[Prediction] = []
    for v, variant in enumerate(chosen):  # variants outside: each recipe is extracted once
        for r, repeat in enumerate(repetitions):
            start = v * len(repetitions) + r
            data = extractor.data(repeat, variant.config, part(progress, start / steps, (start + 0.3) / steps))
            share = part(progress, (start + 0.3) / steps, (start + 1) / steps)
            unit = Unit(
                data,
                variant.config,
                out / "runs" / repeat.name / variant.name,
                repeat.seed,
                repeat.fold,
                device,
                progress=labelled(share, f"{repeat.name}, {variant.name}"),
            )
            predictions += run_variant(variant.name, unit)
    registered = config.recipe.registration != "off"
    said = () if registered else ("NoReg is left out: the configured registration is off already.",)
    ablation = Evaluation(
        kind="ablation",
        predictions=tuple(predictions),
        methods=tuple(info for variant in chosen for info in _infos(variant)),
        notes=(*said, *extractor.remarks()),
        provenance=provenance(
            manifest, config, repetitions, folds=request.folds, split_seed=request.split_seed, device=device
        ),
    )
    ablation.save(out)
    return ablation


def _infos(variant: Variant) -> list[MethodInfo]:
    recipe, model = variant.config.recipe, variant.config.model
    selects = model.selection == "network"
    return [
        MethodInfo(
            variant.name,
            mode,
            variant.label + (f", {mode}" if mode else ""),
            grid_text(variant.config),
            FAMILIES[model.families],
            "per patient" if selects else "none",
            len(recipe.views),
            recipe.registration,
        )
        for mode in (MODES if selects else ("",))
    ]
