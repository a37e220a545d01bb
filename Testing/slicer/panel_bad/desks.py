"""Each kind of run of each panel, described so that every row of bad input can be tried on it.

A new panel gets all rows by a desk of its own here.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics.networks.bundle import FORMAT, FORMAT_VERSION
from Testing.slicer.fake_child import write_bundle, write_features, write_maps
from Testing.slicer.logic.test_fingerprint_logic import add_segment
from Testing.slicer.panel.driving import result_writer
from Testing.slicer.panel_ich.driving import child as ich_child
from Testing.slicer.panel_ich.driving import write_model, write_segmenter
from Testing.slicer.panel_lens.conftest import write_encoder
from Testing.slicer.panel_lens.driving import case_writer, lens_writer
from Testing.slicer.runs.test_image_tools import write_registration

Material = Mapping[str, Any]


@dataclass(frozen=True)
class Desk:
    """One kind of run.

    Attributes
    ----------
    name, module
        How the test's ID calls it, and the module whose panel it is of.
    button, label
        The button that starts it, and the label that says why it cannot be pressed; "" for the button's tooltip.
    prepare
        Sets the panel's parameters to what can run; called with the panel, the scene, the material and a folder.
    write
        What its child does.
    volume, segmentation
        Names of the parameters; "" where it has none. "caseVolumes" is by modality.
    bundle
        Names the folder's parameter; "" where it takes no model.
    output
        Names the parameter of the folder for results.
    flat
        A volume of one slice is enough.
    needs_image
        A result cannot be shown when its image is gone.
    keeps
        The result is copied out of the job's folder.
    roi
        It can compute in a box.
    model
        Writes a good model of its kind into a folder.
    """

    name: str
    module: str
    prepare: Callable[[Any, Any, Material, Path], None]
    write: Callable[[list[str]], Any]
    button: str = "applyButton"
    label: str = "estimateLabel"
    volume: str = ""
    segmentation: str = ""
    bundle: str = ""
    output: str = ""
    flat: bool = False
    needs_image: bool = True
    keeps: bool = True
    roi: bool = False
    model: Callable[[Path], Path] | None = None

    def has(self, feature: str) -> bool:
        """Whether a row that needs this can be tried here."""
        return not feature or bool(getattr(self, feature))


def _volume(scene: Any, volume: Any, name: str) -> Any:
    from deepradiomics.scene.nodes.volumes import node_from_volume

    node = node_from_volume(volume, scene, name)
    node.CreateDefaultDisplayNodes()
    return node


def _features(panel: Any, scene: Any, material: Material, folder: Path) -> None:
    from RadiomicFeaturesLib.choices import Mode, RoiSource

    p = panel.parameters
    p.mode, p.roiSource = Mode.FEATURES, RoiSource.SEGMENTS
    p.volume = _volume(scene, material["knee"].volumes["sagittal"], "good knee")
    p.segmentation, _ = add_segment(scene, p.volume)


def _maps(panel: Any, scene: Any, material: Material, folder: Path) -> None:
    from RadiomicFeaturesLib.choices import Mode

    _features(panel, scene, material, folder)
    panel.parameters.mode, panel.parameters.mapFeatures = Mode.MAPS, ["original_firstorder_Mean"]


def _fingerprint(panel: Any, scene: Any, material: Material, folder: Path) -> None:
    from RadiomicFingerprintLib.choices import BundleSource, RoiSource

    p = panel.parameters
    for view, volume in material["knee"].volumes.items():
        setattr(p, view, _volume(scene, volume, "good knee" if view == "sagittal" else f"knee {view}"))
    p.bundleSource, p.bundleFolder = BundleSource.FOLDER, str(write_bundle(folder / "bundle"))
    p.roiSource = RoiSource.SEGMENT
    p.segmentation, p.segmentId = add_segment(scene, p.sagittal)


def _training(panel: Any, scene: Any, material: Material, folder: Path) -> None:
    (folder / "manifest.csv").write_text("id\n", encoding="utf-8")
    panel.parameters.trainManifest, panel.parameters.trainOutput = str(folder / "manifest.csv"), str(folder / "run")


def _fingerprint_batch(panel: Any, scene: Any, material: Material, folder: Path) -> None:
    from RadiomicFingerprintLib.choices import BundleSource

    p = panel.parameters
    (folder / "cases").mkdir(exist_ok=True)
    p.bundleSource, p.bundleFolder = BundleSource.FOLDER, str(write_bundle(folder / "bundle"))
    p.batchFolder, p.batchOutput = str(folder / "cases"), str(folder / "results")


def _features_batch(panel: Any, scene: Any, material: Material, folder: Path) -> None:
    p = panel.parameters
    (folder / "cases").mkdir(exist_ok=True)
    (folder / "cases" / "manifest.csv").write_text("id,image,mask\na,a.nrrd,b.nrrd\n", encoding="utf-8")
    p.batchFolder, p.batchOutput = str(folder / "cases"), str(folder / "results")


def _case(panel: Any, scene: Any, material: Material, folder: Path) -> None:
    panel.load_sample()
    panel.parameters.caseVolumes["t2"].SetName("good prostate")


def _fit(panel: Any, scene: Any, material: Material, folder: Path) -> None:
    from RadiomicLensLib.choices import EncoderSource

    rows = [["id", "view_t2", "mask_gland"], ["a", "a_t2.nrrd", "a_gland.nrrd"], ["b", "b_t2.nrrd", "b_gland.nrrd"]]
    for name in (cell for row in rows[1:] for cell in row[1:]):
        (folder / name).touch()
    with open(folder / "manifest.csv", "w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    p = panel.parameters
    p.encoderSource = EncoderSource.EACH
    p.preEncoder, p.ftEncoder = str(_encoder(folder / "pre")), str(_encoder(folder / "ft"))
    p.manifest, p.outputFolder = str(folder / "manifest.csv"), str(folder / "lens")


def _ich(panel: Any, scene: Any, material: Material, folder: Path) -> None:
    from ICHLatentFeaturesLib.choices import BundleSource, Outline

    p = panel.parameters
    p.ct = _volume(scene, material["head"].ct, "good head")
    p.bundleSource, p.bundleFolder = BundleSource.FOLDER, str(_outcomes(folder / "bundle"))
    p.outline = Outline.SEGMENT
    p.segmentation, p.segmentId = add_segment(scene, p.ct)


def _expansion(panel: Any, scene: Any, material: Material, folder: Path) -> None:
    _ich(panel, scene, material, folder)
    p = panel.parameters
    p.followup = _volume(scene, material["head"].followup, "later head")
    p.followupSegmentation, p.followupSegmentId = add_segment(scene, p.followup)


def _experiment(panel: Any, scene: Any, material: Material, folder: Path) -> None:
    (folder / "manifest.csv").write_text("id\n", encoding="utf-8")
    p = panel.parameters
    p.manifest, p.experimentOutput = str(folder / "manifest.csv"), str(folder / "experiment")


def _segment(panel: Any, scene: Any, material: Material, folder: Path) -> None:
    p = panel.parameters
    p.toolVolume = _volume(scene, material["head"].ct, "good head")
    p.toolModel = str(write_segmenter(folder / "network"))


def _register(panel: Any, scene: Any, material: Material, folder: Path) -> None:
    p = panel.parameters
    p.toolFixed = _volume(scene, material["head"].ct, "good head")
    p.toolMoving = _volume(scene, material["head"].followup, "later head")


def _encoder(folder: Path) -> Path:
    return folder if folder.is_dir() else write_encoder(folder)


def _outcomes(folder: Path) -> Path:
    return folder if folder.is_dir() else write_model(folder)


def of_kind(folder: Path, kind: str) -> Path:
    """A bundle's description of any kind."""
    folder.mkdir(parents=True)
    info = {
        "format": FORMAT, "format_version": FORMAT_VERSION, "kind": kind,
        "weights": {"file": "model.safetensors", "sha256": "0", "tensors": {}},
    }  # fmt: skip
    (folder / "bundle.json").write_text(json.dumps(info), encoding="utf-8")
    (folder / "model.safetensors").touch()
    return folder


