"""A model folder of nnU-Net v2 as segmenter, run by nnU-Net's own command in a child process.

::

    nnUNetTrainer__nnUNetPlans__3d_fullres/
      dataset.json   plans.json   fold_0/checkpoint_final.pth …

Nothing of nnU-Net is imported here, so its dependencies never meet ours: the command
``nnUNetv2_predict_from_modelfolder`` is looked for beside this Python, then on the PATH; ``DEEPRADIOMICS_NNUNET`` names
it where it lives in another environment. nnU-Net's checkpoints are pickles: use folders that you trust only.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from deepradiomics.child import find_program, last_words, other_environment, run_logged
from deepradiomics.devices import resolve_device
from deepradiomics.errors import BundleError, InputError, MissingDependencyError
from deepradiomics.files.atomic import content_hash, read_json, sha256_file
from deepradiomics.images import Volume, read_mask, write_volume
from deepradiomics.networks.segmented import Segmented, finished
from deepradiomics.prepare.head.hu import check_hu
from deepradiomics.progress import Progress, silent
from deepradiomics.words import short_repr

COMMAND = "nnUNetv2_predict_from_modelfolder"
COMMAND_VARIABLE = "DEEPRADIOMICS_NNUNET"
_CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth")
_WRITABLE = (".nii.gz", ".nii", ".nrrd", ".mha")
_LOG = "output.txt"


class RunCommand(Protocol):
    """Runs a command to its end, its output in the file ``log``; :func:`deepradiomics.child.run_logged` in life."""

    def __call__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        *,
        waiting: Callable[[float], None],
    ) -> int | None: ...


class NnUnetSegmenter:
    """A trained nnU-Net v2.

    Args:
        folder: the model folder, with dataset.json, plans.json and fold_*/.
        device: as in :mod:`deepradiomics.devices`; told to nnU-Net.
        folds: which folds vote; all that have a checkpoint by default.
        run: runs the command; replaced in tests.

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
        run: RunCommand = run_logged,
    ) -> None:
        self.source: Path | None = Path(folder)
        self._folder = Path(folder)
        self.name = f"nnU-Net {self._folder.name}"
        self.device = resolve_device(device)
        self._run_command = run
        self._dataset = _described(self._folder / "dataset.json")
        _described(self._folder / "plans.json")
        channels = self._dataset.get("channel_names", {})
        if not isinstance(channels, dict):
            raise BundleError(
                f"{self._folder / 'dataset.json'}: channel_names: expected an object, got {short_repr(channels)}."
            )
        if len(channels) != 1:
            names = ", ".join(map(str, channels.values())) or "none named"
            raise BundleError(
                f"{self._folder}: this nnU-Net wants {len(channels)} channels ({names}); a head CT is one."
            )
        self.labels  # noqa: B018 - told now, not after the segmentation
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
        if not isinstance(labels, dict):
            raise BundleError(f"{self._folder / 'dataset.json'}: labels: expected an object, got {short_repr(labels)}.")
        return {str(name): int(value) for name, value in labels.items() if isinstance(value, int) and value > 0}

    def command(self, images: Path, output: Path, *, flips: bool) -> list[str]:
        """The command line that segments a folder of images.

        Raises:
            MissingDependencyError: nnU-Net's command is not found.
        """
        device = self.device.partition(":")[0]
        command = [find_command(), "-i", str(images), "-o", str(output), "-m", str(self._folder.resolve())]
        command += ["-f", *self.folds, "-chk", self.checkpoint, "-device", device, "-npp", "1", "-nps", "1"]
        return command if flips else [*command, "--disable_tta"]

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
        environment = other_environment() | ({"CUDA_VISIBLE_DEVICES": index} if index else {})
        for variable in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):  # else it warns that they are not set
            environment.setdefault(variable, str(folder))

        def waiting(seconds: float) -> None:
            report(0.1 + 0.8 * (1 - 1 / (1 + seconds / 60)), f"{self.name} is running, {seconds:.0f} s")

        code = self._run_command(command, environment, folder, folder / _LOG, waiting=waiting)
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
        program = find_program(named)
        if program:
            return program
        raise MissingDependencyError(f"{COMMAND_VARIABLE} names {named!r}, which is no program that can be started.")
    program = find_program(COMMAND, [Path(sys.executable).parent]) or find_program(COMMAND)
    if not program:
        raise MissingDependencyError(
            f"nnU-Net v2 is not installed: its command {COMMAND} was found neither beside {sys.executable} nor on the "
            f"PATH. Install it (pip install nnunetv2), or set {COMMAND_VARIABLE} to the command in another environment."
        )
    return program


def _described(file: Path) -> dict[str, Any]:
    try:
        content = read_json(file)
    except InputError as error:
        raise BundleError(f"{error} Is {file.parent} a model folder of nnU-Net v2?") from error
    if not isinstance(content, dict):
        raise BundleError(f"{file}: expected a JSON object, as nnU-Net v2 writes it.")
    return content


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
    log_end = last_words(folder / _LOG)
    return f"It said: {log_end}" if log_end else "It said nothing."
