"""The experiment report's sections as HTML, in plain words; every text that comes from outside is escaped here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from deepradiomics.results import ich_findings as findings
from deepradiomics.results.ich_folder import Experiment
from deepradiomics.results.ich_words import LEAKING, RESEARCH, SYNTHETIC, listed
from deepradiomics.results.lens_words import number
from deepradiomics.results.report_text import table

_LISTED = 100  # patients with notes

READING = """<dl>
<dt>AUC</dt><dd>How often a patient with the outcome gets a higher probability than one without: 0.5 is chance, 1 is
perfect. In validation each patient is judged by models that did not see him (out of fold).</dd>
<dt>Interval</dt><dd>DeLong's 95 % interval of an AUC, or of the difference of two AUCs on the same patients. With few
patients of a class it is too narrow, and at an AUC of 0 or 1 it is a mere point: that is no certainty.</dd>
<dt>Beyond noise</dt><dd>DeLong's paired test with p below 0.05 after Holm's correction for all inputs and classifiers
of that outcome, cohort and reference, and at least 10 patients of each class; of twenty such tables one may still hold
a difference by chance. A difference that is not beyond noise is not shown to be none.</dd>
<dt>Threshold</dt><dd>Chosen by Youden's index on held-out patients of the training part (for the external cohort: on
the out-of-fold predictions); never on those that are scored with it.</dd>
<dt>Brier score</dt><dd>Mean squared distance between probability and what came true; 0 is perfect, and always saying
the base rate b gives b (1 − b).</dd>
<dt>SHAP</dt><dd>What a feature adds to or takes from one patient's probability; all of them and the base value add up
to it. A large share says that the model uses a group, not that the group is needed: another may carry the same.</dd>
</dl>"""

HINDSIGHT = """<p class="small">The highest of many numbers was picked with the outcome known, and flatters: another
cohort would name another cell. The model named beforehand is the one to quote.</p>"""


def warning(experiment: Experiment) -> str:
    """The red box: leakage and synthetic data first, then that this is for research only."""
    lines = []
    if experiment.leaking:
        lines.append(
            f"{LEAKING}: some latents come from networks that had seen the patients they are scored on. Every AUC with "
            "latents on this page is too good and must not be quoted."
        )
    if experiment.synthetic:
        lines.append(f"{SYNTHETIC}: these numbers demonstrate the software and mean nothing clinically.")
    marked = "".join(f'<p class="synthetic">{escape(line)}</p>' for line in lines)
    return f"{marked}<p>{escape(RESEARCH)}</p>"


def cohorts(experiment: Experiment) -> str:
    """Title line: how many patients, from which manifests."""
    return "; ".join(
        f"{one.get('n', '?')} patients {name} ({escape(Path(str(one.get('manifest', ''))).name)})"
        for name, one in (experiment.about.get("cohorts") or {}).items()
        if one
    )


def sentences(lines: Iterable[str]) -> str:
    """A list, one sentence a line."""
    shown = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{shown}</ul>" if shown else ""


def summary(experiment: Experiment) -> str:
    """What leads, and whether anything is beyond noise."""
    lead = sentences(findings.leading(experiment))
    return f"<p><strong>{escape(findings.verdict(experiment))}</strong></p>{lead}{HINDSIGHT}"


def notes(experiment: Experiment) -> str:
    """The run's own warnings."""
    lines = [str(one) for one in experiment.about.get("warnings") or ()]
    shown = f'<div class="notes">{sentences(lines)}</div>' if lines else "<p>None.</p>"
    rows = [
        [escape(cohort), escape(case), escape(" ".join(told))]
        for cohort, cases in (experiment.about.get("notes") or {}).items()
        for case, told in cases.items()
        if told
    ]
    if not rows:
        return shown
    more = f"<p>The first {_LISTED} of {len(rows)}; experiment.json has all.</p>" if len(rows) > _LISTED else ""
    return shown + details("Notes on single patients", table(["Cohort", "Patient", "Notes"], rows[:_LISTED]) + more)


def networks(experiment: Experiment) -> str:
    """Which networks gave the latents."""
    rows = [
        [
            escape({"encoder": "Segmentation encoder", "autoencoder": "VAE-GAN"}.get(role, role)),
            escape(str(one.get("name", ""))), f"<code>{escape(str(one.get('sha256', ''))[:16])}…</code>",
            number(one.get("patients"), 0), number(one.get("latents"), 0), "synthetic" if one.get("synthetic") else "",
        ]
        for role, ones in (experiment.about.get("networks") or {}).items()
        for one in ones or ()
    ]  # fmt: skip
    head = ["Role", "Network", "SHA-256", "Patients", "Latents", "Trained on"]
    if not rows:
        return "<p>No network took part: no input with latents was run.</p>"
    leaks = (
        "This run was told to go on although some of them had seen patients that are scored (--allow-leakage)."
        if experiment.leaking
        else "None of them had seen a patient whose latents it gave: each keeps marks of everybody that it learned "
        "from, and the run stops where a mark is met again."
    )
    return f"{table(head, rows, numbers=(3, 4))}<p>{escape(leaks)}</p>"


def chosen(experiment: Experiment) -> str:
    """Which model the ROC, the thresholds and figure 4 are of."""
    input_, kind = experiment.chosen
    if not input_:
        return "<p>None: this run made no model for single patients.</p>"
    name = f"{experiment.title(input_)} with {experiment.title(kind)}"
    return (
        f"<p>{escape(name)}: named before any score was known, fitted again on all training patients for the external "
        "cohort and for the bundle.</p>"
    )


def calibration_words(experiment: Experiment) -> str:
    """What figure 4 shows."""
    shown = listed([title.split(" (")[0].lower() for title in experiment.cohorts.values()])
    return (
        f"Figure 4. Calibration of the model named beforehand ({shown}): share of patients with the outcome against "
        "the predicted probability, in bins of equally many patients, with Wilson's 95 % interval. On the dotted line "
        "probabilities come true; below it they are too high."
    )


def provenance(experiment: Experiment) -> str:
    """Command, seed, versions and settings."""
    about = experiment.about
    manifests = [
        (f"Manifest, {name}", one.get("manifest")) for name, one in (about.get("cohorts") or {}).items() if one
    ]
    items: list[tuple[str, Any]] = [
        ("Command", about.get("command")), ("Seed", about.get("seed")), ("Folds", about.get("folds")), *manifests,
        ("Created", about.get("created")), ("Software", software(about)),
    ]  # fmt: skip
    listed_ = "".join(f"<dt>{escape(n)}</dt><dd>{escape(str(v))}</dd>" for n, v in items if v not in (None, ""))
    settings = escape(json.dumps(about.get("config") or {}, indent=1, ensure_ascii=False))
    return f"<dl>{listed_}</dl><details><summary>Settings</summary><pre>{settings}</pre></details>"


def software(about: Mapping[str, Any]) -> str:
    """The package's version, then those of the packages it rests on."""
    told = {"deepradiomics": about.get("version"), **(about.get("versions") or {})}
    return ", ".join(f"{name} {version}" for name, version in told.items() if version)


def details(title: str, body: str) -> str:
    """A part that opens on request; nothing when it is empty."""
    return f"<details><summary>{escape(title)}</summary>{body}</details>" if body else ""
