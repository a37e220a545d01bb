"""The outcome model of one bundle: from the feature families of a patient to the probability of each outcome.

::

    bundle/
      predictor/    bundle.json + model.safetensors: components of each family, frozen classifiers, thresholds,
                    calibration of the training cohort, background rows for the explanations
      encoder/      the segmentation network, as it was trained (absent: the user brings the mask)
      autoencoder/  the VAE-GAN, as it was trained (absent: the input uses none of its latents)

The predictor names its networks by the hash of their weights: latents of another network, were they of equal shape,
would give numbers that mean nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.errors import BundleError, InputError
from deepradiomics.files.atomic import atomic_folder
from deepradiomics.files.reading import UNUSABLE, reason
from deepradiomics.modelling.components.nmf_components import Components
from deepradiomics.modelling.frozen import FrozenModel
from deepradiomics.networks.bundle import INFO_FILE, WEIGHTS_FILE, load_bundle, load_info, loading_bundle, save_bundle
from deepradiomics.options import check_number, check_whole
from deepradiomics.public import one_line

if TYPE_CHECKING:
    from deepradiomics.modelling.components.nmf_components import Column, Components

KIND = "ich-predictor"
PREDICTOR, ENCODER, AUTOENCODER = "predictor", "encoder", "autoencoder"
_KINDS = {ENCODER: "ich-segmenter", AUTOENCODER: "ich-autoencoder"}  # of the networks' own bundles
GROUPS = ("shape", "radiomics", "encoder", "autoencoder", "clinical")
"""The families of features, in the order in which their columns stand."""
LESIONS = ("all", "largest")


@dataclass(frozen=True)
class CalibrationBin:
    """One bin of the training cohort's calibration: what was predicted, what came true, Wilson's 95 % interval."""

    mean_predicted: float
    observed: float
    low: float
    high: float
    n: int

    def __post_init__(self) -> None:
        for name in ("mean_predicted", "observed", "low", "high"):
            check_number(f"calibration: {name}", getattr(self, name), 0.0, 1.0)
        check_whole("calibration: n", self.n, 0, 10**9)


@one_line
@dataclass(frozen=True, eq=False)
class OutcomeModel:
    """The classifier of one outcome.

    Args:
        name: such as ``expansion_6ml``.
        title: what a person calls it.
        model: the classifier as arrays.
        threshold: of the probability, chosen on patients that the model was not fitted with.
        base_rate: share of the training patients with the outcome.
        n_training: their number.
        calibration: bins of the out-of-fold predictions of the training cohort, by ascending prediction.
        background: (b, columns) rows of the training cohort that explanations compare with; b ≥ 1.

    Raises:
        InputError: a number is out of its range, or the background is no finite table.
    """

    name: str
    title: str
    model: FrozenModel
    threshold: float
    base_rate: float
    n_training: int
    calibration: tuple[CalibrationBin, ...]
    background: np.ndarray

    def __post_init__(self) -> None:
        for what, value in (("threshold", self.threshold), ("base_rate", self.base_rate)):
            check_number(f"outcome {self.name}: {what}", value, 0.0, 1.0)
        check_whole(f"outcome {self.name}: n_training", self.n_training, 1, 10**9)
        background = np.ascontiguousarray(self.background, np.float64)
        if background.ndim != 2 or not len(background) or not np.isfinite(background).all():
            raise InputError(
                f"outcome {self.name}: background: expected a finite table (rows, columns) with at least one row, "
                f"got shape {background.shape}."
            )
        background.setflags(write=False)
        object.__setattr__(self, "background", background)
        object.__setattr__(self, "calibration", tuple(self.calibration))

    def bin_of(self, probability: float) -> int | None:
        """Index of the calibration bin whose mean prediction is nearest to ``probability``; None without bins."""
        if not self.calibration:
            return None
        return int(np.argmin([abs(one.mean_predicted - probability) for one in self.calibration]))


@one_line
@dataclass(frozen=True, eq=False)
class Predictor:
    """What turns a patient's features into risks.

    Args:
        input: such as ``radiomics+latents``.
        classifier: such as ``extra-trees``.
        blocks: the components of each feature group, fitted on the training cohort.
        outcomes: one model each.
        radiomics_settings: PyRadiomics parameters (a dictionary of its structure) of the radiomic features.
        lesions: of several haematomas take ``all`` as one region, or the ``largest``.
        encoder_sha256: hash of the segmentation network's weights that gave the latents; empty where none is used.
        autoencoder_sha256: the same of the VAE-GAN.
        info: name, version, command, cohort, metrics; ``synthetic`` and ``leaking`` are shown with every result.
        path: folder it was loaded from.
        sha256: hash of the predictor's weights.
        encoder: folder of the bundle's segmentation network.
        autoencoder: folder of the bundle's VAE-GAN.

    Raises:
        InputError: an unknown group, no outcome, an outcome's table that does not have the columns of the blocks, or
            a network that is needed and not named.
    """

    input: str
    classifier: str
    blocks: Mapping[str, Components]
    outcomes: tuple[OutcomeModel, ...]
    radiomics_settings: Mapping[str, Any]
    lesions: str = "all"
    encoder_sha256: str = ""
    autoencoder_sha256: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    sha256: str = ""
    encoder: Path | None = None
    autoencoder: Path | None = None

    def __post_init__(self) -> None:
        strange = sorted(set(self.blocks) - set(GROUPS))
        if strange or not self.blocks:
            raise InputError(
                f"blocks: expected feature groups among {', '.join(GROUPS)}, got {strange or 'none at all'}."
            )
        if self.lesions not in LESIONS:
            raise InputError(f"lesions: expected one of {', '.join(LESIONS)}, got {self.lesions!r}.")
        for group, network in (("encoder", self.encoder_sha256), ("autoencoder", self.autoencoder_sha256)):
            if group in self.blocks and not network:
                raise InputError(f"blocks[{group!r}]: say which network gave its latents, by the hash of its weights.")
        names = [one.name for one in self.outcomes]
        if not names or len(set(names)) != len(names):
            raise InputError(f"outcomes: expected at least one, each with a name of its own, got {names}.")
        ordered = {group: self.blocks[group] for group in GROUPS if group in self.blocks}
        object.__setattr__(self, "blocks", ordered)
        object.__setattr__(self, "outcomes", tuple(self.outcomes))
        width = len(self.columns)
        for one in self.outcomes:
            if one.background.shape[1] != width:
                raise InputError(
                    f"outcome {one.name}: background: expected the {width} columns of the blocks, "
                    f"got {one.background.shape[1]}."
                )
            if one.model.n_columns != width:
                raise InputError(
                    f"outcome {one.name}: model: expected one of the {width} columns of the blocks, "
                    f"got {one.model.n_columns}."
                )

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns that the classifiers see: those of the blocks, in the order of :data:`GROUPS`."""
        return tuple(column for block in self.blocks.values() for column in block.columns)

    @property
    def synthetic(self) -> bool:
        """Whether it, or a network of its bundle, was trained on synthetic patients."""
        return bool(self.info.get("synthetic"))

    @property
    def leaking(self) -> bool:
        """Whether it was fitted with latents of networks that had seen the patients (``--allow-leakage``)."""
        return bool(self.info.get("leaking"))

    @property
    def covariates(self) -> tuple[str, ...]:
        """Names of the clinical covariates that it takes."""
        return tuple(self.blocks["clinical"].names or ()) if "clinical" in self.blocks else ()

    def slices(self) -> dict[str, slice]:
        """Where the columns of each group stand."""
        found, start = {}, 0
        for group in self.blocks:
            stop = start + sum(column.group == group for column in self.columns)
            found[group] = slice(start, stop)
            start = stop
        return found

    def table(self, features: Mapping[str, np.ndarray]) -> np.ndarray:
        """Turn raw features (n, d) of each group into the classifiers' columns (n, p).

        Raises:
            InputError: a group is missing, or has another number of features than at the fit.
        """
        missing = [group for group in self.blocks if group not in features]
        if missing:
            raise InputError(f"features: the model needs the groups {', '.join(self.blocks)}; missing: {missing}.")
        return np.hstack([block.transform(features[group]) for group, block in self.blocks.items()])


