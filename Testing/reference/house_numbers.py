"""SYNTHETIC: the numbers that rebuilding the house must not change, computed with today's code.

    GROUPS["features"](folder)  ─►  {"preset lens": {"original_glcm_Contrast": 12.3, …}, "maps 1": {…: array}, …}

This file is the only one that knows where things are: when code moves or its arguments change, its imports and calls
change with it, and ``frozen/house.json`` stays. Where the code gives a thing another name, ``house_rows.AS_BEFORE``
gives it back the name that it had at the frozen commit.

Left out, because the issue changes them by intent or they differ from run to run: sentences, times, paths, versions,
and the DeLong interval of a single AUC (on the logit scale since).
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from deepradiomics.cohort import read_manifest
from deepradiomics.images import VIEWS, Geometry, Volume, read_mask, read_volume, write_volume
from deepradiomics.phantoms import ich_exam, knee_exam, prostate_exam
from deepradiomics.prepare import (
    Recipe,
    StackRecipe,
    normalise,
    prepare_exam,
    prepare_stack,
    reformat,
    register,
    resample,
    resample_mask,
)
from deepradiomics.prepare.head.head import HeadRecipe, prepare_head
from deepradiomics.radiomics import extract, extract_labels
from deepradiomics.radiomics.catalogue.ibsi import AGGREGATIONS, FAMILIES
from deepradiomics.radiomics.maps import feature_maps
from deepradiomics.radiomics.settings.parameters import PRESETS
from Testing.reference.house_rows import Entry, rows_of, scores, table, weights
from Testing.reference.parity.parity_cases import patch_pair, random_pair, random_params, real_pair
from Testing.reference.parity.parity_matrix import EVERY_TYPE

# ------------------------------------------------------------------------------------------------- features


def features(folder: Path) -> dict[str, Entry]:
    """The parity table's cases in small: random images and settings, presets, filters, 2D, maps, IBSI, many labels."""
    numbers: dict[str, Entry] = {}
    for seed in range(8):
        image, mask = random_pair(seed)
        numbers[f"random {seed}"] = _extracted(image, mask, random_params(seed))
    image, mask = textured_pair()
    for preset in PRESETS:
        numbers[f"preset {preset}"] = _extracted(image, mask, preset)
    for name, setting in SETTINGS.items():
        numbers[f"setting {name}"] = _extracted(image, mask, {"setting": setting})
    numbers["filters"] = _extracted(image, mask, {"imageType": EVERY_TYPE})
    numbers["filters, force2D"] = _extracted(image, mask, {"imageType": EVERY_TYPE, "setting": {"force2D": True}})
    numbers["shape2D"] = _extracted(*flat_pair(), {"featureClass": {"shape2D": None}, "setting": {"force2D": True}})
    for name, params in IBSI.items():
        numbers[f"IBSI {name}"] = _extracted(image, mask, params)
    params = {"setting": {"binWidth": 20}}
    labels = extract_labels(image, _octants(mask), params, labels="all", device="cpu", threads=1)
    numbers["eight labels"] = {f"{label}/{key}": v for label, row in sorted(labels.items()) for key, v in row.items()}
    small = _crop(image, 9), _crop(mask, 9)
    for name, options in MAPS.items():
        maps = feature_maps(*small, params=options, device="cpu", threads=1)
        numbers[f"maps {name}"] = {key: sitk.GetArrayFromImage(picture) for key, picture in maps.items()}
    return numbers


