"""`check_schedule` on the slips that are made in public code, and on what looks like one and is
none: objects, forms, inference lists, functions that noise data.
"""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError

check = sp.check_schedule
BETAS = np.linspace(1e-4, 0.02, 1000)
BAR = np.cumprod(1 - BETAS)
BEFORE = np.append(1.0, BAR[:-1])
VARIANCE = BETAS * (1 - BEFORE) / (1 - BAR)
TRAIN = np.sqrt((1 - BAR) / BAR)
STRAIGHT = np.linspace(1.0, 0.001, 25)


def karras(n, low, high, rho=7.0):
    return (
        high ** (1 / rho) + np.linspace(0, 1, n) * (low ** (1 / rho) - high ** (1 / rho))
    ) ** rho


def shifted(s, by):
    return by * s / (1 + (by - 1) * s)


def cosine(n, s=0.008, power=2, most=0.999, dtype=np.float64):
    t = np.arange(n + 1, dtype=dtype) / dtype(n)
    f = np.cos((t + dtype(s)) / dtype(1 + s) * dtype(np.pi / 2)) ** power
    return np.minimum(1 - f[1:] / f[:-1], dtype(most))


def sigmoid_of_bar(n):
    def at(x):
        return 1 / (1 + np.exp(-x))

    t = np.linspace(0, 1, n + 1)
    bar = (at(3.0) - at(6 * t - 3)) / (at(3.0) - at(-3.0))
    return np.clip(1 - bar[1:] / bar[:-1], 0, 0.999)


def zero_terminal(betas):
    root = np.sqrt(np.cumprod(1 - betas))
    bar = ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2
    return 1 - np.append(bar[0], bar[1:] / bar[:-1])


class Holder:
    def __init__(self, **tables):
        self.__dict__.update(tables)


def refuted(cause, **given):
    evidence = check(**given)
    assert evidence.verdict == "refuted", evidence.explain()
    assert cause in evidence.explain(), evidence.explain()


# -- tables ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values", "cause"),
    [
        ("alphas_cumprod", np.cumprod(np.append(1.0, 1 - BETAS[1:])), "the first β is left out"),
        ("alphas_cumprod", np.cumprod(np.sqrt(1 - BETAS)), "its square root"),
        ("alphas_cumprod", BAR / (3 - 2 * BAR), "signal-to-noise ratio is 0.333333 times"),
        ("alphas_cumprod_prev", np.append(BAR[0], BAR[:-1]), "what is due at entry 1"),
        ("alphas_cumprod_next", np.append(BAR[1:], 5.0), "alphas_cumprod_next[999] = 5 where 0"),
        ("posterior_variance", np.append(np.nan, VARIANCE[1:]), "posterior_variance[0] = nan"),
        ("posterior_mean_coef1", BETAS * BEFORE / (1 - BAR), "ᾱ_{t-1} for √ᾱ_{t-1}"),
        (
            "posterior_mean_coef2",
            (1 - BEFORE) * (1 - BETAS) / (1 - BAR),
            "(1 - β_t) for √(1 - β_t)",
        ),
        ("posterior_variance", 1 - BEFORE, "it is (1 - ᾱ_{t-1})"),
        ("posterior_variance", BETAS / (1 - BAR), "it is β_t / (1 - ᾱ_t)"),
        ("posterior_mean_coef1", BETAS / np.sqrt(1 - BAR), "it is β_t / √(1 - ᾱ_t)"),
        ("posterior_mean_coef2", (1 - BEFORE) / (1 - BAR), "(1 - ᾱ_{t-1}) / (1 - ᾱ_t)"),
        ("sqrt_one_minus_alphas_cumprod", np.sqrt(1 - np.sqrt(BAR)), "√ᾱ_t for ᾱ_t"),
        ("sqrt_one_minus_alphas_cumprod", np.sqrt(1 - BEFORE), "entry t holds that of t - 1"),
        ("log_snr", np.log10(BAR / (1 - BAR)), "log₁₀ for log"),
        ("log_snr", np.log2(BAR / (1 - BAR)), "log₂ for log"),
        ("log_snr", np.log(BAR / (1 - BAR)) / 2, "it is lambda_t"),
        ("log_snr", -np.log(BAR / (1 - BAR)), "its negative"),
    ],
)
def test_a_slip_is_named(name, values, cause):
    refuted(cause, betas=BETAS, **{name: values})