def save_predictor(
    folder: str | Path,
    predictor: Predictor,
    *,
    encoder: str | Path | None = None,
    autoencoder: str | Path | None = None,
) -> Path:
    """Write the composite bundle as a whole or not at all.

    Args:
        folder: a bundle of this kind there is replaced; a folder with other files is refused.
        predictor: the outcome models.
        encoder: folder of the segmentation network's bundle, copied; needed when the input has encoder latents.
        autoencoder: the same of the VAE-GAN.

    Raises:
        BundleError: a network is not the one that the predictor was fitted with, or a weight is not finite.
        InputError: a network is needed and not given, or the folder holds something else.
    """
    folder = Path(folder)
    _refuse_foreign(folder)
    sources = {ENCODER: encoder, AUTOENCODER: autoencoder}
    hashes = {}
    for name, source in sources.items():
        expected = _expected(predictor, name)
        if source is None:
            if expected:
                raise InputError(f"{name}: the input {predictor.input!r} needs this network; give its bundle's folder.")
            continue
        hashes[name] = _checked(Path(source), name, expected)
    tensors, described = _packed(predictor)
    with atomic_folder(folder) as temporary:
        save_bundle(temporary / PREDICTOR, tensors, {"kind": KIND, **described, "networks": hashes})
        for name, source in sources.items():
            if source is not None:
                (temporary / name).mkdir()
                for file in (WEIGHTS_FILE, INFO_FILE):
                    shutil.copyfile(Path(source) / file, temporary / name / file)
    return folder


