"""Which arguments the function takes, in which order and shapes, and what it is not handed.

Conventions: a role is ``mean0``, ``scale0``, ``mean1``, ``scale1``, or ``scale``, one for both
laws; axes are ``n`` for the batch, ``d`` for the coordinates (the shape of a sample, if there is
one), ``1``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError

__all__ = ["PAIR", "ROLES", "Layout", "arranged", "axes_of"]

ROLES = ("mean0", "scale0", "mean1", "scale1", "scale")
PAIR = ("mean0", "scale0", "mean1", "scale1")
#: axes of a scale, by the form of its law
_SCALES = {"isotropic": ("n", "1"), "diagonal": ("n", "d"), "full": ("n", "d", "d")}


@dataclass(frozen=True)
class Layout:
    """``roles``: what is passed, in order. ``axes``: of some of them, where they are not the usual
    ones. ``sample``: the shape of one sample. ``fixed``: numbers that the function knows and is
    not passed, scales as variances.
    """

    roles: tuple[str, ...] = PAIR
    axes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sample: tuple[int, ...] | None = None
    fixed: tuple[tuple[str, float], ...] = ()

    def axes_of(self, role: str, form: str) -> tuple[str, ...]:
        """The axes of an argument whose law has the form."""
        usual = ("n", "d") if role.startswith("mean") else _SCALES[form]
        return dict(self.axes).get(role, usual)

    @property
    def d(self) -> int | None:
        """How many coordinates there are, if that is fixed."""
        return None if self.sample is None else int(np.prod(self.sample))

    @property
    def numbers(self) -> dict[str, float]:
        return dict(self.fixed)

    @property
    def unbatched(self) -> bool:
        """It takes one pair of laws at a time."""
        given = dict(self.axes)
        return bool(self.roles) and all("n" not in given.get(r, ("n",)) for r in self.roles)

    @property
    def single(self) -> frozenset[str]:
        """Arguments that are one for the whole batch."""
        given = dict(self.axes) if not self.unbatched else {}
        return frozenset(r for r, axes in given.items() if "n" not in axes)

    @property
    def level(self) -> frozenset[str]:
        """Means that are one number for all coordinates."""
        given = dict(self.axes).items()
        return frozenset(r for r, axes in given if r.startswith("mean") and "d" not in axes)

    @property
    def shared(self) -> bool:
        """Both laws have one scale."""
        return "scale" in self.roles or "scale" in self.numbers

    @property
    def same_means(self) -> bool:
        """No mean is passed: the laws have the same."""
        return not {"mean0", "mean1"} & {*self.roles, *self.numbers}

    @property
    def tied(self) -> bool:
        """Not every pair of laws can be asked."""
        known = self.fixed or self.single or self.level
        return bool(known or self.shared or (self.same_means and self.roles != ("scale0",)))

    def mirrored(self) -> Layout:
        """With the two laws exchanged."""

        def other(role: str) -> str:
            return role[:-1] + {"0": "1", "1": "0"}[role[-1]] if role[-1] in "01" else role

        return Layout(
            tuple(map(other, self.roles)),
            tuple((other(r), a) for r, a in self.axes),
            self.sample,
            tuple((other(r), v) for r, v in self.fixed),
        )


def axes_of(role: str, text: Any) -> tuple[str, ...]:
    """``"(n, d)"`` as its axes.

    >>> axes_of("scale1", "(d,)"), axes_of("scale", "()")
    (('d',), ())
    """
    inner = "" if text == "scalar" else str(text).strip().strip("()").replace("'", "")
    axes = tuple(part.strip() for part in inner.split(",") if part.strip())
    if not isinstance(text, (str, tuple)) or any(a not in ("n", "d", "1") for a in axes):
        raise _bad(role, text)
    rest = axes[1:] if axes[:1] == ("n",) else axes
    if "n" in rest or axes.count("d") > (2 if role.startswith("scale") else 1):
        raise _bad(role, text)
    return axes


def _bad(role: str, text: Any) -> ArgumentError:
    return ArgumentError(
        f"shapes[{role!r}]",
        "a shape of n (the batch), d (the coordinates) and 1",
        repr(text),
        'e.g. "(n, d)", "(d,)" for one of the whole batch, "()" for a number',
    )


def arranged(rows: np.ndarray, axes: tuple[str, ...], sample: tuple[int, ...]) -> np.ndarray:
    """Rows ``(n, 1)``, ``(n, d)`` or ``(n, d, d)`` in the shape of an argument.

    >>> arranged(np.ones((5, 4)), ("n", "d"), (2, 2)).shape, arranged(np.ones((5, 1)), (), (4,)).shape
    ((5, 2, 2), ())
    """  # noqa: E501
    n = len(rows)
    batch, rest = ((n,), axes[1:]) if axes[:1] == ("n",) else ((), axes)
    rows = rows if batch else rows[:1]
    tail: list[int] = []
    for axis in rest:
        if axis == "d":
            tail += [*sample] if rest.count("d") == 1 else [int(np.prod(sample))]
        else:  # a number beside images has as many axes as they
            tail += [1] * (len(sample) if rest == ("1",) else 1)
    flat = rows.reshape(len(rows), -1)
    if "d" not in rest:
        flat = flat[:, :1]
    elif flat.shape[1] == 1:
        flat = np.broadcast_to(flat, (len(flat), int(np.prod(sample))))
    return np.array(flat.reshape((*batch, *tail)))
