"""The volume of a haematoma in words, with the estimate that clinicians make of it."""

from slicer.i18n import tr as _


def volume_text(volume_ml: float | None, abc2_ml: float | None, *, largest: bool) -> str:
    """``14.7 mL (ABC/2 of the largest 8.7 mL)``; what is not known is left out.

    `largest`: there are several parts, and the estimate is of the largest alone.
    """
    texts = []
    if volume_ml is not None:
        texts.append(_("{volume:.1f} mL").format(volume=volume_ml))
    if abc2_ml is not None:
        text = _("(ABC/2 of the largest {volume:.1f} mL)") if largest else _("(ABC/2 {volume:.1f} mL)")
        texts.append(text.format(volume=abc2_ml))
    return " ".join(texts)
