"""Which features are drawn as maps: the searchable list in which the user ticks them."""

from functools import lru_cache

from slicer.i18n import tr as _

from deepradiomics.radiomics.catalogue.explain import explain
from deepradiomics.scene.panel.lists import TickList

from .choices import Mode
from .settings.feature_sets import mapped


def chosen(parameters) -> list[str]:
    """The ticked features that the settings can draw, in their order."""
    keys, ticked = mapped(parameters), set(parameters.mapFeatures)
    return [] if isinstance(keys, str) else [key for key in keys if key in ticked]


def why_not_maps(parameters) -> str | None:
    """None when there are features to draw."""
    keys = mapped(parameters)
    if isinstance(keys, str):
        return keys
    return None if chosen(parameters) else _("Tick at least one feature to draw.")


@lru_cache(maxsize=4096)
def about(key: str) -> tuple[str, str, str]:
    """What the list shows of a feature, its tooltip, and the text that is searched."""
    explained = explain(key)
    tip = f"{key}. {explained.text}"
    return explained.label, tip, f"{key} {explained.label} {tip}".lower().replace("_", " ")


class MapFeatureList:
    """The list of features, above it a line to search in names and explanations."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self.list = TickList(self.ui.mapFeaturesList, self.onTicked)
        self.ui.mapSearchEdit.connect("textChanged(QString)", self.onSearch)

    def refresh(self) -> None:
        """Show the features of the chosen settings, ticked where the parameters name them."""
        p = self.panel.parameters
        if p.mode is not Mode.MAPS:
            return
        keys = mapped(p)
        keys = () if isinstance(keys, str) else keys
        if self.list.show([(key, *about(key)[:2]) for key in keys], set(p.mapFeatures)):
            self.onSearch(self.ui.mapSearchEdit.text)

    def onTicked(self, ticked: list[str]) -> None:
        """The user ticked or unticked a feature; ticks of other settings stay, for when the user comes back to them."""
        p, listed = self.panel.parameters, set(self.list.keys)
        p.mapFeatures = [key for key in p.mapFeatures if key not in listed] + ticked

    def onSearch(self, text: str) -> None:
        """Hide what does not hold every word of the search."""
        terms = text.lower().split()
        for key, item in zip(self.list.keys, self.list.items, strict=True):
            item.setHidden(not all(term in about(key)[2] for term in terms))
