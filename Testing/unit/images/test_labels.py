"""One rule for labels: named, the only one, or refused with the list."""

import numpy as np
import pytest

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Geometry, Mask, Segment, chosen_labels, listed_labels

GRID = Geometry((4, 4, 2))


def mask_of(*labels: int, **segments: str) -> Mask:
    voxels = np.zeros(GRID.shape, np.uint8)
    for place, label in enumerate(labels):
        voxels[0, 0, place] = label
    return Mask(voxels, GRID, "mask", segments={int(key[1:]): name for key, name in segments.items()})


def test_the_only_label_is_taken_and_a_note_tells_which_it_was() -> None:
    choice = chosen_labels(mask_of(3, s3="core"))
    assert choice.labels == (3,)
    assert "3 (core)" in choice.notes[0]


def test_several_labels_and_none_named_are_refused_with_the_list() -> None:
    with pytest.raises(MaskError, match=r"Case 7: it has 2 labels: 1 \(core\), 3\. Say which is meant"):
        chosen_labels(mask_of(1, 3, s1="core"), where="Case 7")


def test_a_label_is_named_by_number_by_segment_or_all() -> None:
    mask = mask_of(1, 3, s1="core", s3="rim")
    assert chosen_labels(mask, label=3).labels == (3,)
    assert chosen_labels(mask, segment="rim").labels == (3,)
    assert chosen_labels(mask, all_labels=True).labels == (1, 3)
    with pytest.raises(InputError, match="give one of"):
        chosen_labels(mask, label=3, segment="rim")


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"label": 2}, r"no voxel has label 2; labels present: 1 \(core\), 3 \(rim\)"),
        ({"label": 0}, "no voxel has label 0"),
        ({"segment": "rimm"}, "Did you mean 'rim'"),
        ({"segment": "edge"}, r"Segments with a name: 1 \(core\), 3 \(rim\), 5 \(empty\)"),
        ({"segment": "empty"}, r"'empty' \(label 5\) is empty"),
    ],
)
def test_a_label_that_is_not_there_is_refused_with_those_that_are(choice: dict[str, object], message: str) -> None:
    with pytest.raises(MaskError, match=message):
        chosen_labels(mask_of(1, 3, s1="core", s3="rim", s5="empty"), **choice)  # type: ignore[arg-type]


def test_an_empty_mask_and_a_name_that_two_segments_bear_are_refused() -> None:
    with pytest.raises(MaskError, match="it is empty"):
        chosen_labels(mask_of())
    with pytest.raises(MaskError, match=r"2 segments are called 'core' \(labels 1, 3\)"):
        chosen_labels(mask_of(1, 3, s1="core", s3="core"), segment="core")


def test_a_segment_that_another_covers_keeps_its_whole_region() -> None:
    voxels, below = np.zeros(GRID.shape, np.uint8), np.zeros(GRID.shape, bool)
    below[0, 0, :3] = True
    voxels[0, 0, :2] = 1
    voxels[0, 0, 1:4] = 2
    mask = Mask(voxels, GRID, segments={1: Segment("core", (1, 0, 0)), 2: "rim"}, covered={1: below})
    assert mask.region(1).sum() == 3
    assert mask.region(2).sum() == 3
    assert mask.union().sum() == 4
    assert mask.labels_present() == (1, 2)
    assert listed_labels(mask) == "1 (core), 2 (rim)"
    hidden = Mask(np.where(voxels == 1, 0, voxels), GRID, covered={1: below})
    assert hidden.labels_present() == (1, 2)


def test_a_colour_is_three_numbers_of_0_to_1() -> None:
    with pytest.raises(MaskError, match="Segment core: expected a colour"):
        Segment("core", (255, 0, 0))


def test_all_labels_tells_which_segments_no_voxel_belongs_to() -> None:
    names = {f"s{label}": f"organ {label}" for label in range(2, 10)}
    assert chosen_labels(mask_of(1, 2, **names, s0="background"), all_labels=True).notes == (
        "Mask mask: no voxel belongs to 3 (organ 3), 4 (organ 4), 5 (organ 5), 6 (organ 6), 7 (organ 7) and 2 more; "
        "left out.",
    )
    assert chosen_labels(mask_of(1, 2, s1="core"), all_labels=True).notes == ()


def test_only_who_can_take_all_labels_is_offered_them() -> None:
    with pytest.raises(MaskError, match="--all-labels"):
        chosen_labels(mask_of(1, 3))
    with pytest.raises(MaskError, match=r"--segment NAME\)\.$"):
        chosen_labels(mask_of(1, 3), several=False)
