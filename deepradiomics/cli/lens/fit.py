"""``deepradiomics lens fit MANIFEST -o OUT``: what fine-tuning changed in an encoder, in radiomic terms."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.lens_output import check_fit_output
from deepradiomics.cli.lens_shown import shown_case
from deepradiomics.cli.options import (
    Cluster,
    ConfigFile,
    DeviceName,
    JsonLines,
    OutputFolder,
    Preset,
    Seed,
    Workers,
    check_preset,
    comma_list,
    existing_file,
)
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.session import Session, running
from deepradiomics.errors import InputError
from deepradiomics.words import count

if TYPE_CHECKING:
    from deepradiomics.lens.config import LensConfig
    from deepradiomics.lens.embeddings import Embeddings
    from deepradiomics.networks.encoder import Encoder

_TABLES = (".parquet", ".csv")


def fit(
    manifest: Annotated[Path, typer.Argument(help="CSV: id, patient, view_<modality> …, mask_<roi> …, split.")],
    output: OutputFolder,
    pre: Annotated[
        str | None,
        typer.Option("--pre", help="Encoder before fine-tuning: bundle, module:function, or table of embeddings."),
    ] = None,
    ft: Annotated[str | None, typer.Option("--ft", help="The same after fine-tuning.")] = None,
    finetune: Annotated[
        Path | None,
        typer.Option("--finetune", help="Folder of 'deepradiomics finetune': both encoders, splits and table A1."),
    ] = None,
    splits: Annotated[
        Path | None,
        typer.Option("--splits", help="CSV of id and split, such as splits.csv of a fine-tuning.  (default: manifest)"),
    ] = None,
    task_name: Annotated[
        str | None, typer.Option("--task-name", help="What tables call this fine-tuning, such as 'PIRADS CLS'.")
    ] = None,
    roi: Annotated[
        str | None, typer.Option("--roi", help="Region measured: gland, lesion, any mask_<roi>, ellipsoid.")
    ] = None,
    centre: Annotated[
        str | None,
        typer.Option("--centre", help="Region in whose middle the encoders look.  (default: as they were trained)"),
    ] = None,
    modalities: Annotated[
        str | None, typer.Option("--modalities", help="Modalities measured, separated by commas (all by default).")
    ] = None,
    params: Annotated[
        str | None, typer.Option("--params", help="Features: a preset or PyRadiomics YAML file.  (default: lens)")
    ] = None,
    preset: Preset = None,
    config: ConfigFile = None,
    hidden: Annotated[int | None, typer.Option("--hidden", help="Units of the shared layer.")] = None,
    sweep: Annotated[bool, typer.Option("--sweep", help="Choose the penalties on the validation cases.")] = False,
    fit_on: Annotated[
        str | None, typer.Option("--fit-on", help="Embeddings that train the shared layer: pre, ft or both.")
    ] = None,
    permutations: Annotated[
        int | None, typer.Option("--permutations", help="Relabellings for the null of ΔI; 0: none.")
    ] = None,
    bootstraps: Annotated[
        int | None, typer.Option("--bootstraps", help="Samples for the intervals of ΔI; 0: none.")
    ] = None,
    missing: Annotated[
        str | None, typer.Option("--missing", help="Cases that cannot be used: refuse (default) or drop (and list).")
    ] = None,
    layer: Annotated[
        str | None, typer.Option("--layer", help="Layer of both encoders to pool.  (default: the encoder's own)")
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", help="Kept radiomics and embeddings, shared by lenses of a cohort (OUTPUT/cache)."),
    ] = None,
    workers: Workers = 1,
    cluster: Cluster = None,
    device: DeviceName = "auto",
    seed: Seed = 0,
    resume: Annotated[bool, typer.Option("--resume/--no-resume", help="Go on where a stopped run stood.")] = True,
    json_lines: JsonLines = False,
) -> None:
    """Fit a lens and write tables, figures 2 and 3, and report.html.

    Give the encoders by --finetune, or by --pre and --ft. Radiomics and embeddings are kept case by case: a run that
    was stopped goes on where it stood when the command is given again.
    """
    with running(json_lines) as session:
        check_output(output)
        if config is not None:
            existing_file(config, "--config")
        chosen = configuration(
            preset, config, roi=roi, centre=centre, modalities=comma_list(modalities), params=params, hidden=hidden,
            sweep=sweep or None, fit_on=fit_on, permutations=permutations, bootstraps=bootstraps, missing=missing,
        )  # fmt: skip
        if splits is not None and finetune is not None:
            raise InputError("--splits and --finetune: give one of them, a fine-tuning brings its own splits.")
        places = _places(pre, ft, finetune, layer)
        check_fit_output(output)
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort import read_manifest

        cohort = read_manifest(manifest, need_labels=False)
        session.progress(0.0, "loading the encoders")
        before, after = (_source(place, option, layer) for place, option in places)
        from deepradiomics.lens.run import fit_lens
        from deepradiomics.lens.splits import read_splits
        from deepradiomics.results.lens_outputs import write_outputs

        ready_kernels(session)
        found = fit_lens(
            cohort, before, after, chosen, output, task=task_name or "", finetune=finetune, cache=cache, seed=seed,
            splits=None if splits is None else read_splits(existing_file(splits, "--splits")),
            workers=workers, cluster=cluster, device=device, resume=resume,
            progress=lambda fraction, message: session.progress(0.93 * fraction, message),
        )  # fmt: skip
        session.progress(0.93, "map of the case shown")
        shown = shown_case(found, output, session.warn, device)
        session.progress(0.95, "figures and report")
        drawn = write_outputs([found], output, cases=shown)
        session.progress(1.0, "done")
        _tell(session, output, found.about, [*sorted(output.glob("*.csv")), *drawn])


def configuration(preset: str | None, file: Path | None, **given: Any) -> "LensConfig":
    """Return the configuration that ``--preset`` or ``--config`` names, with what single options say instead.

    Raises:
        InputError: both a preset and a file, an unknown preset, or a value that cannot be used.
    """
    check_preset(preset, file)
    from deepradiomics.lens.config import LensConfig, lens_config

    base = LensConfig.read(file) if file is not None else lens_config(preset or "paper")  # type: ignore[arg-type]
    return dataclasses.replace(base, **{name: value for name, value in given.items() if value is not None})


def _places(
    pre: str | None, ft: str | None, finetune: Path | None, layer: str | None
) -> tuple[tuple[str, str], tuple[str, str]]:
    """Where both encoders are, each with the option that says so."""
    if finetune is not None:
        if pre is not None or ft is not None:
            raise InputError(
                f"--finetune and {'--pre' if pre is not None else '--ft'}: give --finetune, which holds both encoders, "
                "or --pre and --ft. (--pre and --ft with --splits RUN/splits.csv keep the splits of a fine-tuning.)"
            )
        _check_finetune(finetune)
        found = {"--pre": str(finetune / "frozen" / "encoder"), "--ft": str(finetune / "tuned" / "encoder")}
    elif pre is None or ft is None:
        raise InputError(
            "which encoders? Give --finetune RUN (a folder of 'deepradiomics finetune'), or both --pre and --ft."
        )
    else:
        found = {"--pre": pre, "--ft": ft}
    for option, place in found.items():
        if _is_finetune(Path(place)):
            raise InputError(
                f"{option} {place}: this is the folder of a fine-tuning, which holds both encoders: give it as "
                f"--finetune {place}, in place of --pre and --ft."
            )
        if _is_table(place):
            existing_file(Path(place), option)
            if layer is not None:
                raise InputError(
                    f"--layer: {option} is a table of embeddings, whose layer was chosen when it was made."
                )
    return (found["--pre"], "--pre"), (found["--ft"], "--ft")


def _is_finetune(folder: Path) -> bool:
    """Whether a folder is one of 'deepradiomics finetune' and none of an encoder."""
    parts = ("frozen", "tuned", "metrics.json")
    return not (folder / "bundle.json").is_file() and any((folder / part).exists() for part in parts)


def _check_finetune(folder: Path) -> None:
    """Say what a folder lacks to be that of a whole fine-tuning."""
    if not folder.is_dir():
        raise InputError(f"--finetune {folder}: expected the folder of a fine-tuning, found none.")
    lacking = [name for name in ("frozen", "tuned") if not (folder / name / "encoder").is_dir()]
    if not lacking:
        return
    if not _is_finetune(folder):
        what = "a pre-training, its encoder is the one before (--pre)" if (folder / "encoder").is_dir() else "none"
        raise InputError(
            f"--finetune {folder}: expected the folder of 'deepradiomics finetune', with frozen/ and tuned/; this is "
            f"{what}."
        )
    raise InputError(
        f"--finetune {folder}: it holds no {' and no '.join(f'{name}/encoder' for name in lacking)}. Was it made with "
        "--only, or stopped? Give the same 'deepradiomics finetune' command again without --only; it goes on."
    )


def _is_table(place: str) -> bool:
    return place.lower().endswith(_TABLES)


def _source(place: str, option: str, layer: str | None) -> "Encoder | Embeddings":
    from deepradiomics.lens.embeddings import Embeddings
    from deepradiomics.networks.encoder import load_encoder

    try:
        return Embeddings.read(place) if _is_table(place) else load_encoder(place, layer=layer)
    except InputError as error:
        raise type(error)(f"{option}: {error}") from error


def _tell(session: Session, output: Path, about: Any, files: list[Path]) -> None:
    """The result in a few lines; warnings are told, lens.json holds everything."""
    for one in about["dropped_cases"][:5]:
        session.warn(f"left out: {one['id']}: {one['reason']}")
    if len(about["dropped_cases"]) > 5:
        session.warn(f"left out: {len(about['dropped_cases']) - 5} more cases; lens.json lists them.")
    if "LEAKAGE" in str(about.get("leakage")):
        session.warn(about["leakage"])
    for text in about["warnings"]:
        session.warn(text)
    found, counts = about["summary"], about["counts"]
    differ = (found["n_beyond_noise_explained"], found["n_beyond_noise"])
    beyond = "" if None in differ else f"; {differ[0]} ΔE and {differ[1]} ΔI differ (permutation, q < 0.05)"
    doubt = f"\n{found['doubt']}" if found["doubt"] else ""
    before, after = (
        "undefined" if found[f"r2_pooled_{stage}"] is None else f"{found[f'r2_pooled_{stage}']:.3f}"
        for stage in ("pre", "ft")
    )
    session.result(
        f"{about['task']}: {count(found['n_features'], 'feature')}, {counts['train']} training and "
        f"{count(counts['test'], 'test case')}\n"
        f"R² {before} before, {after} after (pooled){beyond}{doubt}\n"
        f"{output / 'report.html'}",
        folder=str(output),
        files=[str(file) for file in dict.fromkeys(files)],
        summary=dict(found),
        counts=dict(counts),
        picked=about["picked"],
    )
