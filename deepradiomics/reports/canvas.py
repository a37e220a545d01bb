"""One way to make and save a picture: matplotlib's Agg canvas without global state, so that it works in any process.

Colours are Okabe and Ito's palette, which readers with any kind of colour vision can tell apart; lines and bars also
differ by dash or hatch, so that a grey print stays readable.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.errors import MissingDependencyError
from deepradiomics.files.atomic import atomic_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8A6D00")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2, 2, 2)))
GREY = "#767676"
_LEGEND_BELOW_IN = 0.55  # ticks, their labels and the axis title


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure on its own Agg canvas, laid out so that no label is cut.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("Figures need matplotlib: pip install 'deepradiomics[networks]'.") from error
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes, title: str = "", x: str = "", y: str = "") -> Axes:
    """Title, labels, a light grid, no box."""
    axes.set_title(title, fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def legend_below(axes: Axes, **options: Any) -> Legend:
    """A legend under the axes' own title and ticks, at a distance in inches: it covers neither, whatever their size.

    Inside, a legend covers bars and curves; at a share of the axes' height below them it covers the title of low axes.
    """
    from matplotlib.transforms import ScaledTranslation

    figure: Any = axes.figure
    below = axes.transAxes + ScaledTranslation(0.0, -_LEGEND_BELOW_IN, figure.dpi_scale_trans)
    return axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=below,
        borderaxespad=0.0,
        frameon=False,
        **{"fontsize": 8, **options},
    )


def style(i: int) -> dict[str, Any]:
    """Colour and dash of the i-th line; sixty-four differ."""
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": DASHES[(i + i // len(COLOURS)) % len(DASHES)]}


def save(figure: Figure, path: Path | str, dpi: int = 150) -> Path:
    """Write a PNG (or what the suffix says), whole or not at all."""
    path = Path(path)
    with atomic_file(path) as part:
        figure.savefig(part, dpi=dpi, facecolor="white", bbox_inches="tight", pad_inches=0.1)
    return path


def wrapped(text: str, width: int) -> str:
    """Break a long label into lines at blanks or underscores."""
    lines = textwrap.wrap(text.replace("_", "_ "), width, break_long_words=False)
    return "\n".join(line.replace("_ ", "_") for line in lines)


def shortened(name: str, width: int) -> str:
    """Cut the middle out of a name that is too long for its place; both ends tell features apart."""
    if len(name) <= width:
        return name
    tail = (width - 1) // 2
    return f"{name[: width - 1 - tail]}…{name[-tail:]}"
