"""Every known mistake of a reverse-time sampler, put to check_reverse_sampler at a few times."""

from __future__ import annotations

import numpy as np
import pytest

from scoreproof import check_reverse_sampler
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.objects.schedules import EDM, VPLinear

VP = VPLinear(0.3, 4.3)
FEW = (0.15, 0.4, 0.6, 0.85)


def beta(t):
    return VP.diffusion(t) ** 2


def sde(drift, noise=lambda lam, g: (1 - lam) ** 0.5 * g, lambdas=(0.3,), **more):
    """``drift(x, t, model, weight)`` with the weight of the score, g² (1 - λ/2)."""

    def sampler(x, t, model, lam):
        g = VP.diffusion(t)
        return drift(x, t, model, (1 - lam / 2) * g**2), noise(lam, g)

    return check_reverse_sampler(sampler, VP, lambdas, at=FEW, form="sde", **more)


def of_score(change):
    """The score's term multiplied."""
    return lambda x, t, s, w: VP.drift(x, t) - w * change(t) * s(x, t)


def of_x0(change):
    """The model predicts x0; what is made of it is another x0."""

    def drift(x, t, model, w):
        a, s = VP.alpha(t), VP.sigma(t)
        return VP.drift(x, t) - w * (a * change(a, s) * model(x, t) - x) / s**2

    return drift


X0 = {"prediction": "x0"}
LOG = np.log(2)


@pytest.mark.parametrize(
    ("said", "drift", "noise", "more"),
    [
        (
            "(its coefficient is taken at T - t)",
            lambda x, t, s, w: VP.drift(x, 1 - t) - w * s(x, t),
            None,
            {},
        ),
        (
            "enters 2 times (is its ½ missing?); the term of the score is the one that belongs to",
            lambda x, t, s, w: 2 * VP.drift(x, t) - 0.6 * beta(t) * s(x, t),
            lambda lam, g: 0.2**0.5 * g,
            {},
        ),
        (
            "a base-2 logarithm where the natural one is due",
            lambda x, t, s, w: VP.drift(x, t) - w / LOG * s(x, t),
            lambda lam, g: ((1 - lam) / LOG) ** 0.5 * g,
            {},
        ),
        (
            "g is 1.5 at all times, where that of the process varies",
            lambda x, t, s, w: VP.drift(x, t) - 0.85 * 2.25 * s(x, t),
            lambda lam, g: 0.7**0.5 * 1.5,
            {},
        ),
        ("(g³ where g² is due)", of_score(VP.diffusion), None, {}),
        ("(g⁴ where g² is due: the square of g²)", of_score(beta), None, {}),
        ("(1/σ² is left out)", of_score(lambda t: VP.sigma(t) ** 2), None, {}),
        (
            "the coefficient of x_0 in the drift is multiplied by -1",
            of_x0(lambda a, s: -1),
            None,
            X0,
        ),
        (
            "the coefficient of x_0 in the drift is multiplied by 2",
            of_x0(lambda a, s: 2),
            None,
            X0,
        ),
        ("so it is divided by σ once too often", of_x0(lambda a, s: 1 / s), None, X0),
        ("so 1/σ is missing before it", of_x0(lambda a, s: s), None, X0),
        ("so it is multiplied by α once too often", of_x0(lambda a, s: a), None, X0),
        ("so 1/σ² is missing before it", of_x0(lambda a, s: s**2), None, X0),
        ("so it is divided by σ² once too often", of_x0(lambda a, s: 1 / s**2), None, X0),
        (
            "asked at a multiple of x (at ",
            lambda x, t, s, w: VP.drift(x, t) - w * s((1 + t) * x, t),
            None,
            {},
        ),
        (
            "shortened to the norm 1.5 where it is longer",
            lambda x, t, s, w: VP.drift(x, t) - w * shortened(s(x, t)),
            None,
            {"dimension": 2},
        ),
    ],
)
def test_a_mistake_in_drift_or_noise_is_named(said, drift, noise, more):
    evidence = sde(drift, *([] if noise is None else [noise]), **more)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names, evidence.explain()
    assert said in evidence.explain(), evidence.explain()


