"""The lens's tables as table nodes: the shift of every feature, and what each family lost or gained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.radiomics.explain import Explained, explain
from deepradiomics.scene.export import columns_of
from deepradiomics.scene.lens_folder import FAMILY_COLUMNS, SHIFT_COLUMNS
from deepradiomics.scene.tables import add_table, sort_rows

SHIFT_HELP = {
    "modality": "Image modality the feature was computed on",
    "feature": "PyRadiomics name of the feature",
    "family": "Feature family: firstorder, glcm, glrlm, glszm, gldm or ngtdm",
    "image_type": "Image the feature is taken from: original, or a wavelet band (L low, H high pass along x, y, z)",
    "i_pre": "Importance of the feature in the encoder before fine-tuning: length of the weight vector that reads it "
    "from the embeddings",
    "i_ft": "Importance of the feature in the encoder after fine-tuning",
    "delta_i": "Shift: importance after minus before fine-tuning; positive where fine-tuning strengthened the feature",
    "delta_i_low": "Lower end of the 95 % bootstrap interval of the shift, over patients",
    "delta_i_high": "Upper end of the 95 % bootstrap interval of the shift, over patients",
    "p_null": "How often a shift of this size appears when the labels before and after are shuffled; empty without "
    "permutations",
    "q_null": "The same, corrected for the number of features (Benjamini-Hochberg): below 0.05 the shift "
    "differs between the two encoders",
    "p_family": "Probability that the largest shift of all features reaches this size by chance (max-T)",
    "delta_i_standardised": "Shift with the projected embeddings brought to equal scale: guards against a mere change "
    "of the embeddings' size",
    "delta_i_fit_ft": "Shift when the projection is trained on the embeddings after fine-tuning instead",
    "delta_i_fit_both": "Shift when the projection is trained on both",
    "r2_pre": "Share of the feature's variance that the encoder explained before fine-tuning, in test patients",
    "r2_ft": "Share of the feature's variance that the encoder explains after fine-tuning, in test patients",
    "mse_pre": "Mean squared error before fine-tuning, in standard deviations squared of the feature, test patients",
    "mse_ft": "Mean squared error after fine-tuning, in standard deviations squared of the feature, test patients",
    "rank": "Place by shift: 1 is the feature that fine-tuning strengthened most",
    "explained_pre": "How much of the feature's variation the encoder explained before fine-tuning, in standard "
    "deviations, with what noise alone would give taken out: 1 all of it, 0 nothing; training patients",
    "explained_ft": "The same after fine-tuning",
    "delta_explained": "Shift of that: explained after minus explained before. It follows neither the size nor the "
    "axes of the embeddings, and is the one to be read first",
    "delta_explained_low": "Lower end of the 95 % bootstrap interval of the shift of the explained spread",
    "delta_explained_high": "Upper end of the 95 % bootstrap interval of the shift of the explained spread",
    "p_explained": "How often a shift of the explained spread of this size appears when the labels before and after "
    "are shuffled",
    "q_explained": "The same, corrected for the number of features (Benjamini-Hochberg): below 0.05 the shift "
    "differs between the two encoders",
    "p_family_explained": "Probability that the largest shift of explained spread reaches this size by chance (max-T)",
    "rank_explained": "Place by shift of the explained spread: 1 is the feature that gained most",
    "noise_pre": "Share of the squared importance before fine-tuning that estimation noise alone would give",
    "noise_ft": "Share of the squared importance after fine-tuning that estimation noise alone would give",
    "unit": "Unit of the feature's values, where they have one",
    "description": "What the feature measures, and on which filtered image",
}
SPREAD = "SD"  # of the feature
UNITS = {
    "mse_pre": "SD²",
    "mse_ft": "SD²",
    "explained_pre": SPREAD,
    "explained_ft": SPREAD,
    "delta_explained": SPREAD,
    "delta_explained_low": SPREAD,
    "delta_explained_high": SPREAD,
}
TITLES = {  # what stands in the header, before the unit; the columns keep their names
    "modality": "Modality",
    "feature": "Feature",
    "family": "Family",
    "image_type": "Image type",
    "i_pre": "I before",
    "i_ft": "I after",
    "delta_i": "ΔI",
    "delta_i_low": "ΔI 2.5 %",
    "delta_i_high": "ΔI 97.5 %",
    "p_null": "p of ΔI",
    "q_null": "q of ΔI",
    "p_family": "p max-T of ΔI",
    "delta_i_standardised": "ΔI standardised",
    "delta_i_fit_ft": "ΔI fit on after",
    "delta_i_fit_both": "ΔI fit on both",
    "r2_pre": "R² before",
    "r2_ft": "R² after",
    "r2_pooled_pre": "Pooled R² before",
    "r2_pooled_ft": "Pooled R² after",
    "mse_pre": "MSE before",
    "mse_ft": "MSE after",
    "rank": "Rank by ΔI",
    "explained_pre": "E before",
    "explained_ft": "E after",
    "delta_explained": "ΔE",
    "delta_explained_low": "ΔE 2.5 %",
    "delta_explained_high": "ΔE 97.5 %",
    "p_explained": "p of ΔE",
    "q_explained": "q of ΔE",
    "p_family_explained": "p max-T of ΔE",
    "rank_explained": "Rank by ΔE",
    "noise_pre": "Noise in I² before",
    "noise_ft": "Noise in I² after",
    "unit": "Unit of the feature",
    "description": "What it measures",
    "kind": "Grouped by",
    "group": "Group",
    "n_features": "Features",
    "n_patients": "Test patients",
    "p": "p",
    "p_holm": "p after Holm",
    "stars": "Stars",
}
FAMILY_HELP = {
    "kind": "How the features are grouped: by family, by image type, by modality, or all together",
    "group": "Name of the group",
    "n_features": "Number of features in the group",
    "mse_pre": "Mean squared error before fine-tuning, test patients, mean over the features",
    "mse_ft": "Mean squared error after fine-tuning, test patients, mean over the features",
    "r2_pre": "R² before fine-tuning, mean over the features",
    "r2_ft": "R² after fine-tuning, mean over the features",
    "r2_pooled_pre": "R² before fine-tuning, all the group's features pooled",
    "r2_pooled_ft": "R² after fine-tuning, all the group's features pooled",
    "p": "Wilcoxon signed-rank test of each patient's mean squared error, before against after",
    "p_holm": "The same p, corrected within this kind of grouping (Holm)",
    "stars": "* below 0.05, ** below 0.01, *** below 0.001, by the corrected p",
    "n_patients": "Test patients that the comparison rests on",
}


def shift_table(scene: Any, name: str, columns: Mapping[str, Sequence[Any]]) -> Any:
    """shift.csv as a table node, largest ΔE first, each feature with its unit and a sentence that explains it."""
    about = {feature: explained(feature) for feature in dict.fromkeys(columns["feature"])}
    shown = {
        **{column: columns[column] for column in SHIFT_COLUMNS},
        "unit": [about[feature].unit for feature in columns["feature"]],
        "description": [about[feature].text for feature in columns["feature"]],
    }
    node = add_table(scene, name, shown, {**SHIFT_COLUMNS, "unit": str, "description": str}, SHIFT_HELP)
    sort_rows(node, "delta_explained")
    return _finished(node)


def family_table(scene: Any, name: str, columns: Mapping[str, Sequence[Any]]) -> Any:
    """table1.csv as a table node."""
    node = add_table(scene, name, columns, FAMILY_COLUMNS, FAMILY_HELP)
    return _finished(node)


def feature_at(shift: Any, row: int) -> tuple[str, str]:
    """Modality and feature of a row of a shift table, in the order in which it is sorted now."""
    table = shift.GetTable()
    if not 0 <= row < table.GetNumberOfRows():
        raise InputError(f"row {row}: the table '{shift.GetName()}' has rows 0 to {table.GetNumberOfRows() - 1}")
    return tuple(table.GetColumnByName(name).GetValue(row) for name in ("modality", "feature"))


def row_of(shift: Any, modality: str, feature: str) -> int | None:
    """The row of a shift table that holds a modality's feature, in the order in which it is sorted now; None if none.

    Rows are counted from 0.
    """
    columns = columns_of(shift)
    pairs = list(zip(columns["modality"], columns["feature"], strict=True))
    return pairs.index((modality, feature)) if (modality, feature) in pairs else None


def _finished(node: Any) -> Any:
    """Headers and units; locked, because results are read and not edited."""
    table = node.GetTable()
    for name in [table.GetColumnName(index) for index in range(table.GetNumberOfColumns())]:
        unit = UNITS.get(name)
        node.SetColumnTitle(name, f"{TITLES[name]}, {unit}" if unit else TITLES[name])
        if unit:
            node.SetColumnUnitLabel(name, unit)
    node.SetLocked(True)
    return node


def explained(feature: str) -> Explained:
    """A feature in words; one that this version does not know (a result of a later one) by its name alone."""
    try:
        return explain(feature)
    except InputError:
        return Explained(feature, "original", "", feature, "", label=feature)
