"""What a lens is fitted on, checked before anything is computed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort import Manifest, ManifestRow
from deepradiomics.errors import InputError, ManifestError
from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.encoders.embeddings import Embeddings
from deepradiomics.lens.fit.inputs import check_pair, complete_cases, split_cases, with_modalities
from Testing.unit.lens import lens_material as material
from Testing.unit.lens.lens_material import embeddings

IDS = tuple(f"p{n}" for n in range(10))


def _manifest(**changes: object) -> Manifest:
    rows = tuple(
        ManifestRow(case, {"t2": Path("a"), "adc": Path("b")}, patient=f"man{n // 2}", masks={"gland": Path("c")})
        for n, case in enumerate(IDS)
    )
    return replace(Manifest(rows, ("t2", "adc"), (), rois=("gland", "lesion")), **changes)  # type: ignore[arg-type]


def _with_row(manifest: Manifest, n: int, **changes: object) -> Manifest:
    rows = list(manifest.rows)
    rows[n] = replace(rows[n], **changes)  # type: ignore[arg-type]
    return replace(manifest, rows=tuple(rows))


def test_embeddings_of_different_dimension_are_told() -> None:
    with pytest.raises(InputError, match=r"before fine-tuning have 5 dimensions, those after have 6"):
        check_pair(embeddings(IDS, 5), embeddings(IDS, 6))


def test_the_same_cases_in_another_order_are_told_with_the_first_row() -> None:
    swapped = (*IDS[:3], IDS[4], IDS[3], *IDS[5:])
    with pytest.raises(InputError, match=r"different orders \(row 4: p3 before, p4 after"):
        check_pair(embeddings(IDS), embeddings(swapped))


@pytest.mark.parametrize(("pre", "ft", "where"), [(IDS, IDS[1:], "pre"), (IDS[1:], IDS, "ft")])
def test_a_case_in_one_table_only_is_told(pre: tuple[str, ...], ft: tuple[str, ...], where: str) -> None:
    with pytest.raises(InputError, match=f"case p0 is in the {where} table only"):
        check_pair(embeddings(pre), embeddings(ft))


def test_a_nan_embedding_is_refused_naming_its_case() -> None:
    values = np.zeros((10, 3))
    values[7, 1] = np.nan
    with pytest.raises(InputError, match="p7"):
        Embeddings(IDS, values)


def test_all_views_are_measured_unless_some_are_named() -> None:
    assert with_modalities(LensConfig(), _manifest()).modalities == ("t2", "adc")
    assert with_modalities(LensConfig(modalities=("adc",)), _manifest()).modalities == ("adc",)
    with pytest.raises(InputError, match=r"no column view_dwi; its modalities are: t2, adc"):
        with_modalities(LensConfig(modalities=("dwi",)), _manifest())


def test_an_unknown_region_is_told_with_those_that_are_there() -> None:
    with pytest.raises(InputError, match=r"no region 'prostate'; choose one of: gland, lesion, ellipsoid"):
        with_modalities(LensConfig(roi="prostate"), _manifest())


def test_cases_that_lack_a_modality_or_the_region_are_named_or_dropped() -> None:
    manifest = _with_row(_with_row(_manifest(), 2, views={"t2": Path("a")}), 5, masks={})
    config = with_modalities(LensConfig(), manifest)
    with pytest.raises(ManifestError) as told:
        complete_cases(manifest, config)
    assert "2 of 10 cases cannot be used" in str(told.value)
    assert "--missing drop" in str(told.value)
    assert "Case p2: lacks modality adc" in str(told.value)
    assert "Case p5: lacks ROI gland" in str(told.value)
    kept, dropped = complete_cases(manifest, replace(config, missing="drop"))
    assert dropped == (("p2", "lacks modality adc"), ("p5", "lacks ROI gland"))
    assert kept.ids == tuple(case for case in IDS if case not in ("p2", "p5"))


def test_a_modality_that_only_the_encoder_sees_counts_too() -> None:
    manifest = _with_row(_manifest(), 4, views={"adc": Path("b")})
    config = LensConfig(modalities=("adc",))
    assert complete_cases(manifest, config)[1] == ()
    with pytest.raises(ManifestError, match="Case p4: lacks modality t2"):
        complete_cases(manifest, config, channels=("t2",))


def test_no_case_left_is_told_with_the_first_reason() -> None:
    with pytest.raises(ManifestError, match=r"None of the 10 cases can be used; the first: Case p0: lacks ROI lesion"):
        complete_cases(_manifest(), LensConfig(modalities=("t2",), roi="lesion", missing="drop"))


def test_splits_are_dealt_by_patient_where_none_are_given() -> None:
    dealt, dropped = split_cases(_manifest(), None, LensConfig(), seed=3)
    assert dropped == ()
    for first, second in zip(dealt.rows[::2], dealt.rows[1::2], strict=True):
        assert first.split == second.split is not None


def test_given_splits_are_taken_as_they_are() -> None:
    parts = ["train"] * 6 + ["validation"] * 2 + ["test"] * 2
    dealt, _ = split_cases(_manifest(), dict(zip(IDS, parts, strict=True)), LensConfig(), seed=0)
    assert [row.split for row in dealt.rows] == parts


def test_a_split_that_separates_a_patients_scans_is_refused() -> None:
    parts = ["train"] * 5 + ["validation"] * 3 + ["test"] * 2
    with pytest.raises(ManifestError, match=r"scans of patient man2: p4 in train, p5 in validation"):
        split_cases(_manifest(), dict(zip(IDS, parts, strict=True)), LensConfig(), seed=0)


def test_cases_without_a_split_are_named_or_dropped() -> None:
    parts = dict.fromkeys(IDS[:4], "train") | dict.fromkeys(IDS[4:6], "validation") | {"p6": "test", "p7": "test"}
    with pytest.raises(ManifestError, match="Case p8: is in none of the splits given"):
        split_cases(_manifest(), parts, LensConfig(), seed=0)
    kept, dropped = split_cases(_manifest(), parts, LensConfig(missing="drop"), seed=0)
    assert kept.ids == IDS[:8]
    assert [case for case, _ in dropped] == ["p8", "p9"]


def test_a_misspelt_split_is_told() -> None:
    with pytest.raises(ManifestError, match=r"case p0: expected train, validation, test, got 'training'"):
        split_cases(_manifest(), dict.fromkeys(IDS, "training"), LensConfig(), seed=0)


def test_given_splits_that_separate_a_patient_are_named(tmp_path: Path) -> None:
    manifest = material.read(material.cohort(tmp_path / "cohort", 4, patients=2))
    splits = dict(zip(manifest.ids, ("train", "train", "test", "train"), strict=True))
    with pytest.raises(ManifestError, match=r"finetuned/splits\.csv: .*man0"):
        split_cases(manifest, splits, material.config(tmp_path), 0, "finetuned/splits.csv")
