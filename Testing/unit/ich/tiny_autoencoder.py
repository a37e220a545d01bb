"""A lesion autoencoder that trains in a second: crops of 16³ voxels of 4 mm, three epochs."""

from dataclasses import replace

from deepradiomics.ich.autoencoder.config import AutoencoderConfig, AutoencoderTraining
from deepradiomics.ich.haematoma.lesion import CropRecipe
from deepradiomics.networks.vaegan import VaeGanSize

TRAINING = AutoencoderTraining(
    epochs=3,
    batch_size=4,
    learning_rate=4e-3,
    discriminator_rate=1e-3,
    kl_weight=0.001,
    discriminator_from=0.3,
    shift_voxels=(0, 1, 1),
)
CONFIG = AutoencoderConfig("tiny", CropRecipe(size=16, spacing_mm=4.0), VaeGanSize((4, 8, 8), 6, 1, 4, 4, 1), TRAINING)


def config(**changes: object) -> AutoencoderConfig:
    """The test's configuration with other settings of the training."""
    return replace(CONFIG, training=replace(TRAINING, **changes))  # type: ignore[arg-type]
