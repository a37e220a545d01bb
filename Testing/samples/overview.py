"""Draw docs/pictures/overview.png: one knee, one task, one quantity in map, bars and table.

    python -m Testing.samples.overview --out docs/pictures/overview.png

All three show contributions to the logit, so that they cannot disagree: each patch's colour is the length of its bar,
the sum of its features' contributions, the largest of which are in the table. SYNTHETIC knees of a seed that the sample
model has not seen; taken is the first ACL lesion that the model finds and of which the ten largest contributions lie
in the planted patch. It is chosen for clarity: how often the planted patch comes first is measured
(docs/results/fingerprint/localisation.json).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from deepradiomics.fingerprint.apply.result import FingerprintResult, FingerprintRow
from deepradiomics.fingerprint.apply.run import FingerprintRequest, apply_fingerprint
from deepradiomics.fingerprint.model.bundle import load_fingerprint
from deepradiomics.images import VIEWS
from deepradiomics.phantoms.knee.cohort import KneeExam, knee_exam
from deepradiomics.phantoms.knee.lesions import Lesion
from deepradiomics.prepare import Box, paint_patches, reformat
from deepradiomics.radiomics.catalogue.explain import label_of
from deepradiomics.reports.palettes import SIGNED_FEATURE, colormap
from deepradiomics.reports.pictures import draw_grey, draw_patches
from deepradiomics.reports.slices import place_in_words, take_slice

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "RadiomicFingerprint/Resources/Bundles/knee-synthetic-tiny"
SEED, TASK, GROUP = 7, "acl", "A"
_FEATURES = 6
_WINDOW = (1.0, 99.5)


def main() -> None:
    """Choose the knee, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    exam, result, tried = clear_case()
    print(f"knee {tried} of {tried}: probability {result.prediction['tasks'][TASK]['probability']:.2f}")
    drawn(exam, result).savefig(arguments.out, dpi=110, facecolor="white", metadata={"Software": None})


def clear_case(limit: int = 20) -> tuple[KneeExam, FingerprintResult, int]:
    """The knee of the picture, its result, and how many were tried."""
    model = load_fingerprint(BUNDLE)
    for number in range(limit):
        exam = knee_exam((SEED, number), [(TASK, GROUP)], id="knee")
        result = apply_fingerprint(FingerprintRequest(exam.case), model)
        [lesion] = exam.lesions
        if result.prediction["tasks"][TASK]["predicted"] == 1 and {row.patch for row in largest(result)} == {
            lesion.patch
        }:
            return exam, result, number + 1
    raise RuntimeError(f"None of {limit} knees has its ten largest contributions in the planted patch.")


def largest(result: FingerprintResult, count: int = 10) -> list[FingerprintRow]:
    """The features of the task that contribute most, in size."""
    return sorted(result.fingerprint(TASK), key=lambda row: -abs(row.contribution))[:count]


def contribution_of_patches(result: FingerprintResult) -> list[float]:
    """The sum of the contributions of each patch's features."""
    return [patch["contribution"][TASK] for patch in result.prediction["patches"]]


def drawn(exam: KneeExam, result: FingerprintResult) -> Figure:
    """Map above, bars and table below."""
    [lesion] = exam.lesions
    sums = contribution_of_patches(result)
    reach = max(abs(value) for value in sums)
    scale, colours = Normalize(-reach, reach), colormap(SIGNED_FEATURE)
    figure = Figure(figsize=(9.6, 6.6), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=[1.35, 1.0])
    _draw_map(upper, result, lesion, sums, scale)
    upper.suptitle(
        f"SYNTHETIC knee, anterior cruciate ligament: probability {result.prediction['tasks'][TASK]['probability']:.2f}"
        f"; the lesion was planted in patch {lesion.patch} (circle)", fontsize=10.5,
    )  # fmt: skip
    bars, table = lower.subplots(1, 2, width_ratios=[1.0, 1.9])
    numbers = np.arange(1, len(sums) + 1)
    bars.barh(numbers, sums, color=[colours(scale(value)) for value in sums], edgecolor="#555555", linewidth=0.6)
    bars.set_yticks(numbers, [f"patch {number}" for number in numbers], fontsize=8.5)
    bars.invert_yaxis()
    bars.axvline(0.0, color="black", linewidth=0.8)
    bars.set_xlabel("sum of contributions to the logit\n(right: towards a tear)", fontsize=9)
    bars.spines[["top", "right", "left"]].set_visible(False)
    bars.tick_params(axis="y", length=0)
    _draw_table(table, result)
    return figure


def _draw_map(figure: Any, result: FingerprintResult, lesion: Lesion, sums: list[float], scale: Normalize) -> None:
    """Axial, coronal and sagittal plane through the lesion, each patch in the colour of its sum."""
    prediction = result.prediction
    view = prediction["reference_view"]
    image = result.case.views[view]
    painted = paint_patches(np.array(sums), result.exam, image.geometry, view)
    numbers = paint_patches(range(1, len(sums) + 1), result.exam, image.geometry, view)
    window = tuple(np.percentile(image.voxels, _WINDOW))
    planes = [take_slice(image, plane, lesion.centre_mm) for plane in VIEWS]
    axes = figure.subplots(1, 3, width_ratios=[plane.extent_mm[0] for plane in planes])
    for ax, plane in zip(axes, planes, strict=True):
        draw_grey(ax, plane, window)
        labels = take_slice(numbers, plane.plane, lesion.centre_mm)
        values = take_slice(painted, plane.plane, lesion.centre_mm).pixels
        extent = (0.0, plane.extent_mm[0], plane.extent_mm[1], 0.0)
        shown = np.ma.masked_where(labels.pixels == 0, values)
        ax.imshow(shown, cmap=colormap(SIGNED_FEATURE), norm=scale, alpha=0.5, extent=extent, interpolation="nearest")
        draw_patches(ax, labels)
        grid = reformat(image, plane.plane).geometry
        centre = (grid.physical_to_index(lesion.centre_mm)[:2] + 0.5) * grid.spacing_mm[:2]
        ax.add_patch(Circle(tuple(centre), lesion.radius_mm, fill=False, color="black", linewidth=1.4))
    label = "sum of contributions"
    figure.colorbar(ScalarMappable(scale, colormap(SIGNED_FEATURE)), ax=axes, fraction=0.02, pad=0.01, label=label)


def _draw_table(ax: Any, result: FingerprintResult) -> None:
    """The features that contribute most, with place and amount."""
    prediction = result.prediction
    view = prediction["reference_view"]
    boxes = [Box.from_dict(patch["boxes"][view]) for patch in prediction["patches"]]
    ax.set_axis_off()
    cells = [
        [label_of(row.feature), row.view, f"{row.patch} ({place_in_words(boxes[row.patch - 1], boxes)})",
         f"{row.contribution:+.3f}".replace("-", "−")]
        for row in largest(result, _FEATURES)
    ]  # fmt: skip
    names = ["largest contributions", "view", "patch", "to logit"]
    widths = [0.5, 0.12, 0.27, 0.11]
    table = ax.table(
        cells, colLabels=names, colLoc="left", cellLoc="left", colWidths=widths, loc="center", edges="horizontal"
    )
    table.auto_set_font_size(False)
    table.set_fontsize(8)
    table.scale(1.0, 1.45)


if __name__ == "__main__":
    main()
