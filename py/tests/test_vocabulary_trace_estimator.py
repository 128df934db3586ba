"""Every vector, factor and reduction that `check_trace_estimator` knows is put in place of what is
right, and is what its rooms say.
"""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.public.noise_vectors import VECTORS
from scoreproof.public.trace_estimator.arguments import given
from scoreproof.public.trace_estimator.asking import asked
from scoreproof.public.trace_estimator.causes import explained
from scoreproof.public.trace_estimator.rows import mirrored, rows_for
from scoreproof.public.trace_estimator.sketches import of_a_sketch
from scoreproof.public.trace_estimator.vectors import (
    MULTIPLES,
    OTHERS,
    PAIRS,
    REDUCED,
    SPOKEN,
    TERMS,
)
from scoreproof.public.trace_estimator.verdict import against


def jvp(f, z, v):
    return np.imag(f(z + 1e-30j * v)) / 1e-30


def terms(f, z, nu):
    return nu * jvp(f, z, nu)


def hutchinson(f, z, nu):
    return terms(f, z, nu).sum(axis=1)


def said(estimator, *, dimensions=(5, 4), tolerance=None):
    """What the room that looks for causes says, of f and -f in these dimensions."""
    parts = []
    for d in dimensions:
        case = given(estimator, None, d, None, 100, tolerance, "numpy", None, 0)
        rows = rows_for(case, d, np.random.default_rng(0))
        for these in (rows, *mirrored(case, rows)):
            parts.append(against(case, these, asked(case, these), "νᵀJν"))
    diagnosis, _ = explained(parts, case.eps, tolerance or 0.0)
    return diagnosis.sentence


@pytest.mark.parametrize("name", PAIRS)
def test_every_other_vector_is_named(name):
    left, right, reason, mend = PAIRS[name]
    sentence = said(
        lambda f, z, nu: (VECTORS[left](nu) * jvp(f, z, VECTORS[right](nu))).sum(1),
        dimensions=(4,),
    )
    assert sentence.startswith(f"Cause: {reason} (") and sentence.endswith(f" {mend}."), sentence


def test_pairs_that_are_no_known_mistake_are_named_by_their_vectors():
    for left, right in OTHERS[::3]:
        sentence = said(
            lambda f, z, nu, a=left, b=right: (VECTORS[a](nu) * jvp(f, z, VECTORS[b](nu))).sum(1),
            dimensions=(4,),
        )
        assert f"{SPOKEN[left]} for its first ν and {SPOKEN[right]} for its last" in sentence


@pytest.mark.parametrize("name", TERMS)
def test_what_is_done_to_the_terms_is_named(name):
    of, reason = TERMS[name]
    assert said(lambda f, z, nu: of(terms(f, z, nu)), dimensions=(4,)).startswith(
        f"Cause: {reason} ({name})"
    )


@pytest.mark.parametrize("name", REDUCED)
def test_what_is_done_to_the_rows_is_named(name):
    of, reason, mend = REDUCED[name]
    sentence = said(lambda f, z, nu: of(hutchinson(f, z, nu)), dimensions=(4,))
    assert sentence == f"Cause: {reason} ({name}). {mend}."


@pytest.mark.parametrize("name", MULTIPLES)
def test_factors_of_nu_are_named(name):
    of, reason, mend = MULTIPLES[name]
    sentence = said(lambda f, z, nu: of(nu) * hutchinson(f, z, nu))
    assert sentence == f"Cause: {reason} ({name}). {mend}."


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (lambda d: 0.0, "0 times νᵀJν: it returns 0 (nothing). Let f and ν reach the result."),
        (lambda d: d, "D times νᵀJν: a factor D (times_D). Leave it out."),
        (lambda d: d / (d - 1), "divided by D - 1 as a variance is, and multiplied by D"),
        (lambda d: 1 / (d - 1), "an average over D - 1, as of a variance, where a sum is due"),
        (lambda d: 1 / 3, "ν uniform on [-1, 1], which has E[νν^T] = I/3"),
        (lambda d: 1 / 12, "an interval of length 1, which has the variance 1/12"),
        (lambda d: 1 / d / np.log(2), "Return nats: no division by D log 2."),
        (lambda d: 1 / np.log(10), "logarithms in base 10 (base_ten). Use natural logarithms."),
        (lambda d: 1e3, "a division by 0.001, as by the step of a difference, too many"),
        (
            lambda d: -np.log(2),
            "log 2 times νᵀJν (ell_sign + nats_of_bits). Leave that factor out,",
        ),
    ],
)
def test_factors_are_told(factor, words):
    assert words in said(lambda f, z, nu: factor(z.shape[1]) * hutchinson(f, z, nu))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            lambda f, z, nu: terms(f, z, nu)[:, :-1].sum(axis=1),
            "the last coordinate is left out (last_coordinate_missing). Let the sum run over all",
        ),
        (
            lambda f, z, nu: terms(f, z, nu)[:, [0, 2]].sum(axis=1),
            "coordinates 1, 3 are left out (coordinates_missing). Sum over all D coordinates.",
        ),
        (
            lambda f, z, nu: terms(f, z, nu)[:, [0, 1, 2, 3, 3]].sum(axis=1),
            "coordinate 3 counts 2 times (coordinates_weighted). Count each of them once.",
        ),
        (
            lambda f, z, nu: np.abs(hutchinson(f, z, nu)),
            "an absolute value (absolute_value). Keep the sign: a divergence may be negative.",
        ),
        (
            lambda f, z, nu: np.maximum(hutchinson(f, z, nu), -2.0),
            "the estimate is clipped at -2 (clipped). Leave it as it is.",
        ),
        (
            lambda f, z, nu: hutchinson(lambda y: y + f(y), z, nu),
            "(identity_added). Differentiate f alone, or take away νᵀν.",
        ),
        (
            lambda f, z, nu: (jvp(f, z, nu) ** 2).sum(axis=1),
            "the squared length of Jν, as if for the Frobenius norm of J (frobenius). Multiply Jν",
        ),
    ],
)
def test_what_is_left_out_or_changed_is_told(wrong, words):
    assert words in said(wrong, dimensions=(4,))


