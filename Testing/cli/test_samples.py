"""Samples: found where they are, downloaded whole or not at all, quickly refused without network."""

import hashlib
import http.server
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from deepradiomics import samples
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json
from deepradiomics.images import read_volume


def test_the_registry_names_24_files_of_one_fixed_version() -> None:
    registry = read_json(samples._REGISTRY)
    assert len(registry["files"]) == 24
    assert all(len(sha256) == 64 for sha256 in registry["files"].values())
    assert registry["base_url"].startswith("https://raw.githubusercontent.com/gattia/pymskt/")
    assert "_anon/" in registry["base_url"]  # its twin folder is not anonymised


def test_a_download_fetches_every_file_with_its_checksum(tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []

    def fetch(url: str, sha256: str, target: Path) -> Path:
        asked.append((url, sha256))
        return target

    found = samples.knee_mri_download(tmp_path, fetch=fetch)
    assert found.path == tmp_path
    assert "downloaded" in found.origin
    assert len(asked) == len({url for url, _ in asked}) == 24


def test_a_failing_download_says_why_in_one_line(tmp_path: Path) -> None:
    def fetch(url: str, sha256: str, target: Path) -> Path:
        raise OSError("no route to host\nand a long story")

    with pytest.raises(samples.DownloadError, match=r"could not be downloaded.*no route to host\)"):
        samples.knee_mri_download(tmp_path, fetch=fetch)


def test_without_network_the_answer_comes_quickly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pooch")

    def no_name(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    for variable in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    start = time.monotonic()
    with pytest.raises(samples.DownloadError):
        samples.knee_mri_download(tmp_path)
    assert time.monotonic() - start < 10
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


@pytest.fixture
def web_server(tmp_path: Path) -> Iterator[str]:
    """A server on this machine that hands out a folder; its address."""
    folder = tmp_path / "origin"
    folder.mkdir()
    (folder / "slice.dcm").write_bytes(b"the bytes of a slice")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_only_a_file_with_the_right_checksum_is_kept(
    web_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pooch")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    _, fetch = samples._pooch()
    kept = tmp_path / "kept"
    with pytest.raises(ValueError, match="hash"):
        fetch(f"{web_server}/slice.dcm", "0" * 64, kept / "wrong.dcm")
    right = hashlib.sha256(b"the bytes of a slice").hexdigest()
    assert fetch(f"{web_server}/slice.dcm", right, kept / "slice.dcm") == kept / "slice.dcm"
    assert [path.name for path in kept.iterdir()] == ["slice.dcm"]


def test_the_knee_of_the_test_data_is_sagittal_and_oblique(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(samples.TEST_DATA_VARIABLE, str(data_dir))
    found = samples.knee_mri_in_test_data()
    if found is None:
        pytest.skip("the test data hold no knee")
    assert read_volume(found.path).geometry.size == (256, 256, 24)
    monkeypatch.setenv(samples.TEST_DATA_VARIABLE, str(data_dir / "nowhere"))
    assert samples.knee_mri_in_test_data() is None


def test_a_named_sample_bundle_is_found_and_a_missing_one_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "__file__", str(tmp_path / "deepradiomics" / "samples.py"))
    monkeypatch.delenv(samples.SAMPLE_BUNDLE_VARIABLE, raising=False)
    with pytest.raises(InputError, match="not part of this installation"):
        samples.sample_bundle()
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "bundle.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv(samples.SAMPLE_BUNDLE_VARIABLE, str(tmp_path / "bundle"))
    assert samples.sample_bundle() == tmp_path / "bundle"
