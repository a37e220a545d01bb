"""Encoding a cohort: each scan once, in the manifest's order, whatever happened before."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.errors import BundleError, Cancelled, InputError
from deepradiomics.images import Geometry, Mask, Volume, read_mask, read_volume
from deepradiomics.images.write import write_mask, write_volume
from deepradiomics.lens.encoders.encode import case_stack, encode, encode_stacks
from deepradiomics.networks.convnextv2 import ConvNeXtV2
from deepradiomics.networks.encoders.encoder import Encoder
from deepradiomics.prepare import StackRecipe, prepare_stack

RECIPE = StackRecipe(("t2", "adc"), (16, 16, 16), (1, 1, 1))
N = 5


def mini(recipe: StackRecipe = RECIPE, **more: Any) -> Encoder:
    torch.manual_seed(0)
    return Encoder(ConvNeXtV2(2, "mini"), recipe, **more)


@pytest.fixture
def cohort(tmp_path: Path) -> Manifest:
    """SYNTHETIC: noise on two grids, a ball as gland."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "cohort"
    folder.mkdir()
    t2, adc = Geometry((20, 20, 12), (1, 1, 2)), Geometry((12, 14, 10), (2, 2, 2.5), (-1, -2, 0))
    z, y, x = np.ogrid[:12, :20, :20]
    rows = []
    for i in range(N):
        files = {name: folder / f"{i}_{name}.nrrd" for name in ("t2", "adc", "gland")}
        write_volume(Volume(rng.normal(100, 20, t2.shape).astype(np.float32), t2), files["t2"])
        write_volume(Volume(rng.normal(900, 90, adc.shape).astype(np.float32), adc), files["adc"])
        ball = (x - 9 - i / 4) ** 2 + (y - 10) ** 2 + (2 * (z - 5.5)) ** 2 < 36
        write_mask(Mask(ball, t2), files["gland"])
        views = {"t2": files["t2"], "adc": files["adc"]}
        rows.append(ManifestRow(f"case{i}", views, masks={"gland": files["gland"]}))
    return Manifest(tuple(rows), ("t2", "adc"), (), rois=("gland",))


