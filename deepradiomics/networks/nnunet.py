"""A model folder of nnU-Net v2 as segmenter, run by nnU-Net's own command in a child process.

::

    nnUNetTrainer__nnUNetPlans__3d_fullres/
      dataset.json   plans.json   fold_0/checkpoint_final.pth …

Nothing of nnU-Net is imported here, so its dependencies never meet ours: the command
``nnUNetv2_predict_from_modelfolder`` is looked for beside this Python, then on the PATH; ``DEEPRADIOMICS_NNUNET`` names
it where it lives in another environment. nnU-Net's checkpoints are pickles: use folders that you trust only.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from deepradiomics.devices import resolve_device
from deepradiomics.errors import BundleError, InputError, MissingDependencyError
from deepradiomics.files import content_hash, read_json, sha256_file
from deepradiomics.images import Volume, read_mask, write_volume
from deepradiomics.networks.segmented import Segmented, finished
from deepradiomics.prepare.hu import check_hu
from deepradiomics.progress import Progress, silent

COMMAND = "nnUNetv2_predict_from_modelfolder"
COMMAND_VARIABLE = "DEEPRADIOMICS_NNUNET"
_CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth")
_WRITABLE = (".nii.gz", ".nii", ".nrrd", ".mha")
_POLL_S, _GRACE_S = 0.2, 2.0


class Child(Protocol):
    """What is needed of a running command; ``subprocess`` is behind it in life, a fake may be in tests."""

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""

    def kill_tree(self) -> None:
        """End it and all it started."""


class NnUnetSegmenter:
    """A trained nnU-Net v2.

    Args:
        folder: the model folder, with dataset.json, plans.json and fold_*/.
        device: as in :mod:`deepradiomics.devices`; told to nnU-Net.
        folds: which folds vote; all that have a checkpoint by default.
        start: starts the command; replaced in tests.

    Raises:
        BundleError: a file is missing, a fold has no checkpoint, or the model wants several channels.
    """

    kind: Literal["bundle", "nnunet"] = "nnunet"
    synthetic = False

    def __init__(
        self,
        folder: str | Path,
        *,
        device: str = "auto",
        folds: Sequence[int | str] | None = None,
        start: Callable[[Sequence[str], Mapping[str, str], Path], Child] | None = None,
    ) -> None:
        self.source: Path | None = Path(folder)
        self._folder = Path(folder)
        self.name = f"nnU-Net {self._folder.name}"
        self.device = resolve_device(device)
        self._start = start or _StartedCommand
        self._dataset = _described(self._folder / "dataset.json")
        _described(self._folder / "plans.json")
        channels = self._dataset.get("channel_names", {})
        if len(channels) != 1:
            names = ", ".join(map(str, channels.values())) or "none named"
            raise BundleError(
                f"{self._folder}: this nnU-Net wants {len(channels)} channels ({names}); a head CT is one."
            )
        self.ending = str(self._dataset.get("file_ending", ".nii.gz"))
        if self.ending not in _WRITABLE:
            raise BundleError(f"{self._folder}: file ending {self.ending!r}; expected one of {', '.join(_WRITABLE)}.")
        self.folds, self.checkpoint = _folds(self._folder, folds)

    @cached_property
    def sha256(self) -> str:
        """Hash of dataset.json, plans.json and the checkpoints that vote."""
        files = [self._folder / name for name in ("dataset.json", "plans.json")]
        files += [self._folder / f"fold_{fold}" / self.checkpoint for fold in self.folds]
        return content_hash(
            "nnunet 1", {file.relative_to(self._folder).as_posix(): sha256_file(file) for file in files}
        )

    @property
    def labels(self) -> dict[str, int]:
        """The model's foreground labels by name; all of them count as haematoma."""
        labels = self._dataset.get("labels", {})
        return {str(name): int(value) for name, value in labels.items() if isinstance(value, int) and value > 0}

    def command(self, images: Path, output: Path, *, flips: bool) -> list[str]:
        """The command line that segments a folder of images.

        Raises:
            MissingDependencyError: nnU-Net's command is not found.
        """
        device = self.device.partition(":")[0]
        words = [find_command(), "-i", str(images), "-o", str(output), "-m", str(self._folder.resolve())]
        words += ["-f", *self.folds, "-chk", self.checkpoint, "-device", device, "-npp", "1", "-nps", "1"]
        return words if flips else [*words, "--disable_tta"]

    def segment(
        self,
        volume: Volume,
        *,
        flips: bool = False,
        largest: bool = False,
        case: str = "",
        progress: Progress | None = None,
    ) -> Segmented:
        """Segment a head CT in HU. ``flips`` is nnU-Net's own mirroring along all axes (eight times the time).

        Raises:
            InputError: the grey levels cannot be HU, or nnU-Net failed; its last words are in the message.
            MissingDependencyError: nnU-Net is not installed.
        """
        report = progress or silent
        report(0.0, "checking the CT")
        notes = list(check_hu(volume, case=case))
        if len(self.labels) > 1:
            notes.append(f"All labels of {self.name} count as haematoma: {', '.join(self.labels)}.")
        with tempfile.TemporaryDirectory(prefix="deepradiomics-nnunet-") as name:
            folder = Path(name)
            images, output = folder / "images", folder / "output"
            images.mkdir()
            output.mkdir()
            command = self.command(images, output, flips=flips)
            write_volume(Volume(volume.voxels, volume.geometry), images / f"case_0000{self.ending}")
            self._run(command, folder, report)
            report(0.95, "reading nnU-Net's result")
            result = output / f"case{self.ending}"
            if not result.is_file():
                there = ", ".join(sorted(file.name for file in output.iterdir())) or "nothing"
                raise InputError(f"{self.name} ended without {result.name} (it left {there}). {_last_words(folder)}")
            mask = read_mask(result)
        if mask.labels.shape != volume.geometry.shape:
            raise InputError(f"{self.name}: its mask has shape {mask.labels.shape}, the CT {volume.geometry.shape}.")
        region = np.isin(mask.labels, list(self.labels.values())) if self.labels else mask.labels > 0
        return finished(region, volume.geometry, largest=largest, notes=tuple(notes))

    def _run(self, command: Sequence[str], folder: Path, report: Progress) -> None:
        index = self.device.partition(":")[2]
        environment = {**os.environ, **({"CUDA_VISIBLE_DEVICES": index} if index else {})}
        for variable in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):  # else it warns that they are not set
            environment.setdefault(variable, str(folder))
        child = self._start(command, environment, folder)
        begun = time.monotonic()
        try:
            while (code := child.poll()) is None:
                seconds = time.monotonic() - begun
                report(0.1 + 0.8 * (1 - 1 / (1 + seconds / 60)), f"{self.name} is running, {seconds:.0f} s")
                time.sleep(_POLL_S)
        finally:  # cancelled, a signal, or an error of the report
            child.kill_tree()
        if code != 0:
            raise InputError(f"{self.name} failed with exit code {code}. {_last_words(folder)}")


