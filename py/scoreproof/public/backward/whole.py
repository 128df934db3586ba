"""A gradient of the whole function against the values of the whole function, along directions.

The rules of the nodes being right, the chain rule leaves nothing to see here; where one is not what
its values say (`detach`, an operation of symmetric matrices), this decides whether it matters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.interop.leaves import Leaves, rounded
from scoreproof.interop.running import evaluate
from scoreproof.interop.traced import Program
from scoreproof.numerics.differences import directional
from scoreproof.public.backward.probes import Probe, jittered
from scoreproof.public.backward.slots import NEARBY

__all__ = ["along", "nearby_point"]


def nearby_point(program: Program, rng: np.random.Generator) -> list[Leaves] | None:
    """Sources a little off the given ones (and off kinks), where the function is finite."""
    for amount in (NEARBY, NEARBY / 100):
        moved = [jittered(x, rng, amount) for x in program.point()]
        # in the type of the function, so that it can be asked there itself
        moved = [Leaves([rounded(a, program.eps) for a in x.arrays]) for x in moved]
        try:
            value = evaluate(program, moved).flat()
        except Exception:  # inputs that a node refuses
            continue
        if np.all(np.isfinite(value)):
            return moved
    return None


def along(
    program: Program,
    point: Sequence[Leaves],
    seed: Leaves,
    gradients: Sequence[Leaves],
    rng: np.random.Generator,
    blocks: Sequence[Sequence[int]],
) -> list[Probe]:
    """One probe a block of sources: ⟨gradient, t⟩ against the derivative of ⟨seed, value⟩."""
    out = []
    for block in blocks:
        t = []
        for p, x in enumerate(point):
            flat = x.flat()
            size = float(np.sqrt(np.mean(flat**2))) if flat.size else 0.0
            step = rng.standard_normal(flat.size) * np.where(flat != 0, np.abs(flat), size or 1.0)
            t.append(x.like(step if p in block else np.zeros(flat.size)))

        def at(s: float, t: Sequence[Leaves] = t) -> np.ndarray:
            moved = [x + s * d for x, d in zip(point, t, strict=True)]
            return np.array([float(seed.flat() @ evaluate(program, moved).flat())])

        terms = np.concatenate([g.flat() * d.flat() for g, d in zip(gradients, t, strict=True)])
        sizes = np.concatenate([g.flat() * x.flat() for g, x in zip(gradients, point, strict=True)])
        value = seed.flat() * evaluate(program, point).flat()
        size = float(np.linalg.norm(sizes) + np.linalg.norm(value))
        d = directional(at, program.unit, size=size)
        low, high, slack = d.paired(np.ones(1))
        scale = float(np.linalg.norm(terms)) or abs(float(d.value[0]))
        slack += 8 * program.unit * float(np.sum(np.abs(terms)))
        out.append(
            Probe(float(np.sum(terms)), low, high, slack, scale, int(np.count_nonzero(terms)))
        )
    return out
