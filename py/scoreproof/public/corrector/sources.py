"""Where NumPy and torch code draws from: generators that are handed over by name.

Conventions: as in `interop.draws`; ``None`` where a name is that of another library's source.
"""

from __future__ import annotations

from typing import Any

from scoreproof.interop.draws import Log, Source
from scoreproof.interop.draws_numpy import numpy_generator, numpy_random_state
from scoreproof.public.called import GENERATORS, STATES
from scoreproof.public.sampler.functions import SEED

__all__ = ["generator"]


def generator(framework: str, name: str, script: Source, log: Log, call: int) -> Any:
    """``call``: of torch, a generator of its own for each."""
    if framework == "numpy":
        made = numpy_generator if name in GENERATORS else numpy_random_state
        return made(script, log) if name in (*GENERATORS, *STATES) else None
    if name not in GENERATORS:
        return None
    import torch

    return torch.Generator().manual_seed(SEED + call)
