"""When ΔI is said to measure something else than radiomic content."""

import numpy as np

from deepradiomics.lens.estimator.doubt import doubt_of, doubt_of_rows

QUIET = np.full(4, 0.2)


def test_nothing_is_said_where_nothing_speaks_against_it() -> None:
    i_pre = np.array([1.0, 2.0, 3.0, 4.0])
    assert doubt_of(i_pre, 4.9 * i_pre, QUIET, QUIET) == ""
    assert doubt_of(i_pre, i_pre / 4.9, QUIET, QUIET) == ""
    assert doubt_of_rows([]) == ""


def test_importances_that_changed_by_a_factor_are_told_in_either_direction() -> None:
    i_pre = np.array([3.0, 4.0, 5.0])
    said = doubt_of(i_pre, 250 * i_pre, QUIET, QUIET)
    assert "the spread of the embeddings rather than" in said
    assert "a typical I went from 4 to 1000" in said
    assert said.endswith("Read the explained spread, ΔE, instead.")
    assert "noise" not in said
    assert "a typical I went from 4 to 0.4" in doubt_of(i_pre, 0.1 * i_pre, QUIET, QUIET)


def test_noise_in_most_of_the_importances_is_told() -> None:
    rows = [{"i_pre": 1.0, "i_ft": 1.1, "noise_pre": noise, "noise_ft": noise} for noise in (0.1, 0.6, 0.7)]
    assert "measures estimation noise rather" in doubt_of_rows(rows)
    assert "60 % of I²" in doubt_of_rows(rows)
    assert doubt_of_rows([{**row, "noise_ft": 0.0} for row in rows]) == ""
