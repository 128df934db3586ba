"""The sampler asked again, with another model: negated, doubled, halved, of another type.

Conventions: what makes the whole check hold is the cause; several that do are no cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.asking import Noise, Tape, chain
from scoreproof.public.sampler.convergence import errors_of
from scoreproof.public.sampler.data import Data, Level, gaussian

__all__ = ["MODELS", "Judge", "with_another_model"]

Judge = Callable[[Job], Evidence]
#: the part of an error to which another model has to bring it before all is asked again
LEFT = 0.5
KINDS = {
    "eps": "the noise ε",
    "x0": "the denoised x_0",
    "v": "v = α ε - σ x_0",
    "score": "the score",
    "flow": "the velocity ε - x_0",
}
MODELS = {**KINDS, "velocity": "the velocity", "F": "EDM's raw network F"}


@dataclass(frozen=True, eq=False)
class _Other(Data):
    """The exact model, changed."""

    factor: float = 1.0
    kind: str | None = None

    def predicted(
        self, x: np.ndarray, alpha: np.ndarray, sigma: np.ndarray, kind: str, **more: Any
    ) -> np.ndarray:
        return self.factor * super().predicted(x, alpha, sigma, self.kind or kind, **more)


@dataclass(eq=False)
class _Form:
    """A form whose model is another."""

    form: Any
    change: Callable[[Data], Data]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.form, name)

    def run(self, fresh: Any, n: int, data: Data, tape: Tape) -> np.ndarray:
        return np.asarray(self.form.run(fresh, n, self.change(data), tape))


def with_another_model(job: Job, judge: Judge) -> str:
    """Which other model makes the sampler right, if exactly one does."""
    before = _size(job)
    found = []
    for text, change in _changes(job):
        again = replace(job, form=_Form(job.form, change))
        left = _size(again)
        if left < LEFT * before:
            found.append((left, text, again))
    held = []
    for _, text, again in sorted(found, key=lambda f: f[0])[:3]:
        try:
            if judge(again).verdict == "holds":
                held.append(text)
        except (CallableError, ArgumentError):
            continue
    return held[0] if len(held) == 1 else ""


def _size(job: Job) -> float:
    """The largest error of a law, with the caller's steps and Gaussian data."""
    d = int(np.prod(job.shape))
    try:
        made = chain(job.form, job.steps, gaussian(d), job.shape, Noise(job.seed))
        off = errors_of(made)
        mean, std = made.data.moments(Level(0.0, 1.0, 0.0))
        end = np.stack([made.end.mean - mean, made.end.std - std]) / std
    except (CallableError, ArgumentError, ValueError, IndexError):
        return np.inf
    size = max(float(np.max(np.abs(off))), float(np.max(np.abs(end))))
    return size if np.isfinite(size) else np.inf


def _changes(job: Job) -> Iterator[tuple[str, Callable[[Data], Data]]]:
    def make(**more: Any) -> Callable[[Data], Data]:
        return lambda data: _Other(data.mean, data.width, **more)

    held = "asked again with {} the sampler keeps the laws: {}"
    for c, what in ((-1.0, "minus what it is"), (2.0, "twice what it is"), (0.5, "half of it")):
        cure = {
            -1.0: "a sign is wrong",
            2.0: "a factor 2 is missing",
            0.5: "a factor 2 is too much",
        }
        yield (
            held.format(f"a model that returns {what}", f"{cure[c]} where its output is used"),
            make(factor=c),
        )
    for kind, name in KINDS.items():
        if kind != job.form.prediction:
            yield (
                held.format(
                    f"a model that returns {name}",
                    f"it takes the output, {MODELS[job.form.prediction]}, for {name}",
                ),
                make(kind=kind),
            )
