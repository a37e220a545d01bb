"""Tables of embeddings: what is written is read, and a user's own table is understood or refused by name."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepradiomics.errors import InputError
from deepradiomics.lens.encoders.embeddings import Embeddings

VALUES = np.array([[1 / 3, -2e-17], [4e20, 0.1]])


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_table_comes_back_to_the_last_bit(tmp_path: Path, suffix: str) -> None:
    path = Embeddings(("a", "0012"), VALUES, {"encoder": {"name": "x"}}).write(tmp_path / f"e{suffix}")
    read = Embeddings.read(path)
    assert read.ids == ("a", "0012")
    assert read.values.dtype == np.float64
    np.testing.assert_array_equal(read.values, VALUES)
    assert read.about == ({"encoder": {"name": "x"}} if suffix == ".parquet" else {})
    assert list(tmp_path.iterdir()) == [path]


def test_a_users_tables_are_understood(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("\ufefff1, id ,f2\n1,p1,2.5\n-3e2,p2,4\n\n", encoding="utf-8")
    read = Embeddings.read(tmp_path / "own.csv")
    assert read.ids == ("p1", "p2")
    assert read.values.tolist() == [[1, 2.5], [-300, 4]]
    pq.write_table(pa.table({"id": [7, 8], "x": pa.array([1, 2], pa.int8()), "y": pa.array([0.5, 1.5], pa.float32())}),
                   tmp_path / "own.parquet")  # fmt: skip
    read = Embeddings.read(tmp_path / "own.parquet")
    assert read.ids == ("7", "8")
    assert read.values.tolist() == [[1, 0.5], [2, 1.5]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("case,f1\np1,1\n", "expected a column 'id' .*got the columns case, f1"),
        ("id,f1\np1,1\np2,2\np1,3\n", "own.csv: .*id p1 is there more than once"),
        ("id,f1,f2\np1,1,2\np2,1,high\n", "case p2, column 'f2': expected a finite number, got 'high'"),
        ("id,f1\np1,1\np2,nan\n", "case p2, column 'f1': .*got 'nan'"),
        ("id,f1\np1,inf\n", "case p1, column 'f1'"),
        ("id,f1,f2\np1,1,\n", "case p1, column 'f2': .*got ''"),
        ("id,f1\n", "one row per case; there are none"),
        ("id\np1\n", "numeric columns beside 'id'"),
        ("id,f1\n,1\n", "row 1 has no id"),
        ("id,f1,f1\np1,1,2\n", "the column 'f1' is there 2 times"),
        ("id,f1\np1,1,2\n", "line 2: expected 2 cells, got 3"),
        ("", "this table of embeddings is empty; its first line must name the columns"),
    ],
)
def test_a_csv_that_is_no_table_of_embeddings_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        Embeddings.read(tmp_path / "own.csv")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"id": ["p1", "p2"], "x": [1.0, None]}, "case p2, column 'x': .*got .*nan"),
        ({"id": ["p1", "p2"], "x": [1.0, float("nan")]}, "case p2, column 'x': .*got .*nan"),
        ({"id": ["p1", "p2"], "x": [1.0, 2.0], "sex": ["f", "m"]}, "case p1, column 'sex': .*got 'f'"),
        ({"id": ["p1", None], "x": [1.0, 2.0]}, "row 2 has no id"),
        ({"x": [1.0]}, "expected a column 'id'"),
        ({"id": ["p1"], "x": [[1.0, 2.0]]}, r"case p1, column 'x': .*got \[1.0, 2.0\]"),
    ],
)
def test_a_parquet_that_is_no_table_of_embeddings_is_refused(tmp_path: Path, columns: dict, words: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "own.parquet")
    with pytest.raises(InputError, match=words):
        Embeddings.read(tmp_path / "own.parquet")


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    for name, words in (
        ("x.parquet", "not a readable Parquet file"),
        ("x.csv", "not a readable UTF-8 CSV"),
        ("y.csv", "does not exist"),
        ("x.xlsx", "ends in .parquet or .csv"),
    ):
        with pytest.raises(InputError, match=words):
            Embeddings.read(tmp_path / name)


def test_invalid_embeddings_do_not_exist() -> None:
    with pytest.raises(InputError, match="case b"):
        Embeddings(("a", "b"), np.array([[1.0], [np.inf]]))
    with pytest.raises(InputError, match="id a is there more than once"):
        Embeddings(("a", "a"), np.zeros((2, 3)))
    for values in (np.zeros(2), np.zeros((3, 1)), np.zeros((2, 0))):
        with pytest.raises(InputError, match="one row of numbers for each of 2 cases"):
            Embeddings(("a", "b"), values)


def test_cases_are_taken_in_the_order_asked_for() -> None:
    embeddings = Embeddings(("a", "b", "c"), np.arange(6).reshape(3, 2), {"k": 1})
    some = embeddings.select(("c", "a"))
    assert some.ids == ("c", "a")
    assert some.values.tolist() == [[4, 5], [0, 1]]
    assert some.about == {"k": 1}
    with pytest.raises(InputError, match="no row for case z"):
        embeddings.select(("a", "z"))


def test_a_table_of_semicolons_or_without_id_is_told(tmp_path: Path) -> None:
    (tmp_path / "semicolons.csv").write_text("id;x\na;1\n", encoding="utf-8")
    with pytest.raises(InputError, match="separated by commas, not semicolons"):
        Embeddings.read(tmp_path / "semicolons.csv")
    (tmp_path / "capitals.csv").write_text("ID,x\na,1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"Did you mean the column 'ID'\? Call it 'id'"):
        Embeddings.read(tmp_path / "capitals.csv")
