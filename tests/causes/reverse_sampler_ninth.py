"""Wrong reverse-time samplers: steps in x_0 and ε as solvers write them, and the declared clock."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_reverse_sampler
from scoreproof.objects.schedules import SubVP, VPLinear

VP, SUB = VPLinear(0.2, 12.0), SubVP(0.2, 12.0)


def judged(step, prediction) -> Evidence:
    def levels(x, t, t_next, z, model):
        a, s, b, u = (float(f(w)) for w in (t, t_next) for f in (VP.alpha, VP.sigma))
        h = np.log(b / u) - np.log(a / s)
        return step(x, (a, s, b, u, h), model(x, t), z)

    return check_reverse_sampler(levels, VP, lambdas=(0.0,), prediction=prediction, dimension=2)


@wrong("x_0's coefficient is the ODE's", says=r"α_next \(1 - e\^-h\).*α_next \(1 - e\^-2h\) is due")
def solver_of_the_ode():
    def step(x, level, x0, z):
        _, s, b, u, h = level
        noise = u * np.sqrt(-np.expm1(-2 * h)) * z
        return u / s * np.exp(-h) * x - b * np.expm1(-h) * x0 + noise

    return judged(step, "x0")


@wrong("ε's coefficient is the ODE's", says=r"σ_next \(e\^h - 1\) .*2 σ_next \(e\^h - 1\) is due")
def solver_without_its_two():
    def step(x, level, eps, z):
        a, _, b, u, h = level
        return b / a * x - u * np.expm1(h) * eps + u * np.sqrt(np.expm1(2 * h)) * z

    return judged(step, "eps")


@wrong("√β_t for √(1 - ᾱ_t) below β_t", says=r"that of the one step.*stands where σ_t is due")
def root_of_one_step():
    def step(x, level, eps, z):
        a, s, b, u, _ = level
        beta = 1 - (a / b) ** 2
        return b / a * (x - np.sqrt(beta) * eps) + u / s * np.sqrt(beta) * z

    return judged(step, "eps")


@wrong(
    "the drift of clock t, where s is declared", says=r"-f \+ .* is due in the clock declared, s"
)
def drift_of_the_other_clock():
    def pair(x, t, score, lam):
        g = VP.diffusion(t)
        return VP.drift(x, t) - (1 - lam / 2) * g**2 * score(x, t), np.sqrt(1 - lam) * g

    return check_reverse_sampler(pair, VP, lambdas=(0.0, 1.0), clock="s", dimension=2)


@wrong("a sub-VP's ε divided by the VP σ", says=r"ε is divided by √σ")
def std_of_the_root():
    def pair(x, t, eps, lam):
        g, std = SUB.diffusion(t), float(SUB.sigma(t))
        score = -eps(x, t) / np.sqrt(std)
        return SUB.drift(x, t) - (1 - lam / 2) * g**2 * score, np.sqrt(1 - lam) * g

    return check_reverse_sampler(
        pair, SUB, lambdas=(0.0, 1.0), prediction="eps", form="sde", dimension=2
    )
