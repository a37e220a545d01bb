"""Groups of options that several commands share, and the configuration that they ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from deepradiomics.cli.inputs import existing_file
from deepradiomics.cli.options import (
    BackendName,
    Cache,
    Centre,
    Cluster,
    ConfigFile,
    DeviceName,
    Epochs,
    Flips,
    Largest,
    MaxMemory,
    Missing,
    Params,
    Preset,
    Resume,
    Scene,
    Seed,
    SegmenterFolder,
    Threads,
    Workers,
)
from deepradiomics.cli.outputs import check_output
from deepradiomics.devices import checked_device
from deepradiomics.errors import InputError
from deepradiomics.options import Options, check_choice

_Config = TypeVar("_Config", bound=Options)


PRESETS = ("paper", "tiny")


@dataclass(frozen=True)
class RunOptions:
    """How every run that can be stopped is run."""

    seed: Seed = 0
    cache: Cache = None
    device: DeviceName = "auto"
    resume: Resume = True

    def check(self) -> None:
        """Raise InputError where the cache cannot be written to, or there is no such device."""
        if self.cache is not None:
            check_output(self.cache, "cache")
        checked_device(self.device)


@dataclass(frozen=True)
class ExtractionOptions:
    """Where features are extracted."""

    workers: Workers = 1
    cluster: Cluster = None


@dataclass(frozen=True)
class EngineOptions:
    """What the engine computes, and where."""

    params: Params = None
    device: DeviceName = "auto"
    threads: Threads = None
    max_memory_gb: MaxMemory = None


@dataclass(frozen=True)
class CaseRunOptions:
    """How one case is run, and whether a scene is written."""

    device: DeviceName = "auto"
    threads: Threads = None
    scene: Scene = True


@dataclass(frozen=True)
class CohortOptions:
    """Which image of each case an encoder sees, and what becomes of cases without one."""

    centre: Centre = "gland"
    missing: Missing = "refuse"


@dataclass(frozen=True)
class DistributedRunOptions(RunOptions, ExtractionOptions):
    """How a run that can be stopped is run, and where its features are extracted."""


@dataclass(frozen=True)
class RegistrationOptions:
    """How images are registered."""

    backend: BackendName = "auto"
    seed: Seed = 0
    device: DeviceName = "auto"

    def check(self) -> None:
        """Raise InputError where backend or device are unknown."""
        check_choice("--backend", self.backend, ("auto", "cpu", "gpu"))
        checked_device(self.device)


@dataclass(frozen=True)
class SettingOptions:
    """Where a configuration comes from."""

    preset: Preset = None
    config: ConfigFile = None
    params: Params = None

    def of(self, kind: type[_Config], changes: Mapping[str, Any], params: str = "params") -> _Config:
        """The configuration that the options ask for; ``params`` is what it calls the radiomic features.

        Raises:
            InputError: both a preset and a file, an unknown preset, or a value that cannot be used.
        """
        changed = {} if self.params is None else {params: self.params}
        return configuration(kind, self.preset, self.config, {**changes, **changed})


@dataclass(frozen=True)
class ConfigOptions:
    """Where the configuration of a training comes from; ``epochs`` replaces the one of the preset."""

    preset: Preset = None
    config: ConfigFile = None
    epochs: Epochs = None

    def of(self, kind: type[_Config], stage: str = "training") -> _Config:
        """The configuration that the options ask for; ``stage`` is the group that the epochs belong to.

        Raises:
            InputError: both a preset and a file, an unknown preset, or an unusable file.
        """
        changes = {} if self.epochs is None else {stage: {"epochs": self.epochs}}
        return configuration(kind, self.preset, self.config, changes)


@dataclass(frozen=True)
class TrainingOptions(RunOptions, ConfigOptions):
    """How a training is configured and run."""


@dataclass(frozen=True)
class SegmentationOptions:
    """How a haematoma is segmented."""

    segmenter: SegmenterFolder = None
    flips: Flips = False
    largest: Largest = False

    @property
    def given(self) -> str:
        """Those options that were given, as a message names them."""
        return ", ".join(f"--{field.name}" for field in fields(self) if getattr(self, field.name))


def configuration(kind: type[_Config], preset: str | None, file: Path | None, changes: Mapping[str, Any]) -> _Config:
    """The configuration of a preset or a file, with what single options say instead.

    Raises:
        InputError: both a preset and a file, an unknown preset, or a value that cannot be used.
    """
    check_preset(preset, file)
    base = kind.of_preset(preset or "paper") if file is None else kind.read(existing_file(file, "--config"))
    return base.updated(changes)


def check_preset(preset: str | None, file: Path | None) -> None:
    """Check what ``--preset`` and ``--config`` say together, before anything is loaded.

    Raises:
        InputError: both are given, or the preset is unknown.
    """
    if preset is not None and file is not None:
        raise InputError("--preset and --config: give one of them, a configuration file is complete in itself.")
    if preset is not None and preset not in PRESETS:
        raise InputError(f"--preset: expected one of {', '.join(PRESETS)}, got {preset!r}.")
