"""A continuous flow in PyTorch whose gradient several audits ask for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

__all__ = ["PARAMS", "ROWS", "field", "gradient_by"]

PARAMS = [0.4, -0.7, 0.6, 0.2, 0.1, -0.2, 0.3, 0.5]
ROWS = [[0.3, -0.8], [1.2, 0.4]]


def field(z: Any, params: Any, s: Any) -> Any:
    """tanh(A z + b + c s), z in R²."""
    a, b, c = params[:4].reshape(2, 2), params[4:6], params[6:8]
    return torch.tanh(z @ a.T + b + c * s)


class Dynamics(torch.nn.Module):
    """z and the change of log p along it, for a fixed ν."""

    def __init__(self, params: Any, nu: Any) -> None:
        super().__init__()
        self.params, self.nu = torch.nn.Parameter(params.detach().clone()), nu

    def forward(self, s: Any, state: Any) -> Any:
        z = state[0]
        with torch.enable_grad():
            if not z.requires_grad:
                z = z.requires_grad_()
            dz = field(z, self.params, s)
            product = torch.autograd.grad((dz * self.nu).sum(), z, create_graph=True)[0]
        return dz, (product * self.nu).sum(1)


def gradient_by(solve: Callable[..., Any]) -> Callable[..., Any]:
    """``gradient(x, params, nu, tol)`` by ``solve(dynamics, state, times, tol)``."""

    def gradient(x: Any, params: Any, nu: Any, tol: float) -> Any:
        rows = []
        for row, probe in zip(x, nu, strict=True):
            dynamics = Dynamics(params, probe[None])
            with torch.enable_grad():
                state = (row[None].detach().clone(), torch.zeros(1, dtype=row.dtype))
                times = torch.tensor([1.0, 0.0], dtype=row.dtype)
                z, change = (part[-1] for part in solve(dynamics, state, times, tol))
                log_p = change - 0.5 * (z**2).sum(1) - math.log(2 * math.pi)
                rows.append(torch.autograd.grad(log_p.sum(), dynamics.params)[0])
        return torch.stack(rows)

    return gradient
