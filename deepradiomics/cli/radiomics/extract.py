"""``deepradiomics extract IMAGE MASK -o TABLE``, or ``--manifest FILE``: radiomic features, without a model."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepradiomics.cli.groups import with_groups
from deepradiomics.cli.images.dicom_out import DicomOut, check_dicom_out
from deepradiomics.cli.inputs import ring_mm
from deepradiomics.cli.options import (
    MANIFEST_HELP,
    CaseId,
    ConnectedParts,
    JsonLines,
    Ring,
    RingWithin,
    Scanner,
    Standard,
)
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.radiomics.extract_case import extract_case
from deepradiomics.cli.radiomics.extract_document import settings_of
from deepradiomics.cli.radiomics.extract_manifest import extract_manifest
from deepradiomics.cli.radiomics.feature_tables import STANDARD_OUTPUT, check_json_beside, check_table_name
from deepradiomics.cli.reading import LabelsInTurn
from deepradiomics.cli.session import running
from deepradiomics.cli.shared_groups import EngineOptions, ExtractionOptions
from deepradiomics.devices import resolve_device
from deepradiomics.errors import InputError
from deepradiomics.files.names import path_part

if TYPE_CHECKING:
    from deepradiomics.cohort.regions.shapes import RegionShapes


@dataclass(frozen=True)
class ShapeOptions:
    """What is made of the regions before they are measured."""

    connected_parts: ConnectedParts = False
    ring: Ring = None
    ring_within: RingWithin = None

    def shapes(self, manifest: Path | None) -> "RegionShapes":
        """The same as the computing side takes it; ``--ring-within`` of a manifest is a column.

        Raises:
            InputError: a ring that is no distance, or a mask for it that is not there.
        """
        distances = ring_mm(self.ring)
        if self.ring_within is not None and distances is None:
            raise InputError("--ring-within: it cuts the shell of --ring; say how wide that is, for example --ring 5.")
        if self.ring_within is not None and manifest is None and not self.ring_within.exists():
            raise InputError(f"--ring-within {self.ring_within}: this file does not exist.")
        from deepradiomics.cohort.regions.shapes import RegionShapes

        if manifest is not None:
            column = None if self.ring_within is None else str(self.ring_within)
            return RegionShapes(self.connected_parts, distances, within_column=column)
        return RegionShapes(self.connected_parts, distances, within=self.ring_within)


@dataclass(frozen=True)
class CaseFiles:
    """One case, or many."""

    image: Annotated[
        Path | None, typer.Argument(help="Image: NIfTI, NRRD, MHA or a folder of DICOM files.", show_default=False)
    ] = None
    mask: Annotated[
        Path | None,
        typer.Argument(help="Label map, Slicer segmentation, DICOM SEG or RTSTRUCT.", show_default=False),
    ] = None
    manifest: Annotated[Path | None, typer.Option("--manifest", help=MANIFEST_HELP)] = None


@dataclass(frozen=True)
class TableOptions:
    """The table that is written, and what it holds beside features."""

    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Table to write: .csv, .parquet or .json; a .json with the settings "
            "and diagnostics always lies beside it. - writes the table (CSV) alone to standard output.",
            show_default=False,
        ),
    ] = None
    wide: Annotated[
        bool, typer.Option("--wide", help="One case: a row per region and a column per feature, as of a --manifest.")
    ] = False
    case_id: CaseId = None
    scanner: Scanner = False
    dicom_out: DicomOut = None
    allow_failures: Annotated[
        bool, typer.Option("--allow-failures", help="Of a --manifest: exit with 0 although some cases failed.")
    ] = False


@dataclass(frozen=True)
class StandardOptions(EngineOptions):
    """What the engine computes, by which definitions, and where."""

    standard: Standard = None


@with_groups
def extract(
    case: CaseFiles,
    table: TableOptions,
    files: LabelsInTurn,
    shapes: ShapeOptions,
    engine: StandardOptions,
    extraction: ExtractionOptions,
    json_lines: JsonLines = False,
) -> None:
    """Compute the radiomic features of a region (first order, shape, texture), named as PyRadiomics names them.

    A mask with several labels needs --label, --segment or --all-labels; one with a single label does not.
    Image and mask may be two-dimensional: shape2D then takes the place of shape.
    """
    with running(json_lines) as session:
        start = time.perf_counter()
        output = _checked_output(table.output)
        if output == STANDARD_OUTPUT:
            session.keep_out_free()
        _check_sources(case, extraction)
        _check_choices(files, case.manifest, table)
        regions = shapes.shapes(case.manifest)
        check_dicom_out(table.dicom_out, () if case.image is None else [("image", case.image)])
        session.progress(0.0, "loading")
        from deepradiomics.cohort.regions.features import Extraction
        from deepradiomics.radiomics.memory import Budget

        if engine.device != "auto":
            resolve_device(engine.device)  # what is wrong for all cases is reported once, before them
        settings = settings_of(engine.params, engine.standard)
        Budget(engine.max_memory_gb)
        work = Extraction(
            settings,
            files.choice(engine.params),
            regions,
            files.reading(),
            table.scanner,
            table.dicom_out,
            engine.device,
            engine.threads,
            engine.max_memory_gb,
        )
        if case.manifest is not None:
            extract_manifest(
                case.manifest,
                output,
                work,
                session,
                workers=extraction.workers,
                cluster=extraction.cluster,
                allow_failures=table.allow_failures,
            )
        elif case.image is not None and case.mask is not None:
            extract_case(case.image, case.mask, output, work, session, start, wide=table.wide, case_id=table.case_id)


def _checked_output(output: Path | None) -> Path:
    if output is None:
        raise InputError("--output: name the table to write, for example -o features.csv.")
    check_table_name(output)
    if output != STANDARD_OUTPUT:
        check_output(output.parent)
        check_json_beside(output)
    return output


def _check_sources(case: CaseFiles, extraction: ExtractionOptions) -> None:
    """Raise InputError unless there is one source: an image and a mask, or a manifest."""
    image, mask, manifest = case.image, case.mask, case.manifest
    if manifest is not None:
        if image is not None:
            raise InputError("--manifest: it names images and masks itself; leave IMAGE and MASK out.")
        return
    if image is None or mask is None:
        what = "IMAGE and MASK" if image is None else "MASK"
        hint = f" For a table of cases: --manifest {image}." if image and image.suffix.lower() == ".csv" else ""
        raise InputError(f"{what}: missing; give an image and a label map, or --manifest FILE.{hint}")
    if extraction.workers > 1 or extraction.cluster is not None:
        raise InputError("--workers and --cluster: they share out the cases of a --manifest; for one case --threads.")


def _check_choices(files: LabelsInTurn, manifest: Path | None, table: TableOptions) -> None:
    """Raise InputError where options contradict each other, or belong to the other kind of source."""
    wide, case_id = table.wide, table.case_id
    named = {
        "--label": files.label is not None,
        "--segment": files.segment is not None,
        "--all-labels": files.all_labels,
    }
    if sum(named.values()) > 1:
        raise InputError(f"{' and '.join(name for name, is_there in named.items() if is_there)}: give one of them.")
    if manifest is not None and (wide or case_id is not None):
        option = "--wide" if wide else "--case-id"
        raise InputError(f"{option}: a --manifest's table is wide and names its cases itself. Leave it out.")
    if case_id is not None and not wide:
        raise InputError("--case-id: it names the row of a --wide table; add --wide.")
    if case_id is not None:
        path_part(case_id, "--case-id")  # as in a manifest, which such a table may become
