"""The bad inputs of ``phantom ich``, ``register``, ``ich expansion``, ``ich report`` and ``ich apply``."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from Testing.cli.bad.bad_input import OUTPUT, BadInput
from Testing.cli.ich import ich_material as material
from Testing.cli.ich.ich_words import (
    QUICK,
    Command,
    Given,
    a_ct,
    a_mask,
    blind,
    bundle_of,
    run,
    spelt,
)


def expansion(*options: object, first: object = "SHARED/ct.nii.gz", second: object = "SHARED/later.nii.gz",
               masks: Sequence[object] = ("SHARED/mask.nii.gz", "SHARED/later_mask.nii.gz")) -> Command:  # fmt: skip
    given = [word for name, file in zip(("--baseline-mask", "--followup-mask"), masks, strict=False)
             for word in (name, file)]  # fmt: skip
    return run("ich", "expansion", first, second, *given, "-o", f"FOLDER/{OUTPUT}", "--backend", "cpu", *options)


def _another_head(folder: Path) -> Path:
    """A body part that is no head of this patient: a small ball of bone."""
    from deepradiomics.images import Volume, write_volume

    volume, _ = material.head()
    far = np.linalg.norm(np.indices(volume.voxels.shape).T.T - np.array(volume.voxels.shape)[:, None, None, None] / 2,
                         axis=0)  # fmt: skip
    voxels = np.where(far < 8, 40.0, np.where(far < 11, 900.0, -1000.0)).astype(np.float32)
    return write_volume(Volume(voxels, volume.geometry), folder / "another.nii.gz")


def _cut_off(folder: Path) -> Path:
    """The upper half of the follow-up."""
    from deepradiomics.images import Geometry, Volume, read_volume, write_volume

    volume = read_volume(material.place() / "later.nii.gz")
    grid, start = volume.geometry, 22
    origin = tuple(grid.index_to_physical([0, 0, start]))
    half = Geometry((grid.size[0], grid.size[1], grid.size[2] - start), grid.spacing_mm, origin)  # type: ignore[arg-type]
    return write_volume(Volume(volume.voxels[start:], half), folder / "half.nii.gz")


def _empty_like_half(folder: Path) -> Path:
    from deepradiomics.images import Mask, read_volume, write_mask

    grid = read_volume(folder / "half.nii.gz").geometry
    return write_mask(Mask(np.zeros(grid.shape, np.uint8), grid), folder / "half-mask.nii.gz")


def _fake_case(*options: object, damage: Callable[[Path], None] | None = None) -> Command:
    def command(folder: Path, _: Path) -> Sequence[object]:
        from Testing.unit.reports.fake_ich import write_fake_case

        case, ct = write_fake_case(folder / "case", outcomes=("poor_outcome",), followup=False)
        if damage is not None:
            damage(case)
        return ["ich", "report", case, *[str(word).replace("CT", str(ct)) for word in spelt(folder, options)]]

    return command


def _fake_experiment(*options: object, damage: Callable[[Path], None] | None = None) -> Command:
    def command(folder: Path, _: Path) -> Sequence[object]:
        from Testing.unit.reports.fake_ich import write_fake_experiment

        found = write_fake_experiment(folder / "experiment", outcomes=("poor_outcome",), inputs=("shape", "radiomics"),
                                      classifiers=("extra-trees",), external=False, patients=20)  # fmt: skip
        if damage is not None:
            damage(found)
        return ["ich", "report", found, *spelt(folder, options)]

    return command


OTHERS: tuple[BadInput, ...] = (
    BadInput(
        "register: an unknown transform",
        run("register", "SHARED/ct.nii.gz", "SHARED/later.nii.gz", "-o", f"FOLDER/{OUTPUT}", "--transform", "similar"),
        ("--transform", "affine, rigid", "similar"),
    ),
    BadInput(
        "register: no such image",
        run("register", "SHARED/ct.nii.gz", "FOLDER/no.nii.gz", "-o", f"FOLDER/{OUTPUT}", "--transform", "rigid"),
        ("MOVING", "no.nii.gz", "does not exist"),
    ),
    BadInput(
        "register: a constant image, rigid",
        run("register", "SHARED/ct.nii.gz", a_ct("constant"), "-o", f"FOLDER/{OUTPUT}", "--transform", "rigid"),
        ("moving image constant is constant",),
    ),
    BadInput(
        "register: an image with NaN, rigid",
        run("register", "SHARED/ct.nii.gz", a_ct("nan"), "-o", f"FOLDER/{OUTPUT}", "--transform", "rigid"),
        ("moving image nan", "NaN"),
    ),
    BadInput(
        "phantom ich: no case",
        run("phantom", "ich", "-o", f"FOLDER/{OUTPUT}", "-n", "0"),
        ("--cases", "greater than or equal to 1"),
    ),
    BadInput(
        "phantom ich: an unknown size",
        run("phantom", "ich", "-o", f"FOLDER/{OUTPUT}", "--size", "huge"),
        ("--size", "huge", "small"),
    ),
    BadInput(
        "phantom ich: a negative seed", run("phantom", "ich", "-o", f"FOLDER/{OUTPUT}", "--seed", "-3"), ("--seed",)
    ),
    BadInput(
        "phantom ich: no such head",
        run("phantom", "ich", "-o", f"FOLDER/{OUTPUT}", "--head", "no.nii.gz"),
        ("--head", "no.nii.gz", "does not exist"),
    ),
    BadInput(
        "phantom ich: a picture as head",
        run("phantom", "ich", "-o", f"FOLDER/{OUTPUT}", "--head", a_ct("picture")),
        ("--head", "picture.nii.gz", "cannot be HU"),
    ),
    BadInput(
        "phantom ich: a head without brain",
        run("phantom", "ich", "-o", f"FOLDER/{OUTPUT}", "--head", _another_head),
        ("no brain was found", "400 mL"),
    ),
    BadInput(
        "phantom ich: a file as output",
        run("phantom", "ich", "-o", "SHARED/few.yaml", "-n", "1"),
        ("few.yaml", "this is a file"),
    ),
    BadInput(
        "phantom ich: an output that cannot be written",
        run("phantom", "ich", "-o", "/proc/none", "-n", "1"),
        ("/proc cannot be written to",),
    ),
    BadInput(
        "ich expansion: no such follow-up",
        expansion(second="FOLDER/no.nii.gz"),
        ("FOLLOWUP", "no.nii.gz", "does not exist"),
    ),
    BadInput("ich expansion: no masks", expansion(masks=()), ("--baseline-mask is missing", "--segmenter")),
    BadInput(
        "ich expansion: one mask",
        expansion(masks=("SHARED/mask.nii.gz",)),
        ("--followup-mask is missing", "--segmenter"),
    ),
    BadInput("ich expansion: the same scan twice", expansion(second="SHARED/ct.nii.gz"), ("the same image", "two CTs")),
    BadInput("ich expansion: a picture as follow-up", expansion(second=a_ct("picture")), ("picture", "cannot be HU")),
    BadInput(
        "ich expansion: an empty baseline",
        expansion(masks=(a_mask("empty"), "SHARED/later_mask.nii.gz")),
        ("mask of the baseline is empty",),
    ),
    BadInput(
        "ich expansion: a mask of another scan",
        expansion(masks=(a_mask("shifted"), "SHARED/later_mask.nii.gz")),
        ("--baseline-mask: ", "none of its", "lies inside the image"),
    ),
    BadInput(
        "ich expansion: a label that is absent",
        expansion("--label", "4"),
        ("no voxel has label 4", "labels present: 1"),
    ),
    BadInput(
        "ich expansion: an unknown backend", expansion("--backend", "tpu"), ("--backend", "auto, cpu, gpu", "tpu")
    ),
    BadInput("ich expansion: an unknown device", expansion("--device", "tpu"), ("device: expected one of", "tpu")),
    BadInput(
        "ich expansion: another patient",
        expansion(second=_another_head),
        ("could not be laid onto the baseline", "same patient"),
    ),
    BadInput(
        "ich expansion: a follow-up of another field of view",
        expansion(second=_cut_off, masks=("SHARED/mask.nii.gz", _empty_like_half)),
        ("does not show", "another field of view"),
    ),
    BadInput(
        "ich expansion: no such model",
        expansion("--segmenter", "FOLDER/nowhere", masks=()),
        ("--segmenter", "nowhere", "does not exist"),
    ),
    BadInput(
        "ich expansion: an autoencoder as model",
        expansion("--segmenter", bundle_of("autoencoder"), masks=()),
        ("'ich-segmenter'", "'ich-autoencoder'"),
    ),
    BadInput("ich expansion: flips without a model", expansion("--flips"), ("--flips", "nothing is segmented")),
    BadInput(
        "ich expansion: both masks and a model",
        expansion("--segmenter", "FOLDER/nowhere"),
        ("--segmenter", "nothing is segmented"),
    ),
    BadInput("ich expansion: a file as output", expansion("-o", "SHARED/few.yaml"), ("few.yaml", "this is a file")),
    BadInput("ich report: no such folder", run("ich", "report", "FOLDER/nowhere"), ("nowhere", "does not exist")),
    BadInput(
        "ich report: another folder", run("ich", "report", "SHARED/a"), ("experiment.json", "ich.json", "neither")
    ),
    BadInput("ich report: a patient without his CT", _fake_case(), ("do not hold the CT", "--ct")),
    BadInput("ich report: no such CT", _fake_case("--ct", "FOLDER/no.nii.gz"), ("no.nii.gz", "does not exist")),
    BadInput(
        "ich report: another patient's CT",
        _fake_case("--ct", "SHARED/ct.nii.gz"),
        ("not on the grid of segmentation.nii.gz", "size (40, 40, 32)"),
    ),
    BadInput(
        "ich report: an experiment and a CT", _fake_experiment("--ct", "SHARED/ct.nii.gz"), ("--ct", "Leave --ct out")
    ),
    BadInput(
        "ich report: a table that is gone",
        _fake_experiment(damage=lambda found: (found / "tables" / "cells.csv").unlink()),
        ("cells.csv", "missing", "again"),
    ),
    BadInput(
        "ich report: a table that was cut",
        _fake_experiment(damage=lambda found: (found / "tables" / "cells.csv").write_text("outcome,input\na,b\n")),
        ("cells.csv", "no column 'classifier'", "again"),
    ),
    BadInput(
        "ich report: a table with a row that was cut",
        _fake_experiment(damage=lambda found: (found / "tables" / "cells.csv").write_text("outcome,input\na\n")),
        ("cells.csv", "line 2", "expected 2 cells, got 1"),
    ),
    BadInput(
        "ich report: a record that is no JSON",
        _fake_experiment(damage=lambda found: (found / "experiment.json").write_text("{")),
        ("experiment.json", "not a readable JSON"),
    ),
    BadInput(
        "ich report: a segmentation that is gone",
        _fake_case("--ct", "CT", damage=lambda case: (case / "segmentation.nii.gz").unlink()),
        ("segmentation.nii.gz", "is missing"),
    ),
)


def apply(*options: object, ct: object = "SHARED/ct.nii.gz", bundle: object = None, mask: object = "SHARED/mask.nii.gz",
           output: object = f"FOLDER/{OUTPUT}") -> Command:  # fmt: skip
    """``ich apply`` of outcome models on shape."""
    bundle = bundle or (lambda _: material.bundle_without_networks())
    masked = [] if mask is None else ["--mask", mask]
    return run("ich", "apply", bundle, ct, *masked, "-o", output, "--no-scene", *QUICK, *options)


def with_covariates(_: Path) -> Path:
    return material.bundle_with_covariates()


def _changed(damage: Callable[[Path], object]) -> Given:
    """A copy of the whole bundle that is damaged."""

    def make(folder: Path) -> Path:
        copy = Path(shutil.copytree(material.bundle(), folder / "changed"))
        damage(copy)
        return copy

    return make


def _other_network(name: str) -> Callable[[Path], None]:
    def replace(bundle: Path) -> None:
        from Testing.unit.ich.tiny_predictor import tiny_autoencoder, tiny_segmenter

        shutil.rmtree(bundle / name)
        {"encoder": tiny_segmenter, "autoencoder": tiny_autoencoder}[name](bundle / name, seed=9)

    return replace


def _cut_weights(bundle: Path) -> None:
    file = bundle / "predictor" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-50])


FOLLOWED = ("--followup", "SHARED/later.nii.gz")

PATIENT: tuple[BadInput, ...] = (
    BadInput(
        "ich apply: no such bundle",
        apply(bundle="FOLDER/nowhere"),
        ("bundle", "nowhere", "does not exist", "experiment"),
    ),
    BadInput(
        "ich apply: the experiment's folder",
        apply(bundle="SHARED/a"),
        ("folder predictor/", "Name the folder 'bundle'"),
    ),
    BadInput(
        "ich apply: a segmenter as bundle",
        apply(bundle=bundle_of("segmenter")),
        ("found a bundle of kind 'ich-segmenter'", "Name the folder 'bundle'"),
    ),
    BadInput(
        "ich apply: a bundle cut short",
        apply(bundle=_changed(_cut_weights)),
        ("model.safetensors", "copy the whole bundle"),
    ),
    BadInput(
        "ich apply: another segmenter in the bundle",
        apply(bundle=_changed(_other_network("encoder"))),
        ("not the encoder that the predictor was fitted with", "restore the network"),
    ),
    BadInput(
        "ich apply: another autoencoder in the bundle",
        apply(bundle=_changed(_other_network("autoencoder"))),
        ("not the autoencoder that the predictor was fitted with", "restore the network"),
    ),
    BadInput(
        "ich apply: a network gone from the bundle",
        apply(bundle=_changed(lambda bundle: shutil.rmtree(bundle / "autoencoder"))),
        ("autoencoder", "missing", "Copy the whole bundle"),
    ),
    BadInput("ich apply: no such CT", apply(ct="FOLDER/no.nii.gz"), ("CT", "no.nii.gz", "does not exist")),
    BadInput("ich apply: a picture as CT", apply(ct=a_ct("picture")), ("Case picture", "from 0 to 255 cannot be HU")),
    BadInput("ich apply: a CT with NaN", apply(ct=a_ct("nan")), ("Case nan", "NaN")),
    BadInput("ich apply: no such mask", apply(mask="FOLDER/no.nii.gz"), ("--mask", "no.nii.gz", "does not exist")),
    BadInput(
        "ich apply: an empty mask",
        apply(mask=a_mask("empty")),
        ("Case deepradiomics-ich-", "mask of the haematoma is empty", "let the model segment"),
    ),
    BadInput("ich apply: a CT as mask", apply(mask="SHARED/ct.nii.gz"), ("Mask ct", "grey-level image")),
    BadInput("ich apply: a label that is absent", apply("--label", "4"), ("no voxel has label 4", "labels present: 1")),
    BadInput(
        "ich apply: several labels", apply(mask=a_mask("labels")), ("it has 2 labels: 1, 2", "Say which is meant")
    ),
    BadInput(
        "ich apply: a mask of another scan",
        apply(mask=a_mask("shifted")),
        ("--mask: ", "none of its", "lies inside the image"),
    ),
    BadInput(
        "ich apply: a haematoma between the voxels", apply(mask=a_mask("grains")), ("between the voxels of the CT",)
    ),
    BadInput("ich apply: no mask and no network", apply(mask=None), ("no segmentation network", "mask")),
    BadInput(
        "ich apply: a network that finds nothing",
        apply("--segmenter", blind, mask=None),
        ("found no haematoma", "give the mask"),
    ),
    BadInput("ich apply: mask and model", apply("--segmenter", "FOLDER"), ("--mask and --segmenter", "leave out one")),
    BadInput(
        "ich apply: an autoencoder as model",
        apply("--segmenter", bundle_of("autoencoder"), mask=None),
        ("'ich-segmenter'", "'ich-autoencoder'"),
    ),
    BadInput(
        "ich apply: an unknown way with several lesions",
        apply("--lesions", "some"),
        ("lesions", "all, largest, each", "some"),
    ),
    BadInput("ich apply: a covariate without a value", apply("--clinical", "age"), ("--clinical age", "NAME=VALUE")),
    BadInput(
        "ich apply: a covariate in words",
        apply("--clinical", "age=old", bundle=with_covariates),
        ("covariate age", "a number", "'old'"),
    ),
    BadInput(
        "ich apply: an unknown covariate",
        apply("--clinical", "nihss=3", bundle=with_covariates),
        ("'nihss'", "takes age, sex"),
    ),
    BadInput(
        "ich apply: a sex that is neither",
        apply("--clinical", "sex=X", bundle=with_covariates),
        ("covariate sex", "M or F", "'X'"),
    ),
    BadInput(
        "ich apply: a covariate that the bundle does not take", apply("--clinical", "age=70"), ("'age'", "takes none")
    ),
    BadInput(
        "ich apply: no such follow-up",
        apply("--followup", "FOLDER/no.nii.gz"),
        ("--followup", "no.nii.gz", "does not exist"),
    ),
    BadInput(
        "ich apply: the same scan as follow-up",
        apply("--followup", "SHARED/ct.nii.gz", "--followup-mask", "SHARED/mask.nii.gz"),
        ("the same image",),
    ),
    BadInput(
        "ich apply: a follow-up mask without follow-up",
        apply("--followup-mask", "SHARED/mask.nii.gz"),
        ("--followup-mask", "--followup"),
    ),
    BadInput("ich apply: a follow-up without its mask", apply(*FOLLOWED), ("followup_mask", "no segmentation network")),
    BadInput(
        "ich apply: a picture as follow-up",
        apply("--followup", a_ct("picture"), "--followup-mask", "SHARED/later_mask.nii.gz"),
        ("follow-up", "from 0 to 255 cannot be HU"),
    ),
    BadInput("ich apply: no thread", apply("--threads", "0"), ("--threads",)),
    BadInput("ich apply: an unknown device", apply("--device", "tpu"), ("device: expected one of", "tpu")),
    BadInput("ich apply: a file as output", apply(output="SHARED/few.yaml"), ("few.yaml", "this is a file")),
    BadInput(
        "ich apply: an output that cannot be written", apply(output="/proc/none"), ("/proc cannot be written to",)
    ),
    BadInput("ich apply: no space on the disk", apply(), ("no space",), disk_full=True),
)
