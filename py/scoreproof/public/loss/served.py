"""The random numbers that a loss is served: its noise as ours, and times over the whole of what it
draws them from.

Conventions: as in `draws`. A normal draw of the size of the batch is noise; the first is the one
that is known. Smaller draws get the middles of equal parts of their law, in a fixed disorder.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from scoreproof.interop.draws import Draw
from scoreproof.interop.frameworks import require

__all__ = ["Served", "integers_served"]

#: the least distance to 1 of a uniform number, of types that do not reach 2^-24
LAST = {"float16": 2.0**-11, "bfloat16": 2.0**-8}
#: an irrational part: rounds of a single draw fall everywhere
GOLDEN = 0.6180339887498949


@dataclass(eq=False)
class Served:
    """A source. ``noises``: what full draws got, in order; ``small``: what other draws got, with
    their draws; ``passed``: the noise is an argument of the loss; ``ranges``: of whole
    numbers, ``(low, high)``, high not among them, and ``whole``: what was drawn from each;
    ``raw``: the width and the bits of which JAX makes whole numbers;
    ``uniforms``: how many draws of the size of the batch were uniform; ``single``: one number was
    drawn for the whole batch; ``ends``: the length of the table of which t is drawn; uniform
    numbers are then served to both ends, for whole numbers are made of them; ``low``: one number
    that is drawn alone is so as well, at its lower end first; ``alone``: the row that is asked by
    itself, and of how many, over which numbers that are drawn alone are spread.
    """

    noise: np.ndarray
    extra: np.ndarray
    turn: int = 0
    passed: bool = False
    ends: int = 0
    low: bool = False
    alone: tuple[int, int] | None = None
    noises: list[np.ndarray] = field(default_factory=list)
    small: list[tuple[Draw, np.ndarray]] = field(default_factory=list)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    whole: list[np.ndarray] = field(default_factory=list)
    raw: list[tuple[int, np.ndarray]] = field(default_factory=list)
    uniforms: int = 0
    single: bool = False

    def __call__(self, draw: Draw) -> np.ndarray:
        size = int(np.prod(draw.shape))
        if size == self.noise.size and draw.kind == "normal":
            k = len(self.noises)
            k += self.passed  # noise that is passed is not drawn
            value = self.noise if k == 0 else self.extra[(k - 1) % len(self.extra)]
            self.noises.append(value)
            return value.reshape(draw.shape)
        if size == self.noise.size:
            self.uniforms += 1
            return _uniform(self.uniforms, draw.shape)
        value = self.parts(size, len(self.small))
        if self.ends and draw.kind == "uniform" and self.alone and not self.turn and size == 1:
            near = LAST.get(draw.dtype, 2.0**-24)
            value = near + (1 - 2 * near) * self._place(len(self.small))
        elif self.ends and draw.kind == "uniform" and size > 1 and not self.turn:
            near = LAST.get(draw.dtype, 2.0**-24)
            value = near + (1 - 2 * near) * np.linspace(0, 1, size)[_order(size, len(self.small))]
        if self.low and draw.kind == "uniform" and size == 1 and not self.turn:
            value = np.array([LAST.get(draw.dtype, 2.0**-24)])
        self.single |= size == 1
        if draw.kind == "normal":
            from scipy.special import ndtri

            value = np.asarray(ndtri(value))
        elif draw.kind == "exponential":
            value = -np.log1p(-value)
        value = value.reshape(draw.shape)
        self.small.append((draw, value))
        return value

    @property
    def first_uniform(self) -> np.ndarray:
        """What the first uniform draw of the size of the batch got."""
        return _uniform(1, self.noise.shape)

    def parts(self, size: int, index: int) -> np.ndarray:
        """Middles of equal parts of [0, 1), moved on from turn to turn."""
        if self.alone and size == 1:
            count = self.alone[1]
            middle = (self._place(index) * (count - 1) + 0.5) / count
            return np.asarray((middle + GOLDEN * self.turn) % 1.0)
        value = (np.arange(size) + 0.5) / max(size, 1)
        if self.turn or size == 1:
            value = (value + GOLDEN * (self.turn + 1)) % 1.0
        return value[_order(size, index)]

    def _place(self, index: int) -> np.ndarray:
        """Of the row that is alone, one of equal places from 0 to 1."""
        assert self.alone is not None
        row, count = self.alone
        return np.array([_order(count, index)[row] / max(count - 1, 1)])

    def integers(self, low: int, high: int, size: int, index: int) -> np.ndarray:
        """Whole numbers over the whole range, both ends among them."""
        self.ranges.append((low, high))
        self.single |= size == 1
        if size == 1 and self.alone:
            place = self.parts(1, index) if self.turn else self._place(index)
            value = np.round(low + (high - 1 - low) * place).astype(int)
        elif size == 1:
            value = np.array([low + int((GOLDEN * (self.turn + 1)) % 1.0 * (high - low))])
        else:
            places = self.parts(size, index) if self.turn else np.linspace(0, 1, size)
            value = np.round(low + (high - 1 - low) * places).astype(int)
            value = value[_order(size, index)]
        self.whole.append(value)
        return value

    def bits(self, draw: Draw, width: int) -> np.ndarray:
        """The bits of whole numbers of JAX, which takes twice as many as it needs: the same both
        times, for nobody says which it takes first; 0 once.
        """
        size = int(np.prod(draw.shape))
        rng = np.random.default_rng([size, width, self.turn])
        value = rng.integers(0, 2 ** (width - 1), size, dtype=np.uint64)
        if self.ends and (size > 1 or self.alone):
            # over the whole table, if it is from that that they are drawn
            near = np.arange(self.ends)
            places = np.linspace(0, self.ends - 1, size)[_order(size, len(self.raw) // 2)]
            if self.alone:
                places = self._place(len(self.raw) // 2) * (self.ends - 1)
            for k, place in enumerate(places):
                made = (int(value[k]) % self.ends + near) * (2**width % self.ends + 1) % self.ends
                value[k] += np.uint64(np.argmin(np.abs(made - place)))
            if self.alone is None or np.min(places) == 0:
                value[np.argmin(places)] = 0
        self.single |= size == 1
        self.raw.append((width, value))
        return value

    def permutation(self, count: int, rows: int, index: int) -> np.ndarray:
        """0 … count - 1 in disorder, the first ``rows`` of them over the whole range."""
        first = self.integers(0, count, rows, index)
        return np.concatenate([first, np.setdiff1d(np.arange(count), first)])


def _order(size: int, index: int) -> np.ndarray:
    return np.random.default_rng([size, index]).permutation(size)


def _uniform(which: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(which).random(shape)


@contextmanager
def integers_served(framework: str, source: Served) -> Iterator[None]:
    """While it lasts, ``torch.randint`` gets its numbers from the source."""
    if framework != "torch":
        yield
        return
    require("torch")
    from scoreproof.public.loss.whole_numbers import Integers

    with Integers(source):
        yield
