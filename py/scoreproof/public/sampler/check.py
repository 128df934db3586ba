"""``check_sampler``: does a whole sampler keep the laws of its forward process?

Conventions: ``x = α x_0 + σ ε``; σ is a standard deviation; chains run from noise to data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scoreproof.evidence import Evidence
from scoreproof.public.rule import public_check
from scoreproof.public.sampler.arguments import Request, validate
from scoreproof.public.sampler.predictions import judged, several
from scoreproof.public.sampler.verdict import judge

__all__ = ["check_sampler"]


@public_check
def check_sampler(
    sampler: Any,
    process: Any = None,
    *,
    form: str | None = None,
    prediction: str | Sequence[str] | None = None,
    steps: int | None = None,
    times: Sequence[float] | None = None,
    shape: int | Sequence[int] = (4,),
    order: float | None = None,
    exact: bool = False,
    options: Mapping[str, Any] | None = None,
    setup: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
    framework: str | None = None,
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Judge whole chains of a sampler, with the exact model and without Monte Carlo.

    With Gaussian data and the exact model a sampler is affine in where it starts and in its noises,
    so one batch tells the law of x after every step: a row for the mean, rows for the spread of the
    start, a row for each draw of noise. The sampler runs as it is: what it draws itself is
    intercepted (PyTorch: no module is patched; NumPy: an argument ``rng`` or ``generator``), and
    PyTorch code that asks for float32 runs in double precision.

    Parameters
    ----------
    sampler: one of

        - an object with ``step(model_output, t, sample)``, ``set_timesteps(n)``, ``timesteps`` and
          ``add_noise`` or ``scale_noise``, as a diffusers scheduler is. It is copied for each run;
        - ``sample(model, x, times)``, a whole sampler as in k-diffusion, which returns x at the
          end. ``model(x, time)``; x is at the first time's level, or unit noise that the sampler
          scales itself, which is noticed;
        - ``step(x, t, t_next, noise, model)``, or without ``noise``.
    process: α and σ of the times: an object with ``alpha(t)`` and ``sigma(t)``, a pair of
        functions, something with ``betas`` or ``alphas_cumprod`` (t is then an index), an SDE with
        ``marginal_prob(x, t)``, or ``"flow"`` for (1 - t) x_0 + t ε. By default the scheduler's own
        forward process; for a whole sampler the time is σ and ``x = x_0 + σ ε``.
    form: ``"scheduler"``, ``"sample"`` or ``"step"``, by default recognised.
    prediction: what ``model`` returns: eps, x0, v, score, F, flow (ε - x_0) or velocity; by default
        what the scheduler is configured for; x0 for a whole sampler, score for a step. Several
        (``("eps", "v", "x0")``): a scheduler is configured for each of them in turn, and x must be
        the same with each, after every step, or in the limit; of functions pass ``sampler`` as a
        mapping from prediction types to functions.
    steps: of a scheduler's chain (default 50).
    times: the falling grid of the other two forms (default: 20 levels of σ from 15 to 0.03, and
        0; with a process, its span).
    shape: of one sample, without the batch.
    order: the order of convergence that is asked for; ``evidence.order`` is the measured one.
    exact: ask that data at one point keep their law at this very number of steps, as DDPM and DDIM
        steps do, and that prediction types agree to rounding.
    options, setup: further arguments of ``step`` (``{"eta": 1.0}``) or of ``sample``, and of
        ``set_timesteps``.
    tolerance: the relative error of mean and standard deviation that is accepted in the limit.
    framework, dtype: what the arrays are; by default recognised from the scheduler's tables.

    Returns
    -------
    Evidence of kind convergent. It holds when the law of x after every step tends to the forward
    process's as the steps are refined (twice, and as often again as that takes, up to 8 times), for
    data at one point and for Gaussian data, and the chain ends at the data (or at what the model
    denoises the last x to, or at the last level that the sampler declares). The sentence says how
    far off it is at each number of steps.

    A sampler without noise runs 10 to 13 times, one with noise 14 to 20 times, most of them with
    the caller's steps or twice as many, the finest with 4 to 8 times as many; memory is linear in
    the steps.

    Raises ``ArgumentError`` and ``CallableError``.
    Source: Song et al. 2021 (the reverse-time SDE), Karras et al. 2022 (whole samplers).

    >>> def euler(model, x, sigmas):                 # as in k-diffusion
    ...     for s, s_next in zip(sigmas[:-1], sigmas[1:]):
    ...         x = x + (s_next - s) * (x - model(x, s)) / s
    ...     return x
    >>> evidence = check_sampler(euler)
    >>> bool(evidence), round(evidence.order)
    (True, 1)
    """
    request = Request(
        sampler,
        process,
        form,
        prediction,
        steps,
        times,
        shape,
        order,
        exact,
        dict(options or {}),
        dict(setup or {}),
        tolerance,
        framework,
        dtype,
        seed,
    )
    jobs = several(request)
    return judged(jobs, judge) if jobs else judge(validate(request))
