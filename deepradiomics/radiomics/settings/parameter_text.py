"""The text of a parameter file: YAML (or JSON) without objects, in which no key is given twice.

PyYAML is imported only for a text that is not JSON: 3D Slicer does not bundle it.
"""

import json
from collections.abc import Hashable
from typing import Any

from deepradiomics.errors import InputError, MissingDependencyError


def read_text(text: str, name: str) -> dict[str, Any]:
    """Return the sections that a parameter file's text holds; an empty file has none.

    Args:
        text: of the file.
        name: what messages call the file.

    Raises:
        InputError: no YAML, a key given twice, or something else than keys and values.
        MissingDependencyError: the text is not JSON, and PyYAML is not installed.
    """
    content = _from_json(text, name) if text.lstrip().startswith("{") else _NOT_JSON
    if content is _NOT_JSON:
        content = _from_yaml(text, name)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(
            f"{name}: expected a parameter file with sections such as 'setting:' and 'imageType:', "
            f"got {'text' if isinstance(content, str) else f'a {type(content).__name__}'} alone. Is it the right file?"
        )
    return content


_NOT_JSON = object()


def _from_json(text: str, name: str) -> Any:
    """The content of a JSON text; `_NOT_JSON` for a text that is none, such as YAML in braces."""

    def without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise InputError(f"{name}: the key {twice!r} stands a second time; keep one of them.")
        return content

    try:
        return json.loads(text, object_pairs_hook=without_repetition)
    except (json.JSONDecodeError, RecursionError):
        return _NOT_JSON


def _from_yaml(text: str, name: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise MissingDependencyError(
            f"{name}: reading a YAML file needs the Python package PyYAML, which is not installed; install it "
            '(pip install "PyYAML>=6"; in Slicer: Install packages), or give the parameters as a JSON file.'
        ) from error

    class Loader(yaml.SafeLoader):
        """PyYAML's safe loader, which would keep the last of two equal keys in silence."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
            keys: set[Hashable] = set()
            for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
                if key_node.tag == "tag:yaml.org,2002:merge":
                    continue
                key: Any = self.construct_object(key_node, deep=True)
                if isinstance(key, Hashable) and key in keys:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key!r} stands here a second time; keep one of them", key_node.start_mark
                    )
                if isinstance(key, Hashable):
                    keys.add(key)
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(text, Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        why = " ".join(str(error).split()).replace('in "<unicode string>", ', "at ")
        raise InputError(f"{name}: this is not a readable YAML file ({why}).") from error
