"""Adjoint sweeps that start late, end early, or ask the field at another time than the flow's.

Conventions: as in `flows`; the flow from x down to z(0) is right, and what follows it is not. m is
the part of [0, 1] that a sweep leaves out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scoreproof.claims.ffjord.solver import Prepared
from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.public.black_box_field import BlackBoxField
from scoreproof.public.log_likelihood_gradient.entries import every_entry
from scoreproof.public.log_likelihood_gradient.fitting import fitted_number
from scoreproof.public.log_likelihood_gradient.flows import Field, Wanted, other_field, solved
from scoreproof.public.log_likelihood_gradient.linearization import path_of, prepare_black_box

__all__ = ["another_sweep"]

Made = Callable[[Field], Field]
#: the fields at other times, with what they are
CLOCKS: tuple[tuple[str, Made, str], ...] = (
    ("adjoint_mirrored", lambda f: lambda z, p, s: f(z, p, 1 - s), "1 - s"),
    ("adjoint_at_0", lambda f: lambda z, p, s: f(z, p, 0 * s), "0"),
    ("adjoint_at_1", lambda f: lambda z, p, s: f(z, p, 0 * s + 1), "1"),
)


def another_sweep(field: BlackBoxField, prepared: Prepared, wanted: Wanted) -> Diagnosis | None:
    """The sweep whose gradient was found, to the limit."""
    few = wanted.few(field)
    if few is not None and _another(field, prepared, few) is None:
        return None
    return _another(field, prepared, wanted)


def _another(field: BlackBoxField, prepared: Prepared, wanted: Wanted) -> Diagnosis | None:
    for name, of, at in CLOCKS:
        gradient = _at_other_times(field, wanted, prepared, of)
        if gradient is not None and _is(wanted, gradient):
            return Diagnosis.cause(
                name,
                f"Cause: the flow z(s) is right, and the adjoint's vector-Jacobian products are"
                f" those of the field at the time {at}, not at s: in a' and b' the field is to be"
                f" asked at the time of z ({name}).",
            )
    for name, ends, text in (
        ("sweep_starts_late", _from_later, LATE),
        ("sweep_ends_early", _to_earlier, EARLY),
    ):
        moved = _part(field, wanted, ends)
        if moved is not None and moved > 0:
            return Diagnosis.cause(name, f"Cause: {text.format(**_numbers(moved))} ({name}).")
    shifted = fitted_number(
        lambda m: _at_other_times(field, wanted, prepared, _later(m)),
        wanted.due,
        wanted.found,
        wanted.limit,
        1.0,
    )
    if shifted is None:
        return None
    sign = "+" if shifted > 0 else "-"
    return Diagnosis.cause(
        "adjoint_shifted",
        f"Cause: the flow z(s) is right, and the adjoint's vector-Jacobian products are those of"
        f" the field at s {sign} {abs(shifted):.3g}, not at s: an index or half a step"
        " off in a' and b' (adjoint_shifted).",
    )


LATE = (
    "the adjoint's sweep from z(0) starts at s = {m}, not at 0: {share} of the way is missing"
    "{steps}; start the loop at the first step"
)
EARLY = (
    "the adjoint's sweep ends at s = {rest}, not at 1: {share} of the integral is missing{steps};"
    " let the loop take the last step"
)


def _numbers(moved: float) -> dict[str, str]:
    n = 1 / moved
    whole = abs(n - round(n)) < 2e-3 * n and round(n) > 1
    return {
        "m": f"{moved:.4g}",
        "rest": f"{1 - moved:.5g}",
        "share": f"1/{round(n)}" if whole else f"{100 * moved:.3g} %",
        "steps": f", as where one of {round(n)} equal steps is left out" if whole else "",
    }


def _is(wanted: Wanted, gradient: np.ndarray) -> bool:
    return bool(np.all(np.abs(wanted.found - gradient) <= wanted.limit))


def _later(m: float) -> Made:
    return lambda f: lambda z, p, s: f(z, p, s + m)


def _at_other_times(
    field: BlackBoxField, wanted: Wanted, prepared: Prepared, of: Made
) -> np.ndarray | None:
    """The derivatives of another field along the right flow."""
    try:
        other = other_field(field, wanted, of)
        along = prepare_black_box(other, prepared.path)
        return every_entry(other, along, wanted.latent, wanted.nus, *wanted.how)[0]
    except CallableError:
        return None


def _part(
    field: BlackBoxField,
    wanted: Wanted,
    ends: Callable[[BlackBoxField, Wanted, float], tuple[np.ndarray, Made]],
) -> float | None:
    """The part that is left out, if that explains what was found."""

    def gradient(m: float) -> np.ndarray | None:
        try:
            x, of = ends(field, wanted, m)
            other, along = solved(field, replace(wanted, x=x), of)
        except CallableError:
            return None
        return every_entry(other, along, wanted.latent, wanted.nus, *wanted.how)[0]

    return fitted_number(gradient, wanted.due, wanted.found, wanted.limit, 0.95)


def _from_later(field: BlackBoxField, wanted: Wanted, m: float) -> tuple[np.ndarray, Made]:
    """The flow that starts from z(0) at s = m, by where it ends at s = 1."""
    down = path_of(field, wanted.x, wanted.grid)

    def turned(f: Field) -> Field:  # so that a solver from 1 down to 0 leads from m up to 1
        return lambda z, p, u: -(1 - m) * f(z, p, 1 - (1 - m) * u)

    up = path_of(other_field(field, wanted, turned), down.start, wanted.grid)
    return up.start, lambda f: lambda z, p, s: (1 - m) * f(z, p, m + (1 - m) * s)


def _to_earlier(field: BlackBoxField, wanted: Wanted, m: float) -> tuple[np.ndarray, Made]:
    """The right flow up to s = 1 - m."""

    def last(f: Field) -> Field:
        return lambda z, p, u: m * f(z, p, 1 - m + m * u)

    end = path_of(other_field(field, wanted, last), wanted.x, wanted.grid).start
    return end, lambda f: lambda z, p, s: (1 - m) * f(z, p, (1 - m) * s)
