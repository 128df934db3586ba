"""Mistakes in one step, or one term, of a sampler or a reverse sampler, each told in its words."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.diagnosis import Diagnosis
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import EDM, VE, FlowMatching, VPLinear
from scoreproof.public.reverse_sampler.arguments import Request as Reverse
from scoreproof.public.reverse_sampler.arguments import validate as reverse_job
from scoreproof.public.reverse_sampler.explaining import step_slip
from scoreproof.public.reverse_sampler.targets import mixture
from scoreproof.public.sampler.arguments import Request, validate
from scoreproof.public.sampler.causes import likely
from scoreproof.public.sampler.causes.explain import cause_of
from scoreproof.public.sampler.causes.formulas import formulas
from scoreproof.public.sampler.runs import Runs
from scoreproof.public.sampler.verdict import _judged

VP = VPLinear(0.3, 4.3)
GROWS = VE(0.1, 5.0)
FLOW = FlowMatching()
FEW = (0.15, 0.4, 0.6, 0.85)
TIMES = np.linspace(0.9, 0.1, 10)

# -- check_sampler ---------------------------------------------------------------------------------


@contextmanager
def looking_through(among, kind):
    """Of all formulas, a second's work, the first of that name."""

    def few(*arguments):
        return [f for f in formulas(*arguments) if f.name == among and f.kind == kind][:1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(likely, "formulas", few)
        yield


def told(sampler, process, prediction, times, among):
    """The cause that the check would say, without asking whether the sampler is wrong."""
    job = validate(Request(sampler, process, None, prediction, None, times, 2, None, False))
    with looking_through(among, job.form.prediction):
        Runs(job).first()
        found = cause_of(job, float(np.finfo(float).eps), lambda j: _judged(j)[0])
    return "" if found is None else found.sentence


def pairs(values):
    return list(zip(values[:-1], values[1:], strict=True))


def drifting(score, noise):
    """Euler's method on a straight path with noise; ``score``: of x, v, α and σ."""

    def sample(model, x, times, rng):
        for t, n in pairs(times):
            v, w = model(x, t), noise(t, t - n)
            x = x + (n - t) * v + w**2 / 2 * score(x, v, 1 - t, t)
            x = x + w * rng.standard_normal(x.shape)
        return x

    return sample


SCORES = {
    "formed as -(x + σ v)/σ (σ for α in front of v)": lambda x, v, a, s: -(x + s * v) / s,
    "formed as -(x + α v)/α (α for σ under the line)": lambda x, v, a, s: -(x + a * v) / a,
    "formed as -(x + α v), which is -ε (not divided by σ)": lambda x, v, a, s: -(x + a * v),
    "formed as -(x + α v)/σ² (σ² for σ)": lambda x, v, a, s: -(x + a * v) / s**2,
    "formed as -v (v for the score)": lambda x, v, a, s: -v,
    "formed as v (v for the score)": lambda x, v, a, s: v,
}


@pytest.mark.parametrize("words", SCORES)
def test_a_score_that_is_formed_otherwise(words):
    sampler = drifting(SCORES[words], lambda s, h: 0.4 * h**0.5)
    text = told(sampler, FLOW, "flow", TIMES, "Euler's method")
    assert words in text, text


NOISES = {
    "w = √(σ_t·dt),": lambda s, h: (s * h) ** 0.5,
    "w = √(σ_t/α_t)·√dt,": lambda s, h: (s / (1 - s) * h) ** 0.5,
    "w = √(σ_next·dt),": lambda s, h: ((s - h) * h) ** 0.5,
    "w = 1.41421 = √2·√(σ_t·dt),": lambda s, h: (2 * s * h) ** 0.5,
}


@pytest.mark.parametrize("words", NOISES)
def test_the_size_of_the_noise_and_a_drift_of_the_wrong_sign(words):
    sampler = drifting(lambda x, v, a, s: (x + a * v) / s, NOISES[words])
    text = told(sampler, FLOW, "flow", TIMES, "Euler's method")
    assert words in text and "belongs to the noise is of the wrong sign: for noise w" in text, text


def euler(tell):
    def sample(model, x, sigmas):
        for s, n in pairs(sigmas):
            x = x + (n - s) * (x - model(x, tell(s))) / s
        return x

    return sample


TOLD = {
    "the model is told t rounded to a whole number": np.round,
    "the model is told t without what comes after its point (an integer)": np.floor,
}


@pytest.mark.parametrize("words", TOLD)
def test_a_time_without_its_fraction(words):
    text = told(euler(TOLD[words]), None, None, np.geomspace(20, 1.7, 14), "Euler's method")
    assert words in text, text


def test_the_two_ends_of_a_step_exchanged():
    bar = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))

    def sample(model, x, times):
        for t, n in pairs([int(t) for t in times]):
            a, b = bar[n], bar[t]
            out = model(x, t)
            x = b**0.5 * (x - (1 - a) ** 0.5 * out) / a**0.5 + (1 - b) ** 0.5 * out
        return x

    table = DiscreteVP(np.linspace(1e-4, 0.02, 1000))
    text = told(sample, table, "eps", np.arange(900, 500, -50), "DDIM")
    assert "ends of the step are exchanged (α, σ of t_next for those of t, and the reverse)" in text


