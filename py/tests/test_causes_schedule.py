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
        ("posterior_mean_coef1", BETAS * BASE.before**0.5, "without 1 / (1 - ᾱ_t)"),
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


def _ramp(a: float, b: float, n: int, way: int) -> np.ndarray:
    t = np.arange(n) / (n - 1)
    ways = (np.linspace(a, b, n), a + t * (b - a), (1 - t) * a + t * b, np.linspace(b, a, n)[::-1])
    return ways[way]


@pytest.mark.parametrize("way", range(4))
@pytest.mark.parametrize("single", [False, True])
def test_a_right_list_is_not_refuted_by_its_rounding(way, single):
    for n in (20, 250, 1000):
        for shift in (1.15, 3.0, 12.0, 0.5):
            s = _ramp(0.999, 0.00299, n, way)
            s = shift * s / (1 + (shift - 1) * s)
            _holds(s, single, "shifted", shift=shift)
        for rho in (1.5, 7.0):
            s = _ramp(80 ** (1 / rho), 0.002 ** (1 / rho), n, way) ** rho
            _holds(s, single, "karras", rho=rho)
        _holds(_ramp(80, 0.002, n, way), single, "linear")
        _holds(np.exp(_ramp(np.log(700), np.log(0.01), n, way)), single, "exponential")


def _holds(sigmas, single, form, **options):
    sigmas = sigmas.astype(np.float32) if single else sigmas
    evidence = sp.check_schedule(sigmas=sigmas, form=form, form_options=options or None)
    assert evidence.verdict == "holds", evidence.explain()


@pytest.mark.parametrize("off", [1e-10, -1e-9])
def test_one_entry_that_is_off_by_little_is_seen(off):
    s = np.linspace(0.999, 0.00299, 250)
    s = 3 * s / (1 + 2 * s)
    s[77] *= 1 + off
    assert "only entry 77 is wrong" in said(sigmas=s, form="shifted", form_options={"shift": 3.0})


def test_what_is_not_seen_of_a_list_with_its_own_ends():
    s = np.linspace(1.0, 0.01, 20)
    for _ in range(2):
        s = 3 * s / (1 + 2 * s)
        options = {"shift": 3.0}
        # the second time its ends have been shifted before
        s = np.linspace(s[0], s[-1], 20)
    s = 3 * s / (1 + 2 * s)
    e = sp.check_schedule(sigmas=s, form="shifted", form_options=options)
    assert e.verdict == "holds" and "nor ends that were shifted twice: name sigma_max" in e.sentence
    ends = {"sigma_max": 1.0, "sigma_min": 3 * 0.01 / 1.02}
    e = sp.check_schedule(sigmas=s, form="shifted", form_options=options | ends)
    assert e.verdict == "refuted"


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("straight", ["log σ", "σ", "log ᾱ", "ᾱ"])
def test_interpolation_is_a_convention(straight, single):
    t, grid, levels = np.linspace(999, 0, 20), np.arange(1000), np.sqrt(1 / BAR - 1)
    of_bar = {"log ᾱ": np.log(BAR), "ᾱ": BAR}
    if straight in of_bar:
        bar = np.interp(t, grid, of_bar[straight])
        s = np.sqrt(1 / (np.exp(bar) if straight == "log ᾱ" else bar) - 1)
    else:
        s = np.interp(t, grid, levels if straight == "σ" else np.log(levels))
        s = s if straight == "σ" else np.exp(s)
    s = s.astype(np.float32) if single else s
    e = sp.check_schedule(betas=BETAS, timesteps=t, sigmas=s, spacing="linspace")
    assert e.verdict == "holds", e.explain()
    assert single or f"with {straight} straight between two entries" in e.sentence


def test_an_interpolation_that_is_not_known_is_undecided():
    t, grid, levels = np.linspace(999, 0, 20), np.arange(1000), np.sqrt(1 / BAR - 1)
    w = (1 - np.cos(np.pi * (t % 1))) / 2  # between the two, but by no straight line
    s = levels[np.floor(t).astype(int)] * (1 - w) + levels[np.ceil(t).astype(int)] * w
    e = sp.check_schedule(betas=BETAS, timesteps=t, sigmas=s, spacing="linspace")
    assert e.verdict == "undecided" and "by none of the known interpolations" in e.sentence
    e = sp.check_schedule(betas=BETAS, timesteps=t, sigmas=np.interp(t + 0.7, grid, levels))
    assert e.verdict == "refuted" and "t + 0.7" in e.explain()


def test_a_list_between_right_ends_is_rounded_only_if_it_is():
    due = np.linspace(12.0 ** (1 / 7), 0.05 ** (1 / 7), 16) ** 7

    def of(values):
        found = sp.check_schedule(sigmas=np.append(values, 0.0), form="karras").diagnosis
        return found.names, found.sentence

    assert of(np.concatenate([np.round(due[:-2], 2), due[-2:]]))[0] != ("rounded_digits",)
    names, text = of(np.round(due, 2))
    assert names == ("rounded_digits",) and "2 digits" in text
    jitter = due * (1 + 0.03 * np.sin(7.0 * np.arange(16)) * (np.arange(16) % 15 > 0))
    names, text = of(jitter)
    assert names == () and "off irregularly" in text


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("posterior_mean_coef2", (1 - BASE.before) * (1 - BETAS) / (1 - BAR)),
        ("posterior_mean_coef2", (1 - BASE.before) * BASE.before**0.5 / (1 - BAR)),
        ("posterior_mean_coef2", (1 - BASE.before) * (1 - BETAS) ** 0.5 / (1 - BAR) ** 0.5),
        ("posterior_variance", BETAS**0.5 * (1 - BASE.before) / (1 - BAR)),
    ],
)
def test_single_precision_names_the_formula_that_double_does(name, values):
    """Others are within its bound as well: one minus a third formula, say."""
    said_in = [
        said(betas=BETAS.astype(d), **{name: values.astype(d)}).partition("Cause: ")[2]
        for d in (np.float64, np.float32)
    ]
    assert said_in[0] == said_in[1] != ""