def test_the_first_log_variance():
    name = "posterior_log_variance_clipped"
    with np.errstate(divide="ignore"):
        unclipped = np.log(VARIANCE)
    refuted(f"{name}[0] = -inf", betas=BETAS, **{name: unclipped})
    assert check(betas=BETAS, posterior_log_variance=unclipped)
    refuted("due at entry 2", betas=BETAS, **{name: np.log(np.append(VARIANCE[2], VARIANCE[1:]))})
    for floor in (1e-12, 1e-20, 1e-30):
        assert check(betas=BETAS, **{name: np.log(np.maximum(VARIANCE, floor))})


def test_tables_without_signal_at_the_end():
    betas = zero_terminal(BETAS)
    bar = np.cumprod(1 - betas)
    with np.errstate(divide="ignore"):
        tables = {
            "sqrt_recip_alphas_cumprod": np.sqrt(1 / bar),
            "log_snr": np.log(bar / (1 - bar)),
            "train_sigmas": np.sqrt((1 - bar) / bar),
        }
    assert check(betas=betas, alphas_cumprod=bar, **tables)
    wrong = np.append(tables["log_snr"][:-1], 40.0)
    refuted("log_snr[999] = 40 where -inf", betas=betas, log_snr=wrong)
    floored = np.append(bar[:-1], 2.0**-24)  # so that nothing is divided by 0
    assert check(betas=betas, alphas_cumprod=floored, train_sigmas=np.sqrt(1 / floored - 1))
    options = {"rescale_betas_zero_snr": True}
    assert check(betas=betas, form="linear", form_options=options)
    refuted("rescaled to zero terminal SNR", betas=betas, form="linear")
    refuted("betas[998]", betas=BETAS, form="linear", form_options=options)


def test_tables_in_any_place():
    assert check(Holder(betas=BETAS, sqrt_alphas_cumprod=np.sqrt(BAR)[:, None, None, None]))
    wide = Holder(betas=BETAS, alphas_cumprod=BAR, sqrt_alphas_cumprod=BAR[:, None, None, None])
    refuted("its square", schedule=wide)
    assert check(snr=BAR / (1 - BAR), posterior_variance=VARIANCE)
    assert check(alpha_bar=BAR, sqrt_one_minus_alpha_bar=np.sqrt(1 - BAR))
    refuted("it is betas", sqrt_one_minus_alphas_cumprod=np.sqrt(1 - BAR), posterior_variance=BETAS)
    assert check(betas=[0.5], alphas_cumprod=[0.5], alphas_cumprod_prev=[1.0])
    assert check(betas=[0.5], alphas_cumprod=[0.5], posterior_variance=[0.0])


def test_single_precision_in_another_type():
    coarse = BETAS.astype(np.float32)
    bar = np.cumprod(1 - coarse)
    assert check(betas=coarse.tolist(), form="linear")
    assert check(betas=BETAS, alphas_cumprod=bar.astype(float), alphas=1 - BETAS)
    assert check(betas=BETAS, alphas_cumprod=bar, sqrt_alphas_cumprod=np.sqrt(bar.astype(float)))

    def q_sample(x_start, t, noise):
        parts = np.sqrt(bar)[t][:, None] * x_start, np.sqrt(1 - bar)[t][:, None] * noise
        return parts[0] + parts[1]

    assert check(betas=coarse, add_noise=q_sample)
    wrong = bar.astype(float)
    wrong[500] *= 1.001
    refuted("alphas_cumprod[500]", betas=BETAS, alphas_cumprod=wrong)


