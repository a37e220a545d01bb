"""Options that several trainings share, declared once; each training says its own defaults."""

from __future__ import annotations

from typing import Annotated

from deepradiomics.options import Option
from deepradiomics.training.fit import Precision

Epochs = Annotated[int, Option("number of epochs, fewer where patience ends the training", 1, 100_000)]
PairedBatch = Annotated[int, Option("cases per step, over all devices together", 2, 4096)]
Batch = Annotated[int, Option("cases per step, over all devices together", 1, 4096)]
LearningRate = Annotated[float, Option("of AdamW, falling to zero along a half cosine", 0, 1)]
WeightDecay = Annotated[
    float, Option("of AdamW, for weight matrices and kernels; biases and norms are not decayed", 0, 10)
]
Patience = Annotated[
    int, Option("epochs without improvement on validation before training stops; 0 never stops early", 0, 100_000)
]
Flip = Annotated[bool, Option("augmentation: half of the images are mirrored left-right, with their masks")]
ShiftVoxels = Annotated[
    tuple[int, int, int],
    Option("augmentation: largest shift of an image along (z, y, x)", 0, 1024, axes="(z, y, x)", unit="voxels"),
]
NoiseSd = Annotated[float, Option("augmentation: SD of added Gaussian noise, in units of the normalised image", 0, 10)]
GradientClip = Annotated[float, Option("largest gradient norm; 0 does not clip", 0, 1e9)]
MixedPrecision = Annotated[
    Precision, Option("auto is bfloat16 or float16 mixed precision on CUDA and float32 elsewhere")
]
Devices = Annotated[
    int,
    Option(
        "GPUs (or processes, on the CPU); above 1 they train together (DDP). That equals one device up to rounding "
        "where batches divide evenly between them; a batch norm sees each device's own part",
        1,
        1024,
    ),
]
