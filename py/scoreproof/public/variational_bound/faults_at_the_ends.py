"""Mistakes at both ends of the bound, in L_T and in L_0, each as a formula.

Conventions: as in `formula`. A fault's name is a key of `REASONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from scoreproof.public.variational_bound.decoder import HALF, Bins
from scoreproof.public.variational_bound.formula import Formula, Problem
from scoreproof.public.variational_bound.tables import Tables

__all__ = ["of_the_decoder", "of_the_prior"]

LOG2 = float(np.log(2.0))


def of_the_prior(right: Formula) -> Iterator[tuple[str, Formula]]:
    """Of L_T."""

    def of(mean2: float | None, var: Callable[[float], float], at: int = -1) -> Formula:
        """½(m² + v - 1 - log v), of other m and v."""

        def value(tb: Tables, x0: np.ndarray) -> np.ndarray:
            bar = tb.bar[at]
            m2 = x0**2 * (bar if mean2 is None else bar**mean2)
            logvar = var(bar)
            return np.asarray(0.5 * (m2 + np.exp(logvar) - 1 - logvar))

        return replace(right, prior=value)

    def log_rest(bar: float) -> float:
        return float(np.log1p(-bar))

    yield "x0_not_scaled", of(0.0, log_rest)
    yield "x0_scaled_twice", of(2.0, log_rest)
    yield "variance_for_log_variance", of(None, lambda bar: 1 - bar)
    yield "std_for_log_variance", of(None, lambda bar: float(np.sqrt(1 - bar)))
    yield "log_std_for_log_variance", of(None, lambda bar: 0.5 * log_rest(bar))
    yield "signal_for_variance", of(None, lambda bar: float(np.log(max(bar, 1e-300))))
    yield "another_end", of(None, log_rest, -2)
    yield "at_the_first_step", of(None, log_rest, 0)

    def swapped(tb: Tables, x0: np.ndarray) -> np.ndarray:
        rest = tb.rest[-1]
        return np.asarray(0.5 * ((1 + tb.bar[-1] * x0**2) / rest - 1 + np.log(rest)))

    yield "swapped", replace(right, prior=swapped)

    def parts(square: float, variance: float, one: float, log: float) -> Formula:
        def value(tb: Tables, x0: np.ndarray) -> np.ndarray:
            bar, lv = tb.bar[-1], np.log1p(-tb.bar[-1])
            inner = square * bar * x0**2 + variance * (1 - bar) - one - log * lv
            return np.asarray(0.5 * inner)

        return replace(right, prior=value)

    yield "one_missing", parts(1, 1, 0, 1)
    yield "log_sign", parts(1, 1, 1, -1)
    yield "log_missing", parts(1, 1, 1, 0)
    yield "mean_missing", parts(0, 1, 1, 1)
    yield "log_halved", parts(1, 1, 1, 0.5)
    yield "variances_missing", parts(1, 0, 0, 0)
    yield "mean_not_squared", of(0.5, log_rest)
    yield "no_half", replace(right, factor=2.0)


def of_the_decoder(problem: Problem, right: Formula) -> Iterator[tuple[str, Formula]]:
    """Of L_0."""
    bins = right.bins
    half = {"bins_of_256": 1 / 256, "bins_twice": 2 * HALF, "bins_halved": HALF / 2}
    half |= {"bins_of_127": 1 / 127, "bins_of_128": 1 / 128}
    for name, width in half.items():
        yield name, replace(right, bins=replace(bins, half=width))
    sides = {"twice_below": (2, 1), "twice_above": (1, 2), "only_above": (0, 1)}
    for name, (below, above) in (sides | {"only_below": (1, 0)}).items():
        yield f"bins_{name}", replace(right, bins=replace(bins, below=below, above=above))
    yield "edges_closed", replace(right, bins=replace(bins, open_ends=False))
    yield "variance_for_its_root", replace(right, bins=replace(bins, power=1.0))
    yield "root_of_the_std", replace(right, bins=replace(bins, power=0.25))
    # the other terms in other units than L_0: one of both is right
    if problem.term == "vb":
        for decoded, units in ((1 / LOG2, "bits"), (LOG2, "nats")):
            yield f"decoder_in_{units}", replace(right, decoded=decoded)
            yield f"decoder_in_{units}", replace(right, decoded=decoded, factor=1 / decoded)
        d = problem.g.x0.shape[1]
        for decoded, name in ((1 / d, "decoder_mean_beside_sum"), (d, "decoder_sum_beside_mean")):
            yield name, replace(right, decoded=decoded)
            yield name, replace(right, decoded=decoded, factor=1 / decoded)
        yield "decoder_sign", replace(right, decoded=-1.0)
    yield "tanh_cdf", replace(right, bins=Bins(tanh=True))
    other = "gaussian" if problem.decoder != "gaussian" else "discretized"
    yield f"{other}_decoder", replace(right, decoder=other)
    if problem.term == "vb":
        for name, where in (
            ("never_decoded", lambda t: t < 0),
            ("decoded_at_1", lambda t: t == 1),
            ("the_first_row_decides", lambda t: np.full(len(t), t[0] == 0)),
            ("decoded_up_to_1", lambda t: t <= 1),
            ("decoded_everywhere", lambda t: t >= 0),
            ("decoded_at_the_end", lambda t: t == problem.tb.steps - 1),
        ):
            yield name, replace(right, decodes=where)
    else:
        yield "never_decoded", replace(right, decodes=lambda t: t < 0)
