"""``check_normalizing_flow``: is a flow's log-determinant that of its own Jacobian?

Conventions: forward maps rows x ``(n, *shape)`` to ``(z, log_det)`` with ``log_det = log |det
∂z/∂x|`` in nats, one a row; ``log p(x) = log p_Z(z) + log_det``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scoreproof.evidence import Evidence
from scoreproof.public.normalizing_flow.arguments import Request, validate
from scoreproof.public.normalizing_flow.verdict import judge
from scoreproof.public.rule import public_check

__all__ = ["check_normalizing_flow"]


@public_check
def check_normalizing_flow(
    flow: Any,
    *,
    inverse: Callable[..., Any] | None = None,
    log_prob: Callable[..., Any] | None = None,
    base: Any = None,
    shape: int | Sequence[int] | None = None,
    context: Any = None,
    points: Any = None,
    units: str = "nats",
    data_range: Sequence[float] | None = None,
    levels: int | None = None,
    direction: str | None = None,
    returns: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
    moved: bool = True,
    tolerance: float | None = None,
    framework: str | None = None,
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Judge a layer of a normalizing flow, or a whole flow, by its exact Jacobian.

    Parameters
    ----------
    flow: one of

        - a function ``forward(x) -> (z, log_det)``; with ``reverse``, ``rev``, ``inverse`` or
          ``mode`` among its arguments it is its own inverse; a ``logdet`` among them is handed 0,
          and once another number, which must be added to;
        - an object with ``forward`` (or ``f``) and, where it has one, ``inverse`` (``reverse``,
          ``backward``, ``g``): torch modules of nflows, normflows, Glow and RealNVP repositories,
          FrEIA's (a tuple goes in);
        - a transform of torch.distributions, Pyro or zuko, a bijector of TFP, distrax, flowjax;
        - a distribution of one and a base law: ``TransformedDistribution``, flows of nflows,
          normflows, zuko, flowjax. Then ``log_prob`` is judged too.
    inverse: ``inverse(z) -> x`` or ``(x, log_det)``, where it is a function of its own.
    log_prob: ``log_prob(x) -> (n,)`` of the whole flow; its base law is ``base``.
    base: an object with ``log_prob``, or a function z -> ``(n,)``; by default the one that the
        object has (``prior``, ``base_dist``, …), or a standard normal.
    shape: of one sample, without the batch: an int, or ``(c, h, w)``. By default the first that the
        flow takes, said in a note.
    context: what a conditional layer is conditioned on, ``(k,)`` or ``(n, k)``, fixed for each row.
    points: rows to look at (default: normal ones, a third of them four times as far out, and
        where they are not in the domain others that are).
    units: what ``log_prob`` returns: ``"nats"``, ``"bits"``, ``"nll"`` (minus the nats), or
        ``"bits_per_dim"``: -log2 p / d + log2(levels / (high - low)) of data in ``levels`` values
        (default 256) over ``data_range=(low, high)``, which has to be said; ``levels=1`` without
        it: x is continuous, and nothing is added.
    data_range: where the data lie that the flow is fed with, e.g. ``(0, 1)`` or ``(-1, 1)``.
    direction: ``"x_to_z"`` or ``"z_to_x"``: which way forward runs, where log_prob is judged.
    returns: what forward returns, in order, e.g. ``("z", "prior", "log_det")``.
    options: further arguments by name, each taken by forward, the inverse or log_prob.
    moved: a torch module is judged a second time, on a copy whose trainable parameters are moved by
        0.1 N(0, 1): a layer that is initialised as the identity shows nothing.
    tolerance: the relative error of a density (an error in nats), of a point that comes back, and
        of a gradient, that is accepted.
    framework, dtype: what the flow takes: numpy, torch or jax. Modules are recognised, and judged
        in double precision where they run in it.

    Returns
    -------
    Evidence of kind float: log_det against ``log |det J|`` of the whole Jacobian (by autodiff, or
    by differences of sixth order with their error), row by row; that rows do not depend on each
    other, nor on how many there are; inverse(forward(x)) = x and the inverse's log_det; log_prob;
    the gradient of log_det in x and in parameters against differences, of log_prob too in PyTorch.
    Up to 3072 dimensions.

    Calls: of NumPy functions about 40 of forward, 30 of them with d times as many rows, and as
    many again with an inverse; of torch and JAX about 50, with d reverse passes in five of them,
    and 30 for each direction of a gradient, of log_prob too in PyTorch. 2 of the inverse (3 where
    log_prob starts from z), 1 or 2 of log_prob beside them. Twice that with moved parameters.

    Raises ``ArgumentError`` and ``CallableError``.
    Source: Dinh et al. 2017, Kingma and Dhariwal 2018, Papamakarios et al. 2021.

    >>> import numpy as np
    >>> def coupling(x):
    ...     s, t = np.tanh(x[:, :2]), x[:, :2] ** 2
    ...     return np.hstack([x[:, :2], x[:, 2:] * np.exp(s) + t]), s.sum(axis=1)
    >>> bool(check_normalizing_flow(coupling, shape=4))
    True
    >>> def wrong(x):
    ...     z, log_det = coupling(x)
    ...     return z, -log_det
    >>> print(check_normalizing_flow(wrong, shape=4).diagnosis.names)
    ('sign',)
    """
    return judge(
        validate(
            Request(
                flow,
                inverse,
                log_prob,
                base,
                shape,
                context,
                points,
                units,
                data_range,
                levels,
                direction,
                returns,
                options,
                moved,
                tolerance,
                framework,
                dtype,
                seed,
            )
        )
    )
