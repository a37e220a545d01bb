"""What readers raise over a damaged file becomes a message with the file's name, the reason and what to do."""

import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import BundleError, InputError
from deepradiomics.files.atomic import read_json
from deepradiomics.files.reading import parse_json, reading
from deepradiomics.files.tables import table_text
from deepradiomics.images.label_names import read_label_names


def _parquet() -> None:
    import pyarrow.parquet as pq

    pq.read_table(io.BytesIO(b"PAR1 nothing of the kind PAR1"))


def _safetensors() -> None:
    from safetensors.numpy import load

    load(b"\xff" * 40)


@pytest.mark.parametrize(
    "read",
    [
        lambda: {}["rows"],
        lambda: [][3],
        lambda: float("x"),
        lambda: int(float("inf")),
        lambda: len(None),  # type: ignore[arg-type]
        lambda: None.rows,  # type: ignore[attr-defined]
        lambda: 1 / 0,
        lambda: json.loads("[" * 100_000),
        lambda: b"\xff".decode("utf-8"),
        lambda: struct.unpack("<q", b"abc"),
        lambda: zlib.decompress(b"abc"),
        lambda: zipfile.ZipFile(io.BytesIO(b"PK")),
        lambda: np.load(io.BytesIO(b"\x93NUMPY")),
        _parquet,
        _safetensors,
    ],
)  # fmt: skip
def test_a_readers_exception_names_the_file_and_what_to_do(read: Callable[[], Any]) -> None:
    with pytest.raises(BundleError, match=r"^some/file: the table .*: .+\. Copy it again\.$"):  # noqa: SIM117
        with reading("some/file", "the table", "Copy it again.", BundleError):
            read()


def test_what_is_no_fault_of_the_file_passes() -> None:
    for slip in (NameError("x"), AssertionError(), ImportError(), MemoryError(), KeyboardInterrupt()):
        with pytest.raises(type(slip)), reading("file"):
            raise slip
    with pytest.raises(InputError, match=r"^another message$"), reading("file"):
        raise InputError("another message")
    with pytest.raises(OSError, match="No space"), reading("file"):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("[" * 300 + "]" * 300, "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "a whole number of 5000 digits"),
        ('{"a": 1', "not a readable JSON"),
        ("", "not a readable JSON"),
    ],
)
def test_hostile_json_is_refused_by_the_files_name(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=rf"run\.json: .*{says}"):
        read_json(tmp_path / "run.json")


def test_json_that_is_not_utf_8_or_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"a": "\xe4"}')
    with pytest.raises(InputError, match=r"a\.json.*UTF-8"):
        read_json(tmp_path / "a.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_json(tmp_path)


def test_ordinary_json_is_read_as_python_reads_it() -> None:
    for text in ('{"a": [1, 2.5, null, true, "x", NaN, -12345678901234567890]}', "[[[[[[]]]]]]", "3"):
        assert repr(parse_json(text)) == repr(json.loads(text))


@pytest.mark.skipif(os.name == "nt", reason="devices of POSIX")
@pytest.mark.parametrize("read", [read_json, read_label_names, lambda path: table_text(path, "manifest")])
def test_a_device_is_never_read_since_it_might_never_end(read: Callable[[Path], Any], tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(os.devnull)  # read, it would end at once: a reader that opens it fails this test without a hang
    for path in (Path(os.devnull), link):
        with pytest.raises(InputError, match="is a pipe or a device"):
            read(path)
    with pytest.raises(InputError, match=r"does not exist|could not be read"):
        read(tmp_path / "nothing.csv")
