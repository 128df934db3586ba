"""Other flows that people run in place of the one that is due: another span, direction or clock.

Conventions: each is the flow on [0, 1] of a field of its own, ``f'(z, θ, s)``, so that the check's
reference solves it; its parts (see `parts`) are compared with what was found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.claims.ffjord.solver import Prepared
from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded
from scoreproof.numerics.adjoint import Grid
from scoreproof.public.black_box_field import BlackBoxField
from scoreproof.public.log_likelihood_gradient.entries import every_entry
from scoreproof.public.log_likelihood_gradient.fitting import fitted_number
from scoreproof.public.log_likelihood_gradient.flow_words import FLOWS, TURNED, Field
from scoreproof.public.log_likelihood_gradient.linearization import path_of, prepare_black_box
from scoreproof.public.log_likelihood_gradient.parts import (
    Multiples,
    fitted,
    may_fit,
    parts,
    said,
)

__all__ = ["Field", "Wanted", "another_flow", "other_field", "solved"]

#: parameters at which a candidate is looked at before it is at all of them
FEW = 6


@dataclass(frozen=True, eq=False)
class Wanted:
    """``found`` ``(G, K)`` at rows x, with what is ``due`` there and the ``limit`` of each entry;
    ``how``: mix and columns.
    """

    found: np.ndarray
    due: np.ndarray
    limit: np.ndarray
    how: tuple[np.ndarray, np.ndarray | None]
    nus: np.ndarray
    x: np.ndarray
    latent: Any
    grid: Grid

    def few(self, field: BlackBoxField) -> Wanted | None:
        """With the parameters that are off most, where each costs calls of the field: what does
        not fit there fits nowhere.
        """
        if field.ad is not None or self.found.shape[1] <= 2 * FEW:
            return None
        off = np.max(np.abs(self.found - self.due) / self.limit, axis=0)
        kept = np.argsort(-off, kind="stable")[:FEW]
        mix, columns = self.how
        columns = np.eye(field.params.size) if columns is None else columns
        sides = (side[:, kept] for side in (self.found, self.due, self.limit))
        found, due, limit = sides
        return replace(self, found=found, due=due, limit=limit, how=(mix, columns[:, kept]))

    def parts_like(self, field: BlackBoxField, prepared: Prepared, nus: np.ndarray) -> Any:
        """The parts of a gradient that may be this one, or None."""
        few = self.few(field)
        if few is not None:
            basis = parts(field, prepared, self.latent, nus, few.how)
            if not may_fit(few.found, basis, few.limit):
                return None
        return parts(field, prepared, self.latent, nus, self.how)


def another_flow(field: BlackBoxField, wanted: Wanted) -> Diagnosis | None:
    """The flow whose gradient was found, to the limit."""
    for name, of, text in FLOWS:
        basis = _basis(field, wanted, of)
        multiples = None if basis is None else fitted(wanted.found, basis, wanted.limit)
        if multiples is None or not multiples.simple:
            continue
        if name in TURNED:
            text, multiples = _turned(name, text, multiples)
        more = said(multiples, {})
        also = "" if more is None else f". Besides, {more.sentence.removeprefix('Cause: ')}"
        return Diagnosis.cause(name, f"Cause: {text} ({name}){also.rstrip('.')}.")
    for name in SPANS:
        found = _span(field, wanted, name)
        if found is not None:
            return found
    return None


def _turned(name: str, text: str, m: Multiples) -> tuple[str, Multiples]:
    """With the log-determinant's sign against the velocity's, and the multiples that remain."""
    apart = m.values[1] < 0 and m.values[2] < 0
    left = np.array([1.0, -1.0, -1.0]) * m.values if apart else m.values
    return f"{text}; {TURNED[name][0 if apart else 1]}", Multiples(left, m.within)


def _basis(field: BlackBoxField, wanted: Wanted, of: Callable[[Field], Field]) -> np.ndarray | None:
    """The parts of another flow's gradient; ``None`` where it cannot be solved, or is not it."""
    try:
        other, prepared = solved(field, wanted, of)
        return wanted.parts_like(other, prepared, wanted.nus)
    except CallableError:
        return None


