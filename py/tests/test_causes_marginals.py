"""What check_marginals says of the cause: what explains is named, and what does not is not."""

from __future__ import annotations

import math

import numpy as np
import pytest

import scoreproof as sp


def beta(t):
    return 0.1 + 19.9 * t


def integral(t):
    return 0.1 * t + 19.9 * t * t / 2


def law(t):
    return math.exp(-0.5 * integral(t)), math.sqrt(-math.expm1(-integral(t)))


def judged(marginal, drift=None, diffusion=None, **more):
    return sp.check_marginals(
        drift or (lambda x, t: -0.5 * beta(t) * x),
        diffusion or (lambda t: math.sqrt(beta(t))),
        marginal,
        **more,
    )


def told(evidence):
    assert evidence.verdict == "refuted"
    return evidence.diagnosis


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("of time t + 0.001", lambda t: t + 1e-3),
        ("of time t²", lambda t: t * t),
        ("of time t/1000", lambda t: t / 1000),
        ("of time 0.9 t", lambda t: 0.9 * t),
        ("clamped to at least 0.01", lambda t: max(t, 0.01)),
        ("rounded down to a multiple of 1/100", lambda t: max(math.floor(100 * t) / 100, 0)),
    ],
)
def test_another_time(text, at):
    def marginal(x, t):
        a, s = law(at(t))
        return a * x, s

    times = np.linspace(0.0305, 0.9905, 9) if "rounded" in text else None
    assert text in told(judged(marginal, times=times)).sentence


@pytest.mark.parametrize(
    ("text", "std"),
    [
        ("1.1 times", lambda t: 1.1 * law(t)[1]),
        ("is 1 - α where", lambda t: 1 - law(t)[0]),
        ("0.01 is added to the variance", lambda t: math.sqrt(law(t)[1] ** 2 + 0.01)),
        ("clipped to at least 0.3", lambda t: max(law(t)[1], 0.3)),
        ("the drift's rate at t", lambda t: math.sqrt(1 - math.exp(-beta(t)))),
        ("base-10", lambda t: math.sqrt(math.log(10)) * law(t)[1]),
    ],
)
def test_forms_of_the_deviation(text, std):
    found = told(judged(lambda x, t: (law(t)[0] * x, std(t))))
    assert text in found.sentence and found.names != ()


@pytest.mark.parametrize(
    ("text", "mean"),
    [
        ("1.2 times the one due", lambda x, t: 1.2 * law(t)[0] * x),
        ("is 1 - α where α is due", lambda x, t: (1 - law(t)[0]) * x),
        ("0.5 t, independent of x0", lambda x, t: law(t)[0] * x + 0.5 * t),
        ("clipped to at least -1", lambda x, t: np.clip(law(t)[0] * x, -1, 1)),
    ],
)
def test_forms_of_the_mean(text, mean):
    assert text in told(judged(lambda x, t: (mean(x, t), law(t)[1]))).sentence


def test_two_parts_are_both_explained_or_none():
    both = told(judged(lambda x, t: (1.2 * law(t)[0] * x, 0.7 * law(t)[1])))
    assert "1.2 times" in both.sentence and "0.7 times" in both.sentence
    wave = told(judged(lambda x, t: (1.2 * law(t)[0] * x, law(t)[1] * (1 + 0.1 * math.sin(9 * t)))))
    assert wave.names == ()


def test_drift_and_diffusion_at_another_time():
    found = told(
        judged(
            lambda x, t: (law(t)[0] * x, law(t)[1]),
            drift=lambda x, t: -0.5 * beta(t / 1000) * x,
        )
    )
    assert "your drift at 1000 t" in found.sentence


def test_what_the_declared_law_needs():
    def marginal(x, t):
        return law(t)[0] * x, law(t)[1]

    ends = told(judged(marginal, diffusion=lambda t: math.sqrt(0.1 + 1.9 * t)))
    assert "g² is 0.1 + 1.9 t, and must be 0.1 + 19.9 t" in ends.sentence
    rate = told(judged(marginal, drift=lambda x, t: -0.5 * integral(t) * x))
    assert "log α, an integral" in rate.sentence


def test_coordinates():
    rates = np.array([0.5, 2.0])

    def marginal(x, t):
        r = rates[::-1]
        return x * np.exp(-r * t), np.sqrt((1 - np.exp(-2 * r * t)) / (2 * r))

    found = told(judged(marginal, drift=lambda x, t: -rates * x, diffusion=lambda t: 1.0))
    assert found.names == ("coordinates_exchanged",)


def test_a_start_elsewhere():
    def marginal(x, t):
        a, s = law(t)
        return 0.9 * a * x, math.sqrt(s * s + (0.2 * a) ** 2)

    assert "from 0.9 x0 with standard deviation 0.2" in told(judged(marginal)).sentence


def test_no_cause_is_claimed_where_none_explains():
    for factor in (lambda t: 1 + 0.1 * math.sin(9 * t), lambda t: 1 + 0.2 * t**2 * math.cos(4 * t)):
        found = told(judged(lambda x, t, f=factor: (law(t)[0] * x, law(t)[1] * f(t))))
        assert found.names == ()
        assert "No known fault explains it" in found.sentence
        assert "the mean is right" in found.sentence


