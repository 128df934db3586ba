"""What check_reverse_sampler says of the cause: what explains is named, what does not is not."""

from __future__ import annotations

import numpy as np
import pytest

from scoreproof import check_reverse_sampler
from scoreproof.errors import CallableError
from scoreproof.objects.schedules import EDM, VPLinear
from scoreproof.public import laws
from scoreproof.public.reverse_sampler.laws import share

VP = VPLinear(0.3, 4.3)
FEW = (0.15, 0.3, 0.45, 0.6, 0.75, 0.85)


def member(change, lambdas=(-0.6, 0.2, 0.7), at=FEW, **more):
    """Drift and noise of the family, changed by ``change(x, t, score, lam, drift, noise)``."""

    def sampler(x, t, model, lam):
        s = model(x, t)
        g = VP.diffusion(t)
        drift = VP.drift(x, t) - (1 - lam / 2) * g**2 * s
        return change(x, t, s, lam, drift, (1 - lam) ** 0.5 * g)

    return check_reverse_sampler(sampler, VP, lambdas, at=at, **more)


def step(change, lambdas=(0.2,), at=FEW, **more):
    """An Euler step of the family, changed by ``change(x, h, z, drift, noise)``."""

    def sampler(x, t, t_next, z, score, lam):
        g = VP.diffusion(t)
        drift = VP.drift(x, t) - (1 - lam / 2) * g**2 * score(x, t)
        return change(x, t - t_next, z, drift, (1 - lam) ** 0.5 * g)

    return check_reverse_sampler(sampler, VP, lambdas, at=at, **more)


def told(evidence):
    assert evidence.verdict == "refuted"
    return evidence.diagnosis


@pytest.mark.parametrize(
    ("name", "text", "change"),
    [
        ("forward_drift", "enters 2 times", lambda x, t, s, m, b, c: (b + VP.drift(x, t), c)),
        ("forward_drift", "is left out", lambda x, t, s, m, b, c: (b - VP.drift(x, t), c)),
        ("noise_factor", "0.9 times", lambda x, t, s, m, b, c: (b, 0.9 * c)),
        ("noise_factor", "multiplied by t", lambda x, t, s, m, b, c: (b, t**0.5 * c)),
        ("added", "0.3 t² x is added", lambda x, t, s, m, b, c: (b + 0.3 * t * t * x**2, c)),
        ("implied_clipped", "clipped to at least -1", lambda x, t, s, m, b, c: (b.clip(-1, 1), c)),
        ("whole_drift", "multiplied by (1 + t)", lambda x, t, s, m, b, c: ((1 + t) * b, c)),
    ],
)
def test_a_cause_in_drift_or_noise(name, text, change):
    found = told(member(change))
    if "t² x" in text:
        text = text.replace("t² x", "t² x²")
    assert found.names == (name,)
    assert text in found.sentence


def test_drift_and_noise_of_two_members():
    def sampler(x, t, score, eta):
        g2 = VP.diffusion(t) ** 2
        drift = VP.drift(x, t) - (1 + eta) / 2 * g2 * score(x, t)
        return drift, eta * g2**0.5

    evidence = check_reverse_sampler(sampler, VP, (0.0, 0.4, 0.8), at=FEW, parameter="eta")
    assert "η for η² in the drift" in told(evidence).sentence


@pytest.mark.parametrize(
    ("text", "ask"),
    [
        ("asked at T - t", lambda x, t: (x, 1 - t)),
        ("asked at t + 0.01", lambda x, t: (x, t + 0.01)),
        ("asked at 2 t", lambda x, t: (x, 2 * t)),
        ("always at time 0.5", lambda x, t: (x, 0.5)),
        ("asked at x/α(t)", lambda x, t: (x / VP.alpha(t), t)),
        ("asked at -x", lambda x, t: (-x, t)),
        ("x clamped to [-1, 1]", lambda x, t: (np.clip(x, -1, 1), t)),
    ],
)
def test_where_the_model_is_asked(text, ask):
    def sampler(x, t, score):
        g = VP.diffusion(t)
        return VP.drift(x, t) - g**2 * score(*ask(x, t)), g

    found = told(check_reverse_sampler(sampler, VP, (0.0,), at=FEW, form="sde"))
    assert text in found.sentence and "asked there it is right" in found.sentence


def test_where_the_model_is_asked_by_a_step():
    def heun(x, t, t_next, z, denoiser):
        d = (x - denoiser(x, t)) / t
        y = x + (t_next - t) * d
        return x + (t_next - t) / 2 * (d + (y - denoiser(y, 80 - t_next)) / t_next)

    edm = {"prediction": "x0", "times": (1.0, 50.0), "at": (2.0, 5.0, 10.0, 30.0)}
    found = told(check_reverse_sampler(heun, EDM(), (1.0,), **edm))
    assert "in its call 2 of 2" in found.sentence


