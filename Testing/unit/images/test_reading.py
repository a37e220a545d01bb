"""Reading: the choices of a run on the way from the command line to each case."""

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry, Mask, MaskOptions, ReadOptions, Segment
from deepradiomics.images.reading import Reading

MASK = Mask(np.array([[[1, 2, 7]]], np.uint8), Geometry((3, 1, 1)))


def test_names_and_colours_of_a_list_reach_the_mask_and_survive_storing() -> None:
    reading = Reading(names=((1, Segment("liver", (1, 0.5, 0))), (2, "spleen")))
    stored = reading.to_dict()
    assert stored == {"names": [[1, "liver", [1, 0.5, 0]], [2, "spleen"]]}
    assert Reading.from_dict(stored) == reading
    mask = Reading.from_dict(stored).named(MASK)
    assert mask.segments == {1: Segment("liver", (1, 0.5, 0)), 2: Segment("spleen")}
    assert "has none for labels 7" in mask.notes[0]


def test_all_choices_survive_storing_and_none_leaves_nothing() -> None:
    reading = Reading(ReadOptions("echo=2", None, True), MaskOptions(0.3, True), segment="blood", only_label=True)
    assert Reading.from_dict(reading.to_dict()) == reading
    assert Reading().to_dict() == {}


@pytest.mark.parametrize(
    "names", [[[1]], [["a", "b"]], [[1, "a", [2, 0, 0]]], [[1, "a", ["red"]]], [[1, "a", 3]], [3], [[1, "a", [0], 5]]]
)
def test_stored_names_that_are_none_are_refused(names: object) -> None:
    with pytest.raises(InputError):
        Reading.from_dict({"names": names})


def test_a_row_names_its_own_label_or_segment_before_the_run() -> None:
    run = Reading(all_labels=True)
    assert run.for_row(None, None) is run
    assert run.for_row(7, None) == Reading(label=7)
    assert run.for_row(None, "liver") == Reading(segment="liver")
