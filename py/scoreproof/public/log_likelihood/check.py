"""``check_log_likelihood``: is what a function returns log p of the data, by its ODE?

Conventions: the ODE goes from the data to the noise, log p(x) = log π(z) + ∫ tr(∂f/∂x) dt, in
nats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scoreproof.evidence import Evidence
from scoreproof.public.log_likelihood.arguments import Request, validate
from scoreproof.public.log_likelihood.verdict import judge
from scoreproof.public.rule import public_check

__all__ = ["check_log_likelihood"]


@public_check
def check_log_likelihood(
    log_likelihood: Callable[..., Any],
    process: Any = None,
    *,
    prediction: str | None = None,
    given: Sequence[str] | None = None,
    prior: float | str | Callable[..., Any] | None = None,
    data_at: int | None = None,
    t_min: float | None = None,
    t_max: float | None = None,
    units: str = "nats",
    data_range: Sequence[float] | None = None,
    levels: int | None = None,
    shape: int | Sequence[int] = (3,),
    gradients: bool | str | Sequence[str] = False,
    options: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
    framework: str | None = None,
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Judge log p of a probability-flow ODE, a flow or a CNF, by laws whose log p is known.

    Parameters
    ----------
    log_likelihood: a function that is handed an exact model and x, and returns log p ``(n,)``, or a
        tuple with it. What it takes is known by the names of its arguments:

        - ``model`` (``score_fn``, ``velocity``, ``func``, ``denoiser``, …), called ``(x, t)`` or
          ``(t, x)``, which may be differentiated by torch or jax, traced and mapped;
          ``div`` (NumPy): ``(n,)``, the divergence of what the model returns;
        - ``x`` ``(n, *shape)``; ``nu`` (``epsilon``, ``noise``): a probe ``(n, *shape)``;
        - ``n_steps``, ``rtol``, ``atol``, ``tol``, ``step_size``, ``times``: how finely it solves;
        - ``t_min`` (``eps``, ``sigma_min``), ``t_max`` (``sigma_max``), ``sde``, ``log_p0`` (the
          prior's log density), ``rng`` or ``generator``, ``key``.
    process: an object with ``alpha(t)`` and ``sigma(t)``, or score_sde's ``marginal_prob(x, t)``,
        or ``sde(x, t)`` alone, or a table ``betas`` or ``alphas_cumprod`` (an object's, or
        ``{"betas": …}``), of which t is the index, from 0 to T - 1.
        Without it, of a velocity: the straight path, the data at t = 1 (``data_at=0``: at 0); of
        a denoiser: x = x_0 + σ ε at time σ, as k-diffusion has it.
    prediction: what the model returns: score, eps, x0, v, velocity, flow (ε - x_0), or field: of a
        CNF, judged on two more flows in closed form that are no diffusion; by default what its name
        says (``eps_model``, ``denoiser``, ``velocity``), else, with a process, a score.
    given: the arguments in order, where their names do not say what they are.
    prior: the standard deviation of N(0, prior² I), ``"marginal"`` for the exact law at the end, or
        log π as a function of z (default: 1, and σ at the end where α is 1 there).
    t_min, t_max: the times of the data and of the noise (default: those of the process; a cutoff of
        the code's own within 2 % of the span is read off). Of a flow ``t_max`` is its whole time.
    units: nats, bits, nll (-log p) or bits_per_dim. The last is -log2 p / d + log2(levels / (high -
        low)) of data in ``levels`` values (default 256) over ``data_range=(low, high)``, which has
        to be said; ``levels=1`` without it: x is continuous, and nothing is added.
    shape: of one sample, without the batch.
    gradients: of log p (torch and jax): True or "x" in x; "params" in parameters of the
        model, a shift and the log of a scale of the data (a ``torch.nn.Module`` with
        ``parameters()``); "t" in the time of the data (``t``, ``t_min``, ``eps``).
    options: further arguments by name.
    tolerance: the relative error that is accepted.
    framework, dtype: what the function takes: numpy, torch or jax (default: read off its code).

    Returns
    -------
    Evidence; errors relative to the smaller of log π(z) and ∫ tr. Kind convergent where it can be
    solved more finely: then its limit is judged; else float, and an error below 0.4 % is not told
    from its solver's. Probes ν are replaced by signs whose average is the exact trace. What is made
    of x before the ODE begins (a scaling, a rotation, a logit) is read off, and log|dy/dx| is due.
    Undecided where ν is made of draws that signs do not stand for (clipped, biased, of another
    generator). Of two draws that belong together, as the sketch and the probes of Hutch++, one is
    averaged over given the other.

    Calls: 2 where it cannot be refined, else up to 14, up to 5 more where ν is drawn, and up to
    4 more for each gradient; each point stands for 2^k > d rows where ν is drawn.

    Raises ``ArgumentError`` and ``CallableError``.
    Source: Chen et al. 2018, Grathwohl et al. 2019 (FFJORD), Song et al. 2021, Lipman et al. 2023.

    >>> import numpy as np
    >>> def log_likelihood(velocity, div, x, n_steps):  # data at t = 1, noise at 0
    ...     dt, total = 1 / n_steps, 0.0
    ...     for k in range(n_steps):
    ...         t = 1 - k * dt
    ...         half = x - dt / 2 * velocity(x, t)
    ...         x, total = x - dt * velocity(half, t - dt / 2), total - dt * div(half, t - dt / 2)
    ...     return -(x**2).sum(1) / 2 - x.shape[1] / 2 * np.log(2 * np.pi) + total
    >>> bool(check_log_likelihood(log_likelihood))
    True
    >>> def wrong(velocity, div, x, n_steps):
    ...     return 2 * log_likelihood(velocity, lambda *a: 0, x, n_steps) - log_likelihood(
    ...         velocity, div, x, n_steps)
    >>> print(check_log_likelihood(wrong).diagnosis.names)
    ('trace_sign',)
    """
    return judge(
        validate(
            Request(
                function=log_likelihood,
                process=process,
                given=given,
                prediction=prediction,
                prior=prior,
                data_at=data_at,
                t_min=t_min,
                t_max=t_max,
                units=units,
                data_range=data_range,
                levels=levels,
                shape=shape,
                gradients=gradients,
                options=options,
                tolerance=tolerance,
                framework=framework,
                dtype=dtype,
                seed=seed,
            )
        )
    )
