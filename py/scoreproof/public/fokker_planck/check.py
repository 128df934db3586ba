"""``check_fokker_planck``: does a density solve the Fokker–Planck equation of a drift and a
diffusion?

Conventions: as in `statement`; points are rows, t is a float that every row shares, ``diffusion``
is ρ, not ρ².
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scoreproof.evidence import Evidence
from scoreproof.public.arguments import accepted, seeded
from scoreproof.public.fokker_planck.arguments import one_density, where
from scoreproof.public.fokker_planck.grid.entry import OnGrid
from scoreproof.public.fokker_planck.grid.given import is_grid
from scoreproof.public.fokker_planck.judging import Job, alone, of_an_array, of_functions
from scoreproof.public.rule import public_check

__all__ = ["check_fokker_planck"]

TIMES, DOMAIN = (0.3, 0.6, 1.0), (-3.0, 3.0)
AXES = (
    "the points of an array are its axes, and its times: pass axes=(t, x), and it is judged there"
)
#: what an argument is that was not passed
UNSAID = {"times": TIMES, "domain": DOMAIN, "cells": False}


def changed(said: dict[str, Any]) -> dict[str, Any]:
    """Those that are not as they are by default."""
    return {k: v for k, v in said.items() if v is not UNSAID.get(k)}


@public_check
def check_fokker_planck(
    drift: Callable[..., Any],
    diffusion: Any,
    density: Any = None,
    *,
    log_density: Any = None,
    score: Callable[..., Any] | None = None,
    times: Sequence[float] = TIMES,
    domain: Sequence[Any] = DOMAIN,
    dimension: int | None = None,
    points: Any = None,
    method: str = "auto",
    interpretation: str | float | None = None,
    diffusion_is: str = "g",
    normalized: bool = True,
    inputs: str | None = None,
    axes: Any = None,
    boundary: str | None = None,
    cells: bool = False,
    tolerance: float | None = None,
    framework: str = "numpy",
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Check ``∂_t p = -∇·(f p) + ½ Σ_ij ∂_i ∂_j (Σ_ij p)`` for your drift f, your noise, Σ = g gᵀ,
    and your density p, or its score; with a noise of one number ρ it is ``… + (ρ²/2) Δp``.

    Parameters
    ----------
    drift: ``drift(x, t)``, x ``(n, d)``, t a float, returns ``(n, d)``. A function of ``(t, y)`` or
        ``(t, y, args)``, by the names of its arguments, is asked in that order, here and below.
    diffusion: ``diffusion(t)``, or without a function what does not depend on t: a number, a
        diagonal ``(d,)`` or the matrix g in front of dW, ``(d, d)`` or ``(d, m)``; not its square.
        With ``interpretation`` also ``diffusion(x, t)``, which returns ``(n,)`` (times the
        identity), ``(n, d)`` (a diagonal), ``(n, d, d)`` or ``(n, d, m)``. The first index of g is
        that of X; of a Cholesky factor the lower one is due, L with L Lᵀ = Σ.
    density or log_density: ``density(x, t)``, returns ``(n,)``. Exactly one of them; a log never
        underflows, so it can be judged wherever you like.
    score: ``score(x, t)``, returns ``(n, d)``, in place of a density or beside it. Beside it, it is
        to be ∇ log p. Alone, ``∂_t s = ∇(-∇·f - f·s + ½ (tr(Σ ∇s) + sᵀ Σ s))`` (with more terms
        where Σ depends on x) is held along segments between the points, and its Jacobian is to be
        symmetric. A factor of time alone, the normaliser, is not in a score.
    times: two or more, > 0 and increasing: judged, and with them 32 more from the first to the
        last, some of them random. The weak form uses the interval.
    domain: ``(low, high)`` for every coordinate, or a list of such pairs: where points are drawn,
        and the box of the weak form (or its parts with mass in them, where that is a small part).
    dimension: d; taken from ``points`` or ``domain`` when they tell, else 1.
    points: ``(n, d)`` points of the strong form, judged at your times, and they or (where d is
        large) some of them at the times between; by default random ones, new at each time: 64 in
        d = 1, 32 up to d = 4, 16 up to d of about 50, 2 at least.
    method: ``"strong"`` takes derivatives of your functions (complex circles for analytic NumPy
        code, differences with an error of their own for other NumPy code, forward-mode autodiff,
        held against values, for PyTorch and JAX), and follows log p along lines and in time for
        jumps; ``"weak"`` takes none: it integrates p against the adjoint operator on smooth test
        functions in 8 stretches of time (d = 1 or 2); ``"auto"``: strong where possible, else weak,
        and weak for a ``diffusion(x, t)`` in d = 1 or 2.
    interpretation: which integral dW means, required when the diffusion depends on x and idle where
        it does not: ``"ito"``, ``"stratonovich"``, or ``"fick"`` (also ``"isothermal"``,
        ``"hanggi-klimontovich"``, ``"anti-ito"``): ``∂_t p = -∇·(f p) + ½ ∇·(Σ ∇p)``. A number α
        from 0 to 1 is the place in a step at which g is evaluated: Itô's equation with the drift
        ``f_i + α Σ_jk g_jk ∂_j g_ik``, so 0 is Itô and ½ Stratonovich; 1 is Fick's law where g is a
        number or a diagonal, and not for every matrix.
    diffusion_is: what ``diffusion`` returns: ``"g"``, ``"covariance"`` (Σ = g gᵀ) or
        ``"diffusivity"`` (D = ½ g gᵀ). Of a matrix Σ(x) no g is known, so that only Itô's and
        Fick's equations are.
    normalized: whether the mass of the density must be 1, which the equation does not see. Pass
        ``False`` for one without its normaliser, or of a process that explodes.
    inputs: how a network takes x and t: ``"xt"`` or ``"tx"``, for ``net(t, x)`` or one array whose
        first column is t; of drift and diffusion where no name tells. By default the names of
        its arguments tell, and one array is ``[x, t]``.
        t is given as a number, or where that does not do as ``(n,)``, as ``(n, 1)``, or as a column
        beside x; ``(n, 1)`` is a right answer too. A network in float32 is judged by a copy of it
        in double precision (unless ``dtype`` says otherwise).
    axes: where ``density`` (or its log) is an array, as a solver writes it: its times and points in
        the order of its axes, ``(t, x)`` or ``(t, x, y)``, or by name in another order, ``{"x": x,
        "t": t}``. Uneven axes are fine; one that is an entry longer holds the edges of cells. An
        xarray DataArray has its own. Several solutions, coarse to fine, are judged by what they
        tend to: ``density=[p1, p2, p3], axes=[(t, x1), (t, x2), (t, x3)]``. No points, times or
        domain then; the equation is judged in weak form at every saved time.
    boundary: what an array's ends are: ``"truncated"`` (the default: the density is negligible
        there), ``"reflecting"``, ``"absorbing"`` or ``"periodic"``.
    cells: whether the values are averages over cells around the points, as of finite volumes.
    tolerance: the relative error that you accept, of the equation relative to the size of all its
        terms, and of the mass: for a learned density, say. In d > 1 what is left must also be no
        more than that of each coordinate's own terms, so that no coordinate is wrong alone. By
        default rounding only.
    framework, dtype: what your callables are written in ("numpy", "torch", "jax") and the floating
        type of what they are given.

    Returns
    -------
    Evidence; on a refutation ``diagnosis`` names the planted fault (or pair), the reading of dW,
    the matrix or the entries of it under which your functions would agree, and ``notes`` say where
    it is and which factor would mend it. The mass is
    integrated for d <= 2 and fitted for d <= 64. A mass below 1 is undecided where a part of it may
    lie where was not looked: where it is fitted, and for d <= 2 where p underflows far out and
    cannot be continued to complex points. Above d = 64 the sentence says that the mass is not
    looked at.

    Batched calls with T times (33 to 35 by default). Strong, NumPy: the density about 17 T, up to
    120 T where it is not analytic, the drift 3 T, up to 20 T; autodiff: the density 3 T, and up to
    145 more at each of three times, the drift 2 T. Along lines and in time the density 100 to 200
    times, 2000 where it jumps; the drift (or with a score alone both) 3 times, and 40 more for each
    jump of theirs, and a score alone up to 54 times around loops. Weak: 122, 219 or 340 of the
    density and 104, 192 or 304 of the others, as the quadrature needs, and up to 250 of the density
    to find the mass. For the mass at most 150 of it at each of three times, and in d > 2 of all
    three 120 between them. The diffusion: about 45 times, and once at t = 0 after a refutation; in
    d = 1 the drift twice more for the flux. A ``diffusion(x, t)`` in strong form: 3 T; a score:
    about 30 T, autodiff 8 T. To see whether a row's answer depends on other rows, four times the
    density and the drift. More calls where d is large: no array that is handed over holds more than
    2²¹ numbers (32 MB), so memory grows with n d only, and the time with n d².

    An array of T times costs T calls of drift and diffusion, and after a refutation about T more
    for each cause that is tried, up to 40 T.

    Raises ``ArgumentError`` for bad arguments and ``CallableError`` for callables that raise or
    return nan or a wrong shape. Source: homework on generative models, spring 2024, problem 5.

    >>> import numpy as np
    >>> def log_density(x, t):
    ...     v = 1 + np.exp(-2 * t)
    ...     return -0.5 * x[:, 0] ** 2 / v - 0.5 * np.log(2 * np.pi * v)
    >>> evidence = check_fokker_planck(
    ...     lambda x, t: -x, lambda t: np.sqrt(2.0), log_density=log_density)
    >>> bool(evidence), evidence.kind, bool(evidence.resolution < 1e-5)
    (True, 'float', True)
    """
    tolerance = accepted(tolerance)
    law, is_log = one_density(density, log_density, score)
    meant = (interpretation, diffusion_is, method)
    job = Job(
        functions=(drift, diffusion),
        law=(law, is_log, score),
        meant=meant,
        how=(framework, dtype),
        inputs=inputs,
        tolerance=tolerance,
        normalized=normalized,
    )
    if is_grid(law, axes):
        said = {"times": times, "domain": domain, "points": points}
        said |= {"method": method} if method == "strong" else {}
        alone("an array", AXES, changed(said))
        return of_an_array(job, OnGrid(axes, boundary, cells, tolerance, normalized, inputs))
    said = {"boundary": boundary, "cells": cells}
    alone("a function", "it is of an array and its axes", changed(said))
    return of_functions(job, where(times, domain, dimension, points, seeded(seed)))
