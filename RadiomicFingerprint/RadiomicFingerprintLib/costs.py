"""How long a run will take and how much memory, roughly: shown above Apply, so that nobody waits blindly."""

from deepradiomics.fingerprint.evaluate.estimate import estimate_run
from deepradiomics.scene.panel.costs import cost_text, voxels_of

from .bundles import BundleSummary
from .choices import Device, Registration
from .readiness import chosen_views
from .work import registration_options


def panel_estimate(parameters, summary: BundleSummary) -> str:
    """The estimate as a sentence, for parameters that can run."""
    chosen, config = parameters.registration, dict(summary.config)
    mode = None
    if chosen is not Registration.AS_TRAINED:
        mode = registration_options(chosen.value, summary.registration)["registration"]
        config["recipe"] = {**config["recipe"], "registration_backend": chosen.value if mode != "off" else "cpu"}
    voxels = [voxels_of(node) for node in chosen_views(parameters).values()]
    gpu = parameters.device in (Device.CUDA, Device.MPS) or chosen is Registration.GPU
    run = estimate_run(config, voxels, gpu=gpu, registration=mode)
    return cost_text(run.seconds, run.memory_mb)
