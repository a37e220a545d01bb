"""``deepradiomics ich expansion BASELINE FOLLOWUP -o DIR``: how much a haematoma has grown, and where."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepradiomics.cli.cases import case_name
from deepradiomics.cli.options import CaseId, DeviceName, JsonLines, OutputFolder, Seed, existing_file, existing_model
from deepradiomics.cli.outputs import check_output, staged
from deepradiomics.cli.session import Session, running
from deepradiomics.devices import checked_device
from deepradiomics.errors import InputError

if TYPE_CHECKING:
    from deepradiomics.images import Mask, Volume


def expansion(
    baseline: Annotated[Path, typer.Argument(help="Head CT at admission, HU: a file, or a folder of DICOM.")],
    followup: Annotated[Path, typer.Argument(help="Head CT of the same patient later.")],
    output: OutputFolder,
    baseline_mask: Annotated[Path | None, typer.Option("--baseline-mask", help="Haematoma in the baseline.")] = None,
    followup_mask: Annotated[Path | None, typer.Option("--followup-mask", help="Haematoma in the follow-up.")] = None,
    label: Annotated[
        int | None, typer.Option("--label", help="Label of the haematoma in the masks.  (default: every label)")
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="Segments what has no mask: a bundle, or an nnU-Net v2 folder.")
    ] = None,
    flips: Annotated[bool, typer.Option("--flips", help="Segment with test-time flips.")] = False,
    largest: Annotated[bool, typer.Option("--largest", help="Keep the largest component of a segmentation.")] = False,
    backend: Annotated[str, typer.Option("--backend", help="auto, cpu (SimpleITK) or gpu (torch).")] = "auto",
    case_id: CaseId = None,
    seed: Seed = 0,
    device: DeviceName = "auto",
    json_lines: JsonLines = False,
) -> None:
    """Lay the follow-up onto the baseline (rigid), measure both haematomas, and show where it grew.

    Writes expansion.json (volumes and difference in mL, labels > 3, > 6, > 9 mL and > 33 %), expansion.nii.gz
    (1 stable, 2 grown, 3 shrunk), followup_registered.nii.gz, transform.tfm and expansion.png, and the segmentations
    where --model made them.
    """
    with running(json_lines) as session:
        if backend not in ("auto", "cpu", "gpu"):
            raise InputError(f"--backend: expected one of auto, cpu, gpu, got {backend!r}.")
        for name, path in (("BASELINE", baseline), ("FOLLOWUP", followup)):
            if not path.exists():
                raise InputError(f"{name} {path}: this file or folder does not exist.")
        for name, mask in (("--baseline-mask", baseline_mask), ("--followup-mask", followup_mask)):
            if mask is not None:
                existing_file(mask, name)
            elif model is None:
                raise InputError(f"{name} is missing. Give both masks, or --model to segment with.")
        if baseline_mask is not None and followup_mask is not None and (model is not None or flips or largest):
            raise InputError(
                "--model, --flips, --largest: with both masks nothing is segmented; leave them, or a mask, out."
            )
        if model is not None:
            existing_model(model)
        checked_device(device)
        check_output(output)
        session.progress(0.0, "loading")
        from deepradiomics.cohort.synthetic import is_synthetic_image
        from deepradiomics.files import write_json
        from deepradiomics.ich.expansion import expansion as compute
        from deepradiomics.images import image_record, read_volume, write_mask, write_volume
        from deepradiomics.prepare.hu import check_hu
        from deepradiomics.progress import part
        from deepradiomics.results.ich_expansion import write_picture

        before, after = read_volume(baseline), read_volume(followup)
        remarks = [
            f"{name}: {note}" for name, ct in (("baseline", before), ("follow-up", after)) for note in check_hu(ct)
        ]
        masks, segmented, said = _masks(
            (before, after), (baseline_mask, followup_mask), label, model, session, device, flips=flips, largest=largest
        )
        remarks += said
        found = compute(
            before, after, *masks, backend=backend, device=device, seed=seed, case=case_id or case_name(baseline, "ct"),  # type: ignore[arg-type]
            progress=part(session.progress, 0.5 if segmented else 0.05, 0.95),
        )  # fmt: skip
        synthetic = is_synthetic_image(baseline) or is_synthetic_image(followup)
        notes = [*remarks, *found.notes]
        record = {
            **found.to_dict(),
            "synthetic": synthetic,
            "inputs": {"baseline": str(baseline), "followup": str(followup), "masks": [
                str(path or model) for path in (baseline_mask, followup_mask)
            ]},
            "images": {"baseline": image_record(before), "followup": image_record(after)},
            "notes": notes,
        }  # fmt: skip
        with staged(output) as folder:
            write_mask(found.change, folder / "expansion.nii.gz")
            write_volume(found.followup, folder / "followup_registered.nii.gz")
            found.transform.write(folder / "transform.tfm")
            for name, made in segmented.items():
                write_mask(made, folder / f"{name}_mask.nii.gz")
            write_picture(before, found, folder / "expansion.png", synthetic=synthetic)
            write_json(folder / "expansion.json", record)
        session.progress(1.0, "done")
        session.result(
            "\n".join([_verdict(record), *(f"Note: {note}" for note in notes), str(output)]),
            folder=str(output),
            expansion=record,
        )


def _masks(
    images: tuple["Volume", "Volume"],
    files: tuple[Path | None, Path | None],
    label: int | None,
    model: Path | None,
    session: Session,
    device: str,
    *,
    flips: bool,
    largest: bool,
) -> tuple[tuple["Mask", "Mask"], dict[str, "Mask"], list[str]]:
    """The two masks, those of them that were segmented here, and notes."""
    from deepradiomics.images import Mask, read_mask
    from deepradiomics.progress import part

    masks: list[Mask] = []
    segmented: dict[str, Mask] = {}
    notes: list[str] = []
    segmenter = None
    for number, (name, image, file) in enumerate(zip(("baseline", "followup"), images, files, strict=True)):
        if file is not None:
            mask = read_mask(file)
            masks.append(mask if label is None else Mask(mask.region(label), mask.geometry, mask.name, mask.source))
            continue
        if segmenter is None:
            from deepradiomics.networks.segmenter import load_segmenter

            assert model is not None
            segmenter = load_segmenter(model, device=device)
        made = segmenter.segment(
            image, flips=flips, largest=largest, case=name,
            progress=part(session.progress, 0.05 + 0.2 * number, 0.25 + 0.2 * number),
        )  # fmt: skip
        notes += [f"{name}: {note}" for note in made.notes]
        segmented[name] = made.mask
        masks.append(made.mask)
    return (masks[0], masks[1]), segmented, notes


def _verdict(record: dict) -> str:  # type: ignore[type-arg]
    from deepradiomics.ich.cohort import title_of

    passed = [title_of(name) for name, exceeded in record["labels"].items() if exceeded]
    return (
        f"{record['baseline_ml']:.2f} mL -> {record['followup_ml']:.2f} mL: {record['difference_ml']:+.2f} mL "
        f"({record['relative']:+.0%}); {', '.join(passed) or 'no limit passed'}"
    )