@pytest.mark.parametrize("steps", [50, 100, 1000])
@pytest.mark.parametrize("form", ["linear", "cosine", "sigmoid"])
def test_double_precision_that_is_rounded(steps, form):
    betas = {
        "linear": BETAS[:: 1000 // steps] * 1000 / steps,
        "cosine": cosine(steps),
        "sigmoid": sigmoid_of_bar(steps),
    }[form]
    bar = np.cumprod(1 - betas)
    before = np.append(1.0, bar[:-1])
    tables = {
        "betas": betas,
        "alphas": 1 - betas,
        "alphas_cumprod": bar,
        "sqrt_recipm1_alphas_cumprod": np.sqrt(1 / bar - 1),
        "posterior_variance": betas * (1 - before) / (1 - bar),
        "posterior_mean_coef1": betas * np.sqrt(before) / (1 - bar),
        "posterior_mean_coef2": (1 - before) * np.sqrt(1 - betas) / (1 - bar),
    }
    evidence = check({n: v.astype(np.float32) for n, v in tables.items()})
    assert evidence, evidence.explain()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_has_no_cause_gets_none(seed, dtype):
    noise = 1 + 0.1 * np.random.default_rng(seed).standard_normal(1000)
    for name, table in {"posterior_variance": VARIANCE, "snr": BAR / (1 - BAR)}.items():
        evidence = check({"betas": BETAS.astype(dtype), name: (table * noise).astype(dtype)})
        assert evidence.verdict == "refuted"
        assert evidence.diagnosis.names == () and "is due" in evidence.diagnosis.sentence


def test_who_is_the_odd_one_out():
    tables = {
        "alphas_cumprod": BAR,
        "posterior_variance": VARIANCE,
        "sqrt_alphas_cumprod": np.sqrt(BAR),
    }
    refuted("the 3 other tables agree with one another", betas=np.roll(BETAS, 1), **tables)
    refuted("2 tables are off", betas=BETAS, **tables | {"posterior_variance": BETAS, "snr": BETAS})


def test_the_table_that_others_follow_from_may_be_the_wrong_one():
    refuted("holds ᾱ, not √ᾱ", alpha_t=BAR, log_snr=np.log(BAR / (1 - BAR)))
    few = {"alphas": BAR[:99], "sqrt_one_minus_alphas_cumprod": np.sqrt(1 - BAR[:99])}
    refuted("holds ᾱ, not 1 - β", **few)
    refuted("holds √ᾱ, not ᾱ", alphas_cumprod=np.sqrt(BAR), snr=BAR / (1 - BAR))


def test_jax_tables():
    jnp = pytest.importorskip("jax.numpy")
    betas = jnp.linspace(1e-4, 0.02, 1000)
    bar = jnp.cumprod(1 - betas)

    def add_noise(x, noise, t):
        return jnp.sqrt(bar[t])[:, None] * x + jnp.sqrt(1 - bar[t])[:, None] * noise

    assert check(betas=betas, alphas_cumprod=bar, add_noise=add_noise)


# -- forms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "betas"),
    [
        ("linear", np.linspace(2.5e-5, 0.005, 4000)),  # the ends scaled by 1000 / T
        ("cosine", cosine(4000)),
        ("cosine", cosine(1000, dtype=np.float32)),
        ("sigmoid", sigmoid_of_bar(1000)),
        ("sigmoid", 1e-4 + 0.0199 / (1 + np.exp(-np.linspace(-6, 6, 1000)))),
    ],
)
def test_readings_of_a_form(form, betas):
    evidence = check(betas=betas, form=form)
    assert evidence, evidence.explain()


def test_a_form_that_single_precision_cannot_decide():
    assert check(betas=cosine(4000, dtype=np.float32), form="cosine").verdict != "refuted"


@pytest.mark.parametrize(
    ("form", "betas", "cause"),
    [
        ("cosine", cosine(1000, s=0.0), "without the offset"),
        ("cosine", cosine(1000, power=1), "not its square"),
        ("cosine", cosine(1000, most=1.0), "no clipping"),
        ("linear", np.linspace(1e-4, 0.03, 1000), "'linear' from 0.0001 = β_start to 0.03"),
        ("linear", np.linspace(0.01, 0.1414, 1000) ** 2, "'scaled_linear' from 0.0001"),
        (
            "linear",
            np.linspace(1e-4, 0.02, 1000, endpoint=False),
            "1001 steps, without its last entry",
        ),
        ("linear", BETAS[::-1], "reversed"),
        ("linear", np.append(BAR[::-1][:-1], 0.99999), ""),
        ("scaled_linear", np.linspace(0.00085**0.5, 0.012**0.5, 1000), "square root of the form"),
    ],
)
def test_a_wrong_form_is_named(form, betas, cause):
    refuted(cause, betas=betas, form=form)


