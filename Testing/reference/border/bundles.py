"""Mutants of model bundles: bytes, descriptions and weights; also signed again by somebody who means harm."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from Testing.reference.border.bytes import cut, flipped, lengthened
from Testing.reference.border.mutant import Mutant

ROOT = Path(__file__).resolve().parents[3]
BUNDLES = {
    "fingerprint": ROOT / "RadiomicFingerprint" / "Resources" / "Bundles" / "knee-synthetic-tiny",
    "predictor": ROOT / "ICHLatentFeatures" / "Resources" / "Bundles" / "head-synthetic-tiny",
}
VALUES: tuple[Any, ...] = (None, -1, 0, 1e308, "x", [], {}, True, float("nan"), "../../x", [[1]], 10**30, "9" * 5000)


def mutant(rng: np.random.Generator, folder: Path) -> Mutant:
    """A bundle with one thing changed. Signed again, it must be refused or hold finite weights of the right shapes."""
    kind = list(BUNDLES)[int(rng.integers(0, len(BUNDLES)))]
    place = folder / "bundle"
    shutil.copytree(BUNDLES[kind], place)
    inner = place / "predictor" if kind == "predictor" else place
    intact = reading(kind, place)[0]
    way = int(rng.integers(0, 4))
    if way == 0:
        path = inner / ("bundle.json" if rng.random() < 0.5 else "model.safetensors")
        change = (cut, lengthened, lambda data, generator: flipped(data, generator, 0, len(data)))[
            int(rng.integers(0, 3))
        ]
        path.write_bytes(change(path.read_bytes(), rng))
        field, compare = f"{path.name}: bytes", _equal
    elif way == 1:
        field, compare = _weights_changed(inner, rng), _sound
    else:
        field, compare = _description_changed(inner, rng), _sound
    return Mutant(f"bundle {kind}", field, lambda: reading(kind, place), intact, compare)


def _signed(inner: Path, tensors: dict[str, np.ndarray], info: dict[str, Any]) -> None:
    """Write a bundle whose hashes fit, whatever it holds."""
    from safetensors.numpy import save_file

    from deepradiomics.files.atomic import content_hash, sha256_file

    described = {key: value for key, value in info.items() if key != "weights"}
    save_file(tensors, inner / "model.safetensors", {"info_sha256": content_hash(described)})
    weights = dict(info["weights"])
    weights["sha256"] = sha256_file(inner / "model.safetensors")
    weights["tensors"] = {name: {"shape": list(a.shape), "dtype": str(a.dtype)} for name, a in tensors.items()}
    (inner / "bundle.json").write_text(json.dumps(described | {"weights": weights}), encoding="utf-8")


def _loaded(inner: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    from safetensors.numpy import load_file

    return dict(load_file(inner / "model.safetensors")), json.loads((inner / "bundle.json").read_text(encoding="utf-8"))


def _weights_changed(inner: Path, rng: np.random.Generator) -> str:
    tensors, info = _loaded(inner)
    name = sorted(tensors)[int(rng.integers(0, len(tensors)))]
    array = tensors[name].copy()
    way = int(rng.integers(0, 4))
    if way == 0:
        tensors.pop(name)
    elif way == 1:
        tensors[name] = array[..., None].repeat(2, -1)
    else:
        if array.dtype.kind == "f":
            value = (float("nan"), float("inf"), 1e30, -1e30)[int(rng.integers(0, 4))]
        else:
            value = (-1, 0, 1, 120)[int(rng.integers(0, 4))]
        if array.size:
            with np.errstate(over="ignore"):
                array.reshape(-1)[int(rng.integers(0, array.size))] = value
        tensors[name] = array
    _signed(inner, tensors, info)
    return f"tensor {name}, way {way}"


def _description_changed(inner: Path, rng: np.random.Generator) -> str:
    tensors, info = _loaded(inner)
    places: list[tuple[Any, Any, str]] = []

    def walk(value: Any, path: str, depth: int) -> None:
        entries = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
        for key, below in entries:
            if depth or key not in ("weights", "about"):
                places.append((value, key, f"{path}/{key}"))
                if depth < 4:
                    walk(below, f"{path}/{key}", depth + 1)

    walk(info, "", 0)
    parent, key, path = places[int(rng.integers(0, len(places)))]
    if isinstance(parent, dict) and rng.random() < 0.3:
        del parent[key]
        path += " removed"
    else:
        parent[key] = VALUES[int(rng.integers(0, len(VALUES)))]
        path += f" = {str(parent[key])[:20]}"
    _signed(inner, tensors, info)
    return path


def reading(kind: str, place: Path) -> tuple[Any, tuple[str, ...]]:
    """What the model says of one fixed input, and whether its weights are finite."""
    if kind == "fingerprint":
        import torch

        from deepradiomics.fingerprint.model.bundle import load_fingerprint

        bundle = load_fingerprint(place)
        weights = [value.double().numpy().ravel() for value in bundle.model.state_dict().values()]
        torch.set_num_threads(1)
        return np.concatenate(weights), ()
    from deepradiomics.ich.predictor import load_predictor

    predictor = load_predictor(place)
    generator = np.random.default_rng(0)
    features = {group: generator.uniform(0.1, 5, (1, block.n_features)) for group, block in predictor.blocks.items()}
    columns = predictor.table(features)
    return np.array([float(outcome.model.probability(columns)[0]) for outcome in predictor.outcomes]), ()


def _equal(one: Any, other: Any) -> bool:
    return one.shape == other.shape and bool(np.array_equal(one, other))


def _sound(one: Any, other: Any) -> bool:
    """Signed again, a model may say something else, but something: finite, and a probability where it is one."""
    sound = bool(np.isfinite(one).all())
    return sound and (one.size > 50 or bool(((one >= 0) & (one <= 1)).all()))
