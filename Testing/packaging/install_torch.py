"""Install PyTorch before everything else, in the build that this machine can use; run by the Makefile.

    python Testing/packaging/install_torch.py ["torch==2.13.0 --index-url URL"]

Without words: on Linux without an NVIDIA GPU the CPU build, from PyTorch's own index, for PyPI's Linux wheel brings
gigabytes of CUDA libraries; elsewhere, and where that index does not answer, the plain requirement, which takes what
the configured index has. With words (``make TORCH=...``) just these. Standard library only.
"""

from __future__ import annotations

import platform
import shlex
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

REQUIREMENT = "torch==2.13.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
_PATIENCE_S = 5.0
_CHANGE = f'Change it: make TORCH="{REQUIREMENT}" (or any words for pip) ...'


def main() -> int:
    """Say what is taken, and let pip install it."""
    words, message = chosen(" ".join(sys.argv[1:]))
    if message:
        print(message, flush=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *words]
    return subprocess.run(command, check=False).returncode


def chosen(wish: str) -> tuple[list[str], str]:
    """pip's words, and the line that tells why; no line where there was nothing to choose."""
    if wish.strip():
        return shlex.split(wish), ""
    if not needs_cpu_index():
        return [REQUIREMENT], ""
    if not answers(f"{CPU_INDEX}/torch/"):
        return [REQUIREMENT], (
            f"PyTorch: no NVIDIA GPU is seen, but {CPU_INDEX} does not answer: taking {REQUIREMENT} as pip's index has "
            f"it (from PyPI that is gigabytes). {_CHANGE}"
        )
    return [REQUIREMENT, "--extra-index-url", CPU_INDEX], f"PyTorch: no NVIDIA GPU is seen: the CPU build. {_CHANGE}"


def needs_cpu_index() -> bool:
    """Whether the plain wheel would bring CUDA in vain: Linux (elsewhere it is the CPU build) without an NVIDIA GPU."""
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "aarch64"):
        return False
    return not (shutil.which("nvidia-smi") or Path("/proc/driver/nvidia").exists())


def answers(url: str) -> bool:
    """Whether an address answers within five seconds: pip itself would try an unreachable index for minutes."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_PATIENCE_S):
            return True
    except OSError:  # urllib's errors, time-outs and refused connections are all of this kind
        return False


if __name__ == "__main__":
    raise SystemExit(main())
