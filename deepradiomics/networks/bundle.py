"""A model bundle: one folder with weights (safetensors) and a description (JSON) that vouch for each other.

::

    bundle/
      model.safetensors   tensors by name; its header carries the hash of the description
      bundle.json         what the model is, with format, version and the hash, shapes and dtypes of the weights

Nothing in a bundle is executed on loading: there is no pickle. A bundle that was damaged, cut short or edited is
refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import numpy as np

from deepradiomics.errors import BundleError, InputError, MissingDependencyError
from deepradiomics.files.atomic import atomic_folder, content_hash, read_json, sha256_file, write_json
from deepradiomics.files.reading import reading
from deepradiomics.words import without_folders

FORMAT = "deepradiomics-bundle"
FORMAT_VERSION = 1
WEIGHTS_FILE = "model.safetensors"
INFO_FILE = "bundle.json"
_Place = TypeVar("_Place", Path, str | Path)
_More = ParamSpec("_More")
_Loaded = TypeVar("_Loaded")
_RESERVED = ("format", "format_version", "weights")


class _Tensor(Protocol):
    """What a torch tensor offers here; torch itself need not be imported."""

    def detach(self) -> Any: ...


def save_bundle(folder: str | Path, tensors: Mapping[str, np.ndarray | _Tensor], info: Mapping[str, Any]) -> Path:
    """Write a bundle folder as a whole or not at all.

    Args:
        folder: the bundle's folder; an existing bundle there is replaced. A folder with other files is refused.
        tensors: arrays or torch tensors by name, finite.
        info: what the model is, JSON-able and finite; ``format``, ``format_version`` and ``weights`` are added.
            Absolute paths in its texts lose their folders: a bundle travels, and they tell who worked where.

    Returns:
        The folder.

    Raises:
        BundleError: a tensor is not finite, ``info`` is not JSON-able or uses a reserved key.
        InputError: the folder holds something else, or cannot be written.
        MissingDependencyError: safetensors is not installed.
    """
    folder = Path(folder)
    _refuse_foreign_folder(folder)
    arrays = {name: _as_array(name, tensor) for name, tensor in tensors.items()}
    if not arrays:
        raise BundleError(f"{folder}: a bundle needs at least one tensor, got none.")
    taken = [key for key in _RESERVED if key in info]
    if taken:
        raise BundleError(f"info: the keys {', '.join(taken)} are written by the bundle itself; rename them.")
    try:
        described = without_folders(json.loads(json.dumps(dict(info), allow_nan=False)))
    except (TypeError, ValueError) as error:
        raise BundleError(f"info: expected finite JSON values (use null instead of NaN), got: {error}.") from error
    described = {"format": FORMAT, "format_version": FORMAT_VERSION, **described}
    with atomic_folder(folder) as temporary:
        weights = temporary / WEIGHTS_FILE
        _safetensors().save_file(arrays, weights, metadata={"info_sha256": content_hash(described)})
        described["weights"] = {
            "file": WEIGHTS_FILE,
            "sha256": sha256_file(weights),
            "tensors": {name: {"shape": list(a.shape), "dtype": str(a.dtype)} for name, a in arrays.items()},
        }
        write_json(temporary / INFO_FILE, described)
        weights.chmod((temporary / INFO_FILE).stat().st_mode)  # safetensors makes its file private
    return folder


def load_bundle(folder: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read a bundle and check that it is whole.

    Returns:
        The tensors by name, and the description (with ``weights.sha256``, by which results name the bundle).

    Raises:
        BundleError: a file is missing or unreadable, the format unknown, or hash, names, shapes or dtypes do not fit.
        MissingDependencyError: safetensors is not installed.
    """
    folder = Path(folder)
    info = load_info(folder)
    weights = folder / WEIGHTS_FILE
    with reading(weights, "the weights", "Copy the whole bundle folder again.", BundleError):
        expected, got = str(info["weights"].get("sha256")), sha256_file(weights)
    if got != expected:
        raise BundleError(
            f"{weights}: the weights are not those that {INFO_FILE} describes (SHA-256: expected {expected[:12]}…, "
            f"got {got[:12]}…). The file was damaged or exchanged; copy the whole bundle folder again."
        )
    library = _safetensors()
    try:
        tensors = dict(library.load_file(weights))
    except Exception as error:  # safetensors raises its own error type for every kind of damage
        raise BundleError(f"{weights}: this is not a readable safetensors file ({error}).") from error
    _check_tensors(weights, info["weights"].get("tensors"), tensors)
    for name, array in tensors.items():
        if array.dtype.kind not in "fiub":
            raise BundleError(f"{weights}: tensor {name!r}: expected numbers, got dtype {array.dtype}.")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise BundleError(
                f"{weights}: tensor {name!r}: some values are NaN or infinite, with which nothing can be predicted. "
                "Ask for a sound bundle, or train it again."
            )
    described = {key: value for key, value in info.items() if key != "weights"}
    vouched = _metadata(weights).get("info_sha256")
    if vouched != content_hash(described):
        raise BundleError(
            f"{folder / INFO_FILE}: the description was changed after the bundle was saved (its hash is not the one "
            f"kept in {WEIGHTS_FILE}). Restore the original file, or save the bundle again with the change."
        )
    return tensors, info


