"""``deepradiomics register FIXED MOVING -o OUTDIR``: one affine or rigid motion that lays one image onto another."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from deepradiomics import __version__
from deepradiomics.cli.groups import with_groups
from deepradiomics.cli.options import JsonLines, OutputFolder
from deepradiomics.cli.outputs import check_output, staged
from deepradiomics.cli.reading import ImageOptions
from deepradiomics.cli.session import running
from deepradiomics.cli.shared_groups import RegistrationOptions
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_json
from deepradiomics.options import check_choice


@dataclass(frozen=True)
class MotionOptions(RegistrationOptions):
    """How images are registered, by which measure and which motion."""

    metric: Annotated[str, typer.Option("--metric", help="mi (mutual information) or ncc.")] = "mi"
    transform: Annotated[str, typer.Option("--transform", help="affine, or rigid for two scans of one patient.")] = (
        "affine"
    )

    def check(self) -> None:
        """Raise InputError where an option is unknown."""
        check_choice("--metric", self.metric, ("mi", "ncc"))
        check_choice("--transform", self.transform, ("affine", "rigid"))
        super().check()


@with_groups
def register(
    fixed: Annotated[Path, typer.Argument(help="Image that stays where it is.")],
    moving: Annotated[Path, typer.Argument(help="Image that is laid onto it.")],
    output: OutputFolder,
    reading: ImageOptions,
    registration: MotionOptions,
    json_lines: JsonLines = False,
) -> None:
    """Register MOVING to FIXED by an affine or a rigid motion in physical space.

    Writes transform.tfm (ITK: points of FIXED to points of MOVING; 3D Slicer loads it), registered.nii.gz (MOVING on
    the grid of FIXED) and registration.json, whose quality says how far the result is to be believed.
    """
    with running(json_lines) as session:
        for name, path in (("FIXED", fixed), ("MOVING", moving)):
            if not path.exists():
                raise InputError(f"{name} {path}: this file or folder does not exist.")
        registration.check()
        check_output(output)
        session.progress(0.0, "loading")
        from deepradiomics.images import write_volume
        from deepradiomics.prepare import register as compute
        from deepradiomics.prepare import resample

        how = reading.reading()
        target, source = how.read_volume(fixed), how.read_volume(moving)
        notes = [*(f"FIXED: {note}" for note in target.notes), *(f"MOVING: {note}" for note in source.notes)]
        for note in notes:
            session.note(note)
        registered = compute(
            target,
            source,
            backend=registration.backend,  # type: ignore[arg-type]
            metric=registration.metric,  # type: ignore[arg-type]
            transform=registration.transform,  # type: ignore[arg-type]
            seed=registration.seed,
            device=registration.device,
            progress=session.progress,
        )
        assert registered.quality is not None
        with staged(output) as folder:
            registered.transform.write(folder / "transform.tfm")
            write_volume(
                resample(source, target.geometry, transform=registered.transform), folder / "registered.nii.gz"
            )
            report = {
                "kind": "registration",
                "software": "deepradiomics",
                "version": __version__,
                "transform": registered.transform.to_dict(),
                "convention": "LPS millimetres; maps points of the fixed image to points of the moving image",
                "transform_kind": registration.transform,
                "metric": registered.metric,
                "metric_value": registered.metric_value,
                "backend": registered.backend,
                "seconds": registered.seconds,
                "quality": registered.quality.to_dict(),
                "notes": notes,
            }
            write_json(folder / "registration.json", report)
        for warning in registered.quality.warnings:
            session.warn(warning)
        session.progress(1.0, "done")
        session.result(
            f"{registered.metric} {registered.metric_value:.4f}, backend {registered.backend}, "
            f"{registered.seconds:.1f} s\n{output}",
            folder=str(output),
            metric=registered.metric,
            metric_value=registered.metric_value,
            backend=registered.backend,
            seconds=registered.seconds,
            quality=registered.quality.to_dict(),
        )
