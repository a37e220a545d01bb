"""Drive the simulated panel of the lens: a child for it to start, a run to its end, a result on show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from Testing.slicer.fake_child import FakeStart, HandTimer
from Testing.unit.reports.fake_lens import write_fake_case, write_fake_lens


def lens_writer(words: Sequence[str]) -> dict[str, Any]:
    """What `deepradiomics lens fit` writes."""
    out = Path(words[list(words).index("-o") + 1])
    write_fake_lens(out)
    return {"folder": str(out)}


def case_writer(words: Sequence[str]) -> None:
    """What `deepradiomics lens case` writes."""
    given = dict(pairwise(words))
    write_fake_case(Path(given["-o"]), {"modality": given["--modality"], "feature": given["--feature"]})


def with_child(widget: Any, write: Callable[[list[str]], Any] | FakeStart) -> FakeStart:
    """Let the panel start this child."""
    from RadiomicLensLib.logic import RadiomicLensLogic

    start = write if isinstance(write, FakeStart) else FakeStart(write)
    HandTimer.made.clear()
    widget.logic = RadiomicLensLogic(start, HandTimer)
    return start


def ready(widget: Any, manifest: Path, finetuning: Path, out: Path) -> Any:
    """Set the panel up for a fit that can run."""
    from RadiomicLensLib.choices import EncoderSource

    p = widget.parameters
    p.encoderSource = EncoderSource.RUN
    p.manifest, p.finetuneFolder, p.outputFolder = str(manifest), str(finetuning), str(out)
    return p


def opened(widget: Any, folder: Path) -> Any:
    """Show a result folder; returns the parameters."""
    widget.results.show(widget.logic.open(folder))
    return widget.parameters


def shown_features(widget: Any) -> list[str]:
    """The first column of the list of features."""
    return shown_column(widget, 0)


def shown_column(widget: Any, column: int, table: str = "shiftTable") -> list[str]:
    """What a column of a list reads: the text of its cells, or what stands on their bars."""
    listed = getattr(widget.ui, table)
    cells = [listed.cellWidget(row, column) or listed.item(row, column) for row in range(listed.rowCount)]
    texts = [cell.text if isinstance(cell.text, str) else cell.text() for cell in cells]
    return [text.replace("\u200b", "") for text in texts]
