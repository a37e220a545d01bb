"""``deepradiomics register FIXED MOVING -o OUTDIR``: one affine or rigid motion that lays one image onto another."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.options import DeviceName, JsonLines, OutputFolder, Seed
from deepradiomics.cli.outputs import check_output, staged
from deepradiomics.cli.session import running
from deepradiomics.devices import checked_device
from deepradiomics.errors import InputError


def register(
    fixed: Annotated[Path, typer.Argument(help="Image that stays where it is.")],
    moving: Annotated[Path, typer.Argument(help="Image that is laid onto it.")],
    output: OutputFolder,
    backend: Annotated[str, typer.Option("--backend", help="auto, cpu (SimpleITK) or gpu (torch).")] = "auto",
    metric: Annotated[str, typer.Option("--metric", help="mi (mutual information) or ncc.")] = "mi",
    transform: Annotated[
        str, typer.Option("--transform", help="affine, or rigid for two scans of one patient.")
    ] = "affine",
    seed: Seed = 0,
    device: DeviceName = "auto",
    json_lines: JsonLines = False,
) -> None:
    """Register MOVING to FIXED by an affine or a rigid motion in physical space.

    Writes transform.tfm (ITK: points of FIXED to points of MOVING; 3D Slicer loads it), registered.nii.gz (MOVING on
    the grid of FIXED) and registration.json.
    """
    with running(json_lines) as session:
        for option, value, allowed in (
            ("--backend", backend, ("auto", "cpu", "gpu")),
            ("--metric", metric, ("mi", "ncc")),
            ("--transform", transform, ("affine", "rigid")),
        ):
            if value not in allowed:
                raise InputError(f"{option}: expected one of {', '.join(allowed)}, got {value!r}.")
        for name, path in (("FIXED", fixed), ("MOVING", moving)):
            if not path.exists():
                raise InputError(f"{name} {path}: this file or folder does not exist.")
        checked_device(device)
        check_output(output)
        session.progress(0.0, "loading")
        from deepradiomics import __version__
        from deepradiomics.files import write_json
        from deepradiomics.images import read_volume, write_volume
        from deepradiomics.prepare import register as compute
        from deepradiomics.prepare import resample

        target, source = read_volume(fixed), read_volume(moving)
        found = compute(
            target,
            source,
            backend=backend,  # type: ignore[arg-type]
            metric=metric,  # type: ignore[arg-type]
            transform=transform,  # type: ignore[arg-type]
            seed=seed,
            device=device,
            progress=session.progress,
        )
        with staged(output) as folder:
            found.transform.write(folder / "transform.tfm")
            write_volume(resample(source, target.geometry, transform=found.transform), folder / "registered.nii.gz")
            report = {
                "kind": "registration",
                "software": "deepradiomics",
                "version": __version__,
                "transform": found.transform.to_dict(),
                "convention": "LPS millimetres; maps points of the fixed image to points of the moving image",
                "transform_kind": transform,
                "metric": found.metric,
                "metric_value": found.metric_value,
                "backend": found.backend,
                "seconds": found.seconds,
            }
            write_json(folder / "registration.json", report)
        session.progress(1.0, "done")
        session.result(
            f"{found.metric} {found.metric_value:.4f}, backend {found.backend}, {found.seconds:.1f} s\n{output}",
            folder=str(output),
            metric=found.metric,
            metric_value=found.metric_value,
            backend=found.backend,
            seconds=found.seconds,
        )
