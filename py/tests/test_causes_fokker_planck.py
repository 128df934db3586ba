"""check_fokker_planck: what is read off the terms, and what is not claimed."""

import numpy as np
import pytest

import scoreproof as sp

THETA = 0.8


def gaussian(x, m, v):
    return -0.5 * (x[:, 0] - m) ** 2 / v - 0.5 * np.log(2 * np.pi * v)


def variance(t):
    return 0.5 + 0.7 * np.exp(-2 * THETA * t)


def right(x, t):
    return gaussian(x, np.exp(-THETA * t), variance(t))


def judged(log_density, drift=lambda x, t: -THETA * x, rho=lambda t: np.sqrt(THETA)):
    return sp.check_fokker_planck(drift, rho, log_density=log_density)


def test_the_right_one_holds():
    assert judged(right)


READ = {
    "variance_for_std": lambda x, t: gaussian(x, np.exp(-THETA * t), variance(t) ** 2),
    "std_for_variance": lambda x, t: gaussian(x, np.exp(-THETA * t), variance(t) ** 0.5),
    "mean_rate": lambda x, t: gaussian(x, np.exp(-2 * THETA * t), variance(t)),
    "normaliser_of_time": lambda x, t: right(x, t) + 0.5 * np.log(variance(t)),
    "reversed_clock": lambda x, t: right(x, 2 - t),
    "clock_factor": lambda x, t: right(x, 3 * t),
    "log_base_10": lambda x, t: right(x, t) / np.log(10),
    "pdf_as_log": lambda x, t: np.exp(right(x, t)),
    "negative_log": lambda x, t: -right(x, t),
}


@pytest.mark.parametrize("name", READ)
def test_a_density_is_read(name):
    evidence = judged(READ[name])
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == (name,), evidence.explain()


def test_a_drift_and_a_noise_are_read():
    assert judged(right, lambda x, t: 0.3 - THETA * x).diagnosis.names == ("mean_offset",)
    noise = judged(right, rho=lambda t: 1.1)
    assert noise.diagnosis.names == ("noise_factor",), noise.explain()
    assert "ρ² is to be 0.661157" in noise.explain()


def test_no_cause_is_claimed_for_what_nothing_explains():
    for wrong in (
        lambda x, t: right(x, t) + 0.05 * np.sin(3 * x[:, 0]) * t,
        lambda x, t: np.logaddexp(right(x, t), gaussian(x, 1.0 + t, 0.3)) - np.log(2),
    ):
        evidence = judged(wrong)
        assert evidence.verdict == "refuted"
        assert evidence.diagnosis.names == (), evidence.explain()


@pytest.mark.parametrize(
    ("power", "name"), [(0.5, "stratonovich_read_as_ito"), (1.0, "correction_from_drift")]
)
def test_readings_of_a_noise_of_the_state(power, name):
    def p(x, t):
        v, m = 0.05 + 0.16 * t, (0.2 + (power - 0.5) * 0.16) * t
        return np.exp(-((np.log(x[:, 0]) - m) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v) / x[:, 0]

    evidence = sp.check_fokker_planck(
        lambda x, t: 0.2 * x,
        lambda x, t: 0.4 * x[:, 0],
        p,
        interpretation="ito",
        domain=(0.3, 3.0),
    )
    assert evidence.diagnosis.names == (name,), evidence.explain()


def preserving(x, t, written):
    a = np.exp(-THETA * t)
    return gaussian(x, a, 0.25 * a * a + written(a))


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (lambda a: 1 - a, "1 - α"),
        (lambda a: np.sqrt(1 - a * a), "√(1 - α²)"),
        (lambda a: (1 - a * a) ** 2, "(1 - α²)²"),
    ],
)
def test_a_variance_of_another_power_of_alpha_is_read(written, text):
    evidence = judged(lambda x, t: preserving(x, t, written), rho=lambda t: np.sqrt(2 * THETA))
    assert evidence.diagnosis.names == ("variance_of_alpha",), evidence.explain()
    assert f"holds {text} where 1 - α² is due" in evidence.explain()


def test_one_function_of_time_fitted_to_another_is_no_cause():
    evidence = judged(
        lambda x, t: gaussian(x, np.exp(-THETA * t), variance(t) * (1 + 0.1 * np.sin(3 * t)))
    )
    assert evidence.diagnosis.names == (), evidence.explain()
    assert "two readings fit equally well" in evidence.explain()


def test_a_density_that_fails_when_asked_again_leaves_the_refutation():
    calls, most = 0, 10**9

    def counted(x, t):
        nonlocal calls
        calls += 1
        if calls > most:
            raise RuntimeError("only so many calls")
        return right(x, t) + 0.05 * np.sin(3 * x[:, 0]) * t

    assert judged(counted).verdict == "refuted"
    calls, most = 0, calls - 1
    assert judged(counted).verdict == "refuted"


def plane(log_density, drift):
    return sp.check_fokker_planck(
        drift, lambda t: np.sqrt(THETA), log_density=log_density, dimension=2
    )


def stretched(x, t):
    """Coordinates with variances of their own."""
    both = variance(t), 0.5 + 0.2 * np.exp(-2 * THETA * t)
    return sum(-0.5 * x[:, i] ** 2 / v - 0.5 * np.log(2 * np.pi * v) for i, v in enumerate(both))


def test_a_sign_in_a_matrix_is_named_only_if_turning_it_is_enough():
    def round_(x, t):
        return sum(gaussian(x[:, i : i + 1], 0.0, variance(t)) for i in (0, 1))

    def pull(x, t):
        return -THETA * x

    assert plane(round_, pull)
    turned = plane(round_, lambda x, t: pull(x, t) + 0.7 * x[:, ::-1])
    assert turned.diagnosis.names == ("matrix_sign",), turned.explain()
    unequal = plane(round_, lambda x, t: pull(x, t) + x[:, ::-1] * [0.7, 0.4])
    assert unequal.diagnosis.names == ("matrix_diagonal",), unequal.explain()
    apart = plane(stretched, lambda x, t: pull(x, t) + 0.7 * x[:, ::-1])
    assert apart.diagnosis.names == ("matrix_diagonal",), apart.explain()


def test_a_wrong_exponent_is_told_from_a_wrong_density_and_a_wrong_normaliser():
    def exponent(of, normaliser):
        def log_p(x, t):
            v = variance(t)
            return -0.5 * x[:, 0] ** 2 / of(v) - 0.5 * np.log(2 * np.pi * normaliser(v))

        return judged(log_p)

    def same(v):
        return v

    alone = exponent(np.sqrt, same)
    assert alone.diagnosis.names == ("std_for_variance",) and "exponent alone" in alone.explain()
    whole = exponent(np.sqrt, np.sqrt)
    assert whole.diagnosis.names == ("std_for_variance",)
    assert "exponent alone" not in whole.explain() and "normaliser" not in whole.explain()
    other = exponent(same, lambda v: v**2)
    assert other.diagnosis.names == ("normaliser_of_time",)
    assert "a square root" in other.explain(), other.explain()
    both = exponent(np.sqrt, lambda v: v**1.3)
    assert "exponent alone" not in both.explain() and "power" in both.explain(), both.explain()
