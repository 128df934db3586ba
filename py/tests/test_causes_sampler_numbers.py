"""What samplers are said to be off by, what is drawn of it, and what is no clipping."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import FlowMatching
from scoreproof.public.sampler.causes import texts, words
from scoreproof.public.sampler.causes.language import parsed
from scoreproof.public.sampler.words import deviations, size_of

GEOMETRIC = {"times": np.append(np.geomspace(10, 0.1, 14), 0), "shape": 1}
check = sp.check_sampler


def pairs(values):
    return list(zip(values[:-1], values[1:], strict=True))


def euler(power=1, factor=1.0, cut=None):
    def sample(model, x, sigmas):
        for s, n in pairs(sigmas):
            d = model(x, s) if cut is None else np.clip(model(x, s), -cut, cut)
            x = x + factor * (n - s) * (x - d) / s**power
        return x

    return sample


def test_sizes_are_read_in_one_way():
    assert size_of(1.99).startswith("199 % of") and size_of(2.97).startswith("2.97 times the")
    assert deviations([7.59e-4, 1.91e-4, 5.5e-5]) == "0.0759 %, 0.0191 %, 0.0055 %"
    assert deviations([4.0, 0.5]) == "4, 0.5 standard deviations"
    evidence = check(euler(factor=0.4), **GEOMETRIC)
    assert "times what is due" in evidence.sentence and "times too" not in evidence.sentence


def test_rounding_where_x_goes_down_to_a_point_is_no_clipping():
    assert not any("Far out" in n for n in check(euler(power=2), **GEOMETRIC).notes)
    assert any("Far out" in n for n in check(euler(cut=1.0), **GEOMETRIC).notes)

    def late(model, x, times):  # 1 - (t - t_next)/t_next is 0 once
        for t, n in pairs(times):
            x = x + (n - t) * model(x, n)
        return x

    given = {"times": np.linspace(1, 0, 21), "prediction": "flow", "shape": 1}
    evidence = check(late, FlowMatching(), **given)
    assert evidence.verdict == "refuted" and "told the next time" in evidence.explain()


def test_what_refutes_is_drawn():
    right, wrong = check(euler(), **GEOMETRIC), check(euler(factor=1.1), **GEOMETRIC)
    assert right.labels[1].endswith("Gaussian data")
    assert wrong.labels[1].endswith("data at one point")
    worst = max(y for _, curve in wrong.curves.values() for y in curve)
    assert worst == pytest.approx(abs(wrong.value), rel=0.5)

    def short(model, x, sigmas):
        return euler()(model, x, sigmas[:-1])

    assert check(short, **GEOMETRIC).labels[0] == "steps"


def test_an_end_that_is_right_at_all_timesteps_only_is_said_so():
    few = np.linspace(1e-3, 0.1, 40)
    bar = np.cumprod(1 - few)
    before = np.append(1.0, bar[:-1])

    def sample(model, x, times, rng):  # the posterior of the table, whatever t_next is
        for t in times[:-1].astype(int):
            b, a, p = few[t], bar[t], before[t]
            mean = (p**0.5 * b * model(x, t) + (1 - b) ** 0.5 * (1 - p) * x) / (1 - a)
            x = mean + (b * (1 - p) / (1 - a)) ** 0.5 * rng.standard_normal(x.shape)
        return x

    process = DiscreteVP(few)
    evidence = check(sample, process, times=range(39, -2, -1), prediction="x0", shape=1)
    assert evidence.verdict == "undecided" and "off by 0" not in evidence.sentence
    assert "it ends right with 40 steps" in evidence.sentence


def test_the_model_inside_of_a_loop_that_jax_traces():
    jax = pytest.importorskip("jax")

    def scanned(factor):
        def body(model, x, s, n):
            return x + factor * (n - s) * (x - model(x, s)) / s

        def sample(model, x, sigmas):
            pair = (sigmas[:-1], sigmas[1:])
            return jax.lax.scan(lambda x, p: (body(model, x, *p), None), x, pair)[0]

        return sample

    few = {"times": np.append(np.linspace(2.4, 0.5, 9) ** 3, 0), "shape": 1, "framework": "jax"}
    evidence = check(scanned(1.0), **few)
    assert evidence.verdict == "holds" and "exact for data at one point" in evidence.sentence
    assert "multiplied by 1.2" in check(scanned(1.2), **few).explain()

    def mapped(model, x, sigmas):
        return jax.vmap(lambda y: model(y[None], sigmas[0])[0])(x)

    with pytest.raises(sp.CallableError, match="not under jax.vmap"):
        check(mapped, **few)


def test_the_formula_that_is_due_says_its_mean():
    said = words._whole(parsed(texts.DDPM))
    assert said.endswith("mean = √ᾱ_prev·β_t/(1 - ᾱ_t)·x_0 + √α_t·(1 - ᾱ_prev)/(1 - ᾱ_t)·x")
    assert "c_t" not in said and "c_t = " in words._whole(parsed(texts.VDM))
    assert words._whole(parsed(texts.DDIM_ODE)).count("=") == 1