def loading_bundle(
    load: Callable[Concatenate[_Place, _More], _Loaded],
) -> Callable[Concatenate[_Place, _More], _Loaded]:
    """Decorate a function that loads a bundle from the folder named first: content of a wrong kind becomes words."""

    @wraps(load)
    def loaded(folder: _Place, *more: _More.args, **named: _More.kwargs) -> _Loaded:
        with reading(str(folder), "this bundle", "Copy the whole bundle folder again, or make it anew.", BundleError):
            return load(folder, *more, **named)

    return loaded


def load_info(folder: str | Path) -> dict[str, Any]:
    """Read only the description of a bundle: quick, needs neither torch nor safetensors, checks no hash.

    Raises:
        BundleError: the folder or one of its files is missing, the description is not JSON or has an unknown format.
    """
    folder = Path(folder)
    file = folder / INFO_FILE
    if not folder.is_dir():
        raise BundleError(f"{folder}: expected a bundle folder with {INFO_FILE} and {WEIGHTS_FILE}, found no folder.")
    if not file.is_file():
        raise BundleError(f"{file}: this file of the bundle is missing. Is {folder.name!r} a bundle folder?")
    try:
        info = read_json(file)
    except InputError as error:
        raise BundleError(f"{error} Copy the whole bundle folder again.") from error
    if not isinstance(info, dict) or info.get("format") != FORMAT:
        raise BundleError(f"{file}: expected a description with format {FORMAT!r}; this JSON is something else.")
    if info.get("format_version") != FORMAT_VERSION:
        raise BundleError(
            f"{file}: expected format version {FORMAT_VERSION}, got {info.get('format_version')!r}. "
            "Use the release of deepradiomics that wrote it, or train the bundle again."
        )
    if not isinstance(info.get("weights"), dict):
        raise BundleError(f"{file}: the entry 'weights' (file, hash, shapes) is missing. Copy the bundle again.")
    try:
        json.dumps(info, allow_nan=False)
    except ValueError as error:
        raise BundleError(f"{file}: a number in the description is NaN or infinite. Copy the bundle again.") from error
    if not (folder / WEIGHTS_FILE).is_file():
        raise BundleError(
            f"{folder / WEIGHTS_FILE}: this file of the bundle is missing. Copy the whole bundle folder again."
        )
    return info


def _check_tensors(weights: Path, listed: Any, tensors: Mapping[str, np.ndarray]) -> None:
    """Names, shapes and dtypes of the tensors are those that the description lists."""
    if not isinstance(listed, dict):
        raise BundleError(f"{weights.with_name(INFO_FILE)}: the list of tensors is missing. Copy the bundle again.")
    absent, surplus = sorted(set(listed) - set(tensors)), sorted(set(tensors) - set(listed))
    if absent or surplus:
        raise BundleError(
            f"{weights}: tensors do not fit {INFO_FILE}: missing {absent or 'none'}, unexpected {surplus or 'none'}."
        )
    for name, expected in listed.items():
        got = {"shape": list(tensors[name].shape), "dtype": str(tensors[name].dtype)}
        if got != expected:
            raise BundleError(f"{weights}: tensor {name!r}: expected {expected}, got {got}. Copy the bundle again.")


def _as_array(name: str, tensor: Any) -> np.ndarray:
    array = np.ascontiguousarray(tensor.detach().cpu().numpy() if hasattr(tensor, "detach") else tensor)
    if array.dtype.kind not in "fiub":
        raise BundleError(f"tensor {name!r}: expected numbers, got dtype {array.dtype}.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise BundleError(f"tensor {name!r}: some values are NaN or infinite. Did training diverge?")
    return array.reshape(np.shape(tensor))  # ascontiguousarray turns a scalar into a vector


def _refuse_foreign_folder(folder: Path) -> None:
    """A bundle may replace a bundle or an empty folder; never something of the user's."""
    if folder.is_dir():
        foreign = sorted(p.name for p in folder.iterdir() if p.name not in (WEIGHTS_FILE, INFO_FILE))
        if foreign:
            raise InputError(f"{folder}: the folder holds other files ({foreign[0]}, …); choose a new one.")
    elif folder.exists():
        raise InputError(f"{folder}: expected a folder to write the bundle to, found a file.")


def _metadata(weights: Path) -> dict[str, str]:
    _safetensors()
    from safetensors import safe_open

    with safe_open(str(weights), framework="np") as stream:
        return dict(stream.metadata() or {})


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise MissingDependencyError(
            "Model bundles need safetensors: pip install 'deepradiomics[networks]'."
        ) from error
    return safetensors.numpy