@pytest.mark.parametrize(
    ("form", "sigmas", "cause"),
    [
        ("karras", karras(20, 0.03, 14, 1 / 7), "ρ = 0.142857 (1 / 7, inverted)"),
        ("karras", karras(20, 0.03, 14, 7.3), "ρ = 7.3"),
        ("shifted", STRAIGHT, "not shifted"),
        ("shifted", shifted(shifted(STRAIGHT, 3), 3), "applied twice"),
        ("shifted", shifted(STRAIGHT, 1 / 3), "inverted"),
        ("shifted", shifted(STRAIGHT, 5), "shift = 5"),
        ("vp", karras(20, 0.03, 14), "'karras'"),
        ("exponential", karras(20, 0.03, 14), "'karras'"),
    ],
)
def test_a_wrong_list_is_named(form, sigmas, cause):
    refuted(cause, sigmas=sigmas, form=form)


def test_a_dynamic_shift_and_a_rising_list():
    given = {"sigmas": shifted(STRAIGHT, np.exp(0.8)), "form": "shifted"}
    assert check(**given, form_options={"mu": 0.8})
    refuted("shift = 2.22554", **given, form_options={"mu": 1.15})
    refuted("μ itself", sigmas=shifted(STRAIGHT, 0.8), form="shifted", form_options={"mu": 0.8})
    evidence = check(sigmas=karras(20, 14.0, 0.03), form="karras")
    assert evidence and "rising" in evidence.explain()


def test_a_list_that_is_its_ends_alone():
    for sigmas in ([1.0], [3.0, 1.0, 0.0]):
        evidence = check(sigmas=sigmas, form="karras")
        assert evidence.verdict == "undecided" and "name sigma_max" in evidence.explain()
    ends = {"sigma_max": 3.0, "sigma_min": 1.0}
    assert check(sigmas=[3.0, 1.0, 0.0], form="karras", form_options=ends)


def test_the_continuous_process_at_equal_times():
    t = np.linspace(1, 1e-3, 20)
    sigmas = np.sqrt(np.exp(19.9 * t**2 / 2 + 0.1 * t) - 1)
    assert check(sigmas=sigmas, form="vp")
    assert check(sigmas=sigmas.astype(np.float32), form="vp")
    refuted("sigmas[0]", sigmas=sigmas, form="vp", form_options={"beta_d": 19.0})


def test_a_form_of_sigmas_beside_a_table():
    given = {"betas": BETAS, "alphas_cumprod": BAR, "form": "karras"}
    assert check(**given, sigmas=[*karras(20, 0.03, 14), 0.0])
    refuted("'exponential'", **given, sigmas=np.geomspace(14, 0.03, 20))


# -- inference -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timesteps", "spacing", "cause"),
    [
        (np.random.default_rng(0).permutation(np.arange(0, 1000, 20)), "leading", "neither fall"),
        (np.arange(0, 1000, 20), "leading", "reverse them"),
        ([999, 5, 700], None, "neither fall nor rise: 999, 5, 700"),
        ([999, 500, 500, 0], "linspace", "500 occurs twice"),
        (np.linspace(0, 999, 30).astype(int)[::-1], "linspace", "rounded down"),
        (np.linspace(0, 990.5, 30)[::-1], "linspace", "before it is rounded"),
        (np.arange(999, 0, -20), "leading", "trailing spacing"),
    ],
)
def test_wrong_timesteps(timesteps, spacing, cause):
    refuted(cause, betas=BETAS, alphas_cumprod=BAR, timesteps=timesteps, spacing=spacing)


def test_right_timesteps():
    fine = np.linspace(0, 999, 30, dtype=np.float32)[::-1]
    assert check(betas=BETAS, timesteps=fine, spacing="linspace")
    evidence = check(betas=BETAS, timesteps=[900, 500, 0])
    assert evidence and "3 timesteps, from 900 to 0" in evidence.explain()


def test_sigmas_of_an_inference():
    t = np.arange(980, -1, -20)
    for factor in (1.002, 0.995):  # less than half a timestep
        refuted("sigmas[", betas=BETAS, timesteps=t, sigmas=factor * TRAIN[t])
    refuted("t - 1", betas=BETAS, timesteps=t[:-1], sigmas=TRAIN[t[:-1] - 1])
    evidence = check(betas=BETAS, alphas_cumprod=BAR, sigmas=[50.0, 7.0, 0.2, 0.0])
    assert evidence and "3 sigmas from 50 to 0.2, inside of the table's" in evidence.explain()
    refuted("outside of", betas=BETAS, alphas_cumprod=BAR, sigmas=TRAIN[t] ** 2)


