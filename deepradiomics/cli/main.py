"""The ``deepradiomics`` command: its sub-commands put together.

Starting it must stay quick (``deepradiomics --help`` in less than half a second), so every command imports what
computes inside its function, never at the top of its file.
"""

import json
import sys
from collections.abc import Sequence
from typing import Any

import typer

from deepradiomics import __version__
from deepradiomics.child import environment_variable, safe_children
from deepradiomics.cli import kernels
from deepradiomics.cli.fingerprint import demo
from deepradiomics.cli.fingerprint.ablate import ablate
from deepradiomics.cli.fingerprint.apply import apply
from deepradiomics.cli.fingerprint.evaluate import evaluate
from deepradiomics.cli.fingerprint.train import train
from deepradiomics.cli.ich.apply import apply as ich_apply
from deepradiomics.cli.ich.expansion import expansion as ich_expansion
from deepradiomics.cli.ich.experiment import experiment as ich_experiment
from deepradiomics.cli.ich.features import features as ich_features
from deepradiomics.cli.ich.report import report as ich_report
from deepradiomics.cli.ich.train_autoencoder import train_autoencoder
from deepradiomics.cli.ich.train_segmenter import train_segmenter
from deepradiomics.cli.ich.volume import volume as ich_volume
from deepradiomics.cli.images import manifest_mrnet, register
from deepradiomics.cli.images.components import components
from deepradiomics.cli.images.dicom_request import dicom
from deepradiomics.cli.images.segment import segment
from deepradiomics.cli.lens.case import case as lens_case
from deepradiomics.cli.lens.encode import encode
from deepradiomics.cli.lens.finetune import finetune
from deepradiomics.cli.lens.fit import fit as lens_fit
from deepradiomics.cli.lens.pretrain import pretrain
from deepradiomics.cli.lens.report import report as lens_report
from deepradiomics.cli.phantom import knee as phantom_knee
from deepradiomics.cli.phantom.ich import ich as phantom_ich
from deepradiomics.cli.phantom.prostate import prostate
from deepradiomics.cli.radiomics import extract, features, maps
from deepradiomics.cli.session import DEBUG_VARIABLE
from deepradiomics.cli.streams import provide_streams

app = typer.Typer(
    name="deepradiomics",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Radiomics and deep features of medical images. For research; not a medical device.",
    epilog="Every command takes --json (one JSON object a line on standard output) and --help.",
)
catalogue = typer.Typer(no_args_is_help=True, help="What the engine computes: list and explain features.")
fingerprint = typer.Typer(no_args_is_help=True, help="Per-patient radiomic fingerprints.")
lens = typer.Typer(no_args_is_help=True, help="What fine-tuning changed in an encoder, in radiomic terms.")
ich = typer.Typer(no_args_is_help=True, help="Haemorrhage on head CT: haematoma, features, outcome and expansion risk.")
phantom = typer.Typer(no_args_is_help=True, help="Synthetic cohorts with known truth.")
manifest = typer.Typer(no_args_is_help=True, help="Manifests (CSV) of cohorts that have a layout of their own.")

app.command("extract")(extract.extract)
app.command("maps")(maps.maps)
app.command("components")(components)
app.add_typer(catalogue, name="features")
app.command("encode")(encode)
app.command("pretrain")(pretrain)
app.command("finetune")(finetune)
app.command("register")(register.register)
app.command("segment")(segment)
app.add_typer(fingerprint, name="fingerprint")
app.add_typer(lens, name="lens")
app.add_typer(ich, name="ich")
app.add_typer(phantom, name="phantom")
app.add_typer(manifest, name="manifest")
app.command("demo")(demo.demo)
app.command("warm-up")(kernels.warm_up)
app.command("dicom", hidden=True)(dicom)
catalogue.command("list")(features.list_features)
catalogue.command("explain")(features.explain_feature)
fingerprint.command("train")(train)
fingerprint.command("apply")(apply)
fingerprint.command("evaluate")(evaluate)
fingerprint.command("ablate")(ablate)
lens.command("fit")(lens_fit)
lens.command("report")(lens_report)
lens.command("case")(lens_case)
ich.command("train-segmenter")(train_segmenter)
ich.command("train-autoencoder")(train_autoencoder)
ich.command("apply")(ich_apply)
ich.command("volume")(ich_volume)
ich.command("expansion")(ich_expansion)
ich.command("features")(ich_features)
ich.command("experiment")(ich_experiment)
ich.command("report")(ich_report)
phantom.command("knee")(phantom_knee.knee)
phantom.command("prostate")(prostate)
phantom.command("ich")(phantom_ich)
manifest.command("mrnet")(manifest_mrnet.mrnet)


# Unknown options, missing arguments: click's class, which typer may carry inside itself.
_USAGE_ERROR: Any = typer.BadParameter.__base__


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"deepradiomics {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    context: typer.Context,
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of any error."),
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    if debug:
        context.with_resource(environment_variable(DEBUG_VARIABLE, "1"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Exit codes: 0 done; 1 a fault of the software or a batch in which a case failed; 2 the input or the command line
    cannot be used as it is; 130 and 143 stopped by Ctrl-C and by SIGTERM.
    """
    with safe_children():  # whatever a library starts does not import from the user's folder
        _run(list(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: list[str]) -> None:
    provide_streams()
    for stream in (sys.stdout, sys.stderr):  # a console that lacks a character must not end a run
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if "--json" not in arguments:
        app(arguments, prog_name="deepradiomics")
    try:
        code = app(arguments, prog_name="deepradiomics", standalone_mode=False)
    except _USAGE_ERROR as error:
        print(json.dumps({"event": "error", "message": error.format_message(), "exit_code": 2}), flush=True)
        code = 2
    sys.exit(code or 0)
