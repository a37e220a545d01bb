"""What a report says of an encoder's past: which images it sees, and which epoch of its training was kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepradiomics.lens.result import LensResult
from deepradiomics.reports.lens.words import modality_name

_TRAININGS = {"pretraining": "pre-training", "finetuning": "fine-tuning"}
_STAGES = {"pre": "before", "ft": "after"}


def encoder_facts(encoder: Mapping[str, Any]) -> dict[str, str]:
    """Facts by name, for people: the modalities the encoder sees, and the epoch kept of each training.

    >>> encoder_facts({"channels": ["t2"], "about": {"finetuning": {"metrics": {"best_epoch": 3, "epochs": 8}}}})
    {'sees': 'T2 alone', 'epoch kept of the fine-tuning:': '3 of 8'}
    """
    channels = [modality_name(str(channel)) for channel in encoder.get("channels") or ()]
    facts = {"sees": f"{channels[0]} alone" if len(channels) == 1 else ", ".join(channels)} if channels else {}
    for training, name in _TRAININGS.items():
        best, epochs = _epochs(encoder, training)
        if best is not None:
            facts[f"epoch kept of the {name}:"] = f"{best} of {epochs}" if epochs else str(best)
    return facts


def encoder_remarks(result: LensResult) -> list[str]:
    """What speaks against an encoder: its training got worse from the first epoch on, or the two see other images."""
    encoders = result.about.get("encoders") or {}
    remarks = []
    for training, name in _TRAININGS.items():
        for stage in _STAGES:
            best, epochs = _epochs(encoders.get(stage) or {}, training)
            if best == 1 and (epochs or 2) > 1:
                remarks.append(
                    f"The {name} was best after its first epoch{f' of {epochs}' if epochs else ''}, and that is the "
                    "encoder that was kept: it has hardly learned. A lower learning rate or more patients may help."
                )
                break  # both encoders carry the record of the pre-training
    sees = {stage: tuple((encoders.get(stage) or {}).get("channels") or ()) for stage in _STAGES}
    if all(sees.values()) and sees["pre"] != sees["ft"]:
        seeing = {stage: encoder_facts(encoders[stage])["sees"] for stage in _STAGES}
        remarks.append(
            f"The encoder before sees {seeing['pre']}, the one after {seeing['ft']}: what changed is also which images "
            "it is given."
        )
    blind = [modality_name(modality) for modality in result.modalities if sees["ft"] and modality not in sees["ft"]]
    if blind:
        remarks.append(
            f"Features of {', '.join(blind)} are read from an encoder that does not see these images: only what they "
            "share with those that it sees can be found."
        )
    return remarks


def _epochs(encoder: Mapping[str, Any], training: str) -> tuple[int | None, int | None]:
    """The epoch kept and the number of epochs, where the encoder's record has them."""
    record = (encoder.get("about") or {}).get(training) or {}
    metrics = {**record, **(record.get("metrics") or {})}
    best, epochs = (metrics.get(name) for name in ("best_epoch", "epochs"))
    return (best if isinstance(best, int) else None), (epochs if isinstance(epochs, int) else None)
