"""What is due at a law's points: log p of the flow whose end has the prior, and its ingredients.

Conventions: nats; ``log p(x) = log π(z) + log p_start(y) - log p_end(z) + log|dy/dx|``, z where the
exact flow leads y, and y what the code makes of x before it begins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.interop.callables import as_numpy
from scoreproof.public.log_likelihood.arguments import Job
from scoreproof.public.log_likelihood.exact import RIGHT, Path, Route, followed
from scoreproof.public.log_likelihood.law import Law
from scoreproof.public.log_likelihood.made import Made
from scoreproof.public.log_likelihood.model import of_prediction
from scoreproof.public.log_likelihood.spans import Affine, Span
from scoreproof.public.sampler.asking import to_framework

__all__ = ["Due", "due_at", "normal"]


def normal(z: np.ndarray, std: float) -> np.ndarray:
    """log N(z; 0, std² I)."""
    d = z.shape[1]
    return np.asarray(
        -((z / std) ** 2).sum(axis=1) / 2 - d * (np.log(std) + 0.5 * np.log(2 * np.pi))
    )


@dataclass(frozen=True, eq=False)
class Due:
    """``y``: where the flow begins; ``trace``: ∫ tr; ``stretch``: log|dy/dx|."""

    job: Job
    law: Law
    span: Span
    y: np.ndarray
    path: Path
    trace: np.ndarray
    log_prior: np.ndarray
    stretch: float | np.ndarray

    @property
    def value(self) -> np.ndarray:
        return np.asarray(self.log_prior + self.trace + self.stretch)

    @property
    def gain(self) -> float:
        """The smaller of what the trace and the prior are of log p."""
        return min(self.sizes)

    @property
    def sizes(self) -> tuple[float, float]:
        """Root mean squares of the trace and of the prior."""
        trace, prior = (float(np.sqrt(np.mean(v**2))) for v in (self.trace, self.log_prior))
        return trace, prior

    def prior(self, z: np.ndarray) -> np.ndarray:
        return prior_at(self.job, self.law, self.span, z)

    def rates(self) -> tuple[np.ndarray, np.ndarray]:
        """The trace at the start, and at the end, times the whole time."""
        ends = ((self.span.start, self.y), (self.span.end, self.path.z))
        first, last = (
            of_prediction("velocity", self.law, x, [float(v) for v in self.job.clock.at(t)])
            for t, x in ends
        )
        whole = self.span.end - self.span.start
        return whole * first, whole * last

    def along(self, route: Route, turned: bool = False) -> Path:
        """Another route from the same points."""
        ends = (self.span.start, self.span.end)
        ends = ends[::-1] if turned else ends
        return followed(self.law, self.job.clock, self.y, ends, self.job.kind, route)


def prior_at(job: Job, law: Law, span: Span, z: np.ndarray) -> np.ndarray:
    if job.prior is None:
        alpha, sigma = (float(v) for v in job.clock.at(span.end)[:2])
        return law.log_density(z, alpha, sigma)
    if callable(job.prior):
        value = job.prior(to_framework(z, job.shape, job.framework, job.dtype))
        return np.asarray(as_numpy(value), dtype=float).reshape(len(z))
    return normal(z, float(job.prior))


def due_at(job: Job, law: Law, span: Span, affine: Affine | Made, x: np.ndarray) -> Due:
    y = affine.ahead(x)
    path = followed(law, job.clock, y, (span.start, span.end), job.kind, RIGHT)
    levels = [[float(v) for v in job.clock.at(t)[:2]] for t in (span.start, span.end)]
    trace = law.log_density(y, *levels[0]) - law.log_density(path.z, *levels[1])
    return Due(job, law, span, y, path, trace, prior_at(job, law, span, path.z), affine.log_det)
