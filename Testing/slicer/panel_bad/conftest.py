"""One simulated Slicer a module, in which its panel lives through all rows of bad input, as it does in the application.

Making a panel anew for each row would take longer than all rows together.
"""

from __future__ import annotations

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
def host(
    request: pytest.FixtureRequest,
    slicer_sources: Path,  # noqa: F811
    knee: Synthetic,
    head: SyntheticIch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Host]:
    """A Slicer in which the panel of the module that the parameter names is open."""
    pytest.importorskip("vtk", reason="slicer-core is not installed")
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    from deepradiomics.phantoms import prostate
    from deepradiomics.scene.headless import headless_slicer

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QT_QPA_PLATFORM", "offscreen")
        patch.setattr(prostate, "prostate_exam", functools.cache(prostate.prostate_exam))  # the lens's sample
        with headless_slicer(tmp_path_factory.mktemp("slicer")), simulated_slicer(slicer_sources) as slicer:
            host = Host(request.param, slicer, {"knee": knee, "head": head})
            patch.setattr(slicer.util, "errorDisplay", lambda text, **_: host.errors.append(text))
            yield host
            host.close()


@pytest.fixture
def make_trial(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Desk], Trial]:
    """Sets the panel up for a run in an empty scene; temporary folders are made where they can be counted."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def make(desk: Desk) -> Trial:
        return Trial(desk, host, tmp_path, temporary, monkeypatch)

    return make
