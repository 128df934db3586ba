"""The units of work of a verification: names plus a seed, looked up where they run.

A task is one check of one claim in one role: on the truth, on every planted fault, or on the truth
with a coefficient off by ε. Tasks carry names only, so they travel to worker processes without
pickling a callable, and every random
stream derives from those names: the result of a task does not depend on who runs it, or after what.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from scoreproof.claims import load
from scoreproof.core import Check, Claim
from scoreproof.evidence import Evidence, worst
from scoreproof.streams import stream

__all__ = ["ROLES", "Outcome", "Task", "plan", "run_check", "run_task"]

ROLES = ("truth", "faults", "sharpness")

#: ε = 10^-k is searched up to this k; beyond it a float cannot hold 1 + ε, and a ball check has
#: made its point.
DEEPEST = {"float": 16, "convergent": 16, "certified": 60}


@dataclass(frozen=True, slots=True)
class Task:
    """One check of one claim in one role (see ``ROLES``)."""

    claim: str
    check: str
    role: str
    profile: str
    seed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a task found. ``evidence`` by instance (truth) or by fault; ``smallest`` by coefficient;
    ``error`` if it raised.
    """

    task: Task
    evidence: dict[str, Evidence] = field(default_factory=dict)
    smallest: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    error: str | None = None


def plan(claims: tuple[str, ...], profile: str, seed: int) -> list[Task]:
    """Every task of a run, in the order in which results are reported."""
    tasks = []
    for name in claims:
        claim = load(name)
        for check in claim.checks:
            tasks.append(Task(name, check.name, "truth", profile, seed))
            # a test at a stated power misses a fault now and then: its kill matrix is that of one
            # seed, not of the user's
            tasks.append(
                Task(
                    name, check.name, "faults", "faults", 0 if check.kind == "statistical" else seed
                )
            )
            if check.probes and check.kind in DEEPEST:
                tasks.append(Task(name, check.name, "sharpness", "faults", seed))
    return tasks


def _instances(
    claim: Claim, check: Check, profile: str, seed: int
) -> Iterator[tuple[str, Any, Callable[[], Any]]]:
    for instance in check.instances(profile):
        names = (claim.name, check.name, instance.name)
        built = instance.build(stream(seed, *names, "build"))
        # every subject sees the same draws: a fresh stream of the same name for each run
        yield instance.name, built, partial(stream, seed, *names, "run")


def run_check(
    claim: Claim, check: Check, subject: Any, profile: str, seed: int
) -> dict[str, Evidence]:
    """``check`` on ``subject`` for every instance of ``profile``: instance name -> evidence."""
    return {
        name: check.run(subject, built, rng())
        for name, built, rng in _instances(claim, check, profile, seed)
    }


def _faults(claim: Claim, check: Check, seed: int) -> dict[str, Evidence]:
    """Each fault's worst evidence over the instances; instances are built once for all faults."""
    prepared = list(_instances(claim, check, "faults", seed))
    found = {}
    for fault in claim.faults:
        seen = []
        for _, built, rng in prepared:
            seen.append(check.run(fault.subject, built, rng()))
            if (
                seen[-1].verdict == "refuted"
                and fault.name not in check.blind
                and seen[-1].separation >= 1e9
            ):
                break
        found[fault.name] = worst(seen)
    return found


def _epsilon(check: Check, k: int) -> Any:
    if check.kind != "certified":
        return 10.0**-k
    from flint import fmpq

    return fmpq(1, 10**k)


def _smallest(claim: Claim, check: Check, seed: int) -> dict[str, float]:
    """For each probe the smallest ε = 10^-k at which it and every larger one tried is refuted
    (bisection on k).
    """
    prepared = list(_instances(claim, check, "faults", seed))

    def refuted(probe: str, k: int) -> bool:
        subject = claim.perturbations[probe](_epsilon(check, k))
        return any(
            check.run(subject, built, rng()).verdict == "refuted" for _, built, rng in prepared
        )

    out = {}
    for probe in check.probes:
        low, high = 0, DEEPEST[check.kind] + 1  # low: refuted; high: assumed not
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if refuted(probe, middle) else (low, middle)
        if low > 0:
            out[probe] = float(f"1e-{low}")
    return out


def run_task(task: Task) -> Outcome:
    """Run one task with BLAS on one thread; an exception becomes ``Outcome.error`` and loses
    nothing else.
    """
    from threadpoolctl import threadpool_limits

    started = time.perf_counter()
    try:
        claim = load(task.claim)
        check = claim.check(task.check)
        evidence: dict[str, Evidence] = {}
        smallest: dict[str, float] = {}
        with threadpool_limits(limits=1):
            if task.role == "truth":
                evidence = run_check(claim, check, claim.truth, task.profile, task.seed)
            elif task.role == "faults":
                evidence = _faults(claim, check, task.seed)
            else:
                smallest = _smallest(claim, check, task.seed)
        return Outcome(task, evidence, smallest, time.perf_counter() - started)
    except Exception as error:  # the run goes on; the status says that the tool itself failed
        import traceback

        where = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {error} (at {where.name}, line {where.lineno})"
        return Outcome(task, seconds=time.perf_counter() - started, error=text)