def is_nnunet_folder(folder: str | Path) -> bool:
    """Whether a folder looks like a model folder of nnU-Net v2 (plans.json and dataset.json, no bundle)."""
    folder = Path(folder)
    return all((folder / name).is_file() for name in ("plans.json", "dataset.json"))


def find_command() -> str:
    """Return the path of nnU-Net's command.

    Raises:
        MissingDependencyError: it is nowhere.
    """
    named = os.environ.get(COMMAND_VARIABLE)
    if named:
        if shutil.which(named):
            return named
        raise MissingDependencyError(f"{COMMAND_VARIABLE} names {named!r}, which is no program that can be started.")
    beside = shutil.which(COMMAND, path=str(Path(sys.executable).parent))
    found = beside or shutil.which(COMMAND)
    if not found:
        raise MissingDependencyError(
            f"nnU-Net v2 is not installed: its command {COMMAND} was found neither beside {sys.executable} nor on the "
            f"PATH. Install it (pip install nnunetv2), or set {COMMAND_VARIABLE} to the command in another environment."
        )
    return found


class _StartedCommand:
    """The command in a process group of its own; what it says goes to said.txt in its folder."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        options: dict[str, Any] = {"start_new_session": True}
        if os.name == "nt":
            options = {"creationflags": 0x00000200 | 0x08000000}  # CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW
        with (folder / "said.txt").open("wb") as said:
            try:
                self._popen = subprocess.Popen(
                    list(command), env=dict(environment), cwd=folder, stdin=subprocess.DEVNULL, stdout=said,
                    stderr=subprocess.STDOUT, **options,
                )  # fmt: skip
            except OSError as error:
                raise InputError(f"could not start {command[0]}: {error}") from error

    def poll(self) -> int | None:
        return self._popen.poll()

    def kill_tree(self) -> None:
        if os.name == "nt":
            if self._popen.poll() is None:
                taskkill = ["taskkill", "/PID", str(self._popen.pid), "/T", "/F"]
                subprocess.run(taskkill, capture_output=True, check=False, creationflags=0x08000000)  # type: ignore[call-arg]
        else:
            if self._popen.poll() is None:
                self._signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._popen.wait(_GRACE_S)
            self._signal(signal.SIGKILL)  # what it started may outlive it
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(10)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, number)


def _described(file: Path) -> dict[str, Any]:
    try:
        found = read_json(file)
    except InputError as error:
        raise BundleError(f"{error} Is {file.parent} a model folder of nnU-Net v2?") from error
    if not isinstance(found, dict):
        raise BundleError(f"{file}: expected a JSON object, as nnU-Net v2 writes it.")
    return found


def _folds(folder: Path, wanted: Sequence[int | str] | None) -> tuple[tuple[str, ...], str]:
    """The folds that vote, and the name of their checkpoint."""
    there = {path.name.removeprefix("fold_"): path for path in sorted(folder.glob("fold_*")) if path.is_dir()}
    for checkpoint in _CHECKPOINTS:
        ready = [fold for fold, path in there.items() if (path / checkpoint).is_file()]
        if not ready:
            continue
        if wanted is None:  # a model trained on all cases does not vote beside those of a cross-validation
            return tuple(fold for fold in ready if fold != "all") or ("all",), checkpoint
        missing = [str(fold) for fold in wanted if str(fold) not in ready]
        if missing:
            raise BundleError(f"{folder}: no {checkpoint} of fold {', '.join(missing)}; there are: {', '.join(ready)}.")
        return tuple(str(fold) for fold in wanted), checkpoint
    raise BundleError(f"{folder}: no fold_*/{_CHECKPOINTS[0]} was found. Is the training of this nnU-Net finished?")


def _last_words(folder: Path) -> str:
    said = folder / "said.txt"
    lines = said.read_text(encoding="utf-8", errors="replace").splitlines() if said.is_file() else []
    lines = [line.strip() for line in lines if line.strip()]
    return f"It said: {' | '.join(lines[-3:])[-500:]}" if lines else "It said nothing."
