"""A child process that never runs: it writes what the real one would, and says what it is told to."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from deepradiomics.networks.bundle import FORMAT, FORMAT_VERSION


class FakeChild:
    """Ends at once with the exit code, or runs until killed when it is None."""

    def __init__(self, lines: Sequence[Mapping[str, Any]], exit_code: int | None, errors: str = "") -> None:
        self.stdout = io.StringIO("".join(json.dumps(line) + "\n" for line in lines))
        self.stderr = io.StringIO(errors)
        self.pid, self.exit_code, self.killed = 0, exit_code, False

    def poll(self) -> int | None:
        return -9 if self.killed else self.exit_code

    def kill_tree(self) -> None:
        self.killed = True


class FakeStart:
    """Stands where a child is started; remembers the command and the files it was given.

    Parameters
    ----------
    write
        Called with the words after `-m deepradiomics`: writes the result; what it returns joins the result event.
    """

    def __init__(
        self,
        write: Callable[[list[str]], dict[str, Any] | None] = lambda words: None,
        *,
        exit_code: int | None = 0,
        error: str | None = None,
    ) -> None:
        self.write, self.exit_code, self.error = write, exit_code, error
        self.words: list[str] = []
        self.folder = Path()
        self.child: FakeChild | None = None

    def __call__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> FakeChild:
        self.words, self.folder = list(command[3:]), folder
        lines: list[dict[str, Any]] = [{"event": "progress", "fraction": 0.4, "message": "half way"}]
        if self.error is not None:
            lines.append({"event": "error", "message": self.error})
        else:
            lines.append({"event": "result", **(self.write(self.words) or {})})
        self.child = FakeChild(lines if self.exit_code is not None else lines[:1], self.exit_code)
        return self.child

    def given(self, option: str) -> str:
        """What follows an option on the command line."""
        return self.words[self.words.index(option) + 1]


def parsed(words: list[str]) -> dict[str, Any]:
    """What the command line makes of a child's words."""
    import typer

    from deepradiomics.cli.main import app

    command: Any = typer.main.get_command(app)
    for word in words[:2]:
        command = command.commands[word]
    return dict(command.make_context("test", words[2:]).params)


class HandTimer:
    """A timer that the test winds by hand."""

    made: ClassVar[list[HandTimer]] = []

    def __init__(self, call: Callable[[], None], interval_ms: int) -> None:
        self.call, self.running = call, False
        HandTimer.made.append(self)

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False

    def wind(self, times: int = 50) -> None:
        """Call until the run has ended."""
        for _ in range(times):
            if not self.running:
                return
            self.call()


def write_bundle(folder: Path, **recipe: Any) -> Path:
    """A bundle with a description only: what the panel reads before a run."""
    folder.mkdir(parents=True, exist_ok=True)
    from deepradiomics.fingerprint.model.config import config

    described = config("tiny").to_dict()
    described["recipe"] |= {"patch_grid": [2, 2, 2], "registration": "off", **recipe}
    info = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "kind": "fingerprint",
        "tasks": [{"name": "abnormality"}, {"name": "acl"}],
        "synthetic": True,
        "config": described,
        "weights": {"file": "model.safetensors", "sha256": "0", "tensors": {}},
    }
    (folder / "bundle.json").write_text(json.dumps(info), encoding="utf-8")
    (folder / "model.safetensors").touch()
    return folder


def write_features(words: list[str]) -> None:
    """What `deepradiomics extract` writes: a row per label of the mask and feature, here the number of its voxels."""
    from deepradiomics.images import read_mask

    mask = read_mask(words[2])
    out = Path(words[words.index("-o") + 1])
    labels = {label: float(mask.region(label).sum()) for label in mask.labels_present()}
    rows = [f"{label},original_shape_VoxelVolume,shape,{value}" for label, value in labels.items()]
    out.write_text("label,feature,family,value\n" + "\n".join(rows) + "\n", encoding="utf-8")
    about = {
        "kind": "features",
        "labels": {str(label): {"name": mask.segment_names.get(label, "")} for label in labels},
    }
    out.with_suffix(".json").write_text(json.dumps(about), encoding="utf-8")


def named_features(words: list[str]) -> list[str]:
    """The names in the file that `--features @FILE` names."""
    return Path(words[words.index("--features") + 1].removeprefix("@")).read_text(encoding="utf-8").splitlines()


def write_maps(words: list[str]) -> None:
    """What `deepradiomics maps` writes: a map per feature around the mask, here x plus the feature's number."""
    import numpy as np

    from deepradiomics.images import Volume, read_mask, write_volume

    mask = read_mask(words[2])
    z, y, x = np.nonzero(mask.labels)
    start = [max(0, int(axis.min()) - 1) for axis in (x, y, z)]
    stop = [int(axis.max()) + 2 for axis in (x, y, z)]
    stop = [min(end, size) for end, size in zip(stop, mask.geometry.size, strict=True)]
    size = [end - begin for begin, end in zip(start, stop, strict=True)]
    box = tuple(slice(begin, end) for begin, end in zip(start[::-1], stop[::-1], strict=True))
    inside = mask.labels[box] > 0
    out = Path(words[words.index("-o") + 1])
    out.mkdir(parents=True)
    files = {}
    for number, key in enumerate(named_features(words)):
        values = np.where(inside, np.arange(start[0], stop[0]) + 100.0 * number, np.nan)
        write_volume(Volume(values, mask.geometry.crop(start, size)), out / f"map{number}.nrrd")
        files[key] = {"file": f"map{number}.nrrd"}
    about = {"kind": "maps", "maps": files, "methods_text": "Maps were computed."}
    (out / "maps.json").write_text(json.dumps(about), encoding="utf-8")