def test_timesteps_of_sigmas():
    s = karras(20, 0.03, 14)
    clocks = (np.log(s) / 4, 250 * np.log(s), 1000 * s, s)
    for clock in clocks:
        assert check(sigmas=s, timesteps=clock)
        refuted("neither", sigmas=s, timesteps=clock**2 / 3)
    assert check(sigmas=[*STRAIGHT, 0.0], timesteps=1000 * (1 - STRAIGHT))
    whole = np.floor(1000 * shifted(STRAIGHT, 3))
    assert check(sigmas=shifted(STRAIGHT, 3), timesteps=whole)
    straight = np.linspace(1.0, 0.001, 25)
    refuted("before a shift of 3", sigmas=shifted(straight, 3), timesteps=1000 * straight)
    twice = shifted(shifted(straight, 3), 3)
    refuted("one more shift, of 3", sigmas=shifted(straight, 3), timesteps=1000 * twice)
    refuted("0.5 = 1/2 times ln σ", sigmas=s, timesteps=np.log(s) / 2)
    evidence = check(sigmas=TRAIN[900::-100], timesteps=np.arange(900, -1, -100))
    assert evidence.verdict == "undecided" and "without their table" in evidence.explain()
    evidence = check(sigmas=s, timesteps=s[:7])
    assert evidence.verdict == "undecided" and "7 timesteps and 20 sigmas" in evidence.explain()


