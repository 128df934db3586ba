"""How a loss is asked: with data, times and noise, a model that answers what it is told to, and for
its gradient in these answers.

Conventions: rows are flat; the loss is the sum of what is returned. A NumPy loss is asked for
differences, of which a quadratic has no error but rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from scoreproof.errors import CallableError, ScoreproofError
from scoreproof.interop.callables import as_numpy, raised, remedy_for, unit_roundoff
from scoreproof.interop.draws import Log, intercepted
from scoreproof.interop.frameworks import guarded, require
from scoreproof.public.jax_keys import Keys
from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.given import Given, arguments_of, moved, otherwise, picked
from scoreproof.public.loss.gradients import kept
from scoreproof.public.loss.half import half_seen
from scoreproof.public.loss.rows import Run, joined, of_row
from scoreproof.public.loss.served import Served, integers_served
from scoreproof.public.loss.standin import MOST, Script, numpy_model
from scoreproof.public.loss.whole_numbers_numpy import whole_numbers_generator

__all__ = ["Asking"]

DOUBLE = float(np.finfo(float).eps)
#: the step of a difference, of the size of the answers
STEP = 2.0**-6
#: the same of a square, whose differences have no error but rounding
LONG = 0.5


#: the loss, what was drawn, what rounding left
Answered = tuple[float, Log, "float | np.ndarray"]


@dataclass(eq=False)
class Asking:
    """``calls``: how often the loss was called so far; ``eps``: of the coarsest numbers in it."""

    job: Job
    calls: int = 0
    eps: float = DOUBLE
    notes: list[str] = field(default_factory=list)
    #: types of 16 bits that were asked for, and replaced
    half: set[str] = field(default_factory=set)
    #: networks that run beside the model
    foreign: set[str] = field(default_factory=set)
    _keys: Keys = field(default_factory=Keys)
    _square: bool | None = None
    #: whether every row is asked by itself, as a loss with one t for the whole batch is
    apart: bool = False
    #: whether it is not, whatever it draws
    together: bool = False
    #: which call of the model is judged, where there are several
    only: int | None = None
    #: whether that is known
    sorted_out: bool = False
    #: what generators that are not served are seeded with, if any
    stirred: int = 0

    def run(self, given: Given) -> Run:
        """Raises ``CallableError``."""
        if self.apart:
            count = len(given.x0)
            return joined([self._run(of_row(given, k), (k, count)) for k in range(count)])
        return self._run(given, None)

    def _run(self, given: Given, alone: tuple[int, int] | None) -> Run:
        passed = "noise" in [r for r, _ in self.job.takes]
        ends = (self.job.process.steps or 0) if self.job.draws_times else 0
        served = Served(given.noise, given.extra, given.turn, passed, ends, alone=alone)
        script = Script(
            given.answers, self.job.shape, self.job.learned_variance, given.others, given.spare
        )
        run = {"torch": self._torch, "jax": self._jax, "numpy": self._numpy}[self.job.framework]
        value, log, blur = run(given, script, served)
        self.notes += [n for n in log.notes if n not in self.notes]
        self.eps = max(self.eps, log.eps)
        if not script.calls:
            raise CallableError(
                "loss",
                "call the model that it is given",
                "it never did",
                "pass lambda model, x0, t, noise: … in which model is your network",
            )
        kept(script, self.job.shape[0])
        return Run(script.calls, value, served, log, blur, self.only)

    def called_with(self, arguments: tuple[list[Any], dict[str, Any]]) -> Any:
        """The loss of these, guarded."""
        return self._called(*arguments)

    def _called(self, positional: list[Any], named: dict[str, Any]) -> Any:
        self.calls += 1
        try:
            return picked(self.job.loss(*positional, **named))
        except (ScoreproofError, KeyboardInterrupt):
            raise
        except Exception as error:
            how = ", ".join(r for r, _ in self.job.takes)
            raise CallableError(
                "loss",
                "return normally",
                raised(error, self.job.loss, f" when called with ({how})"),
                remedy_for(error, otherwise(error, self.job), self.eps),
            ) from error

    # -- one for each framework --------------------------------------------------------------------

    def _torch(self, given: Given, script: Script, served: Served) -> Answered:
        torch = require("torch")
        from scoreproof.public.loss.foreign import networks_seen
        from scoreproof.public.loss.standin_torch import TorchModel

        double = self.job.dtype is None
        convert = guarded(lambda x: x, "loss", "torch", self.job.dtype).prepare
        with (
            intercepted("torch", served, double=double) as log,
            integers_served("torch", served),
            half_seen("torch" if double else "") as half,
            networks_seen() as foreign,
            torch.enable_grad(),
        ):
            if self.stirred:
                torch.manual_seed(self.stirred)
                np.random.seed(self.stirred)
            model = TorchModel(script)
            positional, named = arguments_of(self.job, given, model, None, convert)
            self.eps = max([self.eps, *(unit_roundoff(p) for p in positional[1:2])])
            value = self._called(positional, named)
            leaves = [c for c in script.calls if c.leaf is not None]
            ran = any(c.leaf.grad is not None for c in leaves)
            if torch.is_tensor(value) and value.requires_grad and not ran:
                found = torch.autograd.grad(
                    value.sum(), [c.leaf for c in leaves], allow_unused=True
                )
            else:  # it ran backward itself
                found = [c.leaf.grad for c in leaves]
        self.half |= half
        self.foreign |= foreign
        for call, gradient in zip(leaves, found, strict=True):
            if gradient is not None:
                call.gradient = np.array(as_numpy(gradient), dtype=float)
        return float(np.sum(np.asarray(as_numpy(value), dtype=float))), log, 0.0

    def _jax(self, given: Given, script: Script, served: Served) -> Answered:
        jax = require("jax")
        from scoreproof.public.loss.standin_jax import JaxModel

        convert = guarded(lambda x: x, "loss", "jax", self.job.dtype).prepare
        assert convert is not None
        with intercepted("jax", served) as log:
            key = self._keys.of(served, self.calls)
            zeros = convert(np.zeros((MOST, *script.answer.shape)))
            self.eps = max(self.eps, unit_roundoff(zeros))

            def total(moves: Any) -> Any:
                script.calls.clear()
                model = JaxModel(script, moves)
                out = self._called(*arguments_of(self.job, given, model, key, convert))
                return jax.numpy.sum(out)

            value, found = jax.value_and_grad(total)(zeros)
            value = jax.block_until_ready(value)
            found = np.asarray(found, dtype=float)
        for k, call in enumerate(script.calls[:MOST]):
            if np.any(found[k]):
                call.gradient = found[k]
        self._none_found(script, found[0])
        return float(value), log, 0.0

    @staticmethod
    def _none_found(script: Script, zeros: np.ndarray) -> None:
        """A gradient of nothing but zeros is one."""
        if script.calls and all(c.gradient is None for c in script.calls):
            script.calls[-1].gradient = zeros

    def _numpy(self, given: Given, script: Script, served: Served) -> Answered:
        with intercepted("numpy", served) as log:
            return self._differences(given, script, served, log)

    def _differences(self, given: Given, script: Script, served: Served, log: Log) -> Answered:
        base = np.array(given.answers)

        def value_of(answers: np.ndarray) -> np.ndarray:
            again = replace(
                served, noises=[], small=[], ranges=[], whole=[], raw=[], uniforms=0, single=False
            )
            script.answers, script.others = answers, given.others
            if self.only is not None:  # no other call's are moved
                mine = [np.zeros_like(base)] * self.only + [answers - base]
                script.answers, script.others = base, tuple(mine)
            script.calls.clear()
            rng = whole_numbers_generator(again)
            if served.turn:  # choices with chances are NumPy's own
                rng.bit_generator.advance(1000 * served.turn)
            out = self._called(*arguments_of(self.job, given, numpy_model(script), rng, np.array))
            served.noises, served.small, served.ranges = again.noises, again.small, again.ranges
            served.single, served.whole = again.single, again.whole
            return np.asarray(out, dtype=float)

        # of the size of a sample's own answer: those at other levels are of another
        size = np.max(np.abs(base), axis=1)
        if self._square is None:
            move = size[:, None] * np.random.default_rng(3).uniform(0.5, 1.5, base.shape)
            along = [float(np.sum(value_of(base + k * move))) for k in range(4)]
            third = along[3] - 3 * along[2] + 3 * along[1] - along[0]
            self._square = abs(third) <= 64 * DOUBLE * max(map(abs, along))
        steps = (LONG if self._square else STEP) * np.where(size > 0, size, 1.0)
        gradient = np.zeros_like(base)
        value = value_of(base)
        for place in np.ndindex(base.shape):
            h = float(steps[place[0]])
            near, far = (
                np.sum(value_of(moved(base, place, s)) - value_of(moved(base, place, -s))) / (2 * s)
                for s in (h, 2 * h)
            )
            gradient[place] = (4 * near - far) / 3
        value_of(base)
        if script.calls:
            script.calls[-1 if self.only is None else self.only].gradient = gradient
        # of one number for each sample, the others' do not change
        apart = value.shape == steps.shape
        size = np.abs(value) if apart else np.full_like(steps, np.sum(np.abs(value)))
        return float(np.sum(value)), log, 4 * DOUBLE * size / steps
