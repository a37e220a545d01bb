"""Manifests and names that cannot be used, and what the command line says to them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from Testing.cli import material
from Testing.cli.bad.bad_input import OUTPUT, BadInput


def _extract(text: str | bytes) -> Callable[[Path, Path], Sequence[object]]:
    """An extraction of this manifest; an image a.nrrd and a mask m.nrrd lie beside it."""

    def command(folder: Path, _: Path) -> Sequence[object]:
        material.image(folder / "cohort" / "a.nrrd")
        material.mask(folder / "cohort" / "m.nrrd")
        manifest = folder / "cohort" / "manifest.csv"
        manifest.write_bytes(text if isinstance(text, bytes) else text.encode())
        return ["extract", "--manifest", manifest, "-o", folder / OUTPUT / "features.csv"]

    return command


def _view(name: str) -> Callable[[Path, Path], Sequence[object]]:
    def command(folder: Path, bundle: Path) -> Sequence[object]:
        image = material.image(folder / "a.nrrd")
        return ["fingerprint", "apply", bundle, "--view", f"{name}={image}", "-o", folder / OUTPUT]

    return command


_ROW = "a,a.nrrd,m.nrrd\n"
BAD_INPUTS_TABLES: tuple[BadInput, ...] = (
    BadInput("a quote that is never closed", _extract('id,image,mask\na,"a.nrrd,m.nrrd\n'), ("line 2", "never closed")),
    BadInput("a quote inside a cell", _extract('id,image,mask\na,a".nrrd,m.nrrd\n'), ("line 2", "inside the cell")),
    BadInput("a manifest with semicolons", _extract("id;image;mask\na;a.nrrd;m.nrrd\n"), ("commas", "semicolons")),
    BadInput("a decimal comma", _extract("id,image,mask,age\na,a.nrrd,m.nrrd,1,5\n"), ("line 2", "decimal point")),
    BadInput("a column without a name", _extract("id,image,mask,\na,a.nrrd,m.nrrd,1\n"), ("column 4", "no name")),
    BadInput("a manifest in UTF-16", _extract(f"id,image,mask\n{_ROW}".encode("utf-16")), ("UTF-16", "Save it again")),
    BadInput("a manifest in Latin-1", _extract(b"id,image,mask\nM\xfc,a.nrrd,m.nrrd\n"), ("line 2", "Latin-1")),
    BadInput("a manifest with a NUL byte", _extract(b"id,image,mask\na,a.nrrd\0,m.nrrd\n"), ("line 2", "NUL")),
    BadInput("an endless cell", _extract(f"id,image,mask\n{'a' * 200_000},a.nrrd,m.nrrd\n"), ("line 2", "200000")),
    BadInput("an id of 300 letters", _extract(f"id,image,mask\n{'a' * 300},a.nrrd,m.nrrd\n"), ("Case id", "300 bytes")),
    BadInput("an id that is a device", _extract("id,image,mask\nnul.txt,a.nrrd,m.nrrd\n"), ("nul.txt", "device")),
    BadInput("a view that climbs", _extract(f"id,view_../../x,mask\n{_ROW}"), ("view_../../x", "file name")),
    BadInput("a region that climbs", _extract(f"id,image,mask_../x\n{_ROW}"), ("mask_../x", "cannot be a file name")),
    BadInput(
        "two results in one file",
        _extract("id,view_t2.x,view_x,mask\na,a.nrrd,,m.nrrd\na.t2,,a.nrrd,m.nrrd\n"),
        ("case a, view t2.x", "case a.t2, view x", "share the file"),
    ),
    BadInput("a view option that climbs", _view("../x"), ("--view", "cannot be a file name"), bundle=True),
)
