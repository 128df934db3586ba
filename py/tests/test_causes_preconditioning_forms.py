"""A coefficient of another published form in one whose others are right."""

import numpy as np
import pytest

from scoreproof import check_kl, check_preconditioning

NOISE = {
    "c_skip": lambda s: np.ones_like(s),
    "c_out": lambda s: -s,
    "c_in": lambda s: 1 / np.sqrt(s**2 + 1),
}
CASES = {
    r"EDM's c_in 1/√(σ² + σ_data²) with σ_data = 0.4": {"c_in": lambda s: (s**2 + 0.16) ** -0.5},
    r"EDM's c_skip σ_data²/(σ² + σ_data²) with σ_data = 0.3": {
        "c_skip": lambda s: 0.09 / (s**2 + 0.09)
    },
    r"it is -σ/√(σ² + 1), a v-network's: -σ is due": {"c_out": lambda s: -s / np.sqrt(s**2 + 1)},
}


@pytest.mark.parametrize("says", CASES)
def test_another_form(says):
    wrong = check_preconditioning(NOISE | CASES[says], form="eps")
    assert says in wrong.diagnosis.sentence


def test_no_other_form():
    wrong = check_preconditioning(NOISE | {"c_in": lambda s: 1 / (s + 1)}, form="eps")
    assert "EDM's" not in wrong.diagnosis.sentence
    assert check_preconditioning(NOISE, form="eps").verdict == "holds"


def test_the_skip_takes_the_scaled_x():
    d = 0.7

    def skip(s):
        return d**2 / (s**2 + d**2) ** 1.5

    due = {
        "c_skip": skip,
        "c_out": lambda s: s * d / np.sqrt(s**2 + d**2),
        "c_in": lambda s: 1 / np.sqrt(s**2 + d**2),
    }
    wrong = check_preconditioning(due, sigma_data=d)
    assert "the skip takes the scaled x, c_in x" in wrong.diagnosis.sentence
    # the place shown is that of the error that is stated, in units of what it does to D
    at = float(wrong.sentence.split("at σ = ")[1].split()[0])
    assert np.isclose(abs(skip(at) - d**2 / (at**2 + d**2)) * np.hypot(at, d) / d, wrong.value)


def test_labels_of_laws_are_true_of_them():
    def kl(m0, c0, m1, c1):
        trace = np.trace(np.linalg.solve(c1, c0), axis1=1, axis2=2)
        gap = ((m1 - m0) * np.linalg.solve(c1, (m1 - m0)[..., None])[..., 0]).sum(1)
        logs = np.linalg.slogdet(c1)[1] - np.linalg.slogdet(c0)[1]
        return 0.5 * (trace - m0.shape[1] + gap + logs / 2)

    said = check_kl(kl, form="full").sentence
    assert "laws with equal covariances" in said and "whose means differ in one of 7" in said
