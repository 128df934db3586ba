"""See `scoreproof.words`."""

from scoreproof.words import enumerated, listed, percent, point, stretch

__all__ = ["enumerated", "listed", "percent", "point", "stretch"]
