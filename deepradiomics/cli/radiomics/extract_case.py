"""``deepradiomics extract IMAGE MASK``: one case, as a row per feature or (``--wide``) a row per region."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.cli.cases import case_name
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.radiomics.extract_document import document_of, has_plain_name, provenance_of
from deepradiomics.cli.radiomics.feature_rows import write_regions
from deepradiomics.cli.radiomics.feature_tables import STANDARD_OUTPUT, write_long
from deepradiomics.cli.remarks import grouped, told_labels
from deepradiomics.cli.session import Session
from deepradiomics.files.atomic import atomic_file, write_json

if TYPE_CHECKING:
    from deepradiomics.cohort.regions.features import Extraction


def extract_case(
    image: Path,
    mask: Path,
    output: Path,
    extraction: "Extraction",
    session: Session,
    start: float,
    *,
    wide: bool = False,
    case_id: str | None = None,
) -> None:
    """Extract the regions of one case and write table and JSON.

    Raises:
        InputError: image, mask or a setting cannot be used.
    """
    from deepradiomics.cohort.regions.dicom import dicom_writer
    from deepradiomics.cohort.regions.features import described, region_features, scanner_of, warnings_of
    from deepradiomics.radiomics.region.inputs import load, plane_settings

    inputs = load(image, mask, extraction.settings, extraction.reading)
    scanner, scanner_notes = scanner_of(image, extraction.reading) if extraction.scanner else ({}, ())
    folder = extraction.dicom_out
    write_dicom = None if folder is None else dicom_writer(folder, image, mask, inputs, extraction)
    ready_kernels(session)
    result = region_features(inputs, extraction, progress=session.progress)
    dicom_notes = () if write_dicom is None else write_dicom(result.found)
    for note in (*result.notes, *scanner_notes, *dicom_notes):
        session.note(note)
    for text in grouped(warnings_of(result)):
        session.warn(text)
    counts = [len(features) for features in result.found.values()]
    document = document_of(plane_settings(extraction.settings, inputs.dimensions), counts, start, extraction.device)
    document |= described(result)
    document["notes"] = [*document["notes"], *scanner_notes, *dicom_notes]
    document |= {"scanner": scanner} if extraction.scanner else {}
    document["provenance"] |= {
        "image": provenance_of(image, "image"),
        "mask": provenance_of(mask, "mask"),
        "notes": [*inputs.original.notes],
    }
    if wide:
        name = case_id or (case_name(image, "image") if has_plain_name(image) else "image")
        case = {"id": name, "view": "image", "region": "", "scanner": scanner, "labels": document["labels"]}
        files = write_regions(output, [case], {}, document)
    else:
        files = _write(output, document, scanner)
    session.progress(1.0, "done")
    sizes = told_labels([(label, len(features)) for label, features in result.found.items()])
    place = "" if output == STANDARD_OUTPUT else f"\n{output}"
    place += "" if folder is None else f"\n{folder}"
    session.result(f"{sizes}{place}", files=[str(file) for file in files], labels=list(result.found))


def _write(output: Path, document: Mapping[str, Any], scanner: Mapping[str, Any]) -> list[Path]:
    """Write table and JSON; the table goes to a temporary file first, so that a full disk leaves neither."""

    if output == STANDARD_OUTPUT:
        write_long(output, document["labels"], scanner)
        return []
    if output.suffix.lower() == ".json":
        write_json(output, document)
        return [output]
    beside = output.with_suffix(".json")
    with atomic_file(output) as temporary:
        write_long(temporary, document["labels"], scanner)
        write_json(beside, document)
    return [output, beside]
