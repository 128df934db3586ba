"""``check_loss``: is the exact model the minimiser of a training loss, and with which weight?

Conventions: ``x_t = α x_0 + σ ε``; σ is a standard deviation.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from scoreproof.coverage import Coverage
from scoreproof.errors import CallableError, ScoreproofError
from scoreproof.evidence import Evidence
from scoreproof.public.loss.arguments import Job, Request, validate
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.coupled import coupled
from scoreproof.public.loss.implicit_verdict import judge_implicit
from scoreproof.public.loss.nearer import nearer
from scoreproof.public.loss.one_time import with_the_whole_batch
from scoreproof.public.loss.own_draws import noise_is_ignored
from scoreproof.public.loss.reading import read
from scoreproof.public.loss.standin import DifferentiatedError
from scoreproof.public.loss.takes import noise_is_optional
from scoreproof.public.loss.variances import varied
from scoreproof.public.loss.verdict import judge
from scoreproof.public.rule import public_check

__all__ = ["check_loss"]

DIFFERENTIATED = (
    "it differentiates its model in x or t, or asks it at an x made of its own answer (MeanFlow,"
    " consistency models of continuous time, unrolled steps): its target is made of the model then,"
    " and this check asks of losses whose target is made of x_0 and ε alone; pass the part of it"
    " that is one; of losses with the model's derivative in x those of score matching are judged"
    " (prediction='score')"
)


@public_check
def check_loss(
    loss: Callable[..., Any],
    process: Any = None,
    *,
    prediction: str = "eps",
    weight: str | Callable[[float], float] | None = None,
    times: Sequence[float] | None = None,
    label: Callable[[float], float] | None = None,
    takes: Sequence[str] | None = None,
    shape: int | Sequence[int] = (4,),
    sigma_data: float = 0.5,
    encode: Callable[[Any], Any] | None = None,
    learned_variance: bool = False,
    matching: str | None = None,
    tolerance: float | None = None,
    framework: str | None = None,
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Judge a training loss without training: at the exact model its gradient must vanish, on
    average over all data and noise that lead to the same x_t.

    The loss is run as it is, with a stand-in for the network that answers what the exact model
    answers for data of a few points, and its gradient in the answer is read (PyTorch and JAX: by
    autograd; NumPy: by differences, which are exact for a square). From two more answers the target
    and the weight λ(t) of each sample are read. What the loss draws itself is intercepted. A
    loss with one t for the whole batch is asked with batches of one, and once with all.

    Parameters
    ----------
    loss: ``loss(model, x0, t, noise)``, ``loss(model, x0, t)`` or ``loss(model, x0)``, and a
        generator or key where it takes one (NumPy and JAX draw from it): arguments go by their
        names, or else by their order. x0 is ``(B, *shape)``, t ``(B,)``. It returns a number, one
        for each sample, a dictionary with ``loss``, or a tuple that begins with it. A class that
        wraps the network: ``lambda model, x0: GaussianDiffusion(model)(x0)``.
    process: α and σ of x_t = α x_0 + σ ε: an object with ``alpha(t)`` and ``sigma(t)``, a pair of
        functions, something with ``betas``, ``alphas_cumprod`` or ``sigmas`` (t is then an index),
        an SDE with ``marginal_prob(x, t)``, or ``"flow"`` for (1 - t) x_0 + t ε. By default t is
        σ, and x_t = x_0 + σ ε.
    prediction: what the model returns: eps, x0, v, score, F (EDM's network), flow (ε - x_0) or
        velocity (dα/dt x_0 + dσ/dt ε).
    weight: what λ(t) is claimed to be, up to a factor: ``"uniform"`` in what the model returns,
        ``"eps"``, ``"x0"``, ``"v"``, ``"score"``, ``"flow"`` or ``"velocity"`` (uniform in that),
        ``"snr"``, ``"min-snr"`` (γ = 5), ``"truncated-snr"``, ``"p2"``, ``"edm"``, ``"sigma2"``
        (σ² for the score), ``"likelihood"`` (g² for the score), or a function of t: the weight of
        ``|model - target|²``. By default any weight above 0 will do, and is told.
    times: to look at, if the loss takes t (default: 17 over the whole span, 11 for NumPy).
    label: what the model is to be told for t. By default t, a multiple of it, a logarithm of σ or
        another rising or falling function of t, which is told; t ± 1 and T - t are refuted, and
        where t is σ, powers of it and lines in it. Where the loss draws t, a function that is not
        known is a doubt.
    takes: the loss's arguments in order, of model, x0, t, noise, rng, where names do not tell.
    shape: of one sample, without the batch; three entries or more.
    sigma_data: of F, and of the weight ``"edm"``.
    encode: what the loss does to the data first, such as ``lambda x0: 2 * x0 - 1``; affine.
    learned_variance: the model answers twice the channels, of which the first half is its mean.
    matching: ``"implicit"`` for a loss with the model's derivative in x (implicit or sliced score
        matching). PyTorch code is recognised.
    tolerance: the relative error that is accepted.
    framework, dtype: of the arrays; by default the library that the loss uses. PyTorch code that
        asks for float32 runs in double precision unless dtype says otherwise.

    Returns
    -------
    Evidence of kind float. Its table has λ for ε, x_0, v and the score, 1 where it is largest; its
    notes say from which law t is drawn, and what the model is told. The loss is called 8 times, 12
    where it takes t, 11 where it draws t, up to 4 times more for large samples, and 5 where it is
    no square; a NumPy loss (4 B d + 2) times as often and 4 times more, with B = 11 rows of d
    entries; one with one t for the whole batch B + 1 times as often; a few times more where it
    calls its model several times, pairs its batch anew, or has a learned variance. Data and noise
    that meet within the batch (OT-CFM) are judged by the pairs that x_t is made of.

    Raises ``ArgumentError`` and ``CallableError``.
    Source: Ho et al. 2020, Song et al. 2021, Karras et al. 2022, Hang et al. 2023 (min-SNR), Choi
    et al. 2022 (P2), Lipman et al. 2023; Hyvärinen 2005 and Song et al. 2019 (sliced) for implicit.

    >>> import numpy as np
    >>> def loss(model, x0, t, noise):                 # rectified flow
    ...     s = t[:, None]
    ...     return np.mean((model((1 - s) * x0 + s * noise, t) - (noise - x0)) ** 2)
    >>> bool(check_loss(loss, "flow", prediction="flow"))
    True
    >>> print(check_loss(loss, "flow", prediction="eps").diagnosis.sentence)
    Cause: the target is ε - x_0, where the model is said to answer ε (prediction='flow'?).
    """
    request = Request(
        loss,
        process,
        prediction,
        weight,
        times,
        label,
        takes,
        shape,
        sigma_data,
        encode,
        learned_variance,
        matching,
        tolerance,
        framework,
        dtype,
        seed,
    )
    job = validate(request)
    try:
        return _by_its_own_noise(job, judged(job))
    except CallableError as error:
        if not learned_variance and error.got.startswith("it raised"):
            _as_a_learned_variance(replace(request, learned_variance=True), error)
        # code that is all methods of tensors names no library
        own = framework is None and job.framework == "numpy" and error.got.startswith("it raised")
        if not own or "torch" not in sys.modules:
            raise
        first = error
    try:
        return judged(validate(replace(request, framework="torch")))
    except CallableError:
        raise first from None


