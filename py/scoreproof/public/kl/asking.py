"""How the user's function is asked: rounded to its own floating type first, and its answer's shape
judged.

Conventions: `Answer` holds the parameters as the function got them, in float64: what rounding them
did is no error of the function's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded, as_numpy, unit_roundoff
from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.laws import Laws

__all__ = ["Answer", "ask", "passed"]

#: what a function that returns nan may have done with its scales
FINITE = {
    "std": "scales are standard deviations, all positive: is a logarithm of them exponentiated?",
    "variance": "scales are variances, all positive: is a logarithm of them exponentiated?",
    "logvar": "scales are log-variances, negative and 0 among them: take no logarithm or root of"
    " them, and pass parameterization= if it is to take others",
}
FULL = "covariances are positive definite, with determinants from 1e-12 to 1e12: use slogdet"


@dataclass(frozen=True, eq=False)
class Answer:
    """One batch with the scales that were passed and what came back: ``(n,)``, or ``(1,)`` when the
    batch is reduced.
    """

    laws: Laws
    scale0: np.ndarray
    scale1: np.ndarray
    returned: np.ndarray


def passed(guard: Guarded, array: np.ndarray) -> tuple[np.ndarray, float]:
    """``array`` as the function gets it, in float64, and the spacing of its floating type at 1."""
    if guard.prepare is None:
        return array, float(np.finfo(float).eps)
    given = guard.prepare(array)
    return as_numpy(given).astype(float), unit_roundoff(given)


def ask(guard: Guarded, laws: Laws, options: Options) -> Answer:
    """Call it once. Raises ``CallableError`` when it raises, or returns NaN or another shape."""
    scale0, scale1 = (passed(guard, options.scale(v))[0] for v in (laws.v0, laws.v1))
    m0, m1 = (passed(guard, m)[0] for m in (laws.m0, laws.m1))
    arguments = [m0, scale0] + ([] if options.standard else [m1, scale1])
    try:
        returned = _shaped(guard, guard(*arguments), laws.shape, options)
    except CallableError as error:
        got = f"{error.got}, for {laws.what}"
        remedy = FINITE[options.parameterization] if "nan or inf" in got else error.remedy
        remedy = FULL if "nan or inf" in got and options.form == "full" else remedy
        raise CallableError(error.name, error.expected, got, remedy) from error
    seen = replace(laws, m0=m0, v0=options.variances(scale0), m1=m1, v1=options.variances(scale1))
    return Answer(seen, scale0, scale1, returned)


def _shaped(
    guard: Guarded, result: np.ndarray, shape: tuple[int, int], options: Options
) -> np.ndarray:
    n, d = shape
    if np.iscomplexobj(result):
        if np.any(result.imag):
            got = f"an imaginary part of {np.max(np.abs(result.imag)):.2g}"
            raise CallableError(guard.name, "return real numbers", got, "a divergence is real")
        result = result.real
    if options.reduction != "none":
        if result.size == 1:
            return result.reshape(1)
        raise _wrong_shape(
            guard,
            f"one number for a batch of {n} laws, as reduction={options.reduction!r} says",
            result,
            'pass reduction="none" if it returns one number a law',
        )
    if result.shape in ((n,), (n, 1)) or (n == 1 and result.size == 1):
        return result.reshape(n)
    remedy = "return one number a law"
    if result.size == 1:
        remedy = 'pass reduction="sum" or reduction="mean" if it adds up or averages the batch'
    elif result.shape == (n, d):
        remedy = "sum over the dimensions, e.g. .sum(axis=-1)"
    elif result.shape == (n, n):
        remedy = (
            "it broadcasts (n, 1) against (n,): use scale[:, 0] beside a sum over the last axis"
        )
    elif result.shape == (d,):
        remedy = "it sums over the rows: sum over the last axis, .sum(axis=-1)"
    raise _wrong_shape(guard, f"an array of shape ({n},) for {n} laws in d = {d}", result, remedy)


def _wrong_shape(guard: Guarded, due: str, result: np.ndarray, remedy: str) -> CallableError:
    return CallableError(guard.name, f"return {due}", f"it returned shape {result.shape}", remedy)
