"""The paragraph for a paper: what a lens did, with settings and versions, in the order in which it was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deepradiomics.radiomics.methods_text import methods_text as engine_text
from deepradiomics.radiomics.settings.feature_names import feature_names

if TYPE_CHECKING:
    from deepradiomics.radiomics import Settings

REFERENCE = (
    "Wang et al., What Fine-Tuning Changes: A Radiomic Lens on Prostate Foundation Model Representations, MIDL 2026"
)
_STAGES = {"pre": "before fine-tuning", "ft": "after fine-tuning", "both": "of both stages together"}


def methods_text(about: Mapping[str, Any], settings: Mapping[str, Settings], dimension: int, targets: int) -> str:
    """Return the methods paragraph of a lens.

    Args:
        about: the other entries of lens.json.
        settings: of the radiomics, by modality.
        dimension: of the embeddings.
        targets: radiomic features in use, over all modalities.
    """
    config, counts, software = about["config"], about["counts"], about["software"]
    kind = "a SYNTHETIC cohort" if about["synthetic"] else "a cohort"
    sentences = [
        f"The radiomic lens ({REFERENCE}) was computed with DeepRadiomics {software.get('deepradiomics', '')} for the "
        f"fine-tuning {about['task']!r} on {kind} of {counts['train']} training, {counts['validation']} validation and "
        f"{counts['test']} test cases, split by patient.",
        _encoders(about["encoders"], dimension, config.get("centre", "")),
        _region(about["roi"], about["modalities"]),
        *_radiomics(settings, software),
        f"{targets} features varied over the training cases and were finite in all cases; they were scaled to [0, 1] "
        "on the training cases" + (" and then z-scored." if config["target_scaling"] == "zscore" else "."),
        _embedding_scaling(config),
        _layer(config, about["summary"]),
        "With that layer frozen, one linear head per stage was solved by least squares with intercept on the training "
        "cases. Importance I is the Euclidean norm of a feature's weights, ΔI its change; the explained spread E "
        "is the standard deviation of the fitted feature over the training cases, corrected for degrees of freedom as "
        "the adjusted R², ΔE its change. R² and mean squared error are those of the test cases.",
        "Mean squared errors of the test patients before and after fine-tuning were compared by the Wilcoxon "
        "signed-rank test, for each group of features, with Holm's adjustment within families, filters and modalities.",
        _uncertainty(config),
        "Software: " + ", ".join(f"{name} {version}" for name, version in software.items()) + ".",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _encoders(encoders: Mapping[str, Mapping[str, Any]], dimension: int, centre: str) -> str:
    told = []
    for stage, identity in encoders.items():
        name, sha = identity.get("name") or "unnamed", str(identity.get("hash") or "")[:12]
        told.append(f"{name}{f' ({sha})' if sha else ''} {_STAGES[stage]}")
    where = f", looking at the surroundings of the region {centre!r}" if centre else ""
    return f"Embeddings of {dimension} numbers came from the encoders {' and '.join(told)}{where}."


def _region(roi: str, modalities: Sequence[str]) -> str:
    region = f"the region {roi!r}"
    if roi == "ellipsoid":
        region = "an ellipsoid in the middle of the image (not a reader's contour)"
    return (
        f"Radiomic features of {region} were extracted from {_and(modalities)}, the region brought to each modality's "
        "own grid by nearest neighbour."
    )


def _radiomics(settings: Mapping[str, Settings], software: Mapping[str, str]) -> list[str]:
    """What the engine says of each modality; once for modalities that are treated alike."""
    groups: dict[str, list[str]] = {}
    for modality, own in settings.items():
        versions = {name: software[name] for name in ("deepradiomics", "engine") if name in software}
        text = engine_text(own, versions, [len(feature_names(own))]).partition(" Software:")[0]
        groups.setdefault(text, []).append(modality)
    if len(groups) == 1:
        return list(groups)
    return [f"For {_and(names)}: {text}" for text, names in groups.items()]


def _embedding_scaling(config: Mapping[str, Any]) -> str:
    return {
        "pre": "Embeddings of both stages were standardised by mean and standard deviation of the training cases "
        "before fine-tuning.",
        "own": "Embeddings of each stage were standardised by its own training cases.",
        "none": "",
    }[config["embedding_scaling"]]


def _layer(config: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    chosen = ", chosen on the validation cases over the paper's grid" if config["sweep"] else ""
    return (
        f"A shared layer of {config['hidden']} rectified linear units was trained on the embeddings "
        f"{_STAGES[config['fit_on']]} with temporary linear heads, mean absolute reconstruction error and penalties "
        f"λ1 = {summary['l1']:g} (L1) and λ2 = {summary['l2']:g} (squared L2){chosen}, for {config['epochs']} epochs "
        f"at a learning rate of {config['learning_rate']:g}."
    )


def _uncertainty(config: Mapping[str, Any]) -> str:
    said = []
    if config["bootstraps"]:
        said.append(
            f"95 % intervals of ΔI and ΔE are from {config['bootstraps']} bootstrap samples over training patients "
            "with the shared layer held fixed."
        )
    if config["permutations"]:
        said.append(
            f"A null of ΔI and ΔE was made by swapping the two stages' labels at random for each patient "
            f"{config['permutations']} times and refitting everything; q values are Benjamini-Hochberg's, family-wise "
            "p values the maximum statistic's."
        )
    return " ".join(said)


def _and(names: Sequence[str]) -> str:
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
