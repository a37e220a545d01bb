"""``maps`` writes what the engine computes, an image per feature, each described in maps.json."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from Testing.cli import material
from Testing.cli.run_cli import run_cli

CONTRAST, MEAN = "original_glcm_Contrast", "original_firstorder_Mean"


def _case(folder: Path, region: str = "box") -> tuple[Path, Path]:
    return material.image(folder / "image.nrrd"), material.mask(folder / "mask.nrrd", region)


def _written(folder: Path) -> dict[str, sitk.Image]:
    about = json.loads((folder / "maps.json").read_text(encoding="utf-8"))
    return {key: sitk.ReadImage(str(folder / each["file"])) for key, each in about["maps"].items()}


@pytest.mark.parametrize("label", [1, 2])
@pytest.mark.parametrize("ending", ["nrrd", "nii.gz", "mha"])
def test_the_files_hold_the_engines_maps_where_they_belong(tmp_path: Path, label: int, ending: str) -> None:
    from deepradiomics.radiomics.maps import feature_maps

    image, mask = _case(tmp_path, "two")
    out = tmp_path / "out"
    words = ["maps", image, mask, "-o", out, "--features", "glcm_Contrast,firstorder_Mean", "--label", label]
    found = run_cli([*words, "--format", ending, "--json"])
    assert found.code == 0, found.out
    assert found.result["maps"] == [CONTRAST, MEAN]
    assert all(Path(name).is_file() for name in found.result["files"])
    expected = feature_maps(image, mask, ["glcm_Contrast", "firstorder_Mean"], label=label)
    for key, one in _written(out).items():
        np.testing.assert_array_equal(sitk.GetArrayFromImage(one), sitk.GetArrayFromImage(expected[key]))
        np.testing.assert_allclose(one.GetOrigin(), expected[key].GetOrigin(), atol=1e-5)
        np.testing.assert_allclose(one.GetSpacing(), expected[key].GetSpacing(), rtol=1e-6)


def test_outside_the_region_stands_the_value_asked_for(tmp_path: Path) -> None:
    image, mask = _case(tmp_path)
    for value, name in (("nan", "a"), ("-7", "b")):
        words = ["maps", image, mask, "-o", tmp_path / name, "--features", "firstorder_Mean"]
        assert run_cli([*words, "--init-value", value]).code == 0
    nan, seven = (sitk.GetArrayFromImage(_written(tmp_path / name)[MEAN]) for name in "ab")
    assert np.isnan(nan).any()
    assert np.isfinite(nan).any()
    np.testing.assert_array_equal(seven, np.where(np.isnan(nan), -7, nan))


def test_a_format_in_which_nan_is_lost_is_warned_of(tmp_path: Path) -> None:
    image, mask = _case(tmp_path)
    words = ["maps", image, mask, "-o", tmp_path / "out", "--features", "firstorder_Mean", "--format", "nii.gz"]
    assert "NaN" not in run_cli(words).err
    assert "NaN in NIfTI is read as 0" in run_cli([*words, "--init-value", "nan"]).err


def test_the_description_says_what_was_done_without_the_files_place(tmp_path: Path) -> None:
    image, mask = _case(tmp_path)
    words = ["maps", image, mask, "-o", tmp_path / "out", "--features", "glcm_Contrast", "--kernel-radius", "2"]
    assert run_cli(words).code == 0
    text = (tmp_path / "out" / "maps.json").read_text(encoding="utf-8")
    about = json.loads(text)
    assert about["kind"] == "maps"
    assert about["settings"]["voxelSetting"]["kernelRadius"] == 2
    assert about["maps"][CONTRAST]["description"].startswith("Mean squared difference")
    assert "5 x 5 x 5" in about["methods_text"]
    assert "(glcm)" in about["methods_text"]
    assert len(about["provenance"]["image"]["sha256"]) == 64
    assert str(tmp_path) not in text


def test_names_may_come_from_a_file(tmp_path: Path) -> None:
    image, mask = _case(tmp_path)
    (tmp_path / "names.txt").write_text(f"{CONTRAST}\n\n{MEAN}\n", encoding="utf-8")
    words = ["maps", image, mask, "-o", tmp_path / "out", "--features", f"@{tmp_path / 'names.txt'}"]
    assert run_cli(words).code == 0
    assert list(_written(tmp_path / "out")) == [CONTRAST, MEAN]
    words[-1] = f"@{tmp_path / 'absent.txt'}"
    found = run_cli([*words, "--json"])
    assert found.code == 2
    assert "absent.txt" in found.events[-1]["message"]


def test_filters_of_the_parameters_are_drawn(tmp_path: Path) -> None:
    image, mask = _case(tmp_path)
    params = material.params(tmp_path / "p.yaml", "imageType: {Gradient: {}}\nfeatureClass: {firstorder: [Mean]}\n")
    assert run_cli(["maps", image, mask, "-o", tmp_path / "out", "--params", params]).code == 0
    assert list(_written(tmp_path / "out")) == ["gradient_firstorder_Mean"]


def test_a_second_run_leaves_no_map_of_the_first(tmp_path: Path) -> None:
    image, mask = _case(tmp_path)
    out = tmp_path / "out"
    words = ["maps", image, mask, "-o", out, "--features"]
    assert run_cli([*words, "glcm_Contrast,firstorder_Mean"]).code == 0
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    (out / "other.nrrd").write_text("mine", encoding="utf-8")
    assert run_cli([*words, "nonsense"]).code == 2
    assert (out / f"{CONTRAST}.nrrd").is_file()  # a run that fails takes nothing away
    assert run_cli([*words, "firstorder_Mean,firstorder_Range"]).code == 0
    assert {path.name for path in out.iterdir()} == {
        f"{MEAN}.nrrd", "original_firstorder_Range.nrrd", "maps.json", "notes.txt", "other.nrrd",
    }  # fmt: skip


def test_maps_of_another_label_are_not_overwritten(tmp_path: Path) -> None:
    image, mask = _case(tmp_path, "two")
    words = ["maps", image, mask, "-o", tmp_path / "out", "--features", "firstorder_Mean", "--json"]
    assert run_cli([*words, "--label", 1]).code == 0
    before = (tmp_path / "out" / f"{MEAN}.nrrd").read_bytes()
    found = run_cli([*words, "--label", 2])
    assert found.code == 2
    assert "label 1" in found.events[-1]["message"]
    assert "label-2" in found.events[-1]["message"]
    assert (tmp_path / "out" / f"{MEAN}.nrrd").read_bytes() == before


def test_a_strangers_maps_json_is_not_overwritten(tmp_path: Path) -> None:
    image, mask = _case(tmp_path)
    (tmp_path / "maps.json").write_text('{"world": "flat"}', encoding="utf-8")
    found = run_cli(["maps", image, mask, "-o", tmp_path, "--features", "firstorder_Mean", "--json"])
    assert found.code == 2
    assert "maps.json" in found.events[-1]["message"]
    assert (tmp_path / "maps.json").read_text(encoding="utf-8") == '{"world": "flat"}'


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder that takes no file whatever its permissions say")
def test_a_folder_that_takes_no_file_is_found_out_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepradiomics.radiomics.maps.feature_maps", lambda *_, **__: pytest.fail("computed in vain"))
    image, mask = _case(tmp_path)
    found = run_cli(["maps", image, mask, "-o", "/proc/maps", "--features", "firstorder_Mean", "--json"])
    assert found.code == 2
    assert "/proc cannot be written to. Choose" in found.events[-1]["message"]
