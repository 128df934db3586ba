"""Declared against implied: at each time, for each row and coordinate, the error, what rounding and
quadrature may explain of it, and the verdict by the rule.

Conventions: arrays ``(m, n, d)``. Errors are relative: of the standard deviation to itself; of the
mean to its own size, or, where α is so small that rounding hides it, to the size of X_t (mean and
standard deviation together). ``bound`` is what may pass, ``excuse`` what more the rounding of the
subject may explain: an error that needs it is undecided.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.public.marginals.asking import HALF
from scoreproof.public.marginals.declared import Declared
from scoreproof.public.marginals.implied import Implied

__all__ = ["ALLOWED", "Case", "Errors", "errors"]

#: Rounding may be passed over up to this part of what must be seen (1 %, or the tolerance), and the
#: mean is measured by its own size where it is known to this.
ALLOWED, OWN = 0.45, 1e-3
#: Roundings granted to one evaluation of a user's formula, in float64 and float32 (a sum over the
#: 1000 entries of a table included) and in half precision, where nobody adds up a table.
OPERATIONS, OPERATIONS_HALF = 16, 6
#: the largest ratio of the drift's fixed point to the mean whose rounding is forgiven
FIXED_POINT = 1e6
#: an x0 near 0 is judged on a scale of this part of the largest in its coordinate: less than the
#: smallest of the default rows is, so that each of those is judged by its own size
SCALE = 1 / 1000
EPS = float(np.finfo(float).eps)


@dataclass(eq=False)
class Case:
    """What was declared and what is implied, at the same times, ready to be compared.

    ``eps`` is the roundoff of drift and diffusion; ``start`` the standard deviation by which the
    data are blurred first; ``seen`` the relative error that must not pass.
    """

    implied: Implied
    said: Declared
    start: np.ndarray
    at_zero: np.ndarray | None
    eps: float
    seen: float

    def law(self, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Implied mean ``(m, n, d)`` and standard deviation ``(m, d)``."""
        i = self.implied
        mean = i.mean[:, None, :] * self.said.rows + i.shift[:, None, :]
        return mean, np.sqrt(i.variance + i.mean**2 * start**2)

    def later(self, skip: int) -> Case:
        """The same without the first times."""
        rest = slice(skip, None)
        return replace(self, implied=self.implied.part(rest), said=self.said.part(rest))

    def fits(self, start: np.ndarray) -> bool:
        """Whether mean and std are within what rounding explains, at all times."""
        return bool(np.all(errors(self, start).ratio() <= 1))


@dataclass(frozen=True, eq=False)
class Errors:
    """``error``, ``bound``, ``excuse`` with a first axis of two: mean, standard deviation.

    ``own``: where the mean is measured by its own size. ``blank``: where nothing can be compared.
    """

    error: np.ndarray
    bound: np.ndarray
    excuse: np.ndarray
    own: np.ndarray
    blank: np.ndarray

    def ratio(self, tolerance: float | None = None) -> np.ndarray:
        """The error over all that may explain it, and is accepted."""
        with np.errstate(all="ignore"):
            ratio = self.error / ((tolerance or 0.0) + self.bound + self.excuse)
        return np.where((self.error == 0) | np.isnan(ratio), 0.0, ratio)


def errors(case: Case, start: np.ndarray) -> Errors:
    """All errors and what may explain them, the data being blurred by ``start``."""
    with np.errstate(all="ignore"):
        mean, std = case.law(start)
        std_error, std_left, std_rounding = _of_std(case, start, std)
        mean_error, mean_left, mean_rounding, own, scale = _of_mean(case, mean, std)
        allowed = ALLOWED * case.seen
        error, left, rounding = (
            np.stack([p, np.broadcast_to(q, p.shape)])
            for p, q in (
                (mean_error, std_error),
                (mean_left, std_left[:, None]),
                (mean_rounding, std_rounding[:, None]),
            )
        )
        bound = np.maximum(np.minimum(rounding + left, allowed), left)
        blank = (scale == 0).any(axis=(1, 2))
        # more than anything is still a number: it excuses, and does not make a place unknown
        excuse = np.minimum(np.maximum(rounding + left - bound, 0.0), 1e300)
    return Errors(error, bound, excuse, own, blank)


