"""Scales that are changed by a number nobody knows: clamped, added to, multiplied.

Conventions: the number is found where the deviation is largest, on a grid and by bisection; whether
it explains all the rest is for the caller to see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.readings import CALLED, changed

__all__ = ["Clamp", "clamps", "roots"]


@dataclass(frozen=True)
class Clamp:
    """A change of the scales with a number that is not known: a clamp, a summand, a factor."""

    name: str
    words: str
    of: Callable[[Laws, float], Laws]
    grid: np.ndarray


def clamps(options: Options) -> Iterator[Clamp]:
    """What is looked for, with the numbers between which it is."""
    if options.form == "full":
        grid = np.geomspace(1e-14, 10, 61)

        def jitter(laws: Laws, c: float) -> Laws:
            return changed(laws, lambda v: v + c * np.eye(v.shape[1]), options)

        yield Clamp("jitter", "{c:.4g} I is added to the covariances", jitter, grid)
        return
    kinds = ("logvar", "std", "variance")
    for kind in (options.parameterization, *(k for k in kinds if k != options.parameterization)):
        as_kind = Options(options.form, kind)
        called, logs = CALLED[kind], kind == "logvar"
        grid = np.linspace(-14, 14, 113) if logs else np.geomspace(1e-7, 1e4, 120)

        def change(
            move: Callable[[np.ndarray, float], np.ndarray], o: Options
        ) -> Callable[..., Laws]:
            return lambda laws, c: changed(
                laws, lambda v: o.variances(move(o.scale(v), c)), options
            )

        yield Clamp(
            "clamp_above",
            f"{called} are clamped to at most {{c:.4g}}",
            change(np.minimum, as_kind),
            grid,
        )
        yield Clamp(
            "clamp_below",
            f"{called} are clamped to at least {{c:.4g}}",
            change(np.maximum, as_kind),
            grid,
        )
        if logs:
            yield Clamp(
                "clamp",
                f"{called} are clamped to [-{{c:.4g}}, {{c:.4g}}]",
                change(lambda s, c: np.clip(s, -c, c), as_kind),
                np.linspace(0.1, 14, 112),
            )
        else:
            small = np.geomspace(1e-16, 10, 69)
            yield Clamp(
                "epsilon", f"{{c:.4g}} is added to the {called}", change(np.add, as_kind), small
            )
        yield Clamp(
            "scaled",
            f"the {called} are multiplied by {{c:.6g}}",
            change(np.multiply, as_kind),
            np.geomspace(1e-2, 1e2, 41),
        )


def roots(gap: Callable[[float], float], grid: np.ndarray) -> Iterator[float]:
    """Where it changes its sign, to the last digit."""
    values = [gap(float(c)) for c in grid]
    for a, b, fa, fb in zip(grid, grid[1:], values, values[1:], strict=False):
        if fa == 0:
            yield float(a)
        if not (np.isfinite(fa) and np.isfinite(fb)) or np.sign(fa) * np.sign(fb) >= 0:
            continue
        low, high = float(a), float(b)
        for _ in range(70):
            middle = (low + high) / 2
            f = gap(middle)
            low, high = (middle, high) if np.sign(f) == np.sign(fa) else (low, middle)
        # somebody wrote a number of few digits
        middle = (low + high) / 2
        for digits in (1, 2, 3, 4):
            short = float(f"{middle:.{digits}g}")
            if abs(short - middle) <= 1e-6 * abs(middle):
                middle = short
                break
        yield middle
