"""The paragraph for a paper: what was done to one exam, with settings, numbers and versions; no identifiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepradiomics.fingerprint.model.bundle import FingerprintBundle
    from deepradiomics.prepare import Recipe

_REGISTRATION = {
    "off": "The views were placed by the scanner's coordinates, without registration.",
    "reference": "Each view was registered to the {reference} view (affine, Mattes mutual information).",
    "template": "Each view was registered to the template of its plane, the mean of the registered training images "
    "(affine, Mattes mutual information).",
}
_INFERENCE = {
    "paper": "features with q ≥ T entered with full weight (f ⊙ 1[q ≥ T])",
    "masked": "features with q ≥ T entered weighted by q (f ⊙ q ⊙ 1[q ≥ T])",
    "soft": "all features entered weighted by q (f ⊙ q)",
}
_NETWORK = {
    "paper": "a 3D ResNet-18 (MONAI) with the views as channels",
    "tiny": "a small 3D ResNet (MONAI; four blocks of 8 to 16 channels) with the views as channels",
}
REFERENCE = "Chen et al., Radiomic fingerprints for knee MR images assessment, 2025"


def methods_text(
    bundle: FingerprintBundle,
    recipe: Recipe,
    region: str,
    inference: str,
    reformatted: Mapping[str, str],
    versions: Mapping[str, str],
) -> str:
    """Return the methods paragraph of a prediction.

    Args:
        bundle: the trained model.
        recipe: as used for this exam.
        region: how the region of interest was chosen, as a phrase.
        inference: mode of the prediction.
        reformatted: view → view it was reformatted from.
        versions: of the software used.
    """
    config, layout = bundle.config, bundle.layout
    sentences = [
        f"Radiomic fingerprints ({REFERENCE}) were computed with DeepRadiomics {versions.get('deepradiomics', '')}.",
        f"The {_listed(recipe.views)} views were used"
        + (f"; {_listed([f'{a} was reformatted from {b}' for a, b in reformatted.items()])}." if reformatted else "."),
        _REGISTRATION[recipe.registration].format(reference=recipe.reference_view),
        f"Images were resampled to {_shape(recipe.resized_shape)} voxels (z × y × x) and their grey levels normalised "
        f"({_normalisation(recipe)}); {region} was divided into {_shape(recipe.patch_grid)} patches.",
        f"From each patch and view {len(layout.features)} features (preset {recipe.features}, PyRadiomics definitions, "
        f"bin width {recipe.bin_width:g}) gave a pool of {len(layout)}, of which {len(bundle.scaling)} varied in the "
        "training cohort and were standardised with its mean and standard deviation"
        + (f" (|z| clipped at {bundle.scaling.clip_z:g})." if bundle.scaling.clip_z else "."),
        _model_sentence(bundle),
        f"At inference {_INFERENCE[inference]}; the relevance threshold T was {_thresholds(bundle)}; it and the "
        "decision thresholds maximised Youden's index on the validation cases.",
        _cohort_sentence(bundle, inference),
        "Software: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
    ]
    if config.model.selection == "none":
        sentences.insert(
            6, "No features were selected for the patient: all relevance was 1 (control without selection)."
        )
    return " ".join(sentence for sentence in sentences if sentence)


def _model_sentence(bundle: FingerprintBundle) -> str:
    config, head = bundle.config.model, bundle.model.classifier
    pairs = {
        "exact": "all pairwise terms",
        "factorised": f"pairwise terms factorised at rank {config.rank}",
        "none": "no pairwise terms",
    }[head.pairwise]
    classifier = f"a logistic regression with first-order terms and {pairs}"
    if config.selection == "none":
        return f"{classifier[0].upper()}{classifier[1:]} predicted {_listed([t.name for t in bundle.tasks])}."
    return (
        f"For each task {_NETWORK[config.network]} predicted a relevance q in [0, 1] for every feature, trained "
        f"jointly by cross-entropy with {classifier}; it predicted {_listed([t.name for t in bundle.tasks])}."
    )


def _cohort_sentence(bundle: FingerprintBundle, inference: str) -> str:
    cohort: Mapping[str, Any] = bundle.about.get("cohort") or {}
    splits: Mapping[str, int] = cohort.get("splits") or {}
    if not splits:
        return ""
    counts = _listed([f"{count} {split}" for split, count in splits.items()])
    kind = "a SYNTHETIC cohort" if bundle.about.get("synthetic") else "a cohort"
    text = f"The model (bundle {bundle.sha256[:12]}) was trained on {kind} of {cohort.get('cases')} cases ({counts})"
    test = ((bundle.about.get("metrics") or {}).get("test") or {}).get(inference) or {}
    scores = [f"{task} {values['auc']:.2f}" for task, values in test.items() if values.get("auc") is not None]
    return text + (f"; AUC on its test cases: {', '.join(scores)}." if scores else ".")


def _thresholds(bundle: FingerprintBundle) -> str:
    return _listed([f"{value:.3f} ({task})" for task, value in bundle.thresholds.relevance.items()])


def _normalisation(recipe: Recipe) -> str:
    if recipe.normalisation == "none":
        return f"not at all; × {recipe.intensity_scale:g} before radiomics"
    name = {"zscore": "z-score", "percentile": "percentiles"}[recipe.normalisation]
    return f"{name} per view; × {recipe.intensity_scale:g} before radiomics"


def _shape(numbers: tuple[int, ...]) -> str:
    return " × ".join(map(str, numbers))


def _listed(items: list[str] | tuple[str, ...]) -> str:
    items = list(items)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""
