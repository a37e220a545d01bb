"""Two sections that every panel has: segment a volume by a network, register two volumes.

A panel's .ui file has the widget `imageToolsArea` for them, its parameter node derives from `ImageToolParameters`, its
logic from `deepradiomics.scene.runs.image_tools.ImageTools`.
"""

from pathlib import Path
from typing import Any

import slicer
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _

from deepradiomics.scene.job.dependencies import Feature
from deepradiomics.scene.views.overlay import show_in_slices

from .choices import Backend, TransformKind
from .lists import show_text
from .volume_text import volume_text
from .why_not import why_not_image, why_not_segmenter

UI = Path(__file__).with_name("image_tools.ui")


class ImageToolParameters:
    """What the two sections can be set to; a module's parameter node derives from it."""

    toolVolume: vtkMRMLScalarVolumeNode
    toolModel: str
    toolFlips: bool = False
    toolLargest: bool = False
    toolFixed: vtkMRMLScalarVolumeNode
    toolMoving: vtkMRMLScalarVolumeNode
    toolTransform: TransformKind = TransformKind.RIGID
    toolBackend: Backend = Backend.AUTO


def load_image_tools(area: Any) -> None:
    """Put the two sections into a panel's empty widget."""
    widget = slicer.util.loadUI(str(UI))
    area.layout().addWidget(widget)
    widget.setMRMLScene(slicer.mrmlScene)


class ImageToolsSection:
    """Starts the two runs of a panel's logic and reports their results."""

    def __init__(self, panel: Any) -> None:
        self.panel, self.ui = panel, panel.ui
        self.ui.segmentButton.connect("clicked(bool)", self.onSegment)
        self.ui.registerButton.connect("clicked(bool)", self.onRegister)

    @property
    def buttons(self) -> tuple[Any, ...]:
        """Each becomes Cancel while its run is under way."""
        return (self.ui.segmentButton, self.ui.registerButton)

    def refresh(self) -> None:
        """Let a button be pressed when its run can start."""
        for label in (self.ui.segmentStatusLabel, self.ui.registerStatusLabel):
            label.visible = bool(label.text)
        if self.panel.parameters is None or not self.panel.idle:
            return
        p = self.panel.parameters
        self.panel.set_ready(self.ui.segmentButton, why_not_segment(p), _("Segment in the background."), "segment")
        tip = _("Register in the background.")
        self.panel.set_ready(self.ui.registerButton, why_not_register(p), tip, register_feature(p))

    # --- segment ---------------------------------------------------------------------------------------------------

    def onSegment(self, checked: bool = False) -> None:
        """Segment, or cancel."""
        self.panel.run(self.ui.segmentButton, "segment", self._start_segment, self._segmented)

    def _start_segment(self, callbacks: dict[str, Any]) -> Any:
        p = self.panel.parameters
        return self.panel.logic.start_segment(
            p.toolVolume, p.toolModel, flips=p.toolFlips, largest=p.toolLargest, device=self.panel.device(), **callbacks
        )

    def _segmented(self, nodes: Any) -> None:
        for note in nodes.notes:
            self.panel.log(note)
        if nodes.segmentation is None:
            text = _("The network found nothing to segment.")
        else:
            text = _("'{name}' is in the scene").format(name=nodes.segmentation.GetName())
            size = volume_text(nodes.volume_ml, nodes.abc2_ml, largest=nodes.parts > 1)
            text += f": {size}." if size else "."
            self.panel.segmented(nodes)
        self._report(self.ui.segmentStatusLabel, text)

    # --- register --------------------------------------------------------------------------------------------------

    def onRegister(self, checked: bool = False) -> None:
        """Register, or cancel."""
        feature = register_feature(self.panel.parameters)
        self.panel.run(self.ui.registerButton, feature, self._start_register, self._registered)

    def _start_register(self, callbacks: dict[str, Any]) -> Any:
        p = self.panel.parameters
        return self.panel.logic.start_register(
            p.toolFixed, p.toolMoving, backend=p.toolBackend.value, transform=p.toolTransform.value, **callbacks
        )

    def _registered(self, nodes: Any) -> None:
        show_in_slices(slicer.mrmlScene, foreground=nodes.volume, background=self.panel.parameters.toolFixed)
        text = _(
            "'{name}' lies over the fixed volume ({metric} {value:.3f}). The transform is in the scene too."
        ).format(name=nodes.volume.GetName(), metric=nodes.metric, value=nodes.metric_value)
        self._report(self.ui.registerStatusLabel, "\n".join([text, *nodes.warnings]))

    def _report(self, label: Any, text: str) -> None:
        show_text(label, text)
        self.panel.log(text)


def register_feature(parameters: Any) -> Feature:
    """What a registration needs to be installed (`deepradiomics.scene.job.dependencies`)."""
    return "register-gpu" if parameters.toolBackend is Backend.GPU else "register"


def why_not_segment(parameters: Any) -> str | None:
    """None when a volume can be segmented; else the one sentence that says what to do."""
    return why_not_image(parameters.toolVolume, _("Choose the image.")) or why_not_segmenter(parameters.toolModel)


def why_not_register(parameters: Any) -> str | None:
    """None when two volumes can be registered."""
    reason = why_not_image(parameters.toolFixed, _("Choose the fixed volume."))
    reason = reason or why_not_image(parameters.toolMoving, _("Choose the moving volume."))
    if reason:
        return reason
    if parameters.toolFixed.GetID() == parameters.toolMoving.GetID():
        return _("Fixed and moving are the same volume.")
    return None
