"""A segmenter's bundle: the way from a CT to a mask on its grid, the latents, and bundles that do not fit."""

from pathlib import Path

import numpy as np
import pytest
import torch

from deepradiomics.errors import BundleError, InputError
from deepradiomics.images import Geometry, Volume
from deepradiomics.networks.bundle import save_bundle
from deepradiomics.networks.dual_unet import DualScaleUNet
from deepradiomics.networks.segmented import Segmenter, finished
from deepradiomics.networks.segmenter import BundleSegmenter, load_bundle_segmenter, load_segmenter
from deepradiomics.prepare.head.head import HeadRecipe, prepare_head, to_volume_grid
from Testing.unit.ich.ball_head import RECIPE, ball_head


@pytest.fixture(scope="module")
def volume() -> Volume:
    return ball_head()[0]


@pytest.fixture(scope="module")
def segmenter() -> BundleSegmenter:
    torch.manual_seed(1)
    network = DualScaleUNet((4, 6, 8), supervised=2)
    torch.nn.init.zeros_(network.heads[0].bias)  # type: ignore[arg-type]  # so that it says yes at times
    return BundleSegmenter(network, RECIPE, name="untrained", info={"seen": {"images": [], "patients": []}})


def test_the_mask_lies_on_the_cts_grid_and_is_where_the_probability_is_a_half(
    segmenter: BundleSegmenter, volume: Volume
) -> None:
    found = segmenter.segment(volume)
    assert found.mask.geometry == volume.geometry
    assert found.probability is not None
    assert np.array_equal(found.mask.labels == 1, found.probability.voxels >= 0.5)
    assert 0 < found.mask.labels.sum() < found.mask.labels.size
    assert found.mask.segment_names == {1: "haematoma"}
    head = prepare_head(volume, RECIPE)
    with torch.no_grad():
        logits = segmenter.module(torch.from_numpy(head.image)[None, None])[0][0, 0]
    expected = to_volume_grid(torch.sigmoid(logits).numpy(), head, volume.geometry)
    assert np.allclose(found.probability.voxels, expected, atol=1e-5)


def test_flips_are_the_mean_with_the_mirror_image(segmenter: BundleSegmenter, volume: Volume) -> None:
    head = segmenter.prepare(volume)
    straight = segmenter.probability_of(head)
    with torch.no_grad():
        mirrored = np.ascontiguousarray(head.image[..., ::-1])
        other = torch.sigmoid(segmenter.module(torch.from_numpy(mirrored)[None, None])[0])[0, 0].numpy()[..., ::-1]
    assert np.allclose(segmenter.probability_of(head, flips=True), (straight + other) / 2, atol=1e-6)
    assert not np.allclose(straight, other)


def test_latents_are_the_bottlenecks_of_the_whole_head(segmenter: BundleSegmenter, volume: Volume) -> None:
    fine, coarse = segmenter.encoder_latents(volume)
    assert (fine.shape, coarse.shape) == segmenter.latent_shapes == ((8, 4, 4, 4), (8, 2, 2, 2))
    with torch.no_grad():
        maps = segmenter.module.encode(torch.from_numpy(prepare_head(volume, RECIPE).image)[None, None])
    assert np.allclose(fine, maps.fine[-1][0])
    assert np.allclose(coarse, maps.coarse[-1][0])


def test_a_bundle_gives_the_same_results_and_names_itself(
    segmenter: BundleSegmenter, volume: Volume, tmp_path: Path
) -> None:
    folder = segmenter.save(tmp_path / "run" / "bundle")
    for source in (folder, tmp_path / "run"):  # a run's folder will do
        again = load_segmenter(source, device="cpu")
        assert isinstance(again, BundleSegmenter)
        assert isinstance(again, Segmenter)
        assert again.source == folder
        assert np.array_equal(again.segment(volume).mask.labels, segmenter.segment(volume).mask.labels)
        assert again.name == "untrained"
        assert len(again.sha256) == 64
        assert again.info["seen"]["images"] == []
        assert again.info["latents"] == [[8, 4, 4, 4], [8, 2, 2, 2]]


