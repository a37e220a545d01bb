"""The Settings section: preset, own, saved or file; the builder; the number of grey levels in the region."""

from slicer.i18n import tr as _

from deepradiomics.files.atomic import read_json
from deepradiomics.scene.panel.costs import voxels_of
from deepradiomics.scene.panel.lists import ComboList, TickList, show_rows, show_text

from ..choices import FEATURE_CLASSES, IMAGE_TYPES, BinBy, Mode
from ..parameters import FILE, OWN, SAVED
from ..readiness import region_of, segment_ids, why_not_region, why_not_volume
from . import saved
from .builder import fill_builder, params_of_builder
from .feature_sets import entries, settings_of, title_of
from .grey_levels import AT_ONCE_VOXELS, GreyLevelCount


class SettingsSection:
    """Shows and changes the settings that the parameter node holds."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._count = GreyLevelCount()
        self.types = TickList(self.ui.imageTypesList, self.onTypesTicked)
        self.classes = TickList(self.ui.featureClassesList, self.onClassesTicked)
        self.chosen = ComboList(self.ui.featureSettingsSelector, self.onChosen)
        self.ui.saveSettingsButton.connect("clicked(bool)", self.onSave)
        self.ui.changeSettingsButton.connect("clicked(bool)", self.onChange)
        self.ui.deleteSettingsButton.connect("clicked(bool)", self.onDelete)
        self.ui.countLevelsButton.connect("clicked(bool)", self.onCount)

    def refresh(self) -> None:
        """Bring the section up to date with the parameters."""
        p = self.panel.parameters
        choices = entries()
        if p.featureSettings not in dict(choices):
            choices.append((p.featureSettings, title_of(p.featureSettings)))
        self.chosen.show(choices, p.featureSettings)
        show_rows(
            self.ui,
            fileArea=p.featureSettings == FILE,
            builderArea=p.featureSettings == OWN,
            savedArea=p.featureSettings.startswith(SAVED),
            binWidthArea=p.binBy is BinBy.WIDTH,
            binCountArea=p.binBy is BinBy.COUNT,
            normalizeScaleArea=bool(p.normalize),
            sigmasArea="LoG" in p.imageTypes.split(),
        )
        self.types.show([(name, title(), name) for name, title in IMAGE_TYPES.items()], p.imageTypes.split())
        self.classes.show([(name, title(), name) for name, title in FEATURE_CLASSES.items()], p.featureClasses.split())
        self._show_levels(count=False)

    # --- grey levels -----------------------------------------------------------------------------------------------

    def _show_levels(self, *, count: bool) -> None:
        p = self.panel.parameters
        settings = settings_of(p)
        ready = not isinstance(settings, str) and why_not_volume(p) is None and why_not_region(p) is None
        region = (p.volume, settings, region_of(p)) if ready else ()
        together = {"together": p.mode is Mode.MAPS}
        large = ready and voxels_of(p.volume) * max(1, len(segment_ids(p))) > AT_ONCE_VOXELS
        large = large and not count and not self._count.knows(*region, **together)
        self.ui.countLevelsButton.visible = large
        show_text(self.ui.levelsLabel, self._count.sentence(*region, **together) if ready and not large else "")

    def onCount(self, checked: bool = False) -> None:
        """The user wants the grey levels of a large volume counted."""
        self._show_levels(count=True)

    # --- what the user does ----------------------------------------------------------------------------------------

    def onChosen(self, settings: str) -> None:
        """The user chose other settings."""
        if self.panel.parameters is not None:
            self.panel.parameters.featureSettings = settings

    def onTypesTicked(self, ticked: list[str]) -> None:
        """The user ticked or unticked an image type."""
        self.panel.parameters.imageTypes = " ".join(ticked)

    def onClassesTicked(self, ticked: list[str]) -> None:
        """The user ticked or unticked a feature class."""
        self.panel.parameters.featureClasses = " ".join(ticked)

    def onSave(self, checked: bool = False) -> None:
        """Keep the builder's settings under the name, and choose them."""
        with self.panel.errors_shown():
            name = saved.checked_name(self.ui.settingsNameEdit.text)
            saved.save(name, params_of_builder(self.panel.parameters))
            self.panel.log(_("The settings are saved as '{name}'.").format(name=name))
            self.panel.parameters.featureSettings = SAVED + name
            self.panel.refresh()

    def onChange(self, checked: bool = False) -> None:
        """Take the saved settings into the builder, under their name."""
        p = self.panel.parameters
        name = p.featureSettings.removeprefix(SAVED)
        with self.panel.errors_shown():
            params = read_json(saved.path_of(name))
            fill_builder(p, params)
            p.featureSettings = OWN
            self.ui.settingsNameEdit.text = name

    def onDelete(self, checked: bool = False) -> None:
        """Remove the saved settings; what they said stays in the builder."""
        name = self.panel.parameters.featureSettings.removeprefix(SAVED)
        with self.panel.errors_shown():
            if saved.path_of(name).is_file():
                self.onChange()
            saved.delete(name)
            self.panel.log(_("The saved settings '{name}' were deleted.").format(name=name))
            self.panel.parameters.featureSettings = OWN
            self.panel.refresh()
