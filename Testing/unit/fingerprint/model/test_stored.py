"""A fingerprint bundle predicts the same after a round trip, and one that does not fit is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import BundleError
from deepradiomics.fingerprint.apply.explain import explain
from deepradiomics.fingerprint.model.bundle import load_fingerprint
from deepradiomics.fingerprint.model.pool import PoolLayout
from deepradiomics.networks.bundle import load_bundle, save_bundle
from deepradiomics.prepare import Templates
from Testing.unit.fingerprint.trained_bundle import oblique_case, small_bundle


def test_the_prediction_survives_saving_and_loading_to_the_last_bit(tmp_path: Path) -> None:
    bundle = small_bundle()
    again = load_fingerprint(bundle.save(tmp_path / "b"))
    rng = np.random.default_rng(5)
    image = rng.normal(size=(3, 4, 7, 10)).astype(np.float32)
    pool = rng.normal(size=len(bundle.layout))
    one, other = (explain(b, image, pool, "masked") for b in (bundle, again))
    np.testing.assert_array_equal(one.logits, other.logits)
    np.testing.assert_array_equal(one.contributions, other.contributions)
    assert again.thresholds == bundle.thresholds
    assert again.config == bundle.config
    assert again.about == bundle.about
    assert len(again.sha256) == 64
    assert again.path == tmp_path / "b"


def test_templates_are_kept_to_a_thousandth_of_their_range(tmp_path: Path) -> None:
    volume = oblique_case().views["sagittal"]
    bundle = small_bundle(Templates({"sagittal": volume, "axial": volume}))
    again = load_fingerprint(bundle.save(tmp_path / "b"))
    assert again.templates is not None
    assert list(again.templates.views) == ["sagittal", "axial"]
    kept = again.templates.view("axial")
    assert kept.geometry.is_close(volume.geometry)
    np.testing.assert_allclose(kept.voxels, volume.voxels, atol=1e-3 * float(np.abs(volume.voxels).max()))


def resaved(folder: Path, change: Callable[[dict, dict], None]) -> Path:
    """A bundle whose hashes are right but whose content was changed before it was saved."""
    tensors, info = load_bundle(small_bundle().save(folder / "before"))
    info = {k: v for k, v in info.items() if k not in ("format", "format_version", "weights")}
    change(tensors, info)
    return save_bundle(folder / "after", tensors, info)


def test_a_feature_of_another_engine_is_named(tmp_path: Path) -> None:
    def rename(tensors: dict, info: dict) -> None:
        info["pool"]["features"][3] = "original_glcm_Unheard"

    with pytest.raises(BundleError, match=r"missing original_\w+; unexpected original_glcm_Unheard\. Use the version"):
        load_fingerprint(resaved(tmp_path, rename))


def test_features_in_another_order_are_refused(tmp_path: Path) -> None:
    def swap(tensors: dict, info: dict) -> None:
        names = info["pool"]["features"]
        names[0], names[1] = names[1], names[0]

    with pytest.raises(BundleError, match="another order from position 1"):
        load_fingerprint(resaved(tmp_path, swap))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, i: i.update(kind="lens"), "expected a bundle of kind 'fingerprint', got 'lens'"),
        (lambda t, i: i.pop("thresholds"), "an entry is missing or unusable .*thresholds"),
        (lambda t, i: i["thresholds"]["relevance"].pop("acl"), "thresholds are missing for acl"),
        (lambda t, i: i["pool"].update(patch_grid=[2, 2, 2]), "The description contradicts itself"),
        (lambda t, i: t.pop("model.classifier.linear"), r"missing \['classifier.linear'\]"),
        (lambda t, i: t.update({"model.extra": np.ones(2)}), r"unexpected \['extra'\]"),
        (lambda t, i: t.update({"model.classifier.linear": np.ones((4, 9))}), r"expected \(4, 200\) .* got \(4, 9\)"),
        (lambda t, i: t.pop("scaling.mean"), "tensors of the feature scaling are missing"),
        (lambda t, i: i["config"]["model"].update(rank=0), "an entry is missing or unusable .*rank"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, change: Callable[[dict, dict], None], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        load_fingerprint(resaved(tmp_path, change))


def test_a_scaling_for_another_pool_is_refused(tmp_path: Path) -> None:
    bundle = small_bundle()
    other = replace(bundle.scaling, pool_size=len(bundle.layout) + 1)
    with pytest.raises(BundleError, match="belong to different models"):
        load_fingerprint(replace(bundle, scaling=other).save(tmp_path / "b"))


def test_a_tiny_bundle_of_three_tasks_over_the_whole_pool_is_below_a_megabyte(tmp_path: Path) -> None:
    from deepradiomics.fingerprint.model.bundle import FingerprintBundle, engine_features
    from deepradiomics.fingerprint.model.config import config
    from deepradiomics.fingerprint.model.network import FingerprintModel
    from deepradiomics.fingerprint.model.scaling import Scaling
    from deepradiomics.fingerprint.model.tasks import Task
    from deepradiomics.fingerprint.model.thresholds import Thresholds

    tiny = config("tiny")
    layout = PoolLayout(tiny.recipe.patch_grid, tiny.recipe.views, engine_features(tiny))
    assert len(layout) == 2568
    tasks = tuple(Task(name, (0, 1)) for name in ("abnormality", "acl", "meniscus"))
    scaling = Scaling(np.arange(2568), np.ones(2568), np.ones(2568), 5.0, 2568)
    thresholds = Thresholds({t.name: 0.5 for t in tasks}, {"paper": {t.name: 0.5 for t in tasks}})
    model = FingerprintModel(3, 2568, tasks, tiny.model)
    folder = FingerprintBundle(model, tiny, layout, scaling, thresholds, None, {}).save(tmp_path / "b")
    assert sum(file.stat().st_size for file in folder.iterdir()) < 1_000_000
    assert json.loads((folder / "bundle.json").read_text(encoding="utf-8"))["pool"]["columns"] == 2568
