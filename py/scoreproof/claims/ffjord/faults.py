"""Planted wrong versions of the adjoint, each an edit of the formula's ingredients in named slots,
so that pairs compose.

Conventions: as in `statement`. `Variant()` passes every ingredient unchanged and so *is* the
formula; an edit replaces what
one of them returns. ``spare`` carries what the truth never looks at: a fresh ν and the derivatives
at the mirrored time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scoreproof.claims.ffjord.statement import estimate, formula, start
from scoreproof.core import Fault, merge_slots
from scoreproof.objects.fields import basis_rows

__all__ = ["EDITS", "FAULTS", "Spare", "TRUTH", "Variant", "compose", "perturbations"]


@dataclass(frozen=True, slots=True)
class Spare:
    """``fresh``: another draw of ν; ``mirrored``: the linearization at (z(1-s), 1-s)."""

    fresh: Any
    mirrored: Any


class _Edited:
    """A linearization whose results pass through the edits."""

    __slots__ = ("_edits", "_local")

    def __init__(self, local: Any, edits: Mapping[str, Callable[..., Any]]) -> None:
        self._local, self._edits = local, edits

    def __getattr__(self, name: str) -> Any:
        edit = self._edits.get(name)
        method = getattr(self._local, name)
        return method if edit is None else (lambda *arguments: edit(self._local, *arguments))


class _EditedLatent:
    __slots__ = ("_edits", "_latent", "_x")

    def __init__(self, latent: Any, x: Any, edits: Mapping[str, Callable[..., Any]]) -> None:
        self._latent, self._x, self._edits = latent, x, edits

    def log_density(self, z0: Any) -> Any:
        return self._latent.log_density(self._x if "at_x" in self._edits else z0)

    def score(self, z0: Any) -> Any:
        score = self._latent.score(self._x if "at_x" in self._edits else z0)
        edit = self._edits.get("score")
        return score if edit is None else edit(score)


@dataclass(frozen=True, slots=True)
class Variant:
    """A subject: the rates ``(ℓ̂', a', b')``, the start values, and the estimate, through
    ``edits``.
    """

    edits: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    def rates(self, local: Any, a: Any, nu: Any, spare: Spare) -> tuple[Any, Any, Any]:
        """``(ℓ̂', a', b')`` at one time (or at a batch of them)."""
        ell, a_rate, b_rate = formula(_Edited(local, self.edits), a, nu)
        if "adjoint_nu" in self.edits or "time" in self.edits:
            nu = self.edits["adjoint_nu"](nu, spare) if "adjoint_nu" in self.edits else nu
            there = spare.mirrored if "time" in self.edits else local
            _, a_rate, b_rate = formula(_Edited(there, self.edits), a, nu)
        return ell, a_rate, b_rate

    def start(self, latent: Any, z0: Any, x: Any) -> tuple[Any, Any]:
        """``(a(0), b(0))``."""
        a, b = start(_EditedLatent(latent, x, self.edits), z0)
        return a, self.edits["b_start"](b) if "b_start" in self.edits else b

    def estimate(self, latent: Any, z0: Any, x: Any, ell0: Any) -> Any:
        """``log p̂``."""
        return estimate(
            _EditedLatent(latent, x, self.edits),
            z0,
            self.edits["ell0"](ell0) if "ell0" in self.edits else ell0,
        )


TRUTH = Variant()


def _ones(local: Any, u: Any, v: Any) -> Any:
    return local.quad(u, v * 0 + 1)


def _trace(method: str) -> Callable[..., Any]:
    def exact(local: Any, u: Any, v: Any) -> Any:
        units = basis_rows(u)
        return sum(
            (getattr(local, method)(e, e) for e in units[1:]),
            getattr(local, method)(units[0], units[0]),
        )

    return exact


def _times(method: str, factor: Any) -> Callable[..., Any]:
    return lambda local, *arguments: getattr(local, method)(*arguments) * factor


def _mean(method: str) -> Callable[..., Any]:
    return lambda local, u, v: getattr(local, method)(u, v) / u.shape[-1]


#: name -> (the slots it edits, why people write it)
EDITS: dict[str, tuple[dict[str, Callable[..., Any]], str]] = {
    "last_nu_missing": (
        {"quad": _ones},
        "the source's misprint -ν^T ∂f/∂z, made a number by summing its entries (ν^T J 1)",
    ),
    "ell_sign": (
        {"quad": _times("quad", -1)},
        "ℓ̂' = +ν^T J ν: the sign of the other direction of time",
    ),
    "ell_doubled": (
        {"quad": _times("quad", 2)},
        "a factor 2 in the trace term, as if ν^T J ν were differentiated like a square",
    ),
    "ell_added": (
        {"ell0": lambda ell: -ell},
        "log p_Z + ℓ̂(0): the sign of the integral in the change of variables",
    ),
    "a_jacobian_sign": (
        {"vjp": _times("vjp", -1)},
        "a' = +a J - …: the adjoint of the equation run the other way",
    ),
    "a_trace_sign": ({"quad_z": _times("quad_z", -1)}, "a' = -a J + ∂_z(ν^T J ν)"),
    "a_trace_missing": (
        {"quad_z": _times("quad_z", 0)},
        "∂_z(ν^T J ν) left out: the plain neural-ODE adjoint",
    ),
    "a_trace_doubled": (
        {"quad_z": _times("quad_z", 2)},
        "∂_z(ν^T J ν) counted twice: once in the augmented state and once by hand",
    ),
    "a_jacobian_missing": (
        {"vjp": _times("vjp", 0)},
        "a' = -∂_z(ν^T J ν): a kept at its start value otherwise",
    ),
    "jacobian_transposed": (
        {"vjp": lambda local, a: local.jvp(a)},
        "J a for a J: a Jacobian-vector product in place of a vector-Jacobian product",
    ),
    "b_jacobian_sign": ({"vjp_theta": _times("vjp_theta", -1)}, "b' = +a ∂f/∂θ - …"),
    "b_jacobian_missing": (
        {"vjp_theta": _times("vjp_theta", 0)},
        "only the trace term is differentiated in θ: z treated as a constant (detached)",
    ),
    "b_trace_sign": ({"quad_theta": _times("quad_theta", -1)}, "b' = -a ∂f/∂θ + ∂_θ(ν^T J ν)"),
    "b_trace_missing": (
        {"quad_theta": _times("quad_theta", 0)},
        "∂_θ(ν^T J ν) left out: the plain neural-ODE adjoint",
    ),
    "b_trace_doubled": ({"quad_theta": _times("quad_theta", 2)}, "∂_θ(ν^T J ν) counted twice"),
    "a_starts_at_zero": (
        {"score": lambda score: score * 0},
        "a(0) = 0: the latent density forgotten in the loss",
    ),
    "score_sign": (
        {"score": lambda score: -score},
        "a(0) = +z(0) for a Gaussian: the sign of the score",
    ),
    "latent_at_x": ({"at_x": lambda: None}, "p_Z and its gradient taken at x, not at z(0)"),
    "b_not_reset": (
        {"b_start": lambda b: b + 1},
        "b starts from what a buffer held, here 1, and not from 0",
    ),
    "fresh_nu": (
        {"adjoint_nu": lambda nu, spare: spare.fresh},
        "a new ν drawn in the adjoint: unbiased, and not the gradient of this log p̂",
    ),
    "trace_in_adjoint": (
        {"quad_z": _trace("quad_z"), "quad_theta": _trace("quad_theta")},
        (
            "the exact trace in the adjoint and the estimate in ℓ̂: unbiased, and not the gradient"
            " of this log p̂"
        ),
    ),
    "mean_for_sum": (
        {name: _mean(name) for name in ("quad", "quad_z", "quad_theta")},
        "a mean over the D coordinates in place of the sum (or ν of length 1): tr J / D",
    ),
    "time_reversed": (
        {"time": lambda: None},
        "the stored path read at 1-s: it was saved while solving downward and not flipped",
    ),
}


FAULTS = tuple(Fault(name, Variant(slots), why) for name, (slots, why) in EDITS.items())


def compose(names: tuple[str, ...]) -> Variant | None:
    """The subject that carries all named faults; ``None`` where two of them edit the same slot."""
    slots = merge_slots(EDITS[name][0] for name in names)
    return None if slots is None else Variant(slots)


def perturbations() -> Mapping[str, Callable[[Any], Variant]]:
    """Each coefficient of the formula off by the relative error ``eps``."""
    terms = {
        "ell_trace": "quad",
        "a_jacobian": "vjp",
        "a_trace": "quad_z",
        "b_jacobian": "vjp_theta",
        "b_trace": "quad_theta",
    }

    def scaled(method: str) -> Callable[[Any], Variant]:
        return lambda eps: Variant({method: _times(method, 1 + eps)})

    out = {name: scaled(method) for name, method in terms.items()}
    out["a_start"] = lambda eps: Variant({"score": lambda score: score * (1 + eps)})
    out["ell0"] = lambda eps: Variant({"ell0": lambda ell: ell * (1 + eps)})
    return out