SETTINGS: dict[str, dict[str, Any]] = {
    "resampled": {"resampledPixelSpacing": [1.5, 1.5, 1.5], "interpolator": "sitkBSpline"},
    "resampled in plane, linear": {"resampledPixelSpacing": [1.2, 1.2, 0], "interpolator": "sitkLinear"},
    "normalised": {"normalize": True, "normalizeScale": 100, "removeOutliers": 3, "binWidth": 10},
    "re-segmented": {"resegmentRange": [-2, 1], "resegmentMode": "sigma", "resegmentShape": True},
    "weighted": {"weightingNorm": "euclidean", "distances": [1, 2], "symmetricalGLCM": False, "gldm_a": 1},
    "force2D": {"force2D": True, "force2Ddimension": 1, "binCount": 16},
    "cropped": {"preCrop": True, "padDistance": 3, "binCount": 32, "voxelArrayShift": 500},
}
IBSI: dict[str, dict[str, Any]] = {
    "all aggregations": {
        "featureClass": dict.fromkeys(FAMILIES),
        "setting": {"standard": "ibsi", "binWidth": 25, "aggregation": list(AGGREGATIONS)},
    },
    "resampled, bin count": {
        "featureClass": dict.fromkeys(FAMILIES),
        "setting": {"standard": "ibsi", "binCount": 32, "resampledPixelSpacing": [2, 2, 2],
                    "interpolator": "sitkLinear", "roundIntensities": True, "resegmentRange": [20, 300]},
    },
}  # fmt: skip
MAPS: dict[str, dict[str, Any]] = {
    "default": {"setting": {"binWidth": 25}},
    "radius 2, force2D": {"setting": {"force2D": True, "binCount": 8}, "voxelSetting": {"kernelRadius": 2}},
    "whole windows": {"setting": {"binWidth": 20}, "voxelSetting": {"maskedKernel": False, "initValue": -1.5}},
}


def real_images(folder: Path) -> dict[str, Entry]:
    """Two configurations of a real image and its patches; needs the folder of test data (KeyError without it)."""
    data = Path(os.environ["DEEPRADIOMICS_TEST_DATA"])
    brain = real_pair(data, "brain1")
    patches = patch_pair(data)
    return {
        "brain1": _extracted(*brain, {}),
        "brain1, ich-1688": _extracted(*brain, "ich-1688"),
        "brain1, resampled": _extracted(*brain, {"setting": {"resampledPixelSpacing": [2, 2, 2], "binWidth": 12}}),
        **{f"patch {j}": _extracted(*patches, {"setting": {"label": j}}) for j in (1, 8)},
    }


def textured_pair() -> tuple[sitk.Image, sitk.Image]:
    """A rough egg of 24 × 22 × 18 voxels on a tilted, anisotropic grid, and its mask."""
    rng = np.random.default_rng(13)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (18, 22, 24)), indexing="ij")
    waves = 30 * np.sin(7 * x + 3 * y) + 20 * np.cos(5 * z - 4 * y)
    voxels = 150 + waves + rng.normal(0, 15, x.shape) * (1 + x)
    labels = (x**2 + 1.3 * y**2 + 0.9 * z**2 + 0.1 * np.sin(9 * x * y) < 0.6).astype(np.uint8)
    image, mask = sitk.GetImageFromArray(voxels.astype(np.float32)), sitk.GetImageFromArray(labels)
    c, s = np.cos(0.2), np.sin(0.2)
    for picture in (image, mask):
        picture.SetSpacing((1.1, 0.9, 2.0))
        picture.SetDirection((c, -s, 0, s, c, 0, 0, 0, 1))
    return image, mask


def flat_pair() -> tuple[sitk.Image, sitk.Image]:
    """One slice of :func:`textured_pair`."""
    return tuple(picture[:, :, 9:10] for picture in textured_pair())  # type: ignore[return-value]


