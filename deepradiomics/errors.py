"""The few exceptions that DeepRadiomics raises on purpose.

A message says which case or argument is wrong, what was expected, what was found and what to do.
Every :class:`InputError` is something the user can fix: the command line prints its message and exits with code 2.
"""


class DeepRadiomicsError(Exception):
    """Base of all errors raised on purpose."""


class InputError(DeepRadiomicsError, ValueError):
    """The user's input cannot be used as it is."""


class GeometryError(InputError):
    """Images, masks or boxes do not lie where they should."""


class MaskError(InputError):
    """A mask is empty, too small, on another grid, or lacks the label asked for."""


class ManifestError(InputError):
    """A cohort's manifest is not usable: columns, ids, labels or files."""


class BundleError(InputError):
    """A model bundle is damaged or does not fit the request."""


class MissingDependencyError(DeepRadiomicsError, ImportError):
    """An optional package that this feature needs is not installed."""


class Cancelled(DeepRadiomicsError):  # noqa: N818 - a request of the user, not an error
    """The user asked to stop; nothing half-written is left behind."""