def _operations(eps: float) -> int:
    return OPERATIONS_HALF if eps > HALF else OPERATIONS


def _of_std(
    case: Case, start: np.ndarray, std: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Relative error ``(m, n, d)``; what quadrature leaves and rounding explains, ``(m, d)``."""
    i, own, eps = case.implied, case.said.law.eps, case.eps
    v, m = std**2, i.mean
    t = i.times[:, None]
    left = (i.variance_error + 2 * m * i.mean_error * start**2 + eps * i.variance) / v
    given = _operations(eps)
    coefficients = eps * (given * (i.variance + 2 * i.variance_log_size) + i.sensitivity) / v
    # what the user's own formula may lose: a dozen operations, the rounding of ∫a in an exponential
    # (no larger than what an exponential can take), t rounded inside it, and a difference of
    # numbers of the size of α² + σ² (1 - exp(-∫β) at small t, σ_t² - σ_0²)
    taken = _operations(own)
    formula = own * (
        taken * (1 + np.minimum(i.log_size, _exponent(own)) * np.minimum(1.0, m**2 / v))
        + t * np.abs(2 * i.a + i.g2 / v)
        + taken * (m**2 * (1 + start**2) + v) / v
    )
    error = np.abs(case.said.std / std[:, None, :] - 1)
    still = v == 0  # no noise at all: the declared std is the error
    error = np.where(still[:, None, :], np.abs(case.said.std), error)
    left, rounding = (np.where(still, 0.0, part / 2) for part in (left, coefficients + formula))
    return error, left, rounding


def _exponent(eps: float) -> float:
    """The largest argument of an exponential whose value is a number."""
    return 88.0 if eps > 1e-10 else 708.0


def _of_mean(
    case: Case, mean: np.ndarray, std: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Relative error, what the quadrature leaves, what rounding explains, where the scale is the
    mean's own, and the scale: ``(m, n, d)`` each.
    """
    i, own, eps = case.implied, case.said.law.eps, case.eps
    taken, given = _operations(own), _operations(eps)
    rows = np.abs(case.said.rows)
    rows = np.maximum(rows, np.max(rows, axis=0) * SCALE)
    m, t = i.mean[:, None, :], i.times[:, None]
    size = m * rows + np.abs(i.shift)[:, None, :]
    left = i.mean_error[:, None, :] * rows + i.shift_error[:, None, :]
    # ∫a: the coefficients' rounding, and that of t inside them; then the user's exponential of it
    log = eps * (given * i.log_size + i.log_sensitivity) + own * (
        taken + 2 * np.minimum(i.log_size, _exponent(own)) + t * np.abs(i.a)
    )
    rounding = np.expm1(np.minimum(log, 50.0))[:, None, :] * size
    # α as √(1-σ²): an absolute error of 1/α roundings, at most their root
    root = own * taken * np.minimum(1 / i.mean, 1 / np.sqrt(own * taken))
    rounding = rounding + np.where(i.mean < 1, root, 0.0)[:, None, :] * rows
    # μ + (x0 - μ) M and x0 M + μ (1 - M) round numbers of the size of the fixed point μ, which may
    # be far above the mean
    fixed = np.where(i.shift == 0, 0.0, np.abs(i.shift / np.maximum(np.abs(1 - i.mean), EPS)))
    fixed = (np.where(np.isfinite(fixed), fixed, 0.0) * (1 + i.mean))[:, None, :]
    rounding = rounding + max(own, eps) * taken * np.minimum(fixed, FIXED_POINT * size)
    itself = (left + rounding <= OWN * size) & (size > 0)
    scale = np.where(itself, size, size + std[:, None, :])
    unknown = np.isnan(left) | np.isnan(rounding)
    left = np.where(scale == 0, 0.0, np.where(unknown, np.inf, left))
    rounding = np.where(scale == 0, 0.0, rounding)
    # where nothing is left of the law but a point at 0, whatever is declared besides is all wrong
    unit = np.where(scale == 0, 1.0, scale)
    return np.abs(case.said.mean - mean) / unit, left / unit, rounding / unit, itself, scale
