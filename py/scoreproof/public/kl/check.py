"""``check_kl``: a KL divergence of Gaussians, and what is of its kind, against the integral.

Conventions: points are rows; the expectation is under the first law; parameters come as the user's
function takes them (``parameterization``), and are standard deviations, variances, … accordingly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np  # noqa: F401  (the examples)

from scoreproof.evidence import Evidence
from scoreproof.public.kl.given import Given
from scoreproof.public.kl.judging import Job, judge
from scoreproof.public.rule import public_check

__all__ = ["check_kl"]


@public_check
def check_kl(
    kl: Callable[..., Any],
    *,
    form: str | Sequence[str] | None = None,
    parameterization: str | Sequence[str] | None = None,
    against: str | None = None,
    reduction: str | None = None,
    dims: str | None = None,
    quantity: str = "kl",
    order: float | None = None,
    units: str = "nats",
    given: Sequence[str] | None = None,
    shapes: Mapping[str, str] | None = None,
    shape: int | Sequence[int] | None = None,
    fixed: Mapping[str, float] | None = None,
    law: Any = None,
    framework: str | None = None,
    dtype: Any = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> Evidence:
    """Check a function that returns ``KL(N_0 ‖ N_1)``, or a quantity of its kind, for Gaussians.

    Parameters
    ----------
    kl: ``kl(mu0, scale0, mu1, scale1)``, or ``kl(mu, scale)`` against N(0, I) (the VAE's
        regulariser). Means are ``(n, d)``. Scales are ``(n, 1)`` for the isotropic form,
        ``(n, d)`` for the diagonal one, matrices ``(n, d, d)`` for the full one. The names of the
        arguments say what they are (``mu, logvar``; ``mean_q, log_std_q, mean_p, log_std_p``;
        ``mu, L``), and which law is first: a prior is second, numbers say it, and where names leave
        it open (p before q, old and new) both orders are tried and the sentence says which is
        taken. What is passed here goes before them.
    form: ``"isotropic"``, ``"diagonal"`` or ``"full"``; two of them where the laws differ.
    parameterization: what the scales are: ``"std"``, ``"variance"``, ``"logvar"``, ``"logstd"``,
        ``"precision"``, ``"logprecision"`` or ``"softplus"`` (σ = softplus(ρ)); of the full form
        ``"covariance"``, ``"scale_tril"``, ``"precision"`` or ``"precision_tril"``. Two of them
        where the laws differ. By default standard deviations, and covariances.
    against: ``"pair"`` or ``"standard"`` (the second law is N(0, I) and is not passed).
    reduction: what ``kl`` does over the batch: ``"none"`` returns ``(n,)`` (or ``(n, 1)``),
        ``"sum"`` and ``"mean"`` one number. By default what comes back tells: one number is tried
        as a sum and as an average, and the sentence says which it is.
    dims: what it does over the dimensions: ``"sum"``; ``"mean"``, 1/d of it; ``"none"`` returns
        ``(n, d)``, or ``(d,)`` of a reduced batch. By default ``"sum"``, or ``"none"`` where a
        number a coordinate comes back.
    quantity: ``"kl"``, ``"reverse"`` (KL(N_1 ‖ N_0)), ``"entropy"`` (of the first law),
        ``"cross_entropy"`` (-E_0 log p_1), ``"jeffreys"`` (the sum of both directions),
        ``"symmetric"`` (their average), ``"renyi"`` of ``order`` α, ``"bhattacharyya"``.
    units: ``"nats"`` or ``"bits"``.
    given: what it takes, in order, where the names do not say it: ``"mean0"``, ``"scale0"``,
        ``"mean1"``, ``"scale1"``, or ``"scale"``, one for both laws.
    shapes: of arguments that are shaped otherwise, by these or their own names, e.g. ``{"mean1":
        "(d,)", "scale": "()"}``: what has no n is one for the whole batch. Where nothing has, laws
        are passed one at a time.
    shape: of one sample, ``(3, 8, 8)`` for means ``(n, 3, 8, 8)``. The dimension is then fixed.
    fixed: numbers that ``kl`` knows and is not passed: ``{"scale": 0.5}``, a standard deviation;
        ``{"mean1": 0.0, "scale1": 2.0}``, a prior.
    law: a class or function of a mean and a scale, ``torch.distributions.Normal``, if ``kl`` takes
        distributions ``kl(q, p)``; two of them where the laws differ.
    framework, dtype: ``"numpy"``, ``"torch"`` or ``"jax"``, by default the library that it uses,
        and the floating type it is called with.
    tolerance: the relative error of the divergence that you accept, in (0, 1); ``None`` accepts
        rounding only. In bfloat16 and float16 rounding alone takes several percent: there is no
        verdict ``holds`` without it.

    Returns
    -------
    Evidence: kind float; the error is relative to the divergence, and where the laws nearly agree
    to the sum of the absolute terms of the printed form, whose rounding is all that is granted
    there: a floor, a clamp or a summand inside a logarithm beyond it is refuted. The bound counts
    the roundings of the printed form in whatever order it is summed. ``kl`` is called once for each
    of at most 18 batches of 1 to 130 laws in 1 to 256 dimensions (64 for the full form; 7 in half
    precision, where longer sums can only show large errors), with log-variances from about
    -12 to 9 (from -14 against the standard normal law); where a scale is one for the batch, for
    each of its values; where it takes one pair at a time, for each pair. That digits are lost near
    equal laws, within rounding, is a note and no verdict. Where it is refuted the first batch is
    asked again, and ``diagnosis`` says which summands of which laws were returned, if they make up
    every value. Where no form is said, scales are ``(n, d)`` if it takes them, else ``(n, 1)`` or
    matrices, as the coverage says; what is right of ``(n, 1)`` alone is undecided. A Rényi
    divergence of order above 1 is also asked where it is infinite.

    Raises
    ------
    ArgumentError: an option is not one of the above, or has to be said. CallableError: ``kl``
    raises, returns NaN or another shape.

    Source: homework problem 2; Kingma and Welling 2013, appendix B; van Erven and Harremoës 2014.

    >>> def kl(mu, logvar):                       # a VAE's regulariser, with the 1/2 forgotten
    ...     return (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)
    >>> evidence = check_kl(kl, form="diagonal", parameterization="logvar", against="standard")
    >>> evidence.verdict
    'refuted'
    >>> halved = lambda mu, logvar: kl(mu, logvar) / 2
    >>> bool(check_kl(halved))                    # its arguments are named
    True
    >>> def entropy(log_std):
    ...     return (log_std + 0.5 * np.log(2 * np.pi * np.e)).sum(axis=1)
    >>> bool(check_kl(entropy, quantity="entropy"))
    True
    """
    said = Given(
        form,
        parameterization,
        against,
        reduction or "none",
        dims or "sum",
        units,
        quantity,
        order,
        given,
        shapes,
        shape,
        fixed,
        law,
        unsaid=frozenset(n for n, v in (("reduction", reduction), ("dims", dims)) if v is None),
    )
    return judge(kl, said, Job(framework, dtype, tolerance, seed))
