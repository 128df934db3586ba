"""What a model is told, by the clock of the process: `check_loss` where the loss draws t."""

from __future__ import annotations

import pytest

import scoreproof as sp

check = sp.check_loss
IMAGE = (3, 4, 4)


def edm(level, told=lambda s: s):
    import torch

    def loss(net, x):
        s = (1.1 * torch.randn(len(x), 1, 1, 1) - 0.9).exp()
        return ((net(x + torch.randn_like(x) * level(s), told(s)) - x) ** 2).mean()

    return check(loss, prediction="x0", shape=IMAGE)


def flow(bent, told=lambda t: t):
    import torch

    def loss(model, x0):
        t, noise = torch.rand(len(x0)), torch.randn_like(x0)
        b = bent(t).reshape(-1, 1, 1, 1)
        return ((model((1 - b) * x0 + b * noise, told(t)) - (noise - x0)) ** 2).mean()

    return check(loss, "flow", prediction="flow", shape=IMAGE)


def test_the_level_told_is_that_of_the_noise():
    pytest.importorskip("torch")
    for level, says in (
        (lambda s: s**2, "deviation s²"),
        (lambda s: s**1.5, "deviation s^1.5"),
        (lambda s: 2 * s, "deviation 2 s"),
        (lambda s: s + 0.1, r"deviation s + 0.1"),
    ):
        evidence = edm(level)
        assert evidence.verdict == "refuted" and says in evidence.diagnosis.sentence
    for told in (lambda s: s.log() / 4, lambda s: 250 * s.log(), lambda s: 1000 * s):
        assert edm(lambda s: s, told)


def test_a_clock_that_is_not_known_is_a_doubt():
    torch = pytest.importorskip("torch")
    for evidence in (
        edm(lambda s: s, torch.atan),
        edm(lambda s: s**2, lambda s: s.log() / 4),
        flow(lambda t: t**1.5),
        flow(lambda t: t / 2),
    ):
        assert evidence.verdict == "undecided" and "say label=lambda t" in evidence.sentence
    # the level that is told is the one that is used
    assert flow(lambda t: 3 * t / (1 + 2 * t), lambda t: 3000 * t / (1 + 2 * t))


def test_a_thousand_times_the_time_that_runs_backwards():
    torch = pytest.importorskip("torch")
    evidence = flow(lambda t: t, lambda t: 1000 * (1 - t))
    assert evidence.verdict == "refuted" and "told 1000 (1 - t)" in evidence.diagnosis.sentence

    def exchanged(model, x0):
        t, noise = torch.rand(len(x0)), torch.randn_like(x0)
        s = t.reshape(-1, 1, 1, 1)
        return ((model((1 - s) * x0 + s * noise, 1000 * t) - (x0 - noise)) ** 2).mean()

    def turned(model, x0):
        t, noise = torch.rand(len(x0)), torch.randn_like(x0)
        s = t.reshape(-1, 1, 1, 1)
        return ((model(s * x0 + (1 - s) * noise, 1000 * t) - (noise - x0)) ** 2).mean()

    pair = (lambda t: t, lambda t: 1 - t)
    evidence = check(exchanged, pair, prediction="velocity", shape=IMAGE)
    assert evidence.verdict == "refuted" and "told 1000 (1 - t)" in evidence.diagnosis.sentence
    evidence = check(turned, pair, prediction="velocity", shape=IMAGE)
    assert evidence.verdict == "refuted" and "sign of the target" in evidence.diagnosis.sentence
