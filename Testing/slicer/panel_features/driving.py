"""Drive the simulated panel of the features: a child for it to start, a run to its end."""

from __future__ import annotations

from typing import Any

from Testing.slicer.fake_child import FakeStart, HandTimer


def with_child(widget: Any, start: FakeStart) -> FakeStart:
    """Let the panel start this child."""
    from RadiomicFeaturesLib.logic import RadiomicFeaturesLogic

    HandTimer.made.clear()
    widget.logic = RadiomicFeaturesLogic(start, HandTimer)
    return start


def on_centre(widget: Any, volume: Any) -> Any:
    """Set the panel to the centre of a volume."""
    from RadiomicFeaturesLib.choices import RoiSource

    p = widget.parameters
    p.roiSource, p.volume = RoiSource.CENTRE, volume
    return p


def on_segments(widget: Any, segmented: tuple[Any, Any]) -> Any:
    """Set the panel to a volume and all segments of its segmentation."""
    p = widget.parameters
    p.volume, p.segmentation = segmented
    return p


def applied(widget: Any, start: FakeStart) -> FakeStart:
    """Press Apply and let the run end."""
    with_child(widget, start)
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    return start
