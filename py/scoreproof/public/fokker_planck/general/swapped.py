"""The noise of another coordinate or another time, or the other triangle of it.

Conventions: as in `causes`; rows of g are coordinates of X.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import permutations

import numpy as np

from scoreproof.interop.callables import Guarded
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.general.curls import matrix
from scoreproof.public.fokker_planck.general.noise import Noise
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.fokker_planck.matrices import Matrix

__all__ = ["swapped", "upper_factor"]

#: dimensions up to which every order of the coordinates is tried
ALL = 4


def swapped(
    g: General,
    drift: np.ndarray,
    spread: Callable[[Matrix, bool], np.ndarray],
    at: Callable[[Callable[[float], float]], np.ndarray],
    place: Place,
) -> Iterator[tuple[str, np.ndarray, str]]:
    """Candidates, the likelier first."""
    d = place.dimension
    first, last = place.box.times
    clocks: list[tuple[str, Callable[[float], float], str]] = [
        ("noise_of_reversed_time", lambda t: first + last - t, f"{first + last:.4g} - t"),
        ("noise_of_reversed_time", lambda t: 1 - t, "1 - t"),
        ("noise_of_the_start", lambda t: 0.0, "0"),
    ]
    for name, clock, text in clocks:
        yield (
            name,
            drift + at(clock),
            f"the density spreads at t as diffusion says for the time {text}: one of both counts"
            " time otherwise",
        )
    meaning = g.meaning
    for order in _orders(d):
        index = np.array(order)

        def moved(raw: np.ndarray, index: np.ndarray = index) -> np.ndarray:
            if meaning == "g":
                g = raw[:, index]
                return np.einsum("nik,njk->nij", g, g)
            sigma = raw[:, index][:, :, index]
            return 2 * sigma if meaning == "diffusivity" else sigma

        listed = ", ".join(map(str, order[:6])) + (", …" if d > 6 else "")
        yield (
            "noise_of_another_coordinate",
            drift + spread(moved, False),
            "the noise stands at other coordinates than the density has it: it would agree with"
            f" the rows of what diffusion returns in the order [{listed}] (of a pair of position"
            " and velocity, the noise is in the velocity)",
        )


def upper_factor(
    g: General, drift: np.ndarray, brought: Callable[[Noise], np.ndarray]
) -> Iterator[tuple[str, np.ndarray, str]]:
    """Of ``g(x) = diag(x) R``, as of assets: ``diag(x) Rᵀ``."""
    c = g.coefficient
    if not c.of_state or not c.is_g or c.d == 1 or g.framework != "numpy":
        return

    def turned(x: np.ndarray, t: float) -> np.ndarray:
        inner = matrix(c.field(x, t, ())) / x[:, :, None]
        return np.swapaxes(inner, 1, 2) * x[:, :, None]

    if matrix(c.value(g.inside, 1.0)).shape[1:] != (c.d, c.d):
        return
    noise = replace(c, guard=Guarded(turned, "diffusion"))
    yield (
        "transposed_noise",
        drift + brought(noise),
        "the matrix R of g = diag(x) R is transposed: of a Cholesky factor the lower one is due, L"
        " with L Lᵀ = Σ; scipy.linalg.cholesky returns the upper one",
    )


def _orders(d: int) -> Iterator[tuple[int, ...]]:
    if d == 1:
        return
    plain = tuple(range(d))
    if d <= ALL:
        yield from (p for p in permutations(plain) if p != plain)
        return
    yield plain[::-1]
    yield (*plain[1:], 0)
    yield (d - 1, *plain[:-1])
    if d % 2 == 0:
        yield (*plain[d // 2 :], *plain[: d // 2])
