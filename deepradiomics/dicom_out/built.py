"""Errors of the toolkit in our words, and its remarks kept off the screen."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from deepradiomics.errors import DeepRadiomicsError, InputError


@contextmanager
def building(what: str) -> Iterator[None]:
    """Build an object: what highdicom refuses becomes an InputError that says which object it was.

    Its texts may repeat values of the header, so that they are left out; the original error stands behind ours.

    Raises:
        InputError: highdicom refuses to build the object.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names without caret, of deprecated logging
            yield
    except DeepRadiomicsError:
        raise
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, RuntimeError) as error:
        raise InputError(
            f"DICOM {what}: it cannot be built from this series ({type(error).__name__}): a header that the standard "
            "asks for is missing or holds what it may not. Export the series again, or leave DICOM out."
        ) from error
