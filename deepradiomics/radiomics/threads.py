"""Threads over work that releases the interpreter lock: how many, and a map that keeps the order.

Threads, not processes: inside Slicer other processes hang, and the compiled kernels and LAPACK run side by side here.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from deepradiomics.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")
VARIABLE = "DEEPRADIOMICS_THREADS"


def thread_count(threads: int | None = None) -> int:
    """Return how many threads to use: the number asked for, else the variable DEEPRADIOMICS_THREADS, else all cores.

    Raises:
        InputError: the number, or the variable's text, is not a whole number of at least 1.
    """
    source, asked = ("threads", threads) if threads is not None else (VARIABLE, os.environ.get(VARIABLE))
    if asked is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        count = int(asked)
    except ValueError:
        count = 0
    if count < 1:
        raise InputError(f"{source}: expected a whole number of at least 1, got {asked!r}.")
    return count


def map_threads(function: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None) -> list[Result]:
    """Return the function of each item, in their order; with one thread or one item nothing is started.

    The first error is raised after the others have come to their end. The results never depend on the number of
    threads, because each item is worked on alone.
    """
    todo = list(items)
    workers = min(thread_count(threads), len(todo))
    if workers <= 1:
        return [function(item) for item in todo]
    with ThreadPoolExecutor(workers, thread_name_prefix="deepradiomics") as pool:
        return list(pool.map(function, todo))
