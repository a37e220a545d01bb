"""Run the command line in this process, as `main` runs it, and keep what it says."""

import contextlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deepradiomics.cli.main import main


@dataclass(frozen=True)
class Finished:
    """Exit code, standard output and standard error of a command."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """The JSON lines on standard output; anything else there is a defect."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def result(self) -> dict[str, Any]:
        """The one result event, which comes last."""
        assert [event["event"] for event in self.events].count("result") == 1, self.out
        assert self.events[-1]["event"] == "result"
        return self.events[-1]


def run_cli(arguments: Sequence[object]) -> Finished:
    """Run ``deepradiomics`` with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
    return Finished(code, out.getvalue(), err.getvalue())
