"""Where NumPy and torch code draws from: generators that are handed over by name.

Conventions: as in `interop.draws`; ``None`` where a name is that of another library's source. What
draws by a generator of torch's is served by the dispatch mode of `interop.draws`, whatever its
state; but a state that comes back gives its numbers again, so that each call gets another one.
"""

from __future__ import annotations

from typing import Any

from scoreproof.interop.draws import Log, Source
from scoreproof.interop.draws_numpy import numpy_generator, numpy_random_state

__all__ = ["GENERATORS", "KEYS", "STATES", "source_of"]

#: what arguments are called: a generator, NumPy's old one, JAX's key
GENERATORS = ("rng", "generator")
STATES = ("random_state",)
KEYS = ("key", "rng", "rng_key", "prng_key")
#: no seed that somebody's code would take
SEED = 730_919


def source_of(framework: str, name: str, source: Source, log: Log, call: int) -> Any:
    """What stands for the argument ``name``; ``call``: the number of the call."""
    if framework == "numpy":
        if name in STATES:
            return numpy_random_state(source, log)
        return numpy_generator(source, log) if name in GENERATORS else None
    if name not in GENERATORS:
        return None
    import torch

    return torch.Generator().manual_seed(SEED + call)
