"""The bad inputs of ``segment``, ``ich volume`` and the haemorrhage module's trainings."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from Testing.cli.bad.bad_input import OUTPUT, BadInput
from Testing.cli.ich import ich_material as material
from Testing.cli.ich.ich_words import (
    QUICK,
    Command,
    a_config,
    a_ct,
    a_file,
    a_manifest,
    a_mask,
    bundle_of,
    damaged,
    nnunet,
    one_image,
    run,
)


def segment(
    image: object = "SHARED/ct.nii.gz", *options: object, model: object = None, output: object = None
) -> Command:
    model = model or (bundle_of("segmenter"))
    return run("segment", image, "-o", output or f"FOLDER/{OUTPUT}/m.nii.gz", "--segmenter", model, *QUICK, *options)


def _own_ct(folder: Path) -> Path:
    return Path(shutil.copyfile(material.place() / "ct.nii.gz", folder / "own.nii.gz"))


SEGMENT: tuple[BadInput, ...] = (
    BadInput("segment: no such CT", segment("FOLDER/no.nii.gz"), ("no.nii.gz", "does not exist")),
    BadInput("segment: a text file as CT", segment(a_file("a.nii.gz", "text")), ("a.nii.gz", "could not be read")),
    BadInput(
        "segment: a picture of 0 to 255",
        segment(a_ct("picture")),
        ("picture", "from 0 to 255 cannot be HU", "original DICOM"),
    ),
    BadInput(
        "segment: normalised values", segment(a_ct("normalised")), ("from 0 to 1 cannot be HU", "look normalised")
    ),
    BadInput("segment: stored values without intercept", segment(a_ct("stored")), ("rescale intercept", "-1024")),
    BadInput("segment: a windowed CT", segment(a_ct("windowed")), ("from -20 to 120 cannot be HU", "window applied")),
    BadInput("segment: a CT without anything bright", segment(a_ct("dark")), ("end at 20", "rescale slope")),
    BadInput("segment: a constant CT", segment(a_ct("constant")), ("constant (every voxel 40)",)),
    BadInput("segment: a CT with NaN", segment(a_ct("nan")), ("528 of 51200 voxels are NaN",)),
    BadInput("segment: no soft tissue", segment(a_ct("bones")), ("0.0% of the voxels", "not a head CT")),
    BadInput("segment: a mask as CT", segment("SHARED/mask.nii.gz"), ("mask: grey levels from 0 to 1",)),
    BadInput(
        "segment: another image format",
        segment(output=f"FOLDER/{OUTPUT}/m.png"),
        ("--output", "m.png", "use one of .nii"),
    ),
    BadInput(
        "segment: probability in another format",
        segment("SHARED/ct.nii.gz", "--probability", "p.jpg"),
        ("--probability p.jpg", "use one of"),
    ),
    BadInput(
        "segment: mask and probability in one file",
        segment("SHARED/ct.nii.gz", "--probability", f"FOLDER/{OUTPUT}/m.nii.gz"),
        ("--probability", "--output names the same file"),
    ),
    BadInput(
        "segment: the mask over the CT",
        segment(_own_ct, output="FOLDER/own.nii.gz"),
        ("--output", "own.nii.gz", "the CT itself"),
    ),
    BadInput(
        "segment: a file where the folder should be",
        segment(output="SHARED/few.yaml/m.nii.gz"),
        ("few.yaml", "expected a folder, this is a file"),
    ),
    BadInput(
        "segment: a folder that cannot be written",
        segment(output="/proc/none/m.nii.gz"),
        ("/proc cannot be written to", "another output folder"),
    ),
    BadInput("segment: no space on the disk", segment(), ("no space",), disk_full=True),
    BadInput(
        "segment: no such model",
        segment(model="FOLDER/nowhere"),
        ("--segmenter", "nowhere", "does not exist", "bundle"),
    ),
    BadInput(
        "segment: an autoencoder as model",
        segment(model=bundle_of("autoencoder")),
        ("expected a bundle of kind 'ich-segmenter'", "'ich-autoencoder'"),
    ),
    BadInput(
        "segment: a model that was changed",
        segment(model=damaged("segmenter")),
        ("model.safetensors", "damaged or exchanged", "copy the whole bundle"),
    ),
    BadInput(
        "segment: folds of a bundle",
        segment("SHARED/ct.nii.gz", "--nnunet-folds", "0,1"),
        ("folds", "no model folder of nnU-Net"),
    ),
    BadInput(
        "segment: a fold that nnU-Net lacks",
        segment("SHARED/ct.nii.gz", "--nnunet-folds", "7", model=nnunet),
        ("fold 7", "there are: 0"),
    ),
    BadInput(
        "segment: nnU-Net that is not installed",
        segment(model=nnunet),
        ("pip install nnunetv2", "DEEPRADIOMICS_NNUNET"),
    ),
    BadInput(
        "segment: probability of nnU-Net",
        segment("SHARED/ct.nii.gz", "--probability", f"FOLDER/{OUTPUT}/p.nii.gz", model=nnunet),
        ("--probability", "mask alone", "Leave the option out"),
    ),
    BadInput(
        "segment: an unknown device",
        segment("SHARED/ct.nii.gz", "--device", "tpu"),
        ("device: expected one of auto, cpu, cuda, mps", "tpu"),
    ),
    BadInput(
        "segment: no model named",
        run("segment", "SHARED/ct.nii.gz", "-o", f"FOLDER/{OUTPUT}/m.nii.gz"),
        ("--segmenter",),
    ),
    BadInput("ich volume: no such mask", run("ich", "volume", "FOLDER/no.nii.gz"), ("no.nii.gz", "does not exist")),
    BadInput("ich volume: an empty mask", run("ich", "volume", a_mask("empty")), ("it is empty", "Draw a region")),
    BadInput(
        "ich volume: a label that is absent",
        run("ich", "volume", a_mask("label-7"), "--label", "1"),
        ("no voxel has label 1", "labels present: 7"),
    ),
    BadInput(
        "ich volume: a CT as mask",
        run("ich", "volume", "SHARED/ct.nii.gz"),
        ("Mask ct", "whole numbers", "grey-level image"),
    ),
    BadInput(
        "ich volume: label 0",
        run("ich", "volume", "SHARED/mask.nii.gz", "--label", "0"),
        ("no voxel has label 0", "labels present: 1"),
    ),
)


def _train(kind: str, manifest: object = None, *options: object, output: str = f"FOLDER/{OUTPUT}",
           preset: bool = True) -> Command:  # fmt: skip
    given = ["--preset", "tiny"] if preset else []
    manifest = manifest or a_manifest()
    return run("ich", f"train-{kind}", manifest, "-o", output, *given, "--cache", "SHARED/cache", *QUICK, *options)


def _two_splits(rows: material.Rows) -> None:
    """One man's scans in two splits."""
    for number, row in enumerate(rows):
        row["patient"], row["split"] = f"man{number // 2}", ("train", "validation", "test")[number % 3]


