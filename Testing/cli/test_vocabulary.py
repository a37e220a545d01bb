"""One vocabulary: an option of one name has one type and one help sentence in every command."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import typer

from deepradiomics.cli.main import app
from deepradiomics.options import Option, Options, declared

DIFFERENT = {"--output": "each command says what it writes: a folder, a table, a mask, a manifest"}
"""Options whose help differs between commands, with the reason."""


def _commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield " ".join(words), command
        return
    for name, child in children.items():
        yield from _commands(child, (*words, name))


def _options() -> dict[str, dict[tuple[str, str], list[str]]]:
    """By name of the option: (type, help) and the commands that have it so."""
    forms: dict[str, dict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for words, command in _commands(typer.main.get_command(app)):
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "help":
                kind = str(parameter.type_descriptor.annotation).removesuffix(" | None")
                for name in (*parameter.opts, *parameter.secondary_opts):
                    forms[name][kind, parameter.help].append(words)
    return forms


def test_an_option_of_one_name_has_one_type_and_one_help_sentence_in_every_command() -> None:
    forms = _options()
    several = {name: dict(found) for name, found in forms.items() if len(found) > 1 and name not in (*DIFFERENT, "-o")}
    assert several == {}
    assert len(forms) > 100
    assert all(len(forms[name]) > 1 for name in DIFFERENT), "an exception that is none any more"


def test_every_option_is_explained_in_a_sentence() -> None:
    for name, found in _options().items():
        for (_, text), commands in found.items():
            assert text, (name, commands)
            assert text[0] not in " .", (name, commands)
            assert len(text) < 300, (name, commands)


def _kinds(kind: type[Options]) -> Iterator[type[Options]]:
    for child in kind.__subclasses__():
        yield child
        yield from _kinds(child)


def test_every_declared_option_has_help_and_every_number_a_range() -> None:
    kinds = [kind for kind in _kinds(Options) if kind.__module__.startswith("deepradiomics.")]
    assert {"LensConfig", "ExperimentConfig"} <= {kind.__name__ for kind in kinds}
    for kind in kinds:
        for name, option in declared(kind).items():
            assert isinstance(option.option, Option), (kind, name)
            assert option.option.help, (kind, name)
            assert option.option.range or option.kind not in (int, float), (kind, name)
            assert f"{name}: {option.option.help[:20]}" in str(kind.__doc__), (kind, name)
