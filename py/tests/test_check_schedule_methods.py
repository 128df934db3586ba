"""`check_schedule` on the methods of a diffusion's object that follow from its tables."""

from __future__ import annotations

import numpy as np
import pytest

from scoreproof import check_schedule


class Diffusion:
    """With the methods of denoising-diffusion-pytorch, in NumPy."""

    def __init__(self, n=200, dtype=np.float64):
        b = self.betas = np.linspace(5e-4, 0.1, n).astype(dtype)
        a = self.alphas_cumprod = np.cumprod(1 - b, dtype=dtype)
        p = self.prev = np.append(dtype(1), a[:-1])
        self.var = b * (1 - p) / (1 - a)
        self.log_var = np.log(np.append(self.var[1], self.var[1:]))
        self.c1, self.c2 = b * p**0.5 / (1 - a), (1 - p) * (1 - b) ** 0.5 / (1 - a)
        self.signal, self.noise = a**0.5, (1 - a) ** 0.5

    def at(self, table, t):
        return table[t][:, None]

    def q_posterior(self, x_start, x_t, t):
        mean = self.at(self.c1, t) * x_start + self.at(self.c2, t) * x_t
        return mean, self.at(self.var, t), self.at(self.log_var, t)

    def predict_start_from_noise(self, x_t, t, noise):
        return (x_t - self.at(self.noise, t) * noise) / self.at(self.signal, t)

    def predict_noise_from_start(self, x_t, t, x0):
        return (x_t - self.at(self.signal, t) * x0) / self.at(self.noise, t)

    def predict_v(self, x_start, t, noise):
        return self.at(self.signal, t) * noise - self.at(self.noise, t) * x_start

    def predict_start_from_v(self, x_t, t, v):
        return self.at(self.signal, t) * x_t - self.at(self.noise, t) * v

    def predict_noise_from_v(self, x_t, t, v):
        return self.at(self.noise, t) * x_t + self.at(self.signal, t) * v

    def _predict_xstart_from_xprev(self, x_t, t, xprev):
        return (xprev - self.at(self.c2, t) * x_t) / self.at(self.c1, t)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_right_methods_hold(dtype):
    evidence = check_schedule(Diffusion(dtype=dtype))
    assert evidence, evidence.explain()
    assert evidence.coverage.asked["methods"] == 7 and not evidence.coverage.left_out


def _with(**methods):
    return type("Wrong", (Diffusion,), methods)()


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        (
            {"q_posterior": lambda o, x_start, x_t, t: Diffusion.q_posterior(o, x_t, x_start, t)},
            "x_0 and x_t are exchanged",
        ),
        (
            {
                "q_posterior": lambda o, x_start, x_t, t: (
                    Diffusion.q_posterior(o, x_start, x_t, t)[0],
                    o.at(o.betas, t),
                    o.at(o.log_var, t),
                )
            },
            "it is betas, β_t, where β_t (1 - ᾱ_{t-1}) / (1 - ᾱ_t) is due",
        ),
        (
            {
                "q_posterior": lambda o, x_start, x_t, t: (
                    *Diffusion.q_posterior(o, x_start, x_t, t)[:2],
                    o.at(o.log_var, t) / 2,
                )
            },
            "the logarithm of the standard deviation",
        ),
        (
            {
                "predict_start_from_noise": lambda o, x_t, t, noise: (
                    Diffusion.predict_start_from_noise(o, x_t, t, -noise)
                )
            },
            "the sign of noise is turned",
        ),
        (
            {
                "predict_noise_from_start": lambda o, x_t, t, x0: (
                    Diffusion.predict_noise_from_start(o, x_t, t, x0) / o.at(o.noise, t)
                )
            },
            "all of it is 1/√(1 - ᾱ_t) times what is due",
        ),
        (
            {
                "predict_v": lambda o, x_start, t, noise: (
                    o.at(o.signal, t) * noise - o.at(o.noise, t) ** 2 * x_start
                )
            },
            "x_0 is multiplied by minus the square of √(1 - ᾱ_t)",
        ),
        (
            {
                "predict_start_from_v": lambda o, x_t, t, v: Diffusion.predict_start_from_v(
                    o, x_t, np.maximum(t - 1, 0), v
                )
            },
            "x_t is multiplied by that of timestep t - 1",
        ),
        (
            {"predict_v": lambda o, x_start, t, noise: 1.013 ** np.sqrt(1 + t)[:, None] * noise},
            "No known cause",
        ),
    ],
)
def test_a_wrong_method_is_refuted(wrong, cause):
    evidence = check_schedule(_with(**wrong))
    assert evidence.verdict == "refuted" and cause in evidence.explain(), evidence.explain()
    assert next(iter(wrong)) in evidence.sentence


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        (lambda o, log_x_start, log_x_t, t: log_x_t, r"\(log_x_start, log_x_t, t\) are not"),
        (lambda o, *args: args[0], "cannot be read"),
        (lambda o, x_start, x_t, t: {}["steps"], "raised KeyError"),
        (
            lambda o, x_start, x_t, t: np.clip(Diffusion.q_posterior(o, x_start, x_t, t)[0], -1, 1),
            "does it clip",
        ),
    ],
)
def test_a_method_that_cannot_be_asked_is_named(method, reason):
    """A verdict may hold without it, and then says so."""
    import re

    evidence = check_schedule(_with(q_posterior=method))
    assert evidence, evidence.explain()
    assert re.search(rf"left out: 1 method \(q_posterior\).*{reason}", evidence.explain())


def test_other_readings_of_a_method_are_right():
    """Two outputs: the variance, its logarithm or its root; x_t = x_0 + σ_t noise."""
    for second in ("log_var", "var"):
        two = _with(
            q_posterior=lambda o, x_start, x_t, t, second=second: (
                Diffusion.q_posterior(o, x_start, x_t, t)[0],
                o.at(getattr(o, second), t),
            )
        )
        assert check_schedule(two), check_schedule(two).explain()
    ve = _with(
        predict_start_from_noise=lambda o, x_t, t, noise: x_t - o.at(o.noise / o.signal, t) * noise
    )
    assert check_schedule(ve), check_schedule(ve).explain()