class Counting(torch.nn.Module):
    """Counts the cases that pass through an encoder."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.inner = encoder.module
        self.cases = -1  # the probe when the encoder is made

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.cases += len(x)
        return self.inner(x)


def counting() -> tuple[Encoder, Counting]:
    module = Counting(mini())
    return Encoder(module, RECIPE, name="counting"), module


def with_row(manifest: Manifest, i: int, **changes: Any) -> Manifest:
    rows = list(manifest.rows)
    rows[i] = replace(rows[i], **changes)
    return replace(manifest, rows=tuple(rows))


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_each_case_gets_the_embedding_of_its_own_stack(cohort: Manifest, batch_size: int) -> None:
    encoder = mini()
    result = encode(cohort, encoder, batch_size=batch_size, device="cpu")
    assert result.ids == cohort.ids
    assert result.values.shape == (N, 128)
    for row, vector in zip(cohort.rows, result.values, strict=True):
        images = {name: read_volume(path) for name, path in row.views.items()}
        stack = prepare_stack(images, {"gland": read_mask(row.masks["gland"])}, RECIPE, roi="gland")
        alone = encoder.embed(torch.from_numpy(stack.image)[None]).numpy()[0]
        np.testing.assert_allclose(vector, alone, rtol=1e-4, atol=1e-5)
    assert len(np.unique(result.values[:, 0])) == N
    assert result.about["encoder"]["hash"] == encoder.hash
    assert result.about["roi"] == "gland"


def test_the_cache_saves_every_case_and_changes_no_bit(cohort: Manifest, tmp_path: Path) -> None:
    encoder, module = counting()
    first = encode(cohort, encoder, tmp_path / "cache", device="cpu")
    assert module.cases == N
    again = encode(cohort, encoder, tmp_path / "cache", device="cpu")
    assert module.cases == N
    np.testing.assert_array_equal(first.values, again.values)
    assert first.about == again.about
    copied = tmp_path / "copied.nrrd"  # the same content elsewhere is the same scan
    shutil.copy(cohort.rows[2].views["t2"], copied)
    moved = with_row(cohort, 2, views={**cohort.rows[2].views, "t2": copied})
    encode(moved, encoder, tmp_path / "cache", device="cpu")
    assert module.cases == N


def test_another_image_region_or_encoder_is_encoded_again(cohort: Manifest, tmp_path: Path) -> None:
    encoder, module = counting()
    encode(cohort, encoder, tmp_path / "cache", device="cpu")
    a, b = cohort.rows[0], cohort.rows[1]
    encode(with_row(cohort, 0, views={**a.views, "t2": b.views["t2"]}), encoder, tmp_path / "cache", device="cpu")
    assert module.cases == N + 1
    encode(with_row(cohort, 0, masks={"gland": b.masks["gland"]}), encoder, tmp_path / "cache", device="cpu")
    assert module.cases == N + 2
    with torch.no_grad():
        module.inner.norm.bias += 1
    tuned = encode(cohort, encoder, tmp_path / "cache", device="cpu")
    assert module.cases == 2 * N + 2
    assert tuned.dimension == 128
    other = Encoder(module, RECIPE, layer="inner.stages.1")
    assert encode(cohort, other, tmp_path / "cache", device="cpu").dimension == 32
    assert module.cases == 3 * N + 3  # and the probe of the new layer


def test_one_scan_in_two_rows_is_encoded_once(cohort: Manifest) -> None:
    encoder, module = counting()
    twin = replace(cohort.rows[1], id="twin")
    result = encode(replace(cohort, rows=(*cohort.rows, twin)), encoder, device="cpu")
    assert module.cases == N
    np.testing.assert_array_equal(result.values[-1], result.values[1])


def test_a_run_that_was_stopped_goes_on_where_it_was(cohort: Manifest, tmp_path: Path) -> None:
    encoder, module = counting()
    whole = encode(cohort, encoder, device="cpu", batch_size=1)
    module.cases = 0

    def stop(fraction: float, message: str) -> None:
        if module.cases == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        encode(cohort, encoder, tmp_path / "cache", device="cpu", batch_size=1, progress=stop)
    assert module.cases == 3
    resumed = encode(cohort, encoder, tmp_path / "cache", device="cpu", batch_size=1)
    assert module.cases == N
    np.testing.assert_array_equal(resumed.values, whole.values)


def test_a_damaged_entry_is_computed_again_with_a_warning(cohort: Manifest, tmp_path: Path) -> None:
    encoder, module = counting()
    before = encode(cohort, encoder, tmp_path / "cache", device="cpu", batch_size=1)
    entry = sorted((tmp_path / "cache").rglob("values.npy"))[0]
    entry.write_bytes(entry.read_bytes()[:40])
    with pytest.warns(UserWarning, match="It is made anew"):
        after = encode(cohort, encoder, tmp_path / "cache", device="cpu", batch_size=1)
    assert module.cases == N + 1
    np.testing.assert_array_equal(before.values, after.values)


def test_progress_ends_at_one_and_names_cases(cohort: Manifest) -> None:
    seen: list[tuple[float, str]] = []
    encode(cohort, mini(), device="cpu", batch_size=2, progress=lambda f, m: seen.append((f, m)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert "encoded case4 (5 of 5)" in seen[-1][1]


def test_cases_that_cannot_be_encoded_are_all_named_or_dropped_on_request(cohort: Manifest, tmp_path: Path) -> None:
    grid = Geometry((12, 14, 10), (2, 2, 2.5), (300, 300, 300))
    write_volume(Volume(np.random.default_rng(0).normal(size=grid.shape), grid), tmp_path / "far.nrrd")
    bad = with_row(cohort, 1, views={"t2": cohort.rows[1].views["t2"]})
    bad = with_row(bad, 2, masks={})
    bad = with_row(bad, 3, views={**cohort.rows[3].views, "adc": tmp_path / "far.nrrd"})
    with pytest.raises(InputError) as caught:
        encode(bad, mini(), tmp_path / "cache", device="cpu")
    message = str(caught.value)
    assert message.startswith("3 of 5 cases cannot be encoded:")
    assert "Case case1 lacks the modality adc; it has t2" in message
    assert "Case case2, column mask_gland" in message
    assert "Case case3: region 'gland'" in message
    assert "outside modality adc" in message
    assert "missing='drop'" in message
    assert len(list((tmp_path / "cache").rglob("values.npy"))) == 2  # nothing done is lost
    result = encode(bad, mini(), tmp_path / "cache", device="cpu", missing="drop")
    assert result.ids == ("case0", "case4")
    assert [case for case, _ in result.about["dropped"]] == ["case1", "case2", "case3"]
    none = replace(bad, rows=bad.rows[1:4])
    with pytest.raises(InputError, match="3 of 3 cases cannot be encoded"):
        encode(none, mini(), device="cpu", missing="drop")


class Poisoned(torch.nn.Module):
    """NaN for the third case it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = -1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = x.mean((2, 3, 4))
        self.seen += 1
        return out if self.seen != 3 else out * torch.nan


