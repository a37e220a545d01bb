"""The outcome models' bundle: what is saved comes back, and parts that do not belong together are refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import BundleError, InputError
from deepradiomics.ich.predictor import CalibrationBin, Predictor, load_predictor, save_predictor
from Testing.unit.ich.tiny_predictor import ROWS, random_predictor, tiny_autoencoder, tiny_bundle, tiny_segmenter

pytest.importorskip("sklearn")
pytest.importorskip("torch")
pytest.importorskip("monai")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("predictor") / "bundle", covariates=("age", "sex"))


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "copy"))


@pytest.mark.parametrize("classifier", ["random-forest", "xgboost", "naive-bayes", "elastic-net", "svm"])
def test_every_classifier_predicts_the_same_after_a_round_trip(classifier: str, tmp_path: Path) -> None:
    if classifier == "xgboost":
        pytest.importorskip("xgboost")
    made = random_predictor(input="shape", classifier=classifier)
    loaded = load_predictor(save_predictor(tmp_path / "bundle", made))
    rng = np.random.default_rng(7)
    features = {"shape": rng.gamma(2.0, 40.0, (5, len(made.blocks["shape"].names)))}
    for ours, theirs in zip(made.outcomes, loaded.outcomes, strict=True):
        expected = ours.model.probability(made.table(features))
        assert np.array_equal(theirs.model.probability(loaded.table(features)), expected)
        assert len(set(expected.tolist())) > 1  # a model that says one number to all would pass as well


def test_everything_else_comes_back_too(bundle: Path) -> None:
    loaded = load_predictor(bundle)
    assert (loaded.input, loaded.classifier, loaded.lesions) == ("radiomics+latents", "extra-trees", "all")
    assert list(loaded.blocks) == ["radiomics", "encoder", "autoencoder", "clinical"]
    assert loaded.covariates == ("age", "sex")
    assert [column.group for column in loaded.columns] == [
        *["radiomics"] * 4, *["encoder"] * 4, *["autoencoder"] * 4, *["clinical"] * 2,
    ]  # fmt: skip
    assert loaded.slices() == {
        "radiomics": slice(0, 4), "encoder": slice(4, 8), "autoencoder": slice(8, 12), "clinical": slice(12, 14)
    }  # fmt: skip
    one = loaded.outcomes[1]
    assert (one.name, one.title, one.threshold, one.n_training) == ("expansion_6ml", "expansion 6ml", 0.5, ROWS)
    assert one.background.shape == (ROWS, 14)
    assert not one.background.flags.writeable
    assert one.calibration[0] == CalibrationBin(0.2, 0.2 * 0.9, 0.2 * 0.6, 0.2 * 1.3, 8)
    assert loaded.synthetic
    assert not loaded.leaking
    assert loaded.encoder == bundle / "encoder"
    assert loaded.autoencoder == bundle / "autoencoder"


def test_the_nearest_bin_is_the_patients_place_in_the_calibration(bundle: Path) -> None:
    one = load_predictor(bundle).outcomes[0]
    assert [one.bin_of(p) for p in (0.0, 0.34, 0.36, 0.97)] == [0, 0, 1, 2]
    assert replace(one, calibration=()).bin_of(0.5) is None


def test_nothing_in_a_bundle_is_a_pickle(bundle: Path) -> None:
    files = [path for path in bundle.rglob("*") if path.is_file()]
    assert sorted({path.name for path in files}) == ["bundle.json", "model.safetensors"]
    for path in files:
        assert not path.read_bytes().startswith(b"\x80")  # how a pickle begins


def test_exchanged_networks_are_refused_and_named(copy: Path, tmp_path: Path) -> None:
    (copy / "encoder").rename(tmp_path / "s")
    (copy / "autoencoder").rename(copy / "encoder")
    (tmp_path / "s").rename(copy / "autoencoder")
    with pytest.raises(BundleError, match="expected a bundle of kind 'ich-segmenter', got 'ich-autoencoder'"):
        load_predictor(copy)


def test_another_network_of_the_same_kind_is_refused(copy: Path) -> None:
    shutil.rmtree(copy / "autoencoder")
    tiny_autoencoder(copy / "autoencoder", seed=5)
    with pytest.raises(BundleError, match="not the autoencoder that the predictor was fitted with"):
        load_predictor(copy)


def test_a_network_that_is_gone_is_missed(copy: Path) -> None:
    shutil.rmtree(copy / "encoder")
    with pytest.raises(BundleError, match="encoder: this network of the bundle is missing"):
        load_predictor(copy)


def test_saving_with_another_network_is_refused_and_leaves_nothing(bundle: Path, tmp_path: Path) -> None:
    other = tiny_segmenter(tmp_path / "other", seed=9)
    with pytest.raises(BundleError, match="not the encoder that the predictor was fitted with"):
        save_predictor(tmp_path / "new", load_predictor(bundle), encoder=other, autoencoder=bundle / "autoencoder")
    with pytest.raises(InputError, match="autoencoder: the input 'radiomics\\+latents' needs this network"):
        save_predictor(tmp_path / "new", load_predictor(bundle), encoder=bundle / "encoder")
    assert not (tmp_path / "new").exists()


def test_a_segmenter_may_come_along_with_a_model_that_takes_no_latents(tmp_path: Path) -> None:
    network = tiny_segmenter(tmp_path / "network")
    loaded = load_predictor(save_predictor(tmp_path / "b", random_predictor(input="shape"), encoder=network))
    assert loaded.encoder == tmp_path / "b" / "encoder"
    assert loaded.autoencoder is None
    shutil.rmtree(tmp_path / "b" / "encoder")
    tiny_segmenter(tmp_path / "b" / "encoder", seed=4)
    with pytest.raises(BundleError, match="not the encoder"):
        load_predictor(tmp_path / "b")


def test_an_edited_threshold_is_found_out(copy: Path) -> None:
    file = copy / "predictor" / "bundle.json"
    described = json.loads(file.read_text(encoding="utf-8"))
    described["outcomes"][0]["threshold"] = 0.01
    file.write_text(json.dumps(described), encoding="utf-8")
    with pytest.raises(BundleError, match="changed after the bundle was saved"):
        load_predictor(copy)


def test_other_folders_are_told_by_what_they_are(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="found a bundle of kind 'ich-segmenter'"):
        load_predictor(bundle / "encoder")
    with pytest.raises(BundleError, match="found no folder"):
        load_predictor(tmp_path / "nowhere")
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "bundle").symlink_to(bundle)
    with pytest.raises(BundleError, match="experiment/bundle is one"):
        load_predictor(tmp_path / "experiment")


def test_a_folder_of_the_user_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="the folder holds other files"):
        save_predictor(tmp_path, random_predictor(input="shape"))
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_predictor_that_cannot_be_is_not_made(bundle: Path) -> None:
    made = load_predictor(bundle)
    with pytest.raises(InputError, match="say which network gave its latents"):
        replace(made, encoder_sha256="")
    with pytest.raises(InputError, match="expected the 8 columns of the blocks, got 14"):
        replace(made, blocks={group: made.blocks[group] for group in ("radiomics", "encoder")})
    with pytest.raises(InputError, match="each with a name of its own"):
        replace(made, outcomes=(made.outcomes[0], made.outcomes[0]))
    with pytest.raises(InputError, match="threshold: expected a number from 0 to 1, got nan"):
        replace(made.outcomes[0], threshold=float("nan"))
    with pytest.raises(InputError, match="background: expected a finite table"):
        replace(made.outcomes[0], background=np.full((2, 14), np.nan))
    with pytest.raises(InputError, match="lesions: expected one of all, largest"):
        replace(made, lesions="each")


def test_a_missing_family_of_features_is_named(bundle: Path) -> None:
    made: Predictor = load_predictor(bundle)
    with pytest.raises(InputError, match="missing: \\['encoder', 'autoencoder', 'clinical'\\]"):
        made.table({"radiomics": np.zeros((1, 32))})
