"""The shared field in PyTorch, and the FFJORD dynamics as a module that solvers take."""

from __future__ import annotations

import math

import torch
from flow import sizes

__all__ = ["Augmented", "field", "log_normal"]


def field(z: torch.Tensor, params: torch.Tensor, s: float | torch.Tensor) -> torch.Tensor:
    """``tanh(z W1ᵀ + b1 + s u) W2ᵀ``: smooth, and its trace depends on z, s and every parameter."""
    pieces, start = {}, 0
    for name, shape in sizes():
        count = math.prod(shape)
        pieces[name], start = params[start : start + count].reshape(shape), start + count
    return torch.tanh(z @ pieces["w1"].T + pieces["b1"] + s * pieces["u"]) @ pieces["w2"].T


def log_normal(z: torch.Tensor) -> torch.Tensor:
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=1)


class Augmented(torch.nn.Module):
    """(z, ℓ) with dz/ds = f and dℓ/ds = -νᵀ ∂f/∂z ν, as one array of rows ``(n, D + 1)``."""

    def __init__(self, params: torch.Tensor, nu: torch.Tensor) -> None:
        super().__init__()
        self.params = torch.nn.Parameter(params.clone())
        self.nu = nu

    def forward(self, s: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        with torch.enable_grad():
            z = state[:, :-1]
            z = z if z.requires_grad else z.detach().requires_grad_(True)
            f = field(z, self.params, s)
            (pulled,) = torch.autograd.grad(f, z, self.nu, create_graph=True)
            return torch.cat([f, -(pulled * self.nu).sum(dim=1, keepdim=True)], dim=1)
