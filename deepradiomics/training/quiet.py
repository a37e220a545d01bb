"""Lightning without its remarks about choices that are made here on purpose."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = ("lightning.pytorch", "lightning.fabric")
_EXPECTED_WARNINGS = (  # what Lightning and torch say about choices made here on purpose
    ".*does not have many workers.*",
    ".*number of training batches.*",
    ".*Checkpoint directory .* exists and is not empty.*",
    ".*GPU available but not used.*",
    ".*does not have a deterministic implementation.*",
    ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",
    ".*torch.jit.*is deprecated.*",
    ".*The dirpath has changed.*",
    ".*in eval mode at the start of training.*",  # a frozen part
    ".*Grad strides do not match bucket view strides.*",
    ".*It is recommended to use `self.log.*sync_dist=True.*",  # what is logged so is the same in every process
)


@contextmanager
def quiet() -> Iterator[None]:
    """Lightning's remarks about choices made here on purpose are not the user's concern."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        with warnings.catch_warnings():
            hush()
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def hush() -> None:
    """Leave out Lightning's remarks from now on, in a process that does nothing but train."""
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    for text in _EXPECTED_WARNINGS:
        warnings.filterwarnings("ignore", message=text)
