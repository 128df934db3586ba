"""``check_corrector``: does a Markov kernel keep the law p_t?

Conventions: the score is ∇ log p_t(x), rows are samples; a Langevin step is
``x + h · score(x) + √(2h) z``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scoreproof.evidence import Evidence
from scoreproof.public.corrector.arguments import Request, validate
from scoreproof.public.corrector.verdict import judge
from scoreproof.public.rule import public_check

__all__ = ["check_corrector"]


@public_check
def check_corrector(
    corrector: Callable[..., Any],
    process: Any = None,
    *,
    t: float | None = None,
    given: Sequence[str] | None = None,
    prediction: str = "score",
    step_size: float | None = None,
    snr: float | None = None,
    alpha: float | None = None,
    shape: int | Sequence[int] = (4,),
    options: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
    framework: str | None = None,
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Judge a Langevin, Gibbs or Metropolis step by what it does to a law; no samples are drawn.

    Parameters
    ----------
    corrector: a function that makes a step, or several, and returns the next x (or a tuple that
        begins with it). What it takes is known by the names of its arguments:

        - ``x`` ``(n, *shape)``, and ``v`` of a kernel that keeps velocities (it returns both);
        - ``score`` (``model``, …), called ``score(x)`` or ``score(x, t)``; ``grad_log_prob``,
          ``log_prob`` ``(n,)``, ``potential``, ``grad_potential``, which may be differentiated by
          torch or jax; for Gibbs steps ``mean``, ``cov``, ``precision`` of a Gaussian;
        - ``t`` (a number; ``vec_t``: one a row), ``step_size`` (``h``, ``eps``, …), ``snr``;
        - ``rng`` or ``generator``, ``random_state``, ``key``: where it draws. Torch code may draw
          from the global generator, NumPy code may not. ``noise`` and ``uniform`` are handed over.
    process: an object with ``alpha(t)`` and ``sigma(t)``, a pair of functions, something with
        ``betas``, ``alphas_cumprod`` or ``sigmas`` (t is then an index), an SDE with
        ``marginal_prob(x, t)``, or ``"flow"``, for models that do not predict the score; by default
        t is σ.
    t: the time that is handed over (default: the middle of the process).
    given: the arguments in order, where their names do not say what they are.
    prediction: what the model returns: score, eps, x0, v or F.
    step_size: the first step size (default 0.1, where it takes one).
    snr, alpha: for step sizes from a signal-to-noise ratio: then ε = 2 α (snr mean‖z‖ /
        mean‖score‖)² is asked for as well (α of a VP process is 1 - β_t). A corrector that takes
        ``snr`` is handed it, 0.16 by default.
    shape: of one sample, without the batch.
    options: further arguments by name, e.g. ``{"n_steps": 1}``.
    tolerance: the relative error that is accepted.
    framework, dtype: what the corrector takes: numpy, torch or jax, read off its code if not given.

    Returns
    -------
    Evidence. Without acceptance, of a Gaussian target: the exact invariant law in the limit of
    small steps (kind convergent, ``order`` of the bias; errors in standard deviations), or of one
    step where it cannot be made small. With acceptance, of a Gaussian and a mixture: detailed
    balance at up to 32 pairs of points each (kind float; errors relative to an acceptance). Step
    sizes that depend on score or noise: drift and noise at the step sizes that are used.

    Calls: 2 + 2 (5 + k) without acceptance, with k <= 28 to find a step that is small beside the
    width, and 15 more where it is not affine; 2 more where it says its time itself. With
    acceptance about 50 for each target (some more of long trajectories), of at most 32 (1 + 6
    d) or 32 · 31 rows.

    Raises ``ArgumentError`` and ``CallableError``.
    Source: Roberts and Tweedie 1996 (ULA, MALA), Song et al. 2021 (correctors), Neal 2011 (HMC).

    >>> import numpy as np
    >>> def langevin(score, x, step_size, rng):
    ...     noise = rng.standard_normal(x.shape)
    ...     return x + step_size * score(x) + np.sqrt(2 * step_size) * noise
    >>> evidence = check_corrector(langevin)
    >>> bool(evidence), round(evidence.order)
    (True, 1)
    >>> def wrong(score, x, step_size, rng):
    ...     noise = rng.standard_normal(x.shape)
    ...     return x + step_size / 2 * score(x) + np.sqrt(2 * step_size) * noise
    >>> print(check_corrector(wrong).diagnosis.names)
    ('half',)
    """
    return judge(
        validate(
            Request(
                corrector,
                process,
                t,
                given,
                prediction,
                step_size,
                snr,
                alpha,
                shape,
                dict(options or {}),
                tolerance,
                framework,
                dtype,
                seed,
            )
        )
    )