def _as_a_learned_variance(request: Request, error: CallableError) -> None:
    """Raises what names the flag, if the loss runs with twice the channels and not without."""
    try:
        judged(validate(request))
    except ScoreproofError:
        return
    remedy = (
        "it takes a model with a learned variance, of twice the channels: learned_variance=True"
    )
    raise CallableError("loss", "return normally", error.got, remedy) from error


def judged(job: Job) -> Evidence:
    """By the gradient at the exact model, or where the loss differentiates the model itself, by the
    derivative along directions.
    """
    asking = Asking(job)
    evidence = _judged(job, asking)
    if not asking.apart:
        return evidence
    whole = Asking(job, calls=asking.calls, together=True)
    return with_the_whole_batch(evidence, _judged(job, whole))


def _by_its_own_noise(job: Job, evidence: Evidence) -> Evidence:
    """The verdict on a loss that takes a noise, if it likes, and draws its own all the same."""
    if evidence.verdict == "holds" or not noise_is_optional(job.loss, job.takes):
        return evidence
    if not noise_is_ignored(job):
        return evidence
    own = judged(replace(job, takes=tuple(t for t in job.takes if t[0] != "noise")))
    return replace(own, notes=(*own.notes, "It draws its own noise, whatever noise it is given."))


def _judged(job: Job, asking: Asking) -> Evidence:
    if job.matching == "implicit":
        return judge_implicit(job, asking)
    try:
        found = read(job, asking)
    except DifferentiatedError as error:
        if error.forward and job.prediction != "score":
            return Evidence.undecided("float", DIFFERENTIATED, coverage=Coverage({"times": 0}))
        return judge_implicit(job, asking)
    if isinstance(found, list):
        return _each(job, asking, found)
    if isinstance(found, str):
        seen = Coverage({"times": 0})
        return Evidence.undecided("float", found, coverage=seen, cost={"calls": asking.calls})
    found = varied(job, asking, nearer(job, asking, coupled(job, asking, found)))
    return judge(job, found, asking)


def _each(job: Job, asking: Asking, calls: list[int]) -> Evidence:
    """The verdict on calls of the model that are trained side by side: the first that is none."""
    evidence: list[Evidence] = []
    for k in calls:
        asking.only = k
        evidence.append(_judged(job, asking))
        if evidence[-1].verdict == "refuted":
            return evidence[-1]
    left = [e for e in evidence if e.verdict != "holds"]
    if left or len(calls) == 1:
        return (left or evidence)[0]
    note = f"It is trained through {len(calls)} calls of its model side by side: each was judged."
    return replace(evidence[0], notes=(*evidence[0].notes, note))
