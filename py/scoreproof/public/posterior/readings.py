"""What the numbers say by themselves, as causes: a factor, an offset, clipped, in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from scoreproof.causes import batches, wholes
from scoreproof.causes.answer import Answer, Reading
from scoreproof.public.posterior.cases import Case, Cause, Maker, stated

__all__ = ["LAST", "MATRIX", "PLAIN", "SOME"]

#: relative: a factor this near to a form is that form
NEAR = 1e-6
Reader = Callable[[Answer], Reading | None]


def _maker(*readers: Reader) -> Maker:
    """The first of the readings that explains."""

    def make(case: Case) -> Iterator[Cause]:
        for reader in readers:
            found = reader(case.answer)
            if found is None:
                continue
            if found.factor is None or found.name == "sign":
                yield stated(found.name, case.value, f"{found.words}: {found.remedy}")
            else:
                yield Cause(
                    found.name,
                    case.value,
                    _factor(case, found.factor),
                    {"factor": found.factor},
                )
            return

    return make


def _factor(case: Case, factor: float) -> Callable[[Mapping[str, str]], str]:
    """A factor, with what it is of the problem's own numbers."""
    d, variance = case.due.problem.dimension, case.due.problem.noise.variance
    why = ""
    if d > 2 and abs(factor * d - 1) <= NEAR:
        why = f", 1/d: a mean over the {d} coordinates where a sum is due"
    elif d > 2 and abs(factor / d - 1) <= NEAR:
        why = f", d: a sum over the {d} coordinates where a mean is due"
    elif case.kind.name == "score" and variance is not None and factor > 0:
        more = variance / factor - variance
        if abs(more / float(f"{more:.1g}") - 1) <= NEAR / abs(1 - 1 / factor):
            why = f": it is divided by σ² {'+' if more > 0 else '-'} {abs(more):.1g}, not by σ²"
    return lambda t: f"it is {t['factor']} times what is due{why}"


PLAIN = _maker(
    wholes.nothing,
    wholes.factor,
    wholes.same_everywhere,
    wholes.offset,
    batches.exchanged,
    batches.rows_moved,
    wholes.clipped,
)
SOME = _maker(batches.by_coordinate, wholes.mapped, batches.averaged, wholes.affine)
MATRIX = _maker(batches.linear)
LAST = _maker(batches.by_row)
