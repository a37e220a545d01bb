"""Which labels of a mask are meant: one rule for every command, every method and the engine."""

import difflib
from dataclasses import dataclass

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images.volume import Mask

_LISTED = 20  # labels named in a message
_FEW = 5  # empty segments named in a note


@dataclass(frozen=True)
class LabelChoice:
    """The labels that are meant, in ascending order.

    Attributes
    ----------
    labels
        One or more labels of the mask.
    notes
        Says which label was taken where none was named.
    """

    labels: tuple[int, ...]
    notes: tuple[str, ...] = ()


def chosen_labels(
    mask: Mask,
    *,
    label: int | None = None,
    segment: str | None = None,
    all_labels: bool = False,
    where: str = "",
    several: bool = True,
) -> LabelChoice:
    """Say which labels of a mask are meant.

    A mask with exactly one label needs no name, and a note tells which it was. With several labels the user names one
    by number or by the segment's name, or takes all of them in turn; nothing is guessed.

    Args:
        mask: the mask.
        label: the label's number.
        segment: the segment's name.
        all_labels: every label of the mask.
        where: how messages call the mask, such as ``Case 7, baseline mask``.
        several: whether the caller can take all labels, so that the message offers it.

    Raises:
        InputError: more than one of ``label``, ``segment`` and ``all_labels`` is given.
        MaskError: the mask is empty, lacks what is named, or has several labels and none is named.
    """
    name = where or mask.called
    if (label is not None) + (segment is not None) + bool(all_labels) > 1:
        raise InputError(f"{name}: give one of label, segment and all labels, not two of them.")
    present = mask.labels_present()
    if not present:
        raise MaskError(f"{name}: it is empty, no voxel has a label. Draw a region first.")
    if all_labels:
        return LabelChoice(present, _empty_segments(mask, name))
    if segment is not None:
        return LabelChoice((_label_of(mask, segment, name),))
    if label is not None:
        if label == 0 or label not in present:
            raise MaskError(f"{name}: no voxel has label {label}; labels present: {listed_labels(mask)}.")
        return LabelChoice((int(label),))
    if len(present) > 1:
        every = ", or take every one (--all-labels, or --merge-labels as one region)" if several else ""
        raise MaskError(
            f"{name}: it has {len(present)} labels: {listed_labels(mask)}. Say which is meant (--label NUMBER or "
            f"--segment NAME){every}."
        )
    return LabelChoice(present, (f"{name}: its only label was taken, {listed_labels(mask)}.",))


def listed_labels(mask: Mask) -> str:
    """The labels of a mask for a message, with the names of their segments: ``1 (core), 2 (rim)``."""
    labels = mask.labels_present()
    names = mask.segment_names
    shown = [f"{label} ({names[label]})" if names.get(label) else str(label) for label in labels[:_LISTED]]
    more = f" and {len(labels) - _LISTED} more" if len(labels) > _LISTED else ""
    return ", ".join(shown) + more


def _empty_segments(mask: Mask, name: str) -> tuple[str, ...]:
    """A note on the segments that no voxel belongs to, which "all labels" therefore lacks."""
    present = mask.labels_present()
    empty = [f"{label} ({text})" for label, text in mask.segment_names.items() if label and label not in present]
    if not empty:
        return ()
    more = f" and {len(empty) - _FEW} more" if len(empty) > _FEW else ""
    return (f"{name}: no voxel belongs to {', '.join(empty[:_FEW])}{more}; left out.",)


def _label_of(mask: Mask, segment: str, name: str) -> int:
    names = mask.segment_names
    labels = [label for label, known in names.items() if known == segment]
    if len(labels) > 1:
        raise MaskError(
            f"{name}: {len(labels)} segments are called {segment!r} (labels {', '.join(map(str, labels))}). Name one "
            "by its label."
        )
    if not labels:
        near = difflib.get_close_matches(segment, [known for known in names.values() if known], n=1, cutoff=0.6)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        known = ", ".join(f"{label} ({text})" for label, text in list(names.items())[:_LISTED] if text)
        raise MaskError(
            f"{name}: no segment is called {segment!r}.{hint} Segments with a name: {known or 'none'}; labels present: "
            f"{listed_labels(mask) or 'none'}."
        )
    if labels[0] not in mask.labels_present():
        raise MaskError(f"{name}: segment {segment!r} (label {labels[0]}) is empty, no voxel belongs to it.")
    return labels[0]
