"""How many candidates a search may still try."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Budget"]


@dataclass
class Budget:
    """``left`` to try, shared by the searches that are handed it.

    >>> b = Budget(2)
    >>> b.spent(), b.spent(), b.spent()
    (False, False, True)
    """

    left: int

    def spent(self, count: int = 1) -> bool:
        """Whether there is none left after so many more."""
        self.left -= count
        return self.left < 0
