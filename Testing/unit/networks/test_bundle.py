"""A bundle comes back as it was saved, or is refused with a reason."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from deepradiomics.errors import BundleError, InputError
from deepradiomics.networks.bundle import INFO_FILE, WEIGHTS_FILE, load_bundle, load_info, save_bundle


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    tensors = {
        "weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
        "kept": np.array([0, 2, 5], dtype=np.int32),
        "scalar": torch.tensor(3, dtype=torch.int64),
    }
    return save_bundle(tmp_path / "bundle", tensors, {"name": "demo", "features": ["a", "é"], "metrics": {"auc": 0.75}})


def test_a_saved_bundle_comes_back_value_for_value(saved: Path) -> None:
    tensors, info = load_bundle(saved)
    np.testing.assert_array_equal(tensors["weight"], [[0, 1, 2], [3, 4, 5]])
    assert tensors["kept"].dtype == np.int32
    assert tensors["scalar"].shape == ()
    assert tensors["scalar"] == 3
    assert info["features"] == ["a", "é"]
    assert info["metrics"] == {"auc": 0.75}
    assert sorted(p.name for p in saved.iterdir()) == [INFO_FILE, WEIGHTS_FILE]


def test_one_flipped_byte_in_the_weights_is_refused(saved: Path) -> None:
    file = saved / WEIGHTS_FILE
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(BundleError, match=r"model\.safetensors: the weights are not those .* copy the whole bundle"):
        load_bundle(saved)


def test_a_feature_renamed_by_hand_is_refused(saved: Path) -> None:
    file = saved / INFO_FILE
    file.write_text(file.read_text(encoding="utf-8").replace('"a"', '"b"'), encoding="utf-8")
    with pytest.raises(BundleError, match="changed after the bundle was saved"):
        load_bundle(saved)


def test_line_ends_of_another_system_do_not_matter(saved: Path) -> None:
    file = saved / INFO_FILE
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert load_bundle(saved)[1]["name"] == "demo"


@pytest.mark.parametrize("name", [INFO_FILE, WEIGHTS_FILE])
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(BundleError, match=rf"{name}: this file of the bundle is missing"):
        load_bundle(saved)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="expected a bundle folder"):
        load_bundle(tmp_path / "nowhere")


def test_a_description_that_is_not_json_is_refused(saved: Path) -> None:
    (saved / INFO_FILE).write_text("{broken", encoding="utf-8")
    with pytest.raises(BundleError, match="not a readable JSON"):
        load_info(saved)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("format_version", 99, "expected format version 1, got 99"), ("format", "zip", "is something else")],
)
def test_an_unknown_format_is_refused(saved: Path, key: str, value: object, message: str) -> None:
    file = saved / INFO_FILE
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), key: value}), encoding="utf-8")
    with pytest.raises(BundleError, match=message):
        load_bundle(saved)


def test_a_shape_that_differs_from_the_description_is_refused(saved: Path) -> None:
    file = saved / INFO_FILE
    info = json.loads(file.read_text(encoding="utf-8"))
    info["weights"]["tensors"]["weight"]["shape"] = [3, 2]
    file.write_text(json.dumps(info), encoding="utf-8")
    with pytest.raises(BundleError, match=r"tensor 'weight': expected .*\[3, 2\].* got .*\[2, 3\]"):
        load_bundle(saved)


def test_what_is_not_finite_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="NaN or infinite"):
        save_bundle(tmp_path / "b", {"w": np.array([np.nan])}, {})
    with pytest.raises(BundleError, match="finite JSON"):
        save_bundle(tmp_path / "b", {"w": np.ones(1)}, {"auc": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_the_user_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(InputError, match=r"other files \(thesis\.txt"):
        save_bundle(tmp_path, {"w": np.ones(1)}, {})
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "precious"


def resaved(folder: Path, tensors: dict[str, np.ndarray], change: dict[str, object] | None = None) -> Path:
    """A bundle whose hashes are right although no program of ours would have saved it."""
    from safetensors.numpy import save_file

    from deepradiomics.files.atomic import content_hash, sha256_file

    info = {key: value for key, value in load_info(folder).items() if key != "weights"} | (change or {})
    save_file(tensors, folder / WEIGHTS_FILE, metadata={"info_sha256": content_hash(info)})
    listed = {name: {"shape": list(a.shape), "dtype": str(a.dtype)} for name, a in tensors.items()}
    weights = {"file": WEIGHTS_FILE, "sha256": sha256_file(folder / WEIGHTS_FILE), "tensors": listed}
    (folder / INFO_FILE).write_text(json.dumps({**info, "weights": weights}), encoding="utf-8")
    return folder


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_weights_that_are_not_finite_are_refused_on_loading(saved: Path, value: float, dtype: type) -> None:
    sound = {"w": np.ones(3, dtype)}
    assert load_bundle(resaved(saved, sound))[0]["w"].shape == (3,)
    with pytest.raises(BundleError, match=r"model\.safetensors: tensor 'w': some values are NaN or infinite"):
        load_bundle(resaved(saved, {"w": np.array([1, value, 2], dtype)}))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_description_that_is_not_finite_is_refused_on_loading(saved: Path, value: float) -> None:
    with pytest.raises(BundleError, match=r"bundle\.json: a number in the description is NaN or infinite"):
        load_bundle(resaved(saved, {"w": np.ones(1)}, {"metrics": {"auc": value}}))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"format": ' + "9" * 5000 + "}"])
def test_a_hostile_description_is_refused(saved: Path, text: str) -> None:
    (saved / INFO_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(BundleError, match=r"bundle\.json: .*Copy the whole bundle folder again"):
        load_bundle(saved)
