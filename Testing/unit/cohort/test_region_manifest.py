"""An extraction's manifest: which region belongs to which image, and no two results in one file."""

from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort import read_region_manifest
from deepradiomics.cohort.regions.jobs import on_image_grid, region_jobs
from deepradiomics.errors import ManifestError
from deepradiomics.images import Geometry, Mask, Volume, write_volume


def manifest(folder: Path, text: str):
    path = folder / "m.csv"
    path.write_text(text, encoding="utf-8")
    return read_region_manifest(path)


def jobs(folder: Path, text: str) -> list[tuple[str, str, str, str]]:
    return [
        (stem, view, row.roi, row.mask.name if row.mask else "")
        for row, view, stem in region_jobs(manifest(folder, text))
    ]


def test_a_case_with_one_image_and_mask_is_one_result(tmp_path: Path) -> None:
    assert jobs(tmp_path, "id,image,mask\na,a.nii,m.nii\n") == [("a", "image", "", "m.nii")]


def test_a_region_belongs_to_the_view_of_its_name_else_to_all_views_without_a_mask_of_their_own(tmp_path: Path) -> None:
    haemorrhage = "id,image,view_followup,mask,mask_followup\na,a.nii,b.nii,m.nii,n.nii\n"
    assert jobs(tmp_path, haemorrhage) == [
        ("a.image.mask", "image", "", "m.nii"),
        ("a.followup.followup", "followup", "followup", "n.nii"),
    ]
    prostate = "id,view_t2,view_adc,mask_gland,mask_lesion\na,t.nii,d.nii,g.nii,l.nii\n"
    assert [job[:3] for job in jobs(tmp_path, prostate)] == [
        ("a.t2.gland", "t2", "gland"),
        ("a.adc.gland", "adc", "gland"),
        ("a.t2.lesion", "t2", "lesion"),
        ("a.adc.lesion", "adc", "lesion"),
    ]
    knee = "id,axial,coronal,mask_axial,mask_coronal\na,x.nii,c.nii,mx.nii,mc.nii\n"
    assert [(view, name) for _, view, _, name in jobs(tmp_path, knee)] == [("axial", "mx.nii"), ("coronal", "mc.nii")]


def test_an_empty_cell_is_a_region_that_a_case_does_not_have(tmp_path: Path) -> None:
    text = "id,image,mask_gland,mask_lesion\na,a.nii,g.nii,\nb,b.nii,g.nii,l.nii\nc,c.nii,,\n"
    assert [(job[0], job[3]) for job in jobs(tmp_path, text)] == [
        ("a.gland", "g.nii"),
        ("b.gland", "g.nii"),
        ("b.lesion", "l.nii"),
        ("c.mask", ""),  # no region at all: reported as a case that failed
    ]


def test_the_label_or_segment_of_a_row_and_further_columns_are_kept(tmp_path: Path) -> None:
    text = (
        "ID,Image,Mask,Label,Segment,label_x,value_ml,Site\na,a.nii,m.nii,2.0,,1,-1.5,B\nb,b.nii,m.nii,,Tumour,0,,C\n"
    )
    first, second = manifest(tmp_path, text).rows
    assert (first.region, first.segment) == (2, None)
    assert (second.region, second.segment) == (None, "Tumour")
    assert first.more == {"label_x": "1", "value_ml": "-1.5", "Site": "B"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "id,view_t2.x,view_x,mask\na,1.nii,,m.nii\na.t2,,2.nii,m.nii\n",
            r"case a, view t2\.x and case a\.t2, view x would sh",
        ),
        ("id,image,mask\na,1.nii,m.nii\nA,2.nii,m.nii\n", r"Column id: ids A, a more than once"),
        ("id,image,mask_gland,mask_lesion\na,1.nii,g.nii,\na,2.nii,,l.nii\n", r"Column id: id a more than once"),
        (f"id,view_{'v' * 150},view_b,mask\n{'a' * 150},1.nii,,m.nii\n", r"the result's name .* it is 301 bytes long"),
        ("id,image,mask,Label,LABEL\na,1.nii,m.nii,1,2\n", r"the column 'label' is there 2 times"),
        ("id,image,mask,segmnt\na,1.nii,m.nii,1\n", r"unknown column 'segmnt'; did you mean 'segment'"),
        ("id,image,mask,label\na,1.nii,m.nii,1_0\n", r"Case a, column label: expected a whole number above 0"),
    ],
)
def test_two_results_in_one_file_and_lost_columns_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        region_jobs(manifest(tmp_path, text))


def test_a_mask_drawn_on_another_image_of_the_case_is_brought_to_the_views_grid_with_a_note(tmp_path: Path) -> None:
    fine, coarse = Geometry((8, 8, 4)), Geometry((4, 4, 2), (2.0, 2.0, 2.0), (0.5, 0.5, 0.5))
    other = Geometry((4, 4, 2), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0))
    for name, grid in (("t2", fine), ("adc", coarse)):
        write_volume(Volume(np.zeros(grid.shape, np.float32), grid), tmp_path / f"{name}.nrrd")
    row = manifest(tmp_path, "id,view_t2,view_adc,mask\na,t2.nrrd,adc.nrrd,m.nrrd\n").rows[0]
    labels = np.zeros(fine.shape, np.uint8)
    labels[:2, :2, :2] = 3
    mask, image = Mask(labels, fine), Volume(np.zeros(coarse.shape, np.float32), coarse)
    moved = on_image_grid(row, "adc", image, mask)
    assert moved.geometry == coarse
    assert moved.labels_present() == (3,)
    assert moved.labels.sum() == 3
    assert "drawn on the view t2" in moved.notes[-1]
    assert on_image_grid(row, "t2", Volume(np.zeros(fine.shape, np.float32), fine), mask) is mask
    stranger = Mask(np.ones(other.shape, np.uint8), other)
    assert on_image_grid(row, "adc", image, stranger) is stranger  # of no image of the case: refused later


def test_a_row_that_names_label_and_segment_is_refused_by_its_case(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="Case b, columns label and segment: got '2' and 'core'"):
        manifest(tmp_path, "id,image,mask,label,segment\na,i.nrrd,m.nrrd,1,\nb,i.nrrd,m.nrrd,2,core\n")


def test_ids_that_differ_by_the_encoding_of_an_accent_are_refused_and_told_so(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="encoding of accents"):
        manifest(tmp_path, "id,image,mask\nm\u00fc,i.nrrd,m.nrrd\nmu\u0308,i.nrrd,m.nrrd\n")
