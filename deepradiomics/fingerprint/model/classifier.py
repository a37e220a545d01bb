"""The classifier R: logistic regression with first-order and pairwise terms on the weighted features w = f ⊙ q.

    logit = intercept + Σ_i β_i w_i + ½ Σ_ij B_ij w_i w_j        B symmetric with zero diagonal, one per logit

``exact`` stores the upper triangle of B. ``factorised`` is a factorisation machine, B_ij = ⟨v_i, v_j⟩ for i ≠ j with
vectors of a small rank, for pools too large for a triangle (Rendle, Factorization Machines, ICDM 2010, equation 5).
Either way the share of feature i is β_i w_i + ½ w_i Σ_j B_ij w_j, and shares and intercept sum to the logit.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from deepradiomics.errors import InputError

Pairwise = Literal["exact", "factorised", "none"]


class PairwiseLogistic(nn.Module):
    """R for C logits over D features.

    Args:
        n_features: D.
        n_outputs: C.
        pairwise: form of the second-order term.
        rank: length of the vectors v_i of the factorised form.
    """

    def __init__(self, n_features: int, n_outputs: int, pairwise: Pairwise = "exact", rank: int = 16) -> None:
        super().__init__()
        if n_features < 1 or n_outputs < 1:
            raise InputError(f"classifier: expected at least one feature and logit, got {n_features} and {n_outputs}.")
        if pairwise not in ("exact", "factorised", "none"):
            raise InputError(f"pairwise: expected 'exact', 'factorised' or 'none', got {pairwise!r}.")
        if pairwise == "factorised" and rank < 1:
            raise InputError(f"rank: expected at least 1, got {rank}.")
        self.pairwise: Pairwise = pairwise
        self.n_features, self.n_outputs = n_features, n_outputs
        self.intercept = nn.Parameter(torch.zeros(n_outputs))
        self.linear = nn.Parameter(torch.zeros(n_outputs, n_features))  # β (C, D)
        if pairwise == "exact":
            self.upper = nn.Parameter(torch.zeros(n_outputs, n_features * (n_features - 1) // 2))
        elif pairwise == "factorised":
            self.factors = nn.Parameter(torch.randn(n_outputs, n_features, rank) * 0.01)  # v (C, D, R)

    def forward(self, weighted: Tensor) -> Tensor:
        """Weighted features (B, C, D), one set per logit → logits (B, C)."""
        # Sums over thousands of products lose too much in half precision.
        with torch.autocast(weighted.device.type, enabled=False):
            weighted = self._checked(weighted)
            return self.intercept + (weighted * self.linear).sum(-1) + self._pairs(weighted)

    def contributions(self, weighted: Tensor) -> Tensor:
        """Share of each feature in each logit, (B, C, D); with the intercept the shares sum to :meth:`forward`."""
        weighted = self._checked(weighted)
        linear = weighted * self.linear
        if self.pairwise == "exact":
            partners = torch.stack([weighted[:, c] @ self.matrix(c) for c in range(self.n_outputs)], dim=1)
            return linear + 0.5 * weighted * partners
        if self.pairwise == "factorised":
            sums = torch.einsum("bcd,cdr->bcr", weighted, self.factors)
            partners = torch.einsum("bcr,cdr->bcd", sums, self.factors) - weighted * self.factors.square().sum(-1)
            return linear + 0.5 * weighted * partners
        return linear

    def matrix(self, output: int) -> Tensor:
        """B of one logit, symmetric (D, D) with zero diagonal."""
        if self.pairwise == "exact":
            upper = self._upper_matrix(output)
            return upper + upper.T
        if self.pairwise == "factorised":
            product = self.factors[output] @ self.factors[output].T
            return product - torch.diag(torch.diagonal(product))
        return self.linear.new_zeros(self.n_features, self.n_features)

    def _pairs(self, weighted: Tensor) -> Tensor:
        """½ Σ_ij B_ij w_i w_j = Σ_{i<j} B_ij w_i w_j, (B, C)."""
        if self.pairwise == "exact":
            terms = [((weighted[:, c] @ self._upper_matrix(c)) * weighted[:, c]).sum(-1) for c in range(self.n_outputs)]
            return torch.stack(terms, dim=1)
        if self.pairwise == "factorised":
            sums = torch.einsum("bcd,cdr->bcr", weighted, self.factors)
            squares = torch.einsum("bcd,cdr->bcr", weighted.square(), self.factors.square())
            return 0.5 * (sums.square() - squares).sum(-1)
        return weighted.new_zeros(())

    def _upper_matrix(self, output: int) -> Tensor:
        rows, columns = torch.triu_indices(self.n_features, self.n_features, offset=1, device=self.upper.device)
        matrix = self.upper.new_zeros(self.n_features, self.n_features)
        return matrix.index_put((rows, columns), self.upper[output])

    def _checked(self, weighted: Tensor) -> Tensor:
        if weighted.ndim != 3 or weighted.shape[1:] != (self.n_outputs, self.n_features):
            raise InputError(
                f"weighted: expected (batch, {self.n_outputs}, {self.n_features}), got {tuple(weighted.shape)}."
            )
        return weighted.to(self.linear.dtype)
