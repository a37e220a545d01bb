"""The paragraph for a paper: how an experiment was done, with settings and numbers, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepradiomics import __version__
from deepradiomics.ich.experiment.config import INPUT_TITLES
from deepradiomics.ich.methods_text import REFERENCE
from deepradiomics.modelling.classifier_names import CLASSIFIER_TITLES
from deepradiomics.words import REAL_HEAD_SHORT

_LESIONS = {"all": "all haematomas of a head as one region", "largest": "the largest haematoma"}


def experiment_methods(about: Mapping[str, Any]) -> str:
    """Return the methods paragraph from the other entries of experiment.json."""
    config, cohorts = about["config"], about["cohorts"]
    kind = "a SYNTHETIC cohort" if about["synthetic"] else "a cohort"
    kind += f" ({REAL_HEAD_SHORT})" if about.get("real_head") else ""
    external = cohorts.get("external")
    sentences = [
        f"Outcome prediction after intracerebral haemorrhage ({REFERENCE}) was evaluated with DeepRadiomics "
        f"{__version__} on {kind} of {cohorts['training']['n']} patients"
        + (f", and tested on an external cohort of {external['n']} patients." if external else "."),
        _features(config),
        *_networks(about["networks"]),
        _reduction(config, about["inputs"]),
        f"Inputs were {_listed([one['title'] for one in about['inputs']])}"
        + (f", each with the clinical covariates {_listed(config['covariates'])}" if config["covariates"] else "")
        + f"; classifiers were {_listed([one['title'] for one in about['classifiers']])}, "
        + (
            "with settings chosen by nested search inside each training part."
            if config["search"] == "nested"
            else f"with the paper's fixed settings ({config['trees']} trees in each ensemble)."
        ),
        f"Cross-validation had {about['folds']} folds, split by patient, stratified over the combination of all "
        "outcomes and shared by them. Scaling, imputation, factorisation, thresholds and models were fitted inside "
        "each training part. Decision thresholds maximise Youden's index on a held-out fourth of the training part; "
        "for the final models, on the out-of-fold predictions.",
        "AUCs have DeLong's 95 % intervals, built on the logit scale. Inputs were compared with radiomics and with "
        "shape on the same patients by the paired DeLong test (Holm) and a stratified bootstrap of "
        f"{config['bootstraps']} resamples, over all classifiers by Friedman's test, and in pairs by Wilcoxon's "
        "signed-rank test with Bonferroni, Holm and Benjamini-Hochberg corrections; with one AUC a classifier these "
        "rank tests have little power. Women and men "
        "were compared by DeLong's test of independent groups.",
        _explained(config, external is not None),
        f"The model for single patients ({about['bundle']['input']}, {about['bundle']['classifier']}) was chosen "
        "beforehand."
        if about["bundle"]["input"]
        else "",
        f"Seed {about['seed']}.",
    ]
    if about["leaking"]:
        sentences.insert(1, "THE RUN LEAKS: patients were tested by what had seen them, so its scores are too good.")
    return " ".join(sentence for sentence in sentences if sentence)


def _features(config: Mapping[str, Any]) -> str:
    width = f", bin width {config['bin_width_hu']:g} HU" if config["bin_width_hu"] else ""
    return (
        f"Radiomic features (settings {config['radiomics']}{width}) were measured of {_LESIONS[config['lesions']]} on "
        "the baseline CT in HU; the shape features are among them."
    )


def _networks(networks: Mapping[str, Any]) -> list[str]:
    words = {
        "encoder": "Latents of the segmentation encoder (bottlenecks of all its scales) came from",
        "autoencoder": "Latents of the VAE-GAN (posterior mean of the crop around the haematoma) came from",
    }
    found = []
    for kind, used in networks.items():
        if used:
            names = _listed([f"{one['name']} ({str(one['sha256'])[:12]})" for one in used])
            found.append(f"{words[kind]} {names}.")
    return found


def _reduction(config: Mapping[str, Any], inputs: list[Mapping[str, Any]]) -> str:
    names = {one["name"] for one in inputs}
    if names == {"shape"}:
        return "Features were standardised by the training part."
    return (
        "Each family but shape was scaled to [0, 1] by the training part (new patients are clipped) and reduced to "
        f"{config['components']} components by non-negative matrix factorisation of the training part; shape"
        + (" and clinical covariates were" if config["covariates"] else " was")
        + " standardised."
    )


def _explained(config: Mapping[str, Any], external: bool) -> str:
    if not config["shap_cases"]:
        return ""
    who = "external patients" if external else "out-of-fold patients"
    return (
        f"Shapley values (probability, {config['background']} background patients) of up to {config['shap_cases']} "
        f"{who} show how much each group of columns moves the risk: the mean size of a group's summed values."
    )


def _listed(parts: list[str] | tuple[str, ...]) -> str:
    parts = [str(part) for part in parts]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def titled(names: tuple[str, ...], *, inputs: bool) -> list[dict[str, str]]:
    """Names with titles, as experiment.json lists them."""
    titles = INPUT_TITLES if inputs else CLASSIFIER_TITLES
    return [{"name": name, "title": titles[name]} for name in names]
