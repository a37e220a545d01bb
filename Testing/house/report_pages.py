"""SYNTHETIC: every report that the package writes, of the invented results that the tests use.

    pages(folder)  ─►  {"fingerprint": "<!doctype html>…", "lens": …, "ich-experiment": …, "ich-patient": …, …}

The variants are those that show other sentences: real and synthetic data, one task and several, no follow-up, no image.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.ich.haematoma.expansion import Expansion
from deepradiomics.ich.haematoma.result import GROWN, SHRUNK, STABLE
from deepradiomics.images import Geometry, Mask, Volume, read_volume
from deepradiomics.lens.result import LensResult
from deepradiomics.prepare import AffineTransform
from deepradiomics.reports.fingerprint.report import render_report
from deepradiomics.reports.ich.case_report import write_case_report
from deepradiomics.reports.ich.expansion import draw
from deepradiomics.reports.ich.report import write_experiment
from deepradiomics.reports.lens.outputs import write_outputs
from Testing.unit.reports.fake_fingerprint import fake_result
from Testing.unit.reports.fake_ich import write_fake_case, write_fake_experiment
from Testing.unit.reports.fake_lens import write_fake_lens


def pages(folder: Path) -> dict[str, str]:
    """Every report as it is written, by name; ``folder`` holds the results that they were drawn from."""
    return {
        **dict(_fingerprint()),
        **dict(_lens(folder / "lens")),
        **dict(_experiment(folder / "experiment")),
        **dict(_patient(folder / "patient")),
        "ich-expansion": "".join(f"<p>{text}</p>" for text in _expansion_texts()),
    }


def _fingerprint() -> Iterator[tuple[str, str]]:
    yield "fingerprint", render_report(fake_result())
    yield "fingerprint-real", render_report(fake_result(("acl",), synthetic_model=False, disclaimer=""))
    grade = fake_result(("grade",))
    for row in grade.rows:
        row.selected, row.contribution = False, 0.0
    grade.prediction["tasks"]["grade"].update(
        type="multiclass", classes=["low", "middle", "high"], probabilities=[0.2, 0.5, 0.3], probability=None,
        logit=[0.1, 0.6, 0.2], intercept=[0.1, 0.6, 0.2], predicted=1, decision_threshold=None, selected=0,
        by_inference={"paper": [0.2, 0.5, 0.3]},
    )  # fmt: skip
    yield "fingerprint-multiclass", render_report(grade)


def _lens(folder: Path) -> Iterator[tuple[str, str]]:
    """One task with its case, one of real data with nothing optional, and both in one page; Markdown tables beside."""
    result = LensResult.read(write_fake_lens(folder / "fit", images=("original", "wavelet-LLH")))
    bare = LensResult.read(
        write_fake_lens(
            folder / "bare", modalities=("t2",), images=("original",), permutations=0, evaluation=False,
            synthetic=False, case=False, task="Volume REG",
        )
    )  # fmt: skip
    bare = dataclasses.replace(
        bare, dropped=(), about={**bare.about, "dropped_cases": [], "warnings": [], "leakage": None}
    )
    cases = [result.folder / "case"]
    for name, results in (("lens", [result]), ("lens-bare", [bare]), ("lens-two-tasks", [result, bare])):
        written = write_outputs(results, folder / name, cases=cases if name == "lens" else ())
        for path in sorted(written):
            if path.suffix == ".html":
                yield name, path.read_text(encoding="utf-8")
            elif path.suffix == ".md":
                yield f"{name}-{path.stem}", path.read_text(encoding="utf-8")


def _experiment(folder: Path) -> Iterator[tuple[str, str]]:
    outcomes = ("poor_outcome", "expansion_3ml")
    full = write_fake_experiment(
        folder / "full", outcomes=outcomes, classifiers=("random-forest", "extra-trees"), patients=60,
        inputs=("radiomics", "radiomics+latents"),
    )  # fmt: skip
    leaking = write_fake_experiment(
        folder / "leaking", outcomes=outcomes[:1], inputs=("radiomics+latents",), classifiers=("extra-trees",),
        external=False, synthetic=False, leaking=True,
    )  # fmt: skip
    for name in ("differences", "wilcoxon", "friedman", "sex", "shap_groups", "shap_components"):
        (leaking / "tables" / f"{name}.csv").unlink()
    for name, out in (("ich-experiment", full), ("ich-experiment-leaking", leaking)):
        write_experiment(out)
        yield name, (out / "report.html").read_text(encoding="utf-8")


def _patient(folder: Path) -> Iterator[tuple[str, str]]:
    outside = {"outside_training_cohort": True, "outside_share": 0.31, "outside_limit": 0.1}
    outcomes = ("poor_outcome", "expansion_6ml")
    yield "ich-patient", _patient_page(folder / "full", {}, outcomes=outcomes)
    yield "ich-patient-outside", _patient_page(folder / "outside", outside, outcomes=outcomes)
    yield "ich-patient-real-head", _patient_page(folder / "real", {"real_head": True}, outcomes=outcomes)

    bare, _ = write_fake_case(
        folder / "bare" / "out", outcomes=("expansion_3ml",), followup=False, synthetic=False, leaking=True
    )
    (bare / "gradcam.nii.gz").unlink()
    record = json.loads((bare / "ich.json").read_text(encoding="utf-8"))
    record["outcomes"]["expansion_3ml"].pop("gradcam")
    record["outcomes"]["expansion_3ml"]["calibration"] = {"bins": [], "bin": None}
    (bare / "ich.json").write_text(json.dumps({**record, "notes": []}), encoding="utf-8")
    yield "ich-patient-bare", write_case_report(bare).read_text(encoding="utf-8")


def _patient_page(folder: Path, changes: Mapping[str, Any], **options: Any) -> str:
    """The report of a patient with their CT, after ``changes`` to the record."""
    out, ct = write_fake_case(folder / "out", **options)
    record = json.loads((out / "ich.json").read_text(encoding="utf-8"))
    (out / "ich.json").write_text(json.dumps({**record, **changes}), encoding="utf-8")
    return write_case_report(out, read_volume(ct)).read_text(encoding="utf-8")


def _expansion_texts() -> list[str]:
    """What stands in the picture of a haematoma's change: there is no page of it, the report is the picture."""
    from matplotlib.text import Text

    geometry = Geometry((24, 24, 12), (2.0, 2.0, 5.0))
    z, y, x = np.indices(geometry.shape)
    radius = np.sqrt(((z - 6) * 5) ** 2 + ((y - 12) * 2) ** 2 + ((x - 12) * 2) ** 2)
    labels = np.select([radius < 12, radius < 17, (radius < 20) & (x < 8)], [STABLE, GROWN, SHRUNK], 0).astype(np.uint8)
    image = Volume(np.where(labels > 0, 60.0, 30.0).astype(np.float32), geometry)
    change = Expansion(AffineTransform.identity(), 8.0, 17.5, Mask(labels, geometry), image, 0.97, "cpu", "synthetic-1")
    figure = draw(image, change, synthetic="SYNTHETIC CT")
    texts = [text for text in figure.findobj(Text) if text.get_visible()]
    return [text.get_text() for text in texts if text.get_text().strip()]
