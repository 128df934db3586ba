"""How a sampler is run: by its form, with a batch that carries the law, its draws intercepted.

Conventions: ``run(n, data, rows)`` runs the sampler afresh with n steps; two passes make a chain,
one that counts the draws and one with a row for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.draws import Draw, Log, intercepted
from scoreproof.public.sampler.chain import Chain, State
from scoreproof.public.sampler.data import Data, Level
from scoreproof.public.sampler.rows import Law, Rows, counting
from scoreproof.public.sampler.start import Began
from scoreproof.streams import stream

__all__ = ["Form", "Noise", "Tape", "chain", "passed", "to_framework"]

#: levels of a chain that can be judged, the start among them
LEAST = 3


class Tape:
    """What happens while a sampler runs: states are read off as they are reached."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.states: list[State] = []
        self.calls = 0
        self.notes: list[str] = []
        self.log = Log()
        self.steps = 0
        #: the level that the end is due at
        self.last: Level | None = None
        #: the sizes of calls of the model for less than the batch
        self.parts: set[int] = set()
        #: whether a generator was passed for what the code draws
        self.seeded = False
        #: from what noise of its own it starts
        self.began: Began | None = None
        #: the level that the model is told at its last call, where that is known
        self.told_last: Level | None = None
        #: the level that the last step begins at
        self.before: Level | None = None

    def reached(self, x: np.ndarray, level: Level, step: int) -> None:
        """The state with the rows x, due to be at ``level``."""
        self.states.append(State(level, self.rows.law(x), step))


@dataclass(frozen=True)
class Noise:
    """What stands in for random numbers. ``others``: for uniform ones; ``full`` and ``code``: see
    `Rows`.
    """

    seed: int
    full: bool = False
    others: float = 0.5
    code: int = 0


class Form(Protocol):
    """A sampler of one form, ready to be run."""

    framework: str
    double: bool

    def finer(self, n: int) -> int:
        """The next number of steps, about twice as many."""

    def fresh(self) -> Any:
        """What a run may change, copied: tables cannot be copied while they are doubled."""

    def run(self, fresh: Any, n: int, data: Data, tape: Tape) -> np.ndarray:
        """The final rows ``(count, d)`` after n steps from the exact law at the first level."""


def chain(
    form: Form,
    n: int,
    data: Data,
    shape: tuple[int, ...],
    noise: Noise,
    like: Chain | None = None,
) -> Chain:
    """The chain of n steps; every draw is replaced. One run where ``like``, another chain of the
    same sampler, says how many draws there will be, else one more to count them.
    """
    rows = counting(shape)
    draws: list[tuple[int, ...]] = []
    odd = False
    if like is None:
        tape, end = passed(form, n, data, rows)
        odd = any(_normal(d) and d.shape[:1] != (rows.count,) for d in tape.log.draws)
        draws = [d.shape[1:] for d in tape.log.draws if _normal(d)]
    else:
        known = [d.shape[1:] for d in like.draws if _normal(d)]
        draws = [known[0]] * (-(-len(known) * n // like.n) + 4) if known else []
    for _ in range(0 if odd else 2):  # noise that rows do not get one by one is for no rows
        rng = stream(noise.seed, "sampler", "rows", str(n))
        rows = Rows(shape, tuple(draws), rng, noise.full, noise.others, noise.code)
        tape, end = passed(form, n, data, rows)
        asked = [d.shape[1:] for d in tape.log.draws if _normal(d)]
        if asked == draws[: len(asked)]:
            break
        draws = asked
    found, log = tape.log.draws, tape.log
    if len({s.level.sigma for s in tape.states if s.level.sigma > 0}) < LEAST:
        raise CallableError(
            "sampler",
            f"go through {LEAST} levels or more",
            f"it asks its model {tape.calls} times, at {max(len(tape.states) - 1, 0)} of the levels"
            " after the first",
            "pass the times= that it uses; a sampler of one step has no limit of many steps",
        )
    again = [
        f"The noise of draw {old.index} is drawn again ({new.where}): its generator is seeded anew."
        for new, old in log.repeated[:1]
    ]
    return Chain(
        n,
        data,
        tuple(tape.states),
        end,
        tape.last,
        tuple(found),
        tape.calls,
        tape.steps,
        rows.count,
        tuple(sorted(tape.parts)),
        log.doubled,
        log.eps,
        tuple(dict.fromkeys([*tape.notes, *log.notes, *again])),
        tape.began,
        tape.told_last,
        tape.before,
    )


def _normal(draw: Draw) -> bool:
    return draw.kind == "normal"


def passed(form: Form, n: int, data: Data, rows: Rows) -> tuple[Tape, Law]:
    """One run with these rows."""
    rows.begin()
    tape = Tape(rows)
    fresh = form.fresh()
    with intercepted(form.framework, rows.noise, double=form.double) as log:
        tape.log = log
        end = form.run(fresh, n, data, tape)
    _uses_its_generator(tape)
    return tape, rows.law(end)


def to_framework(rows: np.ndarray, shape: tuple[int, ...], framework: str, dtype: Any) -> Any:
    """Rows ``(n, d)`` as an array ``(n, *shape)`` of the framework."""
    x = np.array(rows.reshape((len(rows), *shape)))
    if framework == "torch":
        import torch

        wanted = getattr(torch, dtype) if isinstance(dtype, str) else dtype or torch.float64
        return torch.tensor(x, dtype=wanted)
    if framework == "jax":
        import jax.numpy as jnp

        return jnp.asarray(x, dtype=dtype)
    return x if dtype is None else x.astype(dtype)


def _uses_its_generator(tape: Tape) -> None:
    ignored = [d for d in tape.log.draws if tape.seeded and not d.seeded]
    if ignored:
        raise CallableError(
            "sampler",
            "draw from the generator that it is given",
            f"it ignores it in {ignored[0].where}",
            "pass generator=generator on to every draw, so that samples can be repeated",
        )
