"""Units of the data: a denoiser of ``z = a x_0 + b`` that is given x, or whose answer is read as
x_0.

Conventions: what is right takes x to units of z, scales the noise with it, and brings the answer
back; each of the three may be missing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from scoreproof.objects.empirical import Atoms
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.public.posterior.cases import Case, Cause, stated
from scoreproof.public.posterior.fitted import fitted, misfit
from scoreproof.public.posterior.means import mean_under

__all__ = ["standardised", "units"]

#: usual changes of units, from which a fit starts, by what they are
USUAL: dict[tuple[float, float], str] = {
    (2.0, -1.0): "2 x_0 - 1, data of [0, 1] taken to [-1, 1]",
    (0.5, 0.5): "(x_0 + 1)/2, data of [-1, 1] taken to [0, 1]",
    (255.0, 0.0): "255 x_0, bytes",
    (1 / 255, 0.0): "x_0/255, bytes taken to [0, 1]",
    (127.5, 127.5): "127.5 (x_0 + 1), data of [-1, 1] taken to bytes",
    (1 / 127.5, -1.0): "x_0/127.5 - 1, bytes taken to [-1, 1]",
}
CHANGED = ("x is not taken to its units", "the noise level is not scaled", "x_0 is not taken back")


def _mean(case: Case, a: np.ndarray, b: np.ndarray, done: tuple[bool, bool, bool]) -> np.ndarray:
    """The answer, read as E[alpha x_0 | y], of a denoiser of ``a x_0 + b`` (by coordinate)."""
    problem = case.due.problem
    alpha, cov, known = problem.alpha, problem.noise.least, problem.known
    taken, scaled, back = done
    moved: Atoms | GaussianMixture
    if isinstance(known, Atoms):
        moved = Atoms(known.points * a + alpha * b, known.weights)
    else:
        matrix = np.diag(a)
        covariances = matrix @ known.covariances @ matrix
        moved = GaussianMixture(known.weights, known.means * a + alpha * b, covariances)
    y = case.y * a + alpha * b if taken else case.y
    if scaled:
        cov = cov * a**2 if cov.ndim == 1 else cov * np.outer(a, a)
    mean = mean_under(moved, y, cov)
    return (mean - alpha * b) / a if back else mean


def _words(done: tuple[bool, bool, bool]) -> str:
    missing = [text for text, was in zip(CHANGED, done, strict=True) if not was]
    if len(missing) == 3:
        return "x and the answer are not converted"
    return " and ".join(missing)


def _say(words: str) -> Callable[[Mapping[str, str]], str]:
    return lambda _: words


def _ways() -> Iterator[tuple[bool, bool, bool]]:
    yield from itertools.product((False, True), repeat=3)


def units(case: Case) -> Iterator[Cause]:
    """The same factor and shift for all coordinates."""
    problem = case.due.problem
    if case.very_heavy or case.kind.name != "x0":
        return
    few, one = case.few, np.ones(problem.dimension)
    spread = float(np.sqrt(np.mean(np.diagonal(problem.known.covariance())))) / problem.alpha
    mean = float(np.mean(problem.known.mean())) / problem.alpha
    starts = [*USUAL, (1 / spread, -mean / spread), (spread, mean), (1.0, -mean)]
    for done in _ways():
        if all(done) or done == (True, True, False):  # nothing wrong; an affine change alone
            continue

        def residual(p: np.ndarray, done: tuple[bool, bool, bool] = done) -> np.ndarray:
            value = few.told(_mean(few, p[0] * one, p[1] * one, done))
            return misfit(value, few.value, few.limit)

        # where a fit costs too much, the usual changes as they are
        tries = 0 if case.heavy else 2
        found = fitted(residual, [np.array(s) for s in starts], tries)
        if found is None or abs(found[0]) < 1e-9:
            continue
        a, b = float(found[0]), float(found[1])
        b = 0.0 if abs(b) <= 1e-9 * (1 + abs(mean)) else b
        named = next(
            (
                words
                for (p, q), words in USUAL.items()
                if abs(a / p - 1) <= 1e-6 and abs(b - q) <= 1e-6 * max(abs(q), 1.0)
            ),
            f"a x_0 + b with a = {a:.6g}, b = {b:.6g}",
        )
        if abs(a - 1) <= 1e-6:
            named = f"x_0 + {b:.6g}" if b > 0 else f"x_0 - {-b:.6g}"
        yield Cause(
            "units",
            case.told(_mean(case, a * one, b * one, done)),
            _say(f"it is a denoiser of data in other units, {named}: {_words(done)}"),
            {"a": a, "b": b},
        )


def standardised(case: Case) -> Iterator[Cause]:
    """By coordinate: the data's mean subtracted, divided by the standard deviation, or the
    reverse.
    """
    if case.very_heavy or case.kind.name != "x0":
        return
    problem = case.due.problem
    spread = np.sqrt(np.diagonal(problem.known.covariance())) / problem.alpha
    if np.any(spread <= 0):
        return
    mean, one = problem.known.mean() / problem.alpha, np.ones(problem.dimension)
    whole = float(np.sqrt(np.mean(spread**2))) * one
    options = {
        "centred": (one, -mean, "centred data, x_0 - mean"),
        "standardised": (1 / spread, -mean / spread, "standardised data, (x_0 - mean)/std"),
        "scaled": (1 / spread, 0 * one, "data scaled to standard deviation 1, x_0/std"),
        "standardised_at_once": (
            1 / whole,
            -mean / whole,
            "standardised data, (x_0 - mean)/std with one std for all",
        ),
    }
    for name, (a, b, words) in options.items():
        for done in _ways():
            if not all(done):
                yield stated(
                    name,
                    case.told(_mean(case, a, b, done)),
                    f"it is a denoiser of {words}: {_words(done)}",
                )
