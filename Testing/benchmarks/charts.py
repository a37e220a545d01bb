"""Draw the engine's charts from its tables: ratios by workload, and how the cost grows.

python Testing/benchmarks/charts.py docs/results
"""

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOOK = {
    ("pyradiomics", "1"): ("PyRadiomics, 1 thread", "#8a8f98", "o"),
    ("ours", "1"): ("DeepRadiomics, 1 thread", "#1f77b4", "s"),
    ("ours", "all"): ("DeepRadiomics, {n} threads", "#0b3d66", "D"),
    ("cuda", "all"): ("DeepRadiomics, GPU", "#d95f02", "^"),
}
AXES = {
    "voxels": ("voxels of the ROI", "107 features of a ball of growing size, about 35 grey levels"),
    "levels": ("grey levels", "107 features of a ball of about 50,000 voxels"),
    "patches": ("patches of one 16 × 38 × 64 ROI", "107 features of every patch"),
}
NAMES = {"ct-1130": "1,130 features, CT phantom", "patches": "patch pool of an exam",
         "all-maps": "93 maps, 30,000 voxels"}  # fmt: skip
PROGRAMS = {"DeepRadiomics": "#1f77b4", "PyTorchRadiomics": "#b07aa1", "fastrad": "#e8a33d", "MIRP": "#6aa84f"}


def draw(folder: Path) -> list[Path]:
    """Draw what the tables in a folder hold, PNG and SVG; return the files."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    plt.rcParams |= {"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "engine"}
    made: list[Path] = []
    scaling, speed = _read(folder / "engine_scaling.csv"), _read(folder / "engine_speed.csv")
    for series in AXES:
        rows = [row for row in scaling if row["series"] == series and row.get("seconds")]
        if rows:
            made += _saved(folder, f"engine_scaling_{series}", lambda ax, r=rows, s=series: _growth(ax, r, s))
    rows = [row for row in scaling if row["series"].startswith("threads") and row.get("seconds")]
    if rows:
        made += _saved(folder, "engine_scaling_threads", lambda ax: _threads(ax, rows))
    faster = [row for row in speed if row.get("times_faster")]
    if faster:
        made += _saved(folder, "engine_speed", lambda ax: _ratios(ax, faster), (8, 1.2 + 0.3 * len(faster)))
    return made


def _growth(ax: Any, rows: list[dict[str, str]], series: str) -> None:
    """Seconds against size, both logarithmic."""
    most = max(int(row["threads"]) for row in rows)
    for (who, threads), (label, colour, marker) in LOOK.items():
        wanted = "1" if threads == "1" else str(most)
        points = [(float(r["x"]), float(r["seconds"])) for r in rows if (r["who"], r["threads"]) == (who, wanted)]
        if points and not (threads == "all" and most == 1 and who == "ours"):
            ax.plot(*zip(*sorted(points), strict=True), marker=marker, color=colour, label=label.format(n=most))
    ax.set(xscale="log", yscale="log", xlabel=AXES[series][0], ylabel="seconds", title=AXES[series][1])
    ax.grid(True, which="major", alpha=0.3)
    if series != "voxels":
        ticks = sorted({float(r["x"]) for r in rows})
        ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
        ax.minorticks_off()
    ax.legend(frameon=False)


def _threads(ax: Any, rows: list[dict[str, str]]) -> None:
    """How many times faster with more threads."""
    for k, series in enumerate(dict.fromkeys(row["series"] for row in rows)):
        points = sorted((int(r["x"]), float(r["seconds"])) for r in rows if r["series"] == series)
        name = NAMES.get(series.split(", ")[1], series)
        ax.plot([x for x, _ in points], [points[0][1] / s for _, s in points], marker="osD^"[k % 4], label=name)
    counts = sorted({int(row["x"]) for row in rows})
    ax.plot(counts, counts, color="#bbbbbb", linestyle="--", label="ideal")
    ax.set(xlabel="threads", ylabel="times faster than with one thread", title="More threads")
    ax.set_xticks(counts)
    ax.grid(True, alpha=0.3)
    ax.legend(frameon=False)


def _ratios(ax: Any, rows: list[dict[str, str]]) -> None:
    """Times faster than PyRadiomics in the same run."""
    labels = [f"{row['workload']}: {row['program']}, {row['on']}" for row in rows]
    values = [float(row["times_faster"]) for row in rows]
    colours = [PROGRAMS.get(row["program"], "#999999") for row in rows]
    places = list(range(len(rows)))[::-1]
    ax.barh(places, values, color=colours)
    ax.set_yticks(places, labels)
    for place, value, row in zip(places, values, rows, strict=True):
        goal = (
            f"   (goal {row['goal'].split(',')[0]})".replace(">=", "≥").replace(" x", " ×")
            if row["goal"].startswith(">=")
            else ""
        )
        ax.text(
            max(value, 1) * 1.05,
            place,
            f"{value:,.3g}{goal}" if value < 1000 else f"{value:,.0f}{goal}",
            va="center",
            fontsize=9,
        )
    ax.axvline(1, color="#333333", linewidth=1)
    ax.set(xscale="log", xlabel="times faster than PyRadiomics 3.0.1 (one thread), same run")
    ax.set_xlim(min(0.05, *values) / 1.5, max(values) * 300)


def _saved(
    folder: Path, name: str, draw_on: Callable[[Any], None], size: tuple[float, float] = (6.4, 4.2)
) -> list[Path]:
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots(figsize=size, layout="constrained")
    draw_on(ax)
    paths = [folder / f"{name}.png", folder / f"{name}.svg"]
    figure.savefig(paths[0], dpi=150)
    figure.savefig(paths[1], metadata={"Date": None})
    plt.close(figure)
    return paths


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


if __name__ == "__main__":
    for path in draw(Path(sys.argv[1])):
        print(path)
