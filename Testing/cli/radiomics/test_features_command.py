"""``features list`` and ``features explain``: what the engine computes, in words that the engine's own names fit."""

import pytest

from Testing.cli.run_cli import run_cli

COUNTS = {
    "pyradiomics-default": 107, "fingerprint-107": 107, "paper-110": 110, "lens": 837, "ich-1688": 1688,
    "paper-1693": 1693,
}  # fmt: skip


@pytest.mark.parametrize(("preset", "count"), COUNTS.items())
def test_a_preset_has_the_features_its_name_says(preset: str, count: int) -> None:
    found = run_cli(["features", "list", "--params", preset, "--json"])
    assert found.code == 0, found.out
    rows = found.result["features"]
    assert len(rows) == len({row["feature"] for row in rows}) == found.result["count"] == count
    assert all(row["sentence"] and row["family"] and row["name"] for row in rows)


def test_without_a_preset_the_whole_catalogue_is_listed() -> None:
    from deepradiomics.radiomics.catalogue.pyradiomics import FAMILIES

    rows = run_cli(["features", "list", "--json"]).result["features"]
    assert {row["family"] for row in rows} == set(FAMILIES)
    ibsi = {row["feature"]: row["ibsi"] for row in rows}
    assert ibsi["original_glcm_Contrast"] == "ACUI"
    assert ibsi["original_shape_Sphericity"] == "QCFX"


def test_for_a_person_there_is_a_table_with_a_line_a_feature() -> None:
    found = run_cli(["features", "list", "--params", "paper-110"])
    lines = found.out.splitlines()
    assert lines[0].split()[:2] == ["family", "feature"]
    assert lines[-1] == "110 features"
    assert len(lines) == 112


def test_a_parameter_file_lists_what_it_would_give(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "p.yaml"
    text = "imageType:\n  LoG: {sigma: [2]}\nfeatureClass:\n  glcm: [Contrast]\n"
    path.write_text(text, encoding="utf-8")
    rows = run_cli(["features", "list", "--params", path, "--json"]).result["features"]
    assert [row["name"] for row in rows] == ["Contrast"]
    assert rows[0]["image"].startswith("log-sigma-2")


def test_the_ibsi_standard_lists_its_own_names_with_codes() -> None:
    rows = run_cli(["features", "list", "--standard", "ibsi", "--json"]).result["features"]
    assert len(rows) > 100
    assert all(row["ibsi"] for row in rows)
    assert "original_glcm_JointEnergy_3D_averaged" in {row["feature"] for row in rows}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("glcm_Contrast", ("original_glcm_Contrast", "rough texture", "ACUI")),
        ("wavelet-LLH_glcm_Contrast", ("rough texture", "LLH", "changes slowly")),
        ("log-sigma-3-0-mm-3D_firstorder_Mean", ("Mean grey value", "3.0 mm")),
        ("original_shape_MeshVolume", ("mm", "Shape")),
        ("original_glcm_JointEnergy_3D_averaged", ("3D averaged", "8ZQL")),
        ("diagnostics_Mask-original_VoxelNum", ("Number of voxels",)),
    ],
)
def test_a_feature_is_explained(name: str, says: tuple[str, ...]) -> None:
    found = run_cli(["features", "explain", name])
    assert found.code == 0, found.err
    for words in says:
        assert words in found.out


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("glcm_Contrst", "glcm_Contrast"),
        ("original_glcm_contrast", "glcm_Contrast"),
        ("Contrast", "glcm_Contrast"),
        ("wavlet-LLH_glcm_Contrast", "wavelet-LLH_glcm_Contrast"),
        ("gclm_Contrast", "glcm_Contrast"),
        ("GLCM_CONTRAST", "glcm_Contrast?"),
        ("gradient_shape_Sphericity", "original_shape_Sphericity"),
    ],
)
def test_a_misspelt_feature_is_answered_with_near_ones(name: str, near: str) -> None:
    found = run_cli(["features", "explain", name, "--json"])
    assert found.code == 2
    assert name in found.events[-1]["message"]
    assert near in found.events[-1]["message"]


def test_every_key_of_every_preset_is_explained_in_full() -> None:
    from deepradiomics.radiomics import Settings, feature_names
    from deepradiomics.radiomics.catalogue.explain import explain

    for preset in COUNTS:
        for key in feature_names(Settings.from_params(preset)):
            about = explain(key)
            assert about.key == key
            assert about.text
            assert about.label
            assert about.image == "original" or about.image_sentence


@pytest.mark.parametrize("name", ["glcm", "GLCM"])
def test_a_familys_name_lists_its_features(name: str) -> None:
    found = run_cli(["features", "explain", name])
    assert found.code == 0
    assert "glcm is a family of features" in found.out
    assert "glcm_Contrast" in found.out
    rows = run_cli(["features", "explain", name, "--json"]).result["features"]
    assert len(rows) > 20
    assert {row["family"] for row in rows} == {"glcm"}
