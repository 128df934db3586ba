"""What drift and diffusion imply: the moments at all times by quadrature, jumps of a table found,
the limit at a horizon where they are singular.

Conventions: arrays ``(m, d)``; ``X_t = M X_0 + S + noise`` of variance V; every ``…_error`` is what
the quadrature (or the limit) leaves open, absolute.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.numerics.affine_moments import Moments, moments
from scoreproof.numerics.breaks import regular_breaks
from scoreproof.numerics.legendre import tail
from scoreproof.public.marginals.asking import Probe

__all__ = ["Implied", "implied"]

#: Relative error of a quadrature that is as good as none; panels after which a table is suspected
FINE, SUSPICIOUS = 1e-6, 250
#: … and what it may leave just before a singular end, of which it then cannot know more
NEAR = 1e-2
#: A table is looked for in this part of the span: the panels before it are shorter than any entry
INSIDE = (1e-4, 0.95)
#: A limit is taken where the last steps towards it shrink by this factor (a square root's shrink by
#: 0.32 for a tenth of the way), and is then off by no more than the last step.
SHRINKING = 0.5


ARRAYS = (
    "mean",
    "mean_error",
    "shift",
    "shift_error",
    "variance",
    "variance_error",
    "log_size",
    "variance_log_size",
    "sensitivity",
    "log_sensitivity",
    "a",
    "g2",
)


@dataclass(frozen=True, eq=False)
class Implied:
    """The law at ``times``; ``limit``: the last of them is a limit. ``quadrature`` has the panels,
    and ``origin`` is to be added to its times.
    """

    times: np.ndarray
    mean: np.ndarray
    mean_error: np.ndarray
    shift: np.ndarray
    shift_error: np.ndarray
    variance: np.ndarray
    variance_error: np.ndarray
    log_size: np.ndarray
    variance_log_size: np.ndarray
    sensitivity: np.ndarray
    log_sensitivity: np.ndarray
    a: np.ndarray
    g2: np.ndarray
    quadrature: Moments
    limit: bool = False
    origin: float = 0.0

    def part(self, which: slice) -> Implied:
        """At some of the times only."""
        q = self.quadrature
        times = {name: getattr(q, name)[which] for name in ("log_mean", "shift", "variance")}
        return replace(
            self,
            times=self.times[which],
            quadrature=replace(q, times=q.times[which], **times),
            **{name: getattr(self, name)[which] for name in ARRAYS},
        )

    @property
    def node_gap(self) -> float:
        """The largest stretch between neighbouring times at which drift and diffusion were read."""
        nodes = np.concatenate([[0.0], np.sort(self.quadrature.nodes.ravel())])
        return float(np.max(np.diff(nodes)))


def implied(
    probe: Probe,
    times: np.ndarray,
    *,
    eps: float,
    breaks: tuple[float, ...],
    max_panels: int,
    chosen: bool,
    origin: float = 0.0,
) -> Implied:
    """The law at ``times`` (counted from ``origin``), started there from a point.

    Unless the times are ``chosen``, the last may be one where drift and diffusion are infinite:
    then the law there is the limit of those before, if it has one, and is left out otherwise.
    """

    def coefficients(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return probe.coefficients(t + origin)

    def solve(grid: np.ndarray) -> Moments:
        some = min(max_panels, SUSPICIOUS + len(breaks) + len(grid))
        found = moments(coefficients, grid, eps=eps, breaks=breaks, max_panels=some)
        if found.diverges or _good(found, slice(None, -1), FINE):
            return found
        table = _table(found, coefficients, eps)
        return moments(
            coefficients,
            grid,
            eps=eps,
            breaks=tuple(sorted({*breaks, *table})),
            max_panels=max_panels + 2 * len(table),
        )

    try:
        law = _law(solve(times), origin)
    except CallableError:
        if chosen or len(times) < 4 or probe.asked - origin <= times[-2]:
            raise
        return _with_limit(_law(solve(times[:-1]), origin), times[-1])
    if chosen or len(times) < 4 or _good(law.quadrature, slice(-1, None), FINE):
        return law
    if not _good(law.quadrature, slice(-2, -1), NEAR):
        return law
    limit = _with_limit(law.part(slice(None, -1)), times[-1])
    return limit if limit.limit and _open(limit) < _open(law) else law


def _good(m: Moments, which: slice, limit: float) -> bool:
    """Whether the quadrature leaves no more than this of V, and of M beside M and √V."""
    with np.errstate(all="ignore"):
        variance, mean = m.variance[which], np.exp(m.log_mean[which])
        error = m.variance_error[which] / np.where(variance > 0, variance, 1.0)
        missing = mean * np.expm1(np.minimum(m.log_mean_error[which], 50.0))
        share = missing / np.maximum(mean + np.sqrt(variance), 1e-300)
    return bool(np.all(error <= limit) and np.all(share <= limit))


def _open(law: Implied) -> float:
    """How much of the law at the last time is open, relative to V and to M beside √V."""
    with np.errstate(all="ignore"):
        variance, mean = law.variance[-1], law.mean[-1]
        parts = law.variance_error[-1] / np.where(variance > 0, variance, 1.0)
        parts = parts + law.mean_error[-1] / np.maximum(mean + np.sqrt(variance), 1e-300)
    return float(np.max(np.where(np.isfinite(parts), parts, np.inf)))


def _table(m: Moments, coefficients: object, eps: float) -> tuple[float, ...]:
    """Evenly spaced breaks, if the panel that is worst is rough because of one."""
    assert callable(coefficients)

    def values(t: np.ndarray) -> np.ndarray:
        return np.concatenate(coefficients(t), axis=1)

    width = np.diff(m.edges)[:, None]
    with np.errstate(all="ignore"):
        rough = np.max(width * (tail(m.a) + tail(m.g2)), axis=1)
    # next to an end a singularity is rougher than any table
    first, last = (part * m.edges[-1] for part in INSIDE)
    inside = (m.edges[1:] > first) & (m.edges[1:] < last)
    k = int(np.argmax(np.where(np.isfinite(rough) & inside, rough, 0.0)))
    end = float(m.edges[-1])
    try:
        return regular_breaks(values, float(m.edges[k]), float(m.edges[k + 1]), end, eps)
    except CallableError:
        return ()


def _law(m: Moments, origin: float) -> Implied:
    with np.errstate(all="ignore"):
        mean = np.exp(m.log_mean)
        return Implied(
            m.times + origin,
            mean,
            mean * np.expm1(np.minimum(m.log_mean_error, 50.0)),
            m.shift,
            m.shift_error,
            m.variance,
            m.variance_error,
            m.log_size,
            m.variance_log_size,
            m.sensitivity,
            m.log_sensitivity,
            m.value(m.a, m.times),
            m.value(m.g2, m.times),
            m,
            origin=origin,
        )


def _with_limit(law: Implied, end: float) -> Implied:
    """The law at ``end`` as the limit of the last three, where each step towards it is shorter."""
    parts: dict[str, np.ndarray] = {}
    for name in ("mean", "shift", "variance"):
        value, error = getattr(law, name), getattr(law, f"{name}_error")
        first, second = np.abs(value[-2] - value[-3]), np.abs(value[-1] - value[-2])
        floor = 4 * np.finfo(float).eps * np.abs(value[-1]) + error[-1] + error[-2]
        if not np.all(second <= SHRINKING * first + floor):
            return law
        parts[name] = np.concatenate([value, value[-1:]])
        parts[f"{name}_error"] = np.concatenate([error, (second + error[-1])[None]])
    for name in ("log_size", "variance_log_size", "sensitivity", "log_sensitivity"):
        parts[name] = np.concatenate([getattr(law, name), getattr(law, name)[-1:]])
    # the time itself is exact, so that its rounding moves nothing
    for name in ("a", "g2"):
        parts[name] = np.concatenate([getattr(law, name), 0 * getattr(law, name)[-1:]])
    times = np.append(law.times, end + law.origin)
    return Implied(times, quadrature=law.quadrature, limit=True, origin=law.origin, **parts)
