"""The words of the command line for what the panel asks: plain values in, a list of arguments out."""

from pathlib import Path


def extract_arguments(image: Path, mask: Path, out: Path, *, params: str, device: str) -> list[str]:
    """``deepradiomics extract`` for every label of a mask."""
    return ["extract", str(image), str(mask), "-o", str(out), "--params", params, "--all-labels", "--device", device]


def cohort_arguments(manifest: Path, out: Path, *, params: str, device: str, allow_failures: bool = False) -> list[str]:
    """``deepradiomics extract`` for every label of every row of a manifest."""
    arguments = ["extract", "--manifest", str(manifest), "-o", str(out), "--params", params, "--all-labels"]
    return [*arguments, *(["--allow-failures"] if allow_failures else []), "--device", device]


def maps_arguments(
    image: Path, mask: Path, out: Path, *, features: Path | None, kernel_radius: int, params: str, device: str
) -> list[str]:
    """``deepradiomics maps``; NaN outside the region, which Slicer draws as transparent.

    The features' names come in a file: hundreds of them are longer than a command line may be on Windows.
    """
    arguments = ["maps", str(image), str(mask), "-o", str(out), "--params", params]
    arguments += ["--features", f"@{features}"] if features is not None else []
    arguments += ["--kernel-radius", str(kernel_radius), "--init-value", "nan", "--format", "nrrd"]
    return [*arguments, "--device", device]
