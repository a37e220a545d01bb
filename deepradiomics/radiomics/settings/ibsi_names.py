"""The keys that an extraction by IBSI's standard gives, in its order."""

from deepradiomics.errors import InputError
from deepradiomics.radiomics.catalogue.ibsi import AGGREGATIONS, FAMILIES, aggregations_of, entries, key_of
from deepradiomics.radiomics.catalogue.pyradiomics import default_names
from deepradiomics.radiomics.settings.image_prefixes import image_prefixes
from deepradiomics.radiomics.settings.settings import Settings


def ibsi_feature_names(settings: Settings, *, dimensions: int = 3) -> tuple[str, ...]:
    """Return the keys that an extraction by IBSI gives: shape once, then image by image, family by family."""
    check_aggregations(settings)
    names = [key_of("original", "shape", name) for name in names_wanted("shape", settings)]
    for image_type, type_settings in settings.per_image_type():
        for prefix in image_prefixes(image_type, type_settings, dimensions):
            for family in FAMILIES[1:]:
                for aggregation in aggregations_of(family, settings.aggregation):
                    names += [key_of(prefix, family, name, aggregation) for name in names_wanted(family, settings)]
    return tuple(names)


def check_aggregations(settings: Settings) -> None:
    """Raise InputError for an aggregation that does not exist, or for none at all."""
    unknown = [a for a in settings.aggregation if a not in AGGREGATIONS]
    if unknown or not settings.aggregation:
        raise InputError(f"setting aggregation: expected some of {', '.join(AGGREGATIONS)}, got {unknown or 'none'}.")


def names_wanted(family: str, settings: Settings) -> list[str]:
    """Return the names of a family: all when all its default features are enabled, else those asked for."""
    asked = dict(settings.features).get(family)
    if asked is None:
        return []
    complete = set(default_names(family)) <= set(asked)
    return [name for name, entry in entries()[family].items() if complete or {name, entry.pyradiomics} & set(asked)]
