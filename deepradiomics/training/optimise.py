"""AdamW as networks of images are usually trained with it."""

from __future__ import annotations

import torch
from torch import nn


def adamw(module: nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """Return AdamW over the parameters that are to be trained; only weights of convolutions and linear layers decay.

    (Pulling biases, norms and tokens to zero has no meaning.) ``initial_lr`` is kept in each group, for
    :func:`deepradiomics.training.schedule.set_rates`.
    """
    decayed = {id(part.weight) for part in module.modules() if isinstance(part, nn.Conv2d | nn.Conv3d | nn.Linear)}
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if (id(p) in decayed) is wanted], "weight_decay": decay}
        for wanted, decay in ((True, weight_decay), (False, 0.0))
    ]
    common = {"lr": learning_rate, "initial_lr": learning_rate}
    return torch.optim.AdamW([{**group, **common} for group in groups if group["params"]])
