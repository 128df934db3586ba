"""`check_loss` where the loss is flat, bent or blind: clipped, singular, in 16 bits."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.public.loss.metric import named_directions

BAR = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
TABLE = {"alphas_cumprod": BAR}
IMAGE = (3, 4, 4)


def of(error, table=None, label=lambda t: t, **more):
    import torch

    def loss(model, x0, t, noise):
        bar = torch.from_numpy(BAR) if table is None else table()
        a = bar[t].reshape(-1, *[1] * (x0.ndim - 1))
        a, s = a.sqrt(), (1 - a).sqrt()
        xt = a * x0 + s * noise
        out = model(xt, label(t))
        return error(out, noise, x0, (xt - s * out) / a)

    return sp.check_loss(loss, TABLE, **({"shape": IMAGE, "framework": "torch"} | more))


def test_a_metric_of_full_rank_holds():
    torch = pytest.importorskip("torch")
    mask = torch.linspace(1e-5, 1, 48, dtype=torch.float64).reshape(IMAGE)
    for error in (
        lambda o, n, x, c: (mask * (o - n).square()).mean(),
        lambda o, n, x, c: (o - n).square().mean() + (o - n).diff(dim=-1).square().mean(),
        lambda o, n, x, c: torch.fft.fft2(o - n).abs().square().mean(),
    ):
        assert of(error, weight="eps")
    large = {"shape": (3, 16, 16)}  # named directions only
    assert of(lambda o, n, x, c: (o - n).square().mean(), weight="eps", **large)
    blind = of(lambda o, n, x, c: (o - n - (o - n).mean((1, 2, 3), True)).square().mean(), **large)
    assert blind.verdict == "refuted" and "trains not all directions" in blind.sentence


def test_named_directions_are_of_length_one():
    for shape in ((4,), (3, 5), (1, 4, 4), (3, 4, 1)):
        for name, u in named_directions(shape).items():
            assert np.linalg.norm(u) == pytest.approx(1), name


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-50, 50, "holds"), (-5, 5, "undecided"), (-1, 1, "undecided"), (-0.3, 0.3, "refuted")],
)
def test_an_x0_that_is_clipped_may_be_right_where_data_are_within(low, high, verdict):
    pytest.importorskip("torch")
    evidence = of(lambda o, n, x, clean: (clean.clamp(low, high) - x).square().mean(), weight="x0")
    assert evidence.verdict == verdict, evidence.explain()
    if verdict == "holds":
        assert "a square near the exact model only" in evidence.explain()


def test_errors_that_are_clipped_far_out_are_told():
    torch = pytest.importorskip("torch")

    def clipped(most):
        return lambda o, n, x, c: (o - n).square().flatten(1).mean(1).clamp(max=most).mean()

    assert of(clipped(1.0)).verdict == "undecided"
    huber = of(lambda o, n, x, c: torch.nn.functional.huber_loss(o, n, delta=12.0))
    assert huber and "a square near the exact model only" in huber.explain()


def test_sixteen_bits_are_not_said_to_hold():
    torch = pytest.importorskip("torch")

    def square(o, n, x, c):
        return (o - n).square().mean()

    for kind in (torch.float16, torch.bfloat16):
        evidence = of(square, lambda kind=kind: torch.tensor(BAR, dtype=kind))
        assert evidence.verdict == "undecided", evidence.explain()
        assert str(kind).partition(".")[2] in evidence.sentence
    assert of(square, label=lambda t: t.bfloat16()).verdict == "undecided"
    as_it_runs = of(square, lambda: torch.tensor(BAR).half(), dtype="float32")
    assert as_it_runs.verdict == "refuted"
    assert of(square, lambda: torch.tensor(BAR).float())


def test_a_weight_that_is_claimed_to_vanish_is_told():
    torch = pytest.importorskip("torch")
    bar = torch.cos(torch.linspace(1e-3, np.pi / 2, 50, dtype=torch.float64)) ** 2
    bar[-1] = 0

    def loss(model, x0, t, noise):
        a, snr = bar[t][:, None], bar[t] / (1 - bar[t])
        v = a.sqrt() * noise - (1 - a).sqrt() * x0
        error = (model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t) - v).square().mean(1)
        return (snr.clamp(max=5) / (snr + 1) * error).mean()

    evidence = sp.check_loss(loss, {"alphas_cumprod": bar}, prediction="v", weight="min-snr")
    assert evidence and "is claimed is 0 at t = 49" in evidence.explain()


def test_weights_over_their_mean_are_their_own():
    torch = pytest.importorskip("torch")
    bar = torch.from_numpy(BAR)

    def loss(model, x0, t, noise):
        a, snr = bar[t][:, None], bar[t] / (1 - bar[t])
        weight = snr.clamp(max=5) / snr
        error = (model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t) - noise).square().mean(1)
        return (weight / weight.mean() * error).mean()

    assert sp.check_loss(loss, TABLE, weight="min-snr")
