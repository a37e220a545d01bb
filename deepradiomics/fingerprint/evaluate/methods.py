"""The methods of table T1 on one unit (seed, fold): train, choose thresholds on validation, judge validation and test.

A *group* is what is trained at once: the fingerprint's model also serves mean-q and shuffled-q. Each group has a
folder; when it is finished the folder holds ``predictions.csv`` and ``done.json``, and is only read from then on.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import content_hash, sha256_file, write_json
from deepradiomics.files.sealed import note_made_anew, read_sealed, write_sealed
from deepradiomics.fingerprint.evaluate.baselines import fit_signature, mean_relevance, shuffled_relevance
from deepradiomics.fingerprint.evaluate.records import Part, Prediction, read_predictions, write_predictions
from deepradiomics.fingerprint.evaluate.selection import SelectionRecord
from deepradiomics.fingerprint.evaluate.slices import SliceOptions, SliceTraining, run_slice_networks
from deepradiomics.fingerprint.model.config import FingerprintConfig
from deepradiomics.fingerprint.model.pool import PoolLayout
from deepradiomics.fingerprint.model.predict import contributions_of, logits_of, relevance_of
from deepradiomics.fingerprint.model.scaling import Scaling
from deepradiomics.fingerprint.model.tasks import output_slices, probabilities
from deepradiomics.fingerprint.model.thresholds import choose_thresholds, decide
from deepradiomics.fingerprint.train.data import TrainingData
from deepradiomics.fingerprint.train.model import new_model
from deepradiomics.progress import Progress, silent
from deepradiomics.stats import youden

if TYPE_CHECKING:
    from deepradiomics.fingerprint.model.network import FingerprintModel, Inference

Group = Literal["fingerprint", "nofs", "signature", "mrnet", "elnet"]
GROUPS: tuple[Group, ...] = ("fingerprint", "nofs", "signature", "mrnet", "elnet")
MODES: tuple[Inference, ...] = ("paper", "masked")
PARTS: tuple[Part, ...] = ("validation", "test")
EVALUATION_VERSION = 1  # raise when the same models would be judged differently


@dataclass(frozen=True, eq=False)
class Unit:
    """One repetition: its data (with splits), configuration, folder and random seed."""

    data: TrainingData
    config: FingerprintConfig
    folder: Path
    seed: int
    fold: int = 0
    device: str = "auto"
    slices: SliceOptions = field(default_factory=SliceOptions)
    progress: Progress = silent

    def rows(self, part: Part) -> NDArray[np.intp]:
        """Row numbers of the cases of a part."""
        found = self.data.part(part)
        if not len(found):
            raise InputError(f"evaluation: no case is in the split {part!r}; use with_splits or folds.")
        return found


def run_group(group: Group, unit: Unit) -> tuple[Prediction, ...]:
    """Predictions of a group's methods; read if the folder holds them already.

    Raises:
        InputError: the folder holds a run of other data or settings.
    """
    identity = _identity(group, unit)
    found = _finished(unit.folder, identity)
    if found is not None:
        unit.progress(1.0, f"{group}: read from {unit.folder.name}")
        return found
    runners = {"fingerprint": _fingerprint, "nofs": _fingerprint, "signature": _signature}
    predictions = runners[group](group, unit) if group in runners else _slice_networks(group, unit)
    file = unit.folder / "predictions.csv"
    write_predictions(predictions, file)
    done = {"group": group, "identity": identity, "predictions_sha256": sha256_file(file)}
    write_sealed(unit.folder / "done.json", done)  # last: its presence means finished
    for checkpoints in unit.folder.glob("**/checkpoints"):  # hundreds of megabytes at full size, not needed any more
        shutil.rmtree(checkpoints, ignore_errors=True)
    return predictions


def run_variant(name: str, unit: Unit) -> tuple[Prediction, ...]:
    """Predictions of a variant of the fingerprint (table T2) under its own name.

    A variant without selection is judged once, the others in both inference modes.
    """
    group: Group = "nofs" if unit.config.model.selection == "none" else "fingerprint"
    own = [row for row in run_group(group, unit) if row.method == group]
    return tuple(replace(row, method=name) for row in own)


def judged(
    method: str,
    inference: str,
    unit: Unit,
    chances: Sequence[NDArray[np.float64]],
    thresholds: Mapping[str, float | None] | None = None,
) -> list[Prediction]:
    """Rows of one method for the validation and test cases.

    Args:
        chances: for each task the probabilities of all cases: (N,) of class 1, or (N, classes).
        thresholds: decision threshold of each task; None chooses them here, by Youden's index on validation.
    """
    data, found = unit.data, []
    for t, task in enumerate(data.tasks):
        validation = unit.rows("validation")
        limit = thresholds[task.name] if thresholds is not None else None
        if thresholds is None and task.kind == "binary":
            limit = decision_threshold(data.labels[validation, t], chances[t][validation])
        for part in PARTS:
            rows = unit.rows(part)
            predicted = decide(task, chances[t][rows], limit)
            found += [
                Prediction(
                    method, inference, unit.seed, unit.fold, task.name, data.ids[n], part, int(data.labels[n, t]),
                    tuple(float(p) for p in np.atleast_1d(chances[t][n])), limit, int(decision),
                )
                for n, decision in zip(rows, predicted, strict=True)
            ]  # fmt: skip
    return found


def decision_threshold(label: NDArray[np.integer], chance: NDArray[np.float64]) -> float:
    """Youden's threshold on validation, within [0, 1]; 0.5 where validation has one class only."""
    if len(np.unique(label)) < 2:
        return 0.5
    return float(np.clip(youden(label, chance), 0.0, 1.0))


