"""``check_path_kl``: is it the divergence of the paths of two SDEs?

Conventions: P is dX = a dt + g dW, Q is dX = b dt + g dW; nats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scoreproof.evidence import Evidence
from scoreproof.public.path_kl.arguments import Request, validate
from scoreproof.public.path_kl.verdict import judge
from scoreproof.public.rule import public_check

__all__ = ["check_path_kl"]


@public_check
def check_path_kl(
    path_kl: Callable[..., Any],
    *,
    quantity: str = "kl",
    noise: str = "scalar",
    given: Sequence[str] | None = None,
    simulated: str = "P",
    control: str = "noise",
    layout: str = "time first",
    reduction: str | None = None,
    shape: int | Sequence[int] = 3,
    options: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
    framework: str | None = None,
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Judge KL(P‖Q), or log dP/dQ, of the paths of two SDEs with the same noise (Girsanov).

    Parameters
    ----------
    path_kl: a function that returns one number a path ``(n,)``, the terms of each step, their mean,
        or a tuple of paths and these. What it takes is known by the names of its arguments:

        - ``drift0``, ``drift1`` (``f`` and ``h``, ``posterior_drift`` and ``prior_drift``, …), P's
          first; or ``control`` (``u``) with ``drift``; or ``score`` and ``model``, for the bound
          ½ ∫ g² E|s0 - s1|² dt; or ``sde`` with methods f, g, h as torchsde has them. All take x
          and t, in either order;
        - ``diffusion`` (``g``, ``sigma``), see ``noise``;
        - ``x`` (``path``, …), paths of P, ``(K + 1, n, d)``; or ``x0`` ``(n, d)``, from which it
          makes paths, with ``rng``, ``generator``, ``key``, ``dW`` or ``z`` (torch code may draw
          globally); or ``mean0``, ``std0`` and ``batch_size``, of which it draws x0;
        - ``t`` (``ts``: all K + 1 times), ``dt``, ``n_steps``, ``t0``, ``t1`` (``T``);
        - ``mean0``, ``std0``, ``mean1``, ``std1`` or ``log_p0``, ``log_q0``: the laws at the start;
          ``kl0`` (``kl_T``): a number to be added; ``terminal_cost``: a function of x_T to be
          added.
    quantity: "kl"; "log_ratio" for log dP/dQ of each path.
    noise: what ``diffusion(x, t)`` returns: "scalar" (g(t)), "diagonal" ``(n, d)``, "full" ``(n, d,
        d)``; "number" and "matrix" hand over a constant.
    given: the arguments in order, where their names do not say what they are, by any name that
        is known.
    simulated: the law of the paths that it makes, "P" or (of log dP/dQ) "Q".
    control: whether the control is multiplied by the diffusion ("noise": dX = (b + g u) dt) or is
        a drift ("drift": dX = (b + u) dt).
    layout: of paths and noise: "time first", "batch first" ``(n, K + 1, d)``, "one path".
    reduction: over the batch: "none", "mean" or "sum"; by default one number a path, or their mean.
    shape: of a state, how many coordinates it has; ``()``: it is a number, paths are
        ``(K + 1, n)``.
    options: further arguments by name.
    tolerance: the relative error that is accepted.
    framework, dtype: what the function takes: numpy, torch or jax; by default the library that it
        uses.

    Returns
    -------
    Evidence. log dP/dQ is compared path by path with the ratio of Euler's Gaussian steps, and KL
    with ½ Σ|u|² dt along the same paths (any multiple of ∫ u·dW may be added): kind float. An
    estimate of KL by another scheme or rule: its mean, taken exactly for affine drifts, in the
    limit of small steps (kind convergent, with ``order``), and its value where drifts bend and
    there is next to no noise.

    Calls: 6; where the sum is not Euler's up to 50 more, of up to 384 paths (2 (9 d + 1) more of a
    function that returns a mean; one path at a time: as often as there are paths). Twice 6 where
    drifts are not told the time.

    Raises ``ArgumentError`` and ``CallableError``.
    Source: Girsanov 1960; Li et al. 2020 (latent SDEs), Song et al. 2021 (the bound), Zhang and
    Chen 2022 (path integral sampler).

    >>> import numpy as np
    >>> def path_kl(drift0, drift1, diffusion, x, t):
    ...     value = 0.0
    ...     for k in range(len(t) - 1):
    ...         u = (drift0(x[k], t[k]) - drift1(x[k], t[k])) / diffusion(t[k])
    ...         value = value + 0.5 * np.sum(u**2, axis=1) * (t[k + 1] - t[k])
    ...     return value
    >>> bool(check_path_kl(path_kl))
    True
    >>> wrong = lambda drift0, drift1, diffusion, x, t: 2 * path_kl(drift0, drift1, diffusion, x, t)
    >>> print(check_path_kl(wrong).diagnosis.names)
    ('half_missing',)
    """
    said = {
        "quantity": quantity,
        "noise": noise,
        "simulated": simulated,
        "control": control,
        "layout": layout,
        "reduction": reduction,
    }
    return judge(
        validate(Request(path_kl, said, given, shape, options, tolerance, framework, dtype, seed))
    )
