"""The feature table of a cohort: measured once, from the networks that rows name, whatever the number of haematomas."""

from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.ich.cohort.manifest import IchCohort, read_cohort
from deepradiomics.ich.features.case import FeatureSettings
from deepradiomics.ich.features.run import CohortFeatures, Machines, cohort_features
from deepradiomics.images import Mask, read_mask, read_volume, write_mask
from deepradiomics.images.reading import Reading
from Testing.unit.ich import ich_heads as heads
from Testing.unit.ich.head_balls import ball_mask

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("features")
    heads.write_cohort(folder / "a", 4)
    heads.segmenter(folder / "encoder")
    heads.autoencoder(folder / "autoencoder")
    return folder


def _settings(place: Path, **changes: object) -> FeatureSettings:
    return FeatureSettings(heads.few_features(place), **changes)  # type: ignore[arg-type]


def _measured(place: Path, cohort: IchCohort, cache: Path, **options: object) -> CohortFeatures:
    settings = options.pop("settings", None) or _settings(place)
    return cohort_features(cohort, settings, cache, networks=options, machines=Machines(device="cpu"))  # type: ignore[arg-type]


def _rows(place: Path) -> list[dict[str, str]]:
    rows = heads.read_rows(place / "a" / "manifest.csv")
    for row in rows:
        row |= {name: str(place / "a" / row[name]) for name in ("image", "mask")}
    return rows


def test_features_are_those_of_the_engine_and_the_networks_and_are_kept(place: Path, tmp_path: Path) -> None:
    from deepradiomics import extract
    from deepradiomics.ich.autoencoder.latents import load_autoencoder
    from deepradiomics.networks.segmenter import load_bundle_segmenter

    cohort = read_cohort(place / "a" / "manifest.csv")
    networks = {"encoder": place / "encoder", "autoencoder": place / "autoencoder"}
    found = _measured(place, cohort, tmp_path, **networks)
    assert found.shape.shape == (4, 14)
    assert found.computed == 4
    row = cohort.manifest.rows[2]
    assert row.mask is not None
    ct, mask = read_volume(row.views["image"]), read_mask(row.mask)
    expected = extract(ct, mask, heads.few_features(place))
    np.testing.assert_array_equal(found.radiomics[2], list(expected.values()))
    assert found.volume_ml[2] == pytest.approx((mask.labels > 0).sum() * 64 / 1000)
    bottlenecks = load_bundle_segmenter(place / "encoder", device="cpu").encoder_latents(ct)
    assert found.encoder is not None
    assert found.autoencoder is not None
    np.testing.assert_array_equal(found.encoder[2], np.concatenate([one.ravel() for one in bottlenecks]))
    network = load_autoencoder(place / "autoencoder", device="cpu")
    np.testing.assert_array_equal(found.autoencoder[2], network.latents(network.crop(ct, mask)).ravel())
    again = _measured(place, cohort, tmp_path, **networks)
    assert again.computed == 0
    assert [one.computed for one in again.latents.values()] == [0, 0]
    np.testing.assert_array_equal(again.encoder, found.encoder)


def test_a_row_s_own_label_or_segment_is_the_haematoma_before_the_run_s_choice(place: Path, tmp_path: Path) -> None:
    import csv

    rows = _rows(place)[:3]
    for row, column, cell in zip(rows, ("label", "segment", "label"), ("3", "blood", ""), strict=True):
        plain = read_mask(row["mask"])
        labels = np.where(plain.union(), 3, 0).astype(np.uint8)
        labels[:2] = 1  # something else
        file = tmp_path / f"{row['id']}.seg.nrrd"
        write_mask(Mask(labels, plain.geometry, segments={1: "skull", 3: "blood"}), file)
        row |= {"mask": str(file), column: cell}
    rows[2]["mask"] = _rows(place)[2]["mask"]  # a single label, which a run's choice may name
    manifest = tmp_path / "manifest.csv"
    with open(manifest, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, dict.fromkeys(name for row in rows for name in row))
        writer.writeheader()
        writer.writerows(rows)
    found = _measured(place, read_cohort(manifest, Reading(label=1)), tmp_path / "cache")
    expected = _measured(place, read_cohort(place / "a" / "manifest.csv"), tmp_path / "cache")
    np.testing.assert_array_equal(found.radiomics, expected.radiomics[:3])
    np.testing.assert_array_equal(found.volume_ml, expected.volume_ml[:3])


