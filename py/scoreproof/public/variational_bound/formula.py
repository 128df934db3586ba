"""A way to compute a term from what is known: the right one, or one with a mistake in it.

Conventions: nats, entries ``(n, d)``; a formula is a value, and a mistake is ``replace`` of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.public.variational_bound import rounding
from scoreproof.public.variational_bound.decoder import Bins, binned
from scoreproof.public.variational_bound.tables import Tables
from scoreproof.public.variational_bound.terms import (
    Answered,
    Gaussian,
    answered,
    kl,
    likely,
    posterior,
    prior,
)

__all__ = ["Formula", "Problem", "entries", "own_blur"]

Pair = Callable[[Gaussian, Gaussian], np.ndarray]


@dataclass(frozen=True, eq=False)
class Problem:
    """What a term is of. ``term``: L_T, L_t, L_0 or vb."""

    term: str
    tb: Tables
    g: Answered
    prediction: str
    variance: str
    decoder: str

    @property
    def decodes(self) -> np.ndarray:
        """At which rows the term is L_0, as a column."""
        if self.term == "vb":
            return np.asarray(self.g.t == 0)[:, None]
        return np.full((len(self.g.t), 1), self.term == "L_0")


@dataclass(frozen=True, eq=False)
class Formula:
    """``q_tb`` and ``p_tb`` change the table that the two laws are made of; ``step`` and ``decode``
    the term; ``clip``: the model's x_0 is clipped to [-1, 1]; ``first``: the log of the variance
    at t = 0; ``decodes``: where it takes L_0 instead of the step, ``decoded`` times; ``out``: what
    is done to the model's answer; ``prior``: L_T of the table and x_0; ``weight``: of each t,
    beside L_0.
    """

    q_tb: Callable[[Tables], Tables] = lambda tb: tb
    p_tb: Callable[[Tables], Tables] = lambda tb: tb
    step: Pair = kl
    bins: Bins = Bins()
    decoder: str | None = None
    clip: bool = False
    first: float | None = None
    decodes: Callable[[np.ndarray], np.ndarray] | None = None
    out: Callable[[Problem], Answered] = lambda problem: problem.g
    law: Callable[[Gaussian], Gaussian] = lambda p: p
    prior: Callable[[Tables, np.ndarray], np.ndarray] = lambda tb, x0: prior(
        tb.a[-1], tb.bar[-1], x0
    )
    factor: float = 1.0
    decoded: float = 1.0
    weight: Callable[[Tables], np.ndarray] | None = None


def laws(problem: Problem, how: Formula) -> tuple[Gaussian, Gaussian]:
    """q and p."""
    g = how.out(problem)
    p_tb = how.p_tb(problem.tb)
    if how.first is not None:
        p_tb = replace(p_tb, fixed=np.append(how.first, p_tb.fixed[1:]))
    q = posterior(how.q_tb(problem.tb), problem.g)
    return q, how.law(answered(p_tb, g, problem.prediction, problem.variance, how.clip))


def entries(problem: Problem, how: Formula) -> np.ndarray:
    """Of every row and coordinate."""
    if problem.term == "L_T":
        return how.factor * how.prior(problem.tb, problem.g.x0)
    q, p = laws(problem, how)
    decodes = problem.decodes if how.decodes is None else how.decodes(problem.g.t)[:, None]
    value = how.step(q, p)
    if how.weight is not None:
        value = value * problem.g.of(how.weight(problem.tb))
    if np.any(decodes):
        kind = how.decoder or problem.decoder
        x0 = problem.g.x0
        mine = likely(p, x0) if kind == "gaussian" else binned(p, x0, how.bins)[0]
        value = np.where(decodes, how.decoded * mine, value)
    return how.factor * value


def own_blur(problem: Problem, how: Formula, eps: float, table: float) -> np.ndarray:
    """What rounding may leave in each entry of that formula, which need not be the right one."""
    tb, g = problem.tb, problem.g
    if problem.term == "L_T":
        return rounding.blur_of_prior(g.x0, tb, eps, table)
    q, p = laws(problem, how)
    blur = rounding.blur_of_kl(q, p, g, tb, eps, table)
    decodes = problem.decodes if how.decodes is None else how.decodes(g.t)[:, None]
    if np.any(decodes):
        if (how.decoder or problem.decoder) == "gaussian":
            mine = rounding.blur_of_density(p, g, tb, eps, table)
        else:
            wide = replace(p, logvar=2 * how.bins.power * p.logvar)
            mass = binned(p, g.x0, how.bins)[1]
            mine = rounding.blur_of_bins(wide, g, tb, mass, eps, table)
        blur = np.where(decodes, mine, blur)
    return blur
