"""Mistakes that code of a variational bound makes, each as a formula, with what would be right.

Conventions: as in `formula`. A fault's name is a key of `REASONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from scoreproof.public.variational_bound.faults_at_the_ends import of_the_decoder, of_the_prior
from scoreproof.public.variational_bound.faults_of_answers import of_a_range, of_an_answer
from scoreproof.public.variational_bound.formula import Formula, Problem
from scoreproof.public.variational_bound.tables import Tables
from scoreproof.public.variational_bound.terms import Gaussian, kl

__all__ = ["faults"]

Change = Callable[[Tables], Tables]
#: of the coefficient of x_t, which is in both means alike and at t = 0 is 0
CANCELS = ("ct_without_root", "bar_for_alpha")


def faults(problem: Problem, right: Formula) -> Iterator[tuple[str, Formula]]:
    """By name."""
    if problem.term == "L_T":
        yield from of_the_prior(right)
        return
    yield from _of_tables(problem, right)
    yield from _of_the_kl(right)
    yield from _of_a_weight(right)
    yield from of_an_answer(problem, right)
    if problem.variance == "learned_range":
        yield from of_a_range(right)
    if problem.term in ("vb", "L_0"):
        yield from of_the_decoder(problem, right)


def shifted(by: int) -> Change:
    """Every table at t + by."""

    def change(tb: Tables) -> Tables:
        at = np.clip(np.arange(tb.steps) + by, 0, tb.steps - 1)
        return Tables(*(getattr(tb, n)[at] for n in tb.__dataclass_fields__))

    return change


def _logs(by: int, names: tuple[str, ...]) -> Change:
    """These logs alone at t + by."""

    def change(tb: Tables) -> Tables:
        moved = shifted(by)(tb)
        return replace(tb, **{n: getattr(moved, n) for n in names})

    return change


def _before(tb: Tables) -> np.ndarray:
    return np.append(1.0, tb.bar[:-1])


def _small(tb: Tables) -> Tables:
    return replace(tb, fixed=tb.low)


def _large(tb: Tables) -> Tables:
    return replace(tb, fixed=np.append(tb.low[0], tb.high[1:]))


def _first(log: float) -> Change:
    """With that log of a variance at t = 0."""

    def change(tb: Tables) -> Tables:
        names = ("q_logvar", "low", "fixed")
        return replace(tb, **{n: np.append(log, getattr(tb, n)[1:]) for n in names})

    return change


def _of_the_second(log: Callable[[Tables], np.ndarray]) -> Callable[[Tables], np.ndarray]:
    """With the entry of t = 1 at t = 0 as well."""

    def change(tb: Tables) -> np.ndarray:
        value = log(tb)
        return np.append(value[1], value[1:])

    return change


def _of_tables(problem: Problem, right: Formula) -> Iterator[tuple[str, Formula]]:
    changes: dict[str, Change] = {
        "no_shift_of_c0": lambda tb: replace(tb, c0=tb.beta * np.sqrt(tb.bar) / tb.rest),
        "no_shift_of_ct": lambda tb: replace(tb, ct=np.sqrt(1 - tb.beta)),
        "no_shift": lambda tb: replace(
            tb, c0=tb.beta * np.sqrt(tb.bar) / tb.rest, ct=np.sqrt(1 - tb.beta)
        ),
        "c0_without_root": lambda tb: replace(tb, c0=tb.c0 * np.sqrt(_before(tb))),
        "ct_without_root": lambda tb: replace(tb, ct=tb.ct * np.sqrt(1 - tb.beta)),
        "bar_for_alpha": lambda tb: replace(tb, ct=tb.ct / np.sqrt(1 - tb.beta) * np.sqrt(tb.bar)),
        "alpha_in_c0": lambda tb: replace(tb, c0=tb.beta * np.sqrt(1 - tb.beta) / tb.rest),
        "root_of_rest": lambda tb: replace(tb, c0=tb.c0 * tb.s, ct=tb.ct * tb.s),
        "coefficients_exchanged": lambda tb: replace(tb, c0=tb.ct, ct=tb.c0),
    }
    for name, change in changes.items():
        if name not in CANCELS:
            yield name, replace(right, q_tb=change, p_tb=change)
        yield f"{name}_in_q", replace(right, q_tb=change)
        yield f"{name}_in_p", replace(right, p_tb=change)

    def q_of(log: Callable[[Tables], np.ndarray]) -> Change:
        return lambda tb: replace(tb, q_logvar=log(tb))

    logs: dict[str, Callable[[Tables], np.ndarray]] = {
        "beta_for_posterior_variance": lambda tb: tb.high,
        "rest_for_posterior_variance": lambda tb: np.log(tb.rest),
        "not_over_rest": lambda tb: tb.q_logvar + np.log(tb.rest),
        "ratio_upside_down": lambda tb: 2 * tb.high - tb.q_logvar,
        "std_for_variance": lambda tb: 0.5 * tb.q_logvar,
        "variance_squared": lambda tb: 2 * tb.q_logvar,
        "variance_for_its_log": lambda tb: np.exp(tb.q_logvar),
    }

    def p_of(log: Callable[[Tables], np.ndarray]) -> Change:
        def change(tb: Tables) -> Tables:
            value = log(tb)
            return replace(tb, fixed=value, low=value)

        return change

    def raw(tb: Tables) -> np.ndarray:
        return np.append(0.0, np.exp(tb.q_logvar[1:]))  # of a table that is 0 at t = 0

    for name, own in logs.items():
        also = (raw,) if name == "variance_for_its_log" else ()
        for log in (own, _of_the_second(own), *also):
            yield f"{name}_in_q", replace(right, q_tb=q_of(log))
            yield f"{name}_in_p", replace(right, p_tb=p_of(log))
            yield name, replace(right, q_tb=q_of(log), p_tb=p_of(log))
    yield "small_for_large", replace(right, p_tb=_small)
    yield "large_for_small", replace(right, p_tb=_large)
    for floor in (1e-20, 1e-10, 1e-12, 1e-8, 1e-6):
        clipped = _first(float(np.log(floor)))
        yield "clipped_at_a_floor", replace(right, q_tb=clipped, p_tb=clipped, first=None)
    for by, word in ((1, "later"), (-1, "earlier")):
        logs_of_q, logs_of_p = _logs(by, ("q_logvar",)), _logs(by, ("low", "high", "fixed"))
        yield f"variance_one_{word}", replace(right, q_tb=logs_of_q, p_tb=logs_of_p)
        yield f"variance_one_{word}_in_q", replace(right, q_tb=logs_of_q)
        yield f"variance_one_{word}_in_p", replace(right, p_tb=logs_of_p)
        yield f"tables_one_{word}", replace(right, q_tb=shifted(by), p_tb=shifted(by))
        yield f"tables_one_{word}_in_q", replace(right, q_tb=shifted(by))
        yield f"tables_one_{word}_in_p", replace(right, p_tb=shifted(by))


def _of_the_kl(right: Formula) -> Iterator[tuple[str, Formula]]:
    def parts(log: float, ratio: float, one: float, square: float, over: str = "p") -> Formula:
        def step(q: Gaussian, p: Gaussian) -> np.ndarray:
            d = p.logvar - q.logvar
            under = p.logvar if over == "p" else q.logvar
            if over == "std":
                under = 0.5 * p.logvar
            inner = log * d + ratio * np.exp(-d) - one
            inner = inner + square * (q.mean - p.mean) ** 2 * np.exp(-under)
            return np.asarray(0.5 * inner)

        return replace(right, step=step)

    yield "swapped", replace(right, step=lambda q, p: kl(p, q))
    yield "one_missing", parts(1, 1, 0, 1)
    yield "log_sign", parts(-1, 1, 1, 1)
    yield "log_halved", parts(0.5, 1, 1, 1)
    yield "log_missing", parts(0, 1, 1, 1)
    yield "square_over_q", parts(1, 1, 1, 1, "q")
    yield "square_over_std", parts(1, 1, 1, 1, "std")
    yield "square_not_halved", parts(1, 1, 1, 2)
    yield "mean_missing", parts(1, 1, 1, 0)
    yield "variances_missing", parts(0, 0, 0, 1)
    yield "no_half", replace(right, step=lambda q, p: 2 * kl(q, p))
    yield (
        "ratio_upside_down_in_kl",
        replace(
            right,
            step=lambda q, p: kl(q, p) + np.sinh(p.logvar - q.logvar),
        ),
    )

    def square_only(q: Gaussian, p: Gaussian) -> np.ndarray:
        return np.asarray((q.mean - p.mean) ** 2)

    yield "square_alone", replace(right, step=square_only)
    yield "square_halved_alone", replace(right, step=lambda q, p: 0.5 * square_only(q, p))


def _of_a_weight(right: Formula) -> Iterator[tuple[str, Formula]]:
    """Of |ε - ε̂|², which is β_t² / (2 σ_t² α_t (1 - ᾱ_t)), without a term of the variances."""

    def square(q: Gaussian, p: Gaussian) -> np.ndarray:
        return np.asarray(0.5 * (q.mean - p.mean) ** 2 * np.exp(-p.logvar))

    weights: dict[str, Callable[[Tables], np.ndarray]] = {
        "weight_bar_for_alpha": lambda tb: (1 - tb.beta) / tb.bar,
        "weight_without_alpha": lambda tb: 1 - tb.beta,
        "weight_without_rest": lambda tb: tb.rest,
        "weight_of_beta": lambda tb: 1 / tb.beta,
        "weight_of_std": lambda tb: np.exp(0.5 * tb.fixed),
        "weight_of_root_of_rest": lambda tb: tb.s,
        "weight_of_1": lambda tb: 2 * np.exp(tb.fixed) * (1 - tb.beta) * tb.rest / tb.beta**2,
        "weight_of_half": lambda tb: np.exp(tb.fixed) * (1 - tb.beta) * tb.rest / tb.beta**2,
        "weight_of_x0": lambda tb: tb.bar / tb.rest,
    }
    for end in ("0", "same"):

        def later(tb: Tables, end: str = end) -> np.ndarray:
            snr = tb.bar / tb.rest
            last = snr[-1] if end == "same" else 0.0
            before = np.append(np.nan, snr[:-1])
            with np.errstate(all="ignore"):
                ratio = (snr - np.append(snr[1:], last)) / (before - snr)
            return np.where(np.isfinite(ratio), ratio, 1.0)

        yield "weight_one_later", replace(right, step=square, weight=later)
    for name, weight in weights.items():
        yield name, replace(right, step=square, weight=weight)
