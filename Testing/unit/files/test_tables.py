"""Tables: what is written comes back, no text is a formula, and a broken file is refused by its line."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepradiomics.errors import InputError, ManifestError
from deepradiomics.files.csv_text import LONGEST_CELL
from deepradiomics.files.tables import csv_lines, decimal_comma, escaped, parse_csv, read_csv, write_csv

HERE = Path("table.csv")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.text(
    st.sampled_from("='+-@\t\r\n\",; a1.e＝"), max_size=6
)
FORMULAS = ("=1+1", "+49 30 1", "-x", "-1+1", "@SUM(A1)", "\tx", "\rx", "\n=1", "＝1+1", "=", "-", "+", "@")


def read(tmp_path: Path, data: bytes | str, **options: object) -> list[dict[str, str]]:
    path = tmp_path / "t.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_csv(path, **options).rows  # type: ignore[arg-type]


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_any_text_comes_back_as_it_was(rows: list[tuple[str, str]]) -> None:
    text = "".join(csv_lines(("first", "=second"), rows))
    table = parse_csv(text, HERE)
    assert table.columns == ("first", "=second")
    assert [cells for _, cells in table.records] == [row for row in rows if any(row)]


@given(TEXTS)
def test_no_text_begins_as_a_formula_unless_it_is_a_number(text: str) -> None:
    cell = escaped(text)
    if cell[:1] and cell[0] in "=+-@\t\r\n＝＋－＠":
        float(cell)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_written_with_an_apostrophe_and_read_without(tmp_path: Path, text: str) -> None:
    path = write_csv(tmp_path / "t.csv", ("id", text), [(text, 1)])
    assert f"'{text}" in path.read_bytes().decode()
    table = read_csv(path)
    assert table.columns == ("id", text)
    assert table.rows == [{"id": text, text: "1"}]


@pytest.mark.parametrize("text", ["'=1", "''=1", "'", "''", "'a", "'t Hooft", "''a", "'-1.5"])
def test_a_text_with_an_apostrophe_of_its_own_comes_back(text: str) -> None:
    assert parse_csv("".join(csv_lines(("a",), [(text,)])), HERE).rows == [{"a": text}]


def test_numbers_are_untouched_and_exact() -> None:
    values = [
        -1.5,
        np.float64(-0.1),
        np.float32(0.5),
        -3,
        np.int64(-7),
        True,
        None,
        1e-300,
        float("nan"),
        "-1.5",
        "+1e-3",
    ]
    lines = list(csv_lines(("a",) * len(values), [values]))
    assert lines[1] == "-1.5,-0.1,0.5,-3,-7,True,,1e-300,nan,-1.5,+1e-3\n"


def test_what_a_row_lacks_is_empty_and_rows_are_taken_one_at_a_time() -> None:
    taken: list[int] = []

    def rows():
        for number in range(3):
            taken.append(number)
            yield {"b": number}

    lines = csv_lines(("a", "b"), rows())
    assert (next(lines), next(lines), taken) == ("a,b\n", ",0\n", [0])


def test_a_table_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", ("a",), [("old",)])
    with pytest.raises(ZeroDivisionError):
        write_csv(path, ("a",), ((1 / n,) for n in (1, 0)))
    assert read_csv(path).column("a") == ["old"]
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


def test_letters_that_no_file_can_hold_do_not_end_a_run(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", ("a",), [("M\udcfcller",), ("a\0b",)])
    assert read_csv(path).column("a") == ["M\\udcfcller", "a\\x00b"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_end_of_line_mark_of_utf8_and_blank_line_is_understood(tmp_path: Path, end: str) -> None:
    text = f'\ufeffid,b{end}{end},{end}x,"1,""5"""{end}y,"two{end}lines"'
    table = parse_csv(text.lstrip("\ufeff"), HERE)
    assert read(tmp_path, text) == table.rows == [{"id": "x", "b": '1,"5"'}, {"id": "y", "b": f"two{end}lines"}]
    assert table.lines == [4, 5]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('id,b\nx,"1\ny,2\n', r"t\.csv, line 2: a quotation mark is opened and never closed, before '1'"),
        ('id,b\nx,"1\ny,"2\n', r"line 2: a quotation mark is opened and closed on line 3 before '2'"),
        ('id,b\nx,"1"2\n', r"line 2: a quotation mark is opened and closed before '2'"),
        ('id,b\nx,1"2\n', r"line 2: a quotation mark stands inside the cell '1'"),
        ("id;b\nx;1,5\n", r"separated by commas, not semicolons or tabs; save it again"),
        ("id\tb\nx\t1\n", r"separated by commas, not semicolons or tabs; save it again"),
        ("id|b\nx|1\n", r"separated by commas, not vertical bars"),
        ("sep=;\nid;b\n", r"the first line 'sep=;' is for spreadsheets only; remove it"),
        ("id,b\nx,1,5\n", r"line 2: expected 2 cells, got 3\. .* decimal point \(1\.5 not 1,5\)"),
        ("id,b\nx\n", r"line 2: expected 2 cells, got 1\.$"),
        ("id,,b\nx,,1\n", r"line 1: column 2, after 'id', has no name; name it, or remove it"),
        (",b\nx,1\n", r"line 1: column 1 has no name"),
        ("id,b,\nx,1,\n", r"column 3, after 'b', has no name"),
        ("id,b,b\nx,1,2\n", r"the column 'b' is there 2 times"),
        ("", r"this table is empty; its first line must name the columns"),
        (",,\n\n", r"this table is empty"),
        ("id,b\nx,1\n".encode("utf-16"), r"\(it is UTF-16\)\. Save it again as CSV UTF-8"),
        ("id,b\nx,1\n".encode("utf-16-le"), r"line 1: .*NUL byte"),
        (b"id,b\nx,1\ny,\x00\n", r"line 3: .*\(it holds a NUL byte\)"),
        ("id,b\nM\u00fcller,1\n".encode("latin-1"), r"line 2: .*byte 0xfc is none of UTF-8; perhaps it is Latin-1"),
        (b"PK\x03\x04 workbook", r"it is a workbook or a zip"),
        (f"id,b\nx,{'a' * (LONGEST_CELL + 1)}\n", r"line 2: a cell of 131073 characters"),
        (f'id,b\nx,"{"a" * (LONGEST_CELL + 1)}"\n', r"line 2: a cell of 131073 characters"),
    ],
)
def test_a_broken_table_is_refused_by_its_line_with_what_to_do(tmp_path: Path, data: bytes | str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, data)


