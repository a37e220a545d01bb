"""Options that several commands share, so that they are named and explained alike."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.groups import option_of
from deepradiomics.ich.experiment.config import ExperimentConfig
from deepradiomics.lens.config import LensConfig

JsonLines = Annotated[bool, typer.Option("--json", help="Write JSON lines (progress, result, error) for a program.")]
DeviceName = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random: equal seeds give equal results.")]
SplitSeed = Annotated[int, typer.Option("--split-seed", min=0, help="Seed of the splits by patient.")]
OutputFolder = Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.", show_default=False)]
CaseId = Annotated[
    str | None,
    typer.Option("--case-id", help="The case: its id in a cohort, or its name in the results.  (default: the file's)"),
]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Number of processes that extract features.")]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", help="Address of a Dask scheduler (tcp://host:8786) that takes the place of --workers."),
]
Preset = Annotated[
    str | None, typer.Option("--preset", help="paper (full size, the default) or tiny (CPU tests, demos).")
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="JSON file with a whole configuration.")]
TaskNames = Annotated[
    str | None, typer.Option("--tasks", help="Label columns to use, separated by commas.  (default: all)")
]
Epochs = Annotated[int | None, typer.Option("--epochs", min=1, help="Number of epochs, instead of the preset's.")]
Folds = Annotated[int | None, option_of(ExperimentConfig, "folds", default="none")]
Missing = Annotated[str, option_of(LensConfig, "missing")]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        help="Folder of prepared images and features, for runs to share.  (default: cache in, or beside, the output)",
    ),
]
Resume = Annotated[bool, typer.Option("--resume/--no-resume", help="Resume a run that was stopped.")]
Init = Annotated[
    str | None,
    typer.Option("--init", help="Network to start from: a bundle, or weights in the layout of its architecture."),
]
Modalities = Annotated[
    str | None, typer.Option("--modalities", help="Modalities to use, separated by commas.  (default: all)")
]
Layer = Annotated[
    str | None, typer.Option("--layer", help="Layer to pool, such as stages.2.  (default: the encoder's own)")
]
Centre = Annotated[str, option_of(LensConfig, "centre", default="gland")]
Scene = Annotated[bool, typer.Option("--scene/--no-scene", help="Write scene.mrb for 3D Slicer.")]
Views = Annotated[
    list[str] | None,
    typer.Option("--view", help="NAME=PATH, once per image of a case: --view sagittal=knee.nii.gz"),
]
MaskFile = Annotated[
    Path | None, typer.Option("--mask", help="Mask of the region: label map, Slicer segmentation, SEG or RTSTRUCT.")
]
Cases = Annotated[int, typer.Option("--cases", "-n", min=1, help="Number of synthetic patients.")]

MANIFEST_HELP = (
    "Many cases: CSV with the columns id, image (or view_<name> …), mask (or mask_<region> …), label or segment; "
    "others, such as label_<task>, are carried along. Finished cases are skipped when the command is run again."
)
PICKLES = "nnU-Net's checkpoints are pickles, which can run code: only from where you trust."
"""What help says of a model folder of nnU-Net."""
SegmenterFolder = Annotated[
    Path | None,
    typer.Option("--segmenter", help=f"Segmentation network: a bundle, or a model folder of nnU-Net v2. {PICKLES}"),
]
Flips = Annotated[
    bool, typer.Option("--flips", help="Average the segmentation with that of the mirror image: twice as slow or more.")
]
Largest = Annotated[bool, typer.Option("--largest", help="Keep the largest connected part of the segmentation alone.")]
Lesions = Annotated[str | None, option_of(ExperimentConfig, "lesions")]
FollowupMask = Annotated[Path | None, typer.Option("--followup-mask", help="Haematoma in the follow-up.")]
FollowupLabel = Annotated[
    int | None, typer.Option("--followup-label", help="Label of the haematoma in the follow-up's mask, if another.")
]
BaselineCt = Annotated[
    Path | None, typer.Option("--ct", help="The head CT that belongs to the mask or the result, where it is needed.")
]
EncoderBundle = Annotated[
    Path | None,
    typer.Option("--encoder", help="Bundle of a segmenter for patients whose column encoder is empty."),
]
AutoencoderBundle = Annotated[
    Path | None,
    typer.Option("--autoencoder", help="Bundle of a VAE-GAN for patients whose column autoencoder is empty."),
]

Params = Annotated[
    str | None,
    typer.Option(
        "--params",
        help="Radiomic features: fingerprint-107, paper-110, pyradiomics-default, lens, ich-1688 or paper-1693, or a "
        "PyRadiomics file.",
    ),
]
LabelOption = Annotated[
    int | None,
    typer.Option(
        "--label",
        help="Label of the region in the mask.  (default: that of --params, else the only label of the mask)",
    ),
]
SegmentName = Annotated[
    str | None, typer.Option("--segment", help="Name of the region's segment in the mask, instead of --label.")
]
AllLabels = Annotated[
    bool, typer.Option("--all-labels", help="Every label of the mask in turn is a region, instead of --label.")
]
MergeLabels = Annotated[
    bool, typer.Option("--merge-labels", help="All labels of the mask together are the region, instead of --label.")
]
LabelNames = Annotated[
    Path | None,
    typer.Option(
        "--label-names",
        help="File with the names of the mask's labels (TotalSegmentator's list, a colour table or number,name lines), "
        "so that --segment and the tables know them.",
    ),
]
Standard = Annotated[
    str | None, typer.Option("--standard", help="Definitions: pyradiomics or ibsi.  (default: of --params)")
]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, help="Processor threads; the numbers never depend on it (all cores).")
]
MaxMemory = Annotated[
    float | None, typer.Option("--max-memory-gb", help="Memory that the computation may take; large jobs are chunked.")
]

Stack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        help="DICOM with several images at each position: the stack to take, by its number in the list that the error "
        "gives or by words of it (b=1000, echo=2).",
    ),
]
SliceSpacingOption = Annotated[
    str | None,
    typer.Option(
        "--slice-spacing",
        help="DICOM without slice positions: take SliceThickness or SpacingBetweenSlices instead, with a note.",
    ),
]
Suv = Annotated[
    bool, typer.Option("--suv", help="PET: standardised uptake values by body weight (SUVbw) instead of activity.")
]
SegThreshold = Annotated[
    float,
    typer.Option("--seg-threshold", help="Fractional DICOM SEG: the fraction from which a voxel belongs to it."),
]
AnyFrame = Annotated[
    bool, typer.Option("--any-frame", help="Accept a mask of another frame of reference than the image's.")
]
Scanner = Annotated[
    bool,
    typer.Option(
        "--scanner",
        help="Add columns on the scanner and protocol of each DICOM image (manufacturer, kernel, kVp, TE, TR, ...).",
    ),
]
ConnectedParts = Annotated[
    bool,
    typer.Option(
        "--connected-parts", help="Each connected part of a region is a region of its own, the largest first."
    ),
]
Ring = Annotated[
    str | None,
    typer.Option(
        "--ring",
        help="The shell around each region instead of the region: 5 is the first 5 mm, 2:5 from 2 to 5 mm.",
    ),
]
RingWithin = Annotated[
    Path | None,
    typer.Option(
        "--ring-within",
        help="Mask that the shell is cut by (brain, liver, body); of a --manifest, the column that names it.",
    ),
]


BackendName = Annotated[
    str | None,
    typer.Option("--backend", help="Where images are registered: auto, cpu (SimpleITK) or gpu (torch)."),
]


class Size(StrEnum):
    """Grids of the synthetic images."""

    SMALL = "small"
    CLINICAL = "clinical"


PhantomSize = Annotated[
    Size, typer.Option("--size", help="Voxels of the images: small (about 1 to 3 mm), or clinical, as scanners do.")
]
