"""The orders in which hand-written engines walk over a graph.

Conventions
-----------
- A walk yields ``(v, u, slot)``: node v sends its gradient, as it stands then, through the slot to
  its argument u. The right walk takes the nodes in reversed topological order.
- A walk that repeats itself too often for a graph raises ``TooLongError``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from scoreproof.objects.graphs import BackwardPass
from scoreproof.public.backward.work_lists import (
    WAITING,
    Step,
    Walk,
    by_size,
    heap,
    limited,
    sends,
)

__all__ = ["EARLY", "OTHERS", "RIGHT", "WALKS"]


def _reversed(run: BackwardPass) -> Iterator[Step]:
    for v in reversed(run.order):
        yield from sends(run, v)


def _reached(run: BackwardPass) -> Iterator[Step]:
    """The right walk over the nodes that a gradient reaches."""
    reached = {run.v_out}
    for v in reversed(run.order):
        if v in reached:
            reached.update(u for u, _ in run.predecessors[v])
            yield from sends(run, v)


def _built(run: BackwardPass) -> Iterator[Step]:
    """A right walk: in the reversed order that a depth-first search builds."""
    order = list(dict.fromkeys(v for v, _, _ in _depth_first(True)(run)))
    for v in reversed(order):
        yield from sends(run, v)


def _recursion(children: Callable[[list[int]], Collection[int]]) -> Walk:
    """A node sends, then its arguments do, and theirs, however often they are reached."""

    def walk(run: BackwardPass) -> Iterator[Step]:
        stack = [run.v_out]
        while stack:
            v = stack.pop()
            yield from sends(run, v)
            stack += reversed(list(children([u for u, _ in run.predecessors[v]])))

    return limited(walk)


def _slot_by_slot(visited: bool) -> Walk:
    """Through one slot, and on from its end, before the next slot of the node."""

    def walk(run: BackwardPass) -> Iterator[Step]:
        seen = {run.v_out}
        stack = [sends(run, run.v_out)]
        while stack:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
                continue
            yield step
            u = step[1]
            if not visited or u not in seen:
                seen.add(u)
                stack.append(sends(run, u))

    return limited(walk)


def _depth_first(after: bool, backwards: bool = False) -> Walk:
    """Each node once, by depth: it sends before its arguments do, or after them."""

    def visit(run: BackwardPass, v: int, seen: set[int]) -> Iterator[Step]:
        seen.add(v)
        if not after:
            yield from sends(run, v)
        links = run.predecessors[v]
        for u, _ in reversed(links) if backwards else links:
            if u not in seen:
                yield from visit(run, u, seen)
        if after:
            yield from sends(run, v)

    return lambda run: visit(run, run.v_out, set())


def _by_number(run: BackwardPass) -> Iterator[Step]:
    for v in reversed(range(len(run.order))):
        yield from sends(run, v)


def _without(first: bool) -> Walk:
    """The loop misses one end of the order."""

    def walk(run: BackwardPass) -> Iterator[Step]:
        for v, u, slot in _reversed(run):
            if (u != run.order[0]) if first else (v != run.order[-1]):
                yield v, u, slot

    return walk


def _from_position(first: int) -> Walk:
    """The loop ends before it comes to the first nodes of the order: they do not send."""

    def walk(run: BackwardPass) -> Iterator[Step]:
        for v in reversed(run.order[first:]):
            yield from sends(run, v)

    return walk


def _once(children: list[int]) -> Collection[int]:
    return dict.fromkeys(children)


AGAIN = (
    "so a node is visited each time that it is reached, and sends each time all that it has added"
    " up, what it has sent before too: a set of visited nodes and a topological order are missing"
)
EARLY = (
    "so a node sends before its gradient is complete; take the nodes in reverse topological order"
)

#: The right walk, and others: name -> (walk, what it is in words).
WALKS: dict[str, tuple[Walk, str]] = {
    "recursion_without_visited": (
        _recursion(list),
        f"a recursion (or a queue) without a visited set, {AGAIN}",
    ),
    "recursion_into_set": (
        _recursion(_once),
        f"a recursion into the set of arguments (or a work list) without a visited set, {AGAIN}",
    ),
    "recursion_into_sorted_set": (
        _recursion(lambda children: sorted(set(children))),
        f"a recursion into the set of arguments (or a work list) without a visited set, {AGAIN}",
    ),
    "recursion_slot_by_slot": (
        _slot_by_slot(False),
        f"a recursion through each slot in turn, without a visited set, {AGAIN}",
    ),
    "depth_first": (
        _depth_first(False),
        f"a depth-first walk that marks nodes at their first visit, {EARLY}",
    ),
    "depth_first_from_last": (
        _depth_first(False, True),
        "a depth-first walk from the last argument (as with a stack) that marks nodes at their"
        f" first visit, {EARLY}",
    ),
    "depth_first_slot_by_slot": (
        _slot_by_slot(True),
        f"a depth-first walk in which only the first contribution to a node is passed on, {EARLY}",
    ),
    "post_order": (
        _depth_first(True),
        "a depth-first walk in post-order: the arguments first, and a node after them, so it sends"
        " to nodes that have already sent; reverse the list before the rules are run",
    ),
    "stack": (heap(True, "in"), f"nodes are taken from a stack, {EARLY}"),
    "stack_without_visited": (
        heap(True, "never"),
        f"nodes are taken from a stack without a visited set, {AGAIN}",
    ),
    "queue_marked_late": (
        heap(False, "out"),
        f"nodes are taken from a queue as they are reached, {EARLY}",
    ),
    "queue_without_visited": (
        heap(False, "never"),
        f"nodes are taken from a queue without a visited set, {AGAIN}",
    ),
    "queue_of_waiting": (heap(False, "waiting"), f"a work list (a queue), {WAITING}"),
    "stack_of_waiting": (heap(True, "waiting"), f"a work list (a stack), {WAITING}"),
    "numbers_waiting": (by_size(max), f"a work list (the largest number first), {WAITING}"),
    "small_numbers_waiting": (
        by_size(min),
        f"a work list (the smallest number first, as of the pop of a set), {WAITING}",
    ),
    "by_number": (
        _by_number,
        "nodes are taken by their numbers, from the last to the first, not in reversed topological"
        " order (reversed(range(size)) for reversed(graph.order))",
    ),
    "last_of_order_skipped": (
        _without(False),
        "the loop leaves out the last node of the order: nothing leaves it",
    ),
    "first_of_order_skipped": (
        _without(True),
        "the loop leaves out the first node of the order: it gets no gradient (an end of range"
        " that is one too early)",
    ),
    "second_of_order_silent": (
        _from_position(2),
        "the loop ends one node too early: the second node of the order does not send to its"
        " arguments (range(n - 1, 1, -1) for range(n - 1, -1, -1))",
    ),
    "third_of_order_silent": (
        _from_position(3),
        "the loop ends two nodes too early: the second and the third node of the order do not send"
        " to their arguments (range(n - 1, 2, -1) for range(n - 1, -1, -1))",
    ),
}
RIGHT: Walk = _reversed
#: Right walks that leave other nodes to the last, which shows where gradients are overwritten.
OTHERS: dict[str, Walk] = {"_reached": _reached, "_by_depth": _built}
