"""What explains a posterior mean whose parts are wrong one by one; and what is not claimed."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.interop.callables import remedy_for

RNG = np.random.default_rng(2)
DATA = RNG.normal(size=(30, 3)) * [1.0, 0.7, 1.4]
NOISE = 0.3
EYE = np.eye(2)
WEIGHTS = np.array([0.3, 0.7])
MEANS = np.array([[-1.5, 0.5], [1.0, -0.5]])
COVS = np.array([[[0.5, 0.2], [0.2, 0.3]], [[0.3, -0.1], [-0.1, 0.6]]])
PRIOR = sp.GaussianMixture(WEIGHTS, MEANS, COVS)


def told(evidence):
    assert evidence.verdict == "refuted"
    return evidence.diagnosis.names, evidence.explain()


def mixed(logs, parts):
    p = np.exp(np.array(logs) - np.max(logs, axis=0))
    return np.einsum("km,kmd->md", p / p.sum(0), np.array(parts))


def posterior(y, gain=NOISE, share=NOISE, times=1.0):
    logs, parts = [], []
    for w, m, c in zip(WEIGHTS, MEANS, COVS, strict=True):
        total, gap = c + share * EYE, y - m
        square = np.sum(gap @ np.linalg.inv(total) * gap, axis=1)
        logs.append(times * (np.log(w) - square / 2 - np.linalg.slogdet(total)[1] / 2))
        parts.append(m + gap @ np.linalg.inv(c + gain * EYE) @ c)
    return mixed(logs, parts)


def score(y, solved):
    law, parts = PRIOR.noised(NOISE * EYE), []
    for m, c in zip(MEANS, COVS, strict=True):
        parts.append(-solved(np.linalg.cholesky(c + NOISE * EYE), (y - m).T).T)
    return np.einsum("mk,kmd->md", law.responsibilities(y), np.array(parts))


def chunked(y, parts, together):
    found = []
    for part in parts:
        logs = -((y[:, None] - DATA[part]) ** 2).sum(-1) / (2 * NOISE)
        p = np.exp(logs - logs.max(1, keepdims=True))
        found.append((p @ DATA[part], p.sum(1, keepdims=True)))
    return together(found)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gain": NOISE**0.5}, "gain, C (C + Σ)⁻¹, √Σ stands where Σ is due"),
        ({"share": NOISE**0.5}, "in the responsibilities √Σ stands where Σ is due"),
        ({"gain": 1.3 * NOISE}, "the components' gains are those for 1.3 times the noise variance"),
        ({"share": 0.77 * NOISE}, "responsibilities are those for 0.77 times the noise variance"),
        ({"times": 0.43}, "multiplied by 0.43 before the softmax"),
    ],
)
def test_gains_and_responsibilities_are_looked_at_apart(change, words):
    names, text = told(sp.check_denoiser(lambda y: posterior(y, **change), PRIOR, NOISE))
    assert names and words in text


@pytest.mark.parametrize(
    ("solved", "words"),
    [
        (np.linalg.solve, "second triangular solve, with Lᵀ, is missing"),
        (lambda f, r: np.linalg.solve(f.T, r), "first triangular solve, with L, is missing"),
        (lambda f, r: np.linalg.solve(f, np.linalg.solve(f.T, r)), "in the wrong order"),
        (lambda f, r: np.linalg.solve(f, np.linalg.solve(f, r)), "is not transposed"),
        (lambda f, r: np.linalg.solve(f.T, np.linalg.solve(f.T, r)), "first triangular solve is"),
        (lambda f, r: r / np.diag(f @ f.T)[:, None], "diagonal of C + Σ"),
        (lambda f, r: f @ f.T @ r, "the covariance is not inverted"),
    ],
)
def test_a_component_s_solve(solved, words):
    names, text = told(sp.check_score(lambda y: score(y, solved), PRIOR, NOISE))
    assert names and words in text


def test_two_different_wrong_parts_are_not_taken_for_one():
    names, text = told(sp.check_denoiser(lambda y: posterior(y, gain=0.4, share=0.2), PRIOR, NOISE))
    assert names == () and "Cause" not in text


def test_what_is_no_gradient_is_a_symptom():
    """A field that nothing explains: where it turns is said, and no cause is claimed."""
    law = PRIOR.noised(NOISE * EYE)
    names, text = told(
        sp.check_score(lambda y: law.score(y) + 0.2 * np.sin(y[:, ::-1] * [1, 2]), PRIOR, NOISE)
    )
    assert names == () and "It is no gradient" in text and "Cause" not in text


@pytest.mark.parametrize("size", [4, 7, 15])
def test_a_softmax_by_chunks(size):
    parts = np.split(np.arange(30), range(size, 30, size))

    def mean(y):
        return chunked(y, parts, lambda f: np.mean([a / b for a, b in f], axis=0))

    names, text = told(sp.check_denoiser(mean, DATA, NOISE))
    assert names == ("softmax_by_chunks",) and f"{size} at a time" in text and "averaged" in text


@pytest.mark.parametrize(
    ("parts", "together", "words"),
    [
        (3, lambda f: sum(a for a, _ in f) / sum(b for _, b in f), "largest exponent"),
        (4, lambda f: sum(a / b for a, b in f), "summed"),
    ],
)
def test_chunks_put_together_otherwise(parts, together, words):
    split = [np.arange(i, 30, parts) for i in range(parts)]
    names, text = told(sp.check_denoiser(lambda y: chunked(y, split, together), DATA, NOISE))
    assert names == ("softmax_by_chunks",) and f"every {parts}" in text and words in text


def test_parts_in_a_random_order_are_not_claimed():
    order = np.random.default_rng(0).permutation(30)
    parts = np.split(order, 3)
    names, _ = told(
        sp.check_denoiser(
            lambda y: chunked(y, parts, lambda f: np.mean([a / b for a, b in f], axis=0)),
            DATA,
            NOISE,
        )
    )
    assert names == ()


def test_x_not_divided_by_alpha():
    alpha, sigma = 0.7, 0.6

    def mean(y):
        logs = -((y[:, None] - DATA) ** 2).sum(-1) / (2 * (sigma / alpha) ** 2)
        p = np.exp(logs - logs.max(1, keepdims=True))
        return p @ DATA / p.sum(1, keepdims=True)

    _, text = told(sp.check_denoiser(mean, DATA, sigma**2, alpha=alpha))
    assert "divide x by α" in text
    _, text = told(
        sp.check_score(lambda y: (alpha * mean(y) - y) / sigma**2, DATA, sigma**2, alpha=alpha)
    )
    assert "= σ/α" in text and "divide x by α" in text


def test_a_numerator_and_a_root_of_a_preconditioning():
    def scalings(sigma):
        total = sigma**2 + 0.25
        return 1 / total, 0.5 * sigma / total**0.5, 1 / total

    _, text = told(sp.check_preconditioning(scalings, sigma_data=0.5))
    assert "1/σ_data²" in text and "it is 1 / (σ² + σ_data²)" in text
    assert "the square root is missing" in text


def test_an_error_says_what_it_is_relative_to():
    def network(x, sigma):
        return 1e4 * x

    text = sp.check_denoiser(network, DATA, schedule=[0.5, 1.0, 2.0]).sentence
    assert "times the distance that E[x_0 | x] moves" in text


@pytest.mark.parametrize("buffer", [True, False])
def test_a_module_without_parameters_is_fed_the_type_that_it_holds(buffer):
    torch = pytest.importorskip("torch")

    class Mean(torch.nn.Module):
        def __init__(self):
            super().__init__()
            if buffer:
                self.register_buffer("x", torch.tensor(DATA))
            else:
                self.x = torch.tensor(DATA)

        def forward(self, y):
            return torch.softmax(-(torch.cdist(y, self.x) ** 2) / (2 * NOISE), -1) @ self.x

    assert sp.check_denoiser(Mean(), DATA, NOISE)


def test_the_other_type_is_advised():
    error = RuntimeError("expected m1 and m2 to have the same dtype, but got: float != double")
    assert "float64" in remedy_for(error, eps=2.0**-23)
    assert "float32" in remedy_for(error)