def test_a_wrong_question_besides_another_fault_is_told_with_it():
    def sampler(x, t, score):
        g = VP.diffusion(t)
        return VP.drift(x, t) + g**2 * score(x, 1 - t), g

    found = told(check_reverse_sampler(sampler, VP, (0.0,), at=FEW, form="sde"))
    assert "T - t" in found.sentence and "sign of the score" in found.sentence


def test_a_question_elsewhere_is_no_cause_if_it_explains_nothing():
    def sampler(x, t, score):
        g = VP.diffusion(t)
        score(x, 1 - t)  # asked, and not used
        return VP.drift(x, t) - g**2 * score(x, t) + 0.3 * np.cos(3 * x), g

    found = told(check_reverse_sampler(sampler, VP, (0.0,), at=FEW, form="sde"))
    assert found.names == () and "T - t" not in found.sentence
    assert "the noise is right" in found.sentence.lower()


@pytest.mark.parametrize(("given", "used"), [("v", "eps"), ("eps", "score"), ("score", "eps")])
def test_a_model_taken_for_another(given, used):
    def sampler(x, t, model):
        g, score = VP.diffusion(t), model(x, t)
        if used == "eps":
            score = -score / VP.sigma(t)
        return VP.drift(x, t) - g**2 * score, g

    evidence = check_reverse_sampler(sampler, VP, (0.0,), at=FEW, form="sde", prediction=given)
    assert told(evidence).names != ()
    words = {"v": "taken for the noise ε", "eps": "σ(t)", "score": "σ(t)"}
    assert words[given] in evidence.diagnosis.sentence


def test_a_conversion_is_written_out():
    def sampler(x, t, v):
        a, s, g = VP.alpha(t), VP.sigma(t), VP.diffusion(t)
        eps = s * v(x, t) + a * x
        return VP.drift(x, t) + g**2 * eps / s, g

    evidence = check_reverse_sampler(sampler, VP, (0.0,), at=FEW, form="sde", prediction="v")
    assert "ε = α x + σ v is made where ε = σ x + α v is due" in told(evidence).sentence


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("√(t - t_next) missing", lambda x, h, z, b, c: x - h * b + c * z),
        ("multiply it by √(t - t_next)", lambda x, h, z, b, c: x - h * b + c * h * z),
        ("multiplied by h²", lambda x, h, z, b, c: x - h**2 * b + c * h**0.5 * z),
        ("fixed step of 0.01", lambda x, h, z, b, c: x - 0.01 * b + c * 0.1 * z),
        ("clipped to at least -2", lambda x, h, z, b, c: x - h * b + c * h**0.5 * z.clip(-2, 2)),
    ],
)
def test_a_cause_in_a_step(text, change):
    assert text in told(step(change)).sentence


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("multiplied by √h", lambda x, h, z, b, c: x - h**0.5 * b + c * h**0.5 * z),
        ("tends to 1.002 x", lambda x, h, z, b, c: 1.002 * x - h * b + c * h**0.5 * z),
    ],
)
def test_what_does_not_settle_is_told(text, change):
    evidence = step(change)
    # what grows as 1/√h has no limit; a factor of 1.002 might come of a step that is too long
    verdict = "refuted" if "√h" in text else "undecided"
    assert evidence.verdict == verdict and text in evidence.explain()
    assert step(lambda x, h, z, b, c: x - h * b + c * h**0.5 * z)  # the truth holds


def test_one_coordinate():
    def sampler(x, t, score):
        g = VP.diffusion(t)
        drift = VP.drift(x, t) - g**2 * score(x, t)
        drift[:, 1] = 0
        return drift, g

    found = told(check_reverse_sampler(sampler, VP, (0.0,), at=FEW, form="sde", dimension=3))
    assert "in coordinate 1 of 3 only" in found.sentence


def test_no_cause_is_claimed_where_none_explains():
    for change in (
        lambda x, t, s, m, b, c: (b + 0.2 * np.sin(2 * x) * t, c),
        lambda x, t, s, m, b, c: (b, c * (1 + 0.3 * np.sin(9 * t))),
        lambda x, t, s, m, b, c: (b * (1 + 0.1 * np.sin(9 * t)), c * (1 + 0.1 * np.cos(7 * t))),
    ):
        found = told(member(change))
        assert found.names == ()
        assert "No known fault explains it" in found.sentence


