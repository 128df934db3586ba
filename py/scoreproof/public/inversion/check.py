"""``check_inversion``: does a sampler lead back to the x that an inverse took to the noise?

Conventions: ``x = α x_0 + σ ε``; the inverse runs from the data to the noise, the sampler back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scoreproof.evidence import Evidence
from scoreproof.public.inversion.arguments import Request, validate
from scoreproof.public.inversion.verdict import judge
from scoreproof.public.rule import public_check

__all__ = ["check_inversion"]


@public_check
def check_inversion(
    inverse: Any,
    sampler: Any,
    process: Any = None,
    *,
    form: str | None = None,
    prediction: str | None = None,
    steps: int | None = None,
    times: Sequence[float] | None = None,
    shape: int | Sequence[int] = (4,),
    order: float | None = None,
    options: Mapping[str, Any] | None = None,
    inverse_options: Mapping[str, Any] | None = None,
    setup: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
    framework: str | None = None,
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Judge an inverse and the sampler that leads back, with the exact model of Gaussian data.

    The inverse takes samples of the data to the noise, the sampler takes them back. As the steps
    are refined x must arrive in the noise with the law that the sampler starts from, and come back
    as it was. Both run as they are: what they draw is intercepted as in `check_sampler`, and
    PyTorch code that asks for float32 runs in double precision.

    Parameters
    ----------
    inverse: one of

        - an object with ``step``, ``set_timesteps`` and rising ``timesteps``, as diffusers'
          ``DDIMInverseScheduler``;
        - ``invert(model, x, times)``, which is handed the sampler's times in rising order, and
          returns x at the last of them;
        - a step ``(x, t, t_next, model)`` with ``t < t_next``;
        - with ``form="noises"`` a function ``encode(model, xs, times)``, which is handed x at all
          falling times, ``xs`` of shape ``(len(times), batch, *shape)``, and returns the noises.
    sampler: what leads back: a scheduler, a whole sampler ``sample(model, x, times)``, or a step,
        as in `check_sampler`; with ``form="noises"`` a function ``decode(model, x, noises, times)``
        from x at the first time, which returns x at the last one, or at all.
    process, prediction, steps, times, shape, framework, dtype: as in `check_sampler`; the default
        times of functions end at σ = 0.03 instead of 0.
    form: ``"noises"``, or the form of both where it is not recognised.
    order: the order that is asked for: by which power of the step x comes back. ``evidence.order``
        is the measured one (infinite: exactly).
    options, inverse_options, setup: further arguments of the sampler, of the inverse, and of
        ``set_timesteps`` of both.
    tolerance: the relative error, in standard deviations of x, that is accepted in the limit.

    Returns
    -------
    Evidence of kind convergent (``form="noises"``: float; x must come back to rounding). The
    sentence says how far off x comes back with each number of steps. Of the inverse every level is
    judged at which it asks its model, of the sampler where it ends: `check_sampler` does the rest.

    Inverse and sampler run about 15 times each, most of them with the caller's steps, and with 2
    and 4 times as many; up to 64 times as many where errors fall unevenly (no more than 1600).

    Raises ``ArgumentError`` and ``CallableError``.
    Source: Song et al. 2021 (DDIM, section 4.3), Huberman-Spiegelglas et al. 2024 (noise maps).

    >>> def euler(model, x, sigmas):                 # down or up, as the σ run
    ...     for s, s_next in zip(sigmas[:-1], sigmas[1:]):
    ...         x = x + (s_next - s) * (x - model(x, s)) / s
    ...     return x
    >>> evidence = check_inversion(euler, euler)
    >>> bool(evidence), round(evidence.order)
    (True, 1)
    """
    return judge(
        validate(
            Request(
                inverse,
                sampler,
                process,
                form,
                prediction,
                steps,
                times,
                shape,
                order,
                dict(options or {}),
                dict(inverse_options or {}),
                dict(setup or {}),
                tolerance,
                framework,
                dtype,
                seed,
            )
        )
    )
