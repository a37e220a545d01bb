"""Whether the encoders have seen the cohort, as far as they tell."""

from deepradiomics.cohort.seen.marks import STAGE_MARK_LENGTH, case_marks
from deepradiomics.cohort.seen.stages import leakage_text

VOXELS = {f"p{n}": {"t2": f"hash{n}a", "adc": f"hash{n}b"} for n in range(4)}
SPLITS = {"p0": "train", "p1": "train", "p2": "validation", "p3": "test"}


def _identity(**stages: tuple[str, ...]) -> dict[str, object]:
    """An encoder that has seen these cases."""
    marks = {
        stage: sorted(mark[:STAGE_MARK_LENGTH] for case in cases for mark in case_marks(case, VOXELS[case]))
        for stage, cases in stages.items()
    }
    return {"about": {stage: {"marks": {"train": kept, "validation": []}} for stage, kept in marks.items()}}


def test_test_cases_seen_in_pre_training_are_called_leakage() -> None:
    before = _identity(pretraining=("p0", "p3"))
    after = _identity(pretraining=("p0", "p3"), finetuning=("p0", "p1", "p2"))
    text = leakage_text(before, after, VOXELS, SPLITS)
    assert "Pre-training: 2 of these 4 cases were part of it" in text
    assert "1 case of the test split. LEAKAGE" in text
    assert "Fine-tuning: 3 of these 4 cases were part of it (training or validation), none of the test cases." in text


def test_an_encoder_that_saw_one_modality_has_seen_the_case() -> None:
    seen = {"t2": VOXELS["p3"]["t2"]}
    [mark] = case_marks("p3", seen)
    before = {"about": {"pretraining": {"marks": {"train": [mark[:STAGE_MARK_LENGTH]], "validation": []}}}}
    assert "LEAKAGE" in leakage_text(before, before, VOXELS, SPLITS)


def test_other_images_under_the_same_name_are_not_taken_for_seen() -> None:
    other = {case: {"t2": f"other {voxels['t2']}"} for case, voxels in VOXELS.items()}
    text = leakage_text(_identity(pretraining=("p3",)), {"about": {}}, other, SPLITS)
    assert text.startswith("Pre-training: none of these 4 cases was part of it.")


def test_what_an_encoder_does_not_tell_is_called_unknown() -> None:
    text = leakage_text({"name": "theirs"}, {"name": "theirs", "about": {"pretraining": {}}}, VOXELS, SPLITS)
    assert text.count("it is unknown whether these cases were part of it") == 2
    assert "LEAKAGE" not in text


def test_leakage_from_a_fine_tuning_tells_the_remedy() -> None:
    before, after = {"about": {}}, _identity(finetuning=("p3",))
    text = leakage_text(before, after, VOXELS, SPLITS)
    assert "LEAKAGE" in text
    assert "--splits RUN/splits.csv" in text