def shortened(v):
    return v * np.minimum(1, 1.5 / np.linalg.norm(v, axis=1, keepdims=True))


@pytest.mark.parametrize(
    ("said", "drift", "noise"),
    [
        (
            "The noise is right, √(1-λ) g; the drift differs from",
            lambda x, t, s, w: VP.drift(x, t) - w * s(x, t) + 0.2 * np.sin(2 * x) * t,
            None,
        ),
        (
            "The drift is right, f - (1 - λ/2) g² ∇log p; the noise differs",
            of_score(lambda t: 1),
            lambda lam, g: (1 - lam) ** 0.5 * g * (1 + 0.3 * np.sin(9 * g)),
        ),
        (
            "The noise is that of λ = 0.8, and the drift is not the one that belongs to it",
            lambda x, t, s, w: VP.drift(x, t) - w * s(x, t) + 0.2 * np.sin(2 * x) * t,
            lambda lam, g: 0.2**0.5 * g,
        ),
    ],
)
def test_what_is_not_named_is_said_by_its_parts(said, drift, noise):
    evidence = sde(drift, *([] if noise is None else [noise]))
    assert evidence.diagnosis.names == () and said in evidence.explain(), evidence.explain()


def test_the_network_of_edm_is_told_from_a_denoiser():
    def sampler(x, t, model):
        g2 = EDM().diffusion(t) ** 2
        return -g2 * (model(x, t) - x) / t**2, g2**0.5

    evidence = check_reverse_sampler(
        sampler, EDM(), (0.0,), at=(2.0, 5.0, 10.0), form="sde", prediction="F"
    )
    assert "EDM's raw network F and its answer is taken for" in evidence.explain()


# -- steps -----------------------------------------------------------------------------------------


def step(change, lambdas=(0.2,), **more):
    """An Euler step, changed by ``change(x, t, h, z, drift, noise)``."""

    def sampler(x, t, t_next, z, score, lam):
        g = VP.diffusion(t)
        drift = VP.drift(x, t) - (1 - lam / 2) * g**2 * score(x, t)
        return change(x, t, t - t_next, z, drift, (1 - lam) ** 0.5 * g)

    return check_reverse_sampler(sampler, VP, lambdas, at=FEW, **more)


def far_off(z):
    """Noise of which a unit is silent."""
    return np.where(np.abs(z) > 1.2, z, 0)


@pytest.mark.parametrize(
    ("verdict", "said", "change"),
    [
        (
            "undecided",
            "the noise shrinks as h^0.25 where √h is due",
            lambda x, t, h, z, b, c: x - h * b + c * h**0.25 * z,
        ),
        (
            "refuted",
            "x_next - x, without noise, shrinks as h^1.5 where h = t - t_next is due",
            lambda x, t, h, z, b, c: x - h**1.5 * b + c * h**0.5 * z,
        ),
        (
            "refuted",
            "does not tend to x only where ‖x‖ ≥",
            lambda x, t, h, z, b, c: x.clip(-0.5, 0.5) - h * b + c * h**0.5 * z,
        ),
        (
            "refuted",
            "a unit of noise is silent, standard normal draws come out with variance",
            lambda x, t, h, z, b, c: x - h * b + c * h**0.5 * far_off(z),
        ),
        (
            "undecided",
            "the error of a whole chain does not fall as steps are added",
            lambda x, t, h, z, b, c: x - h * b + c * h**0.5 * z + (0.16 < t < 0.38) * h * 9 * x,
        ),
        (
            "undecided",
            "two calls with the same arguments differ: it draws noise inside",
            lambda x, t, h, z, b, c: (
                x - h * b + c * h**0.5 * (z if t > 0.7 else np.random.standard_normal(z.shape))
            ),
        ),
    ],
)
def test_a_step_that_is_no_step_of_the_process_is_told(verdict, said, change):
    evidence = step(change)
    assert evidence.verdict == verdict and said in evidence.explain(), evidence.explain()


