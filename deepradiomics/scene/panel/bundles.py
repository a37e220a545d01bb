"""Which model: the sample that comes with a module, or one in a folder; its description, read when it changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.networks.bundle import INFO_FILE, WEIGHTS_FILE

Summary = TypeVar("Summary")


def sample_bundle(module_file: str, name: str) -> Path:
    """A model among the resources of the module that a file of its library belongs to."""
    return Path(module_file).resolve().parents[1] / "Resources" / "Bundles" / name


def bundle_folder(parameters: Any, sample: Path) -> Path | None:
    """The folder of the chosen model, by `bundleSource` and `bundleFolder`; None when none is chosen."""
    if parameters.bundleSource.value == "sample":
        return sample
    return Path(parameters.bundleFolder) if parameters.bundleFolder else None


class BundleReader(Generic[Summary]):
    """Reads the description of the chosen model again only when it has changed: a panel asks at each touch.

    Parameters
    ----------
    read
        Reads the description from the model's folder; raises DeepRadiomicsError where that cannot be used.
    lies_in
        The folder of bundle.json and the weights, given the model's folder.
    """

    def __init__(self, read: Callable[[Path], Summary], lies_in: Callable[[Path], Path] = Path) -> None:
        self._read, self._lies_in = read, lies_in
        self._state: tuple[str, ...] | None = None
        self._summary: Summary | str | None = None

    def read(self, folder: Path | None) -> Summary | str | None:
        """The model's description, or the sentence that says what is wrong with it; None where no folder is named."""
        state = bundle_state(self._lies_in(folder)) if folder is not None else ()
        if state != self._state:
            self._state = state
            try:
                self._summary = self._read(folder) if folder is not None else None
            except DeepRadiomicsError as error:
                self._summary = str(error)
        return self._summary


def bundle_state(folder: Path) -> tuple[str, ...]:
    """What changes when another folder is named or a file of the bundle there is put in place, removed or changed."""
    files = (folder / INFO_FILE, folder / WEIGHTS_FILE)
    return (str(folder), *(str(file.stat().st_mtime_ns) if file.is_file() else "" for file in files))
