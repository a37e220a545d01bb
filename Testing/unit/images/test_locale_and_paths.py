"""A decimal comma and a file name that is no UTF-8 change neither what is read nor what is written."""

import locale
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

import deepradiomics
from deepradiomics.files.atomic import read_json, sha256_image, write_json
from deepradiomics.images import Geometry, Mask, Volume, read_mask, read_volume, write_mask, write_volume
from deepradiomics.prepare.affine import AffineTransform

PACKAGE = Path(deepradiomics.__file__).parent
GRID = Geometry((6, 5, 4), (1.5, 1.25, 3.75), (0.5, -1.5, 2.25))
SUFFIXES = (".nrrd", ".mha", ".nii", ".nii.gz")

_IN_ANOTHER_LOCALE = """
import locale, sys, threading
from pathlib import Path
import numpy as np
from deepradiomics.images import Geometry, Volume, read_volume, write_volume
from deepradiomics.prepare.affine import AffineTransform

locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
assert locale.localeconv()["decimal_point"] == ","
folder = Path(sys.argv[1])
written = Volume(np.load(folder / "voxels.npy"), Geometry((6, 5, 4), (1.5, 1.25, 3.75), (0.5, -1.5, 2.25)))

def work(number):
    for suffix in (".nrrd", ".mha", ".nii", ".nii.gz"):
        for path in (folder / f"given{suffix}", write_volume(written, folder / f"comma{number}{suffix}")):
            volume = read_volume(path)
            assert volume.geometry.is_close(written.geometry), (path, volume.geometry)
            assert np.array_equal(volume.voxels, written.voxels)
    shift = AffineTransform.translation((1.5, 2.25, -3.75))
    shift.write(folder / f"comma{number}.tfm")
    assert AffineTransform.read(folder / f"comma{number}.tfm") == AffineTransform.read(folder / "given.tfm") == shift

threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
failures = []
threading.excepthook = failures.append
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not failures, [repr(failure.exc_value) for failure in failures]
assert locale.setlocale(locale.LC_NUMERIC) == "de_DE.UTF-8"
print("equal")
"""


