"""The outcome model of an experiment: one input and classifier, fitted on everybody, as a bundle for single patients.

Input and classifier are chosen beforehand (the paper's), never by a score. Thresholds and calibration come from the
out-of-fold predictions of the training cohort, background rows from its columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.ich.cell_fit import drawn, fitted_model
from deepradiomics.ich.cells import SplitBlocks
from deepradiomics.ich.cohort import title_of
from deepradiomics.ich.experiment_config import INPUTS, ExperimentConfig, columns_of
from deepradiomics.ich.experiment_plan import settings_of
from deepradiomics.ich.features import GROUP_OF
from deepradiomics.ich.features_latents import Kind, NetworkUse
from deepradiomics.ich.predictor import GROUPS, CalibrationBin, OutcomeModel, Predictor, save_predictor
from deepradiomics.ich.scores import Predicted
from deepradiomics.stats import calibration_curve, youden

if TYPE_CHECKING:
    from deepradiomics.ich.components import Components


def bundle_choice(
    config: ExperimentConfig, inputs: Sequence[str], networks: Mapping[Kind, Sequence[NetworkUse]]
) -> tuple[str, str, tuple[str, ...]]:
    """Input and classifier of the bundle, and remarks.

    Latents of several networks (out-of-fold) cannot be had of a new patient, so that an input of such latents gives
    place to the largest one without.
    """
    many = {GROUP_OF[kind] for kind, used in networks.items() if len(used) > 1}
    able = tuple(name for name in inputs if not many & set(INPUTS[name]))
    if not able:
        return "", "", (
            "No bundle for single patients is written: all inputs use latents of several networks, which a new patient "
            "cannot have. Add an input without them, or use one network trained on other patients.",
        )  # fmt: skip
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
    input_name: str,
    classifier: str,
    split: SplitBlocks,
    components: Mapping[str, Components],
    predictions: Sequence[Predicted],
    networks: Mapping[Kind, Sequence[NetworkUse]],
    config: ExperimentConfig,
    seed: int,
    info: Mapping[str, Any],
) -> Path:
    """Fit and write the bundle.

    Args:
        folder: of the bundle.
        input_name, classifier: the model.
        split: of everybody.
        components: of that split, by group.
        predictions: of the experiment; the model's own out-of-fold ones are used.
        networks: that gave the latents, by kind.
        config, seed: as in the experiment.
        info: about the cohort, with ``synthetic`` and ``leaking``.
    """
    from deepradiomics.ich.frozen import freeze

    groups = [group for group in GROUPS if group in columns_of(input_name, config.covariates)]
    table = np.hstack([split.train[group] for group in groups])
    own = {one.outcome: one for one in predictions if one.pipeline == (input_name, classifier)
           and one.cohort == "validation"}  # fmt: skip
    outcomes = []
    for name, y in split.y_train.items():
        known = ~np.isnan(y)
        labels = y[known].astype(np.int64)
        model, _ = fitted_model(classifier, table[known], labels, config, seed)
        inside = own[name]
        outcomes.append(
            OutcomeModel(
                name, title_of(name), freeze(model), float(youden(inside.y, inside.probability)),
                float(labels.mean()), int(labels.size),
                tuple(
                    CalibrationBin(one.mean_predicted, one.observed, one.low, one.high, one.n)
                    for one in calibration_curve(inside.y, inside.probability, config.calibration_bins)
                ),
                drawn(table[known], config.background, seed),
            )
        )  # fmt: skip
    used = {kind: networks[kind][0] for kind in networks if GROUP_OF[kind] in groups}
    predictor = Predictor(
        input_name, classifier, {group: components[group] for group in groups}, tuple(outcomes),
        settings_of(config).params(), config.lesions,
        encoder_sha256=used["encoder"].sha256 if "encoder" in used else "",
        autoencoder_sha256=used["autoencoder"].sha256 if "autoencoder" in used else "",
        info=info,
    )  # fmt: skip
    segmenter = used.get("encoder") or next(iter(networks.get("encoder", ())), None)
    if segmenter is not None and "encoder" not in used and len(networks["encoder"]) > 1:
        segmenter = None  # several networks: which of them should segment?
    return save_predictor(
        folder, predictor, segmenter=segmenter.folder if segmenter else None,
        autoencoder=used["autoencoder"].folder if "autoencoder" in used else None,
    )  # fmt: skip
