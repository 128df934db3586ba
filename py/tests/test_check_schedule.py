"""`check_schedule` on tables as public code has them, right and wrong."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.public.schedule.spacing import SPACINGS, spaced

check = sp.check_schedule
BETAS = np.linspace(1e-4, 0.02, 1000)


class GaussianDiffusion:
    """The tables of a DDPM, as classes of that name have them."""

    def __init__(self, betas=BETAS, dtype=np.float64, **wrong):
        b = self.betas = np.asarray(betas, dtype)
        a = self.alphas_cumprod = np.cumprod(1 - b, dtype=dtype)
        self.alphas_cumprod_prev = p = np.append(dtype(1.0), a[:-1]).astype(dtype)
        self.alphas_cumprod_next = np.append(a[1:], dtype(0.0)).astype(dtype)
        self.sqrt_alphas_cumprod = np.sqrt(a)
        self.sqrt_one_minus_alphas_cumprod = np.sqrt(1 - a)
        self.log_one_minus_alphas_cumprod = np.log(1 - a)
        self.sqrt_recip_alphas_cumprod = np.sqrt(1 / a)
        self.sqrt_recipm1_alphas_cumprod = np.sqrt(1 / a - 1)
        self.posterior_variance = v = b * (1 - p) / (1 - a)
        self.posterior_log_variance_clipped = np.log(np.append(v[1], v[1:]))
        self.posterior_mean_coef1 = b * np.sqrt(p) / (1 - a)
        self.posterior_mean_coef2 = (1 - p) * np.sqrt(1 - b) / (1 - a)
        for name, make in wrong.items():
            setattr(self, name, make(self))

    def q_sample(self, x_start, t, noise):
        shape = (-1, *[1] * (x_start.ndim - 1))
        a, s = self.sqrt_alphas_cumprod[t], self.sqrt_one_minus_alphas_cumprod[t]
        return a.reshape(shape) * x_start + s.reshape(shape) * noise


# -- right -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("steps", [50, 1000])
def test_a_ddpm(dtype, steps):
    betas = np.linspace(1e-4 * 1000 / steps, 0.02 * 1000 / steps, steps)
    evidence = check(GaussianDiffusion(betas, dtype), shape=(3, 4, 4))
    assert evidence, evidence.explain()
    assert evidence.coverage.asked["tables"] == 12 and evidence.resolution <= 0.01


def test_the_first_log_variance_may_be_clipped_at_1e_20():
    g = GaussianDiffusion(
        posterior_log_variance_clipped=lambda g: np.log(np.maximum(g.posterior_variance, 1e-20))
    )
    assert check(g)


def test_any_array_library():
    torch = pytest.importorskip("torch")
    b = torch.linspace(1e-4, 0.02, 1000)
    assert check(betas=b, alphas_cumprod=torch.cumprod(1 - b, 0), form="linear")
    assert check({"betas": b.tolist(), "alphas_cumprod": np.cumprod(1 - b.numpy())})
    coarse = b.bfloat16()
    evidence = check(betas=coarse, alphas_cumprod=torch.cumprod(1 - coarse, 0))
    assert evidence.verdict == "undecided" and "float64" in evidence.explain()


@pytest.mark.parametrize(
    ("form", "betas"),
    [
        ("linear", BETAS),
        ("scaled_linear", np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2),
        (
            "cosine",
            np.minimum(
                1
                - np.cos((np.arange(1, 101) / 100 + 0.008) / 1.008 * np.pi / 2) ** 2
                / np.cos((np.arange(100) / 100 + 0.008) / 1.008 * np.pi / 2) ** 2,
                0.999,
            ),
        ),
    ],
)
def test_forms_of_betas(form, betas):
    assert check(betas=betas, form=form)
    others = {"linear", "scaled_linear", "cosine"} - {form}
    for other in others:
        evidence = check(betas=betas, form=other)
        assert evidence.verdict == "refuted" and f"it has the form {form!r}" in evidence.explain()


def test_forms_of_sigmas():
    ramp = np.linspace(14.6 ** (1 / 7), 0.03 ** (1 / 7), 20) ** 7
    assert check(sigmas=[*ramp, 0.0], form="karras")
    assert check(sigmas=ramp, form="karras")
    assert check(sigmas=np.geomspace(10, 0.1, 12), form="exponential")
    assert check(sigmas=np.geomspace(10, 0.1, 12), form="polyexponential")
    five = np.linspace(14.6**0.2, 0.03**0.2, 20) ** 5
    evidence = check(sigmas=five, form="karras")
    assert evidence.verdict == "refuted" and "they have ρ = 5" in evidence.explain()
    assert check(sigmas=five, form="karras", form_options={"rho": 5.0})
    evidence = check(sigmas=np.geomspace(10, 0.1, 12), form="karras")
    assert evidence.verdict == "refuted" and "'exponential'" in evidence.explain()


def test_a_shifted_flow():
    s = np.linspace(1.0, 0.001, 25)
    shifted = 3 * s / (1 + 2 * s)
    assert check(sigmas=shifted, timesteps=1000 * shifted, form="shifted")
    evidence = check(sigmas=shifted, timesteps=1000 * s)
    assert evidence.verdict == "refuted" and "neither 1000 σ" in evidence.explain()
    assert check(sigmas=s, timesteps=np.log(s) / 4)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_spacings(spacing):
    t = spaced(spacing, 50, 1000)
    assert check(betas=BETAS, timesteps=t, spacing=spacing)
    for other in set(SPACINGS) - {spacing}:
        evidence = check(betas=BETAS, timesteps=t, spacing=other)
        assert evidence.verdict == "refuted" and f"they have {spacing}" in evidence.explain()
    shifted = check(betas=BETAS, timesteps=spaced("leading", 50, 1000, 1), spacing="leading")
    assert shifted.verdict == "refuted" and "steps_offset 1" in shifted.explain()
    assert check(
        betas=BETAS, timesteps=spaced("leading", 50, 1000, 1), spacing="leading", steps_offset=1
    )


def test_sigmas_at_timesteps():
    bar = np.cumprod(1 - BETAS)
    train = np.sqrt((1 - bar) / bar)
    t = spaced("linspace", 20, 1000)
    assert check(betas=BETAS, timesteps=t, sigmas=[*train[t], 0.0])
    assert check(betas=BETAS, sigmas=train) and check(betas=BETAS, sigmas=train[::-1])
    evidence = check(betas=BETAS, timesteps=t, sigmas=train[t] ** 2)
    assert evidence.verdict == "refuted" and "σ² = (1 - ᾱ) / ᾱ" in evidence.explain()
    evidence = check(betas=BETAS, timesteps=t, sigmas=np.sqrt(1 - bar)[t])
    assert evidence.verdict == "refuted" and "variance-preserving" in evidence.explain()


def test_no_signal_at_the_end():
    betas = BETAS.copy()
    betas[-1] = 1.0
    evidence = check(betas=betas, prediction="epsilon")
    assert evidence.verdict == "refuted" and "v_prediction" in evidence.explain()
    assert check(betas=betas, prediction="v_prediction") and check(
        betas=BETAS, prediction="epsilon"
    )


# -- wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "make", "cause"),
    [
        ("alphas_cumprod", lambda g: np.exp(-np.cumsum(g.betas)), "exp(-Σβ)"),
        ("alphas_cumprod", lambda g: 1 - np.cumsum(g.betas), "a sum for the product"),
        ("alphas_cumprod_prev", lambda g: g.alphas_cumprod, "holds that of t + 1"),
        ("alphas_cumprod_prev", lambda g: np.append(0.0, g.alphas_cumprod[:-1]), "entry 0 alone"),
        ("sqrt_alphas_cumprod", lambda g: g.alphas_cumprod, "its square"),
        ("sqrt_alphas_cumprod", lambda g: g.sqrt_alphas_cumprod[::-1], "reversed"),
        ("sqrt_one_minus_alphas_cumprod", lambda g: 1 - g.alphas_cumprod, "its square"),
        ("sqrt_recipm1_alphas_cumprod", lambda g: g.sqrt_recip_alphas_cumprod, "sqrt_recip_"),
        ("posterior_variance", lambda g: g.betas, "it is betas"),
        ("posterior_variance", lambda g: np.sqrt(g.posterior_variance), "its square root"),
        ("posterior_variance", lambda g: 2 * g.posterior_variance, "it is 2 times"),
        (
            "posterior_variance",
            lambda g: g.betas * (1 - g.alphas_cumprod) / (1 - g.alphas_cumprod_prev + 1e-30),
            "β_t (1 - ᾱ_t) / (1 - ᾱ_{t-1})",
        ),
        ("posterior_log_variance_clipped", lambda g: np.log(g.betas), "log β_t"),
        (
            "posterior_log_variance_clipped",
            lambda g: 0.5 * g.posterior_log_variance_clipped,
            "it is 0.5 = 1/2 times",
        ),
        (
            "posterior_mean_coef1",
            lambda g: g.betas * np.sqrt(g.alphas_cumprod) / (1 - g.alphas_cumprod),
            "ᾱ_t for ᾱ_{t-1}",
        ),
        ("posterior_mean_coef2", lambda g: np.sqrt(1 - g.betas), "ᾱ_t for ᾱ_{t-1}"),
        ("posterior_mean_coef1", lambda g: g.posterior_mean_coef2, "posterior_mean_coef2"),
    ],
)
def test_a_wrong_table_is_named(name, make, cause):
    evidence = check(GaussianDiffusion(**{name: make}))
    assert evidence.verdict == "refuted", evidence.explain()
    assert evidence.sentence.startswith(f"{name}[") and cause in evidence.explain()


@pytest.mark.parametrize("entry", [0, 1, 500, 999])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_entry_alone(entry, dtype):
    def off(g):
        table = g.sqrt_alphas_cumprod.copy()
        table[entry] *= dtype(1.02)
        return table

    evidence = check(GaussianDiffusion(dtype=dtype, sqrt_alphas_cumprod=off))
    assert evidence.verdict == "refuted"
    assert f"sqrt_alphas_cumprod[{entry}]" in evidence.explain()
    assert f"at entry {entry} alone, of 1000" in evidence.explain()


@pytest.mark.parametrize(
    ("forward", "cause"),
    [
        (lambda a, s, t: (s[t], a[t]), "x_0 and noise are exchanged"),
        (lambda a, s, t: (a[t], s[t] ** 2), "the square of √(1 - ᾱ_t)"),
        (lambda a, s, t: (a[t] ** 2, s[t]), "x_0 is multiplied by ᾱ_t, where √ᾱ_t is due"),
        (lambda a, s, t: (a[t - 1], s[t - 1]), "timestep t - 1"),
        (lambda a, s, t: (a[t], 1.01 * s[t]), "1 + 0.01 times √(1 - ᾱ_t)"),
    ],
)
def test_add_noise(forward, cause):
    bar = np.cumprod(1 - BETAS)

    def add_noise(x, noise, t):
        a, s = forward(np.sqrt(bar), np.sqrt(1 - bar), t)
        return a[:, None] * x + s[:, None] * noise

    evidence = check(betas=BETAS, add_noise=add_noise)
    assert evidence.verdict == "refuted" and cause in evidence.explain()


def test_noise_that_is_broadcast_over_the_wrong_axis():
    bar = np.cumprod(1 - BETAS)

    def add_noise(x, noise, t):  # a square batch hides it
        return np.sqrt(bar[t]) * x + np.sqrt(1 - bar[t]) * noise

    with pytest.raises(CallableError, match="add_noise"):
        check(betas=BETAS, add_noise=add_noise, shape=(3, 5))


# -- nothing to compare with, and bad input --------------------------------------------------------


def test_a_table_alone_is_undecided():
    evidence = check(betas=BETAS)
    assert evidence.verdict == "undecided" and "it has the form 'linear'" in evidence.explain()


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({}, "schedule must be betas, alphas_cumprod"),
        ({"betas": [0.1, 1.5]}, r"betas must be in \(0, 1\)"),
        ({"betas": [0.1, -0.1]}, r"betas must be in \(0, 1\)"),
        ({"sigmas": [1.0, 3.0, 2.0]}, "all falling, or all rising"),
        ({"sigmas": [3.0, 2.0, 2.0]}, "all falling, or all rising"),
        ({"betas": BETAS, "alphas_cumprod": BETAS[1:]}, "alphas_cumprod must be of length 1000"),
        ({"betas": BETAS, "gammas": BETAS}, "gammas must be a table of a schedule"),
        ({"betas": BETAS, "timesteps": [1000, 0]}, "timesteps must be in the table, 0 to 999"),
        ({"betas": BETAS, "form": "kosine"}, "form must be one of"),
        ({"sigmas": [3.0, 1.0], "form": "cosine"}, "form must be one of karras"),
        ({"betas": BETAS, "form": "linear", "form_options": {"rho": 1}}, "form_options must be"),
        ({"betas": BETAS, "spacing": "other"}, "spacing must be one of"),
        ({"betas": BETAS, "add_noise": lambda x, noise, t: 1 / 0}, "it raised ZeroDivisionError"),
        ({"betas": BETAS, "add_noise": lambda x, noise, t: x[:1]}, "return shape"),
        ({"betas": np.ones((2, 2))}, "betas must be of shape"),
    ],
)
def test_bad_input(given, match):
    with pytest.raises((ArgumentError, CallableError), match=match):
        check(**given)
