"""A formula mistaken in one place, as somebody would.

Conventions: as in `language`; ``c`` is a factor that is not known yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scoreproof.public.sampler.causes.confusions import NOISES, VECTORS
from scoreproof.public.sampler.causes.language import Program, Tree, parsed, places

__all__ = ["Mistake", "factors", "mistakes", "noises", "put"]


@dataclass(frozen=True)
class Mistake:
    """A statement with one place changed: ``now`` stands where ``was`` is due."""

    statement: int
    tree: Tree
    was: Tree
    now: Tree


def mistakes(
    program: Program, others: Mapping[str, tuple[str, ...]], vectors: frozenset[str]
) -> Iterator[Mistake]:
    """Every place of every statement changed as somebody would by mistake; ``others``: what stands
    for a name by mistake; ``vectors``: names that are no plain numbers.
    """
    made: dict[str, Tree] = {}
    for k, (target, tree) in enumerate(program):
        for part, put in places(tree):
            for now in _changed(part, others, vectors):
                yield Mistake(k, put(now), part, now)
            if part[0] == "name" and part[1] in made:  # in this one place only
                whole = made[part[1]]
                for inner, back in places(whole):
                    for now in _changed(inner, others, vectors):
                        yield Mistake(k, put(back(now)), whole, back(now))
        for changed in _exchanged(tree, vectors):
            yield Mistake(k, changed, tree, changed)
        if target not in vectors:
            made[target] = tree
            for c in (("neg", tree), ("*", ("number", 2.0), tree), ("/", tree, ("number", 2.0))):
                yield Mistake(k, c, tree, c)


def _changed(
    part: Tree, others: Mapping[str, tuple[str, ...]], vectors: frozenset[str]
) -> list[Tree]:
    op = part[0]
    if op in ("+", "-"):
        _, one, two = part
        ends = [one, two if op == "+" else ("neg", two), ("-" if op == "+" else "+", one, two)]
        if _mentions(part, vectors):
            return ends
        turned: list[Tree] = []
        if op == "-":
            turned = [("-", two, one), ("-", ("square", one), ("square", two))]
        return [*ends, *turned, ("sqrt", part)]
    if op == "*":
        bare = [("neg", part[2])] if part[1][0] == "neg" and part[1][1][0] == "number" else []
        return [part[1], part[2], *bare]
    if op == "/":
        one, two = part[1:]
        more: list[Tree] = []
        if not _mentions(part, vectors):
            more = [("/", two, one), ("sqrt", part)]
        return [one, ("*", one, two), *more]
    if op in ("sqrt", "square", "neg"):
        inner = part[1]
        if op == "sqrt" and inner[0] == "-" and inner[1][0] == inner[2][0] == "square":
            one, two = inner[1][1], inner[2][1]
            return [inner, ("-", one, two), ("sqrt", ("-", one, two))]
        if part == ("square", ("name", "std")):  # (η √var)²
            return [inner, ("*", ("name", "eta"), ("name", "var"))]
        return [inner]
    if op == "name":
        swapped: list[Tree] = [("name", n) for n in others.get(part[1], ())]
        plain = part[1] not in vectors
        return [*swapped, *([("sqrt", part), ("square", part)] if plain else [])]
    return []


def _exchanged(tree: Tree, vectors: frozenset[str]) -> Iterator[Tree]:
    """A sum of vectors with the coefficients of one of them in front of another, or exchanged."""
    terms = [
        (part, put)
        for part, put in places(tree)
        if part[0] == "*" and _mentions(part[2], vectors) and not _mentions(part[1], vectors)
    ]
    if tree[0] not in "+-" or len(terms) < 2:
        return
    for one, put in terms:
        for two, _ in terms:
            if one[1] != two[1]:
                now = put(("*", two[1], one[2]))
                yield now
                yield _replaced(now, two, ("*", one[1], two[2]))


def _replaced(tree: Tree, part: Tree, now: Tree) -> Tree:
    return next((put(now) for p, put in places(tree) if p == part), tree)


def _mentions(tree: Tree, names: frozenset[str]) -> bool:
    return any(part[0] == "name" and part[1] in names for part, _ in places(tree))


def factors(program: Program) -> Iterator[Mistake]:
    """A factor c in front of each vector of each statement."""
    vectors = set(VECTORS) - {"x_next"}
    for k, (_, tree) in enumerate(program):
        for part, put in places(tree):
            if any(p[0] == "name" and p[1] in vectors for p, _ in places(part)):
                now: Tree = ("*", ("name", "c"), part)
                yield Mistake(k, put(now), part, now)


_SIZES = parsed("\n".join(f"s = {text}" for text in NOISES))


def noises(program: Program) -> Iterator[Mistake]:
    """Another size of the noise: in front of z, or wherever it enters."""
    k = len(program) - 1
    tree = program[k][1]
    table = any(p == ("name", "abar_t") for _, t in program for p, _ in places(t))
    odd = {"sigma_t", "sigma_next"} if table else {"abar_t", "abar_prev", "beta_t"}
    sizes = [s for _, s in _SIZES if not odd & {p[1] for p, _ in places(s) if p[0] == "name"}]
    for part, put in places(tree):
        if part[0] == "*" and part[2] == ("name", "z"):
            for size in sizes:
                now: Tree = ("*", size, part[2])
                if now != part:
                    yield Mistake(k, put(now), part, now)
    for j, (target, whole) in enumerate(program):
        if target in ("std", "sigma_up"):
            for size in sizes:
                if any(p == ("name", "eta") for p, _ in places(size)) and size != whole:
                    yield Mistake(j, size, whole, size)


def put(program: Program, k: int, tree: Tree) -> Program:
    """The program with another k-th statement."""
    return (*program[:k], (program[k][0], tree), *program[k + 1 :])
