"""RadiomicLens on plain arrays: what fine-tuning changed in an encoder, told in radiomic terms.

    lens = RadiomicLens(hidden=64).fit(X_pre, X_ft, R, feature_names=names)
    lens.delta_importance_      # ΔI of each radiomic feature, with delta_low_ and delta_high_
    lens.delta_explained_       # ΔE, the shift of the spread explained, which warnings_ may tell to believe instead

Method: Wang et al., *What Fine-Tuning Changes: A Radiomic Lens on Prostate Foundation Model Representations*, MIDL
2026; ``docs/methods/lens.md`` says what the paper does, what is added, and how to read a result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics.devices import resolve_device
from deepradiomics.errors import InputError
from deepradiomics.lens.config import EmbeddingScaling, FitOn, LensConfig, TargetScaling
from deepradiomics.lens.estimator import checks
from deepradiomics.lens.estimator.aligned import aligned
from deepradiomics.lens.estimator.doubt import doubt_of
from deepradiomics.lens.estimator.fitting import Evaluation, checked_options, evaluate, stage_inputs, variant_deltas
from deepradiomics.lens.estimator.heads import COLLINEAR, Head, fit_head, least_active
from deepradiomics.lens.estimator.intervals import bootstrap_intervals, corrected_residuals, noise_share
from deepradiomics.lens.estimator.null import TrainingRows, null_test, permuted_deltas
from deepradiomics.lens.estimator.parameters import Parameters
from deepradiomics.lens.estimator.projection import Projections, project, train_projections
from deepradiomics.lens.estimator.projection_settings import SWEEP, LayerFit, ProjectionSettings
from deepradiomics.lens.estimator.scale import EmbeddingScale, Stage, fit_embedding_scale, scale_pair
from deepradiomics.lens.estimator.state import lens_from_state, lens_state
from deepradiomics.lens.estimator.targets import NOT_FINITE, TargetScale, fit_targets
from deepradiomics.modelling.labelled import align_rows, column_names, in_columns, plain
from deepradiomics.options import check_choice
from deepradiomics.progress import Progress, part, silent
from deepradiomics.stats import r2_per_column

Array = NDArray[np.float64]
_DEFAULTS = LensConfig()


class RadiomicLens(Parameters):
    """Radiomic importances of an encoder before and after fine-tuning.

    Args:
        hidden: h, ReLU units of the shared layer.
        l1, l2: penalties λ1 and λ2 of its training.
        epochs, learning_rate: of its training (full-batch Adam).
        sweep: choose λ1 and λ2 among 24 pairs by the reconstruction error on the validation patients.
        fit_on: embeddings that train the shared layer: ``pre`` (the paper), ``ft``, ``both``.
        target_scaling: ``zscore`` (min-max, then z-scored) or ``minmax``.
        embedding_scaling: by mean and SD of the stage ``pre``, each its ``own``, or ``none``.
        ridge: of the heads, see :func:`deepradiomics.lens.estimator.heads.fit_head`.
        bootstraps: samples of the intervals of ΔI and ΔE; 0: none.
        permutations: of the null; 0: none. Each trains the shared layer anew.
        variants: also ΔI with standardised Z, and with the shared layer trained on ft and on both.
        seed: of split, initial weights, bootstrap and permutations.
        device: trains the shared layer; the heads are solved in float64 on the CPU.

    Learned (columns dropped from the targets hold NaN):
        importance_pre_, importance_ft_, delta_importance_: I = ‖θ_k‖₂ and ΔI = I_ft − I_pre, (K,).
        delta_low_, delta_high_: 95 % interval of ΔI, (K,), or None.
        p_null_, q_null_, p_family_: of the permutation null, (K,), or None.
        explained_pre_, explained_ft_, delta_explained_: E = SD of the fitted target without what noise adds to it, and
            ΔE, (K,): the reading that follows neither the size nor the axes of the embeddings.
        delta_explained_low_, delta_explained_high_, p_explained_, q_explained_, p_family_explained_: as those of ΔI.
        r2_pre_, r2_ft_, mse_pre_, mse_ft_: on the test patients, (K,); MSE in units of the scaled targets.
        r2_mean_pre_, r2_mean_ft_, r2_pooled_pre_, r2_pooled_ft_: over all features.
        squared_error_pre_, squared_error_ft_: (n_test, K); total_squares_: mean squared deviation on test, (K,).
        noise_pre_, noise_ft_: share of I² that estimation noise alone would give, (K,).
        coef_pre_, coef_ft_ (K, h), intercept_pre_, intercept_ft_ (K,): heads, for scaled targets.
        weights_ (h, d), bias_ (h,): the shared layer. l1_, l2_: penalties used.
        variants_: ΔI by name: ``standardised``, ``fit_ft``, ``fit_both``.
        kept_ (K,), dropped_ [(name, reason)], feature_names_ [(modality, feature)], ids_, split_, groups_, sweep_,
        permuted_, permuted_explained_: ΔI and ΔE (permutations, K) or None, warnings_.
    """

    def __init__(
        self,
        *,
        hidden: int = _DEFAULTS.hidden,
        l1: float = _DEFAULTS.l1,
        l2: float = _DEFAULTS.l2,
        epochs: int = _DEFAULTS.epochs,
        learning_rate: float = _DEFAULTS.learning_rate,
        sweep: bool = _DEFAULTS.sweep,
        fit_on: FitOn = _DEFAULTS.fit_on,
        target_scaling: TargetScaling = _DEFAULTS.target_scaling,
        embedding_scaling: EmbeddingScaling = _DEFAULTS.embedding_scaling,
        ridge: float = _DEFAULTS.ridge,
        bootstraps: int = _DEFAULTS.bootstraps,
        permutations: int = _DEFAULTS.permutations,
        variants: bool = _DEFAULTS.variants,
        seed: int = 0,
        device: str = "auto",
    ) -> None:
        self.hidden, self.l1, self.l2 = hidden, l1, l2
        self.epochs, self.learning_rate, self.sweep = epochs, learning_rate, sweep
        self.fit_on, self.target_scaling, self.embedding_scaling = fit_on, target_scaling, embedding_scaling
        self.ridge, self.bootstraps, self.permutations, self.variants = ridge, bootstraps, permutations, variants
        self.seed, self.device = seed, device

    def fit(
        self,
        X_pre: ArrayLike,
        X_ft: ArrayLike,
        R: ArrayLike,
        *,
        split: Sequence[str] | None = None,
        groups: Sequence[Any] | None = None,
        ids: Sequence[str] | None = None,
        ids_ft: Sequence[str] | None = None,
        feature_names: Sequence[Any] | None = None,
        store: Path | None = None,
        progress: Progress | None = None,
    ) -> RadiomicLens:
        """Learn the shared layer and both heads on the training patients, and score on the test patients.

        Args:
            X_pre, X_ft: embeddings before and after fine-tuning, (n, d), rows in the same order. Data frames are
                aligned by their index (with ``ids``, where given) and columns, or refused; ``warnings_`` tells what was
                put in order. Arrays are taken by position, in the order of ``ids`` or of X_pre.
            R: radiomics (n, K), (n,) for a single one, or (n, M, features) for M modalities; columns of a data frame
                are the feature names where none are given.
            split: ``train``, ``validation`` or ``test`` of each row; None: 7:1:2 by patient.
            groups: patient of each row; None: every row is a patient of its own.
            ids: names of the rows, for messages; ids_ft: those of X_ft, to check the order.
            feature_names: K names, or (modality, feature) pairs.
            store: folder where finished permutations are kept by content, so that a fit that was stopped goes on.
            progress: may raise Cancelled.

        Raises:
            InputError: the arrays, the split or an option cannot be used; the message names the case or argument.
        """
        say = progress or silent
        checked_options(self.get_params())
        given = aligned(X_pre, X_ft, R, split, groups, ids, feature_names)
        self.embedding_names_, self.target_names_ = column_names(X_pre), column_names(R)
        feature_names, split, groups = given.feature_names, given.split, given.groups
        pre, ft, self.ids_ = checks.checked_pair(given.pre, given.ft, given.ids, ids_ft)
        for name, values in (("X_pre", pre), ("X_ft", ft)):
            checks.check_varies(values, name)
        targets, modalities = checks.checked_targets(given.targets, len(pre))
        self.feature_names_ = checks.checked_names(feature_names, targets.shape[1], modalities)
        self.groups_ = checks.checked_groups(groups, len(pre))
        self.split_ = checks.checked_split(split, self.groups_, self.ids_, self.seed, self.sweep)
        train, test = self.split_ == "train", self.split_ == "test"
        checks.check_enough(int(train.sum()), self.hidden, self.ridge)
        device = resolve_device(self.device)

        names = [checks.label(pair) for pair in self.feature_names_]
        self._targets = fit_targets(targets, train, names, self.ids_, self.target_scaling)
        self._embeddings = fit_embedding_scale(pre[train], ft[train], self.embedding_scaling)
        Y = self._targets.scaled(targets)
        scaled = self._embeddings.pair(pre, ft)
        self.warnings_: list[str] = list(given.notes)
        lacking = [name for name, reason in self._targets.dropped if reason.startswith(NOT_FINITE)]
        if lacking:
            self.warnings_.append(
                f"{len(lacking)} of {targets.shape[1]} columns of R are left out because some case has no finite "
                f"number there (the first: {lacking[0]}); dropped_ lists them."
            )

        layer = self._train(scaled, Y, device, part(say, 0.0, 0.3))
        self.weights_, self.bias_ = layer.weights[0], layer.bias[0]
        heads, Z = self._heads(scaled, Y, train)
        self._keep(heads, evaluate(heads, Z, Y, test))
        self._deviations(heads, Z, Y, train, part(say, 0.35, 0.6))
        self.variants_ = {}
        if self.variants:
            found = variant_deltas(
                (scaled, Y, train), heads, Z, self.fit_on, self._layer_fit(device), part(say, 0.6, 0.75)
            )
            self.variants_ = {name: self._all(delta) for name, delta in found.items()}
        self._test_null(pre[train], ft[train], Y[train], self.groups_[train], device, store, part(say, 0.75, 1.0))
        return self

    def transform(self, X: ArrayLike, stage: Stage = "pre") -> Array:
        """Z (n, h) of embeddings X (n, d) of one stage."""
        self._check_fitted()
        check_choice("stage", stage, ("pre", "ft"))
        X = in_columns(plain(X), column_names(X), getattr(self, "embedding_names_", None), "X")
        values = checks.checked_embeddings(X, "X", d=self.weights_.shape[1])
        return project(self._embeddings.scaled(values, stage), self.weights_, self.bias_)

    def predict(self, X: ArrayLike, stage: Stage = "pre") -> Array:
        """Radiomics R̂ (n, K) in their own units from embeddings of one stage; NaN for dropped columns."""
        Z = self.transform(X, stage)
        coef, intercept = (
            (self.coef_pre_, self.intercept_pre_) if stage == "pre" else (self.coef_ft_, self.intercept_ft_)
        )
        return self._targets.unscaled(Z @ coef[self.kept_].T + intercept[self.kept_])

    def score(self, X: ArrayLike, R: ArrayLike, stage: Stage = "pre") -> float:
        """Mean R² over the features in use, of radiomics R read from embeddings of one stage."""
        predicted = self.predict(X, stage)
        rows = align_rows({"X": X, "R": R})[0]["R"]
        R = in_columns(rows, column_names(R), getattr(self, "target_names_", None), "R")
        truth, _ = checks.checked_targets(R, len(predicted))
        if truth.shape != predicted.shape:
            raise InputError(f"R: expected {predicted.shape[1]} targets as in the fit, got {truth.shape[1]}.")
        r2 = r2_per_column(truth[:, self.kept_], predicted[:, self.kept_])
        return float(np.nanmean(r2)) if np.isfinite(r2).any() else float("nan")

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Everything learned, as arrays and a description that JSON can hold."""
        self._check_fitted()
        return lens_state(self)

    @classmethod
    def from_state(cls, tensors: Mapping[str, Any], info: Mapping[str, Any]) -> RadiomicLens:
        """The lens that :meth:`state` described."""
        return lens_from_state(cls, tensors, info)

    def _settings(self) -> ProjectionSettings:
        return ProjectionSettings(self.hidden, self.epochs, self.learning_rate, self.seed)

    def _layer_fit(self, device: str) -> LayerFit:
        return LayerFit((self.l1_, self.l2_), self._settings(), self.ridge, device)

    def _train(self, scaled: tuple[Array, Array], Y: Array, device: str, say: Progress) -> Projections:
        """The shared layer; with the sweep, the best of 24."""
        train, held = self.split_ == "train", self.split_ == "validation"
        X, targets = stage_inputs(scaled, Y, train, self.fit_on)
        pairs = SWEEP if self.sweep else ((self.l1, self.l2),)
        first, second = (np.array(column, np.float64) for column in zip(*pairs, strict=True))
        validation = stage_inputs(scaled, Y, held, self.fit_on) if held.any() else None
        trained = train_projections(
            X, targets, first, second, self._settings(), validation=validation, device=device, progress=say
        )
        losses = trained.validation_loss if validation is not None else trained.train_loss
        best = int(np.argmin(losses)) if losses is not None else 0
        self.l1_, self.l2_ = pairs[best]
        self.sweep_ = [
            {
                "l1": a,
                "l2": b,
                "train_loss": float(trained.train_loss[i]),
                "validation_loss": float("nan")
                if trained.validation_loss is None
                else float(trained.validation_loss[i]),
                "chosen": i == best,
            }
            for i, (a, b) in enumerate(pairs)
        ]
        return Projections(trained.weights[[best]], trained.bias[[best]], trained.train_loss[[best]], None)

    def _heads(
        self, scaled: tuple[Array, Array], Y: Array, train: NDArray[np.bool_]
    ) -> tuple[tuple[Head, Head], tuple[Array, Array]]:
        """Both heads, and Z of all rows; one head for both where the stages are equal."""
        same = np.array_equal(*scaled)
        Z_pre = project(scaled[0], self.weights_, self.bias_)
        Z_ft = Z_pre if same else project(scaled[1], self.weights_, self.bias_)
        pre = fit_head(Z_pre[train], Y[train], self.ridge)
        ft = pre if same else fit_head(Z_ft[train], Y[train], self.ridge)
        for stage, head in (("before", pre), ("after", ft)):
            if head.dead.all():
                raise InputError(
                    f"X_{'pre' if stage == 'before' else 'ft'}: all {self.hidden} hidden units are dead {stage} "
                    "fine-tuning: for hardly any training case do they differ from their lowest value, so nothing can "
                    "be read. The embeddings hardly vary, or lie far from those of the other stage; see "
                    "embedding_scaling='own' and fit_on='both'."
                )
            if head.dead.any():
                self.warnings_.append(
                    f"{int(head.dead.sum())} of {self.hidden} hidden units are active for fewer than "
                    f"{least_active(int(train.sum()))} training cases {stage} fine-tuning (dead ReLU units); their "
                    "weights are 0."
                )
            if head.singular:
                self.warnings_.append(
                    f"Z Zᵀ {stage} fine-tuning is singular: a ridge of {self.ridge:g} was added. Importances then "
                    "depend on it; fewer hidden units are safer."
                )
            elif head.condition > COLLINEAR:
                self.warnings_.append(
                    f"The hidden units are almost collinear {stage} fine-tuning (condition number of Z: "
                    f"{head.condition:.0f}): their weights are huge and cancel each other, so ΔI cannot be read. Read "
                    "ΔE, or take fewer hidden units."
                )
        return (pre, ft), (Z_pre, Z_ft)

    def _keep(self, heads: tuple[Head, Head], found: tuple[Evaluation, Evaluation]) -> None:
        """Importances, heads and scores as attributes of all K columns."""
        self.kept_, self.dropped_ = self._targets.kept, list(self._targets.dropped)
        for stage, head, scores in zip(("pre", "ft"), heads, found, strict=True):
            setattr(self, f"coef_{stage}_", self._all(head.coef.T).T)
            setattr(self, f"intercept_{stage}_", self._all(head.intercept))
            setattr(self, f"importance_{stage}_", self._all(head.importance))
            setattr(self, f"explained_{stage}_", self._all(head.explained))
            setattr(self, f"squared_error_{stage}_", self._all(scores.squared_error))
            setattr(self, f"mse_{stage}_", self._all(scores.squared_error.mean(0)))
            setattr(self, f"r2_{stage}_", self._all(scores.r2))
            setattr(self, f"r2_mean_{stage}_", scores.r2_mean)
            setattr(self, f"r2_pooled_{stage}_", scores.r2_pooled)
        self.total_squares_ = self._all(found[0].total_squares)
        self.delta_importance_ = self.importance_ft_ - self.importance_pre_
        self.delta_explained_ = self.explained_ft_ - self.explained_pre_

    def _deviations(
        self, heads: tuple[Head, Head], Z: tuple[Array, Array], Y: Array, train: NDArray[np.bool_], say: Progress
    ) -> None:
        """Intervals of ΔI and ΔE, and how much of I is noise."""
        residuals = [corrected_residuals(head, rows[train], Y[train]) for head, rows in zip(heads, Z, strict=True)]
        shares = [noise_share(head, rest) for head, rest in zip(heads, residuals, strict=True)]
        self.noise_pre_, self.noise_ft_ = (self._all(share) for share in shares)
        doubt = doubt_of(heads[0].importance, heads[1].importance, *shares)
        if doubt:
            self.warnings_.append(
                f"{doubt} There are {int(train.sum())} training cases for hidden={self.hidden}: more patients or fewer "
                "units leave less noise."
            )
        self.delta_low_ = self.delta_high_ = self.delta_explained_low_ = self.delta_explained_high_ = None
        if self.bootstraps:
            spread = bootstrap_intervals(
                heads, (residuals[0], residuals[1]), self.groups_[train], self.bootstraps, self.seed, progress=say
            )
            self.delta_low_, self.delta_high_ = self._all(spread.low), self._all(spread.high)
            self.delta_explained_low_ = self._all(spread.explained_low)
            self.delta_explained_high_ = self._all(spread.explained_high)

    def _test_null(
        self,
        X_pre: Array,
        X_ft: Array,
        Y: Array,
        groups: NDArray[np.intp],
        device: str,
        store: Path | None,
        say: Progress,
    ) -> None:
        """p-values under swapped labels."""
        self.p_null_ = self.q_null_ = self.p_family_ = self.permuted_ = None
        self.p_explained_ = self.q_explained_ = self.p_family_explained_ = self.permuted_explained_ = None
        if self.permutations:
            everyone = np.ones(len(Y), bool)
            rows = TrainingRows(
                X_pre,
                X_ft,
                Y,
                groups,
                scaled=lambda a, b: scale_pair(a, b, self.embedding_scaling),
                inputs=lambda a, b: stage_inputs((a, b), Y, everyone, self.fit_on)[0],
                key=(self.fit_on, self.embedding_scaling),
            )
            permuted, explained = permuted_deltas(
                rows, self._layer_fit(device), self.permutations, self.seed, store=store, progress=say
            )
            test = null_test(self.delta_importance_[self.kept_], permuted)
            self.permuted_, self.permuted_explained_ = self._all(permuted), self._all(explained)
            self.p_null_, self.q_null_, self.p_family_ = (self._all(p) for p in (test.p, test.q, test.p_family))
            test = null_test(self.delta_explained_[self.kept_], explained)
            self.p_explained_, self.q_explained_ = self._all(test.p), self._all(test.q)
            self.p_family_explained_ = self._all(test.p_family)

    def _all(self, values: Array) -> Array:
        """Values of the columns in use (last axis) among all K; NaN elsewhere."""
        kept = self._targets.kept
        out = np.full((*values.shape[:-1], len(kept)), np.nan)
        out[..., kept] = values
        return out

    def _check_fitted(self) -> None:
        if not hasattr(self, "delta_importance_"):
            raise InputError("This RadiomicLens is not fitted: call fit(X_pre, X_ft, R) first.")

    # Set by fit through setattr, by stage; declared for type checkers.
    _targets: TargetScale
    _embeddings: EmbeddingScale
    coef_pre_: Array
    coef_ft_: Array
    intercept_pre_: Array
    intercept_ft_: Array
    importance_pre_: Array
    importance_ft_: Array
    explained_pre_: Array
    explained_ft_: Array
    squared_error_pre_: Array
    squared_error_ft_: Array
    mse_pre_: Array
    mse_ft_: Array
    r2_pre_: Array
    r2_ft_: Array
    r2_mean_pre_: float
    r2_mean_ft_: float
    r2_pooled_pre_: float
    r2_pooled_ft_: float
