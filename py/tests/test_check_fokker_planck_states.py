"""An array with one saved state that is wrong, or with all of them the same, and its open ends."""

import numpy as np
import pytest

from scoreproof import check_fokker_planck

T, X = np.linspace(0, 1, 51), np.linspace(-6, 6, 300)
SIGMA = 1.2


def bell(t, x=X):
    v = 0.15 * np.exp(-2 * t) + 0.72 * (1 - np.exp(-2 * t))
    return np.exp(-((x - np.exp(-t)) ** 2) / 2 / v) / np.sqrt(2 * np.pi * v)


STATES = np.array([bell(t) for t in T])
OU = {"drift": lambda x, t: -x, "diffusion": SIGMA, "axes": (T, X)}


@pytest.mark.parametrize("k", [1, 2, 11, 25, 48])
@pytest.mark.parametrize("from_", [0, 50])
def test_a_state_of_another_time_is_found(k, from_):
    p = STATES.copy()
    p[k] = STATES[from_ if abs(from_ - k) > 2 else 25]
    wrong = check_fokker_planck(density=p, **OU)
    assert wrong.verdict == "refuted", wrong.sentence


def test_a_state_out_of_line_is_named_and_states_exchanged_are_refuted():
    p = STATES.copy()
    p[25] = STATES[27]
    wrong = check_fokker_planck(density=p, **OU)
    assert wrong.diagnosis.names == ("state_out_of_line",) and "t = 0.5" in wrong.explain()
    p = STATES.copy()
    p[[25, 26]] = p[[26, 25]]
    exchanged = check_fokker_planck(density=p, **OU)
    assert exchanged.verdict == "refuted" and "do not follow" in exchanged.sentence
    p = STATES.copy()
    p[25] *= 1.05
    heavy = check_fokker_planck(density=p, normalized=False, **OU)
    assert heavy.diagnosis.names == ("state_out_of_line",)


@pytest.mark.parametrize("every", [1, 2, 5])
def test_states_in_line_hold_whatever_they_are_saved_at(every):
    evidence = check_fokker_planck(density=STATES[::every], **{**OU, "axes": (T[::every], X)})
    assert evidence.verdict != "refuted", evidence.sentence
    # times that come closer to each other, and single precision
    t = T[::2] ** 2
    p = np.array([bell(s) for s in t])
    assert check_fokker_planck(density=p, **{**OU, "axes": (t, X)}).verdict != "refuted"
    assert check_fokker_planck(density=STATES.astype(np.float32), **OU).verdict != "refuted"


def still(p, n=21):
    return np.tile(p, (n, 1))


def test_a_stationary_law_of_another_equation_is_told_by_it():
    x, t = np.linspace(-5, 5, 101), np.linspace(0, 1, 21)
    gibbs = still(np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi))
    sign = check_fokker_planck(lambda x, t: x, 2**0.5, gibbs, axes=(t, x))
    assert {"drift_sign", "same_state_saved"} <= set(sign.diagnosis.names)
    square = check_fokker_planck(lambda x, t: -x, 2.0, gibbs, axes=(t, x))
    assert "rho_not_squared" in square.diagnosis.names
    frozen = check_fokker_planck(lambda x, t: 1 - x, 1.3, gibbs, axes=(t, x))
    assert frozen.diagnosis.names == ("same_state_saved",)
    assert check_fokker_planck(lambda x, t: -x, 2**0.5, gibbs, axes=(t, x))


def test_a_reading_of_a_stationary_law_is_told_by_it():
    x, t = np.linspace(0, 1, 101), np.linspace(0, 0.3, 61)
    p = 1 / (1 + x / 2)
    p = still(p / np.trapezoid(p, x), 61)
    where = {"density": p, "axes": (t, x), "boundary": "reflecting"}
    sde = {"drift": lambda x, t: 0 * x, "diffusion": lambda x, t: 1 + x[:, 0] / 2, **where}
    assert check_fokker_planck(interpretation="stratonovich", **sde)
    wrong = check_fokker_planck(interpretation="ito", **sde)
    assert "stratonovich_read_as_ito" in wrong.diagnosis.names


def test_what_is_blind_to_the_noise_says_so():
    x, t = np.linspace(0, 1, 101), np.linspace(0, 0.3, 61)
    flat = {"density": np.ones((61, 101)), "axes": (t, x), "boundary": "reflecting"}
    evidence = check_fokker_planck(lambda x, t: 0 * x, 0.8, **flat)
    assert evidence.verdict == "undecided" and "brings nothing" in evidence.explain()
    # where the times are too far apart it is they that are to be mended
    p, far = np.array([bell(s) for s in 5 * T[::12]]), 5 * T[::12]
    coarse = check_fokker_planck(density=p, **{**OU, "axes": (far, X)})
    assert "brings nothing" not in coarse.explain()


def test_ends_with_density_of_which_nothing_was_said_are_told():
    x, t = np.linspace(0, 1, 101), np.linspace(0, 0.3, 61)
    p = np.array([1 + 0.7 * np.exp(-0.32 * np.pi**2 * s) * np.cos(np.pi * x) for s in t])
    sde = {"drift": lambda x, t: 0 * x, "diffusion": 0.8, "density": p, "axes": (t, x)}
    evidence = check_fokker_planck(**sde)
    assert evidence and "of its largest; what goes through them" in evidence.explain()
    said = check_fokker_planck(boundary="reflecting", **sde)
    assert said and "what goes through them" not in said.explain()
