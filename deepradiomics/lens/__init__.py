"""RadiomicLens: what fine-tuning changed in an imaging encoder, told in radiomic terms."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepradiomics.lens.estimator import RadiomicLens

__all__ = ["RadiomicLens"]


def __getattr__(name: str) -> Any:
    """``RadiomicLens`` on first use, so that importing a small part of the lens stays light."""
    if name == "RadiomicLens":
        from deepradiomics.lens.estimator import RadiomicLens

        return RadiomicLens
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
