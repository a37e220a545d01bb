"""The text of a parameter file: YAML (or JSON) without objects, in which no key is given twice."""

from collections.abc import Hashable
from typing import Any

import yaml

from deepradiomics.errors import InputError


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which would keep the last of two equal keys in silence."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key: Any = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands here a second time; keep one of them", key_node.start_mark
                )
            if isinstance(key, Hashable):
                seen.add(key)
        return super().construct_mapping(node, deep)


def read_text(text: str, name: str) -> dict[str, Any]:
    """Return the sections that a parameter file's text holds; an empty file has none.

    Args:
        text: of the file.
        name: what messages call the file.

    Raises:
        InputError: no YAML, a key given twice, or something else than keys and values.
    """
    try:
        found = yaml.load(text, _Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        why = " ".join(str(error).split()).replace('in "<unicode string>", ', "at ")
        raise InputError(f"{name}: this is not a readable YAML file ({why}).") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InputError(
            f"{name}: expected a parameter file with sections such as 'setting:' and 'imageType:', "
            f"got {'text' if isinstance(found, str) else f'a {type(found).__name__}'} alone. Is it the right file?"
        )
    return found
