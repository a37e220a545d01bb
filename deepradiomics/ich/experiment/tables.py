"""The tables of an experiment: their columns, and the rows of the predictions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from deepradiomics.ich.experiment.scores import Predicted

COLUMNS: dict[str, tuple[str, ...]] = {
    name: tuple(columns.split(","))
    for name, columns in {
        "cells": "outcome,input,classifier,cohort,fold,n,positives,auc,auc_low,auc_high,f1,sensitivity,specificity,"
        "ppv,npv,threshold,brier",
        "summary": "outcome,input,classifier,auc_mean,auc_sd,auc_pooled,auc_low,auc_high,external_auc,external_low,"
        "external_high",
        "differences": "outcome,cohort,classifier,input,reference,auc,auc_reference,difference,low,high,p_delong,"
        "p_holm,p_bootstrap",
        "friedman": "outcome,cohort,statistic,df,p,blocks,pipelines",
        "wilcoxon": "outcome,cohort,input_a,input_b,median_difference,statistic,p,p_bonferroni,p_holm,p_bh",
        "sex": "outcome,cohort,input,classifier,n_female,auc_female,low_female,high_female,n_male,auc_male,low_male,"
        "high_male,difference,p",
        "calibration": "outcome,cohort,input,classifier,bin,n,mean_predicted,observed,low,high",
        "shap_groups": "outcome,classifier,group,mean_abs_shap,share",
        "shap_components": "outcome,classifier,group,component,label,mean_abs_shap",
        "components": "family,component,rank,feature,loading",
        "cohort": "variable,level,training,external,p,test",
        "nmf": "family,split,rows,columns,components,relative_error,iterations,seconds",
    }.items()
}
PREDICTIONS = ("outcome", "input", "classifier", "cohort", "fold", "id", "y", "probability", "threshold")


def prediction_rows(predictions: Sequence[Predicted]) -> Iterable[dict[str, Any]]:
    """Rows of predictions.csv: everybody's probability by every pipeline."""
    for one in predictions:
        head = {name: getattr(one, name) for name in ("outcome", "input", "classifier", "cohort")}
        for i, case in enumerate(one.ids):
            yield head | {
                "fold": one.fold[i],
                "id": case,
                "y": int(one.y[i]),
                "probability": float(one.probability[i]),
                "threshold": float(one.threshold[i]),
            }
