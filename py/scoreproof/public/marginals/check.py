"""`check_marginals`: does the declared marginal follow from the drift and the diffusion?

Conventions
-----------
- ``dX = f dt + g dW``; ``marginal(x0, t) -> (mean, std)``, std a standard deviation. Time runs
  forward from 0.
- *Literal* reading: the SDE starts at x0. *Blurred*: at x0 + s N(0, I), s the standard deviation
  that the marginal itself declares at t = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scoreproof.evidence import Evidence
from scoreproof.interop.frameworks import guarded
from scoreproof.public.marginals.arguments import given
from scoreproof.public.marginals.asking import Probe
from scoreproof.public.marginals.declared import Declared
from scoreproof.public.marginals.judging import judged
from scoreproof.public.rule import public_check

__all__ = ["check_marginals"]


@public_check
def check_marginals(
    drift: Callable[..., Any],
    diffusion: Callable[..., Any],
    marginal: Callable[..., Any],
    *,
    times: Sequence[float] | float | None = None,
    horizon: float | None = None,
    d: int = 2,
    x0: Any = None,
    reading: str = "literal",
    initial_std: float | None = None,
    breaks: Sequence[float] = (),
    batched_time: bool = False,
    max_panels: int = 3000,
    framework: str = "numpy",
    dtype: Any = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> Evidence:
    """Check that ``X_t | X_0 = x0`` of ``dX = drift dt + diffusion dW`` has the mean and standard
    deviation that ``marginal`` declares.

    Parameters
    ----------
    drift: ``drift(x, t) -> f``, x of shape ``(n, d)``, t a float; f of shape ``(n, d)`` or what
        broadcasts to it. It must be affine in x, each coordinate by itself (else the verdict is
        ``undecided``: no Gaussian marginal follows).
    diffusion: ``diffusion(t) -> g``, a coefficient per √time (not its square): a number, ``(d,)``,
        or a diagonal ``(d, d)``.
    marginal: ``marginal(x0, t) -> (mean, std)``, mean ``(n, d)``, std a number, ``(n,)``, ``(n,
        1)`` or ``(n, d)``.
    times: where to compare, all > 0. Default: about 65 times from 1e-5·horizon to the horizon, by
        decades towards both ends, evenly between with a random one in each of 46 cells, and more
        where the declared law changes fast; those before 0.1·horizon at which the type of the
        numbers cannot resolve a standard deviation are passed over, and the coverage says from
        where on. horizon: the end of time, default 1 (or the last of ``times``); drift and
        diffusion may be infinite there, the law is then a limit.
    d, x0: the dimension, or the rows ``(n, d)`` to start from (default: 6 random rows in d = 2 of
        sizes from 0.05 to 30, both signs).
    reading: ``"literal"``: the SDE starts at x0. ``"blurred"``: the data are first blurred by what
        ``marginal`` declares at t = 0.
    initial_std: the standard deviation of that blur, if it is to be another one.
    breaks: times where drift or diffusion are known to jump or to have a kink (they are found
        anyway, at the cost of calls; a table with an even step is recognised).
    batched_time: pass t as an array ``(n,)``, one entry for each row; batches of different times
        are compared with the same times one by one.
    max_panels: the work budget of the quadrature (a table is granted two more an entry).
    framework, dtype: ``"numpy"``, ``"torch"`` or ``"jax"`` and the floating type of x and x0; for
        torch and jax t is a 0-d tensor.
    tolerance: the relative error of mean and standard deviation that you accept, in (0, 1): for
        discretised tables and approximate marginals, or for half precision.

    Returns
    -------
    Evidence: kind float. The error is relative: of the standard deviation to itself, of the mean to
    itself (an x0 below 1/1000 of the largest counts as that much), or to the size of X_t where α is
    lost in rounding beside the noise (the coverage says at how many times). The bound is made of
    the quadrature's error estimate and of the rounding of what the callables return. ``drift`` and
    ``diffusion`` are called ``3 + 16·P`` times each, P the panels tried
    (``evidence.cost["panels"]``, about 70 for a smooth schedule, 200 with a kink, 1200 for a table
    of 1000 entries; one call less for times that you named), and up to 20,000 times more in the
    search for a table's step; drift is called with 11 rows, two of size 1000 (up to twice more if
    it is not affine). ``marginal`` is called ``3 + len(times)`` times. With batched times each is
    called up to 16 times more. A refutation that no known mistake explains asks drift and diffusion
    up to 20,000 times more, at other times too, and ``marginal`` 60 times.

    Raises
    ------
    ArgumentError: bad times, x0, d, reading, initial_std or tolerance. CallableError: a callable
    raises, is not deterministic, or returns another shape, NaN or complex numbers.

    Source: homework problem 6 for the variance-exploding case; the moment equations of linear SDEs
    otherwise.

    >>> from math import exp, sqrt
    >>> def marginal(x0, t):
    ...     return x0 * exp(-t), sqrt(1 - exp(-2 * t))
    >>> bool(check_marginals(lambda x, t: -x, lambda t: sqrt(2), marginal))
    True
    >>> evidence = check_marginals(lambda x, t: -x, lambda t: 1.0, marginal)
    >>> evidence.verdict, evidence.diagnosis.names[0]
    ('refuted', 'rate_no_two')
    """
    g = given(
        times=times,
        horizon=horizon,
        d=d,
        x0=x0,
        reading=reading,
        initial_std=initial_std,
        breaks=breaks,
        batched_time=batched_time,
        max_panels=max_panels,
        tolerance=tolerance,
        seed=seed,
    )
    f, s, law = (
        guarded(c, name, framework, dtype)
        for c, name in ((drift, "drift"), (diffusion, "diffusion"), (marginal, "marginal"))
    )
    probe = Probe(f, s, g.rows.shape[1], framework != "numpy", g.batched_time, g.seed, g.sweep.high)
    return judged(g, probe, Declared(law, g.rows, probe))
