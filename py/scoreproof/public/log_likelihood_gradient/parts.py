"""The gradient in its parts, and which multiples of them a wrong gradient is.

Conventions: b is the sum of three parts, each linear in what it comes from: ``prior`` (through
a(0) = ∂ log p_Z), ``state`` (through ∂_z(νᵀJν) in a') and ``rate`` (∂_θ(νᵀJν) in b'). ``state +
rate`` is the gradient of -∫ νᵀJν ds. Multiples are in that order; (1, 1, 1) is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.causes.closed_forms import closed_form, number
from scoreproof.claims.ffjord.solver import Prepared
from scoreproof.diagnosis import Diagnosis
from scoreproof.numerics.adjoint import advance
from scoreproof.public.black_box_field import BlackBoxField
from scoreproof.public.log_likelihood_gradient.entries import integrated
from scoreproof.public.log_likelihood_gradient.part_words import CASES, SLOTS

__all__ = ["Multiples", "fitted", "may_fit", "parts", "said"]

SIMPLE = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
#: multiples beyond are no coefficient of anything
MOST = 1e3
#: limits that may be left at a large multiple
LEFT = 10.0
#: the parts, so multiplied, may be so much larger than what they add up to, and no more
CANCEL = 30.0


def parts(
    field: BlackBoxField,
    prepared: Prepared,
    latent: Any,
    nus: np.ndarray,
    how: tuple[np.ndarray, np.ndarray | None],
    *,
    exact: bool = False,
) -> np.ndarray:
    """``(3, G, K)``. ``exact``: with the trace itself in place of νᵀJν."""
    n, d = nus.shape[1:]
    units = [np.broadcast_to(e, (n, d)) for e in np.sqrt(d) * np.eye(d)]

    def stages(nu: np.ndarray, prior: bool, state: bool) -> np.ndarray:
        along = units if exact else [nu]
        constant = [
            sum(local.quad_z(v, v) for v in along) / len(along) * float(state)
            for local in prepared.here
        ]
        start = latent.score(prepared.path.start) * float(prior)
        return advance(
            lambda k, a: -prepared.here[k].vjp(a) - constant[k],
            np.broadcast_to(start, nu.shape).astype(float),
            prepared.path.grid,
        )[1]

    from_prior = np.stack([stages(nu, True, False) for nu in nus], axis=2)
    from_state = np.stack([stages(nu, False, True) for nu in nus], axis=2)
    none = 0 * nus
    found = [integrated(field, prepared, a, none, how)[0] for a in (from_prior, from_state)]
    if exact:
        each = [
            integrated(field, prepared, 0 * from_prior, np.broadcast_to(u, nus.shape), how)[0]
            for u in units
        ]
        rate = np.mean(each, axis=0)
    else:
        rate = integrated(field, prepared, 0 * from_prior, nus, how)[0]
    return np.stack([*found, rate])


@dataclass(frozen=True, eq=False)
class Multiples:
    """``values`` ``(3,)``, each known to ``within``, absolute."""

    values: np.ndarray
    within: np.ndarray

    def near(self, *wanted: float) -> bool:
        return bool(np.all(np.abs(self.values - wanted) <= self.within))

    @property
    def simple(self) -> bool:
        """Each of them 0, ±1, ±2 or ±1/2."""
        return all(float(v) in SIMPLE for v in self.values)

    def alike(self, *which: int) -> bool:
        known = [k for k in which if np.isfinite(self.within[k])]
        v, within = self.values[known], self.within[known]
        return bool(v.size and np.ptp(v) <= 2 * float(np.max(within)))


def fitted(found: np.ndarray, basis: np.ndarray, limit: np.ndarray) -> Multiples | None:
    """The multiples of the parts whose sum is ``found`` ``(G, K)`` to the limit, entry by entry;
    simple numbers are preferred.
    """
    flat, weight = basis.reshape(len(basis), -1), 1 / limit.ravel()
    scale = np.linalg.norm(flat * weight, axis=1)
    # a part that is nothing here, as ∂_z(νᵀJν) of a linear field, may have any multiple
    there = scale > 1e-9 * np.max(scale)
    if np.max(scale) == 0 or flat.shape[1] < 2 + there.sum():
        return None
    design = (flat[there] * weight / scale[there, None]).T
    inverse = np.linalg.pinv(design, rcond=1e-10)
    if np.linalg.matrix_rank(design, tol=1e-7) < there.sum():
        return None
    values, within = np.ones(len(basis)), np.full(len(basis), np.inf)
    values[there] = inverse @ (found.ravel() * weight) / scale[there]
    within[there] = 2 * np.abs(inverse).sum(axis=1) / scale[there] + 1e-9
    for k in np.flatnonzero(there):
        simple = min(SIMPLE, key=lambda c: abs(c - values[k]))
        if abs(simple - values[k]) <= max(within[k], 1e-4):
            values[k] = simple
    total = np.tensordot(values, basis, axes=1)
    # large parts that cancel would come near almost anything
    sizes = np.abs(values) * np.max(np.abs(flat), axis=1)
    due = max(float(np.max(np.abs(found))), float(np.max(np.abs(flat[there]))))
    if np.max(np.abs(values)) > MOST or np.max(sizes) > CANCEL * due:
        return None
    # the basis is known to its own rounding only: a large multiple explains nothing
    most = min(max(1.0, float(np.max(np.abs(values)))), LEFT)
    if np.all(np.abs(found - total) <= limit * most):
        return Multiples(values, np.maximum(within, 1e-4))
    return None


def may_fit(found: np.ndarray, basis: np.ndarray, limit: np.ndarray) -> bool:
    """Whether any multiples at all come as near as `fitted` asks, at these entries."""
    weight = 1 / limit.ravel()
    design = (basis.reshape(len(basis), -1) * weight).T
    scale = np.linalg.norm(design, axis=0)
    design, target = design / np.where(scale > 0, scale, 1.0), found.ravel() * weight
    left = target - design @ np.linalg.lstsq(design, target, rcond=1e-14)[0]
    return float(np.linalg.norm(left)) <= LEFT * target.size**0.5


def said(m: Multiples, known: Mapping[str, float], trace: str = "νᵀJν") -> Diagnosis | None:
    """The cause in words; ``known``: numbers of the problem, as for closed forms."""
    if m.near(1, 1, 1):
        return None
    p, _, r = m.values
    slots = _slots(m)
    for wanted, name, text in CASES:
        if m.near(*wanted):
            names = (name,) if slots in (None, name) else (name, slots)
            return Diagnosis(names, 0.0, None, f"Cause: {text.format(q=trace)} ({name}).")
    if m.alike(0, 1, 2):
        shown, form = _number(float(p), float(m.within[0]), known)
        return Diagnosis.cause(
            "factor",
            f"Cause: the whole gradient is {shown} times what is due: divide it by {form}"
            f" (factor).",
        )
    if m.alike(1, 2) and abs(p - 1) <= m.within[0]:
        shown, form = _number(float(r), float(m.within[2]), known)
        return Diagnosis.cause(
            "log_det_factor",
            f"Cause: the log-determinant counts {shown} times: the gradient is that of log"
            f" p_Z(z(0))"
            f" - c ∫ {trace} ds with c = {shown}; divide the trace term by {form}"
            f" (log_det_factor).",
        )
    if m.alike(1, 2) and abs(r - 1) <= m.within[2] and p > 0:
        return _prior(float(p), float(m.within[0]), known)
    shown = ", ".join(
        f"{_number(float(v), float(w), known)[0]} times {what}"
        for v, w, what in zip(
            m.values,
            m.within,
            (
                "the part of log p_Z (through a(0))",
                f"the part of ∂_z({trace}) in a'",
                f"the part of ∂_θ({trace}) in b'",
            ),
            strict=True,
        )
        if abs(v - 1) > w
    )
    name = slots or "parts_weighted"
    return Diagnosis.cause(name, f"Cause: the gradient holds {shown}: each is due once ({name}).")


def _slots(m: Multiples) -> str | None:
    """The known faults of the single parts, together."""
    names = []
    for value, within, of in zip(m.values, m.within, SLOTS, strict=True):
        if abs(value - 1) <= within:
            continue
        near = [name for c, name in of.items() if abs(value - c) <= within]
        if not near:
            return None
        names.append(near[0])
    return " + ".join(names)


def _number(value: float, within: float, known: Mapping[str, float]) -> tuple[str, str]:
    relative = within / max(abs(value), 1e-300)
    form = closed_form(value, relative, known)
    return number(value, relative, known), form or f"{value:.6g}"


def _prior(value: float, within: float, known: Mapping[str, float]) -> Diagnosis:
    std = value**-0.5
    shown, _ = _number(std, within / value / 2, known)
    d = known.get("D", 1)
    averaged = d > 1 and abs(value - 1 / d) <= within
    mean = " = 1/D: the mean over coordinates for their sum?" if averaged else ""
    prior = (
        f"as of a normal prior of standard deviation σ = {shown} (1/σ² = {value:.5g}{mean}) where"
        " σ = 1, or your log_latent, is due"
    )
    part = f"Cause: the prior's part counts {value:.5g} times"
    if averaged or value < 1:  # nobody rewards a large z(0)
        return Diagnosis.cause("prior_std", f"{part}, {prior} (prior_std).")
    weight = (value - 1) / 2
    added = (
        f"as of a regulariser, {weight:.4g} |z(0)|² taken from log p where the prior is a standard"
        f" normal ({value - 1:.4g} log p_Z added)"
    )
    # the one whose number is the rounder one comes first
    names, told = ("prior_std", "added_at_z0"), (prior, added)
    if _digits(weight) < _digits(std):
        names, told = names[::-1], told[::-1]
    return Diagnosis(
        names, 0.0, None, f"{part}: either {told[0]}; or {told[1]} ({names[0]}, {names[1]})."
    )


def _digits(value: float) -> int:
    """How many digits it takes to tell it to five of them."""
    return len(f"{value:.4e}".split("e")[0].rstrip("0").replace(".", "").lstrip("-"))
