"""Why a whole gradient is wrong: asked again, array by array, engine by engine, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.claims.backprop.faults import FAULTS, REASONS, version_of
from scoreproof.claims.backprop.statement import TRUTH
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.interop.traced import Node
from scoreproof.public.backward.again import adds_up, looks_away
from scoreproof.public.backward.arrays import array_causes, late_causes
from scoreproof.public.backward.compared import ROUNDINGS, Compared, places
from scoreproof.public.backward.engine_words import ENGINE_REASONS, distinct
from scoreproof.public.backward.engines import walked_over
from scoreproof.public.backward.of_parts import of_parts
from scoreproof.public.backward.part_sums import parts_only
from scoreproof.public.backward.recovered import recovered
from scoreproof.public.backward.searching import searched, sites_of
from scoreproof.public.backward.seen import Seen
from scoreproof.public.backward.tape import Tape
from scoreproof.public.backward.two import two
from scoreproof.words import enumerated

__all__ = ["gradient_diagnosis"]

SLOTS = 200  # beyond it no engine is walked
SHOWN = 4


def gradient_diagnosis(seen: Seen, rng: np.random.Generator) -> Diagnosis:
    """The cause of a wrong gradient, or where it is wrong."""
    c = _compared(seen)
    if all(c.nearly(p) for p in c.wrong):
        return Diagnosis.unknown(
            f"{places(c)}. What is returned differs from what is due by less than"
            f" {ROUNDINGS} roundings of a typical entry, so no formula is blamed: digits are lost"
            " on the way, where two numbers that are almost equal are subtracted (1 - y**2 near"
            " y = 1), or where a part is computed in a coarser type."
        )
    found = adds_up(seen, c)
    if found is None and seen.nearby:
        return array_causes(c) or Diagnosis.unknown(f"{places(c)}.")
    # an engine of scalars makes the mistakes of engines; a gradient by arrays those of rules
    scalars = all(x.size <= 1 for x in seen.program.values)
    if found is None and scalars and (engine := _engine(seen, c)).names:
        return engine
    found = found or array_causes(c)
    if found is not None:
        return _entered(seen, c, found)
    tape = Tape(seen.program, seen.at, seen.seed)
    found = searched(tape, c) or late_causes(c) or looks_away(seen, c, rng)
    if found is not None:
        return found
    if scalars and seen.question.gradient is not None and parts_only(seen, c, [c.all_found]):
        return Diagnosis.cause(
            "assigns_some",
            "Cause: terms overwrite each other (= for +=): what is returned for"
            f" {c.called(c.wrong)} is the sum of a part of the terms that are due. Add to .grad"
            f" (+=).{c.rest(c.wrong)}",
        )
    found, said = recovered(tape, c, sites_of(tape, c))
    if (found := found or two(tape, c)) is not None:
        return found
    engine = _engine(seen, c)
    # what an engine would get wrong, too, is no cause in a gradient by arrays, but a hint
    near = f" It looks like this: {engine.sentence[7:]}" if engine.names else ""
    parts = [_place(tape, c), said, near or engine.sentence]
    return Diagnosis.unknown(" ".join(part.strip() for part in parts if part))


def _compared(seen: Seen) -> Compared:
    program, tolerance, e = seen.program, seen.question.tolerance or 0.0, seen.entries
    at = seen.at if seen.sources is None else tuple(seen.at[p] for p in seen.sources)
    likes = seen.due if seen.sources is None else tuple(seen.due[p] for p in seen.sources)
    cuts = np.cumsum([x.size for x in likes])[:-1]
    found, due = (
        tuple(x.like(part) for x, part in zip(likes, np.split(side, cuts), strict=True))
        for side in (e.found, e.due)
    )
    values = tuple(program.values[v] for v in at)
    rows = next((len(a) for x in values for a in x.arrays if a.ndim > 1), 0)
    return Compared(
        tuple(program.nodes[v].name for v in at),
        found,
        due,
        values,
        e.bound + tolerance * e.size,
        program.eps,
        {"n": float(rows)} if rows > 1 else {},
    )


def _run_twice(seen: Seen, *, cleared: bool) -> list[Any]:
    """The gradients of two runs; ``cleared``: the inner nodes start anew, as new objects do."""
    run = seen.run
    first = TRUTH.push(run, run.seeded())
    if cleared:
        return [x + x for x in first]
    left = list(first)
    left[run.v_out] = run.one
    return TRUTH.push(run, left)


def _engine(seen: Seen, c: Compared) -> Diagnosis:
    """Known faults of a backward pass, and other walks, on this graph; one at a time."""
    candidates: dict[str, np.ndarray] = {}

    def predict(name: str, answer: Any) -> None:
        try:
            state = answer()
            prediction = np.concatenate([state[v].flat() for v in seen.at])
        except Exception:  # shapes do not allow this mistake here
            return
        if prediction.shape == c.all_due.shape:
            candidates[name] = prediction

    for fault in FAULTS:
        loops = fault.subject
        version = loops.push if version_of(fault.name) == "push" else loops.pull
        predict(
            fault.name,
            lambda version=version, loops=loops: version(
                seen.run, loops.prepare(seen.run, list(seen.run.zeros))
            ),
        )
    if seen.question.gradient is not None:
        predict("two_calls_added", lambda: _run_twice(seen, cleared=True))
        predict("run_again_on_its_gradients", lambda: _run_twice(seen, cleared=False))
    if len(seen.run.partials) <= SLOTS:
        for name, answer in walked_over(seen.run).items():
            predict(name, answer)
        candidates = distinct(candidates)
    return diagnose(
        c.all_found,
        c.all_due,
        candidates,
        reasons=ENGINE_REASONS | REASONS,
        limit=c.limit,
        read=False,
    )


def _entered(seen: Seen, c: Compared, found: Diagnosis) -> Diagnosis:
    """A factor, with the nodes at which it may have come in."""
    if found.names[0] not in ("factor", "sign", "no_gradient"):
        return found
    found = replace(found, sentence=f"{found.sentence}{_mean_for_sum(seen, c)}")
    tape = Tape(seen.program, seen.at, seen.seed)
    nodes = [f"[{n.shown}]" for n in _suspects(tape, c)]
    parts = of_parts(seen, c) if found.names == ("factor",) else None
    found = parts or found
    if not nodes:
        return found
    at = (
        nodes[0]
        if len(nodes) == 1
        else f"{nodes[0]} … {nodes[-1]}"
        if len(nodes) > 3
        else (enumerated(nodes, "or"))
    )
    if parts is not None:  # the function's lines are right, and so may be all that goes back
        where = (
            f"Where there are no such parts, the factor comes in at what goes back through {at}."
        )
    else:
        where = f"It may come in at {at}."
    return replace(found, sentence=f"{found.sentence} {where}")


def _mean_for_sum(seen: Seen, c: Compared) -> str:
    """A factor 1/m of an array that is spread over m rows: their mean."""
    values = seen.program.values
    for p, v in enumerate(seen.at):
        due, found = c.due[p].flat(), c.found[p].flat()
        size = float(due @ due)
        if not size or np.allclose(due, found):
            continue
        for w, node in enumerate(seen.program.nodes):
            m, rest = divmod(values[w].size, max(values[v].size, 1))
            spread = v in node.arguments and m > 1 and not rest
            if spread and abs(m * float(found @ due) / size - 1) <= 1e-6:
                return (
                    f" That is a mean over the {m} rows over which [{node.label}] spreads"
                    f" `{c.names[p]}`, where their sum is due: sum(0) for mean(0)."
                )
    return ""


def _suspects(tape: Tape, c: Compared) -> list[Node]:
    """The nodes of which one may be at fault alone, from v_out on."""
    return [tape.program.nodes[v] for v in dict.fromkeys(v for v, _ in sites_of(tape, c))]


def _place(tape: Tape, c: Compared) -> str:
    """Which arrays, and which nodes may be at fault."""
    text = f"{places(c)}."
    nodes = _suspects(tape, c)
    if not nodes or not text.strip("."):
        return text
    shown = [f"[{n.shown}]" for n in nodes[:SHOWN]]
    more = f" and {len(nodes) - SHOWN} more" if len(nodes) > SHOWN else ""
    if len(nodes) == 1:
        return f"{text} A mistake at node {shown[0]} would show in exactly these."
    return f"{text} A mistake at one of the nodes {enumerated(shown)}{more} would show in these."