@pytest.mark.parametrize(
    ("start", "ve", "cause"),
    [
        (3.0, True, "√(1 + σ_max²) is due: x_0 of variance 1"),
        (10.0**0.5, True, None),
        (1.0, True, "init_noise_sigma = 1 where"),
        (9.0, True, "init_noise_sigma = 9 where"),
        (1.0, False, None),
        (3.0, False, "where 1 is due"),
    ],
)
def test_where_sampling_starts(start, ve, cause):
    betas = np.linspace(1e-3, 0.01, 400)
    bar = np.cumprod(1 - betas)
    train = np.sqrt((1 - bar) / bar)
    t = int(np.argmin(np.abs(train - 3)))
    top = train[t]

    def add_noise(x, noise, t):
        a = np.ones(400) if ve else np.sqrt(bar)
        s = train if ve else np.sqrt(1 - bar)
        return a[t][:, None] * x + s[t][:, None] * noise

    exact = {3.0: top, 10.0**0.5: np.hypot(1, top)}.get(start, start)
    given = Holder(
        betas=betas,
        add_noise=add_noise,
        init_noise_sigma=exact,
        timesteps=[t, t // 2],
        sigmas=[top, train[t // 2], 0.0],
    )
    if cause is None:
        assert check(given)
    else:
        refuted(cause, schedule=given) if start != 3.0 or ve else refuted(
            "where 1 is due", schedule=given
        )


def test_where_the_last_step_ends():
    for final, words in ((1.0, "ends at the data"), (BAR[0], "where noise is left")):
        evidence = check(Holder(betas=BETAS, alphas_cumprod=BAR, final_alpha_cumprod=final))
        assert evidence and words in evidence.explain()
    wrong = Holder(betas=BETAS, alphas_cumprod=BAR, final_alpha_cumprod=BAR[-1])
    refuted("final_alpha_cumprod = 4.03583e-05 where 1", schedule=wrong)


@pytest.mark.parametrize("prediction", ["epsilon", "pred_noise", "score"])
def test_no_signal_and_a_blind_prediction(prediction):
    refuted("v_prediction", betas=zero_terminal(BETAS), prediction=prediction)
    evidence = check(betas=BETAS, alphas_cumprod=BAR, prediction=prediction)
    assert evidence and "157 times as large in x_0" in evidence.explain()


# -- add_noise -------------------------------------------------------------------------------------


def q(alpha, sigma):
    def add_noise(x, noise, t):
        return alpha[t][:, None] * x + sigma[t][:, None] * noise

    return add_noise


RIGHT = q(np.sqrt(BAR), np.sqrt(1 - BAR))


def other_at_one_entry(x, noise, t):
    out = RIGHT(x, noise, t)
    out[:, 1] *= 1.01
    return out


@pytest.mark.parametrize(
    ("add_noise", "cause"),
    [
        (lambda x, noise, t: np.clip(RIGHT(x, noise, t), -1, 1), "is clipped to [-1, 1]"),
        (
            lambda x, noise, t: RIGHT(x, noise.mean(1, keepdims=True) + 0 * x, t),
            "it shares noise among the entries",
        ),
        (lambda x, noise, t: RIGHT(x[:, ::-1], noise, t), "the entries of x_0 are moved"),
        (other_at_one_entry, "entry 1 of a sample"),
        (q(np.ones(1000), np.sqrt(1 - BAR)), "not multiplied by √ᾱ_t"),
        (q(np.sqrt(BAR)[::-1], np.sqrt(1 - BAR)[::-1]), "read in reverse"),
        (q(np.where(np.arange(1000) == 501, 1.5, 1) * np.sqrt(BAR), np.sqrt(1 - BAR)), "501"),
        (q(np.ones(1000), TRAIN**2), "multiplies noise"),
        (lambda x, noise, t: RIGHT(x, noise, np.full_like(t, t[0])), "multiplies"),
    ],
)
def test_wrong_noise(add_noise, cause):
    refuted(cause, betas=BETAS, add_noise=add_noise)


def test_a_function_of_images():
    def add_noise(x, noise, t):
        a, s = np.sqrt(BAR)[t], np.sqrt(1 - BAR)[t]
        return a[:, None, None, None] * x + s[:, None, None, None] * noise

    assert check(betas=BETAS, add_noise=add_noise)
    evidence = check(betas=BETAS, add_noise=add_noise, shape=(3, 64, 64))
    assert evidence and evidence.coverage.asked["timesteps"] == 1000


def test_noise_levels_without_a_table():
    s = karras(20, 0.03, 14)
    given = {"sigmas": s, "form": "karras"}
    assert check(**given, add_noise=lambda x, noise, sigma: x + sigma[:, None] * noise)
    refuted("x_0 by 7", **given, add_noise=lambda x, noise, sigma: 7 * x)
    flow = {"sigmas": STRAIGHT, "form": "linear"}
    assert check(**flow, add_noise=lambda x, n, s: (1 - s)[:, None] * x + s[:, None] * n)
    refuted("x_0 by", **flow, add_noise=lambda x, n, s: s[:, None] * (x + n))


def test_functions_of_torch():
    torch = pytest.importorskip("torch")
    alpha, sigma = torch.tensor(np.sqrt(BAR)), torch.tensor(np.sqrt(1 - BAR))

    def extract(a, t, shape):
        return a.gather(-1, t).reshape(len(t), *[1] * (len(shape) - 1))

    def q_sample(x_0, t, eps):
        return extract(alpha, t, x_0.shape) * x_0 + extract(sigma, t, x_0.shape) * eps

    assert check(betas=BETAS, add_noise=q_sample, shape=(3, 2, 2))
    refuted(
        "multiplies noise",
        betas=BETAS,
        add_noise=lambda x, t, eps: q_sample(x, t, eps * eps.mean() * 3),
    )


# -- bad input -------------------------------------------------------------------------------------


class Lazy:
    betas = BETAS

    @property
    def sigmas(self):
        raise RuntimeError("call set_timesteps first")


def in_place(x, noise, t):
    x *= np.sqrt(BAR)[t][:, None]
    return x + np.sqrt(1 - BAR)[t][:, None] * noise


def own_noise(x, noise, t):
    return RIGHT(x, np.random.standard_normal(x.shape), t)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"schedule": Lazy()}, "call set_timesteps first"),
        ({"betas": np.append(0, BETAS)}, r"a first β of 0 is the data: pass betas\[1:\]"),
        ({"betas": np.append(BETAS, np.nan)}, r"betas\[1000\] = nan"),
        ({"betas": ["a", "b"]}, "betas must be an array of real numbers"),
        ({"betas": BETAS, "alphas_cumprod": np.append(1, BAR)}, "is the data: leave it out"),
        ({"alphas_cumprod": np.append(1, BAR)}, "that is the data"),
        ({"alphas": BAR, "snr": BAR / (1 - BAR)}, "pass ᾱ as alphas_cumprod="),
        ({"alphas_cumprod": BAR[::-1]}, "reverse it"),
        ({"alphas_cumprod": [0.9, 0.8, 0.8, 0.7]}, r"\[2\] = 0.8 after 0.8"),
        ({"log_snr": [1.0, 2.0]}, "log_snr must be so that its ᾱ is falling"),
        ({"betas": BETAS, "alphas_cumprod": BAR, "num_train_timesteps": 4000}, "must be 1000"),
        ({"betas": BETAS, "prediction": "banana"}, "prediction must be one of"),
        ({"betas": BETAS, "timesteps": np.arange(1000, 0, -1)}, "count from 1: subtract 1"),
        ({"betas": BETAS, "timesteps": []}, "timesteps must be one entry or more"),
        ({"sigmas": [*karras(20, 14.0, 0.03), 0.0]}, "11.2502 next to 14"),
        ({"sigmas": [3.0, 1.0, 0.0, 0.0]}, "one trailing 0 is allowed"),
        ({"sigmas": [3.0] * 1000}, "got 3 next to 3"),
        ({"sigmas": karras(9, 0.1, 9), "posterior_variance": np.ones(9)}, "posterior_variance"),
        ({"betas": BETAS, "add_noise": RIGHT, "shape": "ab"}, "shape must be an integer"),
        ({"betas": BETAS, "steps_offset": "one"}, "steps_offset must be an integer"),
        ({"betas": BETAS, "form": "linear", "form_options": [1]}, "form_options must be a mapping"),
        ({"betas": BETAS, "form": "linear", "form_options": {"rho": 1}}, "beta_start, beta_end"),
        ({"betas": BETAS, "alphas_cumprod": BAR, "form_options": {"rho": 3}}, "form must be named"),
        ({"betas": BETAS, "alphas_cumprod": BAR, "spacing": "leading"}, "without timesteps"),
        ({"sigmas": [2.0, 1.0], "timesteps": [9, 0], "spacing": "leading"}, "without betas"),
        ({"betas": BETAS, "add_noise": 3}, "add_noise must be callable"),
        ({"betas": BETAS, "add_noise": in_place}, "leave its input unchanged"),
        ({"betas": BETAS, "add_noise": own_noise}, "two calls with the same arguments differ"),
    ],
)
def test_bad_input(given, match):
    with pytest.raises((ArgumentError, CallableError), match=match):
        check(**given)