@loading_bundle
def load_predictor(folder: str | Path) -> Predictor:
    """Read a composite bundle and check that its parts belong together.

    The networks themselves are loaded later, where they are used; here their descriptions are checked.

    Raises:
        BundleError: a part is damaged, missing, or of another bundle.
    """
    folder = Path(folder)
    if not (folder / PREDICTOR).is_dir():
        raise BundleError(
            f"{folder}: expected a bundle of 'ich experiment' with the folder {PREDICTOR}/ in it"
            f"{_what_instead(folder)}. Name the folder 'bundle' of an experiment."
        )
    tensors, info = load_bundle(folder / PREDICTOR)
    if info.get("kind") != KIND:
        raise BundleError(f"{folder / PREDICTOR}: expected a bundle of kind {KIND!r}, got {info.get('kind')!r}.")
    try:
        predictor = _unpacked(folder, tensors, info)
    except UNUSABLE as error:
        raise BundleError(f"{folder / PREDICTOR}: an entry is missing or unusable ({reason(error)}).") from error
    for name, expected in dict(info.get("networks") or {}).items():
        if name not in (ENCODER, AUTOENCODER):
            raise BundleError(f"{folder / PREDICTOR}: it names a network {name!r}, which such a bundle does not hold.")
        if not (folder / name).is_dir():
            raise BundleError(f"{folder / name}: this network of the bundle is missing. Copy the whole bundle again.")
        _checked(folder / name, name, str(expected))
        needed = _expected(predictor, name)
        if needed and needed != expected:
            raise BundleError(f"{folder / PREDICTOR}: it names two different networks as its {name}. Save it again.")
    for name in (ENCODER, AUTOENCODER):
        if _expected(predictor, name) and name not in (info.get("networks") or {}):
            raise BundleError(f"{folder}: the input {predictor.input!r} needs {name}/, and the bundle has none.")
    return predictor


def _expected(predictor: Predictor, name: str) -> str:
    return predictor.encoder_sha256 if name == ENCODER else predictor.autoencoder_sha256


