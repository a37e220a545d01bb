"""nnU-Net as a backend: what is asked of its command, and what is told when it fails. The command here is a fake."""

import contextlib
import os
import stat
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import BundleError, Cancelled, InputError, MissingDependencyError
from deepradiomics.files.atomic import read_json, write_json
from deepradiomics.images import Volume
from deepradiomics.networks.nnunet import COMMAND_VARIABLE, NnUnetSegmenter, find_command
from deepradiomics.networks.segmenter import load_segmenter
from deepradiomics.stats.overlap import dice
from Testing.unit.ich.ball_head import ball_head

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the fake command is a script with a first line '#!'")

_FAKE = f"""#!{sys.executable}
import json, os, subprocess, sys, time
from pathlib import Path
import SimpleITK as sitk
words = sys.argv[1:]
here = Path(__file__).parent
(here / "asked.json").write_text(json.dumps(words))
mode = (here / "mode.txt").read_text()
print("nnU-Net says hello")
if mode == "fail":
    print("RuntimeError: the model is broken", file=sys.stderr)
    sys.exit(3)
if mode == "hang":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (here / "pids.txt").write_text(f"{{os.getpid()}} {{child.pid}}")
    time.sleep(60)
images, output = (Path(words[words.index(flag) + 1]) for flag in ("-i", "-o"))
if mode == "work":
    (image,) = images.iterdir()
    assert image.name == "case_0000.nii.gz", image
    found = sitk.ReadImage(str(image))
    mask = sitk.Cast((found > 50) & (found < 90), sitk.sitkUInt8)
    mask = sitk.BinaryMorphologicalOpening(mask, [1, 1, 1])
    sitk.WriteImage(mask * 2, str(output / "case.nii.gz"))
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fake nnUNetv2_predict_from_modelfolder; mode.txt beside it says how it behaves."""
    file = tmp_path / "bin" / "nnunet_fake"
    file.parent.mkdir()
    file.write_text(_FAKE, encoding="utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    (file.parent / "mode.txt").write_text("work")
    monkeypatch.setenv(COMMAND_VARIABLE, str(file))
    return file


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    for fold in ("0", "1", "all"):
        (folder / f"fold_{fold}").mkdir(parents=True)
        (folder / f"fold_{fold}" / "checkpoint_final.pth").write_bytes(fold.encode())
    write_json(folder / "plans.json", {"plans_name": "nnUNetPlans"})
    labels = {"background": 0, "oedema": 1, "ich": 2}
    write_json(folder / "dataset.json", {"channel_names": {"0": "CT"}, "labels": labels, "file_ending": ".nii.gz"})
    return folder


def asked(command: Path) -> list[str]:
    return list(read_json(command.parent / "asked.json"))


def test_a_head_is_segmented_on_its_own_grid(command: Path, model: Path) -> None:
    volume, mask = ball_head()
    segmenter = load_segmenter(model, device="cpu")
    said: list[str] = []
    found = segmenter.segment(volume, progress=lambda _, message: said.append(message))
    assert segmenter.kind == "nnunet"
    assert found.probability is None
    assert found.mask.geometry == volume.geometry
    assert found.mask.labels_present() == (1,)
    assert dice(found.mask.labels == 1, mask.labels == 1) > 0.9
    assert "All labels of nnU-Net" in found.notes[0]
    assert "oedema, ich" in found.notes[0]
    assert any("is running" in text for text in said)


def test_its_command_is_asked_as_nnunet_documents_it(command: Path, model: Path) -> None:
    load_segmenter(model, device="cpu").segment(ball_head()[0])
    words = asked(command)
    value = {flag: words[words.index(flag) + 1] for flag in ("-m", "-chk", "-device")}
    assert value == {"-m": str(model.resolve()), "-chk": "checkpoint_final.pth", "-device": "cpu"}
    assert words[words.index("-f") + 1 : words.index("-chk")] == ["0", "1"]
    assert "--disable_tta" in words
    load_segmenter(model, device="cpu", folds=["all"]).segment(ball_head()[0], flips=True)
    words = asked(command)
    assert words[words.index("-f") + 1 : words.index("-chk")] == ["all"]
    assert "--disable_tta" not in words


def test_a_failure_is_told_with_its_last_words_and_leaves_nothing(command: Path, model: Path) -> None:
    (command.parent / "mode.txt").write_text("fail")
    before = set(Path(tempfile.gettempdir()).glob("deepradiomics-nnunet-*"))
    with pytest.raises(InputError, match=r"failed with exit code 3\. It said: .*the model is broken"):
        load_segmenter(model, device="cpu").segment(ball_head()[0])
    (command.parent / "mode.txt").write_text("nothing")
    with pytest.raises(InputError, match=r"ended without case.nii.gz \(it left nothing\)"):
        load_segmenter(model, device="cpu").segment(ball_head()[0])
    assert set(Path(tempfile.gettempdir()).glob("deepradiomics-nnunet-*")) <= before


def test_cancelling_ends_the_command_and_what_it_started(command: Path, model: Path) -> None:
    (command.parent / "mode.txt").write_text("hang")
    pids = command.parent / "pids.txt"

    def stop(fraction: float, message: str) -> None:
        if pids.is_file() and len(pids.read_text().split()) == 2:
            raise Cancelled("stopped by the user")

    begun = time.monotonic()
    with pytest.raises(Cancelled):
        load_segmenter(model, device="cpu").segment(ball_head()[0], progress=stop)
    assert time.monotonic() - begun < 40
    deadline = time.monotonic() + 10
    while any(map(_lives, pids.read_text().split())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_lives, pids.read_text().split()))


