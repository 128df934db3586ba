"""What a wrong rule of one node may send through one of its slots.

Conventions
-----------
- Each candidate is ``(words, sent)``: ``words`` continue "what `node` sends to its argument is …".
- y is the node's value, x the argument; g the gradient that arrives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Local, Program
from scoreproof.public.backward.expressions import EXPRESSIONS, form_of, products

__all__ = ["Part", "elementwise", "wrong_parts"]

FINE = 1e-9
TIMES = "·"  # where a factor stands in the words
LARGEST_MATRIX = 400  # entries of a value whose Jacobian is looked at entry by entry


@dataclass(frozen=True, eq=False)
class Part:
    """``name``: the kind of mistake; ``scaled``: whether it may be multiplied by a number too."""

    name: str
    words: str
    sent: Leaves
    scaled: bool = True

    def told(self, factor: str) -> str:
        """``words`` with a factor, empty for 1."""
        if TIMES in self.words:
            return self.words.replace(TIMES, f"{factor} " if factor else "")
        return f"{self.words}, and {factor} times that" if factor else self.words


def elementwise(local: Local, k: int, g: Leaves) -> np.ndarray | None:
    """The derivative entry by entry, where entry i of the value depends on entry i of argument k
    alone.
    """
    x = local.arguments[k]
    if len(x.arrays) != 1 or x.arrays[0].shape != local.value.arrays[0].shape:
        return None
    d = local.pull(local.value.like(np.ones(g.size)))[k].flat()
    with np.errstate(all="ignore"):
        gap = np.abs(local.pull(g)[k].flat() - g.flat() * d)
        alike = np.all(gap <= FINE * np.abs(g.flat() * d) + FINE * float(np.max(np.abs(d)) * 1e-3))
    spread = np.unique(np.round(g.flat(), 12)).size > 1 or g.size == 1
    if not alike:
        return None
    if not spread:  # the arriving gradient is the same everywhere: it shows nothing
        wave = 1 + 0.5 * np.sin(1.0 + np.arange(g.size))
        again = local.pull(local.value.like(wave))[k].flat()
        if np.any(np.abs(again - wave * d) > 1e-6 * np.max(np.abs(d), initial=1e-300)):
            return None
    return d


def wrong_parts(
    program: Program, v: int, k: int, local: Local, g: Leaves, others: bool = True
) -> Iterator[Part]:
    """The candidates, likely ones first. ``others``: whether other nodes' values may have been
    taken for saved ones, not the node's own value alone.
    """
    x, y = local.arguments[k], local.value
    right = local.pull(g)[k]
    d = elementwise(local, k, g)
    yield from _turned(local, k, g, right)
    if len(y.arrays) == len(x.arrays) == 1 and x.size == y.size and x.size > 0:
        yield from _same_size(local, k, g, d)
    yield from _at_other_values(program, v, k, local, g, others)
    if d is not None:
        yield from _forms(x, y, g, d)
    if len(y.arrays) == 1:
        yield from _scaled(local, k, g)
    for j, other in enumerate(local.pull(g)):
        if j != k and len(x.arrays) == 1 and other.arrays and other.arrays[0].shape == (
            x.arrays[0].shape
        ):
            of = "the other argument" if len(local.arguments) == 2 else f"argument {j + 1}"
            yield Part("other_argument", f"what is due to {of}", other)


def _same_size(local: Local, k: int, g: Leaves, d: np.ndarray | None) -> Iterator[Part]:
    x = local.arguments[k]
    shape = x.arrays[0].shape
    through = Leaves([g.flat().reshape(shape)])
    yield Part(
        "derivative_missing", "the gradient as it arrives: the derivative is left out", through
    )
    ones = local.value.like(np.ones(g.size))
    yield Part(
        "incoming_ignored",
        "the derivative alone: the gradient that arrives is ignored",
        local.pull(ones)[k],
    )
    if d is not None:
        positive = Leaves([np.where(g.flat() > 0, g.flat(), 0.0).reshape(shape)])
        yield Part(
            "masked_by_gradient",
            "the arriving gradient where it is positive, and 0 elsewhere: the mask is taken from"
            " the gradient, not from the argument",
            positive,
        )
        both = Leaves([np.where(g.flat() > 0, g.flat() * d, 0.0).reshape(shape)])
        yield Part(
            "masked_by_gradient",
            "what is due where the arriving gradient is positive, and 0 elsewhere: it is masked by"
            " the gradient, too",
            both,
        )
    elif 1 < x.size <= LARGEST_MATRIX:
        rows = jacobian(local, k)
        diagonal = np.diagonal(rows)
        yield Part(
            "diagonal_only",
            "the diagonal of its Jacobian alone: the entries of a row depend on one another, and"
            " the terms off the diagonal are missing",
            Leaves([(g.flat() * diagonal).reshape(shape)]),
        )
        yield Part(
            "jacobian_transposed",
            "the product with the transposed Jacobian",
            Leaves([(rows @ g.flat()).reshape(shape)]),
        )
        yield from _terms_of_means(x, rows, g)


def jacobian(local: Local, k: int) -> np.ndarray:
    """Value entries × argument entries, by the rule."""
    n = local.value.size
    return np.stack([local.pull(local.value.like(row))[k].flat() for row in np.eye(n)])


def _terms_of_means(x: Leaves, rows: np.ndarray, g: Leaves) -> Iterator[Part]:
    """A normalisation over the last or the first axis, with parts of its rule left out."""
    a = x.arrays[0]
    for axis in (-1, 0) if a.ndim > 1 else (-1,):
        n = a.shape[axis]
        centred = a - a.mean(axis=axis, keepdims=True)
        variance = (centred**2).mean(axis=axis, keepdims=True)
        if n < 3 or not np.all(variance > 0):
            continue
        # J = s (1 - 11ᵀ/n - z zᵀ/n), z the standardised argument, s its scale for each entry
        z = centred / np.sqrt(variance)
        left = 1 - 1 / n - z**2 / n
        with np.errstate(all="ignore"):
            scale = np.diagonal(rows).reshape(a.shape) / left
            sent = g.flat().reshape(a.shape) * scale
            mean = sent.mean(axis=axis, keepdims=True)
            product = z * (sent * z).mean(axis=axis, keepdims=True)
        due = (g.flat() @ rows).reshape(a.shape)
        if not np.allclose(sent - mean - product, due, rtol=1e-3, atol=1e-3 * np.abs(due).max()):
            continue
        over = f"axis {axis if axis == 0 else a.ndim - 1}"
        for name, words, wrong in (
            ("mean_term_missing", "without the term of the mean", sent - product),
            ("variance_term_missing", "without the term of the variance", sent - mean),
            ("statistics_constant", "with mean and variance held constant", sent),
        ):
            text = f"what is due {words}: the mean and the variance over {over} depend on the"
            yield Part(name, f"{text} argument as well", Leaves([wrong]))


def _at_other_values(
    program: Program, v: int, k: int, local: Local, g: Leaves, others: bool
) -> Iterator[Part]:
    """The rule with a saved argument replaced by another value of the same shape."""
    nodes = program.nodes
    for j, u in enumerate(nodes[v].arguments):
        x = local.arguments[j]
        for w in (v, *(range(len(nodes)) if others else ())):
            other = program.values[w]
            if w == u or not _same_shapes(x, other) or (w != v and not nodes[w].slots):
                continue
            if np.array_equal(x.flat(), other.flat()):
                continue
            moved = list(local.arguments)
            moved[j] = other
            try:
                sent = program.local(v, moved).pull(g)[k]
            except Exception:  # a value that it refuses
                continue
            if not np.all(np.isfinite(sent.flat())):
                continue
            of = f"{nodes[u].name}" if len(nodes[v].arguments) > 1 else "its argument"
            instead = "its output" if w == v else f"`{nodes[w].name}`"
            yield Part(
                "at_another_value",
                f"its rule taken at {instead}, not at {of}: a saved value was changed, or is"
                " another one",
                sent,
            )


def _same_shapes(x: Leaves, y: Leaves) -> bool:
    return [a.shape for a in x.arrays] == [a.shape for a in y.arrays] and x.size > 0


def _forms(x: Leaves, y: Leaves, g: Leaves, d: np.ndarray) -> Iterator[Part]:
    """Another derivative, entry by entry."""
    xs, ys = x.flat(), y.flat()
    due = form_of(d, xs, ys, FINE)
    due_text = f", where {due.text} is due" if due is not None else ""
    legend = " (x its argument, y its value)"
    for words, e in products(xs, ys, d):
        if np.all(np.isfinite(e)):
            text = f"{words}{due_text.replace(', where', ':')}{legend}"
            yield Part("another_derivative", text, x.like(g.flat() * e))
    for name, expression in EXPRESSIONS.items():
        with np.errstate(all="ignore"):
            e = expression(xs, ys)
        if not np.all(np.isfinite(e)) or (due is not None and name == due.expression):
            continue
        words = f"the arriving gradient times {TIMES}{name}{due_text}{legend}"
        yield Part("another_derivative", words, x.like(g.flat() * e))


def _scaled(local: Local, k: int, g: Leaves) -> Iterator[Part]:
    """The right product of another gradient: g times a value of the shape of y."""
    y = local.value.arrays[0]
    for j, x in enumerate(local.arguments):
        if len(x.arrays) != 1 or np.ndim(y) < np.ndim(x.arrays[0]):
            continue
        try:
            wide = np.broadcast_to(x.arrays[0], y.shape)
        except ValueError:
            continue
        of = f"argument {j + 1}" if len(local.arguments) > 1 else "its argument"
        with np.errstate(all="ignore"):
            for words, e in ((f"times {of}", wide), (f"divided by {of}", 1 / wide)):
                if np.all(np.isfinite(e)):
                    sent = local.pull(Leaves([g.arrays[0] * e]))[k]
                    yield Part("another_power", f"what is due, {words}", sent)


def _turned(local: Local, k: int, g: Leaves, right: Leaves) -> Iterator[Part]:
    """Transposed, or with the transposed other argument, where the shapes allow it."""
    for j, x in enumerate(local.arguments):
        a = x.arrays[0] if len(x.arrays) == 1 else np.zeros(0)
        if a.ndim >= 2 and a.shape[-1] == a.shape[-2] > 1 and j != k:
            moved = list(local.arguments)
            moved[j] = Leaves([np.swapaxes(a, -1, -2)])
            try:
                value = local.function(moved)
            except Exception:  # shapes that do not fit
                continue
            if not _same_shapes(value, local.value):
                continue
            sent = _pull_at(local, moved, g)
            if sent is not None:
                yield Part(
                    "other_argument_transposed",
                    f"the product with argument {j + 1} where its transpose is due (or the reverse):"
                    " for y = x @ w the gradient of x is g @ w.T",
                    sent[k],
                )
    a = right.arrays[0] if len(right.arrays) == 1 else np.zeros(0)
    if a.ndim >= 2 and a.shape[-1] == a.shape[-2] > 1:
        yield Part(
            "transposed", "what is due, transposed", Leaves([np.swapaxes(a, -1, -2)]), scaled=False
        )


def _pull_at(local: Local, moved: list[Leaves], g: Leaves) -> list[Leaves] | None:
    if local.elsewhere is None:
        return None
    return local.elsewhere(moved).pull(g)