def with_features(data: TrainingData) -> tuple[PoolLayout, Scaling]:
    """Layout and scaling of data that has features."""
    if data.layout is None or data.scaling is None:
        raise InputError("evaluation: this method needs radiomic features, but the data holds images alone.")
    return data.layout, data.scaling


def _fingerprint(group: Group, unit: Unit) -> tuple[Prediction, ...]:
    """Train the model; judge it in both modes, and for the fingerprint also with others' relevance."""
    data = unit.data
    layout, scaling = with_features(data)
    model = _trained(group, unit)
    relevance = relevance_of(model, data.images, device=unit.device, batch_size=unit.config.training.batch_size)
    validation, test = unit.rows("validation"), unit.rows("test")
    limits = choose_thresholds(model, data.z[validation], relevance[validation], data.labels[validation])
    shares = contributions_of(model, data.z[test], relevance[test], "paper", limits.vector(data.tasks))
    SelectionRecord(
        cases=tuple(data.ids[n] for n in test),
        tasks=tuple(task.name for task in data.tasks),
        seed=unit.seed,
        fold=unit.fold,
        layout=layout,
        kept=scaling.kept,
        relevance=relevance[test],
        contribution=_of_decided_class(shares, model, data, test, relevance, limits.vector(data.tasks)),
        thresholds=limits.vector(data.tasks),
        selects=group == "fingerprint",
    ).save(unit.folder)
    if group == "nofs":
        return tuple(_judge_model(group, ("soft",), model, unit, relevance))
    found = _judge_model(group, MODES, model, unit, relevance)
    train = data.part("train")
    found += _judge_model("mean-q", MODES, model, unit, mean_relevance(relevance[train], len(data)))
    other = relevance.copy()
    for part in PARTS:
        rows = unit.rows(part)
        other[rows] = shuffled_relevance(relevance[rows], unit.seed)
    return tuple(found + _judge_model("shuffled-q", MODES, model, unit, other))


def _judge_model(
    method: str, modes: Sequence[Inference], model: FingerprintModel, unit: Unit, relevance: NDArray[np.float32]
) -> list[Prediction]:
    """Judge with the relevance given; both thresholds are chosen on validation with that same relevance."""
    data, validation = unit.data, unit.rows("validation")
    limits = choose_thresholds(model, data.z[validation], relevance[validation], data.labels[validation])
    found: list[Prediction] = []
    for mode in modes:
        logits = logits_of(model, data.z, relevance, mode, limits.vector(data.tasks))
        shown = "" if mode == "soft" else mode
        found += judged(method, shown, unit, probabilities(logits, data.tasks), limits.decision[mode])
    return found