def test_no_hu_is_refused_before_the_command_starts(command: Path, model: Path) -> None:
    volume, _ = ball_head()
    picture = Volume(np.clip(volume.voxels, 0, 255), volume.geometry)
    with pytest.raises(InputError, match="look like a picture"):
        load_segmenter(model, device="cpu").segment(picture)
    assert not (command.parent / "asked.json").exists()


def test_a_missing_nnunet_is_told_with_what_to_do(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMMAND_VARIABLE, "/nowhere/nnunet")
    with pytest.raises(MissingDependencyError, match="DEEPRADIOMICS_NNUNET names '/nowhere/nnunet'"):
        find_command()
    monkeypatch.delenv(COMMAND_VARIABLE)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingDependencyError, match=r"pip install nnunetv2"):
        load_segmenter(model, device="cpu").segment(ball_head()[0])


def test_unusable_model_folders_are_told(model: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no checkpoint_final.pth of fold 4; there are: 0, 1, all"):
        NnUnetSegmenter(model, folds=[4])
    dataset = read_json(model / "dataset.json")
    write_json(model / "dataset.json", {**dataset, "channel_names": {"0": "CT", "1": "MR"}})
    with pytest.raises(BundleError, match=r"wants 2 channels \(CT, MR\)"):
        NnUnetSegmenter(model)
    for change in ({"channel_names": ["CT"]}, {"labels": ["background", "ich"]}, {"channel_names": None}):
        write_json(model / "dataset.json", {**dataset, **change})
        with pytest.raises(BundleError, match=rf"dataset\.json: {next(iter(change))}: expected an object"):
            NnUnetSegmenter(model)
    write_json(model / "dataset.json", dataset)
    for file in model.glob("fold_*/*.pth"):
        file.unlink()
    with pytest.raises(BundleError, match="no fold_"):
        NnUnetSegmenter(model)
    (model / "plans.json").write_text("{", encoding="utf-8")
    with pytest.raises(BundleError, match=r"Is .* a model folder of nnU-Net v2"):
        NnUnetSegmenter(model)


def test_the_hash_is_that_of_the_checkpoints_that_vote(model: Path) -> None:
    one, other = NnUnetSegmenter(model).sha256, NnUnetSegmenter(model, folds=[0]).sha256
    assert one != other
    assert one == NnUnetSegmenter(model, folds=[0, 1]).sha256
    (model / "fold_0" / "checkpoint_final.pth").write_bytes(b"trained on")
    assert NnUnetSegmenter(model).sha256 != one


def _lives(pid: str) -> bool:
    with contextlib.suppress(OSError):
        os.kill(int(pid), 0)
        status = Path(f"/proc/{pid}/status")
        return not (status.is_file() and "\nState:\tZ" in status.read_text())
    return False
