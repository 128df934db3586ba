"""Forms of losses and processes that people have, and what is said of those that fail."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError

check = sp.check_loss
BAR = np.cumprod(1 - np.linspace(2e-4, 0.05, 400))
TABLE = {"alphas_cumprod": BAR}
IMAGE = (2, 3, 3)
torch = pytest.importorskip("torch")


def noised(x0, t, noise):
    bar = torch.from_numpy(BAR)[t].reshape(-1, 1, 1, 1)
    return bar.sqrt() * x0 + (1 - bar).sqrt() * noise


def error(model, x0, t, noise):
    return ((model(noised(x0, t, noise), t) - noise) ** 2).mean()


def test_what_is_logged_may_come_first_and_backward_may_have_been_run():
    def logged(model, x0, t, noise):
        return {"t": t}, error(model, x0, t, noise)

    def backward(model, x0, t, noise):
        loss = error(model, x0, t, noise)
        loss.backward()
        return loss

    for loss in (logged, backward):
        assert check(loss, TABLE, shape=IMAGE, framework="torch")
    with pytest.raises(CallableError, match="returned str"):
        check(lambda model, x0, t, noise: "0.3", TABLE, shape=IMAGE, framework="torch")


def test_the_flag_of_a_learned_variance_is_named():
    def loss(model, x0, t, noise):
        mean, _ = model(noised(x0, t, noise), t).split(IMAGE[0], dim=1)
        return ((mean - noise) ** 2).mean()

    with pytest.raises(CallableError, match="learned_variance=True"):
        check(loss, TABLE, shape=IMAGE)
    assert check(loss, TABLE, shape=IMAGE, learned_variance=True)

    def raises(model, x0, t, noise):
        return error(model, x0, t, noise) + undefined  # noqa: F821

    with pytest.raises(CallableError, match="NameError") as raised:
        check(raises, TABLE, shape=IMAGE)
    assert "learned_variance" not in str(raised.value)


def test_the_model_may_come_last():
    def loss(x0, t, net):
        noise = torch.randn_like(x0)
        return ((net(noised(x0, t, noise), t) - noise) ** 2).mean()

    assert check(loss, TABLE, shape=IMAGE)
    swapped = lambda a, b, c: loss(a, b, c)  # noqa: E731  # names that say nothing
    assert check(swapped, TABLE, shape=IMAGE, takes=("x0", "t", "model"), framework="torch")
    with pytest.raises(ArgumentError, match="with model and x0"):
        check(loss, TABLE, takes=("t", "model"))


class VPSDE:
    """As in score_sde."""

    T = 1

    def beta(self, t):
        return 0.1 + 19.9 * t

    def sde(self, x, t):
        rate = self.beta(t)
        return -0.5 * rate[:, None, None, None] * x, torch.sqrt(rate)

    def marginal_prob(self, x, t):
        log = -0.25 * t**2 * 19.9 - 0.5 * t * 0.1
        return torch.exp(log[:, None, None, None]) * x, torch.sqrt(1 - torch.exp(2 * log))


def test_an_sde_with_marginal_prob():
    sde = VPSDE()

    def of(likelihood):
        def loss(model, x0):
            t, z = torch.rand(len(x0)) * (1 - 1e-3) + 1e-3, torch.randn_like(x0)
            mean, std = sde.marginal_prob(x0, t)
            std = std.reshape(-1, 1, 1, 1)
            score = model(mean + std * z, t)
            if likelihood:
                weight = sde.sde(x0, t)[1].reshape(-1, 1, 1, 1) ** 2
                return (weight * (score + z / std) ** 2).sum()
            return ((score * std + z) ** 2).sum()

        return loss

    options = {"prediction": "score", "shape": IMAGE}
    assert check(of(False), sde, weight="sigma2", **options)
    assert check(of(True), sde, weight="likelihood", **options)
    assert check(of(False), sde, weight="likelihood", **options).verdict == "refuted"

    class Broken(VPSDE):
        def marginal_prob(self, x, t):
            raise RuntimeError("no")

    with pytest.raises(ArgumentError, match="RuntimeError: no"):
        check(of(False), Broken(), **options)
