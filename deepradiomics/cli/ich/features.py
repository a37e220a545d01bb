"""``deepradiomics ich features MANIFEST -o DIR``: the three families of features of a cohort, as tables."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.groups import option_of, with_groups
from deepradiomics.cli.ich.experiment import NetworkOptions
from deepradiomics.cli.inputs import existing_file
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.options import Cache, DeviceName, JsonLines, Lesions, OutputFolder, Params
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.reading import ReadingOptions, note_cases
from deepradiomics.cli.session import running
from deepradiomics.cli.shared_groups import ExtractionOptions
from deepradiomics.devices import checked_device
from deepradiomics.ich.experiment.config import ExperimentConfig


@dataclass(frozen=True)
class FeatureOptions:
    """What is measured."""

    params: Params = None
    bin_width_hu: Annotated[float | None, option_of(ExperimentConfig, "bin_width_hu")] = None
    lesions: Lesions = None


@dataclass(frozen=True)
class PlaceOptions(ExtractionOptions):
    """Where features are measured and kept."""

    cache: Cache = None
    device: DeviceName = "auto"


@with_groups
def features(
    manifest: Annotated[Path, typer.Argument(help="CSV: id, patient, image, mask, encoder, autoencoder …")],
    output: OutputFolder,
    reading: ReadingOptions,
    networks: NetworkOptions,
    extraction: PlaceOptions,
    measured: FeatureOptions,
    json_lines: JsonLines = False,
) -> None:
    """Measure volume, radiomics and, where networks are given, latents of every patient.

    Writes features.csv (id, patient, volume_ml, radiomics), encoder.npy and autoencoder.npy (float32, one row per row
    of the table) and features.json (settings, networks, notes, patients left out). Features are kept case by case: a
    run that was stopped is resumed, and 'ich experiment --cache DIR/cache' finds them.
    """
    with running(json_lines) as session:
        check_output(output)
        if extraction.cache is not None:
            check_output(extraction.cache, "cache")
        checked_device(extraction.device)
        existing_file(manifest, "manifest")
        config = ExperimentConfig(lesions=measured.lesions or "all", bin_width_hu=measured.bin_width_hu)  # type: ignore[arg-type]
        networks.check()
        chosen = reading.reading()
        session.progress(0.0, "reading the manifest")
        from deepradiomics.ich.cohort.manifest import read_cohort
        from deepradiomics.ich.features.case import FeatureSettings
        from deepradiomics.ich.features.files import write_features
        from deepradiomics.ich.features.run import Machines, cohort_features

        ready_kernels(session)
        settings = FeatureSettings(measured.params or config.radiomics, config.bin_width_hu, lesions=config.lesions)
        table = cohort_features(
            read_cohort(manifest, chosen),
            settings,
            extraction.cache or output / "cache",
            networks={"encoder": networks.encoder, "autoencoder": networks.autoencoder},
            machines=Machines(extraction.workers, extraction.cluster, extraction.device),
            progress=lambda fraction, message: session.progress(0.98 * fraction, message),
        )
        files = write_features(table, settings, output)
        for case, reason in table.dropped:
            session.warn(f"Left out: {reason if case in reason else f'case {case}: {reason}'}")
        note_cases(session, table.notes)
        session.progress(1.0, "done")
        session.result(
            "\n".join(map(str, files)),
            folder=str(output),
            files=[str(file) for file in files],
            rows=len(table),
            columns=len(table.names),
            computed=table.computed,
            dropped=[list(case) for case in table.dropped],
        )