def formula(made, lam=0.36):
    """A step of ε as A x + B ε + C z; ``made`` gives them of the levels at both ends."""

    def sampler(x, t, t_next, z, eps):
        a, s, b, u = VP.alpha(t), VP.sigma(t), VP.alpha(t_next), VP.sigma(t_next)
        r, eta = a / b, (1 - lam) ** 0.5
        beta = s**2 - r**2 * u**2
        k = made(a, s, b, u, r, beta, eta, eta * u / s * beta**0.5)
        return k[0] * x + k[1] * eps(x, t) + k[2] * z

    return check_reverse_sampler(sampler, VP, (lam,), at=FEW, prediction="eps", form="step")


def ddim(direction, noise):
    """x_next = α_next x_0 + direction ε + noise z."""
    return lambda a, s, b, u, r, beta, eta, std: (
        b / a,
        -b * s / a + direction(u, std, eta),
        noise(std, eta, beta),
    )


def posterior(of_x0, of_x):
    """x_next = of_x0 x_0 + of_x x + s z, of λ = 0."""

    def made(a, s, b, u, r, beta, eta, std):
        k0 = of_x0(b * beta / s**2, b, r, beta, s)
        kx = of_x(r * u**2 / s**2, b, r, s, u)
        return k0 / a + kx, -k0 * s / a, std

    return made


def right_direction(u, std, eta):
    return (u**2 - std**2) ** 0.5


def right_noise(std, eta, beta):
    return std


def due(value, *_):
    return value


@pytest.mark.parametrize(
    ("said", "lam", "made"),
    [
        (
            "√(σ_next² - s²/η²) (η is left out)",
            0.36,
            ddim(lambda u, std, eta: (u**2 - std**2 / eta**2) ** 0.5, right_noise),
        ),
        (
            "√(σ_next² - η s²) (η³ for η²)",
            0.36,
            ddim(lambda u, std, eta: (u**2 - std**2 * eta) ** 0.5, right_noise),
        ),
        ("s² (its root is missing)", 0.36, ddim(right_direction, lambda std, *_: std**2)),
        ("s/η (η is left out)", 0.36, ddim(right_direction, lambda std, eta, beta: std / eta)),
        (
            "η β (the root is missing)",
            0.36,
            ddim(right_direction, lambda std, eta, beta: eta * beta),
        ),
        ("β/σ_t² (α_next is left out)", 0, posterior(lambda k, b, r, beta, s: k / b, due)),
        (
            "α_next (1 - α_t/α_next)/σ_t²",
            0,
            posterior(lambda k, b, r, beta, s: b * (1 - r) / s**2, due),
        ),
        (
            "σ_next²/σ_t² (α_t/α_next is left out)",
            0,
            posterior(due, lambda k, b, r, s, u: k / r),
        ),
        ("√(α_t/α_next) σ_next²/σ_t²", 0, posterior(due, lambda k, b, r, s, u: k / r**0.5)),
        ("(α_next/α_t) σ_next²/σ_t²", 0, posterior(due, lambda k, b, r, s, u: k / r**2)),
        ("α_next σ_next²/σ_t²", 0, posterior(due, lambda k, b, r, s, u: k / r * b)),
        (
            "(α_t/α_next) σ_t²/σ_next²",
            0,
            posterior(due, lambda k, b, r, s, u: r * s**2 / u**2),
        ),
        (
            "1 (the division by α_t/α_next is left out)",
            0,
            lambda a, s, b, u, r, beta, eta, std: (1, -beta / s, std),
        ),
    ],
)
def test_a_coefficient_of_a_step_is_named(said, lam, made):
    evidence = formula(made, lam)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names, evidence.explain()
    assert said in evidence.explain(), evidence.explain()


def test_arguments_and_questions_that_are_refused():
    with pytest.raises(ArgumentError, match="it is the number of coordinates"):
        sde(of_score(lambda t: 1), dimension=0)
    with pytest.raises(ArgumentError, match=r"\(got a function of \*args\)"):
        check_reverse_sampler(lambda *args: args, VP)
    with pytest.raises(CallableError, match=r"call model\(x, t\) with t a number or of shape"):
        sde(lambda x, t, s, w: VP.drift(x, t) - w * s(x, np.array([t, t])))
