"""Frames of a series sorted into whole stacks: each with one image at each of the positions, or none is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from deepradiomics.errors import GeometryError
from deepradiomics.images.dicom.frames import Frame
from deepradiomics.images.dicom.traits import CLOCKS, CONTRASTS, TRAITS, UNIFORM, UNIFORM_ATTRIBUTES, clock, trait

SAME_PLACE_MM = (1e-3, 0.05)  # at least and at most, and between them
_FAR = 1.5  # times the shortest: no longer the time of one breath or heartbeat
_SAME_PLACE = 0.01  # of the largest distance: rounding of positions that are one
SAME_DIRECTION = 1e-3


@dataclass(frozen=True, eq=False)
class Stack:
    """Frames of one orientation, one at each position, along the normal of their plane.

    Args:
        frames: in the order of their positions.
        traits: what all its frames share, by name.
        rank: which of the stacks of the series that only their order tells apart, from 1; 0 elsewhere.
    """

    frames: tuple[Frame, ...]
    traits: dict[str, str]
    rank: int = 0


def sort_into_stacks(frames: Sequence[Frame]) -> list[Stack]:
    """Return the whole stacks that frames with position and orientation make up.

    Raises:
        GeometryError: some positions hold more images than others, or nothing tells the images of a position apart.
    """
    return [stack for group in _by_orientation(frames) for part in _by_name(group) for stack in _stacks_of(part)]


def _by_orientation(frames: Sequence[Frame]) -> list[list[Frame]]:
    groups: list[list[Frame]] = []
    for frame in frames:
        for group in groups:
            if np.abs(group[0].orientation - frame.orientation).max() <= SAME_DIRECTION:  # type: ignore[operator]
                group.append(frame)
                break
        else:
            groups.append([frame])
    return groups


def _by_name(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Split by the stacks that a multi-frame object itself names: parallel ones may lie apart, or overlap."""
    parts: dict[str, list[Frame]] = {}
    for frame in frames:
        parts.setdefault(trait(frame, "stack"), []).append(frame)
    return [parts[name] for name in sorted(parts, key=_sortable)]


def _stacks_of(frames: Sequence[Frame]) -> list[Stack]:
    """Whole stacks of one orientation."""
    places = _places(frames)
    counts = Counter(places)
    if len(set(counts.values())) > 1:
        raise GeometryError(
            f"some slice positions of this series hold more images than others ({sorted(set(counts.values()))} at "
            f"{len(counts)} positions). Export the series again, each stack whole."
        )
    copies = counts[0]
    order = np.argsort(places, kind="stable")
    frames, places = [frames[n] for n in order], [places[n] for n in order]
    if copies == 1:
        return [_stack(frames)]
    parts = _parted(frames, places)
    if any(len(part) != len(counts) for part in parts):
        ranked = _ranked(parts, places, frames, len(counts))
        if ranked is None:
            raise GeometryError(
                f"this series holds {copies} images at each position, and nothing in the headers tells them apart "
                "into whole stacks. Export one stack per series."
            )
        return [_stack(part, rank) for rank, part in enumerate(ranked, 1)]
    return [_stack(part) for part in parts]


def _stack(frames: Sequence[Frame], rank: int = 0) -> Stack:
    shared = {}
    for name in TRAITS:
        first = trait(frames[0], name)
        if first and all(trait(frame, name) == first for frame in frames[1:]):
            shared[name] = first
    return Stack(tuple(frames), shared, rank)


def _places(frames: Sequence[Frame]) -> list[int]:
    """Number of each frame's position along the normal, from 0; positions a rounding apart are one."""
    orientation = frames[0].orientation
    assert orientation is not None
    normal = np.cross(orientation[:3], orientation[3:])
    heights = np.array([normal @ frame.position for frame in frames])  # type: ignore[operator]
    order = np.argsort(heights, kind="stable")
    distances = np.diff(heights[order])
    steps = distances > np.clip(_SAME_PLACE * distances.max(initial=0.0), *SAME_PLACE_MM)
    places = np.empty(len(frames), int)
    places[order] = np.concatenate([[0], np.cumsum(steps)])
    return places.tolist()


