"""Which two encoders: those of the sample or of a fine-tuning's folder (frozen and tuned), or each by itself."""

import re
from pathlib import Path

from slicer.i18n import tr as _

from deepradiomics.scene.panel.bundles import sample_bundle
from deepradiomics.scene.panel.why_not import why_not_bundle

from .choices import EncoderSource
from .work import encoders_of_run

SAMPLE_BUNDLE = sample_bundle(__file__, "prostate-synthetic-tiny")
_ENTRY_POINT = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_TABLES, _WEIGHTS = (".csv", ".parquet"), (".safetensors", ".pt", ".pth", ".ckpt")


def is_table(source: str) -> bool:
    """Whether an encoder is given by its embeddings of the cohort."""
    return source.lower().endswith(_TABLES)


def chosen_encoders(parameters) -> tuple[str, str]:
    """What stands for the encoder before and after fine-tuning; empty where nothing is chosen."""
    if parameters.encoderSource is EncoderSource.SAMPLE:
        return encoders_of_run(SAMPLE_BUNDLE)
    if parameters.encoderSource is EncoderSource.RUN:
        return encoders_of_run(Path(parameters.finetuneFolder)) if parameters.finetuneFolder else ("", "")
    return parameters.preEncoder.strip(), parameters.ftEncoder.strip()


def why_not_encoders(parameters) -> str | None:
    """None when both encoders are there."""
    if parameters.encoderSource is EncoderSource.SAMPLE:
        return None
    if parameters.encoderSource is EncoderSource.RUN:
        folder = parameters.finetuneFolder
        if not folder:
            return _("Choose the fine-tuning's folder.")
        encoders = encoders_of_run(Path(folder))
        missing = [encoder for encoder in encoders if not (Path(encoder) / "bundle.json").is_file()]
        if missing:
            return _("{folder} is no finished fine-tuning: there is no encoder in {missing}.").format(
                folder=folder, missing=missing[0]
            )
        reasons = (why_not_bundle(encoder, "encoder") for encoder in encoders)
        return next(filter(None, reasons), None)
    for source, which in ((parameters.preEncoder, _("before")), (parameters.ftEncoder, _("after"))):
        reason = _why_not(source.strip(), which)
        if reason:
            return reason
    return None


def _why_not(source: str, which: str) -> str | None:
    if not source:
        return _("Choose the encoder {which} fine-tuning.").format(which=which)
    path = Path(source)
    if path.is_file() and path.suffix.lower() in (*_TABLES, *_WEIGHTS):
        return None
    if not path.exists() and _ENTRY_POINT.fullmatch(source):
        return None
    if not (path / "bundle.json").is_file():
        return _("{source}: expected an encoder's folder (with bundle.json), a table, or module:function.").format(
            source=source
        )
    return why_not_bundle(path, "encoder")
