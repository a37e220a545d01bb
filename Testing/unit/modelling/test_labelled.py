"""Labelled tables are aligned by their names or refused; arrays are taken by position."""

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.lens import RadiomicLens
from deepradiomics.modelling.classifiers import checked
from deepradiomics.modelling.components.nmf_components import Components
from deepradiomics.modelling.labelled import align_rows, column_names, in_columns, row_names

pd = pytest.importorskip("pandas")
IDS = [f"p{n}" for n in range(60)]
RNG = np.random.default_rng(3)
X = pd.DataFrame(RNG.normal(size=(60, 6)), index=IDS, columns=[f"e{n}" for n in range(6)])
R = pd.DataFrame(X.to_numpy() @ RNG.normal(size=(6, 2)), index=IDS, columns=["Mean", "Entropy"])
SHUFFLED = R.sample(frac=1, random_state=1)


def lens() -> RadiomicLens:
    return RadiomicLens(hidden=4, epochs=5, bootstraps=0, variants=False)


def test_shuffled_rows_give_the_same_lens_and_a_note() -> None:
    truth = lens().fit(X, X, R)
    for ids in (None, IDS):
        shuffled = lens().fit(X, X.sample(frac=1, random_state=2), SHUFFLED, ids=ids)
        assert shuffled.importance_pre_.tolist() == truth.importance_pre_.tolist()
        assert shuffled.r2_mean_pre_ == truth.r2_mean_pre_
        assert shuffled.ids_ == tuple(IDS)
        notes = [text for text in shuffled.warnings_ if "aligned by their index" in text]
        assert [note[:4] for note in notes] == ["X_ft", "R: i"]
    assert not [text for text in truth.warnings_ if "aligned" in text]


def test_split_and_groups_are_aligned_too() -> None:
    split = pd.Series(["train"] * 40 + ["validation"] * 5 + ["test"] * 15, index=IDS)
    truth = lens().fit(X, X, R, split=split.tolist())
    found = lens().fit(X, X, R, split=split.sample(frac=1, random_state=5))
    assert found.split_.tolist() == truth.split_.tolist() == split.tolist()


def test_names_of_columns_are_the_features_names_and_pairs_stay_pairs() -> None:
    assert lens().fit(X, X, R).feature_names_ == (("", "Mean"), ("", "Entropy"))
    pairs = R.set_axis(pd.MultiIndex.from_tuples([("t2", "Mean"), ("adc", "Mean")]), axis=1)
    assert lens().fit(X, X, pairs).feature_names_ == (("t2", "Mean"), ("adc", "Mean"))
    assert lens().fit(X, X, R["Mean"]).feature_names_ == (("", "Mean"),)
    assert lens().fit(X, X, R, feature_names=["a", "b"]).feature_names_ == (("", "a"), ("", "b"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (X, X, R.rename({"p3": "q3"})),
            r"R: its index has other rows than X_pre: 'p3' of X_pre is not in it \(1 lack, 1",
        ),
        ((X, X, R.iloc[:-1]), r"R: its index has other rows than X_pre: 'p59' of X_pre is not in it\. Take the same"),
        ((X, X, R.reset_index(drop=True)), r"R: its index has other rows than X_pre: .*Name the rows of both"),
        ((X.rename({"p3": "p2"}), X, R), r"X_pre: the row name 'p2' is more than once in its index"),
        ((X.to_numpy(), X, SHUFFLED), r"X_pre is an array without names .* X_ft and R are in different orders"),
        ((X, X, R.assign(site="a")), r"R: the column 'site' holds no numbers\. Leave it out"),
        ((X, X.rename({"e0": "x"}, axis=1), R), r"X_ft: some of its columns are those of X_pre .*'e0'"),
        ((X.to_numpy(), X.to_numpy(), R.to_numpy()[:-1]), r"R: expected shape \(60, targets\)"),
    ],
)
def test_rows_that_do_not_belong_together_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(InputError, match=message):
        lens().fit(*arguments)


def test_ids_that_are_not_those_of_the_index_are_refused_but_name_unnamed_rows() -> None:
    with pytest.raises(InputError, match="X_pre: its index has other rows than ids"):
        lens().fit(X, X, R, ids=[f"q{n}" for n in range(60)])
    unnamed = (X.reset_index(drop=True), X.to_numpy(), R.reset_index(drop=True))
    assert lens().fit(*unnamed, ids=IDS).ids_ == tuple(IDS)


def test_arrays_beside_frames_are_taken_by_position() -> None:
    truth = lens().fit(X, X, R)
    found = lens().fit(X.to_numpy(), X, R)
    assert found.ids_ == tuple(IDS)
    assert found.importance_ft_.tolist() == truth.importance_ft_.tolist()


def test_columns_in_another_order_are_put_in_order_and_other_names_are_noted() -> None:
    truth = lens().fit(X, X, R)
    found = lens().fit(X, X[X.columns[::-1]], R)
    assert found.importance_ft_.tolist() == truth.importance_ft_.tolist()
    assert any("X_ft: its columns were in another order" in text for text in found.warnings_)
    other = lens().fit(X, X.add_prefix("ft_"), R)
    assert any("taken by position" in text for text in other.warnings_)


def test_predict_and_score_use_the_names_of_the_fit() -> None:
    fitted = lens().fit(X, X, R)
    assert fitted.predict(X[X.columns[::-1]]).tolist() == fitted.predict(X.to_numpy()).tolist()
    assert (
        fitted.score(X, SHUFFLED[["Entropy", "Mean"]]) == fitted.score(X, R) == fitted.score(X.to_numpy(), R.to_numpy())
    )
    with pytest.raises(InputError, match="X: it lacks the column 'e0' of the fit"):
        fitted.predict(X.rename({"e0": "x"}, axis=1))
    with pytest.raises(InputError, match="R: its index has other rows than X"):
        fitted.score(X, R.rename({"p3": "q3"}))


def test_the_classifiers_table_and_outcome_are_aligned() -> None:
    outcome = pd.Series([0, 1] * 30, index=IDS)
    table, labels = checked(X, outcome.sample(frac=1, random_state=4))
    assert labels.tolist() == [0, 1] * 30
    assert (table == X.to_numpy()).all()
    with pytest.raises(InputError, match="outcome: its index has other rows than columns"):
        checked(X, outcome.rename({"p1": "x"}))


def test_components_keep_the_columns_names_and_order() -> None:
    family = Components.fit(X, family="clinical")
    assert family.names == tuple(X.columns)
    assert family.transform(X[X.columns[::-1]]).tolist() == family.transform(X.to_numpy()).tolist()
    with pytest.raises(InputError, match="it lacks the column 'e5'"):
        family.transform(X.drop(columns="e5"))


def test_lists_and_arrays_have_no_names() -> None:
    for table in ([[1.0]], np.ones((2, 2)), "text"):
        assert row_names(table) is None
        assert column_names(table) is None
    assert column_names(pd.DataFrame(np.ones((2, 2)))) is None
    values, ids, notes = align_rows({"X": np.ones((2, 1)), "R": None})
    assert ids is None
    assert not notes
    assert values["R"] is None
    with pytest.raises(InputError, match="the column 'a' is there twice"):
        in_columns(np.ones((1, 2)), ["a", "a"], ["a", "b"], "X")
