"""The cohort table: who the patients were, training against external, with a test for each variable.

Numbers: mean ± SD and the Mann-Whitney test; shares: Fisher's exact test for two by two, else Pearson's chi-square
without correction. Patients without a value are left out of its row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.ich.cohort.manifest import IchCohort, title_of

_NAMES = {"age": "Age (years)", "mrs": "mRS", "expansion_ml": "Expansion (mL)"}


@dataclass(frozen=True, eq=False)
class Described:
    """A cohort with what was measured of it.

    Args:
        cohort: the patients used.
        volume_ml: of the haematoma, (n,).
        outcomes: 0, 1 or NaN by name.
    """

    cohort: IchCohort
    volume_ml: NDArray[np.float64]
    outcomes: Mapping[str, NDArray[np.float64]]

    def numbers(self) -> dict[str, NDArray[np.float64]]:
        """Every number of the patients by its name in the table."""
        known = {_NAMES.get(name, name): self.cohort.numbers(name) for name in self.cohort.manifest.value_names}
        return {"Haematoma volume (mL)": self.volume_ml, **known}

    def classes(self) -> dict[str, list[str]]:
        """Every class of the patients by its name in the table; nothing where it is not known."""
        found: dict[str, list[str]] = {}
        if any(self.cohort.sex):
            found["Sex"] = list(self.cohort.sex)
        if any(self.cohort.site):
            found["Site"] = list(self.cohort.site)
        for name, y in self.outcomes.items():
            found[title_of(name)] = ["" if np.isnan(one) else "yes" if one else "no" for one in y]
        return found


def cohort_rows(training: Described, external: Described | None) -> Iterator[dict[str, Any]]:
    """Rows of cohort.csv."""
    both = [training, *([external] if external else [])]
    sizes = [str(len(one.cohort)) for one in both]
    yield _row("Patients", "n", sizes, None, "")
    tables = [one.numbers() for one in both]
    for name in _names(tables):
        values = [table.get(name, np.array([])) for table in tables]
        values = [column[~np.isnan(column)] for column in values]
        p, test = _mann_whitney(values)
        yield _row(name, "mean ± SD", [_mean_sd(column) for column in values], p, test)
    for name in _names([one.classes() for one in both]):
        classes = [[label for label in one.classes().get(name, []) if label] for one in both]
        levels = sorted({label for column in classes for label in column})
        counts = np.array([[column.count(level) for level in levels] for column in classes], np.int64)
        p, test = _shares_test(counts)
        shown = levels if levels != ["no", "yes"] else ["yes"]
        for level in shown:
            k = levels.index(level)
            texts = [_share(int(row[k]), int(row.sum())) for row in counts]
            yield _row(name, level, texts, p if level == shown[0] else None, test if level == shown[0] else "")


def _row(variable: str, level: str, texts: Sequence[str], p: float | None, test: str) -> dict[str, Any]:
    return {
        "variable": variable,
        "level": level,
        "training": texts[0],
        "external": texts[1] if len(texts) > 1 else "",
        "p": p,
        "test": test,
    }


def _names(tables: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for table in tables for name in table))


def _mean_sd(values: NDArray[np.float64]) -> str:
    if not values.size:
        return ""
    spread = f" ± {values.std(ddof=1):.1f}" if values.size > 1 else ""
    return f"{values.mean():.1f}{spread}"


def _share(count: int, total: int) -> str:
    return f"{count} ({100 * count / total:.1f} %)" if total else ""


def _mann_whitney(values: Sequence[NDArray[np.float64]]) -> tuple[float | None, str]:
    if len(values) < 2 or not all(column.size for column in values):
        return None, ""
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(*values, alternative="two-sided").pvalue), "Mann-Whitney"


def _shares_test(counts: NDArray[np.int64]) -> tuple[float | None, str]:
    if len(counts) < 2 or not counts.sum(axis=1).all() or counts.shape[1] < 2:
        return None, ""
    from scipy.stats import chi2_contingency, fisher_exact

    if counts.shape == (2, 2):
        return float(fisher_exact(counts).pvalue), "Fisher"
    return float(chi2_contingency(counts, correction=False).pvalue), "chi-square"
