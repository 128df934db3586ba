"""How the cause of a wrong sampler is found: coefficients, formulas, mistakes, other models."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import FlowMatching, VPLinear
from scoreproof.public.sampler.arguments import Request, validate
from scoreproof.public.sampler.causes import language
from scoreproof.public.sampler.causes.confusions import OTHERS, VECTORS
from scoreproof.public.sampler.causes.explain import earlier, read
from scoreproof.public.sampler.causes.formulas import formulas
from scoreproof.public.sampler.causes.mistakes import factors, mistakes
from scoreproof.public.sampler.causes.steps import steps_of
from scoreproof.public.sampler.causes.tableau import measured
from scoreproof.public.sampler.runs import Runs

VP = VPLinear(0.1, 12.0)
TABLE = DiscreteVP(np.linspace(1e-4, 0.02, 1000))
STEPS = np.arange(980, 0, -40)
check = sp.check_sampler


def pairs(values):
    return list(zip(values[:-1], values[1:], strict=True))


def job_of(sampler, process=None, prediction=None, times=None):
    given = Request(sampler, process, None, prediction, None, times, 2, None, False)
    return validate(given)


def found(job):
    """What is read off, with what is said of it."""
    Runs(job).first()
    table = measured(job, job.steps)
    steps = steps_of(table)
    told = read(job, table, steps, float(np.finfo(float).eps), earlier(job, steps))
    return table, steps, [(name, text) for name, text in told if text]


# -- formulas --------------------------------------------------------------------------------------


def test_formulas_are_evaluated_and_printed():
    program = language.parsed("v = sqrt(1 - abar_t)\ny = v * x - x / 2")
    values = language.evaluated(program, {"abar_t": 0.75, "x": np.array([2.0])})
    assert np.allclose(values["y"], 0.0)
    assert language.shown(program[1][1]) == "v·x - x/2"


def test_every_mistake_changes_one_statement():
    every = [f for shape in ("VP", "VE", "flow") for f in formulas(shape, 1, shape == "VP")]
    assert len({f.name for f in every}) > 8
    for formula in every:
        for m in mistakes(formula.program, OTHERS, VECTORS):
            assert m.tree != formula.program[m.statement][1]
        assert all(m.was != m.now for m in factors(formula.program))


# -- steps -----------------------------------------------------------------------------------------


def euler(model, x, sigmas, factor=lambda k: 1.0):
    for k, (s, n) in enumerate(pairs(sigmas)):
        x = x + factor(k) * (n - s) * (x - model(x, s)) / s
    return x


def heun(model, x, sigmas):
    for s, n in pairs(sigmas):
        d = (x - model(x, s)) / s
        y = x + (n - s) * d
        x = y if n == 0 else x + (n - s) * (d + (y - model(y, n)) / n) / 2
    return x


def ancestral(model, x, sigmas, rng, noise=lambda k: 1.0, eta=0.6):
    for k, (s, n) in enumerate(pairs(sigmas)):
        up = eta * (n**2 * (s**2 - n**2) / s**2) ** 0.5
        x = x + ((n**2 - up**2) ** 0.5 - s) * (x - model(x, s)) / s
        x = x + noise(k) * up * rng.standard_normal(x.shape)
    return x


def two_m(model, x, sigmas):
    old = last = None
    for s, n in pairs(sigmas):
        out, h = model(x, s), np.log(s / n) if n > 0 else np.inf
        d = out if old is None or n == 0 else out + h / last / 2 * (out - old)
        x = n / s * x - np.expm1(-h) * d
        old, last = out, h
    return x


def ddim(x, t, n, z, model, eta=0.5):
    a, b = TABLE.alpha(t) ** 2, TABLE.alpha(n) ** 2
    eps, std = model(x, t), eta * ((1 - b) / (1 - a) * (1 - a / b)) ** 0.5
    x0 = (x - (1 - a) ** 0.5 * eps) / a**0.5
    return b**0.5 * x0 + (1 - b - std**2) ** 0.5 * eps + std * z


def maruyama(x, t, n, z, model):
    h, g2 = t - n, VP.diffusion(t) ** 2
    return x - h * (VP.drift(x, t) - g2 * model(x, t)) + (g2 * h) ** 0.5 * z


def straight(model, x, times):
    for t, n in pairs(times):
        x = x + (n - t) * model(x, t)
    return x


RIGHT = {
    "Euler's method": (euler, {}),
    "Heun's method": (heun, {}),
    "Euler ancestral (η = 0.6)": (ancestral, {}),
    "DPM-Solver++(2M)": (two_m, {}),
    "DDIM (η = 0.5)": (ddim, {"process": TABLE, "prediction": "eps", "times": STEPS}),
    "Euler–Maruyama": (maruyama, {"process": VP, "times": np.linspace(0.9, 0.1, 20)}),
    "Euler's method ": (
        straight,
        {"process": FlowMatching(), "prediction": "flow", "times": np.linspace(0.9, 0.0, 20)},
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_steps_are_told_by_their_name(name):
    sampler, given = RIGHT[name]
    _, _, told = found(job_of(sampler, **given))
    assert [n for n, _ in told] == ["right"], told
    assert f"those of {name.strip()}" in told[0][1], told


def test_coefficients_are_read_off_exactly():
    table, steps, _ = found(job_of(euler))
    s, n = (np.array([v.sigma for v in side]) for side in (steps.before, steps.after))
    assert np.allclose(steps.coefficients["x_next.x"][:, 0], n / s, atol=1e-13)
    assert np.allclose(steps.coefficients["x_next.c1"][:, 1], 1 - n / s, atol=1e-13)
    assert table.calls == steps.count and not table.draws and steps.stages == 1


# -- what is claimed, and what is not --------------------------------------------------------------


def test_a_factor_that_follows_no_rule_is_placed_and_not_named():
    evidence = check(lambda m, x, s: euler(m, x, s, lambda k: 1 + 0.1 * np.sin(k + 1.0)), shape=2)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ()
    assert "(σ_next - σ_t)·d has the factor" in evidence.explain(), evidence.explain()
    assert "all else is right" in evidence.explain()


def test_a_mistake_from_one_step_on_is_placed():
    def sample(model, x, sigmas, rng):
        return ancestral(model, x, sigmas, rng, lambda k: 2.0 if k > 8 else 1.0)

    evidence = check(sample, shape=2)
    assert "z is doubled in x_next (the factor 2) in the steps from σ = 1.523" in evidence.explain()


def test_two_mistakes_in_mean_and_noise():
    def step(x, t, n, z, model):
        h, g2 = t - n, VP.diffusion(t) ** 2
        return x - h * (VP.drift(x, t) + g2 * model(x, t)) + g2**0.5 * h * z

    text = check(step, VP, times=np.linspace(0.9, 0.1, 25), shape=2).explain()
    assert "(f·x + g²·score)·dt where" in text and "√g²·dt·z where √g²·√dt·z" in text, text


def kutta(model, x, times, sign=1.0):
    """An unknown method: of third order."""
    for t, n in pairs(times):
        h = n - t
        k1 = sign * model(x, t)
        k2 = sign * model(x + h / 2 * k1, t + h / 2)
        x = x + h / 6 * (k1 + 4 * k2 + sign * model(x - h * k1 + 2 * h * k2, n))
    return x


def test_an_unknown_method_is_asked_again_with_another_model():
    given = {"prediction": "flow", "times": np.linspace(0.9, 0.1, 20), "shape": 2}
    evidence = check(lambda m, x, t: kutta(m, x, t, -1.0), FlowMatching(), **given)
    assert "returns minus what it is the sampler keeps the laws" in evidence.explain()
    evidence = check(kutta, FlowMatching(), **(given | {"prediction": "eps"}))
    assert "the noise ε, for the velocity ε - x_0" in evidence.explain(), evidence.explain()


def test_right_steps_of_a_low_order_are_said_to_be_right():
    text = check(euler, order=2, shape=2).explain()
    assert "those of Euler's method, a method of order 1, without a mistake" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x, s: x / s, "x is multiplied by 0.0666667 = 1/σ of the first time"),
        (lambda x, s: 3 * x, "x is multiplied by 3 before the first step"),
        (lambda x, s: 0 * x, "has nothing to do with the x that is handed in"),
    ],
)
def test_a_start_that_is_scaled(change, said):
    text = check(lambda m, x, s: euler(m, change(x, s[0]), s), shape=2).explain()
    assert said in text, text


def test_noise_that_has_a_mean():
    text = check(
        lambda x, t, n, z, model: ddim(x, t, n, z + 0.2, model),
        TABLE,
        prediction="eps",
        times=STEPS,
        shape=2,
    ).explain()
    assert "as if the noise z had the mean 0.2 in every step" in text, text
