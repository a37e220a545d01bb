"""One function over many jobs: here, in processes of this machine, or on a Dask cluster; results as they come."""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any, TypeVar

from deepradiomics.child import safe_children
from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.files.sealed import collected_notes

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")

_ANSWER_WITHIN_S = 20.0  # a scheduler that is there answers within this time


def run_everywhere(
    fn: Callable[[Job], Outcome], jobs: Sequence[Job], workers: int = 1, cluster: str | None = None
) -> Iterator[tuple[int, Outcome]]:
    """Yield (number of the job, outcome) for each job, in the order in which they finish.

    One worker and no cluster runs in this process, without Dask. An error of a job, or leaving the loop early, cancels
    what has not begun.

    Raises:
        InputError: fewer than one worker, the scheduler does not answer or has gone, or a job ends its worker again and
            again.
        MissingDependencyError: Dask is needed and not installed.
    """
    if workers < 1:
        raise InputError(f"workers must be 1 or more, got {workers}.")
    if workers == 1 and cluster is None:
        for number, job in enumerate(jobs):
            yield number, fn(job)
        return
    yield from _run_dask(fn, jobs, workers, cluster)


def _run_dask(
    fn: Callable[[Job], Outcome], jobs: Sequence[Job], workers: int, cluster: str | None
) -> Iterator[tuple[int, Outcome]]:
    try:
        from distributed import Client, LocalCluster, as_completed
    except ImportError as error:
        raise MissingDependencyError(
            "Several workers or a cluster need Dask: pip install 'deepradiomics[cluster]', or use workers=1."
        ) from error
    local = None
    # Dask tells its workers to use one thread through this process's environment, and would leave it that way.
    environment = dict(os.environ)
    try:
        if cluster is None:
            with safe_children():
                local = LocalCluster(
                    n_workers=min(workers, max(len(jobs), 1)),
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address="127.0.0.1:0",  # any free port: Dask's own would be taken by a second run
                    scheduler_kwargs={"dashboard": False},
                    silence_logs=logging.ERROR,
                )
        try:
            client = Client(local or cluster, timeout=_ANSWER_WITHIN_S)
        except (OSError, TimeoutError, ValueError) as error:
            raise InputError(
                f"The Dask scheduler {cluster} does not answer ({error}); is its address right?"
            ) from error
        with client, safe_children(), _scheduler_there(client, cluster):
            if local is not None:
                client.run(_leave_interrupts_to_the_parent)
            numbers = {client.submit(_on_one_thread, fn, job, pure=False): n for n, job in enumerate(jobs)}
            try:
                for future in as_completed(numbers):
                    outcome, notes = future.result()
                    for note in notes:
                        warnings.warn(note, stacklevel=2)
                    yield numbers[future], outcome
            finally:
                if client.status == "running":
                    client.cancel(list(numbers))
    finally:
        if local is not None:
            local.close()
        for name in set(os.environ) - set(environment):
            del os.environ[name]
        os.environ.update(environment)


@contextmanager
def _scheduler_there(client: Any, cluster: str | None) -> Iterator[None]:
    """Say in words that the scheduler has gone, or that a job took its worker down again and again."""
    from distributed.scheduler import KilledWorker

    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # its tracebacks would bury our word
    try:
        yield
    except KilledWorker as error:
        raise InputError(
            f"A job ended its Dask worker {error.allowed_failures + 1} times; most likely it needs more memory than a "
            "worker has. Use fewer workers, or workers with more memory. What was finished is kept."
        ) from error
    except (CancelledError, OSError) as error:  # the second is also any job's own error
        if isinstance(error, OSError) and client.status == "running":
            raise
        place = f"The Dask scheduler {cluster}" if cluster else "The Dask scheduler of this run"
        raise InputError(
            f"{place} has gone ({type(error).__name__}). Start it again and run the command again: "
            "what was finished is kept."
        ) from error
    finally:
        logger.setLevel(level)


def _leave_interrupts_to_the_parent() -> None:
    """Ctrl-C reaches every process of a terminal; the parent ends its workers, whose tracebacks would bury its word."""
    if threading.current_thread() is threading.main_thread():  # elsewhere Python refuses
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _on_one_thread(fn: Callable[[Job], Outcome], job: Job) -> tuple[Outcome, list[str]]:
    """Run a job in a worker: its neighbours have the other cores, unless the worker's environment says otherwise.

    Notes on damaged caches come home with the outcome.
    """
    os.environ.setdefault("DEEPRADIOMICS_THREADS", "1")
    with collected_notes() as notes:
        return fn(job), notes
