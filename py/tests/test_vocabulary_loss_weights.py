"""Weights and targets of training losses that are not what is claimed, each in its words."""

from __future__ import annotations

import numpy as np
import pytest

from scoreproof import CallableError
from scoreproof import check_loss as check

BETAS = np.linspace(1e-4, 0.02, 1000)
BAR = np.cumprod(1 - BETAS)


def ddpm(model, x0, t, noise):
    a, s = np.sqrt(BAR)[t][:, None], np.sqrt(1 - BAR)[t][:, None]
    return np.mean((model(a * x0 + s * noise, t) - noise) ** 2, axis=1)


def edm(weight, prediction):
    """The loss of Karras et al., of the denoiser or of F."""

    def loss(model, x0, t, noise):
        sigma, data = t[:, None], 0.5
        x = x0 + sigma * noise
        if prediction == "F":
            total = sigma**2 + data**2
            inner = model(x / np.sqrt(total), sigma[:, 0])
            denoised = data**2 / total * x + sigma * data / np.sqrt(total) * inner
        else:
            denoised = model(x, sigma[:, 0])
        return np.mean(weight(sigma) * (denoised - x0) ** 2, axis=1)

    return loss


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        ("snr", "the SNR, for x_0"),
        ("truncated-snr", "max(SNR, 1), for x_0"),
        ("score", "uniform in the score"),
    ],
)
def test_a_claimed_weight_is_named(weight, said):
    evidence = check(ddpm, {"betas": BETAS}, weight=weight)
    assert evidence.verdict == ("holds" if weight == "snr" else "refuted")
    assert said in evidence.explain()


def test_the_denominator_of_edm():
    loss = edm(lambda sigma: (sigma**2 + 0.25) / (sigma + 0.5) ** 2, "x0")
    evidence = check(loss, prediction="x0", weight="edm", times=np.geomspace(0.01, 50, 11))
    assert "the denominator is (σ + σ_data)² where" in evidence.explain()


def test_a_score_whose_target_is_multiplied():
    def loss(model, x0, t, noise):
        return np.mean((model(x0 + t[:, None] * noise, t) + t[:, None] * noise) ** 2, axis=1)

    evidence = check(loss, prediction="score", times=np.geomspace(0.01, 50, 11))
    assert "the target is -σ ε" in evidence.explain()


def test_a_root_of_what_vanishes():
    def loss(model, x0, t, noise):
        a, s = np.sqrt(BAR)[t][:, None], np.sqrt(1 - BAR)[t][:, None]
        return np.full(len(x0), np.nan) * model(a * x0 + s * noise, t)[:, 0]

    with pytest.raises(CallableError) as error:
        check(loss, {"betas": BETAS})
    assert "nan or inf" in str(error.value)
