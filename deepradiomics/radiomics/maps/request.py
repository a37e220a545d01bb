"""Which maps are asked for: names are resolved to image types and features before anything is computed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from deepradiomics.errors import InputError
from deepradiomics.radiomics.catalogue.pyradiomics import default_names, entries
from deepradiomics.radiomics.settings.feature_names import idle_families
from deepradiomics.radiomics.settings.image_prefixes import image_prefixes
from deepradiomics.radiomics.settings.rules import IMAGE_TYPES
from deepradiomics.radiomics.settings.settings import ImageType, Settings

MAP_FAMILIES = ("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")
Asked = Mapping[str, Sequence[str] | None] | Sequence[str] | str | None
NEED_VALUES = ("LoG",)  # image types that mean nothing without settings of their own


@dataclass(frozen=True)
class Request:
    """The maps wanted.

    Args:
        settings: those given, with the image types and features that are needed.
        wanted: prefix (``original``, ``wavelet-LLH`` ...) -> family -> names, in the order of the result.
    """

    settings: Settings
    wanted: dict[str, dict[str, tuple[str, ...]]]

    @property
    def keys(self) -> tuple[str, ...]:
        """Full keys, in the order of the result."""
        return tuple(
            f"{prefix}_{family}_{name}"
            for prefix, families in self.wanted.items()
            for family, names in families.items()
            for name in names
        )


def resolve(features: Asked, settings: Settings, dimensions: int = 3) -> Request:
    """Return what is wanted.

    Args:
        features: full keys (``original_glcm_Contrast``), names with their family (``glcm_Contrast``) or families
            (``glcm``), the last two of every image type of the settings; a dictionary of families with lists of names,
            as under featureClass; None takes all that the settings name, but shape.
        settings: the settings of the extraction.
        dimensions: of the image, 3 or 2.

    Raises:
        InputError: a name is unknown (near matches are told), is shape, or nothing is wanted.
    """
    if settings.standard == "ibsi":
        raise InputError('setting standard: maps have PyRadiomics\' definitions; "ibsi" is for extract. Remove it.')
    if features is None:
        chosen = {family: names for family, names in settings.features if family in MAP_FAMILIES and names}
        if not chosen:
            raise InputError(
                "features: the parameters name shape alone, which belongs to a whole region and has no map. "
                f"Choose of {', '.join(MAP_FAMILIES)}."
            )
        return _request(settings, dict.fromkeys(_prefixes(settings, dimensions), chosen), dimensions)
    names = _names(features)
    if not names:
        raise InputError(f"features: expected at least one name or family, such as {', '.join(MAP_FAMILIES)}.")
    wanted: dict[str, dict[str, tuple[str, ...]]] = {}
    possible = _prefixes(settings, dimensions)
    for asked in names:
        prefix, family, feature = _split(str(asked))
        if prefix and prefix not in _prefixes(settings, dimensions):
            settings = _with_image_type(settings, prefix, str(asked), dimensions)
        more = (feature,) if feature else _default(settings, family)
        for image in (prefix,) if prefix else possible:
            families = wanted.setdefault(image, {})
            families[family] = tuple(dict.fromkeys((*families.get(family, ()), *more)))
    order = _prefixes(settings, dimensions)
    return _request(settings, {prefix: wanted[prefix] for prefix in order if prefix in wanted}, dimensions)


def _request(settings: Settings, wanted: dict[str, dict[str, tuple[str, ...]]], dimensions: int) -> Request:
    """Keep the image types and the features that are wanted, so that no other image is filtered."""
    if not wanted:
        why = [*settings.notes, *idle_families(settings, dimensions)]
        raise InputError(" ".join(["params: they leave no image to make maps of.", *why]))
    types = zip(settings.image_types, settings.per_image_type(), strict=True)
    needed = [
        kind
        for kind, (name, type_settings) in types
        if set(image_prefixes(name, type_settings, dimensions)) & set(wanted)
    ]
    features: dict[str, tuple[str, ...]] = {}
    for families in wanted.values():
        features |= families
    return Request(replace(settings, image_types=tuple(needed), features=tuple(features.items())), wanted)


def _prefixes(settings: Settings, dimensions: int) -> tuple[str, ...]:
    names: list[str] = []
    for image_type, type_settings in settings.per_image_type():
        names += image_prefixes(image_type, type_settings, dimensions)
    return tuple(names)


def _split(asked: str) -> tuple[str, str, str]:
    """Return prefix, family and feature; prefix and feature are empty where the name leaves them open."""
    parts = asked.split("_")
    if parts[-1] in (*MAP_FAMILIES, "shape", "shape2D"):
        prefix, family, feature = "_".join(parts[:-1]), parts[-1], ""
    else:
        family, feature = parts[-2] if len(parts) > 1 else "", parts[-1]
        prefix = "_".join(parts[:-2])
    if family in ("shape", "shape2D"):
        raise InputError(
            f"features: {asked!r} describes the form of a whole region, so it has no map. "
            f"Maps exist of {', '.join(MAP_FAMILIES)}."
        )
    if family not in MAP_FAMILIES:
        raise InputError(f"features: {asked!r} is unknown.{_near(asked)}")
    if feature:
        entry = entries()[family].get(feature)
        if entry is None:
            raise InputError(f"features: {asked!r} is unknown.{_near(f'{family}_{feature}')}")
        if entry.state == "removed":
            raise InputError(f"features: {asked!r} is not computed, it equals {entry.equals}. Ask for that.")
    return prefix, family, feature


def _names(features: Mapping[str, Sequence[str] | None] | Sequence[str] | str) -> tuple[str, ...]:
    """The names asked for, one by one; those of a dictionary with their family."""
    if isinstance(features, str):
        return (features,)
    if not isinstance(features, Mapping):
        return tuple(features)
    unknown_names: list[str] = []
    for family, names in features.items():
        if isinstance(names, str) or not (names is None or isinstance(names, Sequence)):
            raise InputError(f"features {family}: expected a list of feature names or nothing, got {names!r}.")
        unknown_names += [f"{family}_{name}" for name in names] if names else [str(family)]
    return tuple(unknown_names)


def _near(asked: str) -> str:
    known = [
        *MAP_FAMILIES,
        *(f"{f}_{n}" for f in MAP_FAMILIES for n, e in entries()[f].items() if e.state != "removed"),
    ]
    near = get_close_matches(asked.removeprefix("original_"), known, 3, 0.5)
    if not near:
        near = [name for name in known if name.rpartition("_")[2].lower() == asked.lower()]
    return f" Did you mean {', '.join(near)}?" if near else f" Families: {', '.join(MAP_FAMILIES)}."


def _default(settings: Settings, family: str) -> tuple[str, ...]:
    """A family means the features of it that the settings name, or all of its default ones."""
    return dict(settings.features).get(family) or default_names(family)


def _with_image_type(settings: Settings, prefix: str, asked: str, dimensions: int) -> Settings:
    """Add the image type that gives this prefix with the settings as they are."""
    there = {kind.name for kind in settings.image_types}
    for name in IMAGE_TYPES:
        if name in there or name in NEED_VALUES:
            continue
        if prefix in image_prefixes(name, settings, dimensions):
            return replace(settings, image_types=(*settings.image_types, ImageType(name)))
    known = _prefixes(settings, dimensions)
    near = get_close_matches(prefix, known, 3, 0.5) or known
    raise InputError(
        f"features: {asked!r}: the parameters give no image {prefix!r} but {', '.join(near)}. Name its image type, "
        "with its settings, under imageType of the parameters."
    )