def test_a_schedule_of_other_ends():
    def sampler(x, t, score):
        g2 = 0.3 + 2 * t
        return VP.drift(x, t) - g2 * score(x, t), g2**0.5

    found = told(check_reverse_sampler(sampler, VP, (0.0,), at=FEW, form="sde"))
    assert (
        "g² is 0.3 + 2 t (that of t/2) in the sampler, 0.3 + 4 t in the process" in found.sentence
    )


def test_laws():
    t = np.array([0.1, 0.2, 0.4, 0.8])
    assert laws.law(2 * t, {"t": t}, 1e-9).text == "2 t"
    assert laws.law(np.sin(9 * t), {"t": t}, 1e-9) is None
    assert laws.law(1.2345678 * t, {"t": t}, 1e-9) is None  # no number that people write
    assert laws.of_time(np.sin(9 * t), t, 1e-9) is None
    lam = np.array([-1.0, 0.0, 0.5, 1.0])
    assert share(np.sqrt(1 - lam), lam, "eta", 1e-9) == "η"
    assert share(lam**2 + 0.1, lam, "lambda", 1e-9) is None


def ddim(x0, direction, at=None):
    """A DDIM step of ε with λ = 1, of two parts."""

    def sampler(x, t, t_next, z, eps):
        e = eps(x, t)
        return VP.alpha(t_next) * x0(x, e, t) + direction(t, t_next) * e

    return check_reverse_sampler(sampler, VP, (1.0,), at=at or FEW, prediction="eps", form="step")


def right_x0(x, e, t):
    return (x - VP.sigma(t) * e) / VP.alpha(t)


@pytest.mark.parametrize(
    ("text", "x0", "direction"),
    [
        (
            "α_t is left out in x_0",
            lambda x, e, t: x - VP.sigma(t) * e,
            lambda t, s: VP.sigma(s),
        ),
        ("σ_t stands where √(σ_next² - s²) is due", right_x0, lambda t, s: VP.sigma(t)),
        (
            "clipped to [-1, 1]",
            lambda x, e, t: right_x0(x, e, t).clip(-1, 1),
            lambda t, s: VP.sigma(s),
        ),
    ],
)
def test_a_coefficient_of_a_step(text, x0, direction):
    assert text in told(ddim(x0, direction)).sentence


def test_two_wrong_coefficients_are_no_slip():
    found = told(ddim(lambda x, e, t: x - VP.sigma(t) ** 2 * e, lambda t, s: VP.sigma(t)))
    assert found.names == ()
    assert "that of x is" in found.sentence and "not multiplied" not in found.sentence


def test_right_is_said_to_the_bound_only() -> None:
    process = VPLinear(0.1, 20.0)

    def step(x, t, t_next, noise, model, lam):
        h, g2 = t - t_next, process.diffusion(t) ** 2
        drift = process.drift(x, t) * (1 + 8e-4 * np.sin(9 * t))
        drift = drift - (1 - lam / 2) * g2 * model(x, t)
        return x - h * drift + np.sqrt((1 - lam) * g2 * h) * noise

    for lam in (0.0, 1.0):
        text = check_reverse_sampler(step, process, (lam,)).explain()
        assert "the drift is right" not in text and "without its noise" not in text
        assert "1 times as large" not in text and "correlated" not in text


@pytest.mark.parametrize("largest", [20.0, 40.0])
def test_steps_that_are_too_long_for_a_root(largest):
    """score_sde's ancestral predictor: √(1 - β h) has no value for a step of β h > 1."""
    process = VPLinear(beta_min=0.1, beta_max=largest)

    def predictor(weight):
        def step(x, t, t_next, noise, score):
            b = (0.1 + (largest - 0.1) * t) * (t - t_next)
            with np.errstate(invalid="ignore"):
                return (x + weight * b * score(x, t)) / np.sqrt(1 - b) + np.sqrt(b) * noise

        return step

    evidence = check_reverse_sampler(predictor(1.0), process, (0.0,), dimension=1)
    assert evidence.verdict == "holds", evidence.explain()
    assert "a step is too long for a finite answer" in evidence.explain()
    assert check_reverse_sampler(predictor(0.9), process, (0.0,), dimension=1).verdict == "refuted"

    def nowhere(x, t, t_next, noise, score):
        return x * np.nan

    with pytest.raises(CallableError, match="finite"):
        check_reverse_sampler(nowhere, process, (0.0,), dimension=1)


def test_a_noise_that_is_not_linear_but_has_the_right_mean_is_not_called_adrift():
    even = step(lambda x, h, z, b, c: x - h * b + c * h**0.5 * (z * z - 1) / 2**0.5)
    assert "without bound" not in even.explain()
    odd = step(lambda x, h, z, b, c: x - h * b + c * h**0.5 * np.sign(z))
    assert odd.verdict == "holds"
