"""Which of several whole stacks is read: the one that the user names, or the one that is plainly meant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images.dicom.elements import decimal
from deepradiomics.images.dicom.stacks import SAME_DIRECTION, SAME_PLACE_MM, Stack
from deepradiomics.images.dicom.traits import TRAITS

_LISTED = 20
_RULED = ("type", "component", "echo", "te", "acquisition")  # a choice among these is plain


def chosen_stack(stacks: Sequence[Stack], wanted: str | None) -> tuple[Stack, tuple[str, ...]]:
    """Return one of the stacks, and a note where there were several.

    Args:
        stacks: at least one.
        wanted: a number of the list, counted from 1, or words such as ``b=1000`` or ``echo=2 type=M``; None: the only
            one, or the one plainly meant (magnitude, original, the shortest echo, the first acquisition).

    Raises:
        GeometryError: several, and none is plainly meant; the message lists them.
        InputError: no stack is called so, or several are.
    """
    labels = _labels(stacks)
    if wanted is not None and wanted.strip():
        stack = _named(stacks, wanted.strip(), labels)
        if len(stacks) == 1:
            return stack, ()
        return stack, (f"The DICOM series holds {_list(stacks, labels)}; {labels[id(stack)]} is used, as asked.",)
    if len(stacks) == 1:
        return stacks[0], ()
    plain, reason = _plain(stacks)
    if plain is None:
        if not all(_parallel(stacks[0], other) for other in stacks[1:]):
            problem = "the slices of this series do not share one orientation."
        elif _same_place(stacks):
            problem = f"this series holds {len(stacks)} images at each position, and none is plainly the one meant."
        else:
            problem = f"this series holds {len(stacks)} stacks at different places, and none is plainly the one meant."
        example = _example(labels[id(stacks[-1])])
        raise GeometryError(
            f"{problem} Choose a stack by its number or its words (--stack 2{example}): {_list(stacks, labels)}."
        )
    return plain, (f"The DICOM series holds {len(stacks)} images at each position; {reason} is used.",)


def _example(label: str) -> str:
    quoted = f'"{label}"' if " " in label else label
    return f", or --stack {quoted}" if "=" in label else ""


def _parallel(first: Stack, second: Stack) -> bool:
    difference = np.abs(first.frames[0].orientation - second.frames[0].orientation)  # type: ignore[operator]
    return bool(difference.max() <= SAME_DIRECTION)


def _same_place(stacks: Sequence[Stack]) -> bool:
    counts = {len(stack.frames) for stack in stacks}
    return (
        len(counts) == 1
        and all(
            np.allclose(stack.frames[0].position, stacks[0].frames[0].position, atol=SAME_PLACE_MM[1])  # type: ignore[arg-type]
            for stack in stacks[1:]
        )
    )


def _labels(stacks: Sequence[Stack]) -> dict[int, str]:
    """What tells each stack from the others, in words that choose it again."""
    names = _differing(stacks)
    labels: dict[int, str] = {}
    for number, stack in enumerate(stacks, 1):
        parts = [f"{name}={stack.traits[name]}" for name in names if stack.traits.get(name)]
        if not parts and stack.rank:
            parts = [f"number {stack.rank} in order"]
        labels[id(stack)] = " ".join(parts) or f"stack {number}"
    return labels


def _differing(stacks: Sequence[Stack]) -> list[str]:
    return [name for name in TRAITS if len({stack.traits.get(name, "") for stack in stacks}) > 1]


def _list(stacks: Sequence[Stack], labels: dict[int, str]) -> str:
    lines = [
        f"{number}: {labels[id(stack)]} ({len(stack.frames)} image{'' if len(stack.frames) == 1 else 's'})"
        for number, stack in enumerate(stacks[:_LISTED], 1)
    ]
    return "; ".join(lines) + (f"; and {len(stacks) - _LISTED} more" if len(stacks) > _LISTED else "")


def _named(stacks: Sequence[Stack], wanted: str, labels: dict[int, str]) -> Stack:
    if wanted.isdecimal():
        if not 1 <= int(wanted) <= len(stacks):
            raise InputError(f"stack {wanted} is not there. The series holds {_list(stacks, labels)}.")
        return stacks[int(wanted) - 1]
    equal = [stack for stack in stacks if labels[id(stack)].upper() == wanted.upper()]
    if len(equal) == 1:  # names of kernels may hold blanks
        return equal[0]
    pairs = [part.partition("=") for part in wanted.replace(",", " ").replace(";", " ").split()]
    unknown = [name for name, equals, _ in pairs if not equals or name.lower() not in TRAITS]
    if unknown:
        raise InputError(
            f"stack {wanted!r}: expected a number, or words such as b=1000 made of {', '.join(TRAITS)}. "
            f"The series holds {_list(stacks, labels)}."
        )
    matching = [s for s in stacks if all(_is(s.traits.get(name.lower(), ""), value) for name, _, value in pairs)]
    if len(matching) != 1:
        count = "no stack is" if not matching else f"{len(matching)} stacks are"
        raise InputError(f"stack {wanted!r}: {count} called so. The series holds {_list(stacks, labels)}.")
    return matching[0]


def _is(value: str, wanted: str) -> bool:
    """Equal as a number or a word, or one of the parts of a list such as ORIGINAL\\PRIMARY\\M."""
    first, second = decimal(value), decimal(wanted)
    if first is not None and second is not None:
        return abs(first - second) <= 1e-6 * max(1.0, abs(first))
    return value.upper() == wanted.upper() or wanted.upper() in value.upper().split("\\")


def _plain(stacks: Sequence[Stack]) -> tuple[Stack | None, str]:
    """The stack that is plainly meant and why, or None."""
    if not all(_parallel(stacks[0], other) for other in stacks[1:]):
        return None, ""
    if any(stack.rank for stack in stacks) or set(_differing(stacks)) - set(_RULED):
        return None, ""
    candidates, reasons = list(stacks), []
    for keep, reason in ((_original, "the original one"), (_magnitude, "the magnitude")):
        fewer = [stack for stack in candidates if keep(stack)]
        if 0 < len(fewer) < len(candidates):
            candidates = fewer
            reasons.append(reason)
    if set(_differing(candidates)) & {"type", "component"}:
        return None, ""
    for name, reason in (
        ("te", "the shortest echo"),
        ("echo", "the first echo"),
        ("acquisition", "the first acquisition"),
    ):
        amounts = [decimal(stack.traits.get(name, "")) for stack in candidates]
        if len(candidates) > 1 and None not in amounts and len(set(amounts)) > 1:
            least = min(amounts)  # type: ignore[type-var]
            candidates = [stack for stack, amount in zip(candidates, amounts, strict=True) if amount == least]
            reasons.append(f"{reason} (TE {least:.1f} ms)" if name == "te" else reason)
    return (candidates[0], ", ".join(reasons)) if len(candidates) == 1 else (None, "")


def _parts(stack: Stack) -> list[str]:
    return stack.traits.get("type", "").split("\\")


def _original(stack: Stack) -> bool:
    return _parts(stack)[0] == "ORIGINAL"


def _magnitude(stack: Stack) -> bool:
    return stack.traits.get("component", "") == "MAGNITUDE" or any(
        part in ("M", "M_FFE", "M_SE") for part in _parts(stack)
    )