def test_adams_bashforth_on_a_straight_path():
    def sample(model, x, times):
        old = None
        for t, n in pairs(times):
            out = model(x, t)
            used = out if old is None else 1.5 * out + 0.5 * old
            x, old = x + (n - t) * used, out
        return x

    text = told(sample, FLOW, "flow", TIMES, "Adams–Bashforth of order 2")
    assert (
        "the steps are those of Adams–Bashforth of order 2, except that it has - w_2·prev_1" in text
    ), text


def kutta(scale=lambda k: 1.0):
    """A method of third order that is not known here."""

    def sample(model, x, times):
        for k, (t, n) in enumerate(pairs(times)):
            h, k1 = n - t, model(x, t)
            k2 = model(x + h / 2 * k1, t + h / 2)
            x = x + h / 6 * (k1 + 4 * k2 + model(x - h * k1 + 2 * h * k2, n)) / scale(k)
        return x

    return sample


def test_questions_where_no_cause_is_found():
    more = {"times": TIMES, "shape": 1, "prediction": "velocity"}
    with np.errstate(all="ignore"):
        text = sp.check_sampler(kutta(lambda k: np.float64(k < 4)), VP, **more).explain()
    assert "divided by the gap of two times that are the same, or by σ = 0, or is a root" in text
    evidence = sp.check_sampler(kutta(), VP, exact=True, **more)
    text = evidence.explain()
    assert "Is its variance the posterior's, and is the model told the level that x is at?" in text
    assert evidence.labels == ("σ/α", "deviation of mean and std (in std), data at one point")


def test_a_variance_of_the_table():
    bar = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))

    def sample(model, x, times, rng):
        for t, n in pairs([int(t) for t in times]):
            a, b, out = bar[t], bar[n], model(x, t)
            x0 = (x - (1 - a) ** 0.5 * out) / a**0.5
            r = a / b
            mean = b**0.5 * (1 - r) / (1 - a) * x0 + r**0.5 * (1 - b) / (1 - a) * x
            var = (1 - a / bar[t - 1]) * (1 - bar[t - 1]) / (1 - a)
            x = mean + var**0.5 * rng.standard_normal(x.shape)
        return x

    table = DiscreteVP(np.linspace(1e-4, 0.02, 1000))
    text = told(sample, table, "eps", np.arange(900, 500, -40), "DDPM")
    assert "those of DDPM, except that it has √var of the table·z where √var·z is due" in text, text


# -- check_reverse_sampler -------------------------------------------------------------------------


def refuted(sampler, process, said, **more):
    evidence = sp.check_reverse_sampler(sampler, process, at=FEW, **more)
    assert evidence.verdict == "refuted" and said in evidence.explain(), evidence.explain()
    return evidence


def sde(process, of_score, of_g):
    """Drift and noise, with another score or another g throughout."""

    def sampler(x, t, model, lam):
        g = of_g(t)
        drift = process.drift(x, t) - (1 - lam / 2) * g**2 * of_score(model, x, t)
        return drift, (1 - lam) ** 0.5 * g

    return sampler


LOG = np.log(50.0)
OTHERS = {
    "g is σ 2 L, the root is missing, where σ √(2 L) is due": (
        GROWS,
        lambda t: GROWS.sigma(t) * 2 * LOG,
    ),
    "g is 2 σ √L, with the 2 outside the root, where": (
        GROWS,
        lambda t: GROWS.sigma(t) * 2 * LOG**0.5,
    ),
    "g is taken for σ(t), where g is due": (VP, VP.sigma),
    "g is taken for σ(t), where √(dσ²/dt) is due": (EDM(), EDM().sigma),
}


@pytest.mark.parametrize("words", OTHERS)
def test_another_g(words):
    process, of_g = OTHERS[words]
    sampler = sde(process, lambda model, x, t: model(x, t), of_g)
    evidence = refuted(sampler, process, words, lambdas=(0.3,), form="sde")
    assert evidence.labels == ("t", "relative error of the velocity")


ANSWERS = {
    "it is right if the model's answer is negated: the sign of the model, or": -1,
    "is multiplied by -2: it enters -0.5 times": -0.5,
    "is multiplied by 2: it enters 0.5 times": 0.5,
}


@pytest.mark.parametrize("words", ANSWERS)
def test_the_model_s_answer(words):
    def score(model, x, t):
        q = t**2 + 0.25
        return (0.25 / q * x + ANSWERS[words] * 0.5 * t / q**0.5 * model(x, t) - x) / t**2

    sampler, more = sde(EDM(), score, EDM().diffusion), {"prediction": "F", "form": "sde"}
    text = sp.check_reverse_sampler(sampler, EDM(), (0.3,), at=(2.0, 5.0, 10.0), **more).explain()
    assert words in text, text


def test_a_formula_of_a_drift_in_the_other_clock():
    def sampler(x, t, model, lam):
        g = VP.diffusion(t)
        return g**2 / 2 * model(x, t) - VP.drift(x, t), (1 - lam) ** 0.5 * g

    words = " (in the clock t; in the one declared, s, every drift has the opposite sign)"
    refuted(sampler, VP, words, lambdas=(0.3,), form="sde", clock="s")


