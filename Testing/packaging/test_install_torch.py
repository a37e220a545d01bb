"""Which PyTorch `make` takes: the CPU build where nothing else could be used, and never a long wait for an index."""

from __future__ import annotations

import platform
import shutil
import socket
import time
from pathlib import Path

import pytest

from Testing.packaging import install_torch
from Testing.packaging.install_torch import CPU_INDEX, REQUIREMENT, answers, chosen, needs_cpu_index


@pytest.fixture
def machine(monkeypatch):
    """A machine of a system, processor, with or without a GPU, and an index that answers or not."""

    def make(system: str = "Linux", processor: str = "x86_64", gpu: bool = False, index: bool = True) -> None:
        monkeypatch.setattr(platform, "system", lambda: system)
        monkeypatch.setattr(platform, "machine", lambda: processor)
        monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/nvidia-smi" if gpu else None)
        monkeypatch.setattr(Path, "exists", lambda path: gpu)
        monkeypatch.setattr(install_torch, "answers", lambda url: index)

    return make


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
def test_linux_without_a_gpu_takes_the_cpu_build_and_says_how_to_change_it(machine, processor):
    machine(processor=processor)
    words, message = chosen("")
    assert words == [REQUIREMENT, "--extra-index-url", CPU_INDEX]
    assert message.count("\n") == 0
    assert "CPU build" in message
    assert "make TORCH=" in message


@pytest.mark.parametrize("other", [{"gpu": True}, {"system": "Darwin"}, {"system": "Windows"}])
def test_elsewhere_the_plain_wheel_is_the_right_one(machine, other):
    machine(**other)
    assert chosen("") == ([REQUIREMENT], "")


def test_where_the_index_does_not_answer_the_configured_one_serves_and_the_line_says_so(machine):
    machine(index=False)
    words, message = chosen("")
    assert words == [REQUIREMENT]
    assert "does not answer" in message
    assert "gigabytes" in message


def test_words_of_the_user_are_taken_as_they_are(machine):
    machine()
    assert chosen("torch>=2.6 --index-url https://example.org/whl") == (
        ["torch>=2.6", "--index-url", "https://example.org/whl"], ""
    )  # fmt: skip


def test_an_index_that_refuses_or_stays_silent_is_given_up_within_seconds(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(install_torch, "_PATIENCE_S", 0.3)
    with socket.socket() as silent:  # accepts a connection and never speaks
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        start = time.monotonic()
        assert not answers(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        assert time.monotonic() - start < 3.0
        port = silent.getsockname()[1]
    assert not answers(f"http://127.0.0.1:{port}/")


def test_the_makefile_asks_this_program_and_the_library_accepts_its_version():
    import tomllib

    root = Path(__file__).resolve().parents[2]
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    assert makefile.count('Testing/packaging/install_torch.py "$(TORCH)"') == 2
    networks = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert any(line.startswith("torch>=") for line in networks["networks"])


def test_this_machine_is_judged_by_what_it_has():
    gpu = bool(shutil.which("nvidia-smi")) or Path("/proc/driver/nvidia").exists()
    expected = platform.system() == "Linux" and platform.machine() in ("x86_64", "aarch64") and not gpu
    assert needs_cpu_index() == expected
