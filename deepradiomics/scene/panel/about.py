"""What every module says of itself in the same way: category, contributors, documentation, research use."""

from typing import Any

from slicer.i18n import tr as _
from slicer.i18n import translate

CONTRIBUTORS = ("The DeepRadiomics developers (DeepRadiomics)",)
"""As CMakeLists.txt names them: "Name (Institution)"."""
DOCUMENTATION = "https://github.com/DeepRadiomics/SlicerDeepRadiomics/blob/main/docs/tutorials"
FIRST_MINUTES = "first_five_minutes.md"


def describe(parent: Any, title: str, purpose: str, tutorial: str, acknowledgement: str) -> None:
    """Fill in what Slicer shows of a module: in the module list, and under *Help & Acknowledgement*.

    Parameters
    ----------
    parent
        The module object that Slicer hands to `ScriptedLoadableModule`.
    purpose
        What the module does, in a sentence or two.
    tutorial
        The module's tutorial, a file below ``docs/tutorials``.
    """
    parent.title = title
    parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
    parent.dependencies = []
    parent.contributors = list(CONTRIBUTORS)
    links = _link(FIRST_MINUTES, _("First five minutes")), _link(tutorial, _("Documentation"))
    warning = _("Research use only; not a medical device.")
    parent.helpText = f"{purpose}<p>{' · '.join(links)}</p><p><b>{warning}</b></p>"
    parent.acknowledgementText = acknowledgement


def _link(page: str, text: str) -> str:
    return f'<a href="{DOCUMENTATION}/{page}">{text}</a>'
