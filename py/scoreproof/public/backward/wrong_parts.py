"""What a wrong rule of one node may send through one of its slots.

Conventions: as in `sites`. The words of a candidate continue "what the node sends to its argument
is …".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Local
from scoreproof.public.backward.activations import DERIVATIVES, named
from scoreproof.public.backward.expressions import (
    EXPRESSIONS,
    form_of,
    product_rules,
    products,
    sigmoid_rules,
)
from scoreproof.public.backward.sites import FINE, TIMES, Part, Site, same_shapes
from scoreproof.public.backward.wrong_couplings import of_coupled
from scoreproof.public.backward.wrong_jacobians import of_one_size
from scoreproof.public.backward.wrong_sums import of_other_size

__all__ = ["GROUPS", "wrong_parts"]


def wrong_parts(site: Site, group: str | None = None) -> Iterator[Part]:
    """The candidates, likely ones first; of one ``group`` of mistakes alone, if it is given."""
    for name, candidates in GROUPS.items():
        if group in (None, name):
            for part in candidates(site):
                yield replace(part, group=name)


def _of_other_arguments(site: Site) -> Iterator[Part]:
    x, arguments = site.x, site.local.arguments
    for j, other in enumerate(site.right):
        if j != site.k and x.arrays and same_shapes(x, other):
            of = "the other argument" if len(arguments) == 2 else f"argument {j + 1}"
            yield Part("other_argument", f"what is due to {of}", other)


def _at_its_value(site: Site) -> Iterator[Part]:
    yield from _at_values(site, [site.v])


def _at_other_values(site: Site) -> Iterator[Part]:
    if site.others:
        yield from _at_values(site, [w for w in range(len(site.program.nodes)) if w != site.v])


def _at_values(site: Site, chosen: Sequence[int]) -> Iterator[Part]:
    """The rule with a saved argument replaced by the value of another node."""
    program, v, k, local, g = site.program, site.v, site.k, site.local, site.g
    nodes = program.nodes
    for j, u in enumerate(nodes[v].arguments):
        x = local.arguments[j]
        for w in chosen:
            other = program.values[w]
            if w == u or not same_shapes(x, other) or w not in program.moving:
                continue
            if np.array_equal(x.flat(), other.flat()):
                continue
            moved = list(local.arguments)
            moved[j] = other
            try:
                sent = _pull_at(local, moved, g)[k]
            except Exception:  # a value that it refuses
                continue
            if not np.all(np.isfinite(sent.flat())):
                continue
            of = f"{nodes[u].name}" if len(nodes[v].arguments) > 1 else "its argument"
            instead = "its output" if w == v else f"`{nodes[w].name}`"
            yield Part(
                "at_another_value",
                f"what its rule gives at {instead}, not at {of}: a saved value was overwritten, or"
                " another one was saved",
                sent,
            )


def _forms(site: Site) -> Iterator[Part]:
    """Another derivative, entry by entry."""
    x, y, g, d = site.x, site.local.value, site.g, site.d
    # nobody gets a sum or a multiple wrong like that
    if d is None or (site.others and np.ptp(d) == 0 and (d.size > 1 or abs(d[0]) == 1)):
        return
    xs, ys = x.flat(), y.flat()
    due = form_of(d, xs, ys, FINE)
    due_text = f", where {due.text} is due" if due is not None else ""
    legend = " (x is that argument, y the node's value)"
    for words, e in products(xs, ys, d):
        if np.all(np.isfinite(e)):
            text = f"{words}{due_text.replace(', where', ':')}{legend}"
            yield Part("another_derivative", text, x.like(g.flat() * e))
    for name, expression in EXPRESSIONS.items():
        with np.errstate(all="ignore"):
            e = expression(xs, ys)
        # y/x is one term of the product rule, which says more of it
        if not np.all(np.isfinite(e)) or name == "y/x" or (due and name == due.expression):
            continue
        words = f"the arriving gradient times {TIMES}{name}{due_text}{legend}"
        yield Part("another_derivative", words, x.like(g.flat() * e))
    for words, e in product_rules(xs, ys, d):
        if np.all(np.isfinite(e)):
            text = f"{words}{due_text.replace(', where', ':')}{legend}"
            yield Part("another_derivative", text, x.like(g.flat() * e))
    for words, e in sigmoid_rules(xs, ys, d):
        yield Part(
            "another_derivative",
            f"the arriving gradient times {TIMES}{words}",
            x.like(g.flat() * e),
        )
    own = named(xs, d)
    for name, of in DERIVATIVES.items():
        if name != own:
            due_of = f", where that of {own} is due" if own else ", and the node computes another"
            yield Part(
                "derivative_of_another_function",
                f"the arriving gradient times the derivative of {name}{due_of}",
                x.like(g.flat() * of(xs)),
                scaled=False,
            )


def _scaled(site: Site) -> Iterator[Part]:
    """The right product of another gradient: g times a value of the shape of y."""
    local, k, g = site.local, site.k, site.g
    if len(local.value.arrays) != 1:
        return
    y = local.value.arrays[0]
    with np.errstate(all="ignore"):
        of_value = {
            "times y": y,
            "divided by y": 1 / y,
            "times exp(y)": np.exp(y),
            "divided by exp(y)": np.exp(-y),
            "times y²": y**2,
            "times 1 - y": 1 - y,
        }
    for words, e in of_value.items():
        if np.all(np.isfinite(e)) and np.ndim(y):
            sent = local.pull(Leaves([g.arrays[0] * e]))[k]
            yield Part("another_power", f"what is due, {words} (y is the node's value)", sent)
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


def _turned(site: Site) -> Iterator[Part]:
    """Transposed, or with the transposed other argument, where the shapes allow it."""
    local, k, g, right = site.local, site.k, site.g, site.right[site.k]
    for j, x in enumerate(local.arguments):
        a = x.arrays[0] if len(x.arrays) == 1 else np.zeros(0)
        if a.ndim >= 2 and a.shape[-1] == a.shape[-2] > 1 and j != k:
            moved = list(local.arguments)
            moved[j] = Leaves([np.swapaxes(a, -1, -2)])
            try:
                value = local.function(moved)
            except Exception:  # shapes that do not fit
                continue
            if not same_shapes(value, local.value):
                continue
            yield Part(
                "other_argument_transposed",
                f"the product with argument {j + 1} where its transpose is due (or the"
                " reverse): for y = x @ w the gradient of x is g @ w.T",
                _pull_at(local, moved, g)[k],
            )
    a = right.arrays[0] if len(right.arrays) == 1 else np.zeros(0)
    if a.ndim >= 2 and a.shape[-1] == a.shape[-2] > 1:
        yield Part(
            "transposed", "what is due, transposed", Leaves([np.swapaxes(a, -1, -2)]), scaled=False
        )


def _pull_at(local: Local, moved: list[Leaves], g: Leaves) -> list[Leaves]:
    """What the right rule sends at other arguments."""
    return local.elsewhere(moved).pull(g)


GROUPS: dict[str, Callable[[Site], Iterator[Part]]] = {
    "turned": _turned,
    "same size": of_one_size,
    "coupled": of_coupled,
    "its value": _at_its_value,
    "forms": _forms,
    "scaled": _scaled,
    "other values": _at_other_values,
    "other arguments": _of_other_arguments,
    "sums": of_other_size,
}