def _trained(group: Group, unit: Unit) -> FingerprintModel:
    from deepradiomics.fingerprint.train.fit import FitRequest, fit

    model = new_model(_configured(group, unit.config), unit.data, unit.seed)
    fit(
        FitRequest(model, unit.data, unit.config.training, seed=unit.seed, identity=_identity(group, unit)),
        unit.folder,
        device=unit.device,
        progress=unit.progress,
    )
    return model


def _of_decided_class(
    shares: NDArray[np.float64],
    model: FingerprintModel,
    data: TrainingData,
    rows: NDArray[np.intp],
    relevance: NDArray[np.float32],
    limits: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Contributions per logit (n, C, D) to one per task (n, T, D): the only logit, or that of the likeliest class."""
    logits = logits_of(model, data.z[rows], relevance[rows], "paper", limits)
    chosen = []
    for where in output_slices(data.tasks):
        output = where.start + logits[:, where].argmax(axis=1)
        chosen.append(shares[np.arange(len(rows)), output])
    return np.stack(chosen, axis=1).astype(np.float32)


def _signature(group: Group, unit: Unit) -> tuple[Prediction, ...]:
    data, train = unit.data, unit.data.part("train")
    _, scaling = with_features(data)
    chances, selected = [], {}
    for t, task in enumerate(data.tasks):
        unit.progress(t / len(data.tasks), f"fixed signature of {task.name}")
        found = fit_signature(data.z[train], data.labels[train, t], len(task.classes), seed=unit.seed)
        chance = found.probabilities(data.z)
        chances.append(chance[:, 0] if task.kind == "binary" else chance)
        selected[task.name] = {"strength": found.strength, "columns": scaling.kept[found.selected].tolist()}
    write_json(unit.folder / "signature.json", selected)
    return tuple(judged(group, "", unit, chances))


def _slice_networks(group: Group, unit: Unit) -> tuple[Prediction, ...]:
    if group not in ("mrnet", "elnet"):
        raise InputError(f"methods: expected some of {', '.join(GROUPS)}, got {group!r}.")
    chances = run_slice_networks(
        SliceTraining(group, unit.data, unit.config, options=unit.slices, device=unit.device),
        unit.folder,
        seed=unit.seed,
        progress=unit.progress,
    )
    flat = [c[:, 0] if task.kind == "binary" else c for task, c in zip(unit.data.tasks, chances, strict=True)]
    return tuple(judged(group, "", unit, flat))


def _identity(group: Group, unit: Unit) -> dict[str, Any]:
    """What makes this run this run: other data or settings give another hash."""
    settings: dict[str, Any] = {"group": group, "seed": unit.seed, "fold": unit.fold, "version": EVALUATION_VERSION}
    if group != "signature":
        stored = _configured(group, unit.config).to_dict()
        settings |= {"model": stored["model"], "training": stored["training"]}
    if group in ("mrnet", "elnet"):
        settings["slices"] = unit.slices.identity()
    return {**settings, "data": unit.data.digest, "hash": content_hash(settings, unit.data.digest)[:16]}


def _configured(group: Group, config: FingerprintConfig) -> FingerprintConfig:
    """NoFS is the same configuration without a network that selects."""
    return replace(config, model=replace(config.model, selection="none")) if group == "nofs" else config


def _finished(folder: Path, identity: Mapping[str, Any]) -> tuple[Prediction, ...] | None:
    """The predictions of an earlier run, where they are as it left them."""
    done = read_sealed(folder / "done.json", ("identity", "predictions_sha256"))
    if done is None:
        return None
    stored = done["identity"]
    if stored.get("hash") != identity["hash"]:
        differing = [name for name in identity if name != "hash" and stored.get(name) != identity[name]]
        raise InputError(
            f"{folder}: a finished run with another {', '.join(differing) or 'version'} lives here. "
            "Choose another output folder, or remove this one to evaluate anew."
        )
    file = folder / "predictions.csv"
    if not file.is_file() or sha256_file(file) != done["predictions_sha256"]:
        note_made_anew(f"{file}: these predictions were changed since they were written.")
        return None
    return read_predictions(file)
