"""One run at a time in a folder: a second process is told, a killed one leaves no lock behind."""

from __future__ import annotations

import inspect
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deepradiomics.errors import InputError
from deepradiomics.files.lock import held, holds_out
from deepradiomics.fingerprint.evaluate.ablate import ablate
from deepradiomics.fingerprint.evaluate.run import evaluate_fingerprint
from deepradiomics.fingerprint.train.run import train_fingerprint
from deepradiomics.ich.autoencoder.run import train_autoencoder
from deepradiomics.ich.experiment.run import run_experiment
from deepradiomics.ich.segmenter.run import train_segmenter
from deepradiomics.lens.encoders.finetune.run import finetune
from deepradiomics.lens.encoders.pretrain.run import pretrain
from deepradiomics.lens.fit.run import fit_lens

HOLDER = """
import sys, time
from deepradiomics.files.lock import held
with held(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-c", HOLDER, str(tmp_path / "out")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_process_is_told_who_works_there(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    where = f"process {holder.pid} on {platform.node()}"
    with pytest.raises(InputError, match=rf"another run is writing there now \({where}\)"), held(tmp_path / "out"):
        pass


def test_the_lock_goes_with_its_process(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    holder.kill()
    holder.wait()
    with held(tmp_path / "out"):
        assert (tmp_path / "out" / ".lock").read_text("utf-8") == f" process {os.getpid()} on {platform.node()}"
    assert not (tmp_path / "out").exists(), "nothing was written there"


def test_a_folder_that_was_held_keeps_what_was_written(tmp_path: Path) -> None:
    with held(tmp_path / "out"):
        (tmp_path / "out" / "result.json").write_text("{}", encoding="utf-8")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["result.json"]


@pytest.mark.parametrize(
    "function",
    [
        ablate,
        evaluate_fingerprint,
        finetune,
        fit_lens,
        pretrain,
        run_experiment,
        train_autoencoder,
        train_fingerprint,
        train_segmenter,
    ],
    ids=lambda function: function.__name__,
)
def test_no_two_runs_share_an_output(
    function: Callable[..., Any], holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    needed = [name for name, one in inspect.signature(function).parameters.items() if one.default is one.empty]
    given = dict.fromkeys(needed) | {"out": tmp_path / "out"}
    with pytest.raises(InputError, match="another run is writing there now"):
        function(**given)


def test_a_function_keeps_its_name_and_its_answer(tmp_path: Path) -> None:
    @holds_out
    def work(number: int, out: Path) -> int:
        """Works."""
        assert (out / ".lock").is_file()
        return number + 1

    assert work(1, tmp_path / "out") == work(1, out=tmp_path / "out") == 2
    assert (work.__name__, work.__doc__) == ("work", "Works.")