FEATURES, FINGERPRINT, LENS, ICH = "RadiomicFeatures", "RadiomicFingerprint", "RadiomicLens", "ICHLatentFeatures"
TIP: Any = {"label": ""}

DESKS = (
    Desk("features", FEATURES, _features, write_features, volume="volume", segmentation="segmentation",
         output="outputFolder", flat=True, needs_image=False, roi=True),
    Desk("feature maps", FEATURES, _maps, write_maps, volume="volume", segmentation="segmentation",
         output="outputFolder", flat=True, roi=True),
    Desk("a batch of features", FEATURES, _features_batch, lambda words: None, button="batchButton",
         output="batchOutput", keeps=False, **TIP),
    Desk("segmenting", FEATURES, _segment, ich_child, button="segmentButton", volume="toolVolume", bundle="toolModel",
         keeps=False, model=write_segmenter, **TIP),
    Desk("fingerprint", FINGERPRINT, _fingerprint, result_writer, volume="sagittal", segmentation="segmentation",
         bundle="bundleFolder", output="outputFolder", roi=True, model=write_bundle),
    Desk("a batch of fingerprints", FINGERPRINT, _fingerprint_batch, lambda words: None, button="batchButton",
         bundle="bundleFolder", output="batchOutput", keeps=False, model=write_bundle, **TIP),
    Desk("a training", FINGERPRINT, _training, lambda words: None, button="trainButton", output="trainOutput",
         keeps=False, **TIP),
    Desk("registering", FINGERPRINT, _register, write_registration, button="registerButton", volume="toolFixed",
         keeps=False, **TIP),
    Desk("lens", LENS, _fit, lens_writer, bundle="preEncoder", output="outputFolder", keeps=False, model=_encoder),
    Desk("the case view of a lens", LENS, _case, case_writer, button="showCaseButton", label="caseStatusLabel",
         volume="caseVolumes", segmentation="caseSegmentation", keeps=False),
    Desk("outcome of a haemorrhage", ICH, _ich, ich_child, volume="ct", segmentation="segmentation",
         bundle="bundleFolder", output="outputFolder", model=_outcomes),
    Desk("expansion of a haemorrhage", ICH, _expansion, ich_child, button="expansionButton", volume="ct",
         segmentation="segmentation", output="outputFolder", **TIP),
    Desk("an experiment", ICH, _experiment, lambda words: None, button="experimentButton", output="experimentOutput",
         keeps=False, **TIP),
)  # fmt: skip
"""`segmenting` and `registering` are in every panel, from the same code (`deepradiomics.scene.panel.image_tools`)."""
