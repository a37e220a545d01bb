"""Running jobs here and on a Dask cluster: every outcome with its job's number, errors as they are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from deepradiomics.child import child_environment
from deepradiomics.cohort import workers
from deepradiomics.cohort.workers import run_everywhere
from deepradiomics.errors import InputError


def square_but_not_three(number: int) -> int:
    if number == 3:
        raise InputError("three is refused")
    return number * number


def test_one_worker_runs_in_this_process_in_order():
    assert list(run_everywhere(square_but_not_three, [1, 2, 4])) == [(0, 1), (1, 4), (2, 16)]


def test_one_worker_computes_a_job_only_when_its_outcome_is_asked_for():
    outcomes = run_everywhere(square_but_not_three, [1, 3])
    assert next(outcomes) == (0, 1)
    with pytest.raises(InputError, match="three is refused"):
        next(outcomes)


def test_a_clusters_address_is_enough_and_outcomes_carry_their_numbers():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0", protocol="tcp"
    ) as cluster:
        address = cluster.scheduler_address
        found = dict(run_everywhere(square_but_not_three, list(range(4, 10)), cluster=address))
        assert found == {n: (n + 4) ** 2 for n in range(6)}
        with pytest.raises(InputError, match="three is refused"):
            list(run_everywhere(square_but_not_three, [3], cluster=address))


def test_processes_of_this_machine_leave_its_environment_as_it_was():
    pytest.importorskip("distributed")
    before = dict(os.environ)
    assert sorted(run_everywhere(abs, [-1, -2], workers=2)) == [(0, 1), (1, 2)]
    assert dict(os.environ) == before


def is_deaf_to_interrupts(_: int) -> bool:
    return signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def test_ctrl_c_is_the_parents_affair_alone():
    pytest.importorskip("distributed")
    here = signal.getsignal(signal.SIGINT)
    assert sorted(run_everywhere(is_deaf_to_interrupts, [1, 2], workers=2)) == [(0, True), (1, True)]
    assert signal.getsignal(signal.SIGINT) is here


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(workers, "_ANSWER_WITHIN_S", 0.5)
    with pytest.raises(InputError, match=r"The Dask scheduler tcp://127.0.0.1:9 does not answer"):
        list(run_everywhere(square_but_not_three, [1], cluster="tcp://127.0.0.1:9"))


SCHEDULER = """
import time
from distributed import LocalCluster
if __name__ == "__main__":
    cluster = LocalCluster(n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None)
    print(cluster.scheduler_address, flush=True)
    time.sleep(100)
"""


def test_a_scheduler_that_goes_is_told_with_what_to_do():
    pytest.importorskip("distributed")
    scheduler = subprocess.Popen(
        [sys.executable, "-c", SCHEDULER], env=child_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    try:
        assert scheduler.stdout is not None
        address = scheduler.stdout.readline().strip()
        outcomes = run_everywhere(time.sleep, [0.01, 30, 30], cluster=address)
        assert next(outcomes) == (0, None)
        scheduler.kill()
        with pytest.raises(InputError, match=rf"The Dask scheduler {address} has gone .*run the command again"):
            list(outcomes)
    finally:
        scheduler.kill()
        scheduler.communicate()
