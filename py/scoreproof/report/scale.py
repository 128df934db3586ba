"""An error against its bound on a scale of decades, as a drawing in the page's own colours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

__all__ = ["FLOATS", "CERTIFIED", "Scale"]


@dataclass(frozen=True, slots=True)
class Scale:
    """The decades from ``lowest`` to ``highest``, a tick every ``every``; what lies outside is
    drawn at the end.
    """

    lowest: int
    highest: int
    every: int
    width: float = 640.0

    def at(self, size: float) -> float:
        """Where ``size`` lies, in units of the drawing."""
        decade = math.log10(size) if size > 0 else self.lowest
        part = (min(max(decade, self.lowest), self.highest) - self.lowest) / (
            self.highest - self.lowest
        )
        return 16 + part * (self.width - 32)

    def drawn(self, value: float | None, bound: float, told: str) -> str:
        """The mark of ``value`` over the stretch that ``bound`` allows, which is all that is drawn
        of an enclosure of 0 (``None``); ``told`` says it in words.

        >>> "<svg" in FLOATS.drawn(3e-16, 1e-14, "error 3e-16, bound 1e-14")
        True
        """
        marks = "".join(self._tick(k) for k in self._decades())
        dot = "" if value is None else f'<circle cx="{self.at(value):.1f}" cy="8" r="6"/>'
        return (
            f'<svg class="scale" viewBox="0 0 {self.width:.0f} 34" role="img"'
            f' aria-label="{escape(told)}">'
            f'<rect class="allowed" x="16" y="2" width="{self.at(bound) - 16:.1f}" height="12"/>'
            f'<line class="axis" x1="16" x2="{self.width - 16:.0f}" y1="14" y2="14"/>{marks}'
            f"{dot}</svg>"
        )

    def _decades(self) -> range:
        return range(-(-self.lowest // self.every) * self.every, self.highest + 1, self.every)

    def _tick(self, k: int) -> str:
        x = self.at(10.0**k)
        label = "1" if k == 0 else f"1e{k}"
        return (
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="8" y2="14"/><text x="{x:.1f}" y="28">{label}'
            "</text>"
        )


#: The errors of floating-point checks, and those with enclosures of 250 bits.
FLOATS = Scale(-17, 3, 4)
CERTIFIED = Scale(-80, 3, 20)
