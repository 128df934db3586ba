"""`check_marginals`: does the declared marginal follow from the drift and the diffusion?

Conventions
-----------
- ``dX = f dt + g dW``; ``marginal(x0, t) -> (mean, std)``, std a standard deviation. Time runs
  forward from 0.
- *Literal* reading: the SDE starts at x0. *Blurred*: at x0 + s N(0, I), s the standard deviation
  that the marginal itself declares at t = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded, to_float
from scoreproof.interop.frameworks import guarded
from scoreproof.numerics.affine_moments import Moments, moments
from scoreproof.public.marginals.asking import TINY, NotAffine, Probe, declared
from scoreproof.public.marginals.words import Context, candidates, reason
from scoreproof.streams import stream

__all__ = ["check_marginals"]

FRACTIONS = (1e-5, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.97, 1.0)
LIKELY = (
    "sigma0_missing",
    "variance_for_std",
    "std_as_variance",
    "rate_no_two",
    "rate_squared_again",
    "mean_not_scaled",
    "coefficients_reversed",
)
# drawn between 0.12 and 0.96 of the horizon: a marginal cannot be right at the round fractions only
EXTRA_TIMES = 3
DISTANT = 30.0  # the size of the last of the random x0: a clipped mean shows there
FIXED_POINT = (
    1e6  # the largest ratio of the drift's fixed point to the mean whose rounding is forgiven
)
OPERATIONS = 16  # roundings granted to one evaluation of a user's formula


def check_marginals(
    drift: Callable[..., Any],
    diffusion: Callable[..., Any],
    marginal: Callable[..., Any],
    *,
    times: Sequence[float] | float | None = None,
    horizon: float | None = None,
    d: int = 2,
    x0: Any = None,
    reading: str = "literal",
    initial_std: float | None = None,
    breaks: Sequence[float] = (),
    batched_time: bool = False,
    max_panels: int = 1000,
    framework: str = "numpy",
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Check that ``X_t | X_0 = x0`` of ``dX = drift dt + diffusion dW`` has the mean and standard
    deviation that ``marginal`` declares.

    Parameters
    ----------
    drift: ``drift(x, t) -> f``, x of shape ``(n, d)``, t a float; f of shape ``(n, d)`` or what
        broadcasts to it. It must be affine in x, each coordinate by itself (else the verdict is
        ``undecided``: no Gaussian marginal follows).
    diffusion: ``diffusion(t) -> g``, a coefficient per √time (not its square): a number, ``(d,)``,
        or a diagonal ``(d, d)``.
    marginal: ``marginal(x0, t) -> (mean, std)``, mean ``(n, d)``, std a number, ``(n,)``, ``(n,
        1)`` or ``(n, d)``.
    times: where to compare, all > 0 (default: 16 times from 1e-5·horizon to the horizon, 3 of them
        random). horizon: the end of time, default 1 (or the last of ``times``).
    d, x0: the dimension, or the rows ``(n, d)`` to start from (default: 5 random rows in d = 2, the
        last of size 30).
    reading: ``"literal"``: the SDE starts at x0. ``"blurred"``: the data are first blurred by what
        ``marginal`` declares at t = 0.
    initial_std: the standard deviation of that blur, if it is to be another one.
    breaks: times where drift or diffusion are known to jump or to have a kink (they are found
        anyway, at the cost of calls).
    batched_time: pass t as an array ``(n,)``, one entry for each row.
    max_panels: the work budget of the quadrature.
    framework, dtype: ``"numpy"``, ``"torch"`` or ``"jax"`` and the floating type of x and x0; for
    torch and jax t is a 0-d tensor.

    Returns
    -------
    Evidence: kind float; the error is relative, the bound is made of the quadrature's error
    estimate and of the rounding of what the callables return. ``drift`` and ``diffusion`` are
    called ``2 + 16·P`` times each, P the panels tried (``evidence.cost["panels"]``, about 50 for a
    smooth schedule, 200 with a kink); drift is called with 7 rows, one of size 1000 (up to twice
    more if it is not affine). ``marginal`` is called ``3 + len(times)`` times.

    Raises
    ------
    ArgumentError: bad times, x0, d, reading or initial_std. CallableError: a callable raises, is
    not deterministic, or returns another shape, NaN or complex numbers.

    Source: homework problem 6 for the variance-exploding case; the moment equations of linear SDEs
    otherwise.

    >>> from math import exp, sqrt
    >>> bool(check_marginals(lambda x, t: -x, lambda t: sqrt(2), lambda x0, t: (x0 * exp(-t), sqrt(1 - exp(-2 * t)))))
    True
    >>> evidence = check_marginals(lambda x, t: -x, lambda t: 1.0, lambda x0, t: (x0 * exp(-t), sqrt(1 - exp(-2 * t))))
    >>> evidence.verdict, evidence.diagnosis.names[0]
    ('refuted', 'rate_no_two')
    """
    grid, chosen, rows = _arguments(
        times, horizon, d, x0, reading, initial_std, breaks, max_panels, seed
    )
    f, g, law = (
        guarded(c, name, framework, dtype)
        for c, name in ((drift, "drift"), (diffusion, "diffusion"), (marginal, "marginal"))
    )
    probe = Probe(f, g, rows.shape[1], framework != "numpy", bool(batched_time), int(seed))
    said = _Declared(law, rows, probe)
    said.settle(float(grid[len(grid) // 2]))
    try:
        probe.settle(float(grid[len(grid) // 2]) / 2)  # inside: the ends may be singular
        grid = said.ask(grid, droppable=not chosen)
        implied = moments(
            probe.coefficients,
            grid,
            eps=max(f.eps, g.eps),
            breaks=tuple(float(b) for b in breaks),
            max_panels=max_panels,
        )
    except NotAffine as found:
        return Evidence.undecided(
            "float",
            str(found),
            cost={"drift calls": f.calls, "diffusion calls": g.calls, "marginal calls": law.calls},
        )
    if probe.underflowed and bool(np.any(implied.variance < TINY)):
        why = (
            "the square of the diffusion underflows: the variance is too small for a float;"
            " rescale x"
        )
        return Evidence.undecided(
            "float",
            why,
            cost={"drift calls": f.calls, "diffusion calls": g.calls, "marginal calls": law.calls},
        )
    at_zero = said.at_zero()
    if initial_std is not None:
        start = np.full(rows.shape[1], float(initial_std))
    elif reading == "blurred":
        if at_zero is None:
            raise ArgumentError(
                "reading",
                "'literal' where the marginal cannot be evaluated at t = 0",
                "'blurred'",
                "give the blur as initial_std=…",
            )
        start = at_zero
    else:
        start = np.zeros(rows.shape[1])
    cost = {
        "panels": implied.tried,
        "drift calls": f.calls,
        "diffusion calls": g.calls,
        "marginal calls": law.calls,
    }
    case = _Case(implied, said, start, at_zero, max(f.eps, g.eps), chosen)
    return (
        _judge(case, cost)
        if implied.converged.any() or len(grid) < 2
        else _from_first_time(case, probe, breaks, max_panels, cost)
    )


def _from_first_time(
    case: _Case, probe: Probe, breaks: Sequence[float], max_panels: int, cost: dict[str, int]
) -> Evidence:
    """Where the coefficients cannot be integrated from 0: what they imply from the first time on,
    started from what is declared there.
    """
    said, grid, origin = case.said, case.implied.times, float(case.implied.times[0])
    rest = moments(
        lambda s: probe.coefficients(s + origin),
        grid[1:] - origin,
        eps=case.eps,
        breaks=tuple(float(b) - origin for b in breaks),
        max_panels=max_panels,
    )
    later = _Declared(said.law, said.mean[0], probe, said.notes)
    later.mean, later.std = said.mean[1:], said.std[1:]
    singular = (
        "∫g² (or ∫ of the drift's rate) from t = 0 does not converge: the SDE cannot start"
        f" there{_hint(case)}"
    )
    moved = _Case(
        rest, later, np.max(said.std[0], axis=0), None, case.eps, case.chosen, origin=origin
    )
    cost = {
        **cost,
        "panels": case.implied.tried + rest.tried,
        "drift calls": probe.drift.calls,
        "diffusion calls": probe.diffusion.calls,
    }
    if not rest.converged.any() or bool(np.all(_fits(moved, moved.start)[rest.converged])):
        agrees = "agrees" if rest.converged.any() else "could not be judged either"
        return Evidence.undecided(
            "float",
            f"{singular}; from t = {origin:.3g} on the declared marginal {agrees}",
            cost=cost,
        )
    return replace(
        _judge(moved, cost), diagnosis=None, notes=(f"{singular[0].upper()}{singular[1:]}.",)
    )


def _hint(case: _Case) -> str:
    """g² = σ²/t is the usual reason for a divergence at 0: then g² t settles there."""
    i = case.implied
    level = (i.value(i.g2, i.times[:2]) * i.times[:2, None])[:, 0]
    return (
        " (like the known fault rate_over_t, ρ² = σ²/t with σ_0 ≠ 0)"
        if np.isclose(level[0], level[1], rtol=0.05)
        else ""
    )


def _arguments(
    times: Any,
    horizon: float | None,
    d: int,
    x0: Any,
    reading: str,
    initial_std: float | None,
    breaks: Any,
    max_panels: int,
    seed: int,
) -> tuple[np.ndarray, bool, np.ndarray]:
    if reading not in ("literal", "blurred"):
        raise ArgumentError(
            "reading",
            "'literal' or 'blurred'",
            repr(reading),
            "blurred: the data are first blurred by the declared std at t = 0",
        )
    if initial_std is not None and not (np.isfinite(initial_std) and initial_std >= 0):
        raise ArgumentError(
            "initial_std", "finite and >= 0", initial_std, "pass a standard deviation"
        )
    if horizon is not None and not (np.isfinite(horizon) and horizon > 0):
        raise ArgumentError("horizon", "finite and > 0", horizon, "pass the end of time, e.g. 1.0")
    if not (isinstance(max_panels, int) and max_panels > 0):
        raise ArgumentError("max_panels", "an integer > 0", max_panels, "1000 is plenty")
    to_float("breaks", list(breaks))
    if times is None:
        extra = stream(seed, "check_marginals", "times").uniform(0.12, 0.96, EXTRA_TIMES)
        grid = np.unique(np.concatenate([FRACTIONS, extra])) * (horizon or 1.0)
    else:
        grid = np.unique(np.atleast_1d(to_float("times", times)).ravel())
        if grid.size == 0 or grid[0] <= 0:
            raise ArgumentError(
                "times",
                "one or more numbers > 0",
                times,
                "at t = 0 there is nothing to compare: leave it out",
            )
        if horizon is not None and grid[-1] > horizon:
            raise ArgumentError(
                "times", f"<= horizon = {horizon}", float(grid[-1]), "raise the horizon"
            )
    if x0 is None:
        if not (isinstance(d, int) and d > 0):
            raise ArgumentError("d", "an integer > 0", d, "the dimension of x")
        rows = stream(seed, "check_marginals", "x0").uniform(0.5, 2.0, (5, d)) * stream(
            seed, "check_marginals", "signs"
        ).choice([-1.0, 1.0], (5, d))
        rows[-1] = DISTANT * np.sign(rows[-1])
    else:
        rows = to_float("x0", x0, shape=(None, None))
        if rows.size == 0 or not np.any(rows):
            raise ArgumentError(
                "x0",
                "rows of which some are not zero",
                f"shape {rows.shape}",
                "at x0 = 0 the mean says nothing",
            )
    return grid, times is not None, rows


@dataclass(eq=False)
class _Declared:
    """The user's marginal at the times: ``mean`` and ``std`` ``(m, n, d)``."""

    law: Guarded
    rows: np.ndarray
    probe: Probe
    notes: tuple[str, ...] = ()

    def _at(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        return declared(
            self.law, self.rows, t, self.probe.time(t, len(self.rows)), self.probe.batched_time
        )

    def settle(self, t: float) -> None:
        first, second = self._at(t), self._at(t)
        if not all(np.array_equal(p, q) for p, q in zip(first, second, strict=True)):
            raise CallableError(
                "marginal",
                "be deterministic",
                "two calls with the same input differ",
                "return mean and std, not a sample",
            )

    def ask(self, grid: np.ndarray, droppable: bool) -> np.ndarray:
        """Evaluate at all times; the horizon itself may be left out when the times were not the
        user's choice.
        """
        found = []
        for k, t in enumerate(grid.tolist()):
            try:
                found.append(self._at(t))
            except CallableError:
                if not (droppable and k == len(grid) - 1):
                    raise
                self.notes = (f"The marginal is not finite at t = {t:g}; that time was left out.",)
        self.mean, self.std = (np.array(p) for p in zip(*found, strict=True))
        return grid[: len(found)]

    def at_zero(self) -> np.ndarray | None:
        """The standard deviation declared at t = 0 for each coordinate, where there is one."""
        try:
            return np.max(self._at(0.0)[1], axis=0)
        except CallableError:
            return None


@dataclass(eq=False)
class _Case:
    """What was declared and what is implied, ready to be compared."""

    implied: Moments
    said: _Declared
    start: np.ndarray
    at_zero: np.ndarray | None
    eps: float  # of the coefficients
    chosen: bool
    origin: float = 0.0  # added to the quadrature's times

    def law(self, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Implied mean ``(m, n, d)`` and standard deviation ``(m, d)`` when the data are blurred by
        ``start``.
        """
        m = np.exp(self.implied.log_mean)
        return m[:, None, :] * self.said.rows + self.implied.shift[:, None, :], np.sqrt(
            self.implied.variance + m**2 * start**2
        )

    def errors(self, start: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Relative errors of mean and std at each time, and their bounds: arrays ``(m,)``, the
        worst coordinate of each.
        """
        i, own = self.implied, self.said.law.eps
        mean, std = self.law(start)
        m, v = np.exp(i.log_mean), std**2
        t = i.times[:, None] + self.origin
        # each row by its own size, so that a distant one hides nothing (but not below 1/30 of the
        # largest)
        rows = np.abs(self.said.rows)
        size = m[:, None] * np.maximum(rows, np.max(rows, axis=0) / 30) + np.abs(i.shift)[:, None]
        a, g2 = i.value(i.a, i.times), i.value(i.g2, i.times)
        # ∫a: quadrature, the coefficients' rounding, and that of t inside them
        log = i.log_mean_error + self.eps * (OPERATIONS * i.log_size + i.log_sensitivity)
        mean_bound = (log + own * (OPERATIONS + 2 * i.log_size + t * np.abs(a)))[
            :, None
        ] + i.shift_error[:, None] / size
        # μ + (x0 - μ) M and x0 M + μ (1 - M) round numbers of the size of the fixed point μ, which
        # may be far above the mean
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            fixed = np.where(i.shift == 0, 0.0, np.abs(i.shift / np.expm1(i.log_mean)))
        fixed = np.where(np.isfinite(fixed), fixed, 0.0)
        mean_bound = mean_bound + max(own, self.eps) * OPERATIONS * np.minimum(
            (fixed * (1 + m))[:, None] / size, FIXED_POINT
        )
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            quadrature = (
                i.variance_error + self.eps * (OPERATIONS * i.variance + i.sensitivity)
            ) / v + 2 * log
            # what the user's own formula may lose: a dozen operations, t rounded inside it, and a
            # difference of numbers of the size of α² + σ² (1 - exp(-∫β) at small t, σ_t² - σ_0²)
            formula = own * (
                OPERATIONS * (1 + i.log_size)
                + t * np.abs(2 * a + g2 / v)
                + OPERATIONS * (m**2 * (1 + start**2) + v) / v
            )
            std_bound = (quadrature + formula) / 2
            std_error = np.max(np.abs(self.said.std - std[:, None, :]), axis=1) / std
        still = v == 0  # no noise at all: the declared std is the error
        std_error = np.where(still, np.max(np.abs(self.said.std), axis=1), std_error)
        std_bound = np.where(still, 0.0, std_bound)
        mean_error = (np.abs(self.said.mean - mean) / size).reshape(len(i.times), -1)
        mean_bound = mean_bound.reshape(mean_error.shape)
        k = np.arange(len(i.times))
        pick = [
            np.argmax(_ratio(e, b), axis=1)
            for e, b in ((mean_error, mean_bound), (std_error, std_bound))
        ]
        return (
            mean_error[k, pick[0]],
            mean_bound[k, pick[0]],
            std_error[k, pick[1]],
            std_bound[k, pick[1]],
        )


def _ratio(error: np.ndarray, bound: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, 0.0, error / bound)


def _judge(case: _Case, cost: dict[str, int]) -> Evidence:
    times, settled = case.implied.times + case.origin, case.implied.converged
    notes = case.said.notes
    if not settled.all():
        failed = (
            "the quadrature of drift and diffusion did not converge at t ="
            f" {times[~settled][0]:.3g}"
        )
        if not settled.any() or (case.chosen and bool(np.all(_fits(case, case.start)[settled]))):
            return Evidence.undecided(
                "float",
                f"{failed}: they are singular, jump too often (name jumps in breaks=) or lost their"
                " digits",
                cost=cost,
            )
        where = ", ".join(f"{t:.3g}" for t in times[~settled])
        notes = (
            *notes,
            (
                f"Left out: t = {where}, where drift and diffusion are singular, jump too often or"
                " lost their digits."
            ),
        )
    mean_error, mean_bound, std_error, std_bound = case.errors(case.start)
    ratios = np.stack(
        [
            np.where(settled, _ratio(e, b), -1.0)
            for e, b in ((mean_error, mean_bound), (std_error, std_bound))
        ]
    )
    which, k = np.unravel_index(int(np.argmax(ratios)), ratios.shape)
    value, bound = (
        float((mean_error, std_error)[which][k]),
        float((mean_bound, std_bound)[which][k]),
    )
    _, std = case.law(case.start)
    curves = {
        "implied": (times.tolist(), std[:, 0].tolist()),
        "declared": (times.tolist(), case.said.std[:, 0, 0].tolist()),
    }
    more: dict[str, Any] = {"cost": cost, "curves": curves, "labels": ("t", "standard deviation")}
    if ratios[which, k] <= 1:
        blur = (
            f"with the data first blurred by {_short(case.start)}"
            if np.any(case.start)
            else "started at x0"
        )
        span = f"{int(settled.sum())} times from {times[0]:.3g} to {times[settled][-1]:.3g}"
        sentence = (
            f"drift and diffusion imply the declared mean and standard deviation at {span} ({blur})"
        )
        return Evidence.measured(
            value, bound, sentence, notes=(*notes, *_lost_digits(case, std_error, settled)), **more
        )
    sentence = _sentence(case, int(which), int(k))
    return Evidence.measured(
        value,
        bound,
        sentence,
        diagnosis=(found := _diagnosis(case, settled)),
        notes=(*notes, *_remarks(case, found, settled)),
        **more,
    )


def _fits(case: _Case, start: np.ndarray) -> np.ndarray:
    """At which times mean and std are within their bounds."""
    mean_error, mean_bound, std_error, std_bound = case.errors(start)
    return (mean_error <= mean_bound) & (std_error <= std_bound)


def _short(start: np.ndarray) -> str:
    return (
        f"{start[0]:.3g}"
        if np.all(start == start[0])
        else "[" + ", ".join(f"{s:.3g}" for s in start) + "]"
    )


def _sentence(case: _Case, which: int, k: int) -> str:
    t = case.implied.times[k] + case.origin
    mean, std = case.law(case.start)
    if which == 0:
        gap = np.abs(case.said.mean[k] - mean[k])
        r, c = np.unravel_index(int(np.argmax(gap)), gap.shape)
        implied, says = _apart(float(mean[k, r, c]), float(case.said.mean[k, r, c]))
        return (
            f"your drift implies the mean {implied} at t={t:.3g} from x0 ="
            f" {case.said.rows[r, c]:.3g}, your marginal says {says}"
        )
    gap = np.abs(case.said.std[k] - std[k])
    r, c = np.unravel_index(int(np.argmax(gap)), gap.shape)
    found, right = float(case.said.std[k, r, c]), float(std[k, c])
    if found < 0:
        return (
            f"your marginal returns the negative standard deviation {found:.4g} at t={t:.3g}; your"
            f" drift and diffusion imply {right:.4g}"
        )
    blur = f" (the data being blurred by {_short(case.start)} first)" if np.any(case.start) else ""
    blur = f" (started at t={case.origin:.3g} from what is declared there)" if case.origin else blur
    implied, says = _apart(right**2, found**2)
    ratio = f": ratio {_apart(found**2 / right**2, 1.0)[0]}" if right > 0 else ""
    return (
        f"your drift and diffusion imply variance {implied} at t={t:.3g}{blur}, your marginal says"
        f" {says}{ratio}"
    )


def _apart(one: float, other: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ."""
    gap = abs(one - other) / max(abs(one), abs(other), 1e-300)
    digits = 3 if gap > 0.01 else min(17, 3 - int(np.floor(np.log10(max(gap, 1e-17)))))
    return f"{one:.{digits}g}", f"{other:.{digits}g}"


def _diagnosis(case: _Case, settled: np.ndarray) -> Diagnosis:
    """The known mistake (or pair) that explains mean and std at all times; the worst coordinate is
    looked at.
    """
    mean, std = case.law(case.start)
    gaps = (np.abs(case.said.std - std[:, None, :]) / np.maximum(std, 1e-300)[:, None, :])[settled]
    c = int(np.argmax(np.max(gaps, axis=(0, 1))))
    row = int(np.argmax(np.abs(case.said.rows[:, c])))
    context = Context(case.implied, c)
    factor = (case.said.mean[:, row, c] - case.implied.shift[:, c]) / case.said.rows[row, c]
    said = case.said.std[:, row, c]

    def flat(pair: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        # relative to the larger of right and said, so that no time outweighs the others
        m, s = (
            np.maximum(context.M, np.abs(factor)),
            np.maximum(np.maximum(np.sqrt(context.V), np.abs(said)), 1e-300),
        )
        return np.concatenate([(pair[0] / m)[settled], (pair[1] / s)[settled]])

    truth, measured = flat((context.M, std[:, c])), flat((factor, said))
    resolution = max(1e-6, 1e3 * case.eps, 1e3 * case.said.law.eps)
    found: Diagnosis | None = None
    guesses: dict[str, np.ndarray] = {}
    for pairs in (False, True):
        guesses.update(
            {
                name: flat(value)
                for name, value in candidates(context, factor, said, pairs=pairs).items()
            }
        )
        # where a mistake is none (a mean factor that is 1 anyway) it explains nothing
        guesses = {
            n: g
            for n, g in guesses.items()
            if not np.linalg.norm(g - truth) <= 1e-9 * np.linalg.norm(truth)
        }
        found = diagnose(measured, truth, guesses, resolution=resolution)
        if found.names and found.misfit <= 1e3 * resolution:
            break
    assert found is not None
    # within a class, the mistake most often made comes first
    order = tuple(
        sorted(found.names, key=lambda n: (n not in LIKELY, LIKELY.index(n) if n in LIKELY else 0))
    )
    return replace(
        found,
        names=order,
        sentence=found.sentence.replace(", ".join(found.names), ", ".join(order)),
    )


def _remarks(case: _Case, found: Diagnosis, settled: np.ndarray) -> tuple[str, ...]:
    """What the mistake means, and the reading under which there is none."""
    notes = []
    if found.names:
        notes.append(f"({found.names[0]}: {reason(found.names[0])}.)")
    own = case.at_zero
    if (
        own is not None
        and np.any(own > 0)
        and not np.array_equal(own, case.start)
        and bool(np.all(_fits(case, own)[settled]))
    ):
        error = float(np.max(case.errors(own)[2][settled]))
        read = (
            f"the data were blurred by {_short(case.start)} first"
            if np.any(case.start)
            else "this is the literal reading (the SDE started at x0)"
        )
        notes.append(
            f"{read[0].upper()}{read[1:]}; with the data first blurred by a standard deviation of"
            f" {_short(own)}, which is what your marginal declares "
            f'at t=0, it is right to {error:.1g}: if that is meant, pass reading="blurred".'
        )
    elif np.any(case.start) and bool(np.all(_fits(case, 0 * case.start)[settled])):
        notes.append('It is right for the SDE started at x0 itself: pass reading="literal".')
    return tuple(notes)


def _lost_digits(case: _Case, std_error: np.ndarray, settled: np.ndarray) -> tuple[str, ...]:
    """A marginal that loses digits to cancellation at small times holds, with a remark."""
    lost = np.where(settled, std_error, 0.0)
    k = int(np.argmax(lost))
    if lost[k] <= 1e5 * case.said.law.eps:
        return ()
    where = (
        f"At t = {case.implied.times[k]:.3g} the declared standard deviation is off by"
        f" {lost[k]:.1g} (relative)"
    )
    return (f"{where}: a difference such as 1 - exp(-x) loses digits, expm1 does not.",)
