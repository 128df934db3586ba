"""Every formula, form, spacing and list that `check_schedule` knows is put in place of the right
one, and is what its rooms say.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.public.schedule.alternatives import mistaken, plain
from scoreproof.public.schedule.arguments import Formula
from scoreproof.public.schedule.beta_likeness import betas_instead
from scoreproof.public.schedule.forms import made
from scoreproof.public.schedule.formula import _cause as cause_of_a_form
from scoreproof.public.schedule.inference import _caused as caused_by
from scoreproof.public.schedule.sigma_likeness import sigmas_instead
from scoreproof.public.schedule.spacing import spaced, variants
from scoreproof.public.schedule.tables import TABLES, Base
from scoreproof.public.schedule.visited import _lists, visited
from scoreproof.public.schedule.words import cause

T = 60
BETAS = np.linspace(1e-3, 0.15, T)
BAR = np.cumprod(1 - BETAS)
BASE = Base(BETAS, BAR, 1e-16, of_betas=True)
TRAIN = np.sqrt((1 - BAR) / BAR)


def told(name, values):
    """What the room says of a table that holds these values."""
    with np.errstate(all="ignore"):
        due = TABLES[name].of(BASE)
        wrong = ~(np.abs(values - due) <= 1e-9 * np.abs(due))
    return cause(name, values, BASE, np.full(T, 1e-12), wrong)


def agree(values, found):
    there = np.isfinite(values)
    return np.allclose(values[there], found[there], rtol=1e-5)


@pytest.mark.parametrize("name", ["alphas_cumprod", "posterior_variance", "log_snr"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_formula_in_place_of_a_table_is_named(name):
    due = TABLES[name].of(BASE)
    others = list(plain(name, BASE))
    if name == "posterior_variance":
        others += list(mistaken(TABLES[name], BASE))
    for other in others:
        values = np.where(np.isfinite(other.values), other.values, due)
        if np.allclose(values, due, rtol=1e-9):
            continue
        found = told(name, values)
        wrong = np.abs(values - due) > 1e-6 * np.abs(due)
        alike = [o.words for o in others if agree(o.values[wrong], values[wrong])]
        shaped = found.names[0] in ("factor", "summand", "clamped", "product")
        assert found.names, other.words
        assert shaped or any(words in found.sentence for words in alike), found.sentence


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        (
            "sqrt_one_minus_alphas_cumprod",
            np.sqrt(1 - BAR.astype(np.float16).astype(float)),
            "one minus its square: that was computed in float16",
        ),
        ("log_snr", 20 * np.log10(BAR / (1 - BAR)), "times (20 log₁₀ for log)"),
        ("alphas_cumprod", BAR + 0.01, "0.01 is added to each entry"),
        (
            "sqrt_recip_alphas_cumprod",
            (BAR + 1e-3) ** -0.5,
            "0.001 is added inside the reciprocal of the root, before it is taken",
        ),
        (
            "alphas_cumprod",
            np.where(np.isin(np.arange(T), [3, 9]), 0.5, BAR),
            "only entries 3 and 9 are wrong",
        ),
    ],
)
def test_what_is_done_to_a_table_is_named(name, values, words):
    assert words in told(name, values).sentence


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_functions_of_a_formula_with_another_argument_are_named():
    other = BETAS * (1 - BASE.before**2) / (1 - BAR)
    for of, words in ((np.log10, "the logarithm to base 10 of"), (np.log2, "to base 2 of")):
        values = of(np.maximum(other, 1e-300))
        found = told("posterior_variance", values).sentence
        assert f"{words} β_t (1 - ᾱ_{{t-1}}²) / (1 - ᾱ_t), with ᾱ_{{t-1}}² for" in found


FORMS = [
    ("linear", {}, False),
    ("linear", {"beta_start": 2e-3, "beta_end": 0.1}, False),
    ("cosine", {}, False),
    ("sigmoid", {}, False),
    ("linear", {"rescale_betas_zero_snr": True}, False),
    ("karras", {"sigma_min": 0.02, "sigma_max": 30.0}, True),
    ("linear", {"sigma_min": 0.02, "sigma_max": 0.9}, True),
]


def told_form(form, options, values, sigmas=False):
    due = made(form, options, values, sigmas)[0][1]
    wrong = np.abs(values - due) > 1e-9 * np.abs(due)
    allowed = np.full(len(values), 1e-6)
    return cause_of_a_form(Formula(form, options), values, due, sigmas, allowed, wrong).sentence


@pytest.mark.parametrize("given", FORMS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_other_list_is_named(given):
    form, options, sigmas = given
    like = np.array([30.0, *np.ones(20), 0.02]) if sigmas else np.zeros(T)
    due = made(form, options, like, sigmas)[0][1]
    instead = sigmas_instead if sigmas else betas_instead
    others = list(instead(form, options, due))
    for text, values in others:
        if not np.all(np.isfinite(values)) or np.allclose(values, due, rtol=1e-9):
            continue
        said = told_form(form, options, values, sigmas)
        alike = [t for t, v in others if np.allclose(v, values, rtol=1e-6)]
        named = any(t in said for t in alike)
        assert named or "ρ = " in said, (text, said)


def cosine(s=0.008, steps=T, cut=0.999, angle=None):
    t = np.arange(T + 1) / steps
    bar = np.cos((t + s) / (1 + s) * np.pi / 2) ** 2 if angle is None else angle(t) ** 2
    return np.minimum(1 - bar[1:] / bar[:-1], cut)


SLOPE = np.linspace(-6, 6, T)


@pytest.mark.parametrize(
    ("form", "values", "words"),
    [
        ("cosine", cosine(cut=0.5), "the form 'cosine' with β clipped at 0.5, not at 0.999"),
        ("cosine", cosine(s=0.05), "the form 'cosine' with s = 0.05, not 0.008"),
        ("cosine", cosine(s=0.0), "with s = 0, without the offset"),
        (
            "cosine",
            cosine(angle=lambda t: np.cos((t + 0.008) * np.pi / 2)),
            "cos((t + s) π/2), not divided by 1 + s",
        ),
        (
            "sigmoid",
            1e-4 + 0.02 / (1 + np.exp(-SLOPE)),
            "the sigmoid times β_end, plus β_start",
        ),
        ("sigmoid", 0.0199 / (1 + np.exp(-SLOPE)), "the sigmoid times β_end - β_start, without"),
        ("exp", np.full(T, -np.expm1(-10 / T)), "the form 'exp' with the rate 10"),
        ("linear", np.linspace(1e-4, 0.02, T, endpoint=False), "last entry (endpoint=False)"),
    ],
)
def test_forms_as_people_write_them(form, values, words):
    assert words in told_form(form, {}, values)


def test_a_few_entries_and_a_stretch_of_a_form():
    linear = np.linspace(1e-4, 0.02, T)
    few = np.where(np.isin(np.arange(T), [3, 9]), 0.5, linear)
    assert told_form("linear", {}, few) == "Cause: only entries 3, 9 are wrong."
    late = np.append(linear[:40], linear[39:-1])
    said = told_form("linear", {}, late)
    assert "from entry 40 on it is shifted by one" in said
    assert said.endswith("where the form 'linear' is due.")


@pytest.mark.parametrize("given", [(7, 100, 1), (30, 1000, 0)])
@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
def test_every_other_spacing_is_named(given, spacing):
    n, total, offset = given
    due = spaced(spacing, n, total, offset)
    right = list(variants(spacing, n, total, offset).values())
    others = list(_lists(due, spacing, total, offset))
    for text, steps in others:
        inside = len(steps) == n and np.min(steps) >= 0 and np.max(steps) < total
        if inside and not any(np.array_equal(steps, r) for r in right):
            alike = [t for t, other in others if np.array_equal(other, steps)]
            found = caused_by(visited(steps, spacing, total, offset)).sentence
            assert found in [f"Cause: they {t}." for t in alike], text


def test_an_offset_that_is_added_twice():
    found = caused_by(visited(spaced("leading", 7, 100, 2), "leading", 100, 1)).sentence
    assert found == "Cause: they are each 1 more than is due (is an offset added twice?)."


def said(**given):
    return sp.check_schedule(**given).explain()


def scheduler(config=None, **given):
    """An object whose lists and tables are found in it."""
    return SimpleNamespace(betas=BETAS, config=config or {}, **given)


STEPS = np.arange(55, -1, -5)


def test_timesteps_of_their_own():
    again = [50, 40, 50, 40, 30, 40, 30, 20, 10, 0]
    assert ", going back 2 times" in said(schedule=scheduler(timesteps=again))
    twice = np.repeat(STEPS, 2)
    assert ", 12 of them twice" in said(schedule=scheduler(timesteps=twice))
    linspace = {"timestep_spacing": "linspace"}
    own = scheduler(linspace, timesteps=[57, 56, 40, 2])
    assert ", of a spacing of their own (not linspace)" in said(schedule=own)
    odd = said(betas=BETAS, timesteps=[57, 56, 40, 2], spacing="linspace")
    assert "No known cause explains them: they have no known spacing." in odd
    half = np.linspace(59, 0, 6)
    middles = np.sort(np.append(half, 0.3 * half[1:] + 0.7 * half[:-1]))[::-1]
    assert ", every second with linspace spacing" in said(
        schedule=scheduler(linspace, timesteps=middles)
    )


def test_where_sampling_ends_and_starts():
    ends = said(schedule=scheduler(final_alpha_cumprod=0.12345))
    assert "It is no ᾱ of the table; " in ends
    starts = said(schedule=scheduler(sigmas=[*TRAIN[STEPS], 0.0], init_noise_sigma=TRAIN[0]))
    assert "the smallest σ, not the largest" in starts


@pytest.mark.parametrize(
    ("sigmas", "words"),
    [
        (TRAIN[STEPS] * np.where(STEPS == 30, 1.02, 1), "Cause: entry 5 alone, where σ = "),
        (TRAIN[STEPS[:-1] - 1], "those of the timestep before, t - 1, where"),
        (TRAIN[T - 1 - STEPS][::-1], "those of timestep T - 1 - t"),
        (TRAIN[np.append(STEPS[1:], 2)][:-1], "those of the next timestep of the list"),
        (TRAIN[np.append(58, STEPS[:-1])], "those of the timestep before in the list"),
        (np.geomspace(TRAIN[55], TRAIN[0], 12), "geometric from "),
    ],
)
def test_lists_of_noise_levels(sigmas, words):
    steps = STEPS[: len(sigmas)]
    steps = steps[::-1] if "T - 1 - t" in words else steps
    assert words in said(schedule=scheduler(timesteps=steps, sigmas=sigmas))


def test_timesteps_that_follow_from_the_noise_levels():
    top = TRAIN[-1]
    karras = np.linspace(top ** (1 / 7), TRAIN[0] ** (1 / 7), 10) ** 7
    at = np.round(np.interp(np.log(karras), np.log(TRAIN), np.arange(T)))
    given = {"betas": BETAS, "sigmas": karras, "timesteps": at, "form": "karras"}
    assert "timesteps are those of the sigmas, rounded" in said(**given)
    levels = np.geomspace(80, 0.01, 8)
    clock = 1 + np.log(levels / levels[0]) / 9
    assert "straight in log σ, from 1" in said(sigmas=levels, timesteps=clock)
    for by, which in ((1, "before"), (-1, "after")):
        moved = 1000 * np.roll(levels, by)
        moved[0 if by == 1 else -1] *= 1.7
        assert f"1000 = T times the σ one entry {which}" in said(sigmas=levels, timesteps=moved)


ALPHA, SIGMA = BAR**0.5, (1 - BAR) ** 0.5


def noised(alpha=lambda t: ALPHA[t], sigma=lambda t: SIGMA[t], of=lambda v: v, **more):
    def add_noise(x, noise, t):
        return of(alpha(t)[:, None] * x + sigma(t)[:, None] * noise)

    return said(betas=BETAS, add_noise=add_noise, **more)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"alpha": lambda t: np.maximum(ALPHA[t], 0.5)}, "x_0's factor √ᾱ_t is not as due: it is"),
        ({"alpha": lambda t: ALPHA[t - 1]}, "with the last for the first (an index of -1)"),
        ({"alpha": lambda t: ALPHA[t // 2]}, "that of timestep t // 2"),
        ({"sigma": lambda t: SIGMA[np.minimum(2 * t, T - 1)]}, "that of timestep 2 t, or the last"),
        ({"alpha": lambda t: 1 - ALPHA[t]}, "one minus √ᾱ_t"),
        (
            {"of": lambda v: v / np.sqrt((v**2).mean(axis=1, keepdims=True) + 1e-300)},
            "x_t is divided by its own size",
        ),
        (
            {"of": lambda v: np.tanh(v) * [1.0, 2.0]},
            "x_t does not grow with x_0 and noise: it is squashed",
        ),
    ],
)
def test_what_noises_data(wrong, words):
    assert words in noised(**wrong)


def test_factors_along_the_wrong_axis_and_products_of_the_two():
    def across(x, noise, t):
        return ALPHA[t] * x + SIGMA[t] * noise

    text = said(betas=BETAS, add_noise=across, shape=(T,))
    assert "entry j of every sample gets the factor of sample j: the wrong axis" in text

    def product(x, noise, t):
        return ALPHA[t][:, None] * x + SIGMA[t][:, None] * noise + 0.1 * x * noise

    assert "it may clip, mix the entries of a sample, or share noise" in said(
        betas=BETAS, add_noise=product
    )


def test_a_scheduler_that_keeps_its_timestep():
    levels = np.linspace(1, 0.1, 8)
    given = SimpleNamespace(
        sigmas=levels,
        timesteps=1000 * levels,
        config={},
        scale_noise=lambda x, t, noise: 0.5 * x + 0.5 * noise,
    )
    with pytest.raises(sp.CallableError) as error:
        sp.check_schedule(given)
    assert "take a timestep for each sample" in str(error.value)
    with pytest.raises(sp.ArgumentError) as error:
        sp.check_schedule(betas=BETAS, num_train_timesteps=0)
    assert "it is the length of the table" in str(error.value)
    alone = said(sigmas=[3.0, 2.7, 1.0, 0.4])
    assert "pass more tables, form=, timesteps= or add_noise=" in alone
    coarse = said(betas=BETAS.astype(np.float32), alphas_cumprod=BAR, tolerance=1e-9)
    assert "(the tolerance is 1.0e-09)" in coarse