def test_a_missing_file_column_or_kind_of_error_is_the_callers(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"none\.csv: this manifest does not exist"):
        read_csv(tmp_path / "none.csv", what="manifest", error=ManifestError)
    with pytest.raises(InputError, match=r"expected the columns id, c; c missing\. It has: id, b\."):
        read(tmp_path, "id,b\n1,2\n", needed=("id", "c"))
    with pytest.raises(InputError, match="not a readable UTF-8 CSV file"):
        read_csv(tmp_path)


def test_blanks_are_removed_only_where_asked(tmp_path: Path) -> None:
    assert read(tmp_path, "id , b\n x ,1\n", strip=True) == [{"id": "x", "b": "1"}]
    assert read(tmp_path, "id, b\n x ,1\n") == [{"id": " x ", " b": "1"}]


def test_an_endless_quoted_cell_is_read_in_linear_time() -> None:
    with pytest.raises(InputError, match="never closed"):
        parse_csv('id,b\nx,"' + 'ab""' * 300_000, HERE)


@pytest.mark.parametrize(
    ("text", "truth"), [("1,5", True), ("-12,25", True), ("1.5", False), ("1,2,3", False), ("", False)]
)
def test_a_decimal_comma_is_known(text: str, truth: bool) -> None:
    assert decimal_comma(text) is truth


def test_no_other_code_reads_or_writes_csv() -> None:
    root = Path(__file__).resolve().parents[3]
    folders = ("deepradiomics", "RadiomicFeatures", "RadiomicFingerprint", "RadiomicLens", "ICHLatentFeatures")
    files = [file for folder in folders for file in (root / folder).rglob("*.py")]
    assert len(files) > 400
    pattern = re.compile(r"^\s*(import csv|from csv )|\.to_csv\(", re.MULTILINE)
    found = {file.name for file in files if pattern.search(file.read_text("utf-8"))}
    assert found <= {"label_names.py"}  # it reads lists of other programs, with other separators


def test_a_cell_that_is_no_number_is_named_by_its_line() -> None:
    table = parse_csv("id,n\na,1\n\nb,two\n", HERE)
    with pytest.raises(
        InputError, match=r"table\.csv, line 4: invalid literal .*'two'\. Was the table changed by hand"
    ):
        table.parsed(lambda row: int(row["n"]))
    assert table.parsed(lambda row: row["id"]) == ("a", "b")