def _few(rows: material.Rows) -> None:
    del rows[2:]


def _both(what: str, says: tuple[str, ...], *words: object, **more: Any) -> tuple[BadInput, ...]:
    """The same mistake in both trainings."""
    return tuple(
        BadInput(f"ich train-{kind}: {what}", _train(kind, *words, **more), says)
        for kind in ("segmenter", "autoencoder")
    )


TRAINING: tuple[BadInput, ...] = (
    *_both("no such manifest", ("manifest", "no.csv", "does not exist"), "FOLDER/no.csv"),
    *_both("a folder as manifest", ("expected a file, this is a folder",), "SHARED/a"),
    *_both("a manifest without images", ("no image column",), a_manifest(material.without("image"))),
    *_both(
        "a manifest without masks",
        ("18 of 18 cases", "Case ball-s0-00", "column mask", "--missing drop"),
        a_manifest(material.without("mask")),
    ),
    *_both("an unknown column", ("unknown column 'mrs'", "value_<name>"), a_manifest(material.each(mrs="3"))),
    *_both(
        "a case without its mask",
        ("1 of 6 cases", "Case ball-s0-02", "column mask", "--missing drop"),
        a_manifest(material.one(2, mask=""), count=6),
    ),
    *_both("a picture among the CTs", ("Case ball-s0-02", "from 0 to 255 cannot be HU"), one_image("picture", count=6)),
    *_both("an empty mask", ("Case ball-s0-02", "empty"), one_image("empty", column="mask", count=6)),
    *_both(
        "a mask beside its CT",
        ("Case ball-s0-02", "lies inside the image"),
        one_image("shifted", column="mask", count=6),
    ),
    *_both("too few patients", ("2 train cases", "1 of 2", "Add patients"), a_manifest(_few)),
    *_both(
        "a patient in two splits",
        ("Column split", "patient man0", "ball-s0-00 in train", "ball-s0-01 in validation"),
        a_manifest(_two_splits),
    ),
    *_both("more folds than patients", ("2 to 18 folds", "got 40"), None, "--folds", "40"),
    *_both("one fold", ("--folds", "greater than or equal to 2"), None, "--folds", "1"),
    *_both("an unknown preset", ("--preset", "paper, tiny", "huge"), None, "--preset", "huge", preset=False),
    *_both("preset and configuration", ("--preset and --config", "give one"), None, "--config", a_file("c.json", "{}")),
    *_both(
        "a configuration that is no JSON",
        ("c.json", "not a readable JSON"),
        None,
        "--config",
        a_file("c.json", "{"),
        preset=False,
    ),
    *_both(
        "a setting that is not known",
        ("c.json", "setting 'width' is unknown"),
        None,
        "--config",
        a_file("c.json", '{"width": 3}'),
        preset=False,
    ),
    *_both(
        "a configuration of the experiment",
        ("config.json", "'inputs' is unknown"),
        None,
        "--config",
        a_config("experiment"),
        preset=False,
    ),
    *_both("no epoch", ("--epochs", "greater than or equal to 1"), None, "--epochs", "0"),
    *_both(
        "an unknown way with unusable cases", ("missing", "'refuse' or 'drop'", "ignore"), None, "--missing", "ignore"
    ),
    *_both("a negative seed", ("--seed", "greater than or equal to 0"), None, "--seed", "-1"),
    *_both("an unknown device", ("device: expected one of auto, cpu, cuda, mps", "tpu"), None, "--device", "tpu"),
    *_both("a file as output", ("few.yaml", "expected a folder, this is a file"), None, output="SHARED/few.yaml"),
    BadInput(
        "ich train-segmenter: three scales",
        _train("segmenter", None, "--scales", "three"),
        ("scales", "dual, single", "three"),
    ),
    BadInput(
        "ich train-segmenter: no such start",
        _train("segmenter", None, "--init", "nowhere"),
        ("--init nowhere", "does not exist"),
    ),
    BadInput(
        "ich train-segmenter: a start of another architecture",
        _train("segmenter", None, "--init", bundle_of("segmenter")),
        ("init", "widths is (2, 4, 4)", "wants (8, 16, 32, 64)"),
    ),
    BadInput(
        "ich train-segmenter: a lesion larger than the cube",
        _train(
            "segmenter",
            a_manifest(count=6),
            "--config",
            a_config("segmenter", recipe={"size_zyx": [32, 32, 32], "spacing_mm": 0.5}),
            preset=False,
        ),
        ("Case ball-s0-", "outside the cube of 16 x 16 x 16 mm", "larger than the crop", "size_zyx"),
    ),
    BadInput(
        "ich train-autoencoder: the configuration of a segmenter",
        _train("autoencoder", None, "--config", a_config("segmenter"), preset=False),
        ("config.json", "'scales' is unknown"),
    ),
)
