"""``deepradiomics ich expansion BASELINE FOLLOWUP -o DIR``: how much a haematoma has grown, and where."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepradiomics.cli.cases import case_name
from deepradiomics.cli.groups import with_groups
from deepradiomics.cli.inputs import existing_model
from deepradiomics.cli.options import CaseId, FollowupLabel, FollowupMask, JsonLines, OutputFolder
from deepradiomics.cli.outputs import check_output, staged
from deepradiomics.cli.reading import ReadingOptions, mask_of_option, note_all, readable
from deepradiomics.cli.session import Session, running
from deepradiomics.cli.shared_groups import RegistrationOptions, SegmentationOptions
from deepradiomics.errors import InputError
from deepradiomics.progress import part
from deepradiomics.words import SYNTHETIC_IN_REAL, made_up_sentence

if TYPE_CHECKING:
    from deepradiomics.images import Mask, Volume
    from deepradiomics.images.reading import Reading


@dataclass(frozen=True)
class ScanOptions:
    """Both scans of a patient."""

    baseline: Annotated[Path, typer.Argument(help="Head CT at admission, HU: a file, or a folder of DICOM.")]
    followup: Annotated[Path, typer.Argument(help="Head CT of the same patient later.")]
    baseline_mask: Annotated[Path | None, typer.Option("--baseline-mask", help="Haematoma in the baseline.")] = None
    followup_mask: FollowupMask = None
    followup_label: FollowupLabel = None
    case_id: CaseId = None

    @property
    def masks(self) -> tuple[Path | None, Path | None]:
        """The masks of both."""
        return self.baseline_mask, self.followup_mask

    def inputs(self, segmentation: SegmentationOptions) -> dict[str, object]:
        """Whose files were read, for expansion.json; a mask that was made here goes by its segmenter."""
        masks = [str(path or segmentation.segmenter) for path in self.masks]
        return {"baseline": str(self.baseline), "followup": str(self.followup), "masks": masks}

    def check(self, segmentation: SegmentationOptions) -> None:
        """Refuse what does not fit together, or is not there.

        Raises:
            InputError: the message names the options.
        """
        for name, path in (("BASELINE", self.baseline), ("FOLLOWUP", self.followup)):
            if not path.exists():
                raise InputError(f"{name} {path}: this file or folder does not exist.")
        for name, mask in zip(("--baseline-mask", "--followup-mask"), self.masks, strict=True):
            if mask is not None:
                readable(mask, name)
            elif segmentation.segmenter is None:
                raise InputError(f"{name} is missing. Give both masks, or --segmenter to segment with.")
        if None not in self.masks and segmentation.given:
            raise InputError(f"{segmentation.given}: with both masks nothing is segmented; leave it, or a mask, out.")
        if segmentation.segmenter is not None:
            existing_model(segmentation.segmenter)

    def readings(self, options: ReadingOptions) -> "tuple[Reading, Reading]":
        """How the baseline's and the follow-up's files are read.

        Raises:
            InputError: an option on labels, and no mask that it belongs to.
        """
        if options.options and self.masks == (None, None):
            raise InputError(f"{options.options}: it belongs to a mask, and none is given.")
        if self.followup_label is not None and self.followup_mask is None:
            raise InputError("--followup-label: it names a label of --followup-mask, and none is given.")
        reading = options.reading()
        return reading, reading.for_label(self.followup_label)


@with_groups
def expansion(
    scans: ScanOptions,
    output: OutputFolder,
    reading: ReadingOptions,
    segmentation: SegmentationOptions,
    registration: RegistrationOptions,
    json_lines: JsonLines = False,
) -> None:
    """Lay the follow-up onto the baseline (rigid), measure both haematomas, and show where it grew.

    Writes expansion.json (volumes and difference in mL, labels > 3, > 6, > 9 mL and > 33 %), expansion.nii.gz
    (1 stable, 2 grown, 3 shrunk), followup_registered.nii.gz, transform.tfm and expansion.png, and the segmentations
    where --segmenter made them.
    """
    with running(json_lines) as session:
        registration.check()
        scans.check(segmentation)
        chosen = scans.readings(reading)
        baseline, followup = scans.baseline, scans.followup
        check_output(output)
        session.progress(0.0, "loading")
        from deepradiomics.cohort.synthetic import is_synthetic_image, shows_real_head
        from deepradiomics.ich.haematoma.expansion import expansion as compute
        from deepradiomics.ich.haematoma.result import ExpansionFolder
        from deepradiomics.images import image_record, write_mask
        from deepradiomics.prepare.head.hu import check_hu
        from deepradiomics.reports.ich.expansion import write_picture

        before, after = (how.read_volume(path) for how, path in zip(chosen, (baseline, followup), strict=True))
        remarks = [
            f"{name}: {note}" for name, ct in (("baseline", before), ("follow-up", after)) for note in check_hu(ct)
        ]
        masks, segmented, segmented_notes = _masks(
            (before, after),
            scans.masks,
            chosen,
            segmentation,
            registration.device,
            session,
        )
        remarks += segmented_notes
        change = compute(
            before,
            after,
            *masks,
            all_labels=True,
            backend=registration.backend,  # type: ignore[arg-type]
            device=registration.device,
            seed=registration.seed,
            case=scans.case_id or case_name(baseline, "ct"),
            progress=part(session.progress, 0.5 if segmented else 0.05, 0.95),
        )
        synthetic = is_synthetic_image(baseline) or is_synthetic_image(followup)
        real_head = synthetic and (shows_real_head(baseline) or shows_real_head(followup))
        notes = [*remarks, *change.notes, *([made_up_sentence(real_head)] if synthetic else [])]
        red = (SYNTHETIC_IN_REAL if real_head else "SYNTHETIC") if synthetic else ""
        record = {
            **change.to_dict(),
            "synthetic": synthetic,
            "real_head": real_head,
            "inputs": scans.inputs(segmentation),
            "images": {"baseline": image_record(before), "followup": image_record(after)},
            "notes": notes,
            **({"reading": choices} if (choices := chosen[0].to_dict()) else {}),
        }
        with staged(output) as folder:
            change.transform.write(folder / "transform.tfm")
            for name, mask in segmented.items():
                write_mask(mask, folder / f"{name}_mask.nii.gz")
            write_picture(before, change, folder / "expansion.png", synthetic=red)
            ExpansionFolder(record, change.change, change.followup).write(folder)
        session.progress(1.0, "done")
        note_all(session, notes)
        session.result(
            "\n".join([_verdict(record), str(output)]),
            folder=str(output),
            expansion=record,
        )


def _masks(
    images: tuple["Volume", "Volume"],
    files: tuple[Path | None, Path | None],
    readings: "tuple[Reading, Reading]",
    options: SegmentationOptions,
    device: str,
    session: Session,
) -> tuple[tuple["Mask", "Mask"], dict[str, "Mask"], list[str]]:
    """The two masks, those of them that were segmented here, and notes."""
    from deepradiomics.ich.haematoma.expansion import followup_region

    masks: list[Mask] = []
    segmented: dict[str, Mask] = {}
    notes: list[str] = []
    segmenter = None
    named = zip(("baseline", "followup"), images, files, readings, strict=True)
    for number, (name, image, file, reading) in enumerate(named):
        if file is not None:
            mask = mask_of_option(reading, file, f"--{name}-mask", image)
            if number == 1:
                masks.append(followup_region(reading, mask, f"--followup-mask {file}"))
            else:
                masks.append(reading.region(mask, f"--baseline-mask {file}") if mask.labels_present() else mask)
            continue
        if segmenter is None:
            from deepradiomics.networks.segmenter import load_segmenter

            assert options.segmenter is not None
            segmenter = load_segmenter(options.segmenter, device=device)
        result = segmenter.segment(
            image,
            flips=options.flips,
            largest=options.largest,
            case=name,
            progress=part(session.progress, 0.05 + 0.2 * number, 0.25 + 0.2 * number),
        )
        notes += [f"{name}: {note}" for note in result.notes]
        segmented[name] = result.mask
        masks.append(result.mask)
    return (masks[0], masks[1]), segmented, notes


def _verdict(record: dict) -> str:  # type: ignore[type-arg]
    from deepradiomics.ich.cohort.manifest import title_of

    passed = [title_of(name) for name, exceeded in record["labels"].items() if exceeded]
    return (
        f"{record['baseline_ml']:.2f} mL -> {record['followup_ml']:.2f} mL: {record['difference_ml']:+.2f} mL "
        f"({record['relative']:+.0%}); {', '.join(passed) or 'no limit passed'}"
    )