# -- schedulers as they are shipped ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("DDPMScheduler", {}),
        ("DDIMScheduler", {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}),
        ("DDIMInverseScheduler", {}),
        ("EulerDiscreteScheduler", {}),
        ("EulerDiscreteScheduler", {"use_karras_sigmas": True}),
        ("EulerDiscreteScheduler", {"timestep_spacing": "leading", "steps_offset": 1}),
        ("DPMSolverMultistepScheduler", {"use_lu_lambdas": True}),
        ("DPMSolverMultistepScheduler", {"use_exponential_sigmas": True}),
        ("HeunDiscreteScheduler", {}),
        (
            "UniPCMultistepScheduler",
            {"use_flow_sigmas": True, "prediction_type": "flow_prediction"},
        ),
        ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}),
        ("EDMEulerScheduler", {}),
        ("LCMScheduler", {}),
        ("RePaintScheduler", {}),
    ],
)
def test_shipped(name, config):
    diffusers = pytest.importorskip("diffusers")
    scheduler = getattr(diffusers, name)(**config)
    scheduler.set_timesteps(20)
    evidence = check(scheduler)
    assert evidence, evidence.explain()
    assert len(evidence.sentence) < 500


def polyexponential(n, rho, low=0.03, high=14.6):
    return np.exp(np.linspace(1, 0, n) ** rho * np.log(high / low) + np.log(low))


def moved(sigmas, k, factor):
    return np.where(np.arange(len(sigmas)) == k, factor * sigmas, sigmas)


@pytest.mark.parametrize(
    ("sigmas", "rho"),
    [
        (polyexponential(30, 0.1001), 0.1),
        (polyexponential(30, 0.11), 0.1),
        (moved(polyexponential(30, 0.3), 10, 1 + 1e-4), 0.3),
        (moved(polyexponential(30, 0.5), 10, 1.003).astype("f4"), 0.5),
        (moved(polyexponential(30, 0.3), 10, 1.05).astype("f4"), 0.3),
    ],
    ids=["rho", "rho far off", "entry", "entry in float32", "entry far off in float32"],
)
def test_a_steep_end_hides_nothing_before_it(sigmas, rho):
    """r^ρ is steep where the ramp r ends at 0, and there alone."""
    options = {"form": "polyexponential", "form_options": {"rho": rho}}
    evidence = sp.check_schedule(sigmas=sigmas, **options)
    assert evidence.verdict == "refuted", evidence.explain()
    assert sp.check_schedule(sigmas=polyexponential(30, rho).astype(sigmas.dtype), **options)
