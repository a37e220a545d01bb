"""R is the formula it claims to be, and its contributions with the intercept are the logit."""

import pytest
import torch

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.model.classifier import Pairwise, PairwiseLogistic

FORMS: list[Pairwise] = ["exact", "factorised", "none"]


def filled(form: Pairwise, features: int = 7, outputs: int = 3) -> PairwiseLogistic:
    torch.manual_seed(1)
    head = PairwiseLogistic(features, outputs, form, rank=2)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.normal_()
    return head.double()


def test_three_features_by_hand() -> None:
    head = PairwiseLogistic(3, 1, "exact")
    with torch.no_grad():
        head.intercept.fill_(0.5)
        head.linear.copy_(torch.tensor([[1.0, 2.0, 3.0]]))
        head.upper.copy_(torch.tensor([[10.0, 20.0, 30.0]]))  # B_12, B_13, B_23
    w = torch.tensor([[[1.0, -1.0, 2.0]]])
    # 0.5 + (1 - 2 + 6) + (10·1·-1 + 20·1·2 + 30·-1·2) = 0.5 + 5 - 30
    assert head(w).item() == pytest.approx(-24.5)
    # first feature: 1 + ½·1·(10·-1 + 20·2)
    assert head.contributions(w)[0, 0].tolist() == pytest.approx([16.0, -2 + 0.5 * -1 * 70, 6 + 0.5 * 2 * -10])


@pytest.mark.parametrize("form", FORMS)
def test_the_logit_is_the_quadratic_form_of_a_symmetric_matrix(form: Pairwise) -> None:
    head = filled(form)
    w = torch.randn(4, 3, 7, dtype=torch.float64)
    for c in range(3):
        matrix = head.matrix(c)
        assert torch.equal(matrix, matrix.T)
        assert (torch.diagonal(matrix) == 0).all()
        expected = (
            head.intercept[c] + w[:, c] @ head.linear[c] + 0.5 * torch.einsum("bi,ij,bj->b", w[:, c], matrix, w[:, c])
        )
        torch.testing.assert_close(head(w)[:, c], expected)


@pytest.mark.parametrize("form", FORMS)
def test_contributions_and_intercept_sum_to_the_logit(form: Pairwise) -> None:
    head = filled(form)
    w = torch.randn(4, 3, 7, dtype=torch.float64)
    total = head.contributions(w).sum(-1) + head.intercept
    torch.testing.assert_close(total, head(w))


def test_a_feature_that_is_not_selected_contributes_nothing() -> None:
    head = filled("exact")
    w = torch.randn(1, 3, 7, dtype=torch.float64)
    w[..., 2] = 0
    assert (head.contributions(w)[..., 2] == 0).all()


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(InputError, match=r"weighted: expected \(batch, 3, 7\), got \(2, 7\)"):
        filled("none")(torch.zeros(2, 7))
