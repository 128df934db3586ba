"""Is a gradient made of some of the terms that are due, the others having been overwritten?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from scoreproof.interop.leaves import Leaves
from scoreproof.public.backward.compared import Compared
from scoreproof.public.backward.seen import Seen

__all__ = ["parts_only"]

MOST_CONSUMERS = 8
MOST_CHOICES = 2000


def parts_only(seen: Seen, c: Compared, answers: Sequence[np.ndarray]) -> bool:
    """Can each answer be had by leaving out terms, at least one, somewhere on the way?"""
    run, asked = seen.run, seen.program.inputs
    inner = [v for v in run.order if len(run.successors[v]) > 1 and v not in asked]
    counts = [len(run.successors[v]) for v in (*inner, *asked)]
    if max(counts, default=0) > MOST_CONSUMERS or len(asked) != len(c.names):
        return False
    if np.prod([2.0 ** len(run.successors[v]) for v in inner]) > MOST_CHOICES:
        return False
    open_answers = set(range(len(answers)))
    for chosen in itertools.product(*[list(_parts(len(run.successors[v]))) for v in inner]):
        grad = _graded(seen, dict(zip(inner, chosen, strict=True)), asked)
        whole = all(len(k) == len(run.successors[v]) for v, k in zip(inner, chosen, strict=True))
        for i in list(open_answers):
            if all(_is_a_part(seen, grad, c, answers[i], p, v) for p, v in enumerate(asked)):
                off = np.abs(answers[i] - c.all_due) > c.limit
                if not whole or np.any(off):
                    open_answers.discard(i)
        if not open_answers:
            return True
    return False


def _parts(many: int) -> Iterator[tuple[int, ...]]:
    """The nonempty choices among so many terms."""
    for size in range(many, 0, -1):
        yield from itertools.combinations(range(many), size)
    if not many:
        yield ()


def _graded(seen: Seen, chosen: dict[int, tuple[int, ...]], asked: Sequence[int]) -> list[Any]:
    """The gradients of all nodes but the asked ones, with the chosen terms."""
    run = seen.run
    grad = run.seeded()
    for u in reversed(run.order):
        if u in asked:
            continue
        terms = _terms(seen, grad, u)
        for k in chosen.get(u, tuple(range(len(terms)))):
            grad[u] = grad[u] + terms[k]
    return grad


def _terms(seen: Seen, grad: list[Any], u: int) -> list[Any]:
    return [grad[v] @ seen.run.partials[slot] for v, slot in seen.run.successors[u]]


def _is_a_part(
    seen: Seen, grad: list[Any], c: Compared, answer: np.ndarray, p: int, v: int
) -> bool:
    terms = [_flat(t) for t in _terms(seen, grad, v)]
    due, limit = c.part(answer, p), c.part(c.limit, p)
    return any(
        np.all(np.abs(sum(terms[k] for k in part) - due) <= limit)
        for part in _parts(len(terms))
        if part
    )


def _flat(x: Any) -> np.ndarray:
    return x.flat() if isinstance(x, Leaves) else np.asarray(x).ravel()
