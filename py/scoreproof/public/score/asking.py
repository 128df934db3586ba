"""The callable's answers, as scores, and its Jacobian, in units of the noise.

Conventions: ``W = Σ^{1/2} J Σ^{1/2}`` with J the score's Jacobian; with probes V (orthonormal
columns) ``Vᵀ W V`` is asked for, which inherits symmetry and positivity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded
from scoreproof.interop.derivatives import row_jacobian
from scoreproof.public.posterior.asking import Answers, ask
from scoreproof.public.posterior.due import Due
from scoreproof.public.posterior.points import choose
from scoreproof.public.posterior.rounding import ORDER, grown
from scoreproof.public.posterior.scale import Scale, make_scale
from scoreproof.public.score.arguments import Request
from scoreproof.streams import stream

__all__ = ["PROBES", "Asked", "Slopes", "asked", "moved", "slopes"]

PROBES = 64  # directions looked at; all of them up to this dimension
# where the prior is known a Jacobian is taken at some of the points: so many directions in all
SLOPED, FEWEST, MOST = 256, 4, 16


@dataclass(frozen=True, eq=False)
class Slopes:
    """``white``: ``Vᵀ W V`` at the points ``rows``, ``doubt``: how far each entry may be off;
    ``detached``: automatic differentiation contradicts the values, and gave way to differences.
    """

    rows: np.ndarray
    probes: np.ndarray
    white: np.ndarray
    doubt: np.ndarray
    detached: bool = False

    def describe(self) -> str:
        """One clause: at how many points, in which directions."""
        d, k = self.probes.shape
        which = f"all {d} directions" if k == d else f"{k} random directions of {d}, a sample"
        m = len(self.rows)
        how = (
            ", by differences of its values, since automatic differentiation contradicts them (is a"
            " part detached?)"
        )
        return f"the Jacobian at {m} point{'s'[: m != 1]} in {which}{how if self.detached else ''}"


@dataclass(frozen=True, eq=False)
class Asked:
    """``found``: the answers as scores at every place; ``due`` and ``scale`` where the prior is
    known.
    """

    answers: Answers
    found: np.ndarray
    due: Due | None
    scale: Scale | None

    def in_type(self, eps: float) -> Asked:
        """The same answers beside what is due for the prior in the callable's own type."""
        assert self.due is not None
        return replace(self, due=Due(self.due.problem.in_type(eps), self.due.y))


def asked(guard: Guarded, request: Request) -> Asked:
    """Asks three times, four where a coarser type comes back than went in."""
    problem = request.problem
    scale = None if problem.prior is None else make_scale(problem)
    answers = ask(guard, lambda grid: choose(problem, scale, grid), problem.seed, problem.name)
    y = answers.points.y
    found = request.kind.to_score(answers.places, y[answers.which])
    return Asked(answers, found, None if scale is None else Due(problem, y), scale)


def moved(guard: Guarded, request: Request, asked: Asked) -> float:
    """How far the score moves, in units of the noise, if y does by a few roundings: what the
    callable itself makes of rounding. One call.
    """
    y = asked.answers.points.y
    signs = np.where(np.indices(y.shape).sum(axis=0) % 2, 1.0, -1.0)
    aside = y * (1 + 4 * guard.eps * signs)
    values = request.kind.to_score(guard(aside, shape=y.shape), aside)
    return float(np.max(np.abs(request.problem.noise.times(values - asked.found[: len(y)], 0.5))))


def slopes(guard: Guarded, request: Request, asked: Asked) -> Slopes | None:
    """The Jacobian by forward mode or differences; ``None`` where those have no finite answer at
    points of ours.
    """
    problem, y = request.problem, asked.answers.points.y
    d, rows = problem.dimension, np.arange(len(y))
    k = min(d, PROBES)
    some = int(np.clip(SLOPED // k, FEWEST, MOST))
    if problem.prior is not None and len(y) > some:
        rows = np.unique(np.linspace(0, len(y) - 1, some).astype(int))
    rng = stream(problem.seed, problem.name, "probes")
    probes = np.eye(d) if k == d else np.linalg.qr(rng.standard_normal((d, k)))[0]
    root = problem.noise.times(np.eye(d), 0.5)
    try:
        with np.errstate(all="ignore"):
            raw, error = row_jacobian(guard, y[rows], guard.framework, root @ probes)
            detached = problem.prior is None and guard.framework != "numpy"
            if detached:  # where values are not judged, only they show what is detached
                mixed = rng.choice([-1.0, 1.0], (k, 1)) / np.sqrt(k)
                seen, off = row_jacobian(guard, y[rows], "numpy", root @ probes @ mixed)
                gap = np.abs(raw @ mixed - seen)
                detached = bool(np.any(gap > 4 * (off + error @ np.abs(mixed))))
            if detached:
                raw, error = row_jacobian(guard, y[rows], "numpy", root @ probes)
    except CallableError:
        if problem.prior is None:
            raise
        return None
    left, shift = _conversion(request, root, probes)
    white = left @ raw + shift * np.eye(k)
    # the differentiation's error, and the rounding of the two products; a factor 4 because the
    # first is an estimate
    doubt = 4 * (
        np.abs(left) @ error + 4 * d * guard.eps * (np.abs(left) @ np.abs(raw) + abs(shift))
    )
    # where the noise is small W is the little that is left of a difference of two matrices of the
    # size of I, a gain and the identity: their rounding is the callable's own
    doubt = doubt + ORDER * guard.eps * grown(d) * problem.noise.condition
    return Slopes(rows, probes, white, doubt, detached)


def _conversion(request: Request, root: np.ndarray, probes: np.ndarray) -> tuple[np.ndarray, float]:
    """``(left, shift)`` with ``Vᵀ W V = left @ (J_prediction Σ^{1/2} V) + shift I``: every
    conversion to a score is affine.
    """
    kind, problem = request.kind, request.problem
    if kind.name == "score":
        return probes.T @ root, 0.0
    if kind.name == "x0":
        return problem.alpha * problem.noise.times(probes.T, -0.5), -1.0
    # σ² I, where the conversion acts entrywise: read its two coefficients off
    d = len(root)
    zero, one = np.zeros((1, d)), np.ones((1, d))
    per_value, per_y = kind.to_score(one, zero)[0, 0], kind.to_score(zero, one)[0, 0]
    return per_value * probes.T @ root, float(per_y * problem.noise.diagonal[0])
