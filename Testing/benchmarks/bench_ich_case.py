"""One patient of a haemorrhage end to end, given a mask: seconds of each stage, with `tiny` and `paper` networks.

    python Testing/benchmarks/bench_ich_case.py [--presets tiny,paper] [--threads 2] [--out FILE.json]

A synthetic CT of 0.5 × 0.5 × 5 mm and its mask; 1,688 radiomic features; both latents; 128 components each of
radiomics and latents; Extra Trees of 1,000 trees for four outcomes; Shapley values and Grad-CAM of each; the result
folder and the report. The networks are untrained and the outcome models are fitted on random rows: what they say means
nothing, how long they take does. Goal: 20 s with `tiny` networks on 2 cores.

Each preset is measured in a process of its own, after a small run of the radiomic engine that loads its kernels. The
processor time beside the wall's tells how much of the latter other programs took.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

GOAL_S = {"tiny": 20.0}
ROWS = 300  # patients that the outcome models were fitted on
COMPONENTS, TREES = 128, 1000
OUTCOMES = ("poor_outcome", "expansion_3ml", "expansion_6ml", "expansion_9ml")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", default="tiny,paper")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="JSON file for the rows")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measured(arguments.child, arguments.threads)))
        return
    rows = one_patient(arguments.presets.split(","), arguments.threads)
    print(shown(rows))
    if arguments.out:
        from deepradiomics.files.atomic import write_json

        write_json(arguments.out, rows)


def one_patient(presets: list[str] | tuple[str, ...] = ("tiny", "paper"), threads: int = 2) -> list[dict[str, Any]]:
    """Return a row for each preset: seconds of each stage, their sum, the goal and whether it was met."""
    rows = []
    for preset in presets:
        command = [sys.executable, __file__, "--child", preset, "--threads", str(threads)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{preset}: {done.stderr[-2000:]}")
        rows.append(json.loads(done.stdout.splitlines()[-1]))
    return rows


def shown(rows: list[dict[str, Any]]) -> str:
    """The rows as text."""
    stages = list(dict.fromkeys(stage for row in rows for stage in row["stages"]))
    lines = ["stage".ljust(28) + "".join(row["preset"].rjust(12) for row in rows)]
    for stage in stages:
        lines.append(stage.ljust(28) + "".join(f"{row['stages'].get(stage, 0):12.2f}" for row in rows))
    lines.append("sum, s".ljust(28) + "".join(f"{row['seconds']:12.2f}" for row in rows))
    lines.append("processor time, s".ljust(28) + "".join(f"{row['processor_seconds']:12.2f}" for row in rows))
    lines.append("goal".ljust(28) + "".join(_goal(row).rjust(12) for row in rows))
    lines.append("peak memory, GB".ljust(28) + "".join(f"{row['peak_gb']:12.1f}" for row in rows))
    lines.append(
        f"threads {rows[0]['threads']}; latents " + ", ".join(f"{row['preset']} {row['latents']}" for row in rows)
    )
    return "\n".join(lines)


def _goal(row: dict[str, Any]) -> str:
    return "none" if row["goal_s"] is None else f"<= {row['goal_s']:g} {'met' if row['met'] else 'MISSED'}"


def measured(preset: str, threads: int) -> dict[str, Any]:
    """Make a bundle, apply it once, and time the stages."""
    from Testing.benchmarks.engine.child import limit_threads

    limit_threads(threads)
    import torch

    torch.set_num_threads(threads)
    from deepradiomics.ich.patient.request import PatientRequest
    from deepradiomics.ich.patient.result import write_case
    from deepradiomics.ich.patient.run import apply_case
    from deepradiomics.phantoms.ich.cohort import ich_exam
    from deepradiomics.radiomics import extract
    from deepradiomics.reports.ich.case_report import write_case_report

    exam = ich_exam(11, followup=False, size="clinical")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle, latents = untrained_bundle(folder / "bundle", preset)
        extract(exam.baseline, exam.mask, {"imageType": {"Original": {}}}, threads=threads)  # loads the kernels
        begun, own = time.perf_counter(), time.process_time()
        case = apply_case(bundle, PatientRequest(exam.baseline, exam.mask), device="cpu", threads=threads)
        applied = time.perf_counter()
        write_case(case, folder / "out")
        written = time.perf_counter()
        write_case_report(folder / "out", case.ct)
        ended, own = time.perf_counter(), time.process_time() - own
    stages = {**case.record["seconds"], "files": written - applied, "report": ended - written}
    seconds, goal = ended - begun, GOAL_S.get(preset)
    return {
        "preset": preset, "threads": threads, "latents": latents,
        "stages": {k: round(v, 2) for k, v in stages.items()},
        "seconds": round(seconds, 2), "processor_seconds": round(own, 2),
        "goal_s": goal, "met": None if goal is None else seconds <= goal,
        "peak_gb": round(_peak_gb(), 2), "voxels": int(exam.baseline.voxels.size),
        "haematoma_ml": round(case.record["volumes"]["haematoma_ml"], 1),
    }  # fmt: skip


def untrained_bundle(folder: Path, preset: str) -> tuple[Path, int]:
    """Write a bundle of untrained networks of a preset's sizes; return it and its number of latents."""
    import numpy as np
    import torch

    from deepradiomics.ich.autoencoder.config import AutoencoderConfig
    from deepradiomics.ich.autoencoder.latents import Autoencoder
    from deepradiomics.ich.predictor import OutcomeModel, Predictor, save_predictor
    from deepradiomics.ich.segmenter.config import SegmenterConfig
    from deepradiomics.modelling.classifiers import make_classifier
    from deepradiomics.modelling.components.nmf_components import Components
    from deepradiomics.modelling.frozen import freeze
    from deepradiomics.networks.dual_unet import DualScaleUNet
    from deepradiomics.networks.segmenter import BundleSegmenter, load_bundle_segmenter
    from deepradiomics.networks.vaegan import autoencoder
    from deepradiomics.radiomics import Settings, feature_names, features_preset

    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    own = SegmenterConfig.of_preset(preset)
    network = BundleSegmenter(DualScaleUNet(own.widths, supervised=own.supervised), own.recipe, name=preset)
    segmenter = network.save(folder.with_name("segmenter"))
    made = AutoencoderConfig.of_preset(preset)
    crops = Autoencoder(autoencoder(made.network), made.recipe, made.network, name=preset)
    vaegan = crops.save(folder.with_name("autoencoder"))

    params = features_preset("ich-1688")
    sizes = {
        "radiomics": len(feature_names(Settings.from_params(params))),
        "encoder": sum(int(np.prod(shape)) for shape in network.latent_shapes),
        "autoencoder": int(np.prod(crops.latent_shape)),
    }
    blocks = {}
    for family, d in sizes.items():
        names = tuple(feature_names(Settings.from_params(params))) if family == "radiomics" else None
        H = rng.random((COMPONENTS, d), np.float32)
        zero = np.zeros(d)
        blocks[family] = Components(family, d, names, np.arange(d), zero, zero - 1, zero + 1, H)  # type: ignore[arg-type]
    rows = rng.gamma(2.0, 0.1, (ROWS, 3 * COMPONENTS))
    outcomes = []
    for number, name in enumerate(OUTCOMES):
        y = (rows[:, number::9].sum(axis=1) + rng.normal(0, 0.3, ROWS) > np.median(rows[:, number::9].sum(axis=1))) * 1
        model = make_classifier("extra-trees", seed=number, n_estimators=TREES).fit(rows, y)
        outcomes.append(OutcomeModel(name, name, freeze(model), 0.5, float(y.mean()), ROWS, (), rows[:50]))
    predictor = Predictor(
        "radiomics+latents", "extra-trees", blocks, tuple(outcomes), params,
        encoder_sha256=load_bundle_segmenter(segmenter, device="cpu").sha256,
        autoencoder_sha256=_sha256(vaegan), info={"name": f"untrained {preset}", "synthetic": True},
    )  # fmt: skip
    save_predictor(folder, predictor, encoder=segmenter, autoencoder=vaegan)
    return folder, sizes["encoder"] + sizes["autoencoder"]


def _sha256(folder: Path) -> str:
    from deepradiomics.networks.bundle import load_info

    return str(load_info(folder)["weights"]["sha256"])


def _peak_gb() -> float:
    import resource

    scale = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e9


if __name__ == "__main__":
    main()
