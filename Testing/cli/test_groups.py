"""Groups of options: a command gets their options, and its parameters their values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.testing import CliRunner

from deepradiomics.cli.groups import Changes, Chosen, with_groups
from deepradiomics.lens.config import LensConfig


@dataclass(frozen=True)
class Run:
    """How it is run."""

    seed: Annotated[int, typer.Option("--seed", help="Of everything random.")] = 0
    slow: Annotated[bool, typer.Option("--slow", help="Not fast.")] = False


def _invoke(*words: str) -> tuple[int, str, list[Any]]:
    values: list[Any] = []
    app = typer.Typer()

    @app.command()
    @with_groups
    def fit(
        place: Annotated[Path, typer.Argument(help="Where.")],
        run: Run,
        lens: Annotated[Changes, Chosen(LensConfig, "hidden", "quantitative", "sweep", "fit_on", "learning_rate")],
        title: Annotated[str, typer.Option("--title", help="Of it.")] = "none",
    ) -> None:
        """Fit."""
        values.extend([place, run, lens, title])

    done = CliRunner().invoke(app, list(words), env={"COLUMNS": "200", "NO_COLOR": "1"})
    return done.exit_code, done.output, values


def test_a_group_arrives_as_one_value_and_declared_options_by_name_where_given() -> None:
    code, output, values = _invoke(
        "here", "--seed", "3", "--slow", "--hidden", "7", "--quantitative", "adc, t2", "--no-sweep"
    )
    assert code == 0, output
    assert values == [Path("here"), Run(3, True), {"hidden": 7, "quantitative": ("adc", "t2"), "sweep": False}, "none"]
    assert _invoke("here")[2] == [Path("here"), Run(), {}, "none"]


def test_help_and_range_are_those_of_the_declaration() -> None:
    output = "".join(_invoke("--help")[1].split())
    assert "ReLUunitsofthesharedlayer" in output
    assert "1<=x<=65536" in output
    assert "256" in output
    code, output, _ = _invoke("here", "--hidden", "0")
    assert code == 2
    assert "--hidden" in output
