"""``deepradiomics features list`` and ``explain NAME``: what the engine computes, in plain words."""

from typing import Annotated, Any

import typer

from deepradiomics.cli.options import JsonLines, Params, Standard
from deepradiomics.cli.session import running
from deepradiomics.errors import InputError

_COLUMNS = ("family", "feature", "unit", "IBSI", "what it says")


def list_features(
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset",
            help="fingerprint-107, paper-110, pyradiomics-default, lens, ich-1688 or paper-1693. (default: everything)",
        ),
    ] = None,
    params: Params = None,
    standard: Standard = None,
    json_lines: JsonLines = False,
) -> None:
    """List features with family, unit, IBSI code and a sentence: the whole catalogue, or what an extraction gives."""
    with running(json_lines) as session:
        if preset is not None and params is not None:
            raise InputError("--preset and --params: give one of them.")
        _check_preset(preset)
        keys = _keys(preset or params, standard)
        from deepradiomics.radiomics.explain import explain

        found = [_row(explain(key)) for key in keys]
        session.result(_table(found), features=found, count=len(found))


def explain_feature(
    name: Annotated[
        str,
        typer.Argument(
            help="A feature: glcm_Contrast, original_glcm_Contrast, wavelet-LLH_glcm_Idm; or a family: glcm."
        ),
    ],
    json_lines: JsonLines = False,
) -> None:
    """Explain one feature: what it says, of which image, its unit and its IBSI code; or list those of a family."""
    with running(json_lines) as session:
        from deepradiomics.radiomics.catalogue import FAMILY_TITLES
        from deepradiomics.radiomics.explain import explain

        family = {one.lower(): one for one in FAMILY_TITLES}.get(name.lower())
        if family is not None:
            rows = [_row(explain(key)) for key in _keys(None, None) if key.startswith(f"original_{family}_")]
            text = f"{family} is a family of features: {FAMILY_TITLES[family]}\n\n{_table(rows)}"
            session.result(text, family=family, features=rows, count=len(rows))
            return
        found = explain(name)
        lines = [found.key, "", found.sentence, "", f"Family: {FAMILY_TITLES.get(found.family, found.family)}"]
        lines += [f"Image:  {found.image_sentence}"] if found.image_sentence else []
        lines += [f"Matrices: {found.aggregation.replace('_', ' ')}"] if found.aggregation else []
        lines += [f"Unit:   {found.unit}"] if found.unit else []
        lines += [f"IBSI:   {found.ibsi}"] if found.ibsi else []
        session.result("\n".join(lines), **_row(found))


def _check_preset(preset: str | None) -> None:
    from deepradiomics.radiomics.settings import PRESETS

    if preset is not None and preset not in PRESETS:
        raise InputError(
            f"--preset: expected one of {', '.join(PRESETS)}, got {preset!r}. A file is given by --params."
        )


def _keys(params: str | None, standard: str | None) -> list[str]:
    """The keys of an extraction; without parameters every feature of the catalogue, of the original image."""
    from deepradiomics.cli.extract import settings_of
    from deepradiomics.radiomics import feature_names
    from deepradiomics.radiomics.catalogue import entries

    if params is not None or standard is not None:
        return list(feature_names(settings_of(params, None, standard)))
    return [f"original_{family}_{name}" for family, found in entries().items() for name in found if _given(found[name])]


def _given(entry: Any) -> bool:
    return bool(entry.state != "removed")


def _row(found: Any) -> dict[str, str]:
    return {
        "feature": found.key,
        "image": found.image,
        "family": found.family,
        "name": found.name,
        "unit": found.unit,
        "ibsi": found.ibsi,
        "sentence": found.sentence,
        "image_sentence": found.image_sentence,
        "aggregation": found.aggregation,
    }


def _table(rows: list[dict[str, str]]) -> str:
    """Columns as wide as their widest entry; the sentence comes last and runs on."""
    lines = [
        (row["family"], row["feature"].removeprefix("original_"), row["unit"], row["ibsi"], row["sentence"])
        for row in rows
    ]
    widths = [max(len(line[column]) for line in (_COLUMNS, *lines)) for column in range(4)]
    shown = [
        "  ".join([*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[4]])
        for line in (_COLUMNS, *lines)
    ]
    return "\n".join([*shown, f"{len(rows)} features"])
