"""Whatever entry of a bundle's description is of a wrong kind: the bundle is refused in words, or loaded."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("monai")
pytest.importorskip("sklearn")

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import content_hash, sha256_file
from deepradiomics.networks.bundle import INFO_FILE, WEIGHTS_FILE, load_bundle
from Testing.unit.ich.tiny_predictor import tiny_autoencoder, tiny_bundle, tiny_segmenter

STRANGE = (None, [], {}, "x", -1, 10**12, 0.5, True, [[1]], {"a": 1}, ["a", 2])
MOST_ENTRIES = 60


def places(content: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the entries of a description stand; of long lists only the first ones."""
    if at:
        yield at
    entries = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for number, (key, value) in enumerate(entries):
        if isinstance(content, dict) or number < 2:
            yield from places(value, (*at, key))


def with_entry(info: dict[str, Any], at: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The description with another value at a place."""
    changed = copy.deepcopy(info)
    part: Any = changed
    for key in at[:-1]:
        part = part[key]
    part[at[-1]] = value
    return changed


def resaved(folder: Path, tensors: dict[str, np.ndarray], info: dict[str, Any]) -> None:
    """Write the bundle with hashes that are right for a description that no program of ours writes."""
    from safetensors.numpy import save_file

    described = {key: value for key, value in info.items() if key != "weights"}
    save_file(tensors, folder / WEIGHTS_FILE, metadata={"info_sha256": content_hash(described)})
    weights = {**load_info_weights(tensors), "sha256": sha256_file(folder / WEIGHTS_FILE)}
    (folder / INFO_FILE).write_text(json.dumps({**described, "weights": weights}), encoding="utf-8")


def load_info_weights(tensors: dict[str, np.ndarray]) -> dict[str, Any]:
    listed = {name: {"shape": list(array.shape), "dtype": str(array.dtype)} for name, array in tensors.items()}
    return {"file": WEIGHTS_FILE, "tensors": listed}


def attack(folder: Path, load: Callable[[], object]) -> int:
    """Load the bundle with each entry replaced by each strange value; return how many were refused."""
    load()
    tensors, info = load_bundle(folder)
    own = {"format", "format_version", "weights", "about", "metrics", "software", "cohort", "created", "name"}
    refused = 0
    rng = np.random.default_rng(0)
    entries = [place for place in places(info) if place[0] not in own]
    for at in (entries[i] for i in rng.permutation(len(entries))[:MOST_ENTRIES]):
        for value in (STRANGE[i] for i in rng.permutation(len(STRANGE))[:4]):
            resaved(folder, tensors, with_entry(info, at, value))
            try:
                load()
            except InputError as error:
                refused += 1
                assert 20 < len(str(error)) < 1500, (at, value, error)
            except Exception as error:
                raise AssertionError(f"{'/'.join(map(str, at))} = {value!r}: {error!r}") from error
    return refused


def test_a_segmenter(tmp_path: Path) -> None:
    from deepradiomics.networks.segmenter import load_bundle_segmenter

    folder = tiny_segmenter(tmp_path / "b")
    assert attack(folder, lambda: load_bundle_segmenter(folder, device="cpu")) > 30


def test_an_autoencoder(tmp_path: Path) -> None:
    from deepradiomics.ich.autoencoder.latents import load_autoencoder

    folder = tiny_autoencoder(tmp_path / "b")
    assert attack(folder, lambda: load_autoencoder(folder, device="cpu")) > 30


@pytest.mark.parametrize("classifier", ["extra-trees", "svm"])
def test_a_predictor(classifier: str, tmp_path: Path) -> None:
    from deepradiomics.ich.predictor import load_predictor

    folder = tiny_bundle(tmp_path / "b", classifier=classifier, covariates=("age",))
    assert attack(folder / "predictor", lambda: load_predictor(folder)) > 30


def test_a_fingerprint(tmp_path: Path) -> None:
    from deepradiomics.fingerprint.model.bundle import load_fingerprint
    from Testing.unit.fingerprint.trained_bundle import small_bundle

    folder = small_bundle().save(tmp_path / "b")
    assert attack(folder, lambda: load_fingerprint(folder)) > 30


def test_an_encoder(tmp_path: Path) -> None:
    import torch

    from deepradiomics.networks.convnextv2 import ConvNeXtV2
    from deepradiomics.networks.encoders.encoder import Encoder
    from deepradiomics.networks.encoders.load import load_encoder
    from deepradiomics.prepare.stack import StackRecipe

    torch.manual_seed(0)
    folder = Encoder(ConvNeXtV2(2, "mini"), StackRecipe(("t2", "adc"), (16, 32, 32)), name="e").save(tmp_path / "b")
    assert attack(folder, lambda: load_encoder(folder, device="cpu")) > 20
