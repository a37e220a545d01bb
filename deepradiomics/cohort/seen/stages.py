"""Whether the encoders have seen the cohort: what the report must say before anybody believes its numbers.

An encoder trained here carries marks of the cases that it learned from. An encoder from elsewhere carries none: then it
is unknown, and the text says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepradiomics.cohort.seen.marks import STAGES, case_marks, seen_in_stage
from deepradiomics.words import count

_NAMES = {"pretraining": "pre-training", "finetuning": "fine-tuning"}

_REMEDY = {
    "pretraining": "",
    "finetuning": " Take the splits of the fine-tuning: --splits RUN/splits.csv, with the folder of that fine-tuning.",
}


def leakage_text(
    pre: Mapping[str, Any],
    ft: Mapping[str, Any],
    marks: Mapping[str, Mapping[str, str]],
    splits: Mapping[str, str],
) -> str:
    """Return one sentence or two for each stage: how many of these cases it had seen, and how many are test cases.

    Args:
        pre, ft: identities of the encoders before and after fine-tuning (``Encoder.identity``).
        marks: by case, by modality: hash of the image.
        splits: by case.
    """
    known = {stage: _record(stage, pre, ft) for stage in STAGES}
    return " ".join(_sentence(stage, record, marks, splits) for stage, record in known.items())


def _record(stage: str, pre: Mapping[str, Any], ft: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What is known of a stage: the tuned encoder tells both, the other at least its pre-training."""
    for identity in (ft, pre):
        record = (identity.get("about") or {}).get(stage)
        if isinstance(record, Mapping) and isinstance(record.get("marks"), Mapping) and any(record["marks"].values()):
            return record
    return None


def _sentence(
    stage: str,
    record: Mapping[str, Any] | None,
    marks: Mapping[str, Mapping[str, str]],
    splits: Mapping[str, str],
) -> str:
    name = _NAMES[stage].capitalize()
    if record is None:
        return (
            f"{name}: it is unknown whether these cases were part of it, for the encoder does not tell which cases it "
            "learned from."
        )
    cases = seen_in_stage(record, {case: case_marks(case, voxels) for case, voxels in marks.items()})
    tested = [case for case in cases if splits.get(case) == "test"]
    if not cases:
        return f"{name}: none of these {len(marks)} cases was part of it."
    text = f"{name}: {len(cases)} of these {len(marks)} cases were part of it (training or validation)"
    if not tested:
        return f"{text}, none of the test cases."
    return (
        f"{text}, among them {count(len(tested), 'case')} of the test split. LEAKAGE: the encoder has seen test cases, "
        f"so R² and MSE flatter it.{_REMEDY[stage]}"
    )