def test_an_embedding_with_nan_is_refused_naming_its_case_and_never_cached(cohort: Manifest, tmp_path: Path) -> None:
    encoder = Encoder(Poisoned(), RECIPE, name="poisoned")
    with pytest.raises(InputError, match=r"1 of 5 cases cannot .*\n.*Case case2: the encoder 'poisoned' gives NaN"):
        encode(cohort, encoder, tmp_path / "cache", device="cpu", batch_size=1)
    assert len(list((tmp_path / "cache").rglob("values.npy"))) == 4


def test_an_encoder_that_does_not_fit_the_modalities_is_refused_before_any_work(cohort: Manifest) -> None:
    encoder = Encoder(ConvNeXtV2(2, "mini"), StackRecipe(("t2", "dwi"), (16, 16, 16)))
    with pytest.raises(BundleError, match=r"sees the modalities t2, dwi, but dwi is not among those given: t2, adc"):
        encode(cohort, encoder)
    with pytest.raises(InputError, match="batch_size"):
        encode(cohort, mini(), batch_size=0)
    with pytest.raises(InputError, match="'refuse' or 'drop'"):
        encode(cohort, mini(), missing="ignore")  # type: ignore[arg-type]


def test_without_masks_the_ellipsoid_or_the_images_middle_will_do(cohort: Manifest) -> None:
    bare = replace(cohort, rows=tuple(replace(row, masks={}) for row in cohort.rows), rois=())
    middle = mini(StackRecipe(("t2", "adc"), (16, 16, 16), (1, 1, 1), centre="image"))
    assert encode(bare, middle, device="cpu").about["roi"] is None
    large = encode(bare, mini(StackRecipe(("t2", "adc"), (32, 48, 48), (1, 1, 1))), device="cpu", roi="ellipsoid")
    assert large.about["roi"] == "ellipsoid"
    assert len(large) == N


def test_stacks_are_embedded_in_order_one_batch_at_a_time(cohort: Manifest) -> None:
    encoder = mini()
    stacks = [case_stack(row, RECIPE, "gland").image for row in cohort.rows]
    taken: list[int] = []

    def one_by_one() -> Any:
        for i, stack in enumerate(stacks):
            taken.append(i)
            yield stack

    got = encode_stacks(encoder, one_by_one(), batch_size=2, device="cpu")
    np.testing.assert_allclose(got, encode(cohort, encoder, device="cpu").values, rtol=1e-4, atol=1e-5)
    assert taken == list(range(N))
    assert got.dtype == np.float32
    with pytest.raises(InputError, match="at least one image"):
        encode_stacks(encoder, [], device="cpu")
    with pytest.raises(InputError, match="one shape"):
        encode_stacks(encoder, [stacks[0], stacks[0][:, :8]], device="cpu")


def test_an_unreadable_file_is_named_with_case_and_column(cohort: Manifest) -> None:
    cohort.rows[1].views["adc"].write_bytes(b"no image")
    with pytest.raises(InputError, match=r"Case case1, column view_adc: "):
        encode(cohort, mini(), device="cpu")


def test_a_real_prostate_is_prepared_and_encoded(data_dir: Path) -> None:
    files = {"t2": "t2w", "highb": "hbv", "adc": "adc"}
    views = {name: data_dir / f"prostatex/ProstateX-0000_{end}.nii.gz" for name, end in files.items()}
    manifest = Manifest((ManifestRow("ProstateX-0000", views),), tuple(files), ())
    torch.manual_seed(0)
    encoder = Encoder(ConvNeXtV2(3, "mini"), StackRecipe())
    result = encode(manifest, encoder, roi="ellipsoid", device="cpu")
    assert result.values.shape == (1, 128)
    assert result.values.std() > 0.1


def test_nothing_is_called_done_before_a_failure(cohort: Manifest, tmp_path: Path) -> None:
    seen: list[tuple[float, str]] = []
    broken = Manifest(tuple(replace(row, masks={}) for row in cohort.rows), cohort.views, (), rois=("gland",))
    with pytest.raises(InputError, match="5 of 5 cases cannot be encoded"):
        encode(broken, mini(), device="cpu", progress=lambda f, m: seen.append((f, m)))
    assert seen == []
    encode(cohort, mini(), tmp_path / "cache", device="cpu")
    half = Manifest((*cohort.rows[:2], *broken.rows[2:]), cohort.views, (), rois=("gland",))
    with pytest.raises(InputError, match="3 of 5 cases cannot be encoded"):
        encode(half, mini(), tmp_path / "cache", device="cpu", progress=lambda f, m: seen.append((f, m)))
    assert seen == [(1.0, "2 of 2 cases found in the cache; 3 cases cannot be encoded")]
