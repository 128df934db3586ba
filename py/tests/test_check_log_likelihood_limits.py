"""`check_log_likelihood`: solvers of order one, sums without a limit, and probes of a wrong law."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp

check = sp.check_log_likelihood


def normal(z):
    return -(z**2).sum(1) / 2 - z.shape[1] / 2 * np.log(2 * np.pi)


def euler(*, of_x=lambda h: h, of_trace=lambda h: h, default=10, times=1.0):
    """``of_x(h)`` and ``of_trace(h)``: what the velocity, and its divergence, are multiplied by."""

    def log_prob(velocity, div, x, n_steps=default):
        h, total = 1 / n_steps, 0.0
        for k in range(n_steps):
            t = 1 - k * h
            total = total - of_trace(h) * div(x, t)
            x = x - of_x(h) * velocity(x, t)
        return normal(x) + times * total

    return log_prob


@pytest.mark.parametrize("default", [4, 10, 40])
def test_a_solver_of_order_one_is_extrapolated(default):
    evidence = check(euler(default=default))
    assert evidence, evidence.explain()
    assert evidence.resolution <= 0.01
    if default < 40:
        assert any("Its solver is of order 1" in n for n in evidence.notes)


@pytest.mark.parametrize("times", [1.005, 0.9, -1.0, 0.0])
def test_a_wrong_trace_of_a_solver_of_order_one_is_refuted(times):
    assert check(euler(times=times)).verdict == "refuted"


@pytest.mark.parametrize(
    ("wrong", "names", "said"),
    [
        (euler(of_trace=lambda h: 1.0), ("trace_no_dt",), "lacks its dt"),
        (euler(of_trace=lambda h: -1.0), ("trace_no_dt",), "lacks its dt"),
        (euler(of_trace=lambda h: h**0.5), ("trace_no_dt",), "grows with the number of steps"),
        (euler(of_trace=lambda h: h**2), ("trace_missing",), "multiplied by dt twice"),
        (euler(of_x=lambda h: 0.1), (), "look for a dt that is missing in a step of x"),
    ],
    ids=["no dt", "no dt, subtracted", "root of dt", "dt twice", "x without dt"],
)
def test_a_dt_that_is_missing_or_there_twice(wrong, names, said):
    evidence = check(wrong)
    assert evidence.verdict == "refuted", evidence.explain()
    assert evidence.diagnosis.names == names and said in evidence.explain(), evidence.explain()
    if names != ("trace_missing",):
        assert "more comes back the finer it is solved (n_steps)" in evidence.sentence


def probed(torch, nu_of, of=lambda g, nu: (g * nu).sum(1)):
    def log_prob(velocity, x, n_steps=16):
        h, total = 1 / n_steps, 0.0
        nu = nu_of(torch, x)
        for k in range(n_steps):
            t = 1 - k * h
            half = (x - h / 2 * velocity(x, t)).detach().requires_grad_()
            out = velocity(half, t - h / 2)
            (g,) = torch.autograd.grad(out, half, nu)
            x, total = x - h * out.detach(), total - h * of(g, nu)
        return -(x**2).sum(1) / 2 - x.shape[1] / 2 * np.log(2 * np.pi) + total

    return log_prob


def normals(torch, x):
    return torch.randn_like(x)


@pytest.mark.parametrize(
    ("nu_of", "of", "names", "said"),
    [
        (normals, lambda g, nu: g.sum(1), ("trace_mean_zero",), "multiply νᵀJ by the same ν"),
        (normals, lambda g, nu: nu.sum(1), ("trace_mean_zero",), "multiply νᵀJ by the same ν"),
        (normals, lambda g, nu: (g * nu).mean(1), ("trace_mean",), "use"),
        (
            lambda torch, x: 2 * torch.rand_like(x) - 1,
            lambda g, nu: (g * nu).sum(1),
            ("trace_mean",),
            "ν is uniform on [-1, 1], whose variance is 1/3",
        ),
        (
            lambda torch, x: torch.nn.functional.normalize(torch.randn_like(x), dim=1),
            lambda g, nu: (g * nu).sum(1),
            ("trace_mean",),
            "ν has length 1",
        ),
    ],
    ids=["not by nu", "nu alone", "mean", "uniform", "unit"],
)
def test_what_is_wrong_with_a_probe(nu_of, of, names, said):
    torch = pytest.importorskip("torch")
    right = check(probed(torch, normals), framework="torch")
    assert right, right.explain()
    evidence = check(probed(torch, nu_of, of), framework="torch")
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == names, evidence.explain()
    assert said in evidence.diagnosis.sentence
