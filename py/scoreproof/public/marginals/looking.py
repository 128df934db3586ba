"""At which times to look: the sweep, with more where the process is fast or the declared law moves.

Conventions: times are rounded to the type in which the marginal gets them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.interop.callables import as_numpy
from scoreproof.public import sweep
from scoreproof.public.marginals.arguments import EARLY, FIRST, Given
from scoreproof.public.marginals.asking import Probe
from scoreproof.public.marginals.declared import Declared

__all__ = ["times_to_look_at"]

#: Neighbouring times whose declared logarithms differ by more get one between them, so many at most
JUMP, MORE = 1.5, 16
#: Roundings of the horizon by which a time must be before it
CLOSEST = 256


def times_to_look_at(given: Given, probe: Probe, said: Declared) -> sweep.Sweep:
    """The times, with more at the start of a fast process and where the declared law moves fast."""
    span = given.sweep
    if span.chosen:
        said.ask(span.times, np.inf)
        return span
    horizon = span.high
    times = span.times
    a = np.max(np.abs(probe.coefficients(np.array([FIRST * horizon / 2]))[0]))
    while a * times[0] > 0.3 and times[0] > 1e-12 * horizon:
        times = np.concatenate([[times[0] / 10], times])
    eps = max(g.eps for g in (probe.drift, probe.diffusion, said.law))
    # next to the horizon, where the type does not tell a time from it, there is nothing to ask
    near = horizon * (1 - min(CLOSEST * eps, 0.02))
    times = times[(times <= near) | (times == horizon)]
    late = horizon * (1 - EARLY)
    times = said.ask(_representable(times, probe, said), late)
    full = sweep.Sweep(times, 0.0, float(times[-1]))
    more, _ = sweep.refined(full, said.levels(times), said.levels, jump=JUMP, most=MORE)
    kept = more.times[(more.times <= near) | np.isin(more.times, times)]
    said.ask(kept, late)
    return replace(more, times=kept)


def _representable(times: np.ndarray, probe: Probe, said: Declared) -> np.ndarray:
    """Times as numbers of the type in which the marginal gets them: no rounding of t is left."""
    prepare = said.law.prepare
    if prepare is None or not (probe.tensors or probe.batched_time):
        return times
    return np.unique([float(as_numpy(prepare(np.asarray(t)))) for t in times.tolist()])
