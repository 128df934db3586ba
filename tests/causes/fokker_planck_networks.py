"""Networks for a density or its log that learned another equation, or are called otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_fokker_planck


def _network(noise: float = 1.0, pull: float = 1.0, order: str = "xt", act: str = "Tanh") -> Any:
    """A PINN of log p with the solution of dX = -pull X dt + noise dW in it, to 1e-3."""
    import torch

    torch.manual_seed(3)

    class Pinn(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = torch.nn.Sequential(
                torch.nn.Linear(2, 32),
                getattr(torch.nn, act)(),
                torch.nn.Linear(32, 1),
            )

        def forward(self, inputs):
            x, t = inputs[:, :1], inputs[:, 1:]
            if order == "tx":
                x, t = t, x
            if act == "ReLU":
                return self.net(torch.cat([x, t], 1))
            end = noise**2 / (2 * pull)
            v = end + (0.3 - end) * torch.exp(-2 * pull * t.abs())
            log = -0.5 * x**2 / v - 0.5 * torch.log(2 * np.pi * v)
            return log + 1e-3 * self.net(torch.cat([x, t], 1))

    return Pinn()


def _judged(net: Any, noise: float = 0.8, **more: Any) -> Evidence:
    return check_fokker_planck(
        lambda x, t: -x, lambda t: noise, log_density=net, tolerance=0.05, **more
    )


@wrong("the residual of the loss has σ/2 for σ²/2", says=r"rho_not_squared", needs="torch")
def trained_without_the_square() -> Evidence:
    return _judged(_network(noise=0.8**0.5))


@wrong("the residual of the loss lacks the ½", says=r"half_missing", needs="torch")
def trained_without_the_half() -> Evidence:
    return _judged(_network(noise=0.8 * 2**0.5))


@wrong("the network takes (t, x), and is called with (x, t)", says=r'inputs="tx"', needs="torch")
def time_first() -> Evidence:
    return _judged(_network(noise=0.8, order="tx"))


@wrong("ReLU: the second derivative is 0", says=r"tanh, SiLU, softplus", needs="torch")
def relu() -> Evidence:
    return _judged(_network(act="ReLU"), normalized=False)
