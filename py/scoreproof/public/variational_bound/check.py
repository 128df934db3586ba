"""``check_variational_bound``: are the terms of an evidence lower bound what they should be?

Conventions: timesteps are 0 … T-1; at t > 0 the term is KL(q(x_{t-1} | x_t, x_0) ‖ p(x_{t-1} |
x_t)), at t = 0 it is L_0 = -log p(x_0 | x_1), and L_T = KL(q(x_T | x_0) ‖ N(0, I)). The answer is
the loss, positive.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.rule import public_check
from scoreproof.public.variational_bound.arguments import Job, Request, validate
from scoreproof.public.variational_bound.diffusion import judge_diffusion
from scoreproof.public.variational_bound.elbo import judge_elbo
from scoreproof.public.variational_bound.verdict import judge

__all__ = ["check_variational_bound"]


@public_check
def check_variational_bound(
    bound: Callable[..., Any],
    process: Any = None,
    *,
    term: str | None = None,
    prediction: str = "eps",
    variance: Any = "fixed_small",
    decoder: str | None = None,
    decoder_std: float = 1.0,
    units: str | None = None,
    dims: str | None = None,
    steps: int | None = None,
    probabilities: Sequence[float] | None = None,
    given: Sequence[str] | None = None,
    shape: int | Sequence[int] = (5,),
    tolerance: float | None = None,
    framework: str | None = None,
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Judge a term of the bound, or all of it, at a model whose answers are known, to rounding.

    The bound is run with data on the grid of 256 numbers in [-1, 1], known noise, and a stand-in
    for the network, and every number that comes back is held against the exact term: KLs of
    Gaussians, log-probabilities of bins or densities, from the process's own β.

    Parameters
    ----------
    bound: a function or method; what it takes is known by the names of its arguments (``model``,
        ``x_start``, ``x_t``, ``t``, ``noise``, ``rng``; or ``model_output``; of a VAE ``x``,
        ``recon_x``, ``mu``, ``logvar`` or ``log_std``, ``std``, ``var``), and so is which term:

        - ``(model, x0, x_t, t)``, ``(model, x0, t, noise)``, ``(model_output, x0, x_t, t)``:
          ``"vb"``, L_{t-1} at t > 0 and L_0 at t = 0; with term="L_t" or "L_0" one of them;
        - ``(x0)``: ``"L_T"``;
        - ``(model, x0)``, perhaps with a generator or key: ``"total"``, the sum over all t with
          L_T, or an estimate of it with one t drawn for each row;
        - with a process in continuous time: ``"diffusion"``, a variational diffusion model's
          ½ γ'(t) |ε - ε̂|²;
        - ``(x, recon_x, mu, logvar)``: ``"elbo"``, a VAE's.

        It returns one number a sample, a mean or sum over the batch, one for each entry, a tuple
        that begins with it, or a dictionary (``output``; ``total_bpd``, ``prior_bpd``, ``vb``).
    process: β, an object or mapping with ``betas`` or ``alphas_cumprod``, or a process with
        ``gamma(t)`` = -log SNR, ``alpha(t)`` and ``sigma(t)``, or ``marginal_prob(x, t)``, t from 0
        to its ``horizon`` or ``T`` (1 where it has none). A method's own object has it.
    term: which it is, where names do not say: L_T, L_t, L_0, vb, total, diffusion, elbo.
    prediction: what the model returns: eps, x0, v, score, or mean (of x_{t-1}).
    variance: of p(x_{t-1} | x_t): ``"fixed_small"`` (β̃_t, at t = 0 β̃_1), ``"fixed_large"`` (β_t),
        ``"learned"`` (its log), ``"learned_range"`` (between the logs, from -1 to 1), or variances
        ``(T,)``. The model answers twice the channels for a learned one.
    decoder: of L_0, ``"discretized"`` (256 bins) or ``"gaussian"``; of a VAE ``"gaussian"`` with
        ``decoder_std``, ``"gaussian_up_to_constant"``, ``"bernoulli"`` or ``"bernoulli_logits"``;
        left away, ``"gaussian"``, or ``"bernoulli"`` if it takes no reconstruction outside [0, 1].
    units: ``"nats"`` or ``"bits_per_dim"`` (where the name has ``bpd``).
    dims: over the entries of a sample: ``"sum"`` or ``"mean"``; by default either, of all
        terms alike; bits per dimension are a mean.
    steps: T of a diffusion loss in continuous time of T steps.
    probabilities: ``(T,)``, by which an estimate draws its t, where that is not uniform.
    given: the arguments in order, where names do not say what they are, by any name that is known.
    shape: of one sample, without the batch; three entries or more.
    tolerance: the relative error that is accepted.
    framework, dtype: of the arrays; by default the library that the bound uses. PyTorch code that
        asks for float32 runs in double precision unless dtype says otherwise.

    Returns
    -------
    Evidence of kind float: errors are in the units of the answer, the resolution relative to each
    term. The bound is called up to 14 times, the last time with a row for every t of the table; a
    VAE's 6 times (12 without ``decoder``), a total once, an estimate 12 times, a loss of ``steps``
    that takes t up to 30 times.

    Raises ``ArgumentError`` and ``CallableError``.
    Source: Sohl-Dickstein et al. 2015, Ho et al. 2020, Nichol and Dhariwal 2021, Kingma et al.
    2021 (variational diffusion models), Kingma and Welling 2014.

    >>> import numpy as np
    >>> betas = np.linspace(1e-3, 0.2, 50)
    >>> def prior_bpd(x0):
    ...     bar = np.prod(1 - betas)
    ...     kl = 0.5 * (bar * x0**2 + (1 - bar) - 1 - np.log(1 - bar))
    ...     return kl.mean(axis=1) / np.log(2)
    >>> bool(check_variational_bound(prior_bpd, betas))
    True
    >>> def in_nats(x0):
    ...     return prior_bpd(x0) * np.log(2)
    >>> print(check_variational_bound(in_nats, betas, units="bits_per_dim").diagnosis.names)
    ('nats_for_bits',)
    """
    request = Request(
        bound,
        process,
        term,
        prediction,
        variance,
        decoder,
        decoder_std,
        units,
        dims,
        steps,
        probabilities,
        given,
        shape,
        tolerance,
        framework,
        dtype,
        seed,
    )
    job = validate(request)
    try:
        return judged(job)
    except CallableError as error:
        # code that is all methods of tensors names no library
        own = framework is None and job.framework == "numpy" and error.got.startswith("it raised")
        if not own or "torch" not in sys.modules:
            raise
        first = error
    try:
        return judged(validate(replace(request, framework="torch")))
    except CallableError:
        raise first from None


def judged(job: Job) -> Evidence:
    """By the kind of the term."""
    if job.term == "elbo":
        return judge_elbo(job)
    return judge_diffusion(job) if job.clock is not None else judge(job)