def test_the_hash_covers_weights_and_recipe(segmenter: BundleSegmenter, tmp_path: Path) -> None:
    first = load_segmenter(segmenter.save(tmp_path / "a")).sha256
    assert load_segmenter(segmenter.save(tmp_path / "b")).sha256 == first
    other = BundleSegmenter(segmenter.module, HeadRecipe((0.0, 100.0), (16, 16, 16), 12.0), name="untrained")
    assert load_segmenter(other.save(tmp_path / "c")).sha256 != first


def test_what_is_no_segmenter_is_refused(segmenter: BundleSegmenter, tmp_path: Path) -> None:
    save_bundle(tmp_path / "other", {"a": np.zeros(1)}, {"kind": "encoder"})
    with pytest.raises(BundleError, match="expected a bundle of kind 'ich-segmenter', this one is of kind 'encoder'"):
        load_segmenter(tmp_path / "other")
    with pytest.raises(BundleError, match="expected a bundle folder"):
        load_segmenter(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is no model folder of nnU-Net"):
        load_segmenter(segmenter.save(tmp_path / "bundle"), folds=[0])
    (tmp_path / "nnunet").mkdir()
    for name in ("plans.json", "dataset.json"):
        (tmp_path / "nnunet" / name).write_text("{}", encoding="utf-8")
    with pytest.raises(BundleError, match="gives no latent features here"):
        load_bundle_segmenter(tmp_path / "nnunet")
    with pytest.raises(BundleError, match=r"a dual-scale network of 3 stages needs multiples of 8, 16 at least"):
        BundleSegmenter(segmenter.module, HeadRecipe(size_zyx=(16, 16, 12)))


def test_a_picture_is_refused_with_the_cases_name(segmenter: BundleSegmenter, volume: Volume) -> None:
    with pytest.raises(InputError, match="Case p3: grey levels from 0 to 255 cannot be HU"):
        segmenter.segment(Volume(np.clip(volume.voxels, 0, 255), volume.geometry), case="p3")


def test_synthetic_training_is_said_every_time(segmenter: BundleSegmenter, volume: Volume) -> None:
    taught = BundleSegmenter(segmenter.module, RECIPE, info={"synthetic": True})
    assert taught.synthetic
    assert [note for note in taught.segment(volume).notes if "SYNTHETIC" in note]
    assert not [note for note in segmenter.segment(volume).notes if "SYNTHETIC" in note]


@pytest.mark.parametrize(("ratio", "said"), [(0.79, True), (1.25, True), (0.95, False)])
def test_volumes_that_were_far_off_in_held_out_cases_are_told_with_every_volume(
    segmenter: BundleSegmenter, volume: Volume, ratio: float, said: bool
) -> None:
    info = {"held_out": {"cases": 30, "dice": 0.84, "volume_ratio": ratio}}
    found = BundleSegmenter(segmenter.module, RECIPE, name="lean", info=info).segment(volume)
    assert any(f"found {ratio:.0%} of the volume that was drawn" in note for note in found.notes) is said


def test_the_largest_part_is_kept_on_request_and_nothing_found_is_said() -> None:
    grid = Geometry((10, 4, 4), (1.0, 1.0, 5.0))
    region = np.zeros(grid.shape, bool)
    region[1, 1, 0:2] = region[1, 1, 4:9] = region[3, 3, 9] = True
    every = finished(region, grid, largest=False, notes=("first",))
    assert every.mask.labels.sum() == 8
    assert every.notes == ("first",)
    kept = finished(region, grid, largest=True, notes=())
    assert kept.mask.labels.sum() == 5
    assert kept.mask.labels[1, 1, 4] == 1
    assert kept.notes == ("2 smaller parts of 0.01 mL in all removed (largest part kept).",)
    assert finished(~region & region, grid, largest=True, notes=()).notes == ("No haematoma was found.",)
