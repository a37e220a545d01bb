"""What the panel says of the chosen model, in words."""

from slicer.i18n import tr as _

from .bundles import BundleSummary


def bundle_text(summary: BundleSummary | str | None) -> str:
    """What a model does, in two or three short lines; what is wrong with one is said above Apply."""
    if not isinstance(summary, BundleSummary):
        return ""
    grid = " × ".join(str(count) for count in summary.patch_grid)
    lines = [
        _("Tasks: {tasks}").format(tasks=", ".join(summary.tasks)),
        _("Views: {views}; patches {grid}").format(views=", ".join(summary.views), grid=grid),
    ]
    if summary.synthetic:
        lines.append(_("Trained on synthetic images: demonstrates the software, means nothing clinically."))
    return "\n".join(lines)
