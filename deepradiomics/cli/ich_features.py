"""``deepradiomics ich features MANIFEST -o DIR``: the three families of features of a cohort, as tables."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.ich_experiment import BinWidth, Cache, Label, Network, Radiomics, Vaegan, _existing_folders
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.options import Cluster, DeviceName, JsonLines, OutputFolder, Workers, existing_file
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.remarks import told_of_cases
from deepradiomics.cli.session import running
from deepradiomics.devices import checked_device
from deepradiomics.options import check_choice


def features(
    manifest: Annotated[Path, typer.Argument(help="CSV: id, patient, image, mask, encoder, autoencoder …")],
    output: OutputFolder,
    encoder: Network = None,
    autoencoder: Vaegan = None,
    radiomics: Radiomics = None,
    bin_width: BinWidth = None,
    label: Label = None,
    lesions: Annotated[
        str, typer.Option("--lesions", help="Of several haematomas: all as one region, largest, or each in a row.")
    ] = "all",
    cache: Cache = None,
    workers: Workers = 1,
    cluster: Cluster = None,
    device: DeviceName = "auto",
    json_lines: JsonLines = False,
) -> None:
    """Measure volume, radiomics and, where networks are given, latents of every patient.

    Writes features.csv (id, patient, volume_ml, radiomics), encoder.npy and autoencoder.npy (float32, a row a row of
    the table) and features.json (settings, networks, notes, patients left out). Features are kept case by case: a run
    that was stopped goes on, and 'ich experiment --cache DIR/cache' finds them.
    """
    with running(json_lines) as session:
        check_output(output)
        if cache is not None:
            check_output(cache, "cache")
        checked_device(device)
        existing_file(manifest, "manifest")
        check_choice("lesions", lesions, ("all", "largest", "each"))
        _existing_folders(encoder, autoencoder)
        session.progress(0.0, "reading the manifest")
        from deepradiomics.ich.cohort import read_cohort
        from deepradiomics.ich.features import cohort_features
        from deepradiomics.ich.features_case import FeatureSettings
        from deepradiomics.ich.features_files import write_features

        ready_kernels(session)
        settings = FeatureSettings(radiomics or "ich-1688", bin_width, label, lesions)
        found = cohort_features(
            read_cohort(manifest), settings, cache or output / "cache", encoder=encoder, autoencoder=autoencoder,
            workers=workers, cluster=cluster, device=device,
            progress=lambda fraction, message: session.progress(0.98 * fraction, message),
        )  # fmt: skip
        files = write_features(found, settings, output)
        for case, reason in found.dropped:
            session.warn(f"Left out: {reason if case in reason else f'case {case}: {reason}'}")
        for text in told_of_cases(found.notes):
            session.warn(text)
        session.progress(1.0, "done")
        session.result(
            "\n".join(map(str, files)), folder=str(output), files=[str(file) for file in files], rows=len(found),
            columns=len(found.names), computed=found.computed, dropped=[list(one) for one in found.dropped],
        )  # fmt: skip
