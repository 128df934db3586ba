"""Flows of affine fields in modules and trees, whose likelihood and its gradient are closed forms.

dz/ds = A z + c with A = W2 W1 and c = W2 b1 + b2: z(0) comes from the matrix exponential, and the
trace's estimate is νᵀ A ν.
"""

from __future__ import annotations

import numpy as np

RNG = np.random.default_rng(11)
W1, W2 = RNG.normal(0, 0.6, (2, 2)), RNG.normal(0, 0.6, (2, 2))
B1, B2 = RNG.normal(0, 0.6, 2), RNG.normal(0, 0.6, 2)
X = RNG.standard_normal((3, 2))
#: in the order of PyTorch's parameters
LEAVES = {"0.weight": W1, "0.bias": B1, "1.weight": W2, "1.bias": B2}


def torch_log_p(w1, b1, w2, b2, x, nu):
    import torch

    a, c = w2 @ w1, w2 @ b1 + b2
    top = torch.cat([a, c[:, None]], dim=1)
    whole = torch.cat([top, torch.zeros_like(top[:1])], dim=0)
    back = torch.matrix_exp(-whole)
    z = x @ back[:2, :2].T + back[:2, 2]
    return -(z * z).sum(1) / 2 - (nu * (nu @ a.T)).sum(1)


def network(dtype=None):
    """A module of two affine layers, ``forward(input)``."""
    import torch

    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)).double()
    with torch.no_grad():
        for v, value in zip(net.parameters(), LEAVES.values(), strict=True):
            v.copy_(torch.tensor(value))
    return net if dtype is None else net.to(dtype)


def log_p(net, x, nu):
    return torch_log_p(*net.parameters(), x, nu)


def gradients(net, x, nu):
    """One for each parameter, summed over the rows."""
    import torch

    return list(torch.autograd.grad(log_p(net, x, nu).sum(), list(net.parameters())))


def by_rows(net, x, nu):
    """The same by rows, ``(n, *S)`` each."""
    import torch

    rows = [
        torch.autograd.grad(v, list(net.parameters()), retain_graph=True) for v in log_p(net, x, nu)
    ]
    return [torch.stack(column) for column in zip(*rows, strict=True)]


def jax_log_p(tree, x, nu):
    """``tree``: W1, b1, W2, b2 by these names."""
    import jax
    import jax.numpy as jnp

    a, c = tree["w2"] @ tree["w1"], tree["w2"] @ tree["b1"] + tree["b2"]
    whole = jnp.concatenate([jnp.concatenate([a, c[:, None]], 1), jnp.zeros((1, 3), a.dtype)])
    back = jax.scipy.linalg.expm(-whole)
    z = x @ back[:2, :2].T + back[:2, 2]
    return -(z * z).sum(1) / 2 - (nu * (nu @ a.T)).sum(1)


def jax_field(z, tree, s):
    return (z @ tree["w1"].T + tree["b1"]) @ tree["w2"].T + tree["b2"]


def diagonal(tree, x, nu):
    """Of dz/ds = a z + b, coordinate by coordinate: the gradient by rows, as a dict (NumPy)."""
    a, b = tree["a"], tree["b"]
    z = np.exp(-a) * (x + b / a) - b / a
    to_a = -np.exp(-a) * (x + b / a) + (1 - np.exp(-a)) * b / a**2
    to_b = (np.exp(-a) - 1) / a
    return {"a": -z * to_a - nu**2, "b": -z * to_b}
