"""What a user's function is handed: drifts, noise, scores, controls and SDE objects.

Conventions: they take x and t in either order, and t as a number, one a row, or one a time of a
whole path; all in x's framework and type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.path_kl.problem import Problem, lined_up

__all__ = ["Handed", "SDE"]

#: what a time may be off by, in single precision
NEAR = 1e-6
ORDER = "call drifts with x and t, in either order, x with its {d} coordinates in the last axis"


class Handed:
    """The callables of one problem; ``calls`` counts them together."""

    def __init__(self, problem: Problem, times: np.ndarray, flat: bool = False) -> None:
        self.problem, self.times, self.flat = problem, times, flat
        self.calls = 0
        #: drifts, and noise, that were asked without a time
        self.still = [False, False]

    def _sorted(self, name: str, arguments: tuple[Any, ...], more: dict[str, Any]) -> Any:
        """x, or ``None``; and t."""
        self.calls += 1
        given = [
            v
            for v in (*arguments, *more.values())
            if isinstance(v, (int, float)) or hasattr(v, "dtype")
        ]
        if name == "diffusion" and self.problem.noise == "scalar" and len(given) == 1:
            return None, given[0]
        x = max((v for v in given if self._state(v)), key=_axes, default=None)
        t = next((v for v in given if v is not x), None)
        if self.flat and x is None:  # a path at a time: numbers all
            x, t = self._numbers(given, name)
        if x is not None and self.flat:
            x = _column(x)
        if t is None and x is not None:
            self.still[int(name == "diffusion")] = True
            return x, 0.0
        if t is None or (x is None and name != "diffusion"):
            got = ", ".join(str(tuple(getattr(v, "shape", ()))) for v in arguments)
            raise CallableError(
                "path_kl",
                f"call {name} with x and t",
                f"it called it with shapes {got}",
                ORDER.format(d=self.problem.d) + "; shape= says how many a state has",
            )
        return x, t

    def _state(self, value: Any) -> bool:
        shape = tuple(getattr(value, "shape", ()))
        return bool(shape) and (self.flat or shape[-1] == self.problem.d)

    def _numbers(self, given: list[Any], name: str) -> tuple[Any, Any]:
        """x and t among numbers: one of several that is a time of the path is t, else the last."""
        if len(given) < 2:
            alone = given[0] if given else None
            return (None, alone) if name == "diffusion" else (alone, None)
        clock = [bool(np.any(np.abs(self.times - float(v)) < NEAR)) for v in given[:2]]
        x, t = given[:2] if clock[1] or not clock[0] else given[1::-1]
        return x, t

    def _back(self, value: Any) -> Any:
        return value[..., 0] if self.flat else value

    def net(self, which: int, name: str) -> Callable[..., Any]:
        def drift(*arguments: Any, **more: Any) -> Any:
            x, t = self._sorted(name, arguments, more)
            return self._back(self.problem.net(which, x, lined_up(x, t), like(x)))

        drift.__name__ = name
        return drift

    def diffusion(self, *arguments: Any, **more: Any) -> Any:
        """Noise, of the shape that is said."""
        x, t = self._sorted("diffusion", arguments, more)
        if self.problem.noise in ("number", "scalar", "matrix"):
            return self.problem.spread(x, t)
        if x is None:
            raise CallableError(
                "path_kl",
                f'call diffusion with x and t, as noise="{self.problem.noise}" is',
                "it called it with t alone",
                'pass noise="scalar" for g(t)',
            )
        return self.problem.spread(x, lined_up(x, t), like(x))

    def initial(self, which: int) -> Callable[[Any], Any]:
        def log_prob(x: Any) -> Any:
            x = _column(x) if self.flat else x
            to = like(x)
            z = (x - to(self.problem.mean[which])) / to(self.problem.std[which])
            log = float(np.sum(np.log(self.problem.std[which])))
            return -0.5 * (z * z).sum(-1) - log

        return log_prob

    def terminal(self, x: Any) -> Any:
        """The cost at the end."""
        x = _column(x) if self.flat else x
        return self.problem.ends(x, like(x))


class SDE:
    """As torchsde takes it: f is P's drift, h Q's, g the noise."""

    sde_type = "ito"

    def __init__(self, handed: Handed) -> None:
        names = {"number": "diagonal", "scalar": "diagonal", "full": "general", "matrix": "general"}
        self.noise_type = names.get(handed.problem.noise, handed.problem.noise)
        self.f, self.h, self.g = handed.net(0, "f"), handed.net(1, "h"), handed.diffusion
        self.drift, self.prior_drift, self.diffusion = self.f, self.h, self.g


def _axes(value: Any) -> int:
    return len(value.shape)


def _column(x: Any) -> Any:
    """A number, or numbers, with an axis for their one coordinate."""
    return x[..., None] if hasattr(x, "shape") else np.array([float(x)])


def like(x: Any) -> Callable[[np.ndarray], Any]:
    """Arrays of ours in the framework and type of ``x``."""
    kind = type(x).__module__.split(".")[0]
    if kind == "torch":
        return lambda a: x.new_tensor(a)
    if kind.startswith("jax"):
        import jax.numpy as jnp

        return lambda a: jnp.asarray(a, dtype=x.dtype)
    dtype = getattr(x, "dtype", np.dtype(float))
    return lambda a: np.asarray(a, dtype=dtype)
