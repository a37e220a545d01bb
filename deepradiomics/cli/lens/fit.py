"""``deepradiomics lens fit MANIFEST -o OUT``: what fine-tuning changed in an encoder, in radiomic terms."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepradiomics.cli.groups import Changes, Chosen, comma_list, with_groups
from deepradiomics.cli.inputs import existing_file
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.lens.output import check_fit_output
from deepradiomics.cli.lens.shown import shown_case
from deepradiomics.cli.options import JsonLines, Layer, Modalities, OutputFolder
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.reading import ReadingOptions
from deepradiomics.cli.session import Session, running
from deepradiomics.cli.shared_groups import DistributedRunOptions, SettingOptions
from deepradiomics.errors import InputError
from deepradiomics.lens.config import LensConfig
from deepradiomics.words import count

if TYPE_CHECKING:
    from deepradiomics.lens.encoders.embeddings import Embeddings
    from deepradiomics.networks.encoders.encoder import Encoder

_TABLES = (".parquet", ".csv")


LensChoices = Annotated[
    Changes, Chosen(LensConfig, "roi", "centre", "hidden", "sweep", "fit_on", "permutations", "bootstraps", "missing")
]


@dataclass(frozen=True)
class EncoderOptions:
    """Where the encoders before and after fine-tuning are, and on which splits they were tuned."""

    pre: Annotated[
        str | None,
        typer.Option("--pre", help="Encoder before fine-tuning: bundle, module:function, or table of embeddings."),
    ] = None
    ft: Annotated[str | None, typer.Option("--ft", help="The same after fine-tuning.")] = None
    finetune: Annotated[
        Path | None,
        typer.Option("--finetune", help="Folder of 'deepradiomics finetune': both encoders, splits and table A1."),
    ] = None
    layer: Layer = None
    splits: Annotated[
        Path | None,
        typer.Option("--splits", help="CSV of id and split, such as splits.csv of a fine-tuning.  (default: manifest)"),
    ] = None
    task_name: Annotated[
        str | None, typer.Option("--task-name", help="What tables call this fine-tuning, such as 'PIRADS CLS'.")
    ] = None


@dataclass(frozen=True)
class LensRunOptions(DistributedRunOptions, SettingOptions):
    """How a lens is configured and run, and which modalities it measures."""

    modalities: Modalities = None


@with_groups
def fit(
    manifest: Annotated[Path, typer.Argument(help="CSV: id, patient, view_<modality> …, mask_<roi> …, split.")],
    output: OutputFolder,
    reading: ReadingOptions,
    encoders: EncoderOptions,
    lens: LensChoices,
    run: LensRunOptions,
    json_lines: JsonLines = False,
) -> None:
    """Fit a lens and write tables, figures 2 and 3, and report.html.

    Give the encoders by --finetune, or by --pre and --ft. Radiomics and embeddings are kept case by case: a run that
    was stopped is resumed when the command is given again.
    """
    with running(json_lines) as session:
        check_output(output)
        modalities = comma_list(run.modalities)
        chosen = run.of(LensConfig, lens if modalities is None else lens | {"modalities": modalities})
        splits = encoders.splits
        if splits is not None and encoders.finetune is not None:
            raise InputError("--splits and --finetune: give one of them, a fine-tuning brings its own splits.")
        places = _places(encoders)
        labels = reading.reading()
        check_fit_output(output)
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort import read_manifest

        cohort = read_manifest(manifest, need_labels=False).read_as(labels)
        session.progress(0.0, "loading the encoders")
        before, after = (_source(place, option, encoders.layer) for place, option in places)
        from deepradiomics.cohort.splits import read_splits
        from deepradiomics.lens.fit.run import LensRequest, fit_lens
        from deepradiomics.reports.lens.outputs import write_outputs

        ready_kernels(session)
        result = fit_lens(
            LensRequest(
                cohort, before, after, chosen, encoders.task_name or "",
                None if splits is None else read_splits(existing_file(splits, "--splits")), encoders.finetune, run.seed,
            ),
            output, cache=run.cache,
            workers=run.workers, cluster=run.cluster, device=run.device, resume=run.resume,
            progress=lambda fraction, message: session.progress(0.93 * fraction, message),
        )  # fmt: skip
        session.progress(0.93, "map of the case shown")
        shown = shown_case(result, output, session.warn, run.device)
        session.progress(0.95, "figures and report")
        drawn = write_outputs([result], output, cases=shown)
        session.progress(1.0, "done")
        _tell(session, output, result.about, [*sorted(output.glob("*.csv")), *drawn])


def _places(encoders: EncoderOptions) -> tuple[tuple[str, str], tuple[str, str]]:
    """Where both encoders are, each with the option that says so."""
    pre, ft, finetune = encoders.pre, encoders.ft, encoders.finetune
    if finetune is not None:
        if pre is not None or ft is not None:
            raise InputError(
                f"--finetune and {'--pre' if pre is not None else '--ft'}: give --finetune, which holds both encoders, "
                "or --pre and --ft. (--pre and --ft with --splits RUN/splits.csv keep the splits of a fine-tuning.)"
            )
        _check_finetune(finetune)
        places = {"--pre": str(finetune / "frozen" / "encoder"), "--ft": str(finetune / "tuned" / "encoder")}
    elif pre is None or ft is None:
        raise InputError(
            "which encoders? Give --finetune RUN (a folder of 'deepradiomics finetune'), or both --pre and --ft."
        )
    else:
        places = {"--pre": pre, "--ft": ft}
    for option, place in places.items():
        if _is_finetune(Path(place)):
            raise InputError(
                f"{option} {place}: this is the folder of a fine-tuning, which holds both encoders: give it as "
                f"--finetune {place}, in place of --pre and --ft."
            )
        if _is_table(place):
            existing_file(Path(place), option)
            if encoders.layer is not None:
                raise InputError(
                    f"--layer: {option} is a table of embeddings, whose layer was chosen when it was made."
                )
    return (places["--pre"], "--pre"), (places["--ft"], "--ft")


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
    from deepradiomics.lens.encoders.embeddings import Embeddings
    from deepradiomics.networks.encoders.load import load_encoder

    try:
        return Embeddings.read(place) if _is_table(place) else load_encoder(place, layer=layer)
    except InputError as error:
        raise type(error)(f"{option}: {error}") from error


def _tell(session: Session, output: Path, about: Any, files: list[Path]) -> None:
    """The result in a few lines, with its warnings; lens.json holds everything."""
    for case in about["dropped_cases"][:5]:
        session.warn(f"left out: {case['id']}: {case['reason']}")
    if len(about["dropped_cases"]) > 5:
        session.warn(f"left out: {len(about['dropped_cases']) - 5} more cases; lens.json lists them.")
    if "LEAKAGE" in str(about.get("leakage")):
        session.warn(about["leakage"])
    for text in about["warnings"]:
        session.warn(text)
    summary, counts = about["summary"], about["counts"]
    differ = (summary["n_beyond_noise_explained"], summary["n_beyond_noise"])
    beyond = "" if None in differ else f"; {differ[0]} ΔE and {differ[1]} ΔI differ (permutation, q < 0.05)"
    doubt = f"\n{summary['doubt']}" if summary["doubt"] else ""
    before, after = (
        "undefined" if summary[f"r2_pooled_{stage}"] is None else f"{summary[f'r2_pooled_{stage}']:.3f}"
        for stage in ("pre", "ft")
    )
    session.result(
        f"{about['task']}: {count(summary['n_features'], 'feature')}, {counts['train']} training and "
        f"{count(counts['test'], 'test case')}\n"
        f"R² {before} before, {after} after (pooled){beyond}{doubt}\n"
        f"{output / 'report.html'}",
        folder=str(output),
        files=[str(file) for file in dict.fromkeys(files)],
        summary=dict(summary),
        counts=dict(counts),
        picked=about["picked"],
    )
