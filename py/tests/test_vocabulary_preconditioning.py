"""Each mistake in a coefficient of a preconditioning, as a user's code makes it, is named."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp

D = 0.3  # σ_data


def told(**functions):
    """What is said of EDM's coefficients, of which some are others."""
    right = {
        "c_skip": lambda s: D**2 / (s**2 + D**2),
        "c_out": lambda s: s * D / (s**2 + D**2) ** 0.5,
        "c_in": lambda s: 1 / (s**2 + D**2) ** 0.5,
        "c_noise": lambda s: np.log(s) / 4,
    }
    evidence = sp.check_preconditioning({**right, **functions}, sigma_data=D)
    assert evidence.verdict == "refuted"
    return evidence.explain()


def of_another(rule, **options):
    """All coefficients for another σ."""

    def scalings(sigma):
        s = rule(sigma)
        total = s**2 + D**2
        return D**2 / total, s * D / total**0.5, 1 / total**0.5

    evidence = sp.check_preconditioning(scalings, sigma_data=D, **options)
    assert evidence.verdict == "refuted"
    return evidence.explain()


COEFFICIENTS = {
    "its root: σ_data² is σ_data in it": {"c_in": lambda s: 1 / (s**2 + D) ** 0.5},
    "its square: σ_data is squared once too often": {"c_in": lambda s: 1 / (s**2 + D**4) ** 0.5},
    "as for data of standard deviation 1": {"c_in": lambda s: 1 / (s**2 + 1) ** 0.5},
    "it multiplies where it should divide": {"c_in": lambda s: (s**2 + D**2) ** 0.5},
    "1/σ_data: σ_data is missing in it (it is σ_data / (σ² + σ_data²))": {
        "c_skip": lambda s: D / (s**2 + D**2)
    },
    "1/σ_data²: σ_data² is missing in it (it is 1 / (σ² + σ_data²))": {
        "c_skip": lambda s: 1 / (s**2 + D**2)
    },
    "σ_data: σ_data is once too often in it (it is σ σ_data² / √(σ² + σ_data²))": {
        "c_out": lambda s: s * D**2 / (s**2 + D**2) ** 0.5
    },
    "σ_data²: σ_data² is once too often in it": {"c_skip": lambda s: D**4 / (s**2 + D**2)},
    "it is log(σ/2), a VE network's": {"c_noise": lambda s: np.log(s / 2)},
}


@pytest.mark.parametrize("words", COEFFICIENTS)
def test_one_wrong_coefficient(words):
    text = told(**COEFFICIENTS[words])
    assert words in text, text


LEVELS = {
    "σ² is passed for σ: a variance": lambda s: s**2,
    "√σ is passed for σ: a standard deviation was taken for a variance": np.sqrt,
    "1/σ is passed for σ": lambda s: 1 / s,
    "2 σ^1.5 is passed for σ": lambda s: 2 * s**1.5,
    "it is σ - 0.001 where σ is due": lambda s: s - 1e-3,
}


@pytest.mark.parametrize("words", LEVELS)
def test_another_level_in_all_of_them(words):
    text = of_another(LEVELS[words])
    assert words in text, text


def test_a_logarithm_in_all_of_them():
    """Of levels above 1, where it is a level."""
    text = of_another(np.log, sigmas=np.geomspace(2, 80, 8))
    assert "log σ is passed for σ" in text, text


def test_a_wrapper_that_splits_the_batch():
    def precondition(network):
        def denoiser(x, sigma):
            s = np.reshape(sigma, (-1, 1)) + 0 * x
            inner = x / (s**2 + D**2) ** 0.5
            one = network(inner[:3], np.log(s[:3, 0]) / 4)
            return D**2 / (s**2 + D**2) * x + s * D / (s**2 + D**2) ** 0.5 * np.resize(one, x.shape)

        return denoiser

    words = "call the network at all samples.*it was called at .* where there are .*splitting the"
    with pytest.raises(sp.CallableError, match=words):
        sp.check_preconditioning(precondition, sigma_data=D, shape=(2,))
