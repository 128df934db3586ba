"""Walks over a graph by a list of nodes that are waiting: stacks, queues, sets.

Conventions: as in `walks`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator

from scoreproof.objects.graphs import BackwardPass

__all__ = ["WAITING", "Step", "TooLongError", "Walk", "by_size", "heap", "limited", "sends"]

MOST = 20_000  # steps


Step = tuple[int, int, int]
Walk = Callable[[BackwardPass], Iterator[Step]]


WAITING = (
    "which takes in a node whenever a gradient reaches it, unless it is waiting there: a node sends"
    " before all its consumers have sent, and when more reaches it, it sends the whole of it again;"
    " process each node once, in reverse topological order"
)


class TooLongError(Exception):
    """The walk visits more nodes than it is worth."""


def limited(walk: Walk) -> Walk:
    """``walk``, which may repeat itself without end, up to `MOST` steps."""

    def counted(run: BackwardPass) -> Iterator[Step]:
        for k, step in enumerate(walk(run)):
            if k == MOST:
                raise TooLongError
            yield step

    return counted


def sends(run: BackwardPass, v: int) -> Iterator[Step]:
    for u, slot in run.predecessors[v]:
        yield v, u, slot


def heap(last_in_first_out: bool, marked: str) -> Walk:
    """A stack or a queue. ``marked``: a node counts as visited when it is put in, when it is taken
    out, or never; or it is put in unless it is waiting there.
    """

    def walk(run: BackwardPass) -> Iterator[Step]:
        waiting, seen = deque([run.v_out]), {run.v_out}
        done: set[int] = set()
        while waiting:
            v = waiting.pop() if last_in_first_out else waiting.popleft()
            if marked == "out" and v in done:
                continue
            done.add(v)
            for step in sends(run, v):
                yield step
                u = step[1]
                if u not in {"in": seen, "waiting": waiting}.get(marked, ()):
                    seen.add(u)
                    waiting.append(u)

    return limited(walk)


def by_size(chosen: Callable[[Collection[int]], int]) -> Walk:
    """A set of waiting nodes, of which the one of the largest or smallest number is taken."""

    def walk(run: BackwardPass) -> Iterator[Step]:
        waiting = {run.v_out}
        while waiting:
            v = chosen(waiting)
            waiting.remove(v)
            for step in sends(run, v):
                yield step
                waiting.add(step[1])

    return limited(walk)