def test_one_coefficient_of_the_exponent():
    def marginal(x, t):
        log = -0.25 * 20 * t * t - 0.05 * t
        return math.exp(log) * x, math.sqrt(-math.expm1(2 * log))

    found = told(judged(marginal))
    assert "the coefficient of t² in the declared log α" in found.sentence
    assert "20 for 19.9" in found.sentence


def test_no_coefficient_is_named_where_the_exponent_is_off_otherwise():
    def marginal(x, t):
        log = -0.5 * integral(t) * (1 + 0.05 * math.sin(5 * t))
        return math.exp(log) * x, math.sqrt(-math.expm1(2 * log))

    assert "the coefficient of" not in told(judged(marginal)).sentence


def test_both_readings_of_a_deviation_without_the_drift():
    evidence = sp.check_marginals(
        lambda x, t: -x / (1 - t),
        lambda t: math.sqrt(2 * t),
        lambda x, t: ((1 - t) * x, t),
        horizon=0.95,
    )
    found = told(evidence)
    assert found.names == ("drift_forgotten_in_variance", "diffusion_required")
    assert "or the marginal is right and g² lacks" in found.sentence
    assert "drift_forgotten" not in found.sentence  # in words


def _two(mean: object, std: object) -> object:
    return sp.check_marginals(
        lambda x, t: -x,
        lambda t: 2**0.5,
        lambda x0, t: (
            x0 * np.exp(-t) * mean,
            np.sqrt(-np.expm1(-2 * t)) * np.asarray(std),
        ),
    )


def test_each_coordinate_has_its_own_cause() -> None:
    text = _two(1.0, [2.0, 1.37]).explain()
    assert "coordinate 0: " in text and "1.37 times" in text
    text = _two(np.array([1.0, -1.0]), [2.0, 1.0]).explain()
    assert "coordinate 0: " in text and "a factor 2 in it" in text
    assert "coordinate 1: the mean has the wrong sign" in text


def test_a_number_is_not_fitted_to_one_time() -> None:
    seen = sp.check_marginals(
        lambda x, t: 0 * x,
        lambda t: (2 * t + 0.3) ** 0.5,
        lambda x0, t: (x0, (t * t + 0.3 * t) ** 0.5 + 1e-5),
        times=[0.7],
    )
    assert seen.verdict == "refuted" and seen.diagnosis.names == ()


def _pieces(log):
    return lambda x, t: (math.exp(log(t)) * x, math.sqrt(-math.expm1(2 * log(t))))


def test_pieces_are_not_named_where_the_law_is_off_otherwise():
    def rate(t):
        return 2.0 if t < 0.4 else 6.0

    def wrong(log):
        found = judged(_pieces(log), lambda x, t: -0.5 * rate(t) * x, lambda t: rate(t) ** 0.5)
        return told(found)

    def due(t):
        return -t if t < 0.4 else -0.4 - 3 * (t - 0.4)

    bent = wrong(lambda t: due(t) + (0.1 * math.sin(5 * (t - 0.4)) if t > 0.4 else 0))
    assert bent.names == () and "from t = " in bent.sentence
    shifted = wrong(lambda t: due(t) + (0.05 if t > 0.4 else 0))
    assert "0.05 too large at all times: ∫β lacks 0.1" in shifted.sentence
    assert "all of the integral" not in shifted.sentence


def test_what_is_needed_is_asked_once(monkeypatch):
    from scoreproof.public.marginals import required

    asked = []
    read = required._read
    monkeypatch.setattr(required, "_read", lambda *a: asked.append(1) or read(*a))
    told(judged(lambda x, t: (law(t)[0] * x, law(t)[1] * (1 + 0.1 * math.sin(9 * t))), d=1))
    assert len(asked) == 1


def test_a_range_of_right_times_leaves_no_cause_of_all_times():
    late = judged(
        lambda x, t: ((1 - t) * x, t),
        drift=lambda x, t: -x / (1 - t),
        diffusion=lambda t: math.sqrt(2 * t / max(1 - t, 0.03)),
        horizon=0.99,
    )
    assert told(late).names == ("held",)
    assert "1 - t is bounded from below by 0.03, in the diffusion" in told(late).sentence
    bent = judged(
        lambda x, t: ((1 - t) * x, t * (1 + (t > 0.9) * (t - 0.9) ** 2)),
        drift=lambda x, t: -x / (1 - t),
        diffusion=lambda t: math.sqrt(2 * t / (1 - t)),
        horizon=0.99,
    )
    assert told(bent).names == () and "right up to" in told(bent).sentence


def test_rates_are_named_only_where_the_factor_is_made_of_them():
    def ou(factor):
        return judged(
            lambda x, t: (math.exp(-1.3 * t) * x, factor * math.sqrt(-math.expm1(-2.6 * t))),
            drift=lambda x, t: -1.3 * x,
            diffusion=lambda t: math.sqrt(2.6),
        )

    assert "2 θ is left out" in told(ou(math.sqrt(2.6))).sentence
    assert "θ" not in told(ou(1.27)).sentence