def _checked(source: Path, name: str, expected: str) -> str:
    """Return the hash of a network's weights, which are those that were expected."""
    info = load_info(source)
    got = str(info["weights"].get("sha256"))
    kind = _KINDS[name]
    if info.get("kind") != kind:
        raise BundleError(
            f"{source}: expected a bundle of kind {kind!r}, got {info.get('kind')!r}. Were they exchanged?"
        )
    if expected and got != expected:
        raise BundleError(
            f"{source}: this is not the {name} that the predictor was fitted with (SHA-256: expected {expected[:12]}…, "
            f"got {got[:12]}…). Latents of another network mean nothing to it: restore the network, or run the "
            "experiment again with this one."
        )
    return got


def _packed(predictor: Predictor) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    tensors: dict[str, np.ndarray] = {}
    blocks, outcomes = {}, []
    for group, block in predictor.blocks.items():
        arrays, blocks[group] = block.to_arrays()
        tensors.update({f"block.{group}.{key}": value for key, value in arrays.items()})
    for one in predictor.outcomes:
        arrays, described = one.model.to_arrays()
        tensors.update({f"outcome.{one.name}.model.{key}": value for key, value in arrays.items()})
        tensors[f"outcome.{one.name}.background"] = one.background
        outcomes.append(
            {
                "name": one.name,
                "title": one.title,
                "model": described,
                "threshold": float(one.threshold),
                "base_rate": float(one.base_rate),
                "n_training": int(one.n_training),
                "calibration": [asdict(found) for found in one.calibration],
            }
        )
    return tensors, {
        "input": predictor.input,
        "classifier": predictor.classifier,
        "blocks": blocks,
        "outcomes": outcomes,
        "radiomics_settings": dict(predictor.radiomics_settings),
        "lesions": predictor.lesions,
        "encoder_sha256": predictor.encoder_sha256,
        "autoencoder_sha256": predictor.autoencoder_sha256,
        "about": dict(predictor.info),
    }


def _unpacked(folder: Path, tensors: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> Predictor:
    def part(prefix: str) -> dict[str, np.ndarray]:
        return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}

    outcomes = [
        OutcomeModel(
            name=one["name"],
            title=one["title"],
            model=FrozenModel.from_arrays(part(f"outcome.{one['name']}.model."), one["model"]),
            threshold=one["threshold"],
            base_rate=one["base_rate"],
            n_training=one["n_training"],
            calibration=tuple(CalibrationBin(**found) for found in one["calibration"]),
            background=tensors[f"outcome.{one['name']}.background"],
        )
        for one in info["outcomes"]
    ]
    networks = info.get("networks") or {}
    return Predictor(
        input=info["input"],
        classifier=info["classifier"],
        blocks={
            group: Components.from_arrays(part(f"block.{group}."), described)
            for group, described in info["blocks"].items()
        },
        outcomes=tuple(outcomes),
        radiomics_settings=info["radiomics_settings"],
        lesions=info["lesions"],
        encoder_sha256=info["encoder_sha256"],
        autoencoder_sha256=info["autoencoder_sha256"],
        info=info["about"],
        path=folder,
        sha256=str(info["weights"]["sha256"]),
        encoder=folder / ENCODER if ENCODER in networks else None,
        autoencoder=folder / AUTOENCODER if AUTOENCODER in networks else None,
    )


def _refuse_foreign(folder: Path) -> None:
    """A bundle may replace a bundle or an empty folder; never something of the user's."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: expected a folder to write the bundle to, found a file.")
    if folder.is_dir():
        foreign = _others(p.name for p in folder.iterdir())
        if foreign:
            raise InputError(f"{folder}: the folder holds other files ({foreign[0]}, …); choose a new one.")


def _others(names: Sequence[str] | Any) -> list[str]:
    return sorted(name for name in names if name not in (PREDICTOR, ENCODER, AUTOENCODER))


def _what_instead(folder: Path) -> str:
    """What the folder is that a user named by mistake, where that can be told."""
    if not folder.is_dir():
        return ", found no folder"
    if (folder / "bundle" / PREDICTOR).is_dir():
        return f"; {folder / 'bundle'} is one"
    if (folder / INFO_FILE).is_file():
        return f", found a bundle of kind {load_info(folder).get('kind')!r}"
    return ""
