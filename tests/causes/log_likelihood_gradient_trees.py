"""Wrong gradients of flows in modules and trees of parameters: a leaf lost, moved, or weighed
otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from causes import wrong
from causes._affine_flows import (
    X,
    diagonal,
    gradients,
    jax_field,
    jax_log_p,
    log_p,
    network,
    torch_log_p,
)
from scoreproof import Evidence, check_log_likelihood_gradient


def judged(gradient: Callable[..., Any], net: Any = None, **more: Any) -> Evidence:
    """``gradient(x, net, nu)`` of a module of two affine layers."""
    net = network() if net is None else net
    return check_log_likelihood_gradient(net, net, X, gradient, **({"accuracy": 1e-8} | more))


def named(net: Any, values: Any) -> dict[str, Any]:
    return dict(zip(dict(net.named_parameters()), values, strict=True))


@wrong(
    "torchdiffeq: a bias that is read as .data gets no gradient (allow_unused=True)",
    says=r"1\.bias.*(None|no gradient|detached)",
    needs="torch",
)
def a_bias_without_gradient() -> Evidence:
    def gradient(x, net, nu):
        import torch

        w1, b1, w2, b2 = net.parameters()
        value = torch_log_p(w1, b1, w2, b2.data, x, nu).sum()
        return torch.autograd.grad(value, list(net.parameters()), allow_unused=True)

    return judged(gradient)


@wrong(
    "ffjord: gradients zipped with names in another order (sorted)",
    says=r"0\.weight.* that of |another order|order of params",
    needs="torch",
)
def names_sorted() -> Evidence:
    def gradient(x, net, nu):
        import torch

        names = sorted(n for n, _ in net.named_parameters())
        found = named(net, gradients(net, x, nu))
        return torch.cat([found[n].ravel() for n in names])

    return judged(gradient)


@wrong(
    "two layers of the same shape exchanged when gradients are copied back",
    says=r"0\.weight is that of 1\.weight",
    needs="torch",
)
def two_layers_exchanged() -> Evidence:
    def gradient(x, net, nu):
        return gradients(net, x, nu)[2:] + gradients(net, x, nu)[:2]

    return judged(gradient)


@wrong(
    "an adjoint by hand: the weight's gradient as x^T δ where δ^T x is due",
    says=r"1\.weight is transposed",
    needs="torch",
)
def weight_transposed() -> Evidence:
    def gradient(x, net, nu):
        found = named(net, gradients(net, x, nu))
        return found | {"1.weight": found["1.weight"].T}

    return judged(gradient)


@wrong(
    "an adjoint by hand: the bias' gradient is the mean over the batch, the weights' the sum",
    says=r"0\.bias and 1\.bias .*(averaged over the batch|1/n)",
    needs="torch",
)
def bias_averaged() -> Evidence:
    def gradient(x, net, nu):
        found = named(net, gradients(net, x, nu))
        return {k: v / len(x) if k.endswith("bias") else v for k, v in found.items()}

    return judged(gradient)


@wrong(
    "Caffe's lr_mult=2 of biases inside the gradient",
    says=r"0\.bias and 1\.bias are 2 times",
    needs="torch",
)
def bias_doubled() -> Evidence:
    def gradient(x, net, nu):
        found = named(net, gradients(net, x, nu))
        return {k: 2 * v if k.endswith("bias") else v for k, v in found.items()}

    return judged(gradient)


@wrong(
    "a parameter group's weight decay, on the weights alone, left in .grad",
    says=r"0\.weight and 1\.weight .*(decay|times the leaf itself)",
    needs="torch",
)
def weights_decayed() -> Evidence:
    def gradient(x, net, nu):
        log_p(net, x, nu).sum().backward()
        for name, v in net.named_parameters():
            if name.endswith("weight"):
                v.grad -= 0.01 * v.detach()

    return judged(gradient)


@wrong(
    "LARS: each leaf's gradient brought to length 1",
    says=r"length 1\b",
    needs="torch",
)
def leaves_normalised() -> Evidence:
    def gradient(x, net, nu):
        return [g / g.norm() for g in gradients(net, x, nu)]

    return judged(gradient)


@wrong(
    "a training step: backward on the loss -log p, in .grad",
    says=r"gradient of -log p",
    needs="torch",
)
def the_loss_in_grad() -> Evidence:
    def gradient(x, net, nu):
        (-log_p(net, x, nu).sum()).backward()

    return judged(gradient)


@wrong(
    "the trace is taken of a deep copy (an EMA) of the module",
    says=r"Cause: the log-determinant .* has no gradient: .*detached",
    needs="torch",
)
def trace_of_a_copy() -> Evidence:
    def gradient(x, net, nu):
        import torch

        w1, b1, w2, b2 = net.parameters()
        value = torch_log_p(w1, b1, w2, b2, x, nu)
        a = w2 @ w1
        value = value + (nu * (nu @ (a - a.detach()).T)).sum(1)
        return torch.autograd.grad(value.sum(), list(net.parameters()))

    return judged(gradient)


@wrong(
    "the first layer's weight is detached in the trace alone",
    says=r"in 0\.weight .*only.* has no gradient: .*detached",
    needs="torch",
)
def trace_of_a_detached_layer() -> Evidence:
    def gradient(x, net, nu):
        import torch

        w1, b1, w2, b2 = net.parameters()
        value = torch_log_p(w1, b1, w2, b2, x, nu)
        value = value + (nu * (nu @ (w2 @ (w1 - w1.detach())).T)).sum(1)
        return torch.autograd.grad(value.sum(), list(net.parameters()))

    return judged(gradient)


def tree() -> dict[str, Any]:
    from causes._affine_flows import B1, B2, W1, W2

    return {"w1": W1, "b1": B1, "w2": W2, "b2": B2}


@wrong(
    "JAX: stop_gradient on one leaf (a frozen layer that is trained)",
    says=r"\bw1\b.*(are 0|no gradient)",
    needs="jax",
)
def stop_gradient_on_a_leaf() -> Evidence:
    import jax
    import jax.numpy as jnp

    def log_of(p, x, nu):
        return jax_log_p(p | {"w1": jax.lax.stop_gradient(p["w1"])}, x, nu).sum()

    gradient = jax.jit(lambda x, params, nu: jax.grad(log_of)(params, x, nu))
    params = {k: jnp.asarray(v, "float32") for k, v in tree().items()}
    return check_log_likelihood_gradient(jax_field, params, X, gradient)


@wrong(
    "flax from PyTorch: kernels (in, out) filled with gradients (out, in)",
    says=r"w1 and w2 are transposed",
    needs="jax",
)
def kernels_transposed() -> Evidence:
    import jax
    import jax.numpy as jnp

    def log_of(p, x, nu):
        return jax_log_p(p, x, nu).sum()

    grad = jax.jit(lambda x, params, nu: jax.grad(log_of)(params, x, nu))

    def gradient(x, params, nu):
        return {k: v.T for k, v in grad(x, params, nu).items()}

    params = {k: jnp.asarray(v, "float32") for k, v in tree().items()}
    return check_log_likelihood_gradient(jax_field, params, X, gradient)


@wrong(
    "NumPy: the shift's gradient without the sign of going down in time",
    says=r"gradient of shift is the negative",
)
def sign_of_one_leaf() -> Evidence:
    def gradient(x, p, nu):
        found = diagonal({"a": p["scale"], "b": p["shift"]}, x, nu)
        return {"scale": found["a"], "shift": -found["b"]}

    params = {"scale": np.array([0.5, -0.7]), "shift": np.array([0.3, 0.2])}
    return check_log_likelihood_gradient(
        lambda z, p, s: p["scale"] * z + p["shift"], params, X, gradient, accuracy=1e-8
    )