def _volume() -> Volume:
    return Volume(np.random.default_rng(0).normal(size=GRID.shape).astype(np.float32), GRID)


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of a process that has the locale de_DE, made here where the system has none."""
    folder = tmp_path_factory.mktemp("locales")
    program = shutil.which("localedef")
    if program is None:
        pytest.skip("localedef is not installed")
    subprocess.run(
        [program, "-i", "de_DE", "-f", "UTF-8", str(folder / "de_DE.UTF-8")], capture_output=True, check=False
    )
    if not (folder / "de_DE.UTF-8").exists():
        pytest.skip("the locale de_DE could not be made")
    return {**os.environ, "LOCPATH": str(folder), "PYTHONPATH": str(PACKAGE.parent)}


def test_numbers_are_read_and_written_with_points_in_a_locale_with_commas_also_by_several_threads(
    tmp_path: Path, german: Mapping[str, str]
) -> None:
    volume = _volume()
    np.save(tmp_path / "voxels.npy", volume.voxels)
    for suffix in SUFFIXES:
        write_volume(volume, tmp_path / f"given{suffix}")
    AffineTransform.translation((1.5, 2.25, -3.75)).write(tmp_path / "given.tfm")
    command = [sys.executable, "-c", _IN_ANOTHER_LOCALE, str(tmp_path)]
    finished = subprocess.run(command, env=dict(german), capture_output=True, text=True, check=False)
    assert finished.stdout.strip() == "equal", finished.stderr
    for suffix in SUFFIXES:  # and other software reads what was written there
        image = sitk.ReadImage(str(tmp_path / f"comma0{suffix}"))
        assert image.GetSpacing() == pytest.approx(GRID.spacing_mm)
        assert image.GetOrigin() == pytest.approx(GRID.origin_mm)
    assert locale.localeconv()["decimal_point"] == "."


def _odd(folder: Path) -> Path:
    """A folder whose name is no UTF-8."""
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/M\xfcller"))
    try:
        odd.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    return odd


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_path_that_is_no_utf8_is_read_written_and_hashed(tmp_path: Path, suffix: str) -> None:
    odd, volume = _odd(tmp_path), _volume()
    path = Path(os.fsdecode(os.fsencode(odd) + b"/\xe9" + suffix.encode()))
    write_volume(volume, path)
    again = read_volume(path)
    assert np.array_equal(again.voxels, volume.voxels)
    assert again.geometry.is_close(GRID)
    assert again.name.isprintable()
    assert again.source == f"\N{REPLACEMENT CHARACTER}{suffix}"
    plain = tmp_path / f"plain{suffix}"
    shutil.copyfile(path, plain)
    assert sha256_image(path) == sha256_image(plain)
    labels = (volume.voxels > 0).astype(np.uint8)
    write_mask(Mask(labels, GRID), path)
    assert np.array_equal(read_mask(path).labels, labels)
    assert list(os.listdir(odd)) == [path.name]  # noqa: PTH208 - the names as the system has them


def test_a_transform_and_a_png_under_such_a_path_are_read(tmp_path: Path) -> None:
    odd = _odd(tmp_path)
    shift = AffineTransform.translation((1.5, 2.25, -3.75))
    shift.write(odd / "t.tfm")
    assert AffineTransform.read(odd / "t.tfm") == shift
    sitk.WriteImage(sitk.GetImageFromArray(np.arange(12, dtype=np.uint8).reshape(3, 4)), str(tmp_path / "a.png"))
    shutil.copyfile(tmp_path / "a.png", odd / "a.png")
    from deepradiomics.images.read import read_stored

    stored = read_stored(odd / "a.png")
    assert stored.dimensions == 2
    assert stored.voxels.ravel().tolist() == list(range(12))
    assert "1 mm between voxels is assumed" in stored.notes[0]


def test_json_keeps_such_a_path(tmp_path: Path) -> None:
    odd = os.fsdecode(b"M\xfcller")
    write_json(tmp_path / "a.json", {"path": odd, "name": "Müller"})
    (tmp_path / "a.json").read_text(encoding="utf-8")
    assert read_json(tmp_path / "a.json") == {"path": odd, "name": "Müller"}


def _run(arguments: list[object], **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable.encode(), b"-m", b"deepradiomics", *(os.fsencode(str(word)) for word in arguments)]
    plain = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), **environment}
    return subprocess.run(command, env=plain, capture_output=True, check=False)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
    ],
)
def test_a_command_reads_writes_and_names_such_a_path(tmp_path: Path, environment: dict[str, str]) -> None:
    odd = _odd(tmp_path)
    write_volume(_volume(), odd / "image.nrrd")
    labels = np.zeros(GRID.shape, np.uint8)
    labels[1:3, 1:4, 1:5] = 1
    write_mask(Mask(labels, GRID), odd / "mask.nrrd")
    finished = _run(["extract", odd / "image.nrrd", odd / "mask.nrrd", "-o", odd / "t.csv", "--json"], **environment)
    assert finished.returncode == 0, finished.stderr.decode(errors="replace")
    assert (odd / "t.csv").stat().st_size > 1000
    finished = _run(["extract", odd / "absent.nrrd", odd / "mask.nrrd", "-o", odd / "u.csv"], **environment)
    assert finished.returncode == 2
    assert b"does not exist" in finished.stderr
    assert b"Traceback" not in finished.stderr


def test_a_worker_reads_such_paths_too(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    odd = _odd(tmp_path)
    write_volume(_volume(), odd / "image.nrrd")
    labels = np.zeros(GRID.shape, np.uint8)
    labels[1:3, 1:4, 1:5] = 1
    write_mask(Mask(labels, GRID), odd / "mask.nrrd")
    (odd / "cases.csv").write_text("id,image,mask\na,image.nrrd,mask.nrrd\nb,image.nrrd,mask.nrrd\n", encoding="utf-8")
    finished = _run(["extract", "--manifest", odd / "cases.csv", "-o", odd / "t.csv", "--workers", 2])
    assert finished.returncode == 0, finished.stderr.decode(errors="replace")
    assert len((odd / "t.csv").read_text(encoding="utf-8").splitlines()) > 2


def test_itk_opens_files_only_where_names_and_locale_are_taken_care_of() -> None:
    pytest.importorskip("distributed")
    calls = re.compile(r"sitk\.(ReadImage|WriteImage|ReadTransform|WriteTransform)\(|\.SetFileName\(")
    careful = {"images/itk_files.py", "images/write.py", "prepare/affine.py"}
    others = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if calls.search(file.read_text(encoding="utf-8"))
    }
    assert {name for name in others if not name.startswith("images/dicom")} == careful
