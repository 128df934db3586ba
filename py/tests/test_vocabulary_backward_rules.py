"""Miswritten rules of backward passes that have a formula: softmax, norms, sigmoids, activations.

Each mistake is applied to a right rule, and `check_backward` must say it in these words.
"""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp

torch = pytest.importorskip("torch")
X = torch.tensor(np.random.default_rng(5).uniform(0.4, 1.6, (3, 4)) * [1.0, -1.0, 1.0, 1.0])
W = torch.tensor(np.random.default_rng(6).standard_normal((4, 4)))
N = X.shape[-1]


def own(forward, backward):
    """An autograd.Function with its rule: ``backward(gradients, value, x)``."""

    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = forward(x)
            ctx.save_for_backward(*(y if isinstance(y, tuple) else (y,)), x)
            return y

        @staticmethod
        def backward(ctx, *g):
            return backward(*g, *ctx.saved_tensors)

    return Own.apply


def judged(forward, rule):
    op = own(forward, rule)
    return sp.check_backward(lambda x: (op(x) ** 2).sin().sum(), inputs=X)


def says(evidence, name, *said):
    """Refuted with this cause, in these words."""
    text = evidence.explain()
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == (name,), text
    for words in said:
        assert words in text, text


def over(a, axis=-1):
    return a.sum(axis, keepdim=True)


# -- softmax and its logarithm ---------------------------------------------------------------------

SOFTMAX = ", where y (g - Σ g y) over axis 1 is due"
LOG_SOFTMAX = ", where g - exp(y) Σ g over axis 1 is due"


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        (
            "y (g - Σ g y) with the sum over axis 0",
            lambda g, y, x: y * (g - over(g * y, 0)),
        ),
        (
            "y (g - mean of g y): a mean stands where the sum is due",
            lambda g, y, x: y * (g - over(g * y) / N),
        ),
        (
            "y (g + Σ g y): the sign of the sum is wrong",
            lambda g, y, x: y * (g + over(g * y)),
        ),
    ],
    ids=["other-axis", "mean", "sign"],
)
def test_a_rule_of_softmax_is_read(said, rule):
    says(judged(lambda x: x.softmax(-1), rule), "sum_of_softmax", said + SOFTMAX)


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("g - exp(y) Σ g with the sum over all entries", lambda g, y, p: g - p * g.sum()),
        ("g - exp(y) Σ g with the sum over axis 0", lambda g, y, p: g - p * over(g, 0)),
        ("g - y Σ g: exp(y), the softmax, is due for y", lambda g, y, p: g - y * over(g)),
        (
            "g - exp(y) mean of g: a mean stands where the sum is due",
            lambda g, y, p: g - p * over(g) / N,
        ),
        ("g + exp(y) Σ g: the sign of the sum is wrong", lambda g, y, p: g + p * over(g)),
    ],
    ids=["all-entries", "other-axis", "value", "mean", "sign"],
)
def test_a_rule_of_log_softmax_is_read(said, rule):
    evidence = judged(lambda x: x.log_softmax(-1), lambda g, y, x: rule(g, y, y.exp()))
    says(evidence, "sum_of_softmax", said + LOG_SOFTMAX)


def test_a_log_softmax_without_the_sum_of_the_gradient_is_read_in_a_gradient_by_hand():
    """Right for losses whose gradients add up to 1 in each row, and wrong for this one."""

    def loss(x, w):
        return ((x @ w).log_softmax(-1) ** 2).sum()

    def gradient(x, w):
        y = (x @ w).log_softmax(-1)
        d = 2 * y - y.exp()
        return d @ w.T, x.T @ d

    evidence = sp.check_backward(loss, inputs=(X, W), gradient=gradient)
    says(evidence, "sum_of_softmax", "g - exp(y): the sum of g is missing" + LOG_SOFTMAX)


def test_a_log_softmax_without_a_sum_is_read_where_no_jacobian_is_looked_at():
    """With few classes it is also the diagonal of the Jacobian alone, and that is said first."""
    x = torch.tensor(np.random.default_rng(7).standard_normal(410))
    p = x.softmax(0)
    evidence = sp.check_backward(
        lambda x: (3 * x.log_softmax(0)).sin().sum(),
        inputs=x,
        gradient=lambda x: 3 * (3 * x.log_softmax(0)).cos() * (1 - p),
    )
    due = ", where g - exp(y) Σ g over axis 0 is due"
    says(evidence, "sum_of_softmax", "g - exp(y) g: Σ g is due for g" + due)


# -- normalisations --------------------------------------------------------------------------------


def deviation(x):
    return x.var(-1, keepdim=True, unbiased=False).sqrt()


def normalised(x):
    return (x - x.mean(-1, keepdim=True)) / deviation(x)


def weighted(of_mean, of_variance):
    """The rule of a normalisation, its two terms multiplied by these numbers."""

    def rule(g, y, x):
        mean, variance = g.mean(-1, keepdim=True), y * (g * y).mean(-1, keepdim=True)
        return (g - of_mean * mean - of_variance * variance) / deviation(x)

    return rule