def _octants(mask: sitk.Image) -> sitk.Image:
    labels = sitk.GetArrayFromImage(mask).astype(np.int32)
    halves = zip(np.indices(labels.shape), labels.shape, strict=True)
    parts = sum((index >= n // 2) * 2**k for k, (index, n) in enumerate(halves))
    octants = sitk.GetImageFromArray((labels * (1 + parts)).astype(np.int32))
    octants.CopyInformation(mask)
    return octants


def _crop(picture: sitk.Image, size: int) -> sitk.Image:
    start = [(n - size) // 2 for n in picture.GetSize()]
    return picture[tuple(slice(a, a + size) for a in start)]


def _extracted(image: sitk.Image, mask: sitk.Image, params: Any) -> Entry:
    return dict(extract(image, mask, params, device="cpu", threads=1))


# ------------------------------------------------------------------------------------------------- images


def images(folder: Path) -> dict[str, Entry]:
    """Phantoms; their resampling, registration (both backends) and preparation for each of the three methods."""
    knee, prostate, head = knee_exam(1, [("acl", "A")]).case, prostate_exam(1, 2), ich_exam(3, followup=False)
    exam = prepare_exam(knee, Recipe(registration="off", resized_shape=(16, 48, 48)))
    stack_recipe = StackRecipe(modalities=tuple(prostate.views), size_zyx=(16, 32, 32), spacing_mm=(3.0, 2.0, 2.0))
    stack = prepare_stack(prostate.views, prostate.masks, stack_recipe, roi="gland")
    cube = prepare_head(head.baseline, HeadRecipe(size_zyx=(32, 32, 32), spacing_mm=6.0), head.mask)
    coarse = resample(knee.views["sagittal"], knee.views["sagittal"].geometry.resized((8, 32, 32)))
    other = knee_exam(2).case.views["sagittal"]
    moving = resample(other, other.geometry.resized((8, 32, 32)))
    numbers: dict[str, Entry] = {
        "phantom knee": {view: volume.voxels for view, volume in knee.views.items()},
        "phantom prostate": {
            **{view: volume.voxels for view, volume in prostate.views.items()},
            **{f"mask {name}": mask.labels for name, mask in prostate.masks.items()}, "volume_ml": prostate.volume_ml,
        },
        "phantom head": {"ct": head.baseline.voxels, "mask": head.mask.labels},
        "exam": {"image": exam.image, "patches": exam.patches, "grid": exam.roi_grid.affine},
        "stack": {"image": stack.image, **{f"mask {name}": mask for name, mask in stack.masks.items()}},
        "head": {"image": cube.image, "mask": cube.mask},
        "resampled": {
            "image": coarse.voxels, "mask": resample_mask(head.mask, head.mask.geometry.resized((40, 40, 20))).labels,
        },
        "normalised": {"zscore": normalise(coarse.voxels, "zscore")},
    }  # fmt: skip
    for backend, metric, kind in (("cpu", "mi", "affine"), ("cpu", "ncc", "rigid"), ("gpu", "mi", "affine")):
        result = register(coarse, moving, backend=backend, metric=metric, transform=kind, device="cpu")
        numbers[f"registration {backend}, {metric}, {kind}"] = {
            "transform": result.transform.array, "metric": result.metric_value
        }  # fmt: skip
    return numbers


def statistics(folder: Path) -> dict[str, Entry]:
    """Every function of ``stats`` on random scores, but for the interval of one AUC."""
    from deepradiomics import stats

    rng = np.random.default_rng(8)
    y = (rng.random(80) < 0.4).astype(int)
    a, b = 0.8 * y + rng.normal(size=80), 0.3 * y + rng.normal(size=80).round(1)
    p = 1 / (1 + np.exp(-a))
    grades = np.clip(np.rint(3 * p + rng.normal(0, 0.4, 80)), 0, 3).astype(int)
    blocks, p_values = rng.normal(size=(9, 4)) + np.arange(4) / 3, rng.random(9) ** 3
    paired, apart = stats.delong_test(y, a, b), stats.delong_unpaired(y[:40], a[:40], y[40:], b[40:])
    return {
        "AUC": {
            "auc": stats.auc(y, a), "curve": np.concatenate(stats.roc_curve(y, a)), "youden": stats.youden(y, a),
            "bootstrap": stats.bootstrap_aucs(y, [a, b], n=200), "paired p": paired.p, "unpaired p": apart.p,
            "difference p": stats.bootstrap_auc_difference(y, a, b, n=200).p,
        },
        "classes": {
            "accuracy": stats.accuracy(y, p > 0.5),
            **scores(dataclasses.asdict(stats.classification_rates(y, p > 0.5))),
            "kappa": stats.quadratic_weighted_kappa(grades, np.roll(grades, 1)), "brier": stats.brier(y, p),
            "confusion": stats.confusion_matrix(grades, np.roll(grades, 1)),
            "mcnemar": stats.mcnemar(y, p > 0.5, b > 0).p,
            **scores([dataclasses.asdict(point) for point in stats.calibration_curve(y, p)], "calibration"),
            **scores(dataclasses.asdict(stats.wilson_ci(7, 31)), "wilson"),
        },
        "tests": {
            "wilcoxon": stats.wilcoxon_signed_rank(blocks[:, 0], blocks[:, 3]).p, "friedman": stats.friedman(blocks).p,
            "holm": stats.holm(p_values), "benjamini-hochberg": stats.benjamini_hochberg(p_values),
            "bonferroni": stats.bonferroni(p_values), "dice": stats.dice(y, grades > 1),
            "jaccard": stats.jaccard(y, grades > 1), "r2": stats.r2_per_column(blocks, np.roll(blocks, 1, axis=0)),
            **scores(dataclasses.asdict(stats.bootstrap_ci(np.mean, a, n=200)), "bootstrap"),
        },
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------- the lens


def lens_planted(folder: Path) -> dict[str, Entry]:
    """The planted-truth table in small: every reading of planted, control and exchangeable encoders, unrounded."""
    from Testing.reference.lens.lens_planted import Plant, auc, exchangeable, planted, rotation
    from Testing.reference.lens.lens_planted_readings import FIT_ON, fitted, readings

    numbers: dict[str, Entry] = {}
    plant = Plant(patients=200, attributes=12, dimension=24)
    for seed in range(2):
        data = planted(seed, plant)
        for fit_on in FIT_ON:
            lens = fitted(data, hidden=16, epochs=60, fit_on=fit_on, seed=seed)
            entry: dict[str, Any] = {"r2_pre": lens.r2_mean_pre_, "r2_ft": lens.r2_mean_ft_}
            for reading, (pre, ft) in readings(lens, data).items():
                entry |= {f"{reading}/pre": pre, f"{reading}/ft": ft, f"{reading}/auc": auc(ft - pre, data.direction)}
            numbers[f"planted {seed}, fit on {fit_on}"] = entry
    data = planted(0, plant)
    for name, after in {"identical": data.X_pre.copy(), "rotated": data.X_pre @ rotation(0, 24)}.items():
        for scaling in ("pre", "own"):
            lens = fitted(data, X_ft=after, hidden=16, epochs=60, embedding_scaling=scaling)
            pairs = readings(lens, data, after).items()
            numbers[f"control {name}, {scaling}"] = {
                **{f"{reading}/pre": pre for reading, (pre, _) in pairs},
                **{f"{reading}/ft": ft for reading, (_, ft) in pairs},
            }
    null = exchangeable(0, Plant(patients=120, attributes=8, dimension=12))
    lens = fitted(null, hidden=8, epochs=40, permutations=49, bootstraps=100, variants=True)
    numbers["null and intervals"] = {
        **{name: getattr(lens, name) for name in LENS_ATTRIBUTES},
        **{f"variant/{name}": delta for name, delta in lens.variants_.items()},
    }
    return numbers


LENS_ATTRIBUTES = (
    "weights_", "bias_", "coef_pre_", "coef_ft_", "importance_pre_", "importance_ft_", "explained_pre_",
    "explained_ft_", "noise_pre_", "noise_ft_", "delta_low_", "delta_high_", "delta_explained_low_",
    "delta_explained_high_", "p_null_", "q_null_", "p_family_", "p_explained_", "q_explained_", "p_family_explained_",
)  # fmt: skip


def lens_trainings(folder: Path) -> dict[str, Entry]:
    """A pre-training, the three fine-tunings, embeddings of both encoders, and the tables of a fitted lens."""
    from deepradiomics.lens.encoders.encode import encode
    from deepradiomics.lens.encoders.finetune.run import FinetuneRequest, finetune
    from deepradiomics.lens.encoders.pretrain.run import PretrainRequest, pretrain
    from deepradiomics.networks.encoders.load import load_encoder
    from Testing.unit.lens import ball_cohort

    manifest = read_manifest(ball_cohort.write_cohort(folder / "balls", cases=14), need_labels=False)
    cache = folder / "cache"
    run = pretrain(PretrainRequest(manifest, ball_cohort.CONFIG), folder / "pretrained", device="cpu", cache=cache)
    numbers: dict[str, Entry] = {
        "pretrain": {**scores(run.metrics), **table(run.history)}, "pretrain weights": weights(run.encoder),
    }  # fmt: skip
    for kind in ("class", "regress", "segment"):
        request = FinetuneRequest(manifest, kind, run.encoder, ball_cohort.CONFIG)
        tuned = finetune(request, folder / kind, device="cpu", cache=cache)
        numbers[f"finetune {kind}"] = scores(tuned.metrics)
        for stage, bundle in sorted(tuned.encoders.items()):
            numbers[f"finetune {kind} weights, {stage}"] = weights(bundle)
    embeddings = encode(manifest, load_encoder(run.encoder), device="cpu", cache=cache)
    numbers["embeddings"] = {"values": embeddings.values}
    return numbers


def lens_fit(folder: Path) -> dict[str, Entry]:
    """The tables of ``lens fit`` on sixteen synthetic cases."""
    from deepradiomics.lens.fit.run import LensRequest, fit_lens
    from Testing.unit.lens import lens_material as material

    cohort = material.read(material.cohort(folder / "cohort"))
    pre, ft = material.embeddings(cohort.ids), material.embeddings(cohort.ids, drift=0.5)
    config = material.config(folder / "params", permutations=5)
    request = LensRequest(cohort, pre, ft, config)
    result = fit_lens(request, folder / "out", cache=folder / "cache", device="cpu")
    names = ("shift", "table1", "modality_r2", "cases")
    return {f"lens {name}": table(result.folder / f"{name}.csv") for name in names}


# ------------------------------------------------------------------------------------------------- the fingerprint


def fingerprint(folder: Path) -> dict[str, Entry]:
    """A tiny training from image files to a bundle, and one patient's prediction, relevance and maps."""
    from deepradiomics.fingerprint.apply.run import FingerprintRequest, apply_fingerprint
    from deepradiomics.fingerprint.model.bundle import load_fingerprint
    from deepradiomics.fingerprint.train.run import TrainRequest, train_fingerprint
    from Testing.unit.fingerprint.trained_bundle import oblique_case, small_bundle, small_config

    settings = small_config()
    settings = dataclasses.replace(settings, training=dataclasses.replace(settings.training, epochs=2))
    manifest = read_manifest(write_knees(folder / "knees"))
    run = train_fingerprint(
        TrainRequest(manifest, settings, seed=1), folder / "run", device="cpu", cache=folder / "cache"
    )
    numbers: dict[str, Entry] = {
        "training": {**scores(run.metrics), **table(run.history)}, "training weights": weights(run.bundle),
    }  # fmt: skip
    bundles = {"trained": load_fingerprint(run.bundle), "random weights": small_bundle()}
    for name, bundle in bundles.items():
        for inference in ("paper", "masked", "soft"):
            result = apply_fingerprint(FingerprintRequest(oblique_case(), inference=inference), bundle, device="cpu")
            numbers[f"{name}, {inference}"] = {
                **scores(result.prediction["tasks"]), **rows_of([dataclasses.asdict(row) for row in result.rows]),
                **{f"relevance {task}": volume.voxels for task, volume in result.relevance.items()},
                **{f"gradcam {task}": volume.voxels for task, volume in result.gradcam.items()},
            }  # fmt: skip
    return numbers


def write_knees(folder: Path, cases: int = 18) -> Path:
    """Noise in three views; in every second case a coarse texture lies in the lower half. Returns the manifest."""
    rng = np.random.default_rng(0)
    geometry = Geometry((20, 24, 8), (1, 1, 3), (0, 0, 0), (0, 0, 1, 1, 0, 0, 0, -1, 0))
    lines = ["id,axial,coronal,sagittal,label_tear,label_grade"]
    for n in range(cases):
        voxels = rng.normal(100, 10, geometry.shape)
        if n % 2:
            voxels[:, 12:] += 25 * np.sign(np.sin(np.arange(20) * 1.2))
        sagittal = Volume(voxels.astype(np.float32), geometry, "sagittal")
        for view in VIEWS:
            volume = sagittal if view == "sagittal" else reformat(sagittal, view)
            write_volume(volume, folder / f"{n}" / f"{view}.nii.gz")
        lines.append(f"case{n},{','.join(f'{n}/{view}.nii.gz' for view in VIEWS)},{n % 2},{n % 3}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "README.txt").write_text("SYNTHETIC noise for a test", encoding="utf-8")
    return folder / "manifest.csv"


# ------------------------------------------------------------------------------------------------- haemorrhage


def ich_models(folder: Path) -> dict[str, Entry]:
    """Factorisations, the six classifiers, their frozen twins and the Shapley values, on tables of random numbers."""
    from deepradiomics.modelling.classifiers import CLASSIFIERS
    from deepradiomics.modelling.components.nmf import NMF
    from deepradiomics.modelling.frozen import freeze
    from deepradiomics.modelling.shapley import component_shap
    from Testing.unit.ich.outcome_cohort import cohort, fitted

    numbers: dict[str, Entry] = {}
    rng = np.random.default_rng(5)
    for n, p, k in ((60, 700, 12), (50, 20, 7)):
        X = rng.gamma(0.5, size=(n, 6)) @ rng.gamma(0.5, size=(6, p)) + 0.1 * rng.gamma(1.0, size=(n, p))
        model = NMF(k, max_iter=50)
        W = model.fit_transform((X / X.max(axis=0)).astype(np.float32))
        numbers[f"NMF {n} x {p}"] = {"W": W, "H": model.components_, "error": model.reconstruction_err_}
    X, _, new = cohort()
    for name in CLASSIFIERS:
        frozen = freeze(fitted(name))
        arrays, _ = frozen.to_arrays()
        shares = component_shap(frozen, new[:4], X[:30])
        numbers[f"classifier {name}"] = {
            "estimator": fitted(name).predict_proba(new)[:, 1], "frozen": frozen.probability(new),
            "shapley": shares.values, "base": shares.base, **{f"array/{key}": a for key, a in sorted(arrays.items())},
        }  # fmt: skip
    return numbers


def ich_trainings(folder: Path) -> dict[str, Entry]:
    """A segmenter and an autoencoder trained on ten synthetic heads: scores, losses, weights."""
    from deepradiomics.ich.autoencoder.run import AutoencoderRequest, train_autoencoder
    from deepradiomics.ich.segmenter.run import SegmenterRequest, train_segmenter
    from Testing.unit.ich import ball_head, head_balls, tiny_autoencoder

    heads = read_manifest(ball_head.write_heads(folder / "ellipsoids", 10), need_labels=False, more=("sex", "encoder"))
    numbers: dict[str, Entry] = {}
    cache = folder / "cache"
    for scales in ("dual", "single"):
        segmenter = train_segmenter(
            SegmenterRequest(heads, ball_head.config(scales)), folder / scales, device="cpu", cache=cache
        )
        numbers[f"segmenter, {scales}"] = {**scores(segmenter.metrics), **table(segmenter.out / "history.csv")}
        numbers[f"segmenter weights, {scales}"] = weights(segmenter.bundles[0])
    balls = read_manifest(head_balls.write_heads(folder / "balls", cases=10), need_labels=False)
    run = train_autoencoder(
        AutoencoderRequest(balls, tiny_autoencoder.CONFIG), folder / "autoencoder", device="cpu", cache=cache
    )
    numbers["autoencoder"] = {**scores(run.metrics), **table(run.history)}
    numbers["autoencoder weights"] = weights(run.bundle)
    return numbers


def ich_experiment(folder: Path) -> dict[str, Entry]:
    """An experiment on 18 synthetic heads with 10 external ones, from images to tables, bundle and one patient."""
    from deepradiomics.ich.experiment.run import ExperimentRequest, run_experiment
    from deepradiomics.ich.features.run import Machines
    from deepradiomics.ich.patient.request import PatientRequest
    from deepradiomics.ich.patient.run import apply_case
    from Testing.unit.ich import ich_heads as heads

    manifest, external = heads.write_cohort(folder / "a", 18), heads.write_cohort(folder / "b", 10, seed=1)
    changes = {
        "classifiers": ("extra-trees", "elastic-net"), "shap_cases": 3, "covariates": ("age",), "folds": 2,
        "trees": 5, "outcomes": ("poor_outcome", "expansion_3ml"),
    }  # fmt: skip
    request = ExperimentRequest(
        manifest, external, heads.config(folder, **changes), encoder=heads.segmenter(folder / "encoder"),
        autoencoder=heads.autoencoder(folder / "vaegan"), seed=1,
    )  # fmt: skip
    result = run_experiment(request, folder / "out", machines=Machines(device="cpu"), cache=folder / "cache")
    numbers: dict[str, Entry] = {
        f"table {path.stem}": table(path) for path in sorted((result.folder / "tables").glob("*.csv"))
    }
    numbers["predictions"] = table(result.folder / "predictions.csv")
    numbers["bundle"] = weights(result.folder / "bundle" / "predictor")
    ct = min((folder / "b").glob("*_ct.nii.gz"))
    mask = read_mask(ct.with_name(ct.name.replace("_ct", "_mask")))
    patient = PatientRequest(read_volume(ct), mask, clinical={"age": "70"})
    case = apply_case(result.folder / "bundle", patient, device="cpu", threads=1)
    numbers["patient's shares"] = rows_of([dataclasses.asdict(row) for row in case.shap])
    numbers["patient's features"] = rows_of([dataclasses.asdict(row) for row in case.features])
    numbers["patient"] = {
        **scores({key: case.record[key] for key in ("outcomes", "volumes")}), "segmentation": case.segmentation.labels,
        **{f"gradcam/{outcome}": volume.voxels for outcome, volume in case.gradcam.items()},
    }  # fmt: skip
    return numbers


def ich_expansion(folder: Path) -> dict[str, Entry]:
    """Registration, volumes and change of a synthetic head whose haematoma grows."""
    from deepradiomics.ich.haematoma.expansion import expansion

    exam = ich_exam((21, 5))
    small = [
        resample(volume, volume.geometry.resized([n // 2 for n in volume.geometry.size]))
        for volume in (exam.baseline, exam.followup)
    ]
    change = expansion(*small, exam.mask, exam.mask_followup, backend="cpu")
    return {
        "phantom": {"baseline": exam.baseline.voxels, "followup": exam.followup.voxels, "mask": exam.mask.labels},
        "expansion": {
            "transform": change.transform.array, "baseline_ml": change.baseline_ml, "followup_ml": change.followup_ml,
            "overlap": change.overlap, "change": change.change.labels, **change.labels,
        },
    }  # fmt: skip


GROUPS: dict[str, Callable[[Path], dict[str, Entry]]] = {
    "features": features, "real images": real_images, "images": images, "statistics": statistics,
    "lens planted": lens_planted, "lens fit": lens_fit,
    "lens trainings": lens_trainings, "fingerprint": fingerprint, "ich models": ich_models,
    "ich trainings": ich_trainings, "ich experiment": ich_experiment, "ich expansion": ich_expansion,
}  # fmt: skip
"""Each writes what it needs into the folder it is given."""
