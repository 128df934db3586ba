"""Every table, list and function of a schedule against what the others say.

Conventions: errors are relative to the entry that is due (where that is 0, to the largest one).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared, settled, weakest
from scoreproof.public.schedule import words
from scoreproof.public.schedule.arguments import Given
from scoreproof.public.schedule.forms import made, recognised
from scoreproof.public.schedule.forward import forward
from scoreproof.public.schedule.inference import sigmas_at, start, terminal, timesteps
from scoreproof.public.schedule.tables import TABLES, Base, Table
from scoreproof.public.words import listed

__all__ = ["judge"]

#: roundings of one entry of a table, beside those of its ᾱ
ROUNDINGS = 8
#: an error of this size is none, where rounding may be larger
STANDS = 5e-3


def judge(given: Given) -> Evidence:
    """The verdict on all of it: the worst that does not hold, else all as one."""
    tables = [name for name in given.tables if name != given.source]
    judged = [_table(given, name) for name in tables] if given.base is not None else []
    looks: tuple[Callable[[Given], Evidence | None], ...] = (
        _form,
        timesteps,
        sigmas_at,
        terminal,
        start,
        forward,
    )
    judged += [e for e in (look(given) for look in looks) if e is not None]
    if not judged:
        return _alone(given)
    whole = weakest(judged)
    if whole.verdict != "holds":
        return whole
    looked = [e.coverage for e in judged if e.coverage is not None]
    names = f"{listed(tables, 24)} follow from {given.source}"
    text = "; ".join([names] * bool(tables) + [e.sentence for e in judged[len(tables) :]])
    return replace(
        whole,
        sentence=f"{given.name}: {text}",
        coverage=Coverage.together(looked, f"by {given.source or 'sigmas'}"),
        notes=tuple(n for e in judged for n in e.notes),
        curves={k: v for e in judged for k, v in e.curves.items()},
        labels=("timestep", "relative error of the table"),
    )


def _alone(given: Given) -> Evidence:
    """A table with nothing to compare it with."""
    values = given.base.betas if given.base is not None else given.sigmas
    assert values is not None
    form = recognised(values, given.base is None)
    known = f"; it has the form {form!r}" if form else ""
    return settled(
        Evidence.measured(0.0, 0.0, f"{len(values)} entries are in order{known}"),
        resolution=np.inf,
        coverage=Coverage({"tables": 0}),
        remedy="pass more tables, form=, timesteps= or add_noise=",
    )


def _table(given: Given, name: str) -> Evidence:
    """One table against its formula."""
    base = given.base
    assert base is not None
    values, eps = given.tables[name]
    due = TABLES[name].of(base)
    if name == "posterior_log_variance_clipped" and abs(values[0] - np.log(1e-20)) < 0.1:
        due = np.concatenate([[np.log(1e-20)], due[1:]])
    if name == "alphas_cumprod_next" and values[-1] != 0:
        due = np.concatenate([due[:-1], [values[-1]]])
    error, bound, excuse = held(values, due, max(eps, base.eps), TABLES[name], base)
    evidence = compared(
        error,
        bound,
        f"{name} is {TABLES[name].words}",
        excuse=excuse,
        coverage=Coverage({"tables": 1, "entries": len(due)}),
        tolerance=given.tolerance,
        remedy="keep the tables in float64",
        curves={name: (list(range(len(due))), error.tolist())},
        labels=("timestep", "relative error"),
    )
    if evidence.verdict != "refuted":
        return evidence
    wrong = error > bound + excuse + (given.tolerance or 0.0)
    k = int(np.argmax(np.where(np.isfinite(error), error, np.inf)))
    allowed = float(max(np.max(bound), 1e-6) + (given.tolerance or 0.0))
    text = (
        f"{name}[{k}] = {values[k]:.6g} where {due[k]:.6g} follows from {given.source}, "
        f"{words.entries(wrong)}: {words.cause(name, values, base, allowed)}"
    )
    return replace(evidence, sentence=text)


def held(
    values: np.ndarray, due: np.ndarray, coarse: float, table: Table, base: Base
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Relative errors, what rounding explains of them, and what more it may explain.

    ᾱ_t has been rounded t times. Where that could explain more than half a percent, an entry within
    half a percent stands as it is, and one beyond is excused.
    """
    size = np.maximum(np.abs(due), table.least)
    size = np.where(size > 1e-12 * size.max(), size, size.max())
    error = np.abs(values - due) / size
    error = np.where(np.isfinite(error), error, 1e300)
    rounding = coarse * (np.arange(len(due)) + ROUNDINGS) * table.loss(base)
    if table.least:  # what is relative in its argument is absolute in a logarithm
        rounding = rounding / size + coarse
    stands = np.maximum(ROUNDINGS * coarse, np.minimum(error, STANDS))
    bound = np.where(rounding > STANDS, stands, rounding)
    return error, bound, np.maximum(rounding - bound, 0.0)


def _form(given: Given) -> Evidence | None:
    """β, or the list of σ, against the formula of that name."""
    if given.form is None:
        return None
    sigmas = given.base is None
    values = given.sigmas if sigmas else given.base.betas  # type: ignore[union-attr]
    assert values is not None
    eps = given.sigmas_eps if sigmas else given.base.eps  # type: ignore[union-attr]
    falling = values if values[0] > values[-1] or not sigmas else values[::-1]
    falling = falling[:-1] if sigmas and falling[-1] == 0 else falling
    due = made(given.form, given.form_options, falling, sigmas)
    error = np.abs(falling - due) / np.abs(due)
    # a β is a difference of ᾱ that are rounded to the type
    bound = 64 * eps / np.minimum(np.abs(due), 1.0) if not sigmas else 64 * eps + 0 * due
    bound = np.minimum(bound, 5e-3)
    what = "sigmas" if sigmas else "betas"
    evidence = compared(
        error,
        bound,
        f"{what} have the form {given.form!r}",
        coverage=Coverage({"tables": 1, "entries": len(due)}),
        tolerance=given.tolerance,
    )
    if evidence.verdict != "refuted":
        return evidence
    k = int(np.argmax(error))
    other = recognised(falling, sigmas)
    cause = f": it has the form {other!r}" if other else _rho(given, falling)
    text = (
        f"{what}[{k}] = {falling[k]:.6g} where the form {given.form!r} has {due[k]:.6g}, "
        f"{words.entries(error > bound)}{cause}"
    )
    return replace(evidence, sentence=text)


def _rho(given: Given, values: np.ndarray) -> str:
    """The ρ that would explain it."""
    if given.form != "karras":
        return ""
    ends = {"sigma_max": float(values[0]), "sigma_min": float(values[-1])}
    grid = np.concatenate([np.arange(1.0, 15.01, 0.5)])
    gaps = [
        float(np.max(np.abs(values / made("karras", {**ends, "rho": r}, values, True) - 1)))
        for r in grid
    ]
    k = int(np.argmin(gaps))
    return f": they have ρ = {grid[k]:g}" if gaps[k] < 1e-4 else ""