@pytest.mark.parametrize(
    ("said", "weights"),
    [
        ("the term of the variance: it is divided by n = 4 once too often", (1, 1 / N)),
        ("the terms of mean and variance: it is counted twice", (2, 2)),
        ("the term of the mean: half of it is left out", (0.5, 1)),
        ("the terms of mean and variance: its sign is wrong", (-1, -1)),
    ],
    ids=["divided", "twice", "half", "sign"],
)
def test_a_term_of_a_normalisation_is_weighed(said, weights):
    assert judged(normalised, weighted(1, 1)).verdict == "holds"
    evidence = judged(normalised, weighted(*weights))
    says(evidence, "statistics_weighted", f"what is due but for {said}")


def test_a_term_of_a_norm_is_weighed():
    def size(x):
        return x.norm(dim=-1, keepdim=True)

    evidence = judged(lambda x: x / size(x), lambda g, y, x: (g - y * over(g * y) / 2) / size(x))
    said = "the term of the norm (or the root mean square): half of it is left out"
    says(evidence, "statistics_weighted", said)


# -- activation functions --------------------------------------------------------------------------


def by_a_sigmoid(g, y, x):
    s = (1.702 * x).sigmoid()
    return g * s * (1 + 1.702 * x * (1 - s))


@pytest.mark.parametrize(
    ("said", "forward", "rule"),
    [
        (
            "the GELU by a sigmoid, x sigmoid(1.702 x), where that of the GELU with erf is due",
            torch.nn.functional.gelu,
            by_a_sigmoid,
        ),
        (
            "the hard sigmoid's SiLU (hard swish), where that of SiLU (swish), x sigmoid(x) is due",
            torch.nn.functional.silu,
            lambda g, y, x: g * (x / 3 + 0.5),
        ),
    ],
    ids=["gelu", "hard-swish"],
)
def test_the_derivative_of_a_similar_function_is_named(said, forward, rule):
    evidence = judged(forward, rule)
    said = f"the arriving gradient times the derivative of {said}"
    says(evidence, "derivative_of_another_function", said)


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("s (1 + x s (1 - s))…: s is there twice", lambda x, s: s * (1 + x * s * (1 - s))),
        ("s (x + 1 - s)…: x and 1 are exchanged", lambda x, s: s * (x + 1 - s)),
    ],
    ids=["twice", "exchanged"],
)
def test_a_miswritten_derivative_of_silu_is_read(said, rule):
    evidence = judged(torch.nn.functional.silu, lambda g, y, x: g * rule(x, x.sigmoid()))
    due = " where s (1 + x (1 - s)) is due, s = sigmoid(x)"
    says(evidence, "another_derivative", said.replace("…", due))


# -- rules inside of a gradient by hand, and of several outputs ------------------------------------


def test_other_slopes_in_the_backward_than_in_the_forward():
    leaky = torch.nn.functional.leaky_relu

    def gradient(x, w):
        z = x @ w
        g = leaky(z, 0.5).cos()
        d = torch.where(z > 0, g, 0.2 * g)
        return d @ w.T, x.T @ d

    evidence = sp.check_backward(
        lambda x, w: leaky(x @ w, 0.5).sin().sum(), inputs=(X, W), gradient=gradient
    )
    said = "1.6 times what is due and -0.6 times the gradient as it arrives: its slopes are others"
    says(evidence, "other_slopes", said + " in the backward than in the forward")


def test_a_mean_stands_for_a_sum_in_one_term():
    def gradient(x, w):
        d = (x @ w).cos() / 12
        return d @ w.T, x.T @ d + w.cos()

    evidence = sp.check_backward(
        lambda x, w: (x @ w).sin().sum() + w.sin().sum(), inputs=(X, W), gradient=gradient
    )
    says(evidence, "factor", "a mean over the 12 entries, where their sum is due?")


def test_a_rule_that_is_wrong_only_with_two_gradients_at_once():
    op = own(lambda x: (x**2, x.sin()), lambda g, h, y, z, x: 2 * g * x + h * x.cos() + g * h)

    def loss(x):
        u, v = op(x)
        return (u**2 * v).sum()

    evidence = sp.check_backward(loss, inputs=X)
    assert evidence.verdict == "refuted" and not evidence.diagnosis.names
    said = "what is due for each output's gradient by itself, and not for all together"
    assert said in evidence.explain(), evidence.explain()


# -- labels of plots -------------------------------------------------------------------------------


def test_plots_are_labelled():
    def backward(graph, partials, v_out, one):
        return [one @ partials[0], one]

    by_hand = sp.check_backward(backward, [(0, 1)])
    assert by_hand.verdict == "holds" and list(by_hand.curves) == [
        "relative error of each gradient"
    ]
    assert by_hand.labels == ("gradient (node by node)", "relative error")
    traced = sp.check_backward(lambda x: x.sin().sum(), inputs=X)
    assert traced.verdict == "holds" and list(traced.curves) == ["measured", "bound"]
    assert traced.labels == ("slot", "relative difference of ⟨g J, t⟩ and the values")
