"""Every slip in EDM's factors that `check_loss` knows is named when it is made."""

from __future__ import annotations

import numpy as np
import pytest

from scoreproof import check_loss

torch = pytest.importorskip("torch")
SPREAD = 0.4


def total(s):
    return s**2 + SPREAD**2


def edm(skip=None, out=None, into=None):
    skip = skip or (lambda s: SPREAD**2 / total(s))
    out = out or (lambda s: SPREAD * s / total(s).sqrt())
    into = into or (lambda s: 1 / total(s).sqrt())

    def loss(net, x0):
        sigma = (1.2 * torch.randn(len(x0), 1) - 1.2).exp()
        x = x0 + sigma * torch.randn_like(x0)
        got = skip(sigma) * x + out(sigma) * net(into(sigma) * x, sigma.log().flatten() / 4)
        return ((got - x0) ** 2 / sigma**2).sum()

    return check_loss(loss, prediction="F", sigma_data=SPREAD)


SKIPS = {
    "it is 0, x_t is left out": lambda s: 0 * s,
    "it is 1, x_t is added as it is": lambda s: 0 * s + 1,
    "σ_data is not squared in its numerator": lambda s: SPREAD / total(s),
    "σ_data² is missing in its numerator, which is 1": lambda s: 1 / total(s),
    "σ² is its numerator": lambda s: s**2 / total(s),
    "a root is taken of its denominator": lambda s: SPREAD**2 / total(s).sqrt(),
    "a root is taken of it": lambda s: SPREAD / total(s).sqrt(),
    "σ_data is not squared in its denominator": lambda s: SPREAD**2 / (s**2 + SPREAD),
    "its denominator is (σ + σ_data)²": lambda s: SPREAD**2 / (s + SPREAD) ** 2,
    "σ and σ_data are not squared in it": lambda s: SPREAD / (s + SPREAD),
    "it has 1 for σ_data, 1/(σ² + 1)": lambda s: 1 / (s**2 + 1),
    "it is the formula of c_out": lambda s: SPREAD * s / total(s).sqrt(),
    "it is that of a consistency model": lambda s: SPREAD**2 / ((s - 0.002) ** 2 + SPREAD**2),
}
OUTS = {
    "the root of its denominator is missing": lambda s: SPREAD * s / total(s),
    "σ_data is missing in its numerator": lambda s: s / total(s).sqrt(),
    "σ is missing in its numerator": lambda s: SPREAD / total(s).sqrt(),
    "σ_data is squared in its numerator": lambda s: SPREAD**2 * s / total(s).sqrt(),
    "σ is squared in its numerator": lambda s: SPREAD * s**2 / total(s).sqrt(),
    "its denominator is missing": lambda s: SPREAD * s,
    "its denominator is σ + σ_data": lambda s: SPREAD * s / (s + SPREAD),
    "σ_data is not squared under the root": lambda s: SPREAD * s / (s**2 + SPREAD).sqrt(),
    "it is σ;": lambda s: s,
    "it is 1;": lambda s: 0 * s + 1,
    "it is minus what is due": lambda s: -SPREAD * s / total(s).sqrt(),
    "it divides where it is to multiply": lambda s: total(s).sqrt() / (SPREAD * s),
    "it has 1 for σ_data, σ/√(σ² + 1)": lambda s: s / (s**2 + 1).sqrt(),
    "it is the formula of c_skip": lambda s: SPREAD**2 / total(s),
    "it is that of a consistency model": lambda s: SPREAD * (s - 0.002) / total(s).sqrt(),
}
INTOS = {
    "1/(σ² + σ_data²), whose root is missing (c_in)": lambda s: 1 / total(s),
    "1/(σ + σ_data) (c_in)": lambda s: 1 / (s + SPREAD),
    "√(σ² + σ_data²), which is to divide (c_in)": lambda s: total(s).sqrt(),
    "1/√(σ² + σ_data), σ_data not squared (c_in)": lambda s: 1 / (s**2 + SPREAD).sqrt(),
    "σ_data/√(σ² + σ_data²) (c_in)": lambda s: SPREAD / total(s).sqrt(),
    "x_t times 1/σ,": lambda s: 1 / s,
}


def test_the_right_factors_hold():
    assert edm()


@pytest.mark.parametrize("says", SKIPS)
def test_c_skip(says):
    evidence = edm(skip=SKIPS[says])
    assert evidence.verdict == "refuted"
    assert f"c_skip is wrong: {says}" in evidence.explain(), evidence.explain()
    assert "c_out is" not in evidence.explain()


@pytest.mark.parametrize("says", OUTS)
def test_c_out(says):
    evidence = edm(out=OUTS[says])
    assert evidence.verdict == "refuted"
    assert f"c_out is wrong: {says}" in evidence.explain(), evidence.explain()
    assert "c_skip is" not in evidence.explain()


@pytest.mark.parametrize("says", INTOS)
def test_c_in(says):
    evidence = edm(into=INTOS[says])
    assert evidence.verdict == "refuted" and says in evidence.explain(), evidence.explain()


def test_another_factor_is_told_in_numbers():
    evidence = edm(skip=lambda s: 0.17 / total(s))
    assert evidence.verdict == "refuted" and "is due" in evidence.diagnosis.sentence
    assert "c_skip is 0." in evidence.explain() and "c_out is" not in evidence.explain()


@pytest.mark.parametrize(
    ("spread", "says"),
    [(SPREAD, "(σ_data is not squared)"), (SPREAD**4, "(σ_data is squared once more)")],
)
def test_the_weight_with_another_power_of_sigma_data(spread, says):
    def loss(net, x0):
        sigma = (1.2 * torch.randn(len(x0), 1) - 1.2).exp()
        weight = (sigma**2 + spread) / (SPREAD * sigma) ** 2
        return (weight * (net(x0 + sigma * torch.randn_like(x0), sigma) - x0) ** 2).sum()

    evidence = check_loss(loss, prediction="x0", sigma_data=SPREAD, weight="edm")
    assert evidence.verdict == "refuted" and says in evidence.explain(), evidence.explain()


@pytest.mark.parametrize(("power", "says"), [(1, "g is in it where g²"), (4, "g⁴ is in it where")])
def test_another_power_of_g(power, says):
    from scoreproof.objects.schedules import VPLinear

    process = VPLinear()

    def loss(model, x0, t, noise):
        a, s, g = (
            torch.tensor([float(f(float(k))) for k in t], dtype=torch.float64)[:, None]
            for f in (process.alpha, process.sigma, process.diffusion)
        )
        return (g**power * (model(a * x0 + s * noise, t) + noise / s) ** 2).mean()

    evidence = check_loss(loss, process, prediction="score", weight="likelihood")
    assert evidence.verdict == "refuted" and says in evidence.explain(), evidence.explain()


@pytest.mark.parametrize(("by", "says"), [(1, "told t - 1 where"), (-1, "told t + 1 where")])
def test_a_step_to_the_side_that_is_clipped_at_the_end(by, says):
    bar = torch.from_numpy(np.cumprod(1 - np.linspace(1e-3, 0.02, 200)))

    def loss(model, x0):
        t, noise = torch.randint(0, 200, (len(x0),)), torch.randn_like(x0)
        a = bar[(t + by).clamp(0, 199)][:, None]
        return ((model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t) - noise) ** 2).mean()

    evidence = check_loss(loss, {"alphas_cumprod": bar.numpy()})
    assert evidence.verdict == "refuted" and says in evidence.explain(), evidence.explain()