def other_field(
    field: BlackBoxField, wanted: Wanted, of: Callable[[Field], Field]
) -> BlackBoxField:
    """The field made into another one."""
    guard = Guarded(of(field.guard.function), field.guard.name, prepare=field.guard.prepare)
    guard.framework = field.guard.framework
    other = BlackBoxField(guard, field.params, field.directions, field.framework, wanted.x)
    other.analytic = field.analytic
    return other


def solved(
    field: BlackBoxField, wanted: Wanted, of: Callable[[Field], Field]
) -> tuple[BlackBoxField, Prepared]:
    """Another field, linearized along its own flow from x."""
    other = other_field(field, wanted, of)
    return other, prepare_black_box(other, path_of(other, wanted.x, wanted.grid))


#: flows with one number that is fitted, right at 0
SPANS: dict[str, Callable[[float], Callable[[Field], Field]]] = {
    "lower": lambda m: lambda f: lambda z, p, s: (1 - m) * f(z, p, m + (1 - m) * s),
    "upper": lambda m: lambda f: lambda z, p, s: (1 + m) * f(z, p, (1 + m) * s),
    "shifted": lambda m: lambda f: lambda z, p, s: f(z, p, s + m),
    "scaled": lambda m: lambda f: lambda z, p, s: f(z, p, s * (1 + m)),
    "faster": lambda m: lambda f: lambda z, p, s: (1 + m) * f(z, p, s),
    "constant": lambda m: lambda f: lambda z, p, s: f(z, p, 0 * s + 0.3 + m),
}


def _span(field: BlackBoxField, wanted: Wanted, end: str) -> Diagnosis | None:
    """The flow over [t, 1], over [0, t], or at another time, for the number that fits."""
    of, whole = SPANS[end], wanted
    wanted = wanted.few(field) or wanted

    def gradient(moved: float, wanted: Wanted = wanted) -> np.ndarray | None:
        try:
            other, prepared = solved(field, wanted, of(moved))
        except CallableError:
            return None
        return every_entry(other, prepared, wanted.latent, wanted.nus, *wanted.how)[0]

    begin = gradient(0.0) if end == "constant" else wanted.due
    if begin is None:
        return None
    most = 1.0 if end == "lower" else 20.0
    moved = fitted_number(gradient, begin, wanted.found, wanted.limit, most)
    if moved is None:
        return None
    if wanted is not whole:
        b = gradient(moved, whole)
        if b is None or np.any(np.abs(whole.found - b) > whole.limit):
            return None
    return _spanned(moved, end)


def _spanned(moved: float, end: str) -> Diagnosis:
    if end == "lower":
        at = number(moved, 1e-3)
        return Diagnosis.cause(
            "stopped_early",
            f"Cause: the flow is stopped at s = {at}, not at 0: it is run over [{moved:.4g}, 1],"
            f" and"
            " the prior is taken at its end there (stopped_early). Run it down to s = 0.",
        )
    text = {
        "upper": (
            "another_end_time",
            "the flow is run over [0, T] where [0, 1] is due, T = {one}: put x at s = 1, or scale"
            " the time",
        ),
        "shifted": (
            "shifted_time",
            "the field is asked at s {sign} {size} where s is due: an index or half a step off",
        ),
        "scaled": ("scaled_time", "the field is asked at c s where s is due, c = {one}"),
        "faster": ("field_factor", "the flow is that of c f where f is due, c = {one}"),
        "constant": (
            "time_held",
            "the field is always asked at s = {held}: its time does not reach it",
        ),
    }[end]
    told = text[1].format(
        one=number(1 + moved, 1e-4),
        sign="+" if moved > 0 else "-",
        size=number(abs(moved), 1e-3),
        held=number(0.3 + moved, 1e-4),
    )
    return Diagnosis.cause(text[0], f"Cause: {told} ({text[0]}).")
