"""Real schedules: drift and diffusion against the declared marginal, two opaque callables that only
meet here.

Conventions: as in `statement`. In the coordinate X/α every schedule is variance exploding, with σ/α
for σ and g/α for ρ. *Literal*: the
SDE starts at X_0 itself. *Blurred*: the data are first blurred by the declared σ(0).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from scoreproof.claims.variance_exploding.statement import Sigma
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.affine_moments import Moments, moments
from scoreproof.numerics.complex_step import directional
from scoreproof.objects.schedules import SCHEDULES, Schedule

__all__ = ["schedules"]

EPS = float(np.finfo(float).eps)
LABELS = ("t", "declared variance / implied")
FRACTIONS = (1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99)
#: Where the finding about the geometric schedule is quoted.
QUOTED = (1e-5, 1e-3, 0.1)


@dataclass(frozen=True, eq=False)
class Practice:
    """One schedule: the moments that (f, g) imply, from the two callables alone, and the level σ/α
    that its marginal declares.
    """

    name: str
    schedule: Schedule
    implied: Moments
    variance: np.ndarray  # of X/α, implied
    accuracy: np.ndarray  # its relative accuracy

    def level(self, t: Any) -> Any:
        mean, std = self.schedule.marginal(1.0, t)
        return std / mean

    def sigma(self, t: np.ndarray) -> Sigma:
        mirror = self.schedule.horizon - t
        one = np.ones_like(t)
        slope, mirror_slope = (directional(self.level, u, one) for u in (t, mirror))
        return Sigma(
            self.level(t),
            slope,
            self.level(0.0),
            self.level(self.schedule.horizon),
            self.level(mirror),
            mirror_slope,
            t,
        )


def _practice(name: str, rng: Any) -> Practice:
    schedule = SCHEDULES[name]

    def coefficients(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        a = [schedule.drift(np.ones(1), u) for u in t.tolist()]
        g = np.array([float(schedule.diffusion(u)) for u in t.tolist()])[:, None]
        return np.array(a), np.zeros_like(g), g * g

    m = moments(coefficients, np.array(FRACTIONS) * schedule.horizon, eps=EPS)
    # quadrature, the rounding of times inside the coefficients, and that of the exponential of ∫a
    log = m.log_mean_error + EPS * (1 + m.log_size + m.log_sensitivity)
    accuracy = (m.variance_error + EPS * (m.variance + m.sensitivity)) / m.variance + 2 * log
    return Practice(name, schedule, m, (m.variance * np.exp(-2 * m.log_mean))[:, 0], accuracy[:, 0])


def _instances(profile: str) -> tuple[Instance, ...]:
    names = {"faults": ("VE geometric", "EDM"), "quick": ("VE geometric", "VP linear", "EDM")}.get(
        profile, tuple(SCHEDULES)
    )
    return tuple(Instance(name, partial(_practice, name)) for name in names)


@check(kind="float", instances=_instances, probes=("spread", "root", "rate"), real_input=True)
def schedules(subject: Any, practice: Practice, rng: Any) -> Evidence:
    """Real input: the schedules that practitioners write (VE, VP linear and cosine, sub-VP, EDM,
    straight paths), as (f, g) and as the declared marginal. The variance that (f, g) imply comes
    from quadrature of f and g alone; X/α must be variance exploding with σ/α. Where the declared
    σ(0) is not 0, both readings are measured: started at X_0, and with the data blurred by σ(0).
    """
    times, variance = practice.implied.times, practice.variance
    y = np.full(len(times), 0.7)
    sigma = practice.sigma(times)
    law = subject(y, sigma)
    nodes = practice.implied.nodes
    with np.errstate(all="ignore"):
        rates = np.broadcast_to(subject(0.7, practice.sigma(nodes)).rate, nodes.shape)
        of_rate = practice.implied.integral(np.ascontiguousarray(rates)[:, :, None], times)[:, 0]
    # σ_t² - σ_0² cancels; σ/α moves by t·σ'/σ when t is rounded; six roundings on the way
    rounding = (
        6
        * EPS
        * (sigma.now**2 + sigma.start**2)
        / variance
        * (1 + times * np.abs(sigma.slope) / sigma.now)
    )
    bound = practice.accuracy + rounding
    found = {
        "the variance of the kernel's exponent": (np.abs(law.spread / variance - 1), bound),
        "the variance of the normaliser": (np.abs(law.root / variance - 1), bound),
        "∫ρ²": (np.abs(of_rate / variance - 1), bound),
        "the mean": (np.abs(law.mean / 0.7 - 1), np.full(len(times), 4 * EPS)),
    }
    literal = sigma.now**2 / variance
    blurred = np.abs(sigma.now**2 / (variance + sigma.start**2) - 1)
    found["the blurred reading"] = (blurred, bound)
    if practice.name == "VE geometric":
        # σ_min = 0.01, σ_max = 50: declared over implied variance in closed form, σ_t²/(σ_t² -
        # σ_min²)
        stated = -1 / np.expm1(-2 * np.log(5000.0) * times)
        found["the literal reading's ratio"] = (np.abs(literal / stated - 1), bound)
    worst = max(found, key=lambda name: float(np.max(found[name][0] / found[name][1])))
    error, allowed = found[worst]
    k = int(np.argmax(error / allowed))
    sentence = (
        f"{practice.name}: what (f, g) imply against the declared marginal at {len(times)} times,"
        f" worst in {worst}{_reading(practice, literal, blurred)}"
    )
    curves = {
        "literal": (times.tolist(), literal.tolist()),
        "blurred": (times.tolist(), (1 + blurred).tolist()),
    }
    return Evidence.measured(
        error[k],
        allowed[k],
        sentence,
        cost={"panels": practice.implied.panels},
        curves=curves,
        labels=LABELS,
    )


def _reading(practice: Practice, literal: np.ndarray, blurred: np.ndarray) -> str:
    """The finding, where the declared σ(0) is not 0."""
    start = float(practice.level(0.0))
    if start == 0:
        return ""
    ratios = ", ".join(
        f"{r:.3g} at t = {t:g}"
        for t, r in zip(practice.implied.times, literal, strict=True)
        if t in QUOTED
    )
    return (
        f"; its σ(t)² is the variance of data that were first blurred by σ(0) = {start:g} (a jump"
        f" of σ at 0⁺), and as that it is right to {np.max(blurred):.0e}: a convention of the"
        " class, not an error. An SDE that starts at X_0 itself has σ(t)² - σ(0)² instead, for"
        f" which σ(t)² would be too large by the factor {ratios}"
    )
