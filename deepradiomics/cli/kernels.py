"""``deepradiomics warm-up``, and what each command does that is the first to need the compiled kernels."""

from typing import TYPE_CHECKING, Any

from deepradiomics import kernels as compiled
from deepradiomics.cli.options import JsonLines
from deepradiomics.cli.session import Session, running

if TYPE_CHECKING:
    from deepradiomics.radiomics.warm_stamp import Part


_UNKEPT = (
    "{} cannot be written to, so each run compiles its kernels anew. Name a folder that can be written to in the "
    "variable NUMBA_CACHE_DIR."
)


def warm_up(json_lines: JsonLines = False) -> None:
    """Compile the kernels of the engine and of the haemorrhage module now, so that no later run waits for them.

    For container images, clusters and classrooms: once for each version, about half a minute on one core; a second or
    two when it is done already. The kernels go to the folder NUMBA_CACHE_DIR, or to one of the user's.
    """
    with running(json_lines) as session:
        session.progress(0.0, "loading")
        from deepradiomics.modelling.warm_up import warm_up as compile_ich
        from deepradiomics.radiomics.warm_up import warm_up as compile_engine

        if not compiled.available():
            session.result("numba is not installed: nothing to compile; the engine runs without it, slower.", seconds=0)
            return
        seconds = round(compile_engine(session.progress) + compile_ich(), 1)
        found: dict[str, Any] = {"seconds": seconds, "folder": str(compiled.cache_folder())}
        if not compiled.can_cache():
            session.warn(_UNKEPT.format(found["folder"]))
        session.result(f"kernels ready after {seconds} s\n{found['folder']}", **found)


def ready_kernels(session: Session, part: "Part" = "features") -> None:
    """Compile the kernels that a command needs where that was never done, saying so: the wait is once."""
    from deepradiomics.radiomics.warm_stamp import to_compile

    missing = to_compile((part,))
    if not missing:
        _tell_of_the_cache(session)
        return
    from deepradiomics.radiomics.warm_up import SECONDS
    from deepradiomics.radiomics.warm_up import warm_up as compile_parts

    session.progress(0.0, f"compiling kernels for the first time, about {SECONDS[part]} s", always=True)
    compile_parts(None, missing)


def _tell_of_the_cache(session: Session) -> None:
    """Say once in a run that what it compiles cannot be kept."""
    from importlib.util import find_spec

    if find_spec("numba") is None or compiled.can_cache():
        return
    text = _UNKEPT.format(compiled.cache_place())
    if text not in session.notes:
        session.note(text)
