"""``check_denoiser``: is it the posterior mean?

Conventions: ``y = alpha x_0 + z`` with ``z ~ N(0, cov)``; ``cov`` is a covariance ``(d, d)`` (or a
number: that times I), never a standard deviation. Points are rows. The denoiser returns
``E[x_0 | y]``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.interop.frameworks import guarded
from scoreproof.public.denoiser.arguments import alone, make_request
from scoreproof.public.denoiser.asking import asked
from scoreproof.public.denoiser.summary import summary
from scoreproof.public.denoiser.sweep import swept
from scoreproof.public.denoiser.sweep_arguments import SweepRequest, named_options
from scoreproof.public.denoiser.verdict import verdict
from scoreproof.public.denoiser.words import explained
from scoreproof.public.posterior.problem import Prior
from scoreproof.public.rule import public_check

__all__ = ["check_denoiser"]


@public_check
def check_denoiser(
    denoiser: Callable[..., Any],
    prior: Prior,
    cov: Any = None,
    *,
    schedule: Any = None,
    shape: Sequence[int] | None = None,
    levels: Any = None,
    time: Any = "t",
    options: Mapping[str, Any] | None = None,
    prediction: str | None = None,
    alpha: float = 1.0,
    points: Any = None,
    n: int = 64,
    tolerance: float | None = None,
    sigma_data: float = 0.5,
    rates: tuple[float, float] | None = None,
    framework: str = "numpy",
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Check that ``denoiser(y)`` is ``E[x_0 | y]`` for ``y = alpha x_0 + N(0, cov)`` and x_0 drawn
    from ``prior``; or, with ``schedule``, that a network ``denoiser(x, time)`` is ``E[x_0 | x]`` at
    each of its noise levels.

    Parameters
    ----------
    denoiser: rows ``(m, d)`` to rows ``(m, d)``, each row from that row alone. With ``schedule``:
        samples ``(m, *shape)`` and a time to samples; or to a tuple with them first, an object with
        ``.sample``, twice the channels. How it takes its time is found by trying: ``(m,)`` (integer
        where times are timesteps), ``(m, 1, …)``, an array without axes, a number.
    prior: a `GaussianMixture`, `Atoms`, or a data set ``(n, d)``, or ``(n, *shape)``, whose
        empirical law is the prior (its ideal denoiser is exact).
    cov: the noise's covariance ``(d, d)``, or a variance (that times I). Not with ``schedule``.
    schedule: a list of σ, ``{"betas": …}``, ``{"alphas_cumprod": …}``, an object with one of these
        tables (a scheduler), ``DiscreteVP``, or a process with ``alpha(t)``, ``sigma(t)`` and
        ``horizon``: ``x = α x_0 + σ ε``.
    shape: of one sample, without the batch; by default that of the data.
    levels: the times to look at; by default 12 that are even in log σ/α.
    time: what the network is told: ``"t"`` (the schedule's time: the timestep of a table, σ of a
        list), ``"sigma"`` (σ/α), ``"log_sigma"``, ``"c_noise"`` (log(σ/α)/4), ``"log_snr"``, or a
        function of the schedule's time.
    options: further arguments of the network (labels, …); arrays with a first axis of 1 are
        repeated for each sample.
    prediction: what the callable returns: ``"x0"``, ``"score"``, ``"eps"``, ``"v"``, ``"F"`` or
        ``"velocity"`` (see ``scoreproof.objects.parameterizations``), with a schedule also
        ``"flow"``, ε - x_0; all but x0 and score need cov
        = σ² I. ``sigma_data`` is for F, ``rates`` = (dα/dt, dσ/dt) for velocity. By default what
        the schedule is configured for, else x0.
    points: where to look ``(m, d)``. By default n points: draws of y, draws far out, and points
        between two components or data, where their softmax weights are about the same (a draw of
        y may have one effective datum, and then the nearest datum passes for the mean). Where a
        coordinate of the caller's points stands still, 16 draws of y join them.
    n: how many points, where ``points`` is not given. Of a large data set few data have a say
        at 64 points, if the noise is small; four times as many points as data look at each.
    tolerance: the relative error that you accept, of a learned denoiser say. By default only
        rounding is, derived from the type of what comes back.
    framework, dtype: ``"numpy"``, ``"torch"`` or ``"jax"`` and the floating type it is called with.

    Returns
    -------
    Evidence of kind float. The error and the tolerance are relative, coordinate by coordinate, to
    the largest distance of E[x_0 | y] from the prior's mean over draws of y, so that data far from
    the origin hide nothing, or to EDM's c_out = σ σ_data / √(σ² + σ_data²) where that is larger, so
    that a pixel in which the data hardly vary asks no more of a learned denoiser than others do;
    where that accepts an answer that stands still, the coverage leaves the coordinate out.
    Without a tolerance the resolution is relative to the less of the largest distance of E[x_0 | y]
    from the prior's mean and from y, in each coordinate: neither y itself nor the prior's mean
    passes. At a point further out, or between two data, sizes are larger by as much; where the
    points are few, and reach less far than draws do, the resolution is coarser by as much.

    Points are rounded to the callable's type before the truth is computed there. Where rounding
    could explain more than 1 %, an answer within 0.5 % holds, as it stands, one beyond what
    rounding explains is refuted, one between is undecided (unless it is right for the prior as
    numbers of that type). Undecided too where every point has one effective datum or component,
    and where a tolerance would accept y itself or the prior's mean.

    With a schedule ``evidence.table`` has a row for each noise level (largest and rms error, how
    many data share in the answer), ``evidence.plot()`` draws them. A level that the check chose and
    at which the data say nothing (every point has one effective datum) is named and not counted.

    The denoiser is called 3 times, at each level (the second call must repeat the first, the third
    asks half of the rows again in another order), once more where a coarser type comes back than
    went in; a network up to 16 times more to see how it takes its time, once with rows of several
    levels where it takes a time for each row (each has to get its own), and about 100 times on 16
    rows to explain a refutation (400, where another time is searched for). The truth is a softmax
    average of the data or a Kalman update, never Tweedie's formula.

    Raises
    ------
    ArgumentError: a wrong shape, cov not positive definite, an unknown prediction. CallableError:
    the denoiser raises, returns another shape, is not finite at your points or at draws of y,
    changes its input, or is not deterministic.

    Source: homework problem 1; Robbins 1956, Efron 2011; Karras et al. 2022 for the sweep.

    >>> import numpy as np
    >>> data = np.array([[-1.0, 0.0], [1.0, 0.5], [0.0, 2.0], [1.0, -1.0], [0.5, 0.5], [-0.5, 1.0]])
    >>> def denoiser(y):                                # E[x_0 | y] over the data, with σ² = 1.5
    ...     logits = -((y[:, None] - data) ** 2).sum(axis=2) / (2 * 1.5)
    ...     weights = np.exp(logits)
    ...     return weights @ data / weights.sum(axis=1, keepdims=True)
    >>> bool(check_denoiser(denoiser, data, 1.5))
    True
    >>> check_denoiser(denoiser, data, 1.5**2).diagnosis.names       # the variance squared again
    ('noise_variance_rooted',)
    >>> def network(x, sigma):                                       # x of shape (m, 2), sigma (m,)
    ...     logits = -((x[:, None] - data) ** 2).sum(axis=2) / (2 * sigma[:, None] ** 2)
    ...     weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    ...     return weights @ data / weights.sum(axis=1, keepdims=True)
    >>> evidence = check_denoiser(network, data, schedule=[2.0, 1.0, 0.5])
    >>> bool(evidence), evidence.table.column("σ"), evidence.table.column("verdict")
    (True, (0.5, 1.0, 2.0), ('holds', 'holds', 'holds'))
    """
    if schedule is not None:
        _left_out(
            "a schedule",
            "the schedule says it: x = α x_0 + σ ε; name the times to look at by levels=",
            cov=cov,
            points=points,
            rates=rates,
            alpha=None if alpha == 1.0 else alpha,
        )
        sweep = swept(
            SweepRequest(
                denoiser,
                prior,
                schedule,
                prediction,
                shape,
                levels,
                time,
                named_options(options),
                framework,
                dtype,
                {"n": n, "tolerance": tolerance, "sigma_data": sigma_data, "seed": seed},
            )
        )
        return summary(sweep)
    _left_out(
        "no schedule",
        "pass schedule=, a list of σ or a table, or a denoiser of rows alone",
        shape=shape,
        levels=levels,
        options=options,
        time=None if time == "t" else time,
    )
    alone(denoiser)
    request = make_request(
        prior,
        cov,
        prediction=prediction or "x0",
        sigma_data=sigma_data,
        rates=rates,
        alpha=alpha,
        points=points,
        n=n,
        tolerance=tolerance,
        seed=seed,
    )
    guard = guarded(denoiser, "denoiser", framework, dtype)
    answers = asked(guard, request)
    evidence = verdict(answers, request, guard.eps, guard.calls)
    return explained(evidence, answers, request, guard.eps, again=guard.raw)


def _left_out(where: str, remedy: str, **given: Any) -> None:
    """Raises for an argument that belongs to the other way of calling."""
    for name, value in given.items():
        if value is not None:
            raise ArgumentError(name, f"left out where there is {where}", value, remedy)
