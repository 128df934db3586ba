"""What a step makes of its noise: passed on as it is drawn, or clipped, rounded, squashed.

Conventions: noises of sizes -4 to 4, the same in every coordinate; what comes out in units of
√(1-λ) g √h.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.answers import Answer, reading
from scoreproof.causes.wholes import MAPS
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.asking import ask_step
from scoreproof.public.reverse_sampler.places import FINE, MIDDLE, short, steps_at
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.terms import Told
from scoreproof.public.reverse_sampler.velocity import Found

__all__ = ["passed_on"]

SIZES = np.linspace(-4, 4, 33)
SHORTER = 2.0**-8


def passed_on(job: Job, target: Diffused, places: list[Found]) -> Told | None:
    """What becomes of the noise, where a step is not linear in it. One call."""
    bent = [f for f in places if f.bent is not None and f.lam < 1]
    if job.form != "step" or not bent:
        return None
    f = bent[0]
    fine = short(job.call.eps)
    steps = steps_at(target, job.span, f.t, FINE if fine else MIDDLE, exact=True)
    h = steps.widths[-1] * (SHORTER if fine else 1.0)
    z = np.repeat(SIZES[:, None], target.dimension, axis=1)
    x = np.repeat(f.x[:1], len(z), axis=0)
    out = ask_step(job, target, x, z, steps.pair(h), f.lam)
    unit = (1 - f.lam) ** 0.5 * target.diffusion(f.t) * h**0.5
    found = (out - out[len(z) // 2])[:, 0] / unit
    read = reading(Answer.of(found, SIZES, 2e-3 * np.abs(SIZES) + 1e-4))
    if read is not None and read.name in {"clipped", *MAPS}:
        what = read.words.removeprefix("it is ").replace("what is due", "the draw")
        return Told("noise_bent", f"the noise that comes out is {what}; {read.remedy}")
    one, four = (float(found[k]) for k in (20, 32))
    return Told(
        "noise_bent",
        "the noise is not passed on as it is drawn: in units of what is due, draws of 1 and 4 come"
        f" out as {one:.3g} and {four:.3g} (it is clipped, rounded or bent otherwise)",
    )
