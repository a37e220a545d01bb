"""Arrays in, numbers out: what the tables say about classifiers, with intervals and tests."""

from deepradiomics.stats.auc_bootstrap import (
    BootstrapDifference,
    bootstrap_auc_difference,
    bootstrap_aucs,
    bootstrap_p,
)
from deepradiomics.stats.bootstrap import bootstrap_ci
from deepradiomics.stats.calibration import CalibrationPoint, brier, calibration_curve
from deepradiomics.stats.classification import (
    accuracy,
    classification_rates,
    confusion_matrix,
    multiclass_auc,
    wilson_ci,
)
from deepradiomics.stats.fit import r2_per_column, r2_pooled
from deepradiomics.stats.friedman import Friedman, friedman
from deepradiomics.stats.interval import Interval
from deepradiomics.stats.kappa import quadratic_weighted_kappa
from deepradiomics.stats.multiplicity import benjamini_hochberg, bonferroni
from deepradiomics.stats.overlap import dice, jaccard, mean_pairwise_jaccard
from deepradiomics.stats.paired import SignedRank, wilcoxon_signed_rank
from deepradiomics.stats.roc import auc, delong_ci, delong_test, delong_unpaired, roc_curve, youden
from deepradiomics.stats.tests import holm, mcnemar

__all__ = [
    "BootstrapDifference",
    "CalibrationPoint",
    "Friedman",
    "Interval",
    "SignedRank",
    "accuracy",
    "auc",
    "benjamini_hochberg",
    "bonferroni",
    "bootstrap_auc_difference",
    "bootstrap_aucs",
    "bootstrap_ci",
    "bootstrap_p",
    "brier",
    "calibration_curve",
    "classification_rates",
    "confusion_matrix",
    "delong_ci",
    "delong_test",
    "delong_unpaired",
    "dice",
    "friedman",
    "holm",
    "jaccard",
    "mcnemar",
    "mean_pairwise_jaccard",
    "multiclass_auc",
    "quadratic_weighted_kappa",
    "r2_per_column",
    "r2_pooled",
    "roc_curve",
    "wilcoxon_signed_rank",
    "wilson_ci",
    "youden",
]
