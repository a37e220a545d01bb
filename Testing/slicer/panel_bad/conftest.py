"""One simulated Slicer a module, in which its panel lives through all rows of bad input, as it does in the application.

Making a panel anew for each row would take longer than all rows together.
"""

from __future__ import annotations

import contextlib
import functools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from Testing.slicer.ich_result import SyntheticIch, make_ich_case
from Testing.slicer.panel.conftest import slicer_sources  # noqa: F401 - fixture
from Testing.slicer.panel.simulated import simulated_slicer
from Testing.slicer.panel_bad.desks import Desk
from Testing.slicer.panel_bad.trial import Host, Trial
from Testing.slicer.synthetic_result import Synthetic, make_result


@pytest.fixture(scope="session")
def knee(tmp_path_factory: pytest.TempPathFactory) -> Synthetic:
    """SYNTHETIC: three views of a knee."""
    return make_result(tmp_path_factory.mktemp("knee") / "result")


@pytest.fixture(scope="session")
def head(tmp_path_factory: pytest.TempPathFactory) -> SyntheticIch:
    """SYNTHETIC: a head CT with a haematoma, and a later one."""
    return make_ich_case(tmp_path_factory.mktemp("head") / "case")


@pytest.fixture(scope="module")
def host_of(
    slicer_sources: Path,  # noqa: F811
    knee: Synthetic,
    head: SyntheticIch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], Host]]:
    """Opens a Slicer with the panel of a module; of one module after another, and the one before is closed."""
    pytest.importorskip("vtk", reason="slicer-core is not installed")
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    from deepradiomics.phantoms.prostate import cohort as prostate
    from deepradiomics.scene.job.headless import headless_slicer

    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as opened:
        patch.setenv("QT_QPA_PLATFORM", "offscreen")
        patch.setattr(prostate, "prostate_exam", functools.cache(prostate.prostate_exam))  # the lens's sample
        hosts: list[Host] = []

        def host(module: str) -> Host:
            if not hosts or hosts[-1].module != module:
                opened.close()
                opened.enter_context(headless_slicer(tmp_path_factory.mktemp("slicer")))
                slicer = opened.enter_context(simulated_slicer(slicer_sources))
                hosts.append(Host(module, slicer, {"knee": knee, "head": head}))
                slicer.util.errorDisplay = lambda text, errors=hosts[-1].errors, **_: errors.append(text)
                opened.callback(hosts[-1].close)
            return hosts[-1]

        import slicer.util

        patch.setattr(slicer.util, "errorDisplay", slicer.util.errorDisplay)  # taken back at the end
        yield host


@pytest.fixture
def make_trial(
    host_of: Callable[[str], Host], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Desk], Trial]:
    """Sets the panel of a desk up for a run; temporary folders are made where they can be counted."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return lambda desk: Trial(desk, host_of(desk.module), tmp_path, temporary, monkeypatch)
