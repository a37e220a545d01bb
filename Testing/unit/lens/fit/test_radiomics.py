"""The targets of a lens: grey levels, grids, the cache, and cases that cannot be used."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

import deepradiomics
from deepradiomics.cohort import ManifestRow
from deepradiomics.errors import Cancelled, InputError, ManifestError
from deepradiomics.images import Geometry, Mask, Volume, read_mask, read_volume, to_sitk, write_mask, write_volume
from deepradiomics.images.reading import Reading
from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.fit import radiomics
from deepradiomics.lens.fit.inputs import with_modalities
from deepradiomics.lens.fit.radiomics import RadiomicsTable, radiomics_table, settings_for
from Testing.unit.lens import lens_material as material

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def manifest_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return material.cohort(tmp_path_factory.mktemp("cohort"), 5)


@pytest.fixture
def config(tmp_path: Path, manifest_path: Path) -> LensConfig:
    return with_modalities(material.config(tmp_path), material.read(manifest_path))


def _table(manifest_path: Path, config: LensConfig, cache: Path, **more: object) -> RadiomicsTable:
    return radiomics_table(material.read(manifest_path), config, cache, **more)  # type: ignore[arg-type]


def test_mr_without_units_is_z_scored_and_a_quantitative_modality_taken_as_it_is() -> None:
    config = LensConfig(modalities=("t2", "adc"))
    t2, adc = settings_for(config, "t2"), settings_for(config, "adc")
    assert (t2.normalize, t2.normalize_scale, t2.bin_width) == (True, 100, 25)
    assert (adc.normalize, adc.bin_width) == (False, 25)
    assert t2.resampled_spacing_mm == adc.resampled_spacing_mm == (0.5, 0.5, 1.0)
    assert settings_for(replace(config, spacing_mm=None), "t2").resampled_spacing_mm is None


def test_what_a_parameter_file_says_itself_stays(tmp_path: Path) -> None:
    text = "setting: {normalize: false, resampledPixelSpacing: [2, 2, 2]}"
    own = LensConfig(params=str(material.params(tmp_path, text)))
    assert settings_for(own, "t2").normalize is False
    assert settings_for(own, "t2").resampled_spacing_mm == (2, 2, 2)


def test_the_preset_lens_gives_837_features_a_modality() -> None:
    from deepradiomics.radiomics.settings.feature_names import feature_names

    assert len(feature_names(settings_for(LensConfig(), "t2"))) == 837


def test_values_are_those_of_the_engine_on_a_region_that_simpleitk_resampled(
    manifest_path: Path, config: LensConfig, tmp_path: Path
) -> None:
    table = _table(manifest_path, config, tmp_path / "cache")
    assert table.values.shape == (5, 2, material.N_FEATURES)
    assert table.modalities == ("t2", "adc")
    folder = manifest_path.parent
    mask = sitk.ReadImage(str(folder / "c03_gland.nrrd"))
    for m, name in enumerate(table.modalities):
        image = sitk.ReadImage(str(folder / f"c03_{name}.nrrd"))
        region = sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
        if name == "t2":
            pixels = sitk.GetArrayFromImage(image).astype(float)
            scaled = sitk.GetImageFromArray((pixels - pixels.mean()) / pixels.std(ddof=1) * 100)
            scaled.CopyInformation(image)
            image = scaled
        expected = deepradiomics.extract(image, region, config.params)
        assert tuple(expected) == table.features
        np.testing.assert_allclose(table.values[3, m], list(expected.values()), rtol=2e-4, atol=1e-4)


def test_another_gain_of_the_scanner_changes_no_feature_of_mr_but_those_of_adc(
    manifest_path: Path, config: LensConfig, tmp_path: Path
) -> None:
    row = material.read(manifest_path).rows[0]
    files = {}
    for name, path in row.views.items():
        volume, files[name] = read_volume(path), tmp_path / f"{name}.nrrd"
        write_volume(replace(volume, voxels=volume.voxels.astype(float) * 7 + 50), files[name])
    both = replace(material.read(manifest_path), rows=(row, replace(row, id="louder", views=files)))
    table = radiomics_table(both, config, tmp_path / "cache")
    np.testing.assert_allclose(table.values[0, 0], table.values[1, 0], rtol=1e-3, atol=1e-3)
    assert not np.allclose(table.values[0, 1], table.values[1, 1], rtol=0.1)


def test_what_is_kept_is_not_computed_again(
    manifest_path: Path, config: LensConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _table(manifest_path, config, tmp_path / "cache")
    monkeypatch.setattr(radiomics, "_extracted", _refuse)
    again = _table(manifest_path, config, tmp_path / "cache")
    np.testing.assert_array_equal(first.values, again.values)
    assert (again.levels, again.notes, again.marks) == (first.levels, first.notes, first.marks)
    with pytest.raises(AssertionError, match="computed again"):
        _table(manifest_path, replace(config, quantitative=()), tmp_path / "cache")


def _refuse(*_: object) -> None:
    raise AssertionError("computed again")


def test_a_run_that_was_stopped_goes_on(
    manifest_path: Path, config: LensConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(fraction: float, message: str) -> None:
        if fraction >= 0.4:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        _table(manifest_path, config, tmp_path / "cache", progress=stop)
    computed, real = [], radiomics._extracted
    monkeypatch.setattr(radiomics, "_extracted", lambda *given: computed.append(1) or real(*given))
    resumed = _table(manifest_path, config, tmp_path / "cache")
    assert len(computed) == 2 * 3  # three cases of two modalities were left
    np.testing.assert_array_equal(resumed.values, _table(manifest_path, config, tmp_path / "other").values)


def test_a_damaged_entry_is_computed_again(manifest_path: Path, config: LensConfig, tmp_path: Path) -> None:
    first = _table(manifest_path, config, tmp_path / "cache")
    file = next((tmp_path / "cache").rglob("*.json"))
    content = file.read_text(encoding="utf-8")
    digit = next(place for place, sign in enumerate(content) if sign.isdigit())
    other = f"{content[:digit]}{(int(content[digit]) + 1) % 10}{content[digit + 1 :]}"  # a number edited by hand
    for damaged in ("{cut", other):
        file.write_text(damaged, encoding="utf-8")
        with pytest.warns(UserWarning, match="It is made anew"):
            again = _table(manifest_path, config, tmp_path / "cache")
        np.testing.assert_array_equal(first.values, again.values)


def test_targets_run_modality_by_modality(manifest_path: Path, config: LensConfig, tmp_path: Path) -> None:
    table = _table(manifest_path, config, tmp_path / "cache")
    place = table.keys.index(("adc", table.features[3]))
    assert place == material.N_FEATURES + 3
    np.testing.assert_array_equal(table.targets[:, place], table.values[:, 1, 3])


def _with_mask_at(row: ManifestRow, geometry: Geometry, labels: np.ndarray, path: Path) -> ManifestRow:
    write_mask(Mask(labels, geometry), path)
    return replace(row, masks={"gland": path})


def test_a_region_outside_a_modality_is_told_or_dropped(
    manifest_path: Path, config: LensConfig, tmp_path: Path
) -> None:
    cohort = material.read(manifest_path)
    row, far = cohort.rows[2], Geometry((8, 8, 8), (1, 1, 1), (100, 0, 0))
    moved = _with_mask_at(row, far, np.ones(far.shape, np.uint8), tmp_path / "far.nrrd")
    mixed = replace(cohort, rows=(*cohort.rows[:2], moved))
    with pytest.raises(ManifestError, match=r"Case c02, column mask_gland: .*none of its 512 voxels lies inside"):
        radiomics_table(mixed, config, tmp_path / "cache")
    table = radiomics_table(mixed, replace(config, missing="drop"), tmp_path / "cache")
    assert table.ids == ("c00", "c01")
    assert table.dropped[0][0] == "c02"
    assert "lies inside the image" in table.dropped[0][1]


def test_a_region_partly_outside_is_told_with_its_share(
    manifest_path: Path, config: LensConfig, tmp_path: Path
) -> None:
    cohort = material.read(manifest_path)
    # Twenty columns of voxels, x = -19.5 … -0.5 in steps of 1: T2 begins at -10, ADC at -10.3.
    grid = Geometry((20, 6, 6), (1, 1, 1), (-19.5, -2.5, -2.5))
    row = _with_mask_at(cohort.rows[0], grid, np.ones(grid.shape, np.uint8), tmp_path / "half.nrrd")
    table = radiomics_table(replace(cohort, rows=(row,)), config, tmp_path / "cache")
    assert "50 % of the ROI gland lie outside modality t2" in table.notes["c00"]


def test_a_region_between_the_voxels_of_a_coarse_modality_is_told(
    manifest_path: Path, config: LensConfig, tmp_path: Path
) -> None:
    cohort = material.read(manifest_path)
    grid = Geometry((3, 3, 3), (0.1, 0.1, 0.1), (0.31, 0.31, 0.31))
    row = _with_mask_at(cohort.rows[0], grid, np.ones(grid.shape, np.uint8), tmp_path / "speck.nrrd")
    with pytest.raises(ManifestError, match="Case c00: the ROI gland is so small that no voxel of modality t2"):
        radiomics_table(replace(cohort, rows=(row,)), config, tmp_path / "cache")


def test_an_image_with_nan_is_told_with_case_and_column(
    manifest_path: Path, config: LensConfig, tmp_path: Path
) -> None:
    cohort = material.read(manifest_path)
    row = cohort.rows[1]
    volume = read_volume(row.views["adc"])
    voxels = volume.voxels.astype(float)
    voxels[0, 0, 0] = np.nan
    write_volume(replace(volume, voxels=voxels), tmp_path / "adc.nrrd")
    broken = replace(row, views={**row.views, "adc": tmp_path / "adc.nrrd"})
    with pytest.raises(ManifestError, match=r"Case c01, column view_adc: .*NaN"):
        radiomics_table(replace(cohort, rows=(broken,)), config, tmp_path / "cache")


def test_an_ellipsoid_needs_no_mask(manifest_path: Path, config: LensConfig, tmp_path: Path) -> None:
    large = Geometry((60, 60, 30), (1.0, 1.0, 2.0), (-29.5, -29.5, -29.0))
    noise = np.random.default_rng(0).normal(100, 20, large.shape)
    write_volume(Volume(noise, large), tmp_path / "t2.nrrd")
    row = ManifestRow("plain", {"t2": tmp_path / "t2.nrrd"})
    cohort = replace(material.read(manifest_path), rows=(row,), views=("t2",))
    chosen = replace(config, modalities=("t2",), roi="ellipsoid")
    assert np.isfinite(radiomics_table(cohort, chosen, tmp_path / "cache").values).all()


@pytest.mark.slow
def test_two_processes_give_the_same_numbers(manifest_path: Path, config: LensConfig, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    one = _table(manifest_path, config, tmp_path / "one")
    two = _table(manifest_path, config, tmp_path / "two", workers=2)
    np.testing.assert_array_equal(one.values, two.values)


def test_parameters_that_cannot_be_used_are_told(manifest_path: Path, config: LensConfig, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lense"):
        _table(manifest_path, replace(config, params="lense"), tmp_path / "cache")


def test_a_mask_of_several_labels_is_refused_or_taken_as_named(
    manifest_path: Path, config: LensConfig, tmp_path: Path
) -> None:
    cohort = material.read(manifest_path)
    mask = read_mask(cohort.rows[0].masks["gland"])
    zones = mask.labels.astype(int)
    zones[:5] *= 2
    row = _with_mask_at(cohort.rows[0], mask.geometry, zones, tmp_path / "zones.nrrd")
    pair = replace(cohort, rows=(cohort.rows[0], replace(row, id="zones")))
    with pytest.raises(ManifestError, match=r"Case zones, column mask_gland: it has 2 labels: 1, 2"):
        radiomics_table(pair, config, tmp_path / "cache")
    both = radiomics_table(pair.read_as(Reading(all_labels=True)), config, tmp_path / "cache")
    np.testing.assert_array_equal(both.values[0], both.values[1])
    named = replace(pair, rows=(pair.rows[0], replace(pair.rows[1], region=2))).read_as(Reading(all_labels=True))
    ours = radiomics_table(named, config, tmp_path / "cache").values  # what the row names goes before the run's choice
    only = _with_mask_at(cohort.rows[0], mask.geometry, zones == 2, tmp_path / "only.nrrd")
    alone = radiomics_table(replace(pair, rows=(pair.rows[0], replace(only, id="zones"))), config, tmp_path / "cache")
    np.testing.assert_array_equal(ours, alone.values)
    assert not np.array_equal(ours[1], both.values[1])
    assert to_sitk(mask).GetSize() == material.T2.size
