"""What is said of wrong schedules, and what is not claimed."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.public.schedule.forms import made
from scoreproof.public.schedule.tables import TABLES, Base

BETAS = np.linspace(1e-4, 0.02, 1000)
BAR = np.cumprod(1 - BETAS)
HALF = np.cumprod((1 - BETAS).astype(np.float16), dtype=np.float16).astype(np.float32)
BASE = Base(BETAS, BAR, 1e-16, of_betas=True)


def said(**given):
    evidence = sp.check_schedule(**given)
    assert evidence.verdict == "refuted", evidence.explain()
    assert evidence.diagnosis.names
    return evidence.explain()


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("alphas_cumprod", np.cumprod(1 - BETAS**0.5), "√β for β"),
        ("alphas_cumprod", HALF, "float16"),
        ("sqrt_one_minus_alphas_cumprod", (1 - BAR + 1e-3) ** 0.5, "0.001 is added inside the"),
        ("snr", BAR / (1 - BAR + 1e-2), "0.01 is added to 1 - ᾱ_t below"),
        ("snr", np.clip(BAR / (1 - BAR), 0.01, 5), "clamped to [0.01, 5]"),
        ("log_snr", 10 * np.log10(BAR / (1 - BAR)), "decibels"),
        ("posterior_log_variance_clipped", np.log(BASE.posterior + 1e-4), "0.0001 is added"),
        ("posterior_mean_coef1", BETAS * BASE.before**0.5, "with 1 for 1 / (1 - ᾱ_t)"),
    ],
)
def test_a_table_by_its_formula(name, values, words):
    assert words in said(betas=BETAS, **{name: values})


def test_a_stretch_is_told_with_where_it_begins():
    bar = BAR.copy()
    bar[600:] = BAR[599:-1]
    text = said(betas=BETAS, alphas_cumprod=bar)
    assert "from entry 600 on it is shifted by one: entry t holds that of t - 1" in text


def test_the_odd_table_is_explained_not_those_that_follow():
    wrong = BETAS[::-1]
    text = said(betas=wrong, alphas_cumprod=BAR, sqrt_alphas_cumprod=BAR**0.5, snr=BAR / (1 - BAR))
    assert text.startswith("Refuted (float): betas[") and "it is reversed" in text


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x, z, a, s: a * (2 * x - 1) + s * z, "x_0 is shifted inside"),
        (lambda x, z, a, s: np.clip(a * x + s * z, -3, 3), "is clipped to [-3, 3]"),
        (lambda x, z, a, s: a * x + s * z[::-1], "of one sample is in x_t of another"),
        (lambda x, z, a, s: a * x + s * z[:, ::-1], "the entries of noise are moved"),
        (lambda x, z, a, s: a * z - s * x, "the velocity"),
        (lambda x, z, a, s: (a * x + s * z) / np.hypot(a, s) / 2, "0.5 = 1/2 times √ᾱ_t"),
        (lambda x, z, a, s: np.tanh(a * x + s * z), "squashed into [-1, 1]"),
    ],
)
def test_what_noises_data(function, words):
    def add_noise(x, noise, t):
        return function(x, noise, BAR[t][:, None] ** 0.5, (1 - BAR[t])[:, None] ** 0.5)

    evidence = sp.check_schedule(betas=BETAS, add_noise=add_noise)
    assert evidence.verdict == "refuted" and words in evidence.explain(), evidence.explain()


@pytest.mark.parametrize("seed", range(8))
def test_what_nothing_explains_claims_nothing(seed):
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, 1000)
    shapes = (np.sin(rng.uniform(1, 20) * t + 1), rng.standard_normal(1000), np.exp(-9 * t))
    bend = 1 + 10 ** rng.uniform(-3.5, -0.5) * shapes[seed % 3]
    names = [n for n in TABLES if n not in ("betas", "alphas_cumprod_next")]
    name = names[int(rng.integers(len(names)))]
    with np.errstate(all="ignore"):
        values = TABLES[name].of(BASE)
    values[~np.isfinite(values)] = -50.0
    evidence = sp.check_schedule(betas=BETAS, **{name: values * bend})
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == (), evidence.explain()
    form = ("linear", "cosine", "sigmoid")[seed % 3]
    betas = np.clip(made(form, {}, BETAS, False)[0][1] * bend, 1e-6, 0.9995)
    evidence = sp.check_schedule(betas=betas, form=form)
    assert evidence.diagnosis is None or evidence.diagnosis.names == (), evidence.explain()
