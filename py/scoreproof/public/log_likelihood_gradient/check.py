"""Public check of the gradient of a continuous normalizing flow's log-likelihood.

Conventions
-----------
- ``field(z, params, s)``: rows z ``(n, D)``, a flat vector params ``(P,)``, one number s in [0, 1];
  returns ``(n, D)``.
- Data sit at s = 1, the latent law at s = 0: ``log p(x) = log p_Z(z(0)) - ∫₀¹ tr ∂f/∂z ds`` with
  z(1) = x.
- ``gradient(x, params, nu)``: rows x and ν ``(n, D)``; returns ∂ log p̂/∂params, ``(n, P)``, or
  ``(P,)`` for the sum over the rows.
- Where params is a module or a tree of arrays, its leaves are laid end to end inside, and what is
  said of an entry names the leaf: ``layers.0.weight[3, 1]``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scoreproof.evidence import Evidence
from scoreproof.public.arguments import seeded
from scoreproof.public.log_likelihood_gradient.arguments import given as held_to
from scoreproof.public.log_likelihood_gradient.judging import judged
from scoreproof.public.rule import public_check
from scoreproof.streams import stream

__all__ = ["check_log_likelihood_gradient"]


@public_check
def check_log_likelihood_gradient(
    field: Callable[..., Any],
    params: Any,
    x: Any,
    gradient: Callable[..., Any],
    *,
    log_latent: Callable[..., Any] | None = None,
    log_likelihood: Callable[..., Any] | None = None,
    nu: Any = None,
    in_expectation: bool = False,
    tolerances: Sequence[float] = (1e-4, 1e-6, 1e-8),
    accuracy: float = 1e-5,
    tolerance: float | None = None,
    draws: int = 2000,
    given: Any = None,
    framework: str = "numpy",
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Is ``gradient`` the gradient of the flow's (estimated) log-likelihood?

    The reference is the adjoint of FFJORD on your own field, its derivatives by complex steps
    (NumPy; by real stencils where the field is not analytic), ``torch.func`` or ``jax``, in double
    precision where the field takes that, its steps doubled until it settles, and confirmed against
    differences of log p̂. Every parameter's entry is judged by itself.

    Parameters
    ----------
    field: ``field(z, params, s)``: z ``(n, D)``, params as they are, s a number in [0, 1]; returns
        ``(n, D)``. Continuously differentiable together with ∂f/∂z: a ReLU network makes the check
        undecided. The order of the arguments is known by their names (``field(t, y, args)``); a
        module that has the parameters is called without them, ``module(z, t)`` or ``module(t, z)``.
        Its time may be one number, or one for each row, ``(n,)`` or ``(n, 1)``; equinox's modules
        are called row by row, linen's by ``apply``.
    params: ``(P,)``; or a ``torch.nn.Module`` (its parameters with ``requires_grad``, or some of
        them in a list or dict), an equinox or flax model, any tree that jax knows; of NumPy and
        PyTorch arrays a dict, list, tuple or dataclass; None: those of ``field`` itself.
    x: rows ``(n, D)``; x sits at s = 1.
    gradient: ``gradient(x, params, nu)``, ν ``(n, D)``, returns ``∂ log p̂/∂params`` as ``(n, P)``,
        or ``(P,)`` for the sum over rows; of a tree the same tree, each leaf ``(n, *S)``, or ``S``
        summed; of a module a dict by name, a list in the order of ``parameters()``, or nothing,
        and ``.grad`` is read (which the check empties before and restores). None for a leaf is 0.
        If it has a keyword ``tol`` it is called once for each of
        ``tolerances``, and what is judged is the limit: a gradient that converges to something else
        is refuted, one that does not converge, or not to 1e-4, is undecided.
    log_latent: ``log p_Z(z)``, rows to ``(n,)``; default: standard normal.
    log_likelihood: ``(x, params, nu) -> (n,)``, your log p̂: judged too, if given (faults in ℓ̂ do
        not show in the gradient). If it has a keyword ``tol`` it is passed that of the gradient.
    nu: the ν at which to compare ``(n, D)``; default: Gaussian.
    in_expectation: compare the mean over the D vectors √D Q e_i (Q orthogonal, another one for each
        row) with the gradient of log p itself. If the gradient draws its own ν, ``draws`` draws for
        each row, up to 16 in a call, and a test of means at level 1e-6 take the place of that.
    tolerances: the solver's tolerances to pass as ``tol``, falling.
    accuracy: without ``tol``, the error relative to the largest entry that your solver promises.
        Beyond it the gradient is refuted; within it, an entry that is off by more than 0.4 % of its
        own size makes the check undecided.
    tolerance: the relative error of an entry, in its own size, that you accept. It goes before
        ``accuracy``: an entry within it passes, one beyond both is refuted. Default: none.
    draws: draws of ν for each row, where the gradient draws its own.
    given: what the arguments are where their names do not say: ``("t", "z", "params")`` of the
        field, or ``{"field": …, "gradient": ("params", "x", "nu")}``.
    framework, dtype: what your callables are written in and the floating type they are fed; of
        trees and modules those of the leaves. The reference is solved in double precision.
    seed: for ν, the directions and Q.

    Calls of ``gradient``: with m the number of tolerances (1 without ``tol``), at a fixed ν m, one
    to see whether it is deterministic, one at the rows in the opposite order with another ν (for
    n > 1) and one at the first row alone; m·D + 1 in expectation; 2 more in float16 or bfloat16, to
    see what rounding does. Calls of ``field``: a NumPy field is asked one parameter at a time for
    P <= 512 (128 if it is not analytic), P calls a stage of at most 32 steps of 6 stages; beyond,
    along that many directions of several parameters each.

    Raises ``ArgumentError`` for arguments of wrong shape or not finite, and for a leaf that is
    empty, complex, of whole numbers or of another type than the others; ``CallableError`` where a
    callable raises, returns nan or another shape, lacks a leaf, writes into its input or the
    parameters, or (``field``) is not deterministic; ``MissingExtraError`` without torch or jax.

    A note says what ``jax.jit`` would do for a JAX gradient whose calls took more than two seconds,
    measured on it, by one more call.

    Source: homework on generative models, spring 2024, problem 3 (claim ``ffjord``).

    >>> import numpy as np
    >>> def field(z, params, s):
    ...     return params[0] * z + params[1]
    >>> def gradient(x, params, nu):  # z(0) = e^-p0 (x + p1/p0) - p1/p0, the trace is p0
    ...     p0, p1 = params
    ...     z0 = np.exp(-p0) * (x + p1 / p0) - p1 / p0
    ...     d0 = -np.exp(-p0) * (x + p1 / p0) + (1 - np.exp(-p0)) * p1 / p0**2
    ...     d1 = (np.exp(-p0) - 1) / p0
    ...     return np.column_stack([(-z0 * d0 - nu**2).sum(axis=1), (-z0 * d1).sum(axis=1)])
    >>> rows = [[1.0], [0.2]]
    >>> bool(check_log_likelihood_gradient(field, [0.5, 0.3], rows, gradient, accuracy=1e-10))
    True
    >>> def of_dict(t, y, args):
    ...     return args["rate"] * y + args["shift"]
    >>> def in_leaves(x, params, nu):
    ...     b = gradient(x, (params["rate"], params["shift"]), nu).sum(axis=0)
    ...     return {"rate": b[0], "shift": 2 * b[1]}
    >>> tree = {"rate": 0.5, "shift": 0.3}
    >>> found = check_log_likelihood_gradient(of_dict, tree, rows, in_leaves)
    >>> print(found.explain())
    Refuted ... Cause: the gradient of shift is 2 times what is due, the rest is right ...
    """
    rng = stream(seeded(seed), "ffjord", "public")
    case = held_to(
        {
            "field": field,
            "params": params,
            "x": x,
            "gradient": gradient,
            "log_latent": log_latent,
            "log_likelihood": log_likelihood,
            "nu": nu,
            "in_expectation": in_expectation,
            "tolerances": tolerances,
            "accuracy": accuracy,
            "tolerance": tolerance,
            "draws": draws,
            "given": given,
            "framework": framework,
            "dtype": dtype,
        },
        rng,
    )
    return judged(case, rng)
