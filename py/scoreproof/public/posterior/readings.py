"""What the numbers say by themselves, as causes: a factor, an offset, clipped, in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scoreproof.causes import batches, wholes
from scoreproof.causes.answer import Answer, Reading
from scoreproof.public.posterior.cases import Case, Cause, Maker, stated

__all__ = ["LAST", "MATRIX", "PLAIN", "SOME"]

Reader = Callable[[Answer], Reading | None]


def _maker(*readers: Reader) -> Maker:
    """The first of the readings that explains."""

    def make(case: Case) -> Iterator[Cause]:
        for reader in readers:
            found = reader(case.answer)
            if found is None:
                continue
            if found.factor is None:
                yield stated(found.name, case.value, f"{found.words}: {found.remedy}")
            else:
                yield Cause(
                    found.name,
                    case.value,
                    lambda t: f"it is {t['factor']} times what is due",
                    {"factor": found.factor},
                )
            return

    return make


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
