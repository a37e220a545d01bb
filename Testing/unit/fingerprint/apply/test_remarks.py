"""What the remarks say, and when they keep silent."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from deepradiomics.fingerprint.apply.remarks import feature_notes, thin_region, unlike_training, views_given
from deepradiomics.images import Case, Geometry, Volume
from deepradiomics.prepare import Box, Recipe, prepare_exam
from deepradiomics.stats.outside import OUTSIDE_LIMIT

THICK = Geometry((32, 32, 12), (1.0, 1.0, 4.0), direction=(0, 0, 1, 1, 0, 0, 0, -1, 0))  # sagittal slices
RECIPE = replace(Recipe(), views=("sagittal",), registration="off", resized_shape=(8, 16, 16))


def case(**views: Geometry) -> Case:
    rng = np.random.default_rng(0)
    return Case("one", {name: Volume(rng.normal(size=g.shape), g, name) for name, g in views.items()})


def test_a_case_unlike_the_training_cohort_is_told() -> None:
    assert unlike_training(None) == unlike_training(0.02) == unlike_training(OUTSIDE_LIMIT) == []
    assert unlike_training(0.2)[0].startswith("20% of the features lie more than 3 standard deviations")


def test_an_image_whose_slices_lie_in_another_plane_is_noticed() -> None:
    recipe = replace(RECIPE, views=("axial", "sagittal"))
    assert views_given(case(sagittal=THICK), recipe) == []
    assert views_given(case(sagittal=replace(THICK, spacing_mm=(1, 1, 1.5))), recipe) == []  # no thick axis: any plane
    assert views_given(case(axial=THICK), recipe) == [
        "The image given as axial has sagittal slices; were views exchanged?"
    ]


def test_a_view_that_the_model_does_not_use_is_named() -> None:
    assert views_given(case(sagittal=THICK, t2=THICK), RECIPE) == ["The view 't2' is not used by this model."]


def test_a_region_thinner_than_its_voxels_is_flagged() -> None:
    knee = case(sagittal=THICK)
    centre = THICK.centre_mm
    thin = prepare_exam(knee, RECIPE, roi=Box(centre, (20.0, 20.0, 4.0), THICK.axes))
    assert "2 mm, less than a voxel of the sagittal view" in thin_region(thin, knee, RECIPE)[0]
    thick = prepare_exam(knee, RECIPE, roi=Box(centre, (20.0, 20.0, 8.0), THICK.axes))
    assert thin_region(thick, knee, RECIPE) == []


def test_grey_levels_are_told_without_counts_of_nothing() -> None:
    pool = SimpleNamespace(pool=np.zeros(3))
    levels = [[10, 17], [20, 15]]
    (note,) = feature_notes({"grey_levels": levels}, pool)  # type: ignore[arg-type]
    assert note.endswith("range from 10 to 20: 2 of fewer than 16, where texture says little.")
    assert feature_notes({"grey_levels": [[20, 30]]}, pool) == []  # type: ignore[arg-type]
    (note,) = feature_notes({}, SimpleNamespace(pool=np.array([1.0, np.nan])))  # type: ignore[arg-type]
    assert note.endswith("1 feature of the pool.")
