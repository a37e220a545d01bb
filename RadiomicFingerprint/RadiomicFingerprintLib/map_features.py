"""Which features can be drawn as maps, and the searchable list in which the user ticks them."""

from functools import lru_cache
from pathlib import Path

import qt
from slicer.i18n import tr as _

from deepradiomics.errors import DeepRadiomicsError

from .choices import FeatureSet, Mode


def params_of(parameters) -> str:
    """The preset's name, or the parameter file, as the command line takes it."""
    return parameters.parameterFile if parameters.featureSet is FeatureSet.FILE else parameters.featureSet.value


def available(parameters) -> tuple[str, ...] | str:
    """The keys that a feature set can draw (no shape), or the text of what is wrong with its file."""
    params = params_of(parameters)
    file = Path(params) if parameters.featureSet is FeatureSet.FILE else None
    if file is not None and not file.is_file():
        return _("Choose the parameter file (YAML).")
    return _available(params, file.stat().st_mtime if file is not None else 0.0)


@lru_cache(maxsize=16)
def _available(params: str, changed: float) -> tuple[str, ...] | str:
    from deepradiomics.radiomics.settings import Settings, feature_names

    try:
        keys = feature_names(Settings.from_params(params))
    except DeepRadiomicsError as error:
        return str(error)
    return tuple(key for key in keys if not key.startswith(("original_shape", "diagnostics_")))


def chosen(parameters) -> list[str]:
    """The ticked features that the feature set can draw, in its order."""
    keys, ticked = available(parameters), set(parameters.mapFeatures)
    return [] if isinstance(keys, str) else [key for key in keys if key in ticked]


def why_not_maps(parameters) -> str | None:
    """None when there are features to draw."""
    keys = available(parameters)
    if isinstance(keys, str):
        return keys
    return None if chosen(parameters) else _("Tick at least one feature to draw.")


@lru_cache(maxsize=4096)
def words_of(key: str) -> tuple[str, str, str]:
    """What the list shows of a feature, its tooltip, and the text that is searched."""
    from deepradiomics.radiomics.explain import explain

    about = explain(key)
    shown = key.removeprefix("original_")
    tooltip = f"{about.label}. {about.text}"
    return shown, tooltip, f"{shown} {tooltip}".lower()


class MapFeatureList:
    """The list of features with a box to tick each, above it a line to search in names and explanations."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._shown: tuple[str, ...] = ()
        self._items: list = []  # PythonQt lets go of an item that nobody else holds
        self._following = False
        self.ui.mapFeaturesList.connect("itemChanged(QListWidgetItem*)", self.onTicked)
        self.ui.mapSearchEdit.connect("textChanged(QString)", self.onSearch)

    def refresh(self) -> None:
        """Show the features of the chosen set, ticked where the parameters name them."""
        p = self.panel.parameters
        if p.mode is not Mode.MAPS:
            return
        keys = available(p)
        keys = () if isinstance(keys, str) else keys
        ticked = set(p.mapFeatures)
        self._following = True
        try:
            if keys != self._shown:
                self._fill(keys)
            for key, item in zip(keys, self._items, strict=True):
                state = qt.Qt.Checked if key in ticked else qt.Qt.Unchecked
                if item.checkState() != state:
                    item.setCheckState(state)
        finally:
            self._following = False

    def _fill(self, keys: tuple[str, ...]) -> None:
        self.ui.mapFeaturesList.clear()
        self._items = []
        for key in keys:
            shown, tooltip, _searched = words_of(key)
            item = qt.QListWidgetItem(shown)
            item.setToolTip(tooltip)
            item.setCheckState(qt.Qt.Unchecked)
            self.ui.mapFeaturesList.addItem(item)
            self._items.append(item)
        self._shown = keys
        self.onSearch(self.ui.mapSearchEdit.text)

    def onTicked(self, item) -> None:
        """The user ticked or unticked a feature."""
        if self._following:
            return
        listed = set(self._shown)
        ticked = [key for key, each in zip(self._shown, self._items, strict=True) if each.checkState() == qt.Qt.Checked]
        # Ticks of another feature set stay, for when the user comes back to it.
        self.panel.parameters.mapFeatures = [
            key for key in self.panel.parameters.mapFeatures if key not in listed
        ] + ticked

    def onSearch(self, text: str) -> None:
        """Hide what does not hold every word of the search."""
        words = text.lower().split()
        for key, item in zip(self._shown, self._items, strict=True):
            item.setHidden(not all(word in words_of(key)[2] for word in words))
