"""Active units, errors and agreement: by hand on small arrays; and the checks of the configuration."""

from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_json
from deepradiomics.ich.autoencoder.check import active_units, agreement, reconstruction_errors, remarks
from deepradiomics.ich.autoencoder.config import AutoencoderConfig, AutoencoderTraining
from deepradiomics.ich.autoencoder.picture import draw_reconstructions


def test_units_are_active_where_the_posterior_mean_differs_between_patients() -> None:
    means = np.zeros((4, 2, 1, 1, 3), np.float32)
    means[:, 0, 0, 0, 0] = [1, -1, 1, -1]  # variance 1
    means[:, 0, 0, 0, 1] = [0.09, -0.09, 0.09, -0.09]  # 0.0081, below 0.01
    means[:, 1] = 5.0  # far from the prior, but the same for everyone
    found = active_units(means)
    assert (found.units, found.active, found.channels, found.channels_in_all) == (6, 1, 1, 2)
    assert found.share == pytest.approx(1 / 6)
    assert found.patients == 4
    with pytest.raises(InputError, match="two patients at least"):
        active_units(means[:1])


def test_errors_are_told_in_hu_beside_the_mean_image() -> None:
    images = np.zeros((1, 2, 2, 2))
    images[0, 0, 0, 0] = 1.0
    made, mean = np.full((1, 2, 2, 2), 0.5), np.full((2, 2, 2), 0.25)
    lesion = np.zeros((1, 2, 2, 2), bool)
    lesion[0, 0, 0, 0] = True
    found = reconstruction_errors(images, made, mean, lesion, 140.0)
    assert found["error_hu"] == 70.0
    assert found["mean_image_error_hu"] == pytest.approx(140 * (0.75 + 7 * 0.25) / 8)
    assert found["lesion_error_hu"] == 70.0
    assert found["lesion_mean_image_error_hu"] == 105.0
    assert found["explained"] == pytest.approx(1 - 8 * 0.25 / (0.75**2 + 7 * 0.25**2), abs=1e-4)
    assert found["lesion_explained"] == pytest.approx(1 - 0.25 / 0.5625, abs=1e-4)


def test_collapse_and_useless_reconstructions_are_remarked() -> None:
    dead, alive = active_units(np.zeros((5, 4, 2, 2, 2))), active_units(np.random.default_rng(0).normal(size=(5, 4, 2)))
    good, bad = {"explained": 0.5, "lesion_explained": 0.4}, {"explained": -0.1, "lesion_explained": -0.1}
    assert remarks(alive, good) == []
    assert remarks(dead, good)[0].startswith("Posterior collapse: only 0 of 32 latents")
    assert "no better than the mean of the training crops" in remarks(alive, bad)[0]
    assert remarks(alive, {**good, "lesion_explained": -0.2})[0].startswith("Inside the dilated lesions")


def test_a_turned_copy_of_the_latents_is_the_same_content_in_other_units() -> None:
    rng = np.random.default_rng(0)
    one = rng.normal(size=(30, 6))
    turned = one @ np.linalg.qr(rng.normal(size=(6, 6)))[0]
    same, other = agreement([one, 2 * one + 3]), agreement([one, turned])
    assert same == {"correlation": 1.0, "cka": 1.0}
    assert other["cka"] == pytest.approx(1.0)
    assert abs(other["correlation"]) < 0.7
    apart = agreement([one, rng.normal(size=(30, 6))])
    assert apart["cka"] < 0.5
    assert abs(apart["correlation"]) < 0.4


def test_presets_have_latents_at_four_cubed_of_64_mm() -> None:
    for preset, channels in (("paper", 512), ("tiny", 32)):
        config = AutoencoderConfig.of_preset(preset)
        assert config.network.latent_shape(config.recipe.size) == (channels, 4, 4, 4)
        assert config.recipe.size * config.recipe.spacing_mm == 64
        assert AutoencoderConfig.from_dict(config.to_dict()) == config


def test_the_kl_term_rises_and_the_discriminator_joins_later() -> None:
    training = AutoencoderTraining(epochs=8, kl_annealing=0.5, discriminator_from=0.25)
    assert [training.kl_share(epoch) for epoch in range(6)] == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    assert [training.adversarial(epoch) for epoch in range(4)] == [False, False, True, True]
    assert AutoencoderTraining(kl_annealing=0.0).kl_share(0) == 1.0
    assert not AutoencoderTraining(adversarial_weight=0.0).adversarial(199)


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"training": {"epoch": 3}}, "training: the setting 'epoch' is unknown. Did you mean 'epochs'"),
        ({"training": {"keep": "first"}}, "training.keep: expected one of last, best"),
        ({"training": {"kl_weight": -1}}, "training.kl_weight: expected a number from 0"),
        ({"training": {"shift_voxels": [1, 1]}}, "training.shift_voxels: expected three whole numbers"),
        ({"training": {"precision": "16-mixed"}}, "training.precision: expected one of auto, 32, bf16-mixed"),
        ({"recipe": {"size": 40}}, "a crop of 40 voxels cannot be halved 4 times"),
        ({"network": {"channels": [8, 12]}}, "network.channels: expected multiples of norm_groups"),
        ({"preset": "huge"}, "preset: expected one of paper, tiny"),
        ({"recepie": {}}, "Did you mean 'recipe'"),
    ],
)
def test_settings_that_cannot_be_are_told_with_the_files_name(
    stored: dict[str, object], message: str, tmp_path: Path
) -> None:
    write_json(tmp_path / "c.json", stored)
    with pytest.raises(InputError, match=message) as caught:
        AutoencoderConfig.read(tmp_path / "c.json")
    assert "c.json" in str(caught.value)


def test_the_picture_shows_what_it_should(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.random((2, 8, 8, 8)).astype(np.float32)
    regions = np.zeros(images.shape, np.uint8)
    regions[:, 3:5, 3:6, 3:6], regions[:, 4, 4, 4] = 2, 1
    path = draw_reconstructions(
        images, images, regions, images.mean(0), ["a", "b"], (-20, 120), tmp_path / "r.png", synthetic="SYNTHETIC heads"
    )
    from matplotlib.image import imread

    picture = imread(path)
    assert picture.shape[0] > 300
    assert picture[..., :3].std() > 0.05
