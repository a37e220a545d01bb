"""``deepradiomics extract IMAGE MASK -o OUT``: radiomic features of one case, without a model."""

import csv
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from deepradiomics import __version__
from deepradiomics.cli.options import DeviceName, JsonLines
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.session import running
from deepradiomics.errors import InputError, MaskError, MissingDependencyError

_COLUMNS = ("label", "feature", "family", "value")
_SUFFIXES = (".csv", ".parquet", ".json")


def extract(
    image: Annotated[Path, typer.Argument(help="Image: NIfTI, NRRD, MHA or a folder of DICOM files.")],
    mask: Annotated[Path, typer.Argument(help="Label map on the image's grid.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Table to write: .csv, .parquet or .json; a .json with the settings "
            "and diagnostics always lies beside it.",
            show_default=False,
        ),
    ],
    params: Annotated[
        str | None,
        typer.Option(
            "--params", help="PyRadiomics YAML file, or a preset: fingerprint-107, paper-110, pyradiomics-default."
        ),
    ] = None,
    label: Annotated[int, typer.Option("--label", help="Label of the region in the mask.")] = 1,
    all_labels: Annotated[bool, typer.Option("--all-labels", help="Every label of the mask in turn.")] = False,
    device: DeviceName = "auto",
    json_lines: JsonLines = False,
) -> None:
    """Compute the radiomic features of a region (first order, shape, texture), named as PyRadiomics names them."""
    with running(json_lines) as session:
        start = time.perf_counter()
        if output.suffix.lower() not in _SUFFIXES:
            raise InputError(f"--output {output}: expected a name ending in .csv, .parquet or .json.")
        check_output(output.parent)
        session.progress(0.0, "loading")
        from deepradiomics.images import read_mask, read_volume
        from deepradiomics.radiomics import extract as compute
        from deepradiomics.radiomics.methods_text import methods_text
        from deepradiomics.radiomics.settings import Settings

        settings = Settings.from_params(params)
        volume, labels = read_volume(image), read_mask(mask)
        wanted = labels.labels_present() if all_labels else (label,)
        if not wanted:
            raise InputError(f"mask {mask}: it is empty, no voxel has a label. Draw a region first.")
        found: dict[int, Any] = {}
        skipped: dict[int, str] = {}
        for count, one in enumerate(wanted):
            session.progress(count / len(wanted), f"features of label {one}")
            try:
                found[one] = compute(volume, labels, params, label=one, device=device)
            except MaskError as error:
                if not all_labels:
                    raise
                skipped[one] = str(error)
                session.warn(f"label {one} {labels.segment_names.get(one, '')}".rstrip() + f" is left out: {error}")
                continue
            for warning in found[one].diagnostics.get("warnings", ()):
                session.warn(str(warning))
        if not found:
            raise MaskError(f"mask {mask}: no label can be used; the first: {next(iter(skipped.values()))}")
        versions = _versions()
        document = {
            "kind": "features",
            "software": "deepradiomics",
            "version": __version__,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "disclaimer": "For research use; not a medical device.",
            "labels": {
                str(one): {
                    "name": labels.segment_names.get(one, ""),
                    "features": dict(features),
                    "diagnostics": features.diagnostics,
                }
                for one, features in found.items()
            },
            "skipped": {str(one): why for one, why in skipped.items()},
            "settings": settings.to_dict(),
            "methods_text": methods_text(settings, versions, [len(one) for one in found.values()]),
            "provenance": {
                "image": _provenance(image, "image"),
                "mask": _provenance(mask, "mask"),
                "notes": [*volume.notes],
                "versions": versions,
                "device": device,
                "seconds": round(time.perf_counter() - start, 3),
            },
        }
        files = _write(output, found, document)
        session.progress(1.0, "done")
        counts = ", ".join(f"label {one}: {len(features)} features" for one, features in found.items())
        session.result(f"{counts}\n{output}", files=[str(file) for file in files], labels=list(found))


def _write(output: Path, found: Mapping[int, Mapping[str, float]], document: Mapping[str, Any]) -> list[Path]:
    """Write table and JSON; the table goes to a temporary file first, so that a full disk leaves neither."""
    from deepradiomics.files import atomic_file, write_json

    beside = output.with_suffix(".json")
    if output.suffix.lower() == ".json":
        write_json(output, document)
        return [output]
    from deepradiomics.radiomics.catalogue import family_of

    rows = [
        (one, name, family_of(name), float(value))
        for one, features in found.items()
        for name, value in features.items()
    ]
    with atomic_file(output) as temporary:
        if output.suffix.lower() == ".csv":
            with open(temporary, "w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow(_COLUMNS)
                writer.writerows((one, name, family, repr(value)) for one, name, family, value in rows)
        else:
            _write_parquet(temporary, rows)
        write_json(beside, document)
    return [output, beside]


def _write_parquet(path: Path, rows: list[tuple[int, str, str, float]]) -> None:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingDependencyError(
            "a .parquet table needs pyarrow, which is not installed: pip install pyarrow, or choose .csv."
        ) from error
    columns = zip(*rows, strict=True)
    parquet.write_table(pyarrow.table(dict(zip(_COLUMNS, map(list, columns), strict=True))), path)


def _provenance(path: Path, role: str) -> dict[str, str]:
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
    for package in ("numpy", "scipy", "SimpleITK", "numba"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
