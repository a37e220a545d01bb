"""Whether the compiled kernels lie in the cache: a small file beside them, read without importing numba.

Kernels stay valid for one version, one numba, one Python, one kind of processor and unchanged sources; the file's name
holds a hash of all these. Were it wrong, a command would compile without saying so before, and nothing else.
"""

import contextlib
import hashlib
import os
import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from deepradiomics import __version__
from deepradiomics import kernels as compiled

Part = Literal["features", "maps"]
PARTS: tuple[Part, ...] = ("features", "maps")


def to_compile(parts: tuple[Part, ...] = PARTS) -> tuple[Part, ...]:
    """Return the parts of the engine whose kernels are not in the cache; none without numba or without a cache."""
    if find_spec("numba") is None:
        return ()
    try:
        missing = tuple(part for part in parts if not stamp_file(part).is_file())
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        return ()
    return missing if missing and compiled.can_cache() else ()


def stamp(part: Part) -> None:
    """Remember that the kernels of a part are compiled; a cache that cannot be written to is left alone."""
    try:
        file = stamp_file(part)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    except (OSError, RuntimeError):
        return


def stamp_file(part: Part) -> Path:
    """Where it is remembered."""
    return compiled.cache_folder() / f"compiled-{part}-{_fingerprint()}.stamp"


@cache
def _fingerprint() -> str:
    """Hash of all that makes numba compile anew: versions, processor, and the files of kernels, where they lie."""
    try:
        numba = version("numba")
    except PackageNotFoundError:
        numba = ""
    folder = Path(__file__).parent
    kernels = [file for file in sorted(folder.rglob("*.py")) if b"njit" in file.read_bytes()]
    kernels.append(Path(compiled.__file__))
    sources = [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in kernels]
    known = (__version__, numba, version("numpy"), sys.version, _processor(), sources)
    return hashlib.sha256(repr(known).encode()).hexdigest()[:16]


def _processor() -> tuple[str, str]:
    """What kind of processor this is; `platform.processor` starts a process on Linux."""
    name = os.environ.get("NUMBA_CPU_NAME") or os.environ.get("PROCESSOR_IDENTIFIER", "")
    if not name and sys.platform == "linux":
        with contextlib.suppress(OSError):
            lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
            name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return platform.machine(), name
