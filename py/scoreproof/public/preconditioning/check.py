"""``check_preconditioning``: does a network's wrapper scale as it should?

Conventions: ``D(x, σ) = c_skip(σ) x + c_out(σ) F(c_in(σ) x, c_noise(σ))`` for ``x = x_0 + σ ε``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scoreproof.evidence import Evidence
from scoreproof.public.preconditioning.arguments import Request, validate
from scoreproof.public.preconditioning.asking import asked
from scoreproof.public.preconditioning.verdict import judge
from scoreproof.public.rule import public_check

__all__ = ["check_preconditioning"]


@public_check
def check_preconditioning(
    precondition: Any,
    *,
    form: str = "edm",
    sigma_data: float | None = None,
    data: Any = None,
    data_within: float = 0.1,
    c_noise: Any = None,
    sigmas: Sequence[float] | None = None,
    shape: int | Sequence[int] = (4,),
    inner: str | None = None,
    tolerance: float | None = None,
    framework: str = "numpy",
    dtype: Any = None,
) -> Evidence:
    """Check the scalings around a network: EDM's, or another published form's.

    Parameters
    ----------
    precondition: one of

        - a module with its network inside, ``module(x, sigma)``, as EDM's ``EDMPrecond``; a copy of
          it is asked, with the network replaced. ``inner`` names the attribute (by default
          ``model``, ``inner_model``, ``net``, …);
        - ``network -> denoiser``, where the denoiser is called ``(x, sigma)``;
        - ``sigma -> (c_skip, c_out, c_in)``, or with c_noise, as k-diffusion's ``get_scalings``
          (its argument must be called sigma);
        - a mapping of some of ``c_skip``, ``c_out``, ``c_in``, ``c_noise`` to functions of σ.
    form: ``"edm"``, ``"ve"``, ``"eps"`` (iDDPM, VP: x_0 = x - σ ε) or ``"v"``.
    sigma_data: what it should be; by default what the coefficients agree on, or the data's.
    data: an array of data: then σ_data must be their standard deviation, over all entries, to
        ``data_within`` (a part of it).
    c_noise: what the network is told: by default as the form says (log(σ)/4); ``"sigma"``, a
        function of σ, or ``"any"``, not looked at.
    sigmas: noise levels to look at (default: 12 from 0.002 to 80).
    shape: of one sample, without the batch.
    tolerance: the relative error that is accepted.
    framework, dtype: of the arrays that the denoiser is called with.

    Returns
    -------
    Evidence of kind float, with a table of every coefficient beside what is due. Errors
    and the resolution are relative to the coefficient; of c_skip to what it does to the denoiser
    (δ √(σ² + σ_data²) / σ_data). The denoiser is called three times a level: at x with a network
    that answers 0, at 0 with one whose answer is known, and at x with that; up to 8 times more to
    see how it takes σ.

    Raises ``ArgumentError`` and ``CallableError``.
    Source: Karras et al. 2022, Table 1; Salimans and Ho 2022 for v.

    >>> def scalings(sigma, sigma_data=0.5):
    ...     total = sigma**2 + sigma_data**2
    ...     return sigma_data**2 / total, sigma * sigma_data / total**0.5, 1 / total**0.5
    >>> bool(check_preconditioning(scalings, sigma_data=0.5))
    True
    >>> print(check_preconditioning(scalings, sigma_data=1.0).diagnosis.sentence)
    Cause: in c_skip, c_out and c_in σ_data is 0.5 in it where 1 is declared.
    """
    given = Request(
        precondition,
        form,
        sigma_data,
        data,
        data_within,
        c_noise,
        sigmas,
        shape,
        inner,
        tolerance,
        framework,
        dtype,
    )
    job = validate(given)
    return judge(asked(given, job), job)