def test_a_second_run_reads_no_image_and_a_changed_mask_is_measured_anew(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepradiomics.images import reading as module

    read = []
    monkeypatch.setattr(module, "read_volume", lambda path, **how: read.append(path) or read_volume(path, **how))
    rows = _rows(place)[:2]
    grid = read_volume(rows[1]["image"]).geometry
    rows[1]["mask"] = str(tmp_path / "mask.nii.gz")
    write_mask(ball_mask(grid, (-20, 0, 0), 12), tmp_path / "mask.nii.gz")
    cohort = read_cohort(heads.write_rows(tmp_path / "m.csv", rows))
    first = _measured(place, cohort, tmp_path / "cache")
    assert len(read) == 2
    again = _measured(place, cohort, tmp_path / "cache")
    assert len(read) == 2
    assert again.computed == 0
    np.testing.assert_array_equal(again.radiomics, first.radiomics)
    assert (again.notes, again.marks, again.volume_ml.tolist()) == (first.notes, first.marks, first.volume_ml.tolist())
    write_mask(ball_mask(grid, (-20, 0, 0), 16), tmp_path / "mask.nii.gz")
    changed = _measured(place, cohort, tmp_path / "cache")
    assert len(read) == 3
    assert changed.computed == 1
    assert changed.volume_ml[1] > first.volume_ml[1]


def test_a_damaged_entry_of_the_cache_is_computed_again(place: Path, tmp_path: Path) -> None:
    cohort = read_cohort(place / "a" / "manifest.csv")
    first = _measured(place, cohort, tmp_path, encoder=place / "encoder")
    for path in [*tmp_path.rglob("*.json"), *tmp_path.rglob("*.npy")][::2]:
        path.write_bytes(path.read_bytes()[:40])
    with pytest.warns(UserWarning, match="It is made anew"):
        again = _measured(place, cohort, tmp_path, encoder=place / "encoder")
    assert 0 < again.computed + again.latents["encoder"].computed < 8
    np.testing.assert_array_equal(again.radiomics, first.radiomics)
    np.testing.assert_array_equal(again.encoder, first.encoder)


def test_several_haematomas_are_one_region_the_largest_or_a_row_each(place: Path, tmp_path: Path) -> None:
    rows = _rows(place)[:2]
    grid = read_volume(rows[0]["image"]).geometry
    two = ball_mask(grid, (-25, 0, 0), 14).labels | ball_mask(grid, (30, 0, 0), 8).labels
    write_mask(Mask(two, grid), tmp_path / "two.nii.gz")
    rows[0]["mask"] = str(tmp_path / "two.nii.gz")
    cohort = read_cohort(heads.write_rows(tmp_path / "m.csv", rows))
    found = {
        name: _measured(
            place, cohort, tmp_path, settings=_settings(place, lesions=name), autoencoder=place / "autoencoder"
        )
        for name in ("all", "largest", "each")
    }  # fmt: skip
    name = rows[0]["id"]
    assert found["each"].ids == (f"{name}#1", f"{name}#2", rows[1]["id"])
    assert found["each"].cohort.patients == ("p0-0", "p0-0", "p0-1")
    volumes = {key: one.volume_ml for key, one in found.items()}
    assert volumes["all"][0] == pytest.approx(volumes["each"][:2].sum())
    assert volumes["largest"][0] == volumes["each"][0] > volumes["each"][1]
    np.testing.assert_array_equal(found["largest"].radiomics[0], found["each"].radiomics[0])
    assert not np.array_equal(found["each"].autoencoder[0], found["each"].autoencoder[1])  # type: ignore[index]
    assert any("2 separate haematomas" in note for note in found["all"].notes[name])


def test_a_tiny_haematoma_is_warned_of(place: Path, tmp_path: Path) -> None:
    rows = _rows(place)[:1]
    grid = read_volume(rows[0]["image"]).geometry
    write_mask(ball_mask(grid, (2, 2, 2), 4.5), tmp_path / "tiny.nii.gz")
    rows[0]["mask"] = str(tmp_path / "tiny.nii.gz")
    found = _measured(place, read_cohort(heads.write_rows(tmp_path / "m.csv", rows)), tmp_path)
    assert any("Tiny haematoma" in note for note in found.notes[rows[0]["id"]])


def test_a_missing_mask_is_drawn_by_the_row_s_network_once(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The untrained network would find anything: a threshold stands in for it."""
    from deepradiomics.networks import segmenter as module
    from deepradiomics.networks.segmented import Segmented

    calls = []

    def threshold(self: object, volume: object, **_: object) -> Segmented:
        calls.append(1)
        region = ball_mask(volume.geometry, (0, 0, 0), 12)  # type: ignore[attr-defined]
        return Segmented(region, None)

    monkeypatch.setattr(module.BundleSegmenter, "segment", threshold)
    rows = [row | {"mask": ""} for row in _rows(place)[:2]]
    cohort = read_cohort(heads.write_rows(tmp_path / "m.csv", rows))
    first, again = (_measured(place, cohort, tmp_path, encoder=place / "encoder") for _ in range(2))
    assert len(calls) == 2
    assert len(first) == 2
    np.testing.assert_array_equal(first.radiomics, again.radiomics)
    assert first.volume_ml == pytest.approx(first.volume_ml[0])


def test_rows_without_a_network_among_others_with_one_are_named(place: Path, tmp_path: Path) -> None:
    rows = _rows(place)
    rows[1]["encoder"] = str(place / "encoder")
    cohort = read_cohort(heads.write_rows(tmp_path / "m.csv", rows))
    with pytest.raises(InputError, match=r"column encoder: cases ball-s0-00, .* \(3 of 4\) name no network"):
        _measured(place, cohort, tmp_path)


def test_networks_of_different_sizes_are_refused(place: Path, tmp_path: Path) -> None:
    from deepradiomics.networks.dual_unet import DualScaleUNet
    from deepradiomics.networks.segmenter import BundleSegmenter
    from deepradiomics.prepare.head.head import HeadRecipe

    recipe = HeadRecipe(size_zyx=(32, 32, 32), spacing_mm=6.0)
    BundleSegmenter(DualScaleUNet((2, 4, 6), supervised=1), recipe, name="wide").save(tmp_path / "wide")
    rows = _rows(place)
    for i, row in enumerate(rows):
        row["encoder"] = str(tmp_path / "wide" if i else place / "encoder")
    cohort = read_cohort(heads.write_rows(tmp_path / "m.csv", rows))
    with pytest.raises(InputError, match="latents of different lengths"):
        _measured(place, cohort, tmp_path)


def test_exchanged_networks_are_told(place: Path, tmp_path: Path) -> None:
    cohort = read_cohort(place / "a" / "manifest.csv")
    with pytest.raises(InputError, match="expected a bundle of kind 'ich-segmenter', got 'ich-autoencoder'"):
        _measured(place, cohort, tmp_path, encoder=place / "autoencoder")


def test_nobody_usable_is_an_error_that_says_why(place: Path, tmp_path: Path) -> None:
    rows = [row | {"mask": ""} for row in _rows(place)]
    cohort = read_cohort(heads.write_rows(tmp_path / "m.csv", rows))
    with pytest.raises(InputError, match=r"none of its 4 patients can be used:\s+Case ball-s0-00, column mask"):
        _measured(place, cohort, tmp_path)
