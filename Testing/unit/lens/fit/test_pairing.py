"""Two encoders or tables that are not one network before and after: refused, or told."""

from types import SimpleNamespace

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.lens.encoders.embeddings import Embeddings
from deepradiomics.lens.fit.inputs import check_pair
from deepradiomics.lens.fit.pairing import pair_remarks, same_numbers
from deepradiomics.prepare.stack import StackRecipe

VALUES = np.arange(6.0).reshape(2, 3)


def table(columns: tuple[str, ...] = (), **encoder: object) -> Embeddings:
    return Embeddings(("a", "b"), VALUES, {"encoder": encoder} if encoder else {}, columns)


def network(*channels: str, **changes: object) -> SimpleNamespace:
    return SimpleNamespace(channels=channels, recipe=StackRecipe(channels, **changes), dimension=3)


def test_the_same_columns_in_another_order_are_refused_and_the_first_is_named():
    with pytest.raises(InputError, match=r"different orders \(number 2: 'y' before, 'z' after"):
        check_pair(table(("x", "y", "z")), table(("x", "z", "y")))


def test_other_names_are_a_warning_unless_one_table_tells_its_encoder():
    [said] = pair_remarks(table(("x", "y", "z")), table(("x", "v", "w")), one_run=False)
    assert "'y' before, 'v' after" in said
    assert "by their place" in said
    known = table(name="e", channels=["t2"], recipe={})
    assert pair_remarks(table(("x", "y", "z")), known, one_run=False) == []
    assert pair_remarks(table(("x", "y", "z")), table(("x", "y", "z")), one_run=False) == []


def test_names_of_columns_survive_a_table(tmp_path):
    for suffix in ("csv", "parquet"):
        pytest.importorskip("pyarrow")
        kept = Embeddings.read(table(("x", "y", "z")).write(tmp_path / f"t.{suffix}"))
        assert kept.columns == ("x", "y", "z")
        assert kept.select(["b"]).columns == ("x", "y", "z")


def test_encoders_of_other_channels_or_recipes_are_told_but_not_those_of_one_run():
    before, after = network("t2", "highb", "adc"), network("t2", size_zyx=(16, 32, 32))
    said = pair_remarks(before, after, one_run=False)
    assert "before fine-tuning sees t2, highb, adc, the one after sees t2" in said[0]
    assert "size_zyx [64, 192, 192] before, [16, 32, 32] after" in said[1]
    assert len(said) == 2
    assert pair_remarks(before, after, one_run=True) == []
    assert pair_remarks(before, before, one_run=False) == []


def test_tables_tell_the_channels_of_their_encoder():
    said = pair_remarks(table(channels=["t2", "adc"]), table(channels=["t2"]), one_run=False)
    assert len(said) == 1
    assert "t2, adc" in said[0]


def test_equal_numbers_are_told():
    assert "same numbers" in same_numbers(VALUES, VALUES.copy())[0]
    assert same_numbers(VALUES, VALUES + 1e-9) == []
