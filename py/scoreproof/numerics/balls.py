"""Ball arithmetic with python-flint: a number is a midpoint and a radius, and the radius is a
theorem.

python-flint keeps its precision in a process-global variable, so `precision` is the only place that
sets it and it refuses to run on any thread but the main one. Inputs are exact rationals (`fmpq`): a
float such as 0.1 would enter as a different number.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flint import acb, arb, ctx, fmpq

from scoreproof.errors import ScoreproofError
from scoreproof.evidence import Evidence

__all__ = ["ball", "decide", "integral", "precision", "rational"]


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Run a block at ``bits`` of precision and restore the caller's precision afterwards."""
    if threading.current_thread() is not threading.main_thread():
        raise ScoreproofError(
            "ball arithmetic must run on the main thread (python-flint's precision is"
            " process-global); use processes instead"
        )
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def rational(text: str | int | fmpq) -> fmpq:
    """An exact rational from ``"3/7"``, ``"0.25"``, ``"1e-40"`` or an integer.

    >>> rational("0.25"), rational("3/7")
    (1/4, 3/7)
    """
    if isinstance(text, fmpq):
        return text
    if isinstance(text, int):
        return fmpq(text)
    from fractions import Fraction

    value = Fraction(text)
    return fmpq(value.numerator, value.denominator)


def ball(value: Any) -> arb:
    """``value`` (a rational, an integer, a decimal string, or a ball) as an ``arb`` at the current
    precision.
    """
    return value if isinstance(value, arb) else arb(rational(value))


def integral(
    f: Callable[[acb, bool], acb], a: arb, b: arb, *, tolerance_bits: int | None = None
) -> acb:
    """Rigorous ``∫_a^b f`` by ``acb.integral``. ``f(z, analytic)`` must return a non-finite ball
    when ``analytic`` is set and ``f`` is not analytic on ``z`` (a branch cut, an absolute value):
    that flag is what makes the result a theorem.
    """
    if tolerance_bits is None:
        return acb.integral(f, acb(a), acb(b))
    return acb.integral(f, acb(a), acb(b), abs_tol=arb(2) ** (-tolerance_bits))


def decide(
    residuals: Callable[[], list[Any]],
    sentence: str,
    *,
    radius: float,
    scale: float = 1.0,
    start_bits: int = 256,
    max_bits: int = 4096,
    **more: Any,
) -> Evidence:
    """Evaluate ``residuals()`` at doubling precision until `Evidence.certified` decides or
    ``max_bits`` is reached.
    """
    bits = start_bits
    while True:
        with precision(bits):
            evidence = Evidence.certified(
                residuals(), sentence, radius=radius, scale=scale, cost={"bits": bits}, **more
            )
        if evidence.verdict != "undecided" or bits * 2 > max_bits:
            return evidence
        bits *= 2
