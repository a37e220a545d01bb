"""Measure what the import of each module file costs: time, modules pulled in, and no heavy package among them.

Usage: python Testing/packaging/import_weight.py

Each file of each Slicer module folder is imported in a child process of its own, with slicer-core's ``slicer`` where it
is installed and with empty stand-ins for the names that only the application has (qt, ctk, ScriptedLoadableModule …).
The child reports which packages of HEAVY were imported by then. The exit status is 0 when there is none.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "torch",
    "sklearn",
    "pandas",
    "monai",
    "lightning",
    "matplotlib",
    "jinja2",
    "numba",
    "pyarrow",
    "dask",
    "xgboost",
    "shap",
)

_CHILD = """
import importlib, json, sys, time, types

class Anything:
    def __init__(self, *args, **kwargs): pass
    def __class_getitem__(cls, item): return cls
    def __call__(self, *args, **kwargs): return args[0] if args else self

class StandIn(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        made = type(name, (Anything,), {}); setattr(self, name, made); return made

for name in ("qt", "ctk"): sys.modules[name] = StandIn(name)
try:
    import slicer, slicer.util
except ImportError:
    slicer = sys.modules["slicer"] = StandIn("slicer")
    slicer.util = sys.modules["slicer.util"] = StandIn("slicer.util")
    slicer.__path__ = []
for name in ("ScriptedLoadableModule", "i18n", "parameterNodeWrapper"):
    made = sys.modules["slicer." + name] = StandIn("slicer." + name); setattr(slicer, name, made)
slicer.i18n.tr = lambda text: text
slicer.i18n.translate = lambda context, text: text
slicer.parameterNodeWrapper.parameterNodeWrapper = lambda cls: cls
before, start = set(sys.modules), time.perf_counter()
importlib.import_module(sys.argv[1])
seconds = time.perf_counter() - start
tops = {name.split(".")[0] for name in set(sys.modules) - before}
print(json.dumps({"seconds": seconds, "modules": len(set(sys.modules) - before),
                  "heavy": sorted(tops & set(sys.argv[2].split(",")))}))
"""


@dataclass(frozen=True)
class Weight:
    """What importing one module cost."""

    module: str
    seconds: float
    modules: int
    heavy: tuple[str, ...]


def module_files(root: Path = ROOT) -> list[tuple[Path, str]]:
    """(folder to put on the path, dotted name) of every Python file in the Slicer module folders."""
    found: list[tuple[Path, str]] = []
    for folder in sorted(path.parent for path in root.glob("*/CMakeLists.txt")):
        if (folder / f"{folder.name}.py").is_file():
            found.append((folder, folder.name))
            library = folder / f"{folder.name}Lib"
            found += [(folder, f"{library.name}.{path.stem}") for path in sorted(library.glob("[!_]*.py"))]
    return found


def weigh(folder: Path, name: str) -> Weight:
    """Import ``name`` in a fresh Python with ``folder`` and the repository's root on its path, and measure.

    Raises:
        RuntimeError: the import fails; the child's traceback is in the message.
    """
    start = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(ROOT)!r}]\n"
    command = [sys.executable, "-c", start + _CHILD, name, ",".join(HEAVY)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"import of {name} failed:\n{done.stderr}")
    said = json.loads(done.stdout.splitlines()[-1])
    return Weight(name, said["seconds"], said["modules"], tuple(said["heavy"]))


def main() -> int:
    """Print one line a module file; 1 when any of them pulls in a heavy package."""
    weights = [weigh(folder, name) for folder, name in module_files()]
    print(f"{'module':48} {'seconds':>8} {'modules':>8}  heavy packages")
    for weight in weights:
        print(f"{weight.module:48} {weight.seconds:8.3f} {weight.modules:8d}  {', '.join(weight.heavy) or 'none'}")
    return 1 if any(weight.heavy for weight in weights) else 0


if __name__ == "__main__":
    raise SystemExit(main())
