"""What a check looked at, and what it left out: a verdict speaks of no more than that.

Conventions: ``asked`` counts what the caller wanted looked at (``{"times": 32, "points": 64}``); an
`Omission` says which of it was not, and why. What the caller himself excluded is ``wished``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["NEVER_SMALL", "SMALL_PART", "Coverage", "Omission"]

#: Up to this part of the points, drawn at random and dropped here and there, may be missing from
#: a verdict that names them.
SMALL_PART = 0.05
#: Each of these stands for something that the others do not show: one of them is no small part.
NEVER_SMALL = ("times", "coordinates", "parameters", "nodes", "arguments")


@dataclass(frozen=True, slots=True)
class Omission:
    """Something asked for that was not looked at.

    ``what``: a key of ``Coverage.asked``. ``reason``: as in "2 times (t = 0.999, 1), where the
    drift is not finite". ``wished``: the caller excluded it, or the verdict's first sentence does.
    ``scattered``: single random draws,
    each of which stands for nothing that the others do not show; only then can the part be small.
    ``part``: of a connected stretch of times that the verdict's first sentence excludes, the part
    of the whole span; it can be small as well.
    """

    what: str
    count: int
    reason: str
    where: str = ""
    wished: bool = False
    scattered: bool = False
    part: float | None = None

    def describe(self) -> str:
        """``2 times (t = 0.999, 1), where the drift is not finite``."""
        where = f" ({self.where})" if self.where else ""
        return f"{self.count} {_plain(self.what, self.count)}{where}, {self.reason}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was asked, what was left out, and how the rest lies (``span``, one clause).

    >>> underflow = Omission("times", 1, "where p underflows", "t = 1")
    >>> c = Coverage({"times": 32, "points": 64}, (underflow,))
    >>> c.looked_at, len(c.gaps)
    ({'times': 31, 'points': 64}, 1)
    >>> c.describe()
    'Looked at 31 of 32 times and 64 points; left out: 1 time (t = 1), where p underflows.'
    """

    asked: Mapping[str, int]
    left_out: tuple[Omission, ...] = field(default=())
    span: str = ""

    def __post_init__(self) -> None:
        unknown = {o.what for o in self.left_out} - set(self.asked)
        if unknown:
            raise ValueError(f"left_out must name what was asked for (got {sorted(unknown)})")

    @property
    def looked_at(self) -> dict[str, int]:
        """How many of each were looked at."""
        missing = dict.fromkeys(self.asked, 0)
        for omission in self.left_out:
            missing[omission.what] += omission.count
        return {what: max(n - missing[what], 0) for what, n in self.asked.items()}

    @property
    def nothing(self) -> str | None:
        """What there was none of, if something: a verdict from it would be about nothing. Masses
        or methods that were all wished away leave the places to be judged.
        """
        if not self.asked:
            return "places"
        aside = {o.what for o in self.left_out if o.wished and o.what in ("masses", "methods")}
        return next(
            (what for what, n in self.looked_at.items() if n == 0 and what not in aside), None
        )

    @property
    def gaps(self) -> tuple[Omission, ...]:
        """What was left out unwished and is no small part: it forbids ``holds``."""
        return tuple(o for o in self.left_out if not o.wished and not self._small(o))

    @classmethod
    def together(
        cls, parts: Sequence[Coverage], span: str, *, shared: Collection[str] = ()
    ) -> Coverage:
        """Several looks as one: counts add up (of what is ``shared``, the same in each, the largest
        counts), and what one look left out is left out.

        >>> one, other = Coverage({"points": 8, "nodes": 3}), Coverage({"points": 4, "nodes": 3})
        >>> Coverage.together([one, other], "", shared=("nodes",)).asked
        {'points': 12, 'nodes': 3}
        """
        keys = dict.fromkeys(what for c in parts for what in c.asked)
        asked = {
            what: (max if what in shared else sum)(c.asked.get(what, 0) for c in parts)
            for what in keys
        }
        every = [o for c in parts for o in c.left_out]
        apart = [o for o in every if o.what not in shared]
        alike = dict.fromkeys(o for o in every if o.what in shared)
        return cls(asked, (*apart, *alike), span)

    def _small(self, omission: Omission) -> bool:
        if omission.part is not None:
            return omission.part <= SMALL_PART
        alike = [o for o in self.left_out if o.what == omission.what]
        unwished = sum(o.count for o in alike if not o.wished)
        wanted = self.asked[omission.what] - sum(o.count for o in alike if o.wished)
        small = omission.scattered and omission.what not in NEVER_SMALL
        return small and unwished <= SMALL_PART * wanted

    def describe(self) -> str:
        """One sentence: what was looked at, where, and what was left out."""
        parts = []
        for what, n in self.looked_at.items():
            total = self.asked[what]
            parts.append(f"{n} {'' if n == total else f'of {total} '}{_plain(what, total)}")
        listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
        span = f" ({self.span})" if self.span else ""
        out = "; ".join(o.describe() for o in self.left_out)
        tail = f"left out: {out}" if out else "nothing was left out"
        return f"Looked at {listed}{span}; {tail}."

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        left_out = [
            {
                "what": o.what,
                "count": o.count,
                "reason": o.reason,
                "where": o.where,
                "wished": o.wished,
            }
            for o in self.left_out
        ]
        return {
            "asked": dict(self.asked),
            "looked_at": self.looked_at,
            "left_out": left_out,
            "span": self.span,
        }


def _plain(what: str, count: int) -> str:
    if count != 1 or not what.endswith("s") or what.endswith("ss"):
        return what
    return what[:-3] + "y" if what.endswith("ies") else what[:-1]
