"""Another kind of prediction, a wrong coefficient, units of the data: answers linear in what is due
and in y.

Conventions: ``x`` in words is the noisy point, y of the check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from scoreproof.public.posterior import kind_words
from scoreproof.public.posterior.cases import Case, Cause, stated
from scoreproof.public.posterior.one_coefficient import SAME, one_coefficient

__all__ = ["by_the_data", "in_x_and_mean"]

#: no kinds of prediction
MISTAKEN = ("exchanged", "added")
KINDS = kind_words.KINDS | {
    "exchanged": "σ ε - α x_0: v = α ε - σ x_0 with α and σ exchanged",
    "added": "α ε + σ x_0: v = α ε - σ x_0 with the wrong sign inside",
}


def _solved(columns: list[np.ndarray], value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least squares, and what it predicts."""
    basis = np.stack([c.ravel() for c in columns], axis=1)
    scale = np.linalg.norm(basis, axis=0)
    scale[scale == 0] = 1.0
    found = np.linalg.lstsq(basis / scale, value.ravel(), rcond=None)[0] / scale
    return found, (basis @ found).reshape(value.shape)


def by_the_data(case: Case) -> Iterator[Cause]:
    """A factor and an offset for each coordinate that are the data's own mean and deviation."""
    value, right = case.value, case.right
    if len(value) < 6:
        return
    known, alpha = case.due.problem.known, case.due.problem.alpha
    mean = known.mean() / alpha
    spread = np.sqrt(np.diagonal(known.covariance())) / alpha
    if case.kind.name == "x0":
        yield stated(
            "mean_missing",
            right - mean,
            "it is E[x_0 | x] minus the data's mean: the mean is subtracted and not added again",
        )
        yield stated(
            "mean_added",
            right + mean,
            "it is E[x_0 | x] plus the data's mean: the mean is added once too often",
        )
        yield stated(
            "standardised_answer",
            (right - mean) / spread,
            "it is (x_0 - mean)/std, coordinate by coordinate: the answer is in units of"
            " standardised data and is not converted back",
        )
        yield stated(
            "converted_twice",
            mean + spread * right,
            "it is mean + std x_0, coordinate by coordinate: converted back once too often",
        )
    if case.kind.name == "x0":
        away = right - mean
        factor = float(np.sum((value - mean) * away) / np.sum(away**2))
        yield Cause(
            "from_the_mean",
            mean + factor * away,
            lambda t: (
                f"its distance from the data's mean is {t['factor']} times what is due: with f for"
                " this factor it is mean + f (E[x_0 | x] - mean), as guidance does"
            ),
            {"factor": factor},
        )
    for scale, words in (
        (spread, "multiplied by the data's standard deviation"),
        (1 / spread, "divided by the data's standard deviation"),
        (spread**2, "multiplied by the data's variance"),
        (1 / spread**2, "divided by the data's variance"),
    ):
        if np.ptp(scale) > 1e-6 * np.max(scale):
            yield stated(
                "scaled_by_the_data",
                right * scale,
                f"it is {words}, coordinate by coordinate: an answer for standardised data that"
                " is not converted back",
            )


def in_x_and_mean(case: Case) -> Iterator[Cause]:
    """``a x_0 + b x``: another kind of prediction, or one converted with a wrong coefficient."""
    problem = case.due.problem
    variance = problem.noise.variance
    if variance is None:
        return
    alpha, sigma = problem.alpha, float(np.sqrt(variance))
    x0 = case.due.mean / alpha
    (a, b), prediction = _solved([x0, case.y], case.value)
    if not case.explains(prediction):
        return
    kinds = {
        "x0": (1.0, 0.0),
        "eps": (-alpha / sigma, 1 / sigma),
        "score": (alpha / sigma**2, -1 / sigma**2),
        "v": (-(alpha**2) / sigma - sigma, alpha / sigma),
        "flow": (-alpha / sigma - 1, 1 / sigma),
        "exchanged": (-2 * alpha, 1.0),
        "added": (sigma - alpha**2 / sigma, alpha / sigma),
    }
    due = _coefficients(case)
    for name, (p, q) in kinds.items():
        factor = (a * p + b * q) / (p * p + q * q)
        gap = np.hypot(a - factor * p, b - factor * q)
        if name == case.kind.name or gap > SAME * np.hypot(a, b):
            continue
        rates = case.kind.rates
        if abs(factor - 1) <= SAME and (name, case.kind.name) == ("flow", "velocity") and rates:
            own = {"α'": float(rates[0]), "σ'": float(rates[1])}
            yield Cause("returns_flow", prediction, kind_words.flow_for_velocity, own)
        elif abs(factor - 1) <= SAME:
            yield stated(f"returns_{name}", prediction, _returned(name, case, minus=False))
        elif abs(factor + 1) <= SAME:
            yield stated(f"returns_minus_{name}", prediction, _returned(name, case, minus=True))
        else:
            yield Cause(
                f"multiple_of_{name}",
                prediction,
                _multiple(name),
                {"factor": factor},
            )
        return
    if case.kind.name == "x0" and alpha != 1.0 and abs(a - 1) <= SAME:
        yield from _x_in_a_formula(case, prediction, float(b))
    slip = one_coefficient(case, (float(a), float(b)), due)
    if slip is not None:
        yield slip.cause(prediction)
        return
    yield Cause(
        "mixed",
        prediction,
        lambda t: (
            f"it is a E[x_0 | x] + b x with a = {t['a']}, b = {t['b']}, where a ="
            f" {due[0]:.6g}, b = {due[1]:.6g} are due"
        ),
        {"a": float(a), "b": float(b)},
    )


def _x_in_a_formula(case: Case, prediction: np.ndarray, more: float) -> Iterator[Cause]:
    """x_0 from another prediction, where only what x is multiplied by is wrong, and is another
    power of α or σ.
    """
    alpha, known = case.due.problem.alpha, {k: v for k, v in case.known.items() if k in "ασ"}
    for due, printed, formula in ((alpha, "α", "α x - σ v"), (1 / alpha, "1/α", "(x - σ ε)/α")):
        form = next((f for f, v in _powers(known) if abs(v / (due + more) - 1) <= SAME), "")
        if form and form != printed:
            words = f"x is multiplied by {form} where {printed} is due, as in x_0 = {formula}"
            yield stated(f"x_times_{form}", prediction, words)
            return


def _powers(known: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    for name, v in known.items():
        yield name, v
        for form, value in ((f"{name}²", v * v), (f"√{name}", v**0.5)):
            yield form, value
            yield f"1/{form}", 1 / value
        yield f"1/{name}", 1 / v
    yield "1", 1.0


def _coefficients(case: Case) -> tuple[float, float]:
    """Of x_0 and x in what is due."""
    if case.kind.name == "score":
        variance = case.due.problem.noise.variance or 1.0
        return case.due.problem.alpha / variance, -1 / variance
    p, q, _, _ = case.kind.linear()
    return p * case.due.problem.alpha, q


def _multiple(name: str) -> Callable[[Mapping[str, str]], str]:
    return lambda t: f"it is {t['factor']} times {KINDS[name]}"


def _returned(name: str, case: Case, *, minus: bool) -> str:
    if name in MISTAKEN:
        return f"it returns -({KINDS[name]})" if minus else f"it returns {KINDS[name]}"
    return kind_words.of_kind(name, case.kind, minus=minus)