def test_the_coefficients_of_x_and_of_x_0():
    def sampler(x, t, model, lam):
        w, a, s = (1 - lam / 2) * VP.diffusion(t) ** 2, VP.alpha(t), VP.sigma(t)
        drift = 2 * (VP.drift(x, t) + w * x / s**2) - 3 * w * a * model(x, t) / s**2
        return drift, (1 - lam) ** 0.5 * VP.diffusion(t)

    words = "the coefficient of x in the drift is multiplied by 2, the coefficient of x_0"
    refuted(sampler, VP, words, lambdas=(0.3,), form="sde", prediction="x0")


def test_a_drift_that_shrinks_as_a_root():
    def sampler(x, t, t_next, z, score, lam):
        h = t - t_next
        return x - h**0.5 * np.maximum(x - 1, 0) + (h * (1 - lam)) ** 0.5 * z

    said = "x_next - x, without noise, shrinks as √h where h = t - t_next is due"
    text = sp.check_reverse_sampler(sampler, VP, (0.2,), at=FEW).explain()
    assert said in text, text


def formula(made, process=VP):
    """A step of ε with λ = 0 as A x + B ε + C z, of the levels at both ends and q = e^-h."""

    def sampler(x, t, t_next, z, eps):
        a, s, b, u = (
            process.alpha(t),
            process.sigma(t),
            process.alpha(t_next),
            process.sigma(t_next),
        )
        of_x, of_eps, of_z = made(a, s, b, u, a * u / (s * b))
        return of_x * x + of_eps * eps(x, t) + of_z * z

    return sampler


def in_x0(of_x=lambda u, s, q: u / s * q, of_z=lambda u, q: u * (1 - q**2) ** 0.5):
    def made(a, s, b, u, q):
        k0 = b * (1 - q**2)
        return k0 / a + of_x(u, s, q), -k0 * s / a, of_z(u, q)

    return made


def in_eps(of_eps=lambda u, q: 2 * u * (1 / q - 1), of_z=lambda u, q: u * (q**-2 - 1) ** 0.5):
    return lambda a, s, b, u, q: (b / a, -of_eps(u, q), of_z(u, q))


STEPS = {
    "σ_next/σ_t (that of the ODE; with noise e^-h belongs to it)": (
        in_x0(of_x=lambda u, s, q: u / s)
    ),
    "σ_next (1 - e^-2h) (the root is missing)": in_x0(of_z=lambda u, q: u * (1 - q**2)),
    "√(1 - e^-2h) (σ_next is left out)": in_x0(of_z=lambda u, q: (1 - q**2) ** 0.5),
    "2 (e^h - 1) (σ_next is left out)": in_eps(lambda u, q: 2 * (1 / q - 1)),
    "σ_next (e^2h - 1) (the root is missing)": in_eps(of_z=lambda u, q: u * (q**-2 - 1)),
    "√(e^2h - 1) (σ_next is left out)": in_eps(of_z=lambda u, q: (q**-2 - 1) ** 0.5),
}


@pytest.mark.parametrize("words", STEPS)
def test_the_steps_of_a_solver_in_h(words):
    more = {"lambdas": (0.0,), "prediction": "eps", "form": "step"}
    evidence = refuted(formula(STEPS[words]), VP, f"{words} stands where", **more)
    assert evidence.labels == ("steps", "relative error of the final law")


NOISES_OF_ANOTHER = {
    "σ_next √(e^2h - 1) (that of the step in ε)": in_x0(of_z=lambda u, q: u * (q**-2 - 1) ** 0.5),
    "σ_next √(1 - e^-2h) (that of the step in x_0)": (
        in_eps(of_z=lambda u, q: u * (1 - q**2) ** 0.5)
    ),
}


@pytest.mark.parametrize("words", NOISES_OF_ANOTHER)
def test_a_noise_that_is_as_right_in_the_limit(words):
    """The check holds, as it should; the room that reads off long steps tells them apart."""
    sampler = formula(NOISES_OF_ANOTHER[words])
    assert sp.check_reverse_sampler(sampler, VP, (0.0,), at=FEW, prediction="eps", dimension=1)
    given = (sampler, VP, (0.0,), "step", "eps", "lambda", "t", None, FEW, None, 1, None)
    job = reverse_job(Reverse(*given, "numpy", None, 0))
    found = step_slip(job, mixture(VP, 1, job.horizon))
    assert found is not None
    said = Diagnosis.cause(found.name, f"Cause: {found.text}.").sentence
    assert f"{words} stands where" in said, said


def test_a_variance_of_one_step_for_the_cumulative_one():
    def made(a, s, b, u, q):
        beta = s**2 - (a / b) ** 2 * u**2
        return b / a, -b / a * beta**0.5, u / s * beta**0.5

    words = "√β (of the one step, where σ_t is cumulative) stands where σ_t is due"
    more = {"lambdas": (0.0,), "prediction": "eps", "form": "step"}
    refuted(formula(made, FLOW), FLOW, words, **more)
