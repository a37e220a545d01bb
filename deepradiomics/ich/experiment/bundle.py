"""The outcome model of an experiment: one input and classifier, fitted on everybody, as a bundle for single patients.

Input and classifier are chosen beforehand (the paper's), never by a score. Thresholds and calibration come from the
out-of-fold predictions of the training cohort, background rows from its columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.ich.cohort.manifest import title_of
from deepradiomics.ich.experiment.blocks import Fitted
from deepradiomics.ich.experiment.cell_fit import drawn, fitted_model
from deepradiomics.ich.experiment.config import INPUTS, Design, ExperimentConfig, columns_of
from deepradiomics.ich.experiment.plan import settings_of
from deepradiomics.ich.experiment.scores import Predicted
from deepradiomics.ich.features.latents import Kind, NetworkUse
from deepradiomics.ich.predictor import GROUPS, CalibrationBin, OutcomeModel, Predictor, save_predictor
from deepradiomics.modelling.frozen import freeze
from deepradiomics.stats import calibration_curve, youden

if TYPE_CHECKING:
    pass


def bundle_choice(
    config: ExperimentConfig, inputs: Sequence[str], networks: Mapping[Kind, Sequence[NetworkUse]]
) -> tuple[str, str, tuple[str, ...]]:
    """Input and classifier of the bundle, and remarks.

    Latents of several networks (out-of-fold) cannot be had of a new patient, so that an input of such latents gives
    place to the largest one without.
    """
    many = {kind for kind, used in networks.items() if len(used) > 1}
    able = tuple(name for name in inputs if not many & set(INPUTS[name]))
    if not able:
        return (
            "",
            "",
            (
                "No bundle for single patients is written: all inputs use latents of several networks, which a new "
                "patient cannot have. Add an input without them, or use one network trained on other patients.",
            ),
        )
    chosen, wanted = config.bundle_input(able), config.bundle_input(tuple(inputs))
    remarks: tuple[str, ...] = ()
    if chosen != wanted:
        remarks = (
            f"The bundle for single patients uses {chosen}, not {wanted}: latents of several networks cannot be had of "
            "a new patient.",
        )
    return chosen, config.bundle_classifier(), remarks


def write_bundle(
    folder: Path,
    model_names: tuple[str, str],
    split: Fitted,
    predictions: Sequence[Predicted],
    networks: Mapping[Kind, Sequence[NetworkUse]],
    design: Design,
    info: Mapping[str, Any],
) -> Path:
    """Fit and write the bundle.

    Args:
        folder: of the bundle.
        model_names: input and classifier of the model.
        split: of everybody, with its components by group.
        predictions: of the experiment; the model's own out-of-fold ones are used.
        networks: that gave the latents, by kind.
        design: as in the experiment.
        info: about the cohort, with ``synthetic`` and ``leaking``.
    """
    (input_name, classifier), config, seed = model_names, design.config, design.seed
    groups = [group for group in GROUPS if group in columns_of(input_name, config.covariates)]
    table = np.hstack([split.blocks.train[group] for group in groups])
    pipeline = {
        prediction.outcome: prediction
        for prediction in predictions
        if prediction.pipeline == model_names and prediction.cohort == "validation"
    }
    outcomes = []
    for name, y in split.blocks.y_train.items():
        known = ~np.isnan(y)
        labels = y[known].astype(np.int64)
        model, _ = fitted_model(classifier, table[known], labels, config, seed)
        inside = pipeline[name]
        outcomes.append(
            OutcomeModel(
                name,
                title_of(name),
                freeze(model),
                float(youden(inside.y, inside.probability)),
                float(labels.mean()),
                int(labels.size),
                tuple(
                    CalibrationBin(point.mean_predicted, point.observed, point.low, point.high, point.n)
                    for point in calibration_curve(inside.y, inside.probability, config.calibration_bins)
                ),
                drawn(table[known], config.background, seed),
            )
        )
    used = {kind: networks[kind][0] for kind in networks if kind in groups}
    predictor = Predictor(
        input_name,
        classifier,
        {group: split.components[group] for group in groups},
        tuple(outcomes),
        settings_of(config).params(),
        config.lesions,
        encoder_sha256=used["encoder"].sha256 if "encoder" in used else "",
        autoencoder_sha256=used["autoencoder"].sha256 if "autoencoder" in used else "",
        info=info,
    )
    encoder = used.get("encoder") or next(iter(networks.get("encoder", ())), None)
    if encoder is not None and "encoder" not in used and len(networks["encoder"]) > 1:
        encoder = None  # several networks: which of them should segment?
    return save_predictor(
        folder,
        predictor,
        encoder=encoder.folder if encoder else None,
        autoencoder=used["autoencoder"].folder if "autoencoder" in used else None,
    )
