"""Run the claims' checks on the truth, on every planted fault, and on coefficients off by ε; in any
number of processes.

>>> run = verify(["gaussian_kl"], profile="quick", workers=1)
>>> run.results[0].verdict, run.status
('holds', 0)
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from scoreproof.claims import NAMES, load
from scoreproof.core import PROFILES
from scoreproof.errors import ArgumentError
from scoreproof.judge import ClaimResult, exit_status, judge
from scoreproof.tasks import ROLES, Outcome, Task, plan, run_task

__all__ = ["Run", "default_workers", "verify"]


@dataclass(frozen=True, slots=True)
class Run:
    """A finished (or interrupted) verification. ``status`` is the process's exit status."""

    results: tuple[ClaimResult, ...]
    profile: str
    seed: int
    interrupted: bool

    @property
    def status(self) -> int:
        return 130 if self.interrupted else exit_status(self.results)


def default_workers() -> int:
    """The processors this process may use, at most 8."""
    usable = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    )
    return max(1, min(8, usable))


def _ignore_interrupts() -> None:
    """In a worker: Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C comes when this is left: what is in here is not done by halves. Processes that are
    started in here do not hear it at all.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _single_threaded_children() -> Iterator[None]:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {n: os.environ.get(n) for n in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _outcomes(
    tasks: Sequence[Task], workers: int, executor: Executor | None
) -> Generator[Outcome, None, None]:
    # the truth first: an interrupted run then still has its verdicts
    ordered = sorted(tasks, key=lambda t: ROLES.index(t.role))
    if executor is not None:
        yield from _collect(executor, ordered)
    elif workers == 1:
        yield from map(run_task, ordered)
    else:
        with _single_threaded_children():
            yield from _of_processes(ordered, workers)


def _of_processes(tasks: Sequence[Task], workers: int) -> Iterator[Outcome]:
    # spawn: a forked child would inherit BLAS threads and flint's state
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _ignore_interrupts)
    processes = pool._processes  # shutdown forgets them
    try:
        yield from _collect(pool, tasks)
    except BaseException:
        # shutdown waits for the tasks that run, and those can take a minute; a second Ctrl-C in
        # that wait would leave the workers and the thread that minds them waiting for each other
        with _interrupts_held():
            for process in list((processes or {}).values()):
                process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _collect(executor: Executor, tasks: Sequence[Task]) -> Iterator[Outcome]:
    with _interrupts_held():
        futures = {executor.submit(run_task, task): task for task in tasks}
    for future in as_completed(futures):
        try:
            yield future.result()
        # the worker died (out of memory, killed): report it and keep what the others found
        except Exception as error:
            yield Outcome(futures[future], error=f"{type(error).__name__}: {error}")


def verify(
    claims: Sequence[str] = (),
    *,
    profile: str = "default",
    seed: int = 0,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Callable[[Outcome, int, int], Any] | None = None,
) -> Run:
    """Verify the named claims (all of them by default).

    Parameters
    ----------
    profile: ``"quick"``, ``"default"`` or ``"deep"``: which instances run; the work is counted,
        never timed.
    seed: every random stream derives from it and from names, so results do not depend on
        ``workers``.
    workers: processes (default: the processors this process may use). ``executor`` takes the tasks
        instead, if given.
    progress: called with each outcome, how many are done, and how many there are.

    Ctrl-C returns what is done, with ``interrupted`` set. Raises ``ArgumentError`` for an unknown
    claim or profile, fewer than one worker and a negative seed.
    """
    names = tuple(claims) or NAMES
    for name in names:
        load(name)
    if profile not in PROFILES or profile == "faults":
        raise ArgumentError("profile", "quick, default or deep", profile, "deep is the slowest")
    if workers is not None and workers < 1:
        raise ArgumentError("workers", ">= 1", workers, "omit it to use every processor")
    if seed < 0:
        raise ArgumentError("seed", ">= 0", seed, "it names the random streams")
    names = tuple(dict.fromkeys(names))
    tasks = plan(names, profile, seed)
    done: list[Outcome] = []
    interrupted = False
    try:
        with closing(_outcomes(tasks, workers or default_workers(), executor)) as outcomes:
            for outcome in outcomes:
                done.append(outcome)
                if progress is not None:
                    progress(outcome, len(done), len(tasks))
    except KeyboardInterrupt:
        interrupted = True
    results = tuple(judge(name, [o for o in done if o.task.claim == name]) for name in names)
    return Run(results, profile, seed, interrupted)
