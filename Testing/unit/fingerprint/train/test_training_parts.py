"""Tasks, scaling, loss and augmentation, worked by hand."""

import math

import numpy as np
import pytest
import torch

from deepradiomics.errors import BundleError, InputError, ManifestError
from deepradiomics.fingerprint.model.scaling import Scaling, fit_scaling
from deepradiomics.fingerprint.model.tasks import Task, class_indices, output_slices, probabilities, task_of_output
from deepradiomics.fingerprint.train.loss import class_weights, joint_cross_entropy
from deepradiomics.training.augment import augment

BINARY, GRADE = Task("acl", (0, 1)), Task("grade", (1, 2, 4))


def test_logits_stand_side_by_side() -> None:
    assert output_slices([BINARY, GRADE, BINARY]) == (slice(0, 1), slice(1, 4), slice(4, 5))
    assert task_of_output([BINARY, GRADE, BINARY]) == (0, 1, 1, 1, 2)


def test_probabilities_of_both_kinds_of_task() -> None:
    binary, grade = probabilities(np.array([[0.0, math.log(1), math.log(2), math.log(5)]]), [BINARY, GRADE])
    assert binary.tolist() == [0.5]
    np.testing.assert_allclose(grade, [[1 / 8, 2 / 8, 5 / 8]])


def test_labels_become_class_indices() -> None:
    assert class_indices([{"acl": 1, "grade": 4}, {"acl": 0, "grade": 1}], [BINARY, GRADE]).tolist() == [[1, 2], [0, 0]]
    with pytest.raises(ManifestError, match=r"case 1, task 'grade': expected one of the classes \(1, 2, 4\), got 3"):
        class_indices([{"acl": 1, "grade": 3}], [BINARY, GRADE])


def test_a_task_of_one_class_is_refused() -> None:
    with pytest.raises(ManifestError, match="at least two distinct classes"):
        Task("acl", (1,))


def test_scaling_drops_constants_and_standardises_with_the_training_cases() -> None:
    scaling = fit_scaling(np.array([[5.0, 1.0, 1e9], [5.0, 3.0, 1e9 + 1e-3]]), clip_z=0)
    assert scaling.kept.tolist() == [1]  # the last varies within rounding only
    np.testing.assert_array_equal(scaling.transform(np.array([[9.0, 4.0, 0.0]])), [[2.0]])


def test_wild_values_are_clipped_and_undefined_ones_are_average() -> None:
    scaling = fit_scaling(np.array([[0.0, 0.0], [2.0, 2.0], [1.0, np.nan]]), clip_z=5.0)
    assert scaling.kept.tolist() == [0, 1]
    assert scaling.mean.tolist() == [1.0, 1.0]
    assert scaling.transform(np.array([[1e12, np.nan], [-1e12, np.inf]])).tolist() == [[5.0, 0.0], [-5.0, 0.0]]


def test_a_column_undefined_in_most_training_cases_is_dropped() -> None:
    pool = np.array([[0.0, np.nan, np.nan], [1.0, np.nan, 2.0], [2.0, 1.0, np.nan], [4.0, np.nan, 1.0]])
    assert fit_scaling(pool).kept.tolist() == [0]


def test_scaling_survives_a_bundle() -> None:
    scaling = fit_scaling(np.random.default_rng(0).normal(size=(5, 4)), use=np.array([True, False, True, True]))
    again = Scaling.from_tensors(scaling.to_tensors())
    np.testing.assert_array_equal(again.kept, scaling.kept)
    np.testing.assert_array_equal(again.mean, scaling.mean)
    assert (again.clip_z, again.pool_size) == (5.0, 4)
    with pytest.raises(BundleError, match="feature scaling are missing"):
        Scaling.from_tensors({})


def test_images_all_alike_are_explained() -> None:
    with pytest.raises(InputError, match="every feature is the same"):
        fit_scaling(np.ones((4, 3)))


def test_joint_loss_by_hand() -> None:
    logits = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    labels = torch.tensor([[0, 2], [1, 0]])
    even = class_weights(labels.numpy(), [BINARY, GRADE], balance=False)
    assert joint_cross_entropy(logits, labels, [BINARY, GRADE], even).item() == pytest.approx(math.log(2) + math.log(3))


def test_balanced_classes_weigh_the_same_in_sum() -> None:
    labels = np.array([[0], [0], [0], [1]])
    (weight,) = class_weights(labels, [BINARY], balance=True)
    assert weight.tolist() == pytest.approx([4 / 6, 2.0])
    assert 3 * weight[0] == pytest.approx(float(weight[1]))


def test_augmentation_moves_whole_voxels_and_depends_on_its_generator() -> None:
    images = torch.arange(1.0, 1 + 2 * 2 * 3 * 4 * 5).reshape(2, 2, 3, 4, 5)
    one = augment(images, (1, 1, 1), 0.0, torch.Generator().manual_seed(3))
    same = augment(images, (1, 1, 1), 0.0, torch.Generator().manual_seed(3))
    assert torch.equal(one, same)
    assert one.shape == images.shape
    assert set(one.unique().tolist()) <= {0.0, *images.unique().tolist()}
    assert torch.equal(augment(images, (0, 0, 0), 0.0, torch.Generator()), images)


def test_a_shift_moves_all_views_of_an_exam_together() -> None:
    image = torch.zeros(1, 2, 5, 5, 5)
    image[0, :, 2, 2, 2] = 1.0
    moved = augment(image, (2, 2, 2), 0.0, torch.Generator().manual_seed(1))
    places = [tuple(torch.nonzero(view)[0].tolist()) for view in moved[0]]
    assert places[0] == places[1] != (2, 2, 2)
