"""highdicom, which builds the objects: imported where something is written, for 3D Slicer 5.10 does not bundle it."""

from types import ModuleType

from deepradiomics.errors import MissingDependencyError

_OLDEST = (0, 27)


def highdicom() -> ModuleType:
    """Return the package highdicom.

    Raises:
        MissingDependencyError: it is not installed, or older than 0.27; the message says what to do.
    """
    try:
        import highdicom as package
    except ImportError as error:
        raise MissingDependencyError(
            "writing DICOM needs the Python package highdicom, which is not installed. 3D Slicer bundles it from "
            f"5.12 on: use Slicer 5.12 or later; outside Slicer: pip install 'highdicom>={_version(_OLDEST)}'."
        ) from error
    version = tuple(int(part) for part in package.__version__.split(".")[:2])
    if version < _OLDEST:
        raise MissingDependencyError(
            f"writing DICOM needs highdicom {_version(_OLDEST)} or later, {package.__version__} is installed: "
            f"pip install 'highdicom>={_version(_OLDEST)}'."
        )
    return package


def why_not() -> str:
    """Say why nothing can be written here; empty where it can."""
    try:
        highdicom()
    except MissingDependencyError as error:
        return str(error)
    return ""


def _version(parts: tuple[int, ...]) -> str:
    return ".".join(map(str, parts))