def _parted(frames: list[Frame], places: list[int]) -> list[list[Frame]]:
    """Split by each trait that has the same values at every position, until each part has one frame per position."""
    where = {id(frame): place for frame, place in zip(frames, places, strict=True)}
    positions = len(set(places))
    parts = [frames]
    for name in TRAITS:
        if all(len(part) == positions for part in parts):
            break
        finer: list[list[Frame]] = []
        for part in parts:
            values: dict[str, list[Frame]] = {}
            for frame in part:
                values.setdefault(trait(frame, name), []).append(frame)
            finer += values.values()
        if all(_even([where[id(frame)] for frame in part], positions) for part in finer):
            parts = finer
    return sorted(parts, key=lambda part: tuple(_sortable(trait(part[0], name)) for name in TRAITS))


def _sortable(value: str) -> tuple[float, str]:
    try:
        return float(value), ""
    except ValueError:
        return float("inf") if value else float("-inf"), value


def _even(places: list[int], positions: int) -> bool:
    counts = Counter(places)
    return len(counts) == positions and len(set(counts.values())) == 1


def _ranked(
    parts: list[list[Frame]], places: list[int], frames: list[Frame], positions: int
) -> list[list[Frame]] | None:
    """Split by a clock that runs through one stack before the next begins."""
    where = {id(frame): place for frame, place in zip(frames, places, strict=True)}
    result: list[list[Frame]] = []
    for part in parts:
        if len(part) == positions:
            result.append(part)
            continue
        for name in CLOCKS:
            stacks = _by_clock(part, where, name, positions)
            if stacks is not None:
                result += stacks
                break
        else:
            return None
    return result


def _by_clock(part: list[Frame], where: dict[int, int], name: str, positions: int) -> list[list[Frame]] | None:
    times = {id(frame): clock(frame, name) for frame in part}
    if None in times.values():
        return None
    ordered = sorted(part, key=lambda frame: times[id(frame)] or 0.0)
    stacks = [ordered[n : n + positions] for n in range(0, len(ordered), positions)]
    for stack, after in pairwise(stacks):
        if not (times[id(stack[-1])] or 0.0) < (times[id(after[0])] or 0.0):
            return None
    if any(not _even([where[id(frame)] for frame in stack], positions) for stack in stacks):
        return None
    return [sorted(stack, key=lambda frame: where[id(frame)]) for stack in stacks]


def require_uniform(stack: Stack) -> tuple[str, ...]:
    """Refuse a stack whose slices differ in what one stack has one of, and note in what else they differ.

    Raises:
        GeometryError: such a trait differs: they would be slices of two stacks.
    """
    frames = stack.frames
    notes: list[str] = []
    for name in UNIFORM:
        values = sorted({trait(frame, name) for frame in frames}, key=_sortable)
        if len(values) == len(frames) > 2 and name == "temporal":  # a counter of slices
            notes.append("Each slice has a temporal position of its own: it is taken as a number of the slice.")
        elif len(values) > 1:
            raise _mixed(f"{name} ({_shown(values)})")
    for keyword in UNIFORM_ATTRIBUTES:
        if len({content for frame in frames if (content := frame.texts(keyword))}) > 1:
            raise _mixed(keyword)
    kinds = sorted({trait(frame, "type") for frame in frames})
    if len(kinds) > 1:
        parts = [set(kind.split("\\")) for kind in kinds]
        shown, common = _shown(kinds), parts[0].intersection(*parts)
        if CONTRASTS & parts[0].union(*parts) - common:
            raise _mixed(f"type ({shown})")
        notes.append(f"The slices differ in their image type ({shown}).")
    for name in ("sequence", "filter"):
        values = sorted({trait(frame, name) for frame in frames})
        if len(values) > 1:
            notes.append(f"The slices differ in {name} ({_shown(values)}).")
    for name in ("tr", "trigger"):
        amounts = [clock(frame, name) or 0.0 for frame in frames]
        if max(amounts) > _FAR * min(amounts):
            notes.append(f"The slices differ in {name} ({min(amounts):g} to {max(amounts):g} ms).")
    return tuple(notes)


def _shown(values: Sequence[str]) -> str:
    return ", ".join(value or "none" for value in values[:4]) + (", …" if len(values) > 4 else "")


def _mixed(what: str) -> GeometryError:
    return GeometryError(
        f"the slices of this series differ in {what} and do not make up one stack for each. "
        "Export one stack per series."
    )
