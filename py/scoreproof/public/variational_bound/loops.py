"""A whole bound of x_0: the sum over all timesteps, or an estimate with t drawn.

Conventions: which t a call of the model belongs to is found by x_t, made of the noise that was
served before it; one call with t drawn for each row is an estimate, T times the term.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.variational_bound.arguments import Job
from scoreproof.public.variational_bound.asking import Asking, Run
from scoreproof.public.variational_bound.formula import Formula, entries
from scoreproof.public.variational_bound.models import another_time
from scoreproof.public.variational_bound.observed import Observed, Part, problem_of, x_of
from scoreproof.public.variational_bound.reading import layouts, picked
from scoreproof.public.variational_bound.tables import Tables
from scoreproof.public.variational_bound.terms import Answered
from scoreproof.public.variational_bound.times_asked import at_several_x, missing, nearest_time

__all__ = ["Whole", "of_the_whole"]

#: relative to its size: an x that is nearer to x_t than that is one, but for a mistake to be named
NEAR = 0.05
#: how often an estimate is asked for
TURNS = 12
#: of the table: how far uniform times may be from evenly spaced ones; random bits of JAX are few
EVEN = 0.1


@dataclass(frozen=True, eq=False)
class Whole:
    """``times`` ``(calls, n)``; ``wrong``: what is wrong with the sum over t itself, in words, with
    the name of the cause; ``doubt``: why nothing can be said.
    """

    observed: list[Observed]
    times: np.ndarray
    wrong: tuple[str, str] | None = None
    doubt: str | None = None
    estimate: bool = False


def of_the_whole(job: Job, asking: Asking, tb: Tables) -> Whole:
    """Raises ``CallableError``."""
    first = _of_a_run(job, asking, tb, 0)
    if not first.estimate or first.wrong is not None:
        return first
    # other times are drawn in each turn
    more = [_of_a_run(job, asking, tb, turn) for turn in range(1, TURNS)]
    observed = [o for w in (first, *more) for o in w.observed]
    times = np.concatenate([first.times, *(w.times for w in more)])
    doubt = None if job.probabilities is not None else _law(observed, times, tb.steps)
    return Whole(observed, times, doubt=doubt, estimate=True)


def _law(observed: list[Observed], times: np.ndarray, steps: int) -> str | None:
    """Why t may not be uniform: what it is drawn with is served over the whole of its range."""
    runs = [o.run.served for o in observed if o.run is not None]
    if all(r.ranges for r in runs):
        return None
    if not all(r.small or r.raw or r.uniforms for r in runs):
        return (
            "by which law it draws t is not seen: draw it by integers or uniform numbers of torch,"
            " or of the rng or key that it is handed, or say probabilities="
        )
    t = np.sort(times.ravel())
    even = (np.arange(len(t)) + 0.5) * steps / len(t)
    gap = float(np.max(np.abs(t + 0.5 - even)) / steps)
    if gap <= EVEN + 1 / steps:
        return None
    return (
        f"its t are not drawn uniformly (off by {gap:.2g} of the table): say probabilities=, by"
        " which they are drawn"
    )


def _of_a_run(job: Job, asking: Asking, tb: Tables, turn: int) -> Whole:
    batch = asking.batch
    run = asking.at({"x0": batch.x0, "noise": batch.noise[0]}, asking.script(None), turn)
    calls = at_several_x(run.script.calls)
    if not calls:
        raise CallableError(
            "bound",
            "call the model that it is given",
            "it never did",
            "pass lambda model, x0: … in which model is your network",
        )
    noises = [n.reshape(batch.x0.shape) for n in run.served.noises]
    if "noise" in job.roles:
        noises = [batch.noise[0]]
    if len(noises) == 1:
        noises = noises * len(calls)
    none = np.zeros((0, len(batch.x0)), int)
    if len(noises) != len(calls):
        drawn = len(noises)
        text = (
            f"it draws noise {drawn} times for {len(calls)} calls of its model, so that x_t is not"
            " known: draw it once for each, by torch or by an rng or key that the bound takes"
        )
        return Whole([], none, doubt=text)
    times, miss = [], []
    for call, noise in zip(calls, noises, strict=True):
        t, off = nearest_time(tb, batch.x0, noise, call.x)
        times.append(t)
        miss.append(off)
    at = np.array(times)
    if np.max(miss) > NEAR:
        text = (
            f"x_t, at which its model is asked, is not √ᾱ_t x_0 + √(1 - ᾱ_t) ε of any t (off by"
            f" {np.max(miss):.2g}, relative)"
        )
        return Whole([], at, wrong=("x_t_of_no_time", text))
    t_drawn = bool(run.served.ranges or run.served.small or run.served.raw)
    if t_drawn and len(calls) > 1 and (np.ptp(at, axis=1).any() or len(calls) < tb.steps):
        text = (
            f"it draws t and asks its model at {len(calls)} different x_t, which is neither one t a"
            " row nor a sum over all t: pass a bound with one of them"
        )
        return Whole([], none, doubt=text)
    told = another_time(tb.steps, [(t, c.label) for t, c in zip(at, calls, strict=True)])
    if told is not None:
        return Whole([], at, wrong=told)
    g = Answered(
        np.tile(batch.x0, (len(calls), 1)),
        np.concatenate([x_of(tb, batch.x0, n, t) for n, t in zip(noises, at, strict=True)]),
        at.ravel(),
        np.concatenate([c.out for c in calls]),
    )
    if len(calls) == 1:
        return _estimate(job, run, tb, g, at)
    return _sum(job, run, tb, g, at)


def _sum(job: Job, run: Run, tb: Tables, g: Answered, at: np.ndarray) -> Whole:
    rows = len(run.script.x0)
    one = at[:, 0]
    wrong = missing(one, tb.steps)
    prior = Part(problem_of(job, tb, "L_T", Answered(*(v[:rows] for v in (g.x0, g.x, g.t, g.out)))))
    steps = Part(problem_of(job, tb, "vb", g))
    found = []
    total = picked(run.value, "total")
    if total is not None:
        layouts(job, total.shape, rows)
        found.append(Observed("total", "", (prior, steps), total.ravel(), total.shape, rows, run))
    own = picked(run.value, "L_T")
    if own is not None and own.size in (1, rows):
        found.append(Observed("L_T", "", (prior,), own.ravel(), own.shape, rows, run))
    each = picked(run.value, "vb")
    if each is not None and each.shape in ((rows, len(one)), (len(one), rows)):
        found += _each(job, run, tb, g, one, each if each.shape[0] == rows else each.T)
    elif each is not None and each.size in (1, rows):
        found.append(Observed("sum of L_t", "", (steps,), each.ravel(), each.shape, rows, run))
    return Whole(found, at, wrong)


def _each(
    job: Job, run: Run, tb: Tables, g: Answered, one: np.ndarray, each: np.ndarray
) -> list[Observed]:
    """The terms by time, in the order of the calls or of t, which is seen by what is returned."""
    rows = len(run.script.x0)
    due = entries(problem_of(job, tb, "vb", g), Formula()).reshape(len(one), rows, -1).mean(axis=2)
    orders = [np.arange(len(one)), np.argsort(np.argsort(one, kind="stable"))]
    with np.errstate(all="ignore"):
        gaps = [np.nansum(np.abs(np.log(np.abs(each[:, o].T / due)))) for o in orders]
    order = orders[int(np.argmin(gaps))]
    found = []
    for k, t in enumerate(one):
        part = slice(k * rows, (k + 1) * rows)
        mine = Answered(*(v[part] for v in (g.x0, g.x, g.t, g.out)))
        name = "L_0" if t == 0 else "L_{t-1}"
        found.append(
            Observed(
                name,
                f"t = {t}",
                (Part(problem_of(job, tb, "vb", mine)),),
                each[:, order[k]],
                (rows,),
                rows,
                run,
            )
        )
    return found


def _estimate(job: Job, run: Run, tb: Tables, g: Answered, at: np.ndarray) -> Whole:
    """One t for each row: T L_t, with L_T or without it."""
    rows = len(run.script.x0)
    value = picked(run.value, "total")
    if value is None:
        raise CallableError(
            "bound", "return numbers", f"it returned {type(run.value).__name__}", "return the sum"
        )
    layouts(job, value.shape, rows)
    weight: float | np.ndarray = float(tb.steps)
    if job.probabilities is not None:
        weight = 1 / job.probabilities[at[0]][:, None]
    steps = Part(problem_of(job, tb, "vb", g), weight)
    prior = Part(problem_of(job, tb, "L_T", g))
    listed = ", ".join(str(t) for t in at[0])
    seen = Observed(
        "estimate", f"t drawn: {listed}", (prior, steps), value.ravel(), value.shape, rows, run
    )
    wrong = None
    for low, high in run.served.ranges:
        if (low, high) != (0, tb.steps):
            wrong = (
                "another_range",
                (
                    f"t is drawn from {low} … {high - 1}, where 0 … {tb.steps - 1} is due: L_0 is"
                    " the term at t = 0"
                ),
            )
    served = run.served
    ends = (served.raw or served.small) and not served.single and not served.ranges
    # both ends of the range are served first
    if ends and at.min() > 0 and job.probabilities is None:
        wrong = (
            "another_range",
            f"t = 0 is never drawn, nothing below {at.min()}: L_0 is the term at t = 0",
        )
    return Whole([seen], at, wrong, estimate=True)
