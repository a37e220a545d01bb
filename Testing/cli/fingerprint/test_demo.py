"""The demo finds a knee wherever there is one, says which, and writes every result."""

from pathlib import Path

import pytest

import deepradiomics.samples
from deepradiomics.cli.fingerprint import demo
from deepradiomics.cli.session import Session
from deepradiomics.errors import InputError
from deepradiomics.samples import DownloadError, Sample
from Testing.cli.run_cli import run_cli


class _Kept:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


def _session() -> tuple[Session, _Kept]:
    err = _Kept()
    return Session(False, _Kept(), err), err  # type: ignore[arg-type]


def test_test_data_come_first_then_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, _ = _session()
    there = Sample(tmp_path / "a.nii.gz", "Real knee.")
    monkeypatch.setattr(deepradiomics.samples, "knee_mri_in_test_data", lambda: there)
    assert demo._knee("auto", tmp_path, 0, session)[0] == {"sagittal": there.path}
    downloaded = Sample(tmp_path / "dicom", "Downloaded knee.")
    monkeypatch.setattr(deepradiomics.samples, "knee_mri_in_test_data", lambda: None)
    monkeypatch.setattr(deepradiomics.samples, "knee_mri_download", lambda **_: downloaded)
    views, origin = demo._knee("auto", tmp_path, 0, session)
    assert views == {"sagittal": downloaded.path}
    assert "reformatted" in origin
    with pytest.raises(InputError, match="DEEPRADIOMICS_TEST_DATA"):
        demo._knee("test-data", tmp_path, 0, session)


def test_without_network_a_synthetic_knee_stands_in_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(**_: object) -> Sample:
        raise DownloadError("no network here.")

    monkeypatch.setattr(deepradiomics.samples, "knee_mri_in_test_data", lambda: None)
    monkeypatch.setattr(deepradiomics.samples, "knee_mri_download", offline)
    session, err = _session()
    views, origin = demo._knee("auto", tmp_path, 0, session)
    assert set(views) == {"axial", "coronal", "sagittal"}
    assert all(path.is_file() for path in views.values())
    assert "SYNTHETIC" in origin
    assert "no network here" in err.text
    assert "synthetic knee" in err.text
    with pytest.raises(DownloadError):
        demo._knee("download", tmp_path, 0, session)


@pytest.mark.slow
def test_the_demo_runs_from_end_to_end(tmp_path: Path) -> None:
    command = ["demo", "-o", tmp_path / "demo", "--cases", 16, "--epochs", 2, "--input", "synthetic", "--no-scene"]
    found = run_cli([*command, "--json"])
    assert found.code == 0, found.out[-2000:] + found.err
    assert {Path(file).name for file in found.result["files"]} >= {"report.html", "fingerprint.csv", "relevance.nii.gz"}
    report = (tmp_path / "demo" / "result" / "report.html").read_text(encoding="utf-8")
    assert "means nothing clinically" in report
