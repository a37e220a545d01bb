"""Every bad input we know of, and what the command line says to it.

``python -m Testing.cli.bad.bad_inputs`` prints the list with the messages.
"""

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from unittest import mock

from deepradiomics.errors import InputError
from Testing.cli import material
from Testing.cli.bad.bad_input import OUTPUT, BadInput
from Testing.cli.bad.bad_inputs_ich import BAD_CALLS_ICH, BAD_INPUTS_ICH, WARNED_INPUTS_ICH
from Testing.cli.bad.bad_inputs_lens import BAD_INPUTS_LENS
from Testing.cli.bad.bad_inputs_tables import BAD_INPUTS_TABLES
from Testing.cli.bad.bad_inputs_training import BAD_INPUTS_TRAINING
from Testing.cli.run_cli import Finished, run_cli


def run_bad_input(case: BadInput, folder: Path, bundle: Path, *options: str) -> Finished:
    """Run one of the list in an empty folder."""
    arguments = case.command(folder, bundle)
    with disk_full() if case.disk_full else contextlib.nullcontext():
        return run_cli([*arguments, *options])


@contextlib.contextmanager
def disk_full() -> Iterator[None]:
    """Let every file that is moved to its place find the disk full."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with mock.patch("deepradiomics.files.atomic.os.replace", full):
        yield


def _extract(image: str = "image", mask: str = "box") -> Callable[[Path, Path], Sequence[object]]:
    def command(folder: Path, _: Path) -> Sequence[object]:
        path = folder / "image.nii.gz"
        if image in ("nan", "constant"):
            material.broken_image(path, image)
        else:
            material.image(path)
        return ["extract", path, material.mask(folder / "mask.nii.gz", mask), "-o", folder / OUTPUT / "features.csv"]

    return command


def _extract_with(*options: object, mask: str = "box") -> Callable[[Path, Path], Sequence[object]]:
    return lambda folder, bundle: [*_extract(mask=mask)(folder, bundle), *options]


def _extract_params(text: str, *options: object) -> Callable[[Path, Path], Sequence[object]]:
    """An extraction, or with ``maps`` as first option maps, with this parameter file."""

    def command(folder: Path, bundle: Path) -> Sequence[object]:
        given = material.params(folder / "params.yaml", text)
        return [*_extract()(folder, bundle), "--params", given, *options]

    return command


def _maps(*options: object, mask: str = "box") -> Callable[[Path, Path], Sequence[object]]:
    def command(folder: Path, _: Path) -> Sequence[object]:
        image, region = material.image(folder / "image.nii.gz"), material.mask(folder / "mask.nii.gz", mask)
        return ["maps", image, region, "-o", folder / OUTPUT, *options]

    return command


def _colours(folder: Path, _: Path) -> Sequence[object]:
    image, mask = material.colour_image(folder / "colours.nrrd"), material.mask(folder / "mask.nii.gz")
    return ["extract", image, mask, "-o", folder / OUTPUT / "features.csv"]


def _extract_manifest(
    rows: list[dict[str, object]], columns: list[str], *options: object
) -> Callable[[Path, Path], Sequence[object]]:
    def command(folder: Path, _: Path) -> Sequence[object]:
        material.image(folder / "cohort" / "a.nrrd")
        material.mask(folder / "cohort" / "a_mask.nrrd")
        material.mask(folder / "cohort" / "empty.nrrd", "empty")
        manifest = material.manifest(folder / "cohort", rows, columns)
        return ["extract", "--manifest", manifest, "-o", folder / OUTPUT / "features.csv", *options]

    return command


def _train(
    rows: list[dict[str, object]], columns: list[str] | None = None, *options: object
) -> Callable[[Path, Path], Sequence[object]]:
    def command(folder: Path, _: Path) -> Sequence[object]:
        manifest = material.manifest(folder / "cohort", rows, columns)
        return ["fingerprint", "train", manifest, "-o", folder / OUTPUT, "--preset", "tiny", *options]

    return command


def _apply(image: str = "image", *options: object, mask: str | None = None) -> Callable[[Path, Path], Sequence[object]]:
    def command(folder: Path, bundle: Path) -> Sequence[object]:
        path = folder / "knee.nii.gz"
        if image in ("nan", "constant"):
            material.broken_image(path, image)
        else:
            material.image(path)
        view = [] if "--view" in options else ["--view", f"sagittal={path}"]
        masked = [] if mask is None else ["--mask", material.mask(folder / "mask.nii.gz", mask)]
        named = [str(option).replace("FOLDER", str(folder)) for option in options]
        return ["fingerprint", "apply", *view, *masked, bundle, "-o", folder / OUTPUT, *named]

    return command


def _apply_damaged(damage: Callable[[Path], None]) -> Callable[[Path, Path], Sequence[object]]:
    def command(folder: Path, bundle: Path) -> Sequence[object]:
        copy = folder / "damaged"
        shutil.copytree(bundle, copy)
        damage(copy)
        return _apply()(folder, copy)

    return command


def _flip_a_byte(bundle: Path) -> None:
    weights = bundle / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-100] ^= 0xFF
    weights.write_bytes(bytes(data))


def _cut(bundle: Path) -> None:
    weights = bundle / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


def _false_dicom(folder: Path, _: Path) -> Sequence[object]:
    mask = material.mask(folder / "mask.nii.gz")
    return ["extract", material.false_dicom(folder / "dicom"), mask, "-o", folder / OUTPUT / "features.csv"]


def _no_image(folder: Path, _: Path) -> Sequence[object]:
    mask = material.mask(folder / "mask.nii.gz")
    return ["extract", folder / "nowhere.nii.gz", mask, "-o", folder / OUTPUT / "features.csv"]


def _cut_image(folder: Path, bundle: Path) -> Sequence[object]:
    command = _extract()(folder, bundle)
    image = folder / "image.nii.gz"
    image.write_bytes(image.read_bytes()[:-2000])
    return command


def _text_as_image(folder: Path, bundle: Path) -> Sequence[object]:
    (folder / "notes.nii.gz").write_text("this is no image", encoding="utf-8")
    mask = material.mask(folder / "mask.nii.gz")
    return ["extract", folder / "notes.nii.gz", mask, "-o", folder / OUTPUT / "features.csv"]


def _register(*options: object) -> Callable[[Path, Path], Sequence[object]]:
    def command(folder: Path, _: Path) -> Sequence[object]:
        fixed = material.image(folder / "fixed.nii.gz")
        return ["register", fixed, material.broken_image(folder / "moving.nii.gz", "constant"), "-o", folder / OUTPUT]

    return lambda folder, bundle: [*command(folder, bundle), *options]


_EIGHT: list[dict[str, object]] = [{"id": f"k{n}", "label_acl": n % 2} for n in range(8)]

_ONE_POSITIVE: list[dict[str, object]] = [{"id": f"k{n}", "label_acl": int(n == 0)} for n in range(8)]

BAD_INPUTS: tuple[BadInput, ...] = (
    BadInput("image file missing", _no_image, ("nowhere.nii.gz", "does not exist")),
    BadInput("NIfTI file cut short", _cut_image, ("image.nii.gz", "cut short")),
    BadInput("unreadable DICOM folder", _false_dicom, ("dicom", "DICOM")),
    BadInput("a text file as image", _text_as_image, ("notes.nii.gz", "could not be read")),
    BadInput("mask empty", _extract(mask="empty"), ("mask", "empty")),
    BadInput("mask of one voxel", _extract(mask="one-voxel"), ("voxel",)),
    BadInput(
        "mask on another grid",
        _extract(mask="other-grid"),
        ("spacing", "mm apart", "allowed are 0.0012 mm", "geometryTolerance", "correctMask"),
    ),
    BadInput("mask without the label asked for", _extract_with("--label", 1, mask="label-7"), ("label 1", "7")),
    BadInput("several labels and none named", _extract(mask="two"), ("2 labels: 1, 2", "--label", "--all-labels")),
    BadInput("a segment that is not there", _extract_with("--segment", "core"), ("core", "none")),
    BadInput("a label and a segment", _extract_with("--label", 1, "--segment", "a"), ("--label", "--segment")),
    BadInput("label names of no file", _extract_with("--label-names", "none.txt"), ("--label-names", "none.txt")),
    BadInput("a ring without a width", _extract_with("--ring", "0"), ("--ring", "'0'", "2:5")),
    BadInput("a ring that ends before it begins", _extract_with("--ring", "5:2"), ("--ring", "'5:2'")),
    BadInput("a mask for no ring", _extract_with("--ring-within", "brain.nrrd"), ("--ring-within", "--ring 5")),
    BadInput(
        "a ring within no file",
        _extract_with("--ring", "5", "--ring-within", "brain.nrrd"),
        ("--ring-within", "brain.nrrd"),
    ),
    BadInput("a ring with no voxel in it", _extract_with("--ring", "0.1"), ("no voxel lies in", "mm apart")),
    BadInput("slice spacing of another header", _extract_with("--slice-spacing", "Gap"), ("SliceThickness", "'Gap'")),
    BadInput("a threshold above 1", _extract_with("--seg-threshold", "50"), ("--seg-threshold", "50")),
    BadInput("an empty stack", _extract_with("--stack", " "), ("--stack",)),
    BadInput("a case id for a long table", _extract_with("--case-id", "a"), ("--case-id", "--wide")),
    BadInput("image with NaN", _extract("nan"), ("NaN",)),
    BadInput("unknown feature settings", _extract_with("--params", "nonsense"), ("nonsense",)),
    BadInput("mask of a line of voxels", _extract(mask="line"), ("dimension", "minimumROIDimensions")),
    BadInput(
        "region below its minimum size",
        _extract_params("setting: {minimumROISize: 100000}"),
        ("minimumROISize", "100000"),
    ),
    BadInput("image with three numbers per voxel", _colours, ("one grey value per voxel", "3")),
    BadInput(
        "too many grey levels",
        _extract_params("setting: {binWidth: 0.000001}"),
        ("bins", "binWidth"),
    ),
    BadInput("unknown setting", _extract_params("setting: {binWith: 5}"), ("binWith", "binWidth")),
    BadInput("setting of a wrong kind", _extract_params("setting: {binWidth: wide}"), ("binWidth", "wide", "number")),
    BadInput("unknown section", _extract_params("settings: {binWidth: 5}"), ("settings", "setting")),
    BadInput("unknown image type", _extract_params("imageType: {Wavelets: {}}"), ("Wavelets", "Wavelet")),
    BadInput("unknown wavelet", _extract_params("imageType: {Wavelet: {wavelet: coif99}}"), ("coif99", "wavelet")),
    BadInput("unknown feature", _extract_params("featureClass: {glcm: [Contrst]}"), ("Contrst", "Contrast")),
    BadInput("unknown feature class", _extract_params("featureClass: {gclm: []}"), ("gclm", "glcm")),
    BadInput("a parameter file that is no YAML", _extract_params("setting: {binWidth: [5"), ("params.yaml", "YAML")),
    BadInput("unknown standard", _extract_with("--standard", "isbi"), ("standard", "isbi", "ibsi")),
    BadInput("memory budget below zero", _extract_with("--max-memory-gb", "-1"), ("memory",)),
    BadInput(
        "texture matrices too large for the memory given",
        _extract_params("setting: {binWidth: 0.001}", "--max-memory-gb", "0.001"),
        ("matrices", "grey levels", "budget", "binWidth"),
    ),
    BadInput("mask left out", lambda f, b: [*_extract()(f, b)[:2], "-o", f / OUTPUT / "a.csv"], ("MASK",)),
    BadInput("table left out", lambda f, b: _extract()(f, b)[:3], ("--output",)),
    BadInput("label and all labels", _extract_with("--label", "1", "--all-labels"), ("--label", "--all-labels")),
    BadInput("workers for one case", _extract_with("--workers", "2"), ("--workers", "--threads")),
    BadInput(
        "a manifest as image",
        lambda f, b: ["extract", material.manifest(f / "c", []), "-o", f / OUTPUT / "a.csv"],
        ("--manifest",),
    ),
    BadInput(
        "extraction of cases without masks",
        _extract_manifest([{"id": "a", "image": "a.nrrd"}], ["id", "image"]),
        ("mask", "a"),
    ),
    BadInput(
        "extraction of cases of which none can be used",
        _extract_manifest([{"id": "a", "image": "a.nrrd", "mask": "empty.nrrd"}], ["id", "image", "mask"]),
        ("its only case cannot be used", "Case a", "empty"),
    ),
    BadInput(
        "extraction manifest with an unknown column",
        _extract_manifest([{"id": "a", "imge": "a.nrrd", "mask": "a_mask.nrrd"}], ["id", "imge", "mask"]),
        ("imge", "image"),
    ),
    BadInput(
        "a misspelt feature to explain", lambda f, b: ["features", "explain", "glcm_Contrst"], ("glcm_Contrast",)
    ),
    BadInput("unknown preset to list", lambda f, b: ["features", "list", "--params", "lense"], ("lense", "lens")),
    BadInput("maps of shape", _maps("--features", "shape"), ("shape", "region")),
    BadInput("maps of an unknown feature", _maps("--features", "glcm_Contrst"), ("Contrst", "glcm_Contrast")),
    BadInput("maps with a radius of nothing", _maps("--features", "glcm", "--kernel-radius", "0"), ("radius",)),
    BadInput("maps of an empty mask", _maps("--features", "firstorder", mask="empty"), ("mask", "empty")),
    BadInput(
        "maps too large for the memory given",
        _maps("--features", "glcm", "--max-memory-gb", "0.000001"),
        ("memory", "GB"),
    ),
    BadInput("device that is not there", _extract_with("--device", "cdua"), ("device", "cdua")),
    BadInput("table of unknown kind", lambda f, b: [*_extract()(f, b)[:-1], f / OUTPUT / "a.xlsx"], (".xlsx", ".csv")),
    BadInput("output folder is a file", lambda f, b: [*_register()(f, b)[:-1], f / "fixed.nii.gz"], ("fixed.nii.gz",)),
    BadInput("no space on the disk", _extract(), ("no space",), disk_full=True),
    BadInput("registration of a constant image", _register(), ("constant",)),
    BadInput("unknown metric", _register("--metric", "ssd"), ("--metric", "ssd", "ncc")),
    BadInput("manifest missing", lambda f, b: ["fingerprint", "train", f / "no.csv", "-o", f / OUTPUT], ("no.csv",)),
    BadInput(
        "manifest with an unknown column",
        _train(_EIGHT, ["id", "sagittal", "label_acl", "colour"]),
        ("colour",),
    ),
    BadInput("manifest with a duplicate id", _train([*_EIGHT, {"id": "k3", "label_acl": 1}]), ("k3",)),
    BadInput("manifest with a missing label", _train([*_EIGHT, {"id": "k9"}]), ("k9", "acl")),
    BadInput(
        "manifest that names an absent file",
        _train([*_EIGHT, {"id": "k9", "sagittal": "gone.nii.gz", "label_acl": 1}]),
        ("k9", "gone.nii.gz"),
    ),
    BadInput("a class with one case", _train(_ONE_POSITIVE), ("acl",)),
    BadInput("unknown task", _train(_EIGHT, None, "--tasks", "acm"), ("acm", "acl")),
    BadInput("unknown preset", _train(_EIGHT, None, "--preset", "huge"), ("--preset", "huge")),
    BadInput("bundle missing", lambda f, b: _apply()(f, f / "nowhere"), ("nowhere", "bundle")),
    BadInput("bundle with a changed byte", _apply_damaged(_flip_a_byte), ("model.safetensors",), bundle=True),
    BadInput("bundle cut short", _apply_damaged(_cut), ("model.safetensors",), bundle=True),
    BadInput(
        "bundle without its description",
        _apply_damaged(lambda bundle: (bundle / "bundle.json").unlink()),
        ("bundle.json",),
        bundle=True,
    ),
    BadInput("view missing on disk", _apply("image", "--view", "sagittal=gone.nii.gz"), ("gone.nii.gz",)),
    BadInput("view without a name", _apply("image", "--view", "knee.nii.gz"), ("NAME=PATH",)),
    BadInput("no input at all", lambda f, b: ["fingerprint", "apply", f, "-o", f / OUTPUT], ("--view",)),
    BadInput("view unknown to the bundle", _apply("image", "--view", "lateral=FOLDER/knee.nii.gz"), ("lateral",), True),
    BadInput("constant image", _apply("constant"), ("constant",), bundle=True),
    BadInput("image with NaN, applied", _apply("nan"), ("NaN",), bundle=True),
    BadInput("ROI outside the volume", _apply("image", "--roi-box", "900,0,0,20,20,20"), ("outside",), bundle=True),
    BadInput("ROI of five numbers", _apply("image", "--roi-box", "0,0,0,20,20"), ("--roi-box", "5")),
    BadInput("ROI label without a mask", _apply("image", "--label", "1"), ("--label", "--mask")),
    BadInput("mask of several labels", _apply("image", mask="two"), ("2 labels: 1, 2", "--label"), bundle=True),
    BadInput("ROI label that is absent", _apply("image", "--label", "3", mask="box"), ("label 3",), bundle=True),
    BadInput("segment of one voxel", _apply("image", "--label", "1", mask="one-voxel"), ("voxel",), bundle=True),
    BadInput("a patch without the segment", _apply("image", "--label", "1", mask="l-shape"), ("patch",), True),
    BadInput("batch folder without cases", lambda f, b: [*_batch(f, b)], ("no case",)),
    *BAD_INPUTS_LENS,
    *BAD_INPUTS_ICH,
    *BAD_INPUTS_TABLES,
    *BAD_INPUTS_TRAINING,
)  # fmt: skip


def remarks_of(found: Finished) -> list[str]:
    """What a command that did its work says to be careful about."""
    result = found.result
    notes = [
        note
        for record in (result, result.get("case"), result.get("expansion"))
        for note in (record or {}).get("notes", [])
    ]
    return list(dict.fromkeys([*result.get("warnings", []), *notes]))


def _batch(folder: Path, bundle: Path) -> Sequence[object]:
    (folder / "empty").mkdir()
    return ["fingerprint", "apply", "--folder", folder / "empty", folder, "-o", folder / OUTPUT]


def main() -> None:
    """Print the list: mistake, exit code, message."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        bundle = material.tiny_bundle(root / "model")
        for number, case in enumerate(BAD_INPUTS, start=1):
            folder = root / f"case{number}"
            folder.mkdir()
            found = run_bad_input(case, folder, bundle)
            message = " ".join(found.err.split()).replace(str(folder), "…").replace(str(root), "…")
            print(f"{number:2}. {case.what} (exit code {found.code})\n    {message}")
        for number, case in enumerate(WARNED_INPUTS_ICH, start=len(BAD_INPUTS) + 1):
            folder = root / f"case{number}"
            folder.mkdir()
            found = run_bad_input(case, folder, bundle, "--json")
            remarks = "\n    ".join(remarks_of(found)).replace(str(folder), "…")
            print(f"{number:2}. {case.what} (warned, exit code {found.code})\n    {remarks}")
        for call in BAD_CALLS_ICH:
            try:
                call.call()
            except InputError as error:
                print(f" *. {call.what} (library)\n    {error}")


if __name__ == "__main__":
    main()
