"""The bad inputs of ``ich features`` and ``ich experiment``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from Testing.cli.bad.bad_input import OUTPUT, BadInput
from Testing.cli.ich import ich_material as material
from Testing.cli.ich.ich_words import (
    QUICK,
    Command,
    Given,
    a_config,
    a_file,
    a_manifest,
    bundle_knowing,
    bundle_of,
    damaged,
    nnunet,
    one_image,
    run,
)


def features(manifest: object = None, *options: object) -> Command:
    return run("ich", "features", manifest or a_manifest(count=3), "-o", f"FOLDER/{OUTPUT}", "--params",
                "SHARED/few.yaml", "--cache", "SHARED/cache", *QUICK, *options)  # fmt: skip


def experiment(manifest: object = None, *options: object) -> Command:
    shared = ("--params", "SHARED/few.yaml", "--cache", "SHARED/cache")
    output = f"FOLDER/{OUTPUT}"
    return run(
        "ich", "experiment", manifest or a_manifest(), "-o", output, "--preset", "tiny", "--folds", "2", *shared,
        *QUICK, *options,
    )  # fmt: skip


def external(change: Callable[[material.Rows], None] | None = None, cohort: str = "b") -> tuple[object, Given]:
    return "--external", a_manifest(change, cohort=cohort, name="external.csv")


def _all_pictures(folder: Path) -> Path:
    picture = str(material.ct(folder, "picture"))
    return material.manifest(folder, material.each(image=picture), count=3)


def _same_scan(rows: material.Rows) -> None:
    """One scan under two patients."""
    rows[5]["image"] = rows[4]["image"]


def _outcomes(high: int) -> Callable[[material.Rows], None]:
    """So many patients with a poor outcome."""

    def change(rows: material.Rows) -> None:
        for number, row in enumerate(rows):
            row["value_mrs"] = "5" if number < high else "1"

    return change


def three(kind: str, column: str = "image") -> Given:
    """Three patients, one with a wrong CT or mask."""
    return one_image(kind, column=column, count=3)


def _networks_of_two_sizes(folder: Path) -> Path:
    from Testing.unit.ich.tiny_predictor import tiny_segmenter

    other = tiny_segmenter(folder / "other")
    own = material.network("segmenter")
    return material.manifest(
        folder,
        lambda rows: [row.update(encoder=str(other if n else own)) for n, row in enumerate(rows)] and None,
        count=3,
    )


def _owned(folder: Path) -> Path:
    """An output folder in which another experiment lives."""
    from deepradiomics.training.run_folder import RunFolder

    RunFolder(folder / "there", {"kind": "ich-experiment", "seed": 99})
    return folder / "there"


COHORT: tuple[BadInput, ...] = (
    BadInput("ich features: no such manifest", features("FOLDER/no.csv"), ("no.csv", "does not exist")),
    BadInput(
        "ich features: semicolons", features(a_file("m.csv", "id;image;mask\na;b;c\n")), ("commas, not semicolons",)
    ),
    BadInput(
        "ich features: a manifest without image",
        features(a_manifest(material.without("image"), count=3)),
        ("no image column",),
    ),
    BadInput(
        "ich features: a file that is not there",
        features(a_manifest(material.one(1, image="gone.nii.gz"))),
        ("case ball-s0-01, column image", "gone.nii.gz"),
    ),
    BadInput(
        "ich features: an unknown column",
        features(a_manifest(material.each(encodr="x"), count=3)),
        ("'encodr'", "did you mean 'encoder'"),
    ),
    BadInput(
        "ich features: nobody is in HU",
        features(_all_pictures),
        ("none of its 3 patients", "Case ball-s0-00", "cannot be HU"),
    ),
    BadInput(
        "ich features: no mask and no network",
        features(a_manifest(material.each(mask=""), count=3)),
        ("Case ball-s0-00, column mask", "empty", "--encoder"),
    ),
    BadInput(
        "ich features: a label that nobody has",
        features(None, "--label", "5"),
        ("Case ball-s0-00", "no voxel has label 5", "labels present: 1"),
    ),
    BadInput(
        "ich features: an unknown way with several lesions",
        features(None, "--lesions", "some"),
        ("lesions", "all, largest, each", "some"),
    ),
    BadInput(
        "ich features: unknown radiomics",
        features(None, "--params", "ich-1689"),
        ("ich-1689", "Did you mean ich-1688"),
    ),
    BadInput("ich features: bins of no width", features(None, "--bin-width-hu", "0"), ("--bin-width-hu", "0.01")),
    BadInput(
        "ich features: an autoencoder as encoder",
        features(None, "--encoder", bundle_of("autoencoder")),
        ("encoder", "'ich-segmenter'", "Were they exchanged?"),
    ),
    BadInput(
        "ich features: an encoder as autoencoder",
        features(None, "--autoencoder", bundle_of("segmenter")),
        ("autoencoder", "'ich-autoencoder'", "Were they exchanged?"),
    ),
    BadInput("ich features: no such encoder", features(None, "--encoder", "FOLDER/nowhere"), ("--encoder", "nowhere")),
    BadInput(
        "ich features: a changed encoder",
        features(None, "--encoder", damaged("segmenter")),
        ("model.safetensors", "damaged or exchanged"),
    ),
    BadInput(
        "ich features: nnU-Net as encoder",
        features(None, "--encoder", nnunet),
        ("encoder", "nnU-Net", "no latent features", "ich train-segmenter"),
    ),
    BadInput(
        "ich features: an encoder for some patients only",
        features(
            lambda folder: material.manifest(
                folder, material.one(1, encoder=str(material.network("segmenter"))), count=3
            )
        ),
        ("column encoder", "ball-s0-00, ball-s0-02 (2 of 3)", "--encoder"),
    ),
    BadInput(
        "ich features: networks of two sizes", features(_networks_of_two_sizes), ("different lengths", "one size")
    ),
    BadInput("ich features: no workers", features(None, "--workers", "0"), ("--workers",)),
    BadInput(
        "ich features: an unknown device",
        features(None, "--encoder", bundle_of("segmenter"), "--device", "tpu"),
        ("device: expected one of", "tpu"),
    ),
    BadInput(
        "ich features: a cache that is a file",
        features(None, "--cache", "SHARED/few.yaml"),
        ("cache", "few.yaml", "expected a folder, this is a file"),
    ),
    BadInput(
        "ich features: an output that cannot be written",
        features(None, "-o", "/proc/none"),
        ("/proc cannot be written to",),
    ),
    BadInput(
        "ich experiment: a row of a wrong length",
        experiment(a_file("m.csv", "id,image,mask\na,b\n")),
        ("line 2", "expected 3 cells, got 2"),
    ),
    BadInput(
        "ich experiment: an id twice",
        experiment(a_manifest(material.one(1, id="ball-s0-00"))),
        ("ball-s0-00 more than once",),
    ),
    BadInput(
        "ich experiment: an unknown input",
        experiment(None, "--inputs", "radiomic"),
        ("inputs", "radiomics+latents", "'radiomic'"),
    ),
    BadInput(
        "ich experiment: an input twice", experiment(None, "--inputs", "shape,shape"), ("inputs", "twice", "shape")
    ),
    BadInput(
        "ich experiment: an unknown classifier",
        experiment(None, "--classifiers", "forest"),
        ("classifiers", "extra-trees", "'forest'"),
    ),
    BadInput("ich experiment: no classifier", experiment(None, "--classifiers", ","), ("classifiers", "at least one")),
    BadInput(
        "ich experiment: an unknown outcome",
        experiment(None, "--outcomes", "death"),
        ("'death'", "label_death", "poor_outcome"),
    ),
    BadInput(
        "ich experiment: no outcome",
        experiment(a_manifest(material.without("value_mrs", "value_expansion_ml"))),
        ("none of the outcomes", "value_mrs and value_expansion_ml"),
    ),
    BadInput(
        "ich experiment: mRS 7",
        experiment(a_manifest(material.one(3, value_mrs="7"))),
        ("Case ball-s0-03", "value_mrs", "0 to 6", "got 7"),
    ),
    BadInput(
        "ich experiment: expansion in words",
        experiment(a_manifest(material.one(3, value_expansion_ml="none"))),
        ("Case ball-s0-03", "value_expansion_ml", "'none'"),
    ),
    BadInput(
        "ich experiment: a label of 2",
        experiment(a_manifest(material.each(label_poor_outcome="2"))),
        ("Case ball-s0-00", "label_poor_outcome", "0 or 1, got 2"),
    ),
    BadInput(
        "ich experiment: a sex that is neither",
        experiment(a_manifest(material.one(3, sex="X"))),
        ("Case ball-s0-03", "column sex", "'X'"),
    ),
    BadInput(
        "ich experiment: a covariate that is not there",
        experiment(None, "--covariates", "nihss"),
        ("value_nihss", "it has: value_mrs"),
    ),
    BadInput(
        "ich experiment: the outcome as covariate",
        experiment(None, "--covariates", "mrs"),
        ("'mrs' is what is to be predicted",),
    ),
    BadInput(
        "ich experiment: a covariate that is empty",
        experiment(a_manifest(material.each(value_age="")), "--covariates", "age"),
        ("'age' is empty", "--covariates"),
    ),
    BadInput(
        "ich experiment: sex that is empty",
        experiment(a_manifest(material.each(sex="")), "--covariates", "sex"),
        ("sex", "--covariates"),
    ),
    BadInput(
        "ich experiment: one class",
        experiment(a_manifest(_outcomes(0)), "--outcomes", "poor_outcome"),
        ("Outcome poor_outcome", "18 patients, of class 0 only", "--outcomes"),
    ),
    BadInput(
        "ich experiment: one class in a fold",
        experiment(a_manifest(_outcomes(2)), "--outcomes", "poor_outcome", "--folds", "3"),
        ("Outcome poor_outcome", "2 patients with it", "3 folds", "--folds"),
    ),
    BadInput("ich experiment: more folds than patients", experiment(None, "--folds", "30"), ("30 folds", "--folds")),
    BadInput(
        "ich experiment: nobody has the outcome",
        experiment(a_manifest(material.each(value_mrs="")), "--outcomes", "poor_outcome"),
        ("Outcome poor_outcome", "no patient has it"),
    ),
    BadInput(
        "ich experiment: each lesion",
        experiment(None, "--lesions", "each"),
        ("lesions", "several rows", "ich features --lesions each"),
    ),
    BadInput(
        "ich experiment: an unknown search", experiment(None, "--search", "grid"), ("search", "fixed, nested", "grid")
    ),
    BadInput(
        "ich experiment: an unknown preset", experiment(None, "--preset", "huge"), ("--preset", "paper, tiny", "huge")
    ),
    BadInput(
        "ich experiment: preset and configuration",
        experiment(None, "--config", a_config("experiment")),
        ("--preset and --config",),
    ),
    BadInput(
        "ich experiment: a configuration of a training",
        run("ich", "experiment", a_manifest(), "-o", f"FOLDER/{OUTPUT}", "--config", a_config("segmenter")),
        ("config.json", "'scales' is unknown"),
    ),
    BadInput(
        "ich experiment: a setting of a wrong kind",
        run("ich", "experiment", a_manifest(), "-o", f"FOLDER/{OUTPUT}", "--config", a_config("experiment", folds="x")),
        ("config.json", "folds", "whole number", "'x'"),
    ),
    BadInput(
        "ich experiment: latents without a network",
        experiment(None, "--inputs", "latents"),
        ("inputs: 'latents'", "no encoder", "--encoder"),
    ),
    BadInput(
        "ich experiment: an encoder that has seen the patients",
        experiment(None, "--encoder", bundle_knowing("segmenter")),
        (
            "would leak",
            "segmentation network 'knowing-segmenter'",
            "ball-s0-00",
            "18 in all",
            "--folds 5",
            "--allow-leakage",
        ),
    ),
    BadInput(
        "ich experiment: an autoencoder that has seen the patients",
        experiment(None, "--autoencoder", bundle_knowing("autoencoder")),
        ("would leak", "VAE-GAN 'knowing-autoencoder'", "ball-s0-00", "--allow-leakage"),
    ),
    BadInput(
        "ich experiment: one scan under two patients",
        experiment(a_manifest(_same_scan), "--inputs", "shape"),
        ("would leak", "ball-s0-04 and ball-s0-05", "different patients"),
    ),
    BadInput(
        "ich experiment: no such external cohort",
        experiment(None, "--external", "FOLDER/no.csv"),
        ("--external", "no.csv", "does not exist"),
    ),
    BadInput(
        "ich experiment: the training cohort as external",
        experiment(None, *external(cohort="a")),
        ("would leak", "ball-s0-00", "18 in all", "leave those rows out"),
    ),
    BadInput(
        "ich experiment: an external scan under a new name",
        experiment(
            None,
            *external(
                lambda rows: rows[0].update(image=material.rows("a")[0]["image"], mask=material.rows("a")[0]["mask"])
            ),
            "--inputs",
            "shape",
        ),
        ("would leak", "same scan", "ball-s1-00 is ball-s0-00"),
    ),
    BadInput(
        "ich experiment: an external cohort with an unknown column",
        experiment(None, *external(material.each(mRS="2"))),
        ("external.csv", "unknown column 'mRS'"),
    ),
    BadInput(
        "ich experiment: an external cohort without outcomes",
        experiment(None, *external(material.without("value_mrs", "value_expansion_ml"))),
        ("external.csv", "none of the outcomes", "value_mrs"),
    ),
    BadInput(
        "ich experiment: an external cohort without the covariate",
        experiment(None, *external(material.without("value_age")), "--covariates", "age"),
        ("external.csv", "value_age"),
    ),
    BadInput(
        "ich experiment: an external cohort without a network",
        experiment(
            lambda folder: material.manifest(folder, material.each(encoder=str(material.network("segmenter")))),
            *external(),
            "--inputs",
            "encoder",
        ),
        ("external.csv", "no encoder", "--encoder"),
    ),
    BadInput(
        "ich experiment: an external cohort with an outcome in another unit",
        experiment(None, *external(material.each(value_mrs="60"))),
        ("Case ball-s1-00", "value_mrs", "got 60"),
    ),
    BadInput("ich experiment: another experiment in the folder", experiment(None, "-o", _owned), ("there", "another")),
    BadInput(
        "ich experiment: a cluster that does not answer",
        experiment(None, "--cluster", "nonsense"),
        ("Dask scheduler nonsense", "does not answer"),
    ),
    BadInput(
        "ich experiment: an output that cannot be written",
        experiment(None, "-o", "/proc/none"),
        ("/proc cannot be written to",),
    ),
    BadInput("ich experiment: no space on the disk", experiment(), ("no space",), disk_full=True),
)