def test_a_factor_of_a_difference_is_named_up_to_what_differences_leave():
    def halved(f, z, nu):
        return (nu * (f(z + 1e-4 * nu) - f(z - 1e-4 * nu)) / 4e-4).sum(axis=1)

    sentence = said(halved)
    assert "half of νᵀJν, up to " in sentence and "of its size, as differences leave" in sentence


def drawn(estimator, **more):
    rng = np.random.default_rng(0)
    return sp.check_trace_estimator(
        lambda f, z: estimator(f, z, rng.choice([-1.0, 1.0], z.shape)), dimension=4, **more
    )


def test_a_long_step_is_not_told_as_a_law_of_nu():
    def long(f, z, nu):
        return (nu * (f(z + 0.5 * nu) - f(z - 0.5 * nu))).sum(axis=1)

    told = drawn(long).explain()
    assert "or f bends, as it does for a difference with a long step" in told
    shrunk = drawn(lambda f, z, nu: 0.9 * long(f, z, nu)).explain()
    assert "gives the mean" in shrunk and "on the check's curved field, and" in shrunk


def test_what_the_mean_of_draws_does_not_tell():
    near = drawn(lambda f, z, nu: 1.05 * hutchinson(f, z, nu), tolerance=0.05)
    assert near.verdict == "undecided"
    assert "which noise does not tell from the tolerance" in near.explain()

    def paired(f, z, nu):  # the first half of the rows share one ν, and the second half another
        half = np.arange(len(z))[:, None] < len(z) / 2
        return hutchinson(f, z, np.where(half, nu[:1], nu[-1:]))

    told = drawn(paired)
    assert told.diagnosis.names == ("dependent_rows",)
    assert "the rows of one batch are not drawn independently" in told.explain()
    rng = np.random.default_rng(2)
    noisy = drawn(lambda f, z, nu: hutchinson(f, z, nu) * (1 + 0.006 * rng.choice([-1, 1])))
    assert noisy.verdict == "undecided"
    assert "the rows of one batch are not drawn independently" in noisy.explain()

    odd = drawn(lambda f, z, nu: hutchinson(f, z, nu) * (1 + 0.2 * np.sign(z[:, 0])))
    assert odd.verdict == "refuted"
    assert "right on the whole, and wrong in a part of the points or coordinates" in odd.explain()


def test_what_a_sketch_leaves_is_weighed_by_the_rank_of_j():
    rng = np.random.default_rng(4)

    def by_rank(estimate):
        def linear(matrix):
            return estimate(int(np.trace(matrix))) + 0.01 * rng.standard_normal(4096)

        return of_a_sketch(linear, 5)

    assert (
        "summed over 3 random vectors" in by_rank(lambda r: min(r, 2) + 3 * max(r - 2, 0)).sentence
    )
    assert "= 1/4 times what is due" in by_rank(lambda r: min(r, 1) + max(r - 1, 0) / 4).sentence
    assert "is missing" in by_rank(lambda r: min(r, 3)).sentence
    assert by_rank(lambda r: r) is None  # right at every rank
    assert by_rank(lambda r: 1.2 * r) is None  # wrong at every rank
    assert by_rank(lambda r: r + (r > 2)) is None  # not so many times each


@pytest.mark.parametrize("d", [2, 3, 8])
def test_a_draw_that_is_divided_by_its_norm_is_named_in_every_dimension(d):
    rng = np.random.default_rng(3)

    def estimator(f, z):
        nu = rng.standard_normal(z.shape)
        nu /= np.linalg.norm(nu, axis=1, keepdims=True)
        return (nu * f(z + 1e-30j * nu).imag / 1e-30).sum(axis=1)

    found = sp.check_trace_estimator(estimator, dimension=d)
    assert found.diagnosis.names == ("nu_of_one_length",), found.explain()
    assert "multiply ν by √D, or the estimate by D" in found.explain()


def test_signs_and_a_factor_are_no_length():
    rng = np.random.default_rng(4)

    def estimator(f, z):
        nu = rng.choice([-1.0, 1.0], z.shape)
        return 0.7 * (nu * f(z + 1e-30j * nu).imag / 1e-30).sum(axis=1)

    found = sp.check_trace_estimator(estimator, dimension=3)
    assert "nu_of_one_length" not in found.diagnosis.names
