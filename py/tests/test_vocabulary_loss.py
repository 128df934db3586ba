"""Each mistake in a training loss, as a user's code makes it, is named."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp

BAR = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
TABLE = {"alphas_cumprod": BAR}


def told(process, prediction, x=None, target=None, weight=None, label=None, claim=None, said=None):
    """What is said of a loss with that x_t, target, weight and label, of (α, σ, x_0, ε, t)."""
    torch = pytest.importorskip("torch")
    bar = torch.from_numpy(BAR)

    def levels(t):
        if process == "flow":
            return 1 - t, t
        return (bar[t].sqrt(), (1 - bar[t]).sqrt()) if process is not None else (1 + 0 * t, t)

    def loss(model, x0, t, noise):
        a, s = (v.reshape(-1, 1) for v in levels(t))
        names = {"eps": noise, "x0": x0, "score": -noise / s, "flow": noise - x0}
        names["v"] = (a * noise - s * x0) / (a**2 + s**2) ** 0.5
        x_t = a * x0 + s * noise if x is None else x(a, s, x0, noise, t)
        due = names[prediction] if target is None else target(a, s, x0, noise, t)
        w = 1.0 if weight is None else weight(a, s, x0, noise, t)
        out = model(x_t, t if label is None else label(t))
        return (w * (out - due) ** 2).mean()

    options = {"prediction": prediction, "framework": "torch", "weight": claim, "label": said}
    evidence = sp.check_loss(loss, process, **options)
    assert evidence.verdict == "refuted", evidence.explain()
    return evidence.explain()


INPUTS = {
    "x_0 and the noise are multiplied by ᾱ and 1 - ᾱ where their roots are due": (
        TABLE, lambda a, s, x, e, t: a**2 * x + s**2 * e),
    "σ is missing in front of the noise": (TABLE, lambda a, s, x, e, t: a * x + e),
    "α and σ are exchanged: x_0 is multiplied by σ": (TABLE, lambda a, s, x, e, t: s * x + a * e),
    "the noise is subtracted": (TABLE, lambda a, s, x, e, t: a * x - s * e),
    "the noise is not added": (TABLE, lambda a, s, x, e, t: a * x),
    "the noise is multiplied by 1 - α where": (TABLE, lambda a, s, x, e, t: a * x + (1 - a) * e),
    "the noise is multiplied by √(1 - α) where": (
        TABLE, lambda a, s, x, e, t: a * x + (1 - a) ** 0.5 * e),
    "the model is given the clean x_0": (TABLE, lambda a, s, x, e, t: x),
    "the model is given the noise in place of x_t": (TABLE, lambda a, s, x, e, t: e),
    "the noise is multiplied by √σ": (TABLE, lambda a, s, x, e, t: a * x + s**0.5 * e),
    "x_0 is multiplied by 0.5 before it is noised": (
        TABLE, lambda a, s, x, e, t: a * 0.5 * x + s * e),
    "the model is given x_t times 1/α": (TABLE, lambda a, s, x, e, t: x + s / a * e),
    "x_t keeps noise at its clean end, σ_min = 0.0001": (
        "flow", lambda a, s, x, e, t: a * x + (1 - (1 - 1e-4) * a) * e),
    "only the factor of ε is off": (TABLE, lambda a, s, x, e, t: a * x + (s + 0.01 * s**3) * e),
    "x_0 is shifted by 0.3": (TABLE, lambda a, s, x, e, t: a * (x + 0.3) + s * e),
    "x_t is clipped to ±0.5": (TABLE, lambda a, s, x, e, t: (a * x + s * e).clamp(-0.5, 0.5)),
    "x_t has the noise of the previous sample": (
        TABLE, lambda a, s, x, e, t: a * x + s * e.roll(1, 0)),
    "encode=lambda x0: (x0 + 1) / 2": (TABLE, lambda a, s, x, e, t: a * (x + 1) / 2 + s * e),
}  # fmt: skip


@pytest.mark.parametrize("says", INPUTS)
def test_another_x_is_named(says):
    process, x = INPUTS[says]
    assert says in told(process, "flow" if process == "flow" else "eps", x=x)


TARGETS = {
    "the target is x_t itself": (TABLE, "eps", lambda a, s, x, e, t: a * x + s * e),
    "the target is -σ ε where -ε/σ is due": (TABLE, "score", lambda a, s, x, e, t: -s * e),
    "the target is σ ε, the noise as it is added": (TABLE, "eps", lambda a, s, x, e, t: s * e),
    "the target is α x_0": (TABLE, "x0", lambda a, s, x, e, t: a * x),
    "α and σ are exchanged in the target": (TABLE, "v", lambda a, s, x, e, t: s * e - a * x),
    "the target is α x_0 - σ ε": (TABLE, "eps", lambda a, s, x, e, t: a * x - s * e),
    "σ² and α² are in v where their roots are due": (
        TABLE, "v", lambda a, s, x, e, t: a**2 * e - s**2 * x),
    "α² is in v where α is due": (TABLE, "v", lambda a, s, x, e, t: a**2 * e - s * x),
    "the target is x_t - x_0": (TABLE, "eps", lambda a, s, x, e, t: a * x + s * e - x),
    "the target is ε - x_t": ("flow", "flow", lambda a, s, x, e, t: e - a * x - s * e),
    "the target is x_0 - x_t": (TABLE, "x0", lambda a, s, x, e, t: x - a * x - s * e),
    "the target is ε + x_0 where ε - x_0 is due": ("flow", "flow", lambda a, s, x, e, t: e + x),
    "the target is that of the next sample": (TABLE, "eps", lambda a, s, x, e, t: e.roll(-1, 0)),
    "the target is 0": (TABLE, "eps", lambda a, s, x, e, t: 0 * e),
    "the target is the mean over the sample's entries": (
        TABLE, "x0", lambda a, s, x, e, t: x.mean(1, keepdim=True) + 0 * x),
    "the target is 2 times ε": (TABLE, "eps", lambda a, s, x, e, t: 2 * e),
    "x_0 + ": (TABLE, "eps", lambda a, s, x, e, t: e + 0.3 * x),
    "the target is 0 (is x_0 dropped": (TABLE, "x0", lambda a, s, x, e, t: x * (s > 0.9)),
}  # fmt: skip


@pytest.mark.parametrize("says", TARGETS)
def test_another_target_is_named(says):
    process, prediction, target = TARGETS[says]
    assert says in told(process, prediction, target=target)


def snr(a, s):
    return (a / s) ** 2


WEIGHTS = {
    "the SNR in it is α⁴/σ⁴": (
        TABLE, "eps", "min-snr", lambda a, s: snr(a, s) ** -2 * (snr(a, s) ** 2).clamp(max=5)),
    "SNR is turned over in it": (
        TABLE, "x0", "min-snr", lambda a, s: (1 / snr(a, s)).clamp(max=5)),
    "it is the square of the weight that is due": (TABLE, "score", "sigma2", lambda a, s: s**4),
    "divides where it must multiply": (TABLE, "score", "sigma2", lambda a, s: s**-2),
    "the square of σ σ_data is missing": (
        None, "x0", "edm", lambda a, s: (s**2 + 0.25) / (0.5 * s)),
    "turned over": (None, "x0", "edm", lambda a, s: (0.5 * s) ** 2 / (s**2 + 0.25)),
    "the numerator is (σ + σ_data)²": (
        None, "x0", "edm", lambda a, s: (s + 0.5) ** 2 / (0.5 * s) ** 2),
    "it is what is due times σ³": (None, "score", "sigma2", lambda a, s: s**5),
    "its weight is not among": (None, "x0", "edm", lambda a, s: 1 / (1 + s)),
}  # fmt: skip


@pytest.mark.parametrize("says", WEIGHTS)
def test_another_weight_is_named(says):
    process, prediction, claim, weight = WEIGHTS[says]
    text = told_weight(process, prediction, claim, weight)
    assert says in text or says == "its weight is not among" and "No known fault" in text


def told_weight(process, prediction, claim, weight):
    return told(process, prediction, weight=lambda a, s, x, e, t: weight(a, s), claim=claim)


def test_labels_of_a_flow():
    assert "told 1 - t where its x" in told("flow", "flow", label=lambda t: 1 - t)
    assert "told sqrt(t) where its x" in told("flow", "flow", label=lambda t: t**0.5)
    assert "told σ² where its x" in told(None, "eps", label=lambda t: t**2)
    assert "where label(t) is due" in told(None, "eps", said=lambda t: 2 * t)


def test_what_edms_network_is_given():
    pytest.importorskip("torch")

    def loss(scale):
        def made(inner, x0, noise, sigma):
            s = sigma.reshape(-1, 1)
            total = s**2 + 0.25
            x = x0 + s * noise
            target = (x0 - 0.25 / total * x) / (s * 0.5 / total.sqrt())
            return (inner(x / scale(s), sigma.log() / 4) - target).pow(2).mean()

        return made

    options = {"prediction": "F", "framework": "torch"}
    wrong = sp.check_loss(loss(lambda s: (s**2 + 1).sqrt()), **options)
    assert "times 1/√(σ² + 1), where 1/√(σ² + σ_data²) with σ_data = 0.5" in wrong.explain()
    plain = sp.check_loss(loss(lambda s: 1.0), **options)
    assert plain and "without c_in" in plain.explain()
