"""The text of a parameter file: YAML (or JSON) without objects, in which no key is given twice.

A text of hostile length, depth or with aliases that unfold without end is refused before it is unfolded. PyYAML is
imported only for a text that is not JSON: 3D Slicer does not bundle it.
"""

from collections.abc import Hashable
from typing import Any

from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.files.reading import depth_exceeds, parse_json, reading
from deepradiomics.words import short_repr

LONGEST_TEXT = 2_000_000  # characters; a parameter file has some thousands
MOST_VALUES = 20_000  # after aliases are unfolded; a file that names every feature has some hundreds
DEEPEST = 30  # levels of lists and sections; a parameter file has three


def read_text(text: str, name: str) -> dict[str, Any]:
    """Return the sections that a parameter file's text holds; an empty file has none.

    Args:
        text: of the file.
        name: what messages call the file.

    Raises:
        InputError: no YAML, a key given twice, or something else than keys and values.
        MissingDependencyError: the text is not JSON, and PyYAML is not installed.
    """
    if len(text) > LONGEST_TEXT:
        raise InputError(
            f"{name}: this file has {len(text)} characters; no parameter file is as long. Is it the right file?"
        )
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
    if depth_exceeds(content, DEEPEST):
        raise InputError(f"{name}: its values are nested more than {DEEPEST} levels deep; a parameter file has three.")
    return content


_NOT_JSON = object()


def _from_json(text: str, name: str) -> Any:
    """The content of a JSON text; `_NOT_JSON` for a text that is none, such as YAML in braces."""

    def without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise InputError(f"{name}: the key {short_repr(twice)} stands a second time; keep one of them.")
        return content

    try:
        return parse_json(text, without_repetition)
    except InputError:
        raise
    except ValueError:  # JSON in all but the length of a number or its depth is refused as YAML, too
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
                        None,
                        None,
                        f"the key {short_repr(key)} stands here a second time; keep one of them",
                        key_node.start_mark,
                    )
                if isinstance(key, Hashable):
                    keys.add(key)
            return super().construct_mapping(node, deep)

        def get_single_node(self) -> Any:
            node = super().get_single_node()
            _check_unfolded(node, name)
            return node

    try:
        with reading(name, "this YAML file"):
            return yaml.load(text, Loader)
    except InputError as error:
        problem = error.__cause__
        if not isinstance(problem, yaml.YAMLError):
            raise
        why = " ".join(str(problem).split()).replace('in "<unicode string>", ', "at ")
        raise InputError(f"{name}: this is not a readable YAML file ({why}).") from problem


def _check_unfolded(root: Any, name: str) -> None:
    """Refuse a node that holds itself, or that has too many values once aliases are unfolded, without unfolding it."""
    sizes: dict[int, int] = {}
    above: set[int] = set()  # nodes that hold the one looked at

    def children(node: Any) -> list[Any]:
        content = getattr(node, "value", "")
        return [] if isinstance(content, str) else [part for entry in content for part in _parts(entry)]

    stack = [(root, False)] if root is not None else []
    while stack:
        node, measured = stack.pop()
        if measured:
            above.discard(id(node))
            sizes[id(node)] = 1 + sum(sizes[id(child)] for child in children(node))
            if sizes[id(node)] > MOST_VALUES:
                raise InputError(
                    f"{name}: its aliases (* and &) unfold to more than {MOST_VALUES} values; write the values out."
                )
        elif id(node) in above:
            raise InputError(f"{name}: an alias (*) stands for a value that holds the alias itself; write it out.")
        elif id(node) not in sizes:
            above.add(id(node))
            stack.append((node, True))
            stack += [(child, False) for child in children(node)]


def _parts(entry: Any) -> tuple[Any, ...]:
    """A list's entry, or the key and the value of a section's."""
    return entry if isinstance(entry, tuple) else (entry,)
