"""One function over many jobs: here, in processes of this machine, or on a Dask cluster; results as they come."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from deepradiomics.errors import InputError, MissingDependencyError

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
        InputError: fewer than one worker, or the scheduler does not answer.
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
            count = min(workers, max(len(jobs), 1))
            local = LocalCluster(
                n_workers=count,
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
        with client:
            if local is not None:
                client.run(_leave_interrupts_to_the_parent)
            numbers = {client.submit(_on_one_thread, fn, job, pure=False): n for n, job in enumerate(jobs)}
            try:
                for future in as_completed(numbers):
                    yield numbers[future], future.result()
            finally:
                client.cancel(list(numbers))
    finally:
        if local is not None:
            local.close()
        for name in set(os.environ) - set(environment):
            del os.environ[name]
        os.environ.update(environment)


def _leave_interrupts_to_the_parent() -> None:
    """Ctrl-C reaches every process of a terminal; the parent ends its workers, whose tracebacks would bury its word."""
    if threading.current_thread() is threading.main_thread():  # elsewhere Python refuses
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _on_one_thread(fn: Callable[[Job], Outcome], job: Job) -> Outcome:
    """Run a job in a worker: its neighbours have the other cores, unless the worker's environment says otherwise."""
    os.environ.setdefault("DEEPRADIOMICS_THREADS", "1")
    return fn(job)
