"""``deepradiomics extract IMAGE MASK -o TABLE``, or ``--manifest FILE``: radiomic features, without a model."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepradiomics import __version__
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.options import (
    Cluster,
    DeviceName,
    JsonLines,
    LabelOption,
    MaxMemory,
    Params,
    Standard,
    Threads,
    Workers,
)  # fmt: skip
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.remarks import grouped, told_labels
from deepradiomics.cli.session import Session, running
from deepradiomics.errors import InputError

if TYPE_CHECKING:
    from deepradiomics.radiomics import Settings


def extract(
    image: Annotated[
        Path | None, typer.Argument(help="Image: NIfTI, NRRD, MHA or a folder of DICOM files.", show_default=False)
    ] = None,
    mask: Annotated[Path | None, typer.Argument(help="Label map on the image's grid.", show_default=False)] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Table to write: .csv, .parquet or .json; a .json with the settings "
            "and diagnostics always lies beside it.",
            show_default=False,
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest",
            help="Many cases: CSV with the columns id, image, mask (and label), instead of IMAGE and MASK. "
            "Finished cases are kept and skipped when the command is run again.",
        ),
    ] = None,
    params: Params = None,
    label: LabelOption = None,
    all_labels: Annotated[bool, typer.Option("--all-labels", help="Every label of the mask in turn.")] = False,
    standard: Standard = None,
    device: DeviceName = "auto",
    threads: Threads = None,
    max_memory_gb: MaxMemory = None,
    allow_failures: Annotated[
        bool, typer.Option("--allow-failures", help="Of a --manifest: exit with 0 although some cases failed.")
    ] = False,
    workers: Workers = 1,
    cluster: Cluster = None,
    json_lines: JsonLines = False,
) -> None:
    """Compute the radiomic features of a region (first order, shape, texture), named as PyRadiomics names them.

    Image and mask may be two-dimensional: shape2D then takes the place of shape.
    """
    with running(json_lines) as session:
        start = time.perf_counter()
        output = _checked_output(output)
        _check_sources(image, mask, manifest, label, all_labels, workers, cluster)
        session.progress(0.0, "loading")
        from deepradiomics.cohort.region_features import Extraction
        from deepradiomics.devices import resolve_device
        from deepradiomics.radiomics.memory import Budget

        if device != "auto":
            resolve_device(device)  # what is wrong for all cases is told once, before them
        settings = settings_of(params, label, standard)
        Budget(max_memory_gb)
        extraction = Extraction(settings, all_labels, device, threads, max_memory_gb)
        if manifest is not None:
            from deepradiomics.cli.extract_manifest import extract_manifest

            extract_manifest(
                manifest, output, extraction, session,
                workers=workers, cluster=cluster, allow_failures=allow_failures,
            )  # fmt: skip
        elif image is not None and mask is not None:
            _extract_case(image, mask, output, extraction, session, start)


def settings_of(params: str | None, label: int | None, standard: str | None) -> "Settings":
    """The settings of ``--params``, with what ``--label`` and ``--standard`` say instead.

    Raises:
        InputError: a setting, or the standard, cannot be used.
    """
    from deepradiomics.radiomics.extract import chosen_settings

    return chosen_settings(params, label, standard)


def document_of(settings: "Settings", counts: list[int], start: float, device: str) -> dict[str, Any]:
    """What every JSON of an extraction says: software, settings, methods paragraph, versions, seconds."""
    from deepradiomics.radiomics.methods_text import methods_text

    versions = _versions()
    return {
        "kind": "features",
        "software": "deepradiomics",
        "version": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "disclaimer": "For research use; not a medical device.",
        "settings": settings.to_dict(),
        "methods_text": methods_text(settings, versions, counts),
        "provenance": {"versions": versions, "device": device, "seconds": round(time.perf_counter() - start, 3)},
    }


def _checked_output(output: Path | None) -> Path:
    from deepradiomics.cli.feature_tables import check_json_beside, check_table_name

    if output is None:
        raise InputError("--output: name the table to write, for example -o features.csv.")
    check_table_name(output)
    check_output(output.parent)
    check_json_beside(output)
    return output


def _check_sources(
    image: Path | None,
    mask: Path | None,
    manifest: Path | None,
    label: int | None,
    all_labels: bool,
    workers: int,
    cluster: str | None,
) -> None:
    """Raise InputError unless there is one source, an image and a mask or a manifest, and one choice of labels."""
    if label is not None and all_labels:
        raise InputError("--label and --all-labels: give one of them.")
    if manifest is not None:
        if image is not None:
            raise InputError("--manifest: it names images and masks itself; leave IMAGE and MASK out.")
        return
    if image is None or mask is None:
        what = "IMAGE and MASK" if image is None else "MASK"
        hint = f" For a table of cases: --manifest {image}." if image and image.suffix.lower() == ".csv" else ""
        raise InputError(f"{what}: missing; give an image and a label map, or --manifest FILE.{hint}")
    if workers > 1 or cluster is not None:
        raise InputError("--workers and --cluster: they share out the cases of a --manifest; for one case --threads.")


def _extract_case(image: Path, mask: Path, output: Path, extraction: Any, session: Session, start: float) -> None:
    from deepradiomics.cohort.region_features import described, region_features, warnings_of
    from deepradiomics.radiomics.inputs import load, plane_settings

    inputs = load(image, mask, extraction.settings)
    ready_kernels(session)
    found = region_features(inputs, extraction, progress=session.progress)
    for text in grouped(warnings_of(found, inputs.mask)):
        session.warn(text)
    settings, counts = plane_settings(extraction.settings, inputs.dimensions), [len(f) for f in found.found.values()]
    document = document_of(settings, counts, start, extraction.device)
    document |= described(found, inputs.mask)
    document["provenance"] |= {
        "image": provenance_of(image, "image"),
        "mask": provenance_of(mask, "mask"),
        "notes": [*inputs.original.notes],
    }
    files = _write(output, found.found, document)
    session.progress(1.0, "done")
    told = told_labels([(label, len(features)) for label, features in found.found.items()])
    session.result(f"{told}\n{output}", files=[str(file) for file in files], labels=list(found.found))


def _write(output: Path, found: Mapping[int, Mapping[str, float]], document: Mapping[str, Any]) -> list[Path]:
    """Write table and JSON; the table goes to a temporary file first, so that a full disk leaves neither."""
    from deepradiomics.cli.feature_tables import write_long
    from deepradiomics.files import atomic_file, write_json

    beside = output.with_suffix(".json")
    if output.suffix.lower() == ".json":
        write_json(output, document)
        return [output]
    with atomic_file(output) as temporary:
        write_long(temporary, found)
        write_json(beside, document)
    return [output, beside]


def provenance_of(path: Path, role: str) -> dict[str, str]:
    """Name and hash of an input; names of DICOM files may hold identifiers, hence the role stands for them."""
    from deepradiomics.files import sha256_file

    if path.is_dir():
        return {"file": role, "kind": "DICOM folder"}
    medical = path.name.lower().endswith((".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".npy"))
    return {"file": path.name if medical else role, "sha256": sha256_file(path)}


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    from deepradiomics.radiomics import ENGINE_VERSION

    found = {"deepradiomics": __version__, "engine": str(ENGINE_VERSION)}
    for package in ("numpy", "scipy", "SimpleITK", "PyWavelets", "numba"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
