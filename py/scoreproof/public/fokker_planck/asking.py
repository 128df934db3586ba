"""How the three callables are asked: log p as a difference to a point's own value, f, and the
noise.

Conventions: as in `statement`; points are rows. Nothing here is a value of p itself, so that
nothing underflows: ``logs`` is log p, ``ratio`` is p(z, s)/p(x, t).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded, as_numpy
from scoreproof.interop.frameworks import guarded

__all__ = ["Subject", "given"]

#: densities below this have lost digits; log_density has no such limit
TINY = 1e-290


@dataclass(frozen=True, eq=False)
class Subject:
    """The caller's drift, diffusion and density (or log density) behind guards."""

    f: Guarded
    g: Guarded
    law: Guarded
    is_log: bool
    of_state: bool
    framework: str

    @property
    def isotropic(self) -> bool:
        """Whether the noise is one number at each time, `rho`."""
        return not self.of_state

    @property
    def of_rows(self) -> list[tuple[str, Callable[[np.ndarray, float], np.ndarray]]]:
        """The density by its name, and whatever else is a function of one point."""
        if self.is_log:
            return [("log p", self.logs)]
        return [("the density", lambda rows, t: np.exp(self.logs(rows, t)))]

    @property
    def meaning(self) -> str:
        """What ``diffusion`` returns: the coefficient of dW, or as `general.noise` says."""
        return "g"

    def returned(self, g: np.ndarray) -> np.ndarray:
        """What ``diffusion`` returned where `noise` is g."""
        return g

    @property
    def eps(self) -> float:
        """The unit roundoff of the coarsest type that went in or came out so far."""
        return max(self.f.eps, self.g.eps, self.law.eps)

    @property
    def calls(self) -> dict[str, int]:
        return {"density": self.law.calls, "drift": self.f.calls, "diffusion": self.g.calls}

    @property
    def least(self) -> float:
        """The density below which a value counts as none."""
        return 1e-30 if self.law.eps > 1e-10 else TINY

    def clock(self, t: complex) -> Any:
        """t for PyTorch and JAX is an array of theirs: a Python float may become float32."""
        return t if self.framework == "numpy" else np.asarray(t)

    def logs(self, x: np.ndarray, t: float) -> np.ndarray:
        """log p ``(n,)``; -inf where there is no density, or less than floats hold."""
        result = self.law.raw(x, self.clock(t))
        try:
            low = np.asarray(as_numpy(result))
            nowhere = self.is_log and low.dtype.kind == "f" and bool(np.any(np.isneginf(low)))
        except Exception:  # `accept` says what is wrong with it
            nowhere = False
        if nowhere:
            value = self.law.accept(np.where(np.isneginf(low), 0, low), (len(x),)).real
            return np.where(np.isneginf(np.broadcast_to(low, (len(x),))), -np.inf, value)
        value = self.law.accept(result, (len(x),))
        if np.iscomplexobj(value) or (not self.is_log and np.any(value < 0)):
            raise CallableError(
                self.law.name,
                "return non-negative real densities",
                "it returned negative or complex ones",
                "pass log_density= for a log",
            )
        if self.is_log:
            return value
        with np.errstate(divide="ignore"):
            return np.where(value > self.least, np.log(value), -np.inf)

    def ratio(self, z: np.ndarray, t: complex, base: np.ndarray) -> np.ndarray:
        """p(z, t)/exp(base) ``(n,)``, complex where z or t is; nan where it cannot be asked."""
        with np.errstate(all="ignore"):
            value = self._loose(self.law, z, self.clock(t), (len(z),))
            return np.exp(value - base) if self.is_log else value / np.exp(base)

    def change(self, z: np.ndarray, t: float, base: np.ndarray) -> np.ndarray:
        """log p(z, t) - base ``(n,)`` at real points; nan where it cannot be asked."""
        with np.errstate(all="ignore"):
            value = self._loose(self.law, z, self.clock(t), (len(z),)).real
            return (value if self.is_log else np.log(value)) - base

    def field(self, z: np.ndarray, t: float) -> np.ndarray:
        """f ``(n, d)``, complex where z is; nan where it cannot be asked."""
        return self._loose(self.f, z, self.clock(t), z.shape)

    def drift(self, x: np.ndarray, t: float) -> np.ndarray:
        """f ``(n, d)`` at real points, held to what a drift must be."""
        return self.f(x, self.clock(t), shape=x.shape).real

    def rho(self, t: float) -> float:
        """ρ(t), a number."""
        value = self.g(self.clock(t)).real
        if value.size != 1:
            raise CallableError(
                "diffusion",
                "return one number",
                f"it returned shape {value.shape}",
                "a matrix needs diffusion(x, t) and interpretation=",
            )
        return float(value.reshape(()))

    def rho_at_start(self) -> float:
        """ρ(0), or nan: only one known fault needs it."""
        try:
            return self.rho(0.0)
        except CallableError:
            return float("nan")

    def noise(self, x: np.ndarray, t: float) -> np.ndarray:
        """g ``(n, d, d)``, the matrix in front of dW at each point."""
        n, d = x.shape
        if not self.of_state:
            return np.broadcast_to(self.rho(t) * np.eye(d), (n, d, d))
        value = self.g(x, self.clock(t)).real
        if value.shape in ((), (1,), (n,), (n, 1)) and not (d == 1 and value.ndim == 3):
            return np.broadcast_to(value.reshape(-1, 1, 1) * np.eye(d), (n, d, d))
        if value.shape == (n, d):
            return value[:, :, None] * np.eye(d)
        if value.shape in ((d, d), (n, d, d)):
            return np.broadcast_to(value, (n, d, d))
        raise CallableError(
            "diffusion",
            f"return shape (n,), (n, {d}) or (n, {d}, {d})",
            f"it returned shape {value.shape}",
            "points are rows",
        )

    def _loose(
        self, guard: Guarded, z: np.ndarray, when: Any, shape: tuple[int, ...]
    ) -> np.ndarray:
        """What the callable returns there, or nan: probes may lie where it promises nothing.

        The guard has seen it at these times already; its comparison of what went in would cost as
        much as the callable itself.
        """
        n = len(z)
        if self.framework == "jax":  # which compiles anew for every shape
            z = np.concatenate(
                [z, np.repeat(z[-1:], max(64, 1 << (n - 1).bit_length()) - n, axis=0)]
            )
        given = [z.copy(), when]
        if guard.prepare is not None:
            given = [guard.prepare(a) if isinstance(a, np.ndarray) else a for a in given]
        guard.calls += 1
        try:
            value = as_numpy(guard.function(*given))
            value = value[:n] if value.ndim and len(value) == len(z) else value
            return np.broadcast_to(value, shape).astype(
                complex if value.dtype.kind == "c" else float
            )
        except (Exception, SystemExit):
            return np.full(shape, np.nan)


def given(
    drift: Callable[..., Any],
    diffusion: Callable[..., Any],
    law: Any,
    is_log: bool,
    of_state: bool,
    how: tuple[str, Any],
) -> Subject:
    """The callables behind guards; ``how``: framework and dtype."""
    framework, dtype = how
    name = "log_density" if is_log else "density"
    return Subject(
        guarded(drift, "drift", framework, dtype),
        guarded(diffusion, "diffusion", framework, dtype),
        guarded(law, name, framework, dtype),
        is_log,
        of_state,
        framework,
    )
