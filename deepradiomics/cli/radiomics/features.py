"""``deepradiomics features list`` and ``explain NAME``: what the engine computes, in plain words."""

from pathlib import Path
from typing import Annotated, Any

import typer

from deepradiomics.cli.options import JsonLines, Params, Standard
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.radiomics.extract_document import settings_of
from deepradiomics.cli.radiomics.feature_tables import STANDARD_OUTPUT, check_table_name, write_rows
from deepradiomics.cli.session import running
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import atomic_file

_COLUMNS = ("family", "feature", "unit", "IBSI", "what it says")


def list_features(
    params: Params = None,
    standard: Standard = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Table to write (.csv or .parquet) instead; - is CSV on standard output.",
            show_default=False,
        ),
    ] = None,
    json_lines: JsonLines = False,
) -> None:
    """List features with family, unit, IBSI code and a sentence: the whole catalogue, or what an extraction gives."""
    with running(json_lines) as session:
        if output is not None:
            _check_output(output)
        if output == STANDARD_OUTPUT:
            session.keep_out_free()
        keys = _keys(params, standard)
        from deepradiomics.radiomics.catalogue.explain import explain

        rows = [_row(explain(key)) for key in keys]
        if output is None:
            session.result(_table(rows), features=rows, count=len(rows))
            return
        _write(output, rows)
        place = "" if output == STANDARD_OUTPUT else f"\n{output}"
        session.result(f"{len(rows)} features{place}", file=str(output), count=len(rows))


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
        from deepradiomics.radiomics.catalogue.explain import explain
        from deepradiomics.radiomics.catalogue.pyradiomics import FAMILY_TITLES

        family = {family_name.lower(): family_name for family_name in FAMILY_TITLES}.get(name.lower())
        if family is not None:
            rows = [_row(explain(key)) for key in _keys(None, None) if key.startswith(f"original_{family}_")]
            text = f"{family} is a family of features: {FAMILY_TITLES[family]}\n\n{_table(rows)}"
            session.result(text, family=family, features=rows, count=len(rows))
            return
        feature = explain(name)
        lines = [feature.key, "", feature.sentence, "", f"Family: {FAMILY_TITLES.get(feature.family, feature.family)}"]
        lines += [f"Image:  {feature.image_sentence}"] if feature.image_sentence else []
        lines += [f"Matrices: {feature.aggregation.replace('_', ' ')}"] if feature.aggregation else []
        lines += [f"Unit:   {feature.unit}"] if feature.unit else []
        lines += [f"IBSI:   {feature.ibsi}"] if feature.ibsi else []
        session.result("\n".join(lines), **_row(feature))


def _check_output(output: Path) -> None:
    if output.suffix.lower() == ".json":
        raise InputError(f"--output {output}: a list of features is .csv or .parquet; --json gives JSON.")
    check_table_name(output)
    if output != STANDARD_OUTPUT:
        check_output(output.parent)


def _write(output: Path, rows: list[dict[str, str]]) -> None:
    columns = list(rows[0]) if rows else []
    cells = [[row[name] for name in columns] for row in rows]
    if output == STANDARD_OUTPUT:
        write_rows(output, columns, cells)
        return
    with atomic_file(output) as temporary:
        write_rows(temporary, columns, cells)


def _keys(params: str | None, standard: str | None) -> list[str]:
    """The keys of an extraction; without parameters every feature of the catalogue, of the original image."""
    from deepradiomics.radiomics import feature_names
    from deepradiomics.radiomics.catalogue.pyradiomics import entries

    if params is not None or standard is not None:
        return list(feature_names(settings_of(params, standard)))
    return [
        f"original_{family}_{name}"
        for family, features in entries().items()
        for name in features
        if _given(features[name])
    ]


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
