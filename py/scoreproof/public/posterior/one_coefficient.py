"""An answer ``a x_0 + b x`` that is right but for one coefficient: of x_0, x, ε or v.

Conventions: ``x = α x_0 + σ ε``, and ``x_0 = α x - σ v`` where α² + σ² = 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from scoreproof.public.posterior.cases import Case, Cause, stated
from scoreproof.public.posterior.closed import Examples

__all__ = ["SAME", "one_coefficient"]

#: relative: two fitted numbers this near are the same
SAME = 1e-6
#: x_0 in terms of another prediction and x
FORMULAS = {("ε", "x"): "(x - σ ε)/α", ("v", "x"): "α x - σ v"}


@dataclass(frozen=True)
class Slip:
    """The coefficient of ``part`` is ``own`` where ``due`` is; that of ``other`` is right.
    ``formula``: of x_0, where the callable returns that; ``blend``: it is one of x_0 and x.
    """

    part: str
    other: str
    own: float
    due: float
    formula: str
    blend: bool

    def cause(self, prediction: np.ndarray) -> Cause:
        if abs(self.due) <= SAME * abs(self.own):
            return Cause(
                "term_added",
                prediction,
                lambda t: f"{t['factor']} times {self.part} is added to what is due",
                {"factor": self.own},
            )
        if self.formula and abs(self.own / self.due + 1) <= SAME:
            term = self.part if self.part in ("x", "x_0") else f"σ {self.part}"
            words = f"the sign of {term} is turned in x_0 = {self.formula}"
            return stated(f"minus_{self.part}", prediction, words)
        # x - c σ ε is a blend of x_0 and x
        whole = "; with f for this factor it is f E[x_0 | x] + (1 - f) x" if self.blend else ""

        def say(t: Mapping[str, str]) -> str:
            more = f" ({t['more']} {self.part} are added)"
            return (
                f"the term of {self.part} in it is {t['factor']} times what is due"
                f"{'' if isinstance(t['more'], Examples) else more}, that of {self.other} is"
                f" right{whole}"
            )

        factors = {"factor": self.own / self.due, "more": self.own - self.due}
        return Cause("coefficient", prediction, say, factors)


def one_coefficient(case: Case, own: tuple[float, float], due: tuple[float, float]) -> Slip | None:
    """``own`` and ``due``: coefficients of x_0 and x."""
    alpha, sigma = case.due.problem.alpha, float(np.sqrt(case.due.problem.noise.variance or 1.0))
    x0 = case.kind.name == "x0"
    for names, mine, wanted in _bases(own, due, alpha, sigma):
        for k in range(2):
            if abs(mine[1 - k] - wanted[1 - k]) <= SAME * np.max(np.abs(wanted)):
                formula = FORMULAS.get(names, "") if x0 else ""
                blend = x0 and alpha == 1.0 and names == ("ε", "x") and k == 0
                one, other = names[k], names[1 - k]
                return Slip(one, other, float(mine[k]), float(wanted[k]), formula, blend)
    return None


def _bases(
    own: tuple[float, float], due: tuple[float, float], alpha: float, sigma: float
) -> Iterator[tuple[tuple[str, str], np.ndarray, np.ndarray]]:
    """The coefficients in x_0 and x, in ε and x, in x_0 and ε, and in v and x."""
    turns = [
        (("x_0", "x"), np.eye(2)),
        (("ε", "x"), np.array([[-sigma / alpha, 0.0], [1 / alpha, 1.0]])),
        (("x_0", "ε"), np.array([[1.0, alpha], [0.0, sigma]])),
    ]
    if abs(alpha**2 + sigma**2 - 1) <= SAME:
        turns.append((("v", "x"), np.array([[-sigma, 0.0], [alpha, 1.0]])))
    for names, turn in turns:
        yield names, turn @ np.array(own), turn @ np.array(due)
