"""Every choice of a lens: what is measured, how the lens is fitted, how sure its numbers are; and the two presets.

``paper`` follows the paper (256 hidden units, λ1 = 1e-6, λ2 = 1e-5, 200 epochs, voxels of 0.5 × 0.5 × 1 mm);
``tiny`` is the same method made small for tests, demonstrations and short cohorts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from deepradiomics.errors import InputError
from deepradiomics.files import read_settings, write_json
from deepradiomics.options import check_choice, check_keys, check_number, check_whole, plain_values

Preset = Literal["paper", "tiny"]
FitOn = Literal["pre", "ft", "both"]
Missing = Literal["refuse", "drop"]
TargetScaling = Literal["zscore", "minmax"]
EmbeddingScaling = Literal["pre", "own", "none"]

_RADIOMICS = ("modalities", "roi", "centre", "params", "spacing_mm", "quantitative", "missing")


@dataclass(frozen=True)
class LensConfig:
    """All choices of one lens.

    Args:
        preset: where the values not named came from.
        modalities: measured by radiomics, in this order; empty takes all views of the manifest.
        roi: the region measured: ``gland``, ``lesion``, any ``mask_<roi>`` column, ``mask``, or ``ellipsoid``.
        centre: the region in whose middle an encoder's image lies, which need not be the one measured (paper: lesion
            features against embeddings of the gland). Empty: where the encoder was trained, else ``gland``, else
            ``roi``.
        params: radiomic features: a preset of the engine, or a PyRadiomics YAML file. What a file says about grey
            levels and spacing holds; what it leaves open is chosen as below.
        spacing_mm: (x, y, z) to which images are resampled before features are computed; None keeps their own.
        quantitative: modalities whose grey levels have a unit: taken as they are. All others are z-scored over the
            image and multiplied by 100, so that bins of 25 are a quarter of a standard deviation.
        missing: a case that lacks a modality or the region, or whose region lies outside a modality: ``refuse`` names
            all such cases, ``drop`` leaves them out and lists them.
        hidden: width of the shared layer.
        l1, l2: weights of the penalties λ1‖·‖1 and λ2‖·‖2² (equation 4).
        epochs, learning_rate: of the shared layer.
        sweep: choose l1 and l2 on the validation split, over the paper's grid.
        fit_on: embeddings on which the shared layer is trained.
        target_scaling: ``zscore``: min–max to [0, 1] on the training split, then z-scored; ``minmax``: the first only.
        embedding_scaling: standardise embeddings by the training split before fine-tuning (``pre``), each by its own
            (``own``), or not (``none``).
        ridge: added to ZZᵀ, relative to its mean diagonal.
        bootstraps: resamples of patients for the intervals of ΔI; 0 leaves them out.
        permutations: relabellings of pre and ft for the null of ΔI; 0 leaves it out.
        variants: also fit on ft and on both, and ΔI with standardised Z.

    Raises:
        InputError: a value is out of range; the message names it.
    """

    preset: Preset = "paper"
    modalities: tuple[str, ...] = ()
    roi: str = "gland"
    centre: str = ""
    params: str = "lens"
    spacing_mm: tuple[float, float, float] | None = (0.5, 0.5, 1.0)
    quantitative: tuple[str, ...] = ("adc",)
    missing: Missing = "refuse"
    hidden: int = 256
    l1: float = 1e-6
    l2: float = 1e-5
    epochs: int = 200
    learning_rate: float = 1e-3
    sweep: bool = False
    fit_on: FitOn = "pre"
    target_scaling: TargetScaling = "zscore"
    embedding_scaling: EmbeddingScaling = "pre"
    ridge: float = 1e-10
    bootstraps: int = 1000
    permutations: int = 0
    variants: bool = True

    def __post_init__(self) -> None:
        for name in ("modalities", "quantitative"):
            given = getattr(self, name)
            if isinstance(given, str) or not all(isinstance(one, str) and one for one in given):
                raise InputError(f"{name}: expected a list of names, got {given!r}.")
            if len(set(given)) < len(given):
                raise InputError(f"{name}: a name comes twice in {', '.join(given)}.")
            object.__setattr__(self, name, tuple(given))
        for name in ("roi", "params"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise InputError(f"{name}: expected a name, got {getattr(self, name)!r}.")
        object.__setattr__(self, "spacing_mm", _spacing(self.spacing_mm))
        if not isinstance(self.centre, str):
            raise InputError(f"centre: expected a name or nothing, got {self.centre!r}.")
        check_choice("preset", self.preset, get_args(Preset))
        check_choice("missing", self.missing, get_args(Missing))
        check_choice("fit_on", self.fit_on, get_args(FitOn))
        check_choice("target_scaling", self.target_scaling, get_args(TargetScaling))
        check_choice("embedding_scaling", self.embedding_scaling, get_args(EmbeddingScaling))
        for name, low, high in (
            ("hidden", 1, 65_536), ("epochs", 1, 1_000_000), ("bootstraps", 0, 1_000_000),
            ("permutations", 0, 1_000_000),
        ):  # fmt: skip
            check_whole(name, getattr(self, name), low, high)
        for name in ("l1", "l2", "learning_rate", "ridge"):
            check_number(name, getattr(self, name), 0.0, 1e3)
        for name in ("sweep", "variants"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name}: expected true or false, got {getattr(self, name)!r}.")

    def estimator(self) -> dict[str, Any]:
        """The arguments of :class:`deepradiomics.lens.estimator.RadiomicLens` that are among these choices."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in (*_RADIOMICS, "preset")}

    def to_dict(self) -> dict[str, Any]:
        """JSON form, with lists for tuples."""
        return plain_values(asdict(self))

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> LensConfig:
        """Inverse of :meth:`to_dict`; what is left out comes from the preset named by ``preset`` (default ``paper``).

        Raises:
            InputError: an unknown key, with the nearest known one, or a value out of range.
        """
        names = [f.name for f in fields(cls)]
        check_keys("lens configuration", stored, names)
        try:
            return replace(lens_config(stored.get("preset", "paper")), **stored)
        except TypeError as error:
            raise InputError(f"lens configuration: a value has the wrong type ({error}).") from error

    def write(self, path: str | Path) -> None:
        """Write as JSON."""
        write_json(path, self.to_dict())

    @classmethod
    def read(cls, path: str | Path) -> LensConfig:
        """Read JSON written by :meth:`write` or by hand.

        Raises:
            InputError: the file is missing, is not JSON, or says something unknown; the message names the file.
        """
        return read_settings(path, "settings of a lens, such as hidden and roi", cls.from_dict)


def lens_config(preset: Preset = "paper") -> LensConfig:
    """Return a preset.

    Raises:
        InputError: the preset is unknown.
    """
    check_choice("preset", preset, get_args(Preset))
    if preset == "paper":
        return LensConfig()
    return LensConfig("tiny", spacing_mm=None, hidden=32, bootstraps=100, permutations=0, epochs=200)


def _spacing(given: Any) -> tuple[float, float, float] | None:
    if given is None:
        return None
    try:
        x, y, z = (float(step) for step in given)
    except (TypeError, ValueError) as error:
        raise InputError(f"spacing_mm: expected three numbers (x, y, z) or nothing, got {given!r}.") from error
    if not all(0 < step < 1e3 for step in (x, y, z)):
        raise InputError(f"spacing_mm: expected three positive numbers (x, y, z) in mm, got {(x, y, z)}.")
    return x, y, z
