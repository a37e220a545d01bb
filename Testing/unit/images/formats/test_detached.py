"""Voxels in other files: only those beside the header are read, and they belong to the image's hash."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import sha256_image
from deepradiomics.images import read_mask, read_volume
from Testing.unit.images.formats.stored_files import VOXELS, metaimage_bytes, nifti_bytes, nrrd_bytes

RAW = VOXELS.astype("<i2").tobytes()


def _header(folder: Path, kind: str, data_file: str) -> Path:
    path = folder / f"a{kind}"
    if kind in (".nrrd", ".nhdr"):
        path.write_bytes(nrrd_bytes(f"data file: {data_file}", data=b""))
    else:
        path.write_bytes(metaimage_bytes(ElementDataFile=data_file, data=b""))
    return path


KINDS = [".nrrd", ".nhdr", ".mhd", ".mha"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_beside_the_header_is_read_and_changes_the_hash(tmp_path: Path, kind: str) -> None:
    (tmp_path / "below").mkdir()
    for name in ("voxels.raw", "below/voxels.raw", "with space.raw"):
        (tmp_path / name).write_bytes(RAW)
        path = _header(tmp_path, kind, name)
        assert np.array_equal(read_volume(path).voxels, VOXELS)
        before = sha256_image(path)
        (tmp_path / name).write_bytes(bytes(reversed(RAW)))
        assert sha256_image(path) != before
        assert not np.array_equal(read_volume(path).voxels, VOXELS)


def test_the_voxels_of_a_nifti_pair_change_the_hash_of_either_name(tmp_path: Path) -> None:
    data = nifti_bytes(magic=b"ni1\0", vox_offset=0.0)
    (tmp_path / "a.hdr").write_bytes(data[:348])
    (tmp_path / "a.img").write_bytes(RAW)
    before = sha256_image(tmp_path / "a.hdr")
    assert sha256_image(tmp_path / "a.img") == before
    (tmp_path / "a.img").write_bytes(bytes(len(RAW)))
    assert sha256_image(tmp_path / "a.hdr") != before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name",
    ["../private.txt", "/etc/passwd", "below/../../private.txt", "..\\private.txt", "C:\\private.txt", "\\\\host\\x",
     "/dev/zero", "/proc/self/environ"],
)  # fmt: skip
def test_a_name_that_leads_out_is_refused_by_reading_and_by_hashing(tmp_path: Path, kind: str, name: str) -> None:
    folder = tmp_path / "given"
    (folder / "below").mkdir(parents=True)
    (tmp_path / "private.txt").write_bytes(RAW)
    path = _header(folder, kind, name)
    for read in (read_volume, read_mask, sha256_image):
        with pytest.raises(InputError, match="lies outside the header's folder"):
            read(path)


@pytest.mark.parametrize("kind", KINDS)
def test_links_out_of_the_folder_are_refused_and_links_within_are_read(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (tmp_path / "private.raw").write_bytes(RAW)
    (folder / "out.raw").symlink_to(tmp_path / "private.raw")
    (folder / "up").symlink_to(tmp_path)
    (folder / "real.raw").write_bytes(RAW)
    (folder / "in.raw").symlink_to("real.raw")
    for name in ("out.raw", "up/private.raw"):
        for read in (read_volume, sha256_image):
            with pytest.raises(InputError, match="a link that leads out"):
                read(_header(folder, kind, name))
    assert np.array_equal(read_volume(_header(folder, kind, "in.raw")).voxels, VOXELS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pipe_a_folder_and_nothing_are_no_data_files(tmp_path: Path, kind: str) -> None:
    os.mkfifo(tmp_path / "pipe.raw")
    (tmp_path / "folder.raw").mkdir()
    for name, what in (("pipe.raw", "a pipe"), ("folder.raw", "a folder"), ("absent.raw", "does not exist")):
        for read in (read_volume, sha256_image):
            with pytest.raises(InputError, match=what):
                read(_header(tmp_path, kind, name))


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


@pytest.mark.parametrize("make", [_pipe, _device, _socket])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.png", "a.npy", "a.dcm"])
def test_an_image_that_is_a_pipe_a_device_or_a_socket_is_refused_at_once(
    tmp_path: Path, make: Callable[[Path], None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / name)
    for read in (read_mask, sha256_image, lambda path: read_volume(path, plane="axial")):
        with pytest.raises(InputError, match=r"expected an image file, got a (pipe|device|socket)"):
            read(tmp_path / name)


@pytest.mark.parametrize("kind", KINDS)
def test_lists_and_numbered_files_are_read_in_their_order_and_hashed(tmp_path: Path, kind: str) -> None:
    for number in range(4):
        (tmp_path / f"s{number}.raw").write_bytes(VOXELS[number].astype("<i2").tobytes())
    for named in ("LIST\n" + "\n".join(f"s{n}.raw" for n in range(4)), "s%d.raw 0 3 1"):
        path = _header(tmp_path, kind, named)
        assert np.array_equal(read_volume(path).voxels, VOXELS)
        before = sha256_image(path)
        (tmp_path / "s2.raw").write_bytes(VOXELS[0].astype("<i2").tobytes())
        assert sha256_image(path) != before
        (tmp_path / "s2.raw").write_bytes(VOXELS[2].astype("<i2").tobytes())
    with pytest.raises(InputError, match="no end or too many files"):
        read_volume(_header(tmp_path, kind, "s%d.raw 0 3 0"))
    with pytest.raises(InputError, match="lies outside"):
        read_volume(_header(tmp_path, kind, "../s%d.raw 0 3 1"))


@pytest.mark.parametrize("kind", KINDS)
def test_data_of_another_length_than_promised_are_refused(tmp_path: Path, kind: str) -> None:
    for data, message in ((RAW[:-1], "cut short"), (RAW + b"\0", "longer than its header promises")):
        (tmp_path / "voxels.raw").write_bytes(data)
        with pytest.raises(InputError, match=message):
            read_volume(_header(tmp_path, kind, "voxels.raw"))


def test_bytes_before_the_voxels_are_skipped_as_the_header_says(tmp_path: Path) -> None:
    (tmp_path / "voxels.raw").write_bytes(b"line\n" + b"xyz" + RAW)
    skipping = (
        nrrd_bytes("line skip: 1", "byte skip: 3", "data file: voxels.raw", data=b""),
        nrrd_bytes("byte skip: -1", "data file: voxels.raw", data=b""),
    )
    for text in skipping:
        (tmp_path / "a.nhdr").write_bytes(text)
        assert np.array_equal(read_volume(tmp_path / "a.nhdr").voxels, VOXELS)
    for size in ("8", "-1"):
        (tmp_path / "a.mhd").write_bytes(metaimage_bytes(HeaderSize=size, ElementDataFile="voxels.raw", data=b""))
        assert np.array_equal(read_volume(tmp_path / "a.mhd").voxels, VOXELS)
