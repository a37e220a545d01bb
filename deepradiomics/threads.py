"""Threads over work that releases the interpreter lock: how many, and a map that keeps the order.

Threads, not processes: inside Slicer other processes hang, and the compiled kernels and LAPACK run side by side here.
"""

import operator
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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
        count = int(asked) if threads is None else operator.index(asked)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        count = 0
    count = 0 if isinstance(threads, bool) else count
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


def map_ahead(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int, ahead: int | None = None
) -> Iterator[Result]:
    """Yield the function of each item, in their order, taking items only as places become free.

    Args:
        function: worked on in other threads; with one thread, here.
        items: made here, one at a time (a generator's memory is bounded so).
        threads: how many to use.
        ahead: how many items may be in work or done but not yet yielded; None takes the number of threads.
    """
    if threads <= 1:
        yield from map(function, items)
        return
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="deepradiomics") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                del item
                if len(waiting) >= (ahead or threads):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:  # after an error, what has not begun is not begun
            for future in waiting:
                future.cancel()
