"""How the user's marginal is asked: mean and standard deviation at each time, where it has them.

Conventions: ``mean`` and ``std`` are ``(m, n, d)``, for each time, row of x0 and coordinate.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scoreproof.coverage import Omission
from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded
from scoreproof.public.marginals.asking import Probe, real

__all__ = ["Declared"]


@dataclass(eq=False)
class Declared:
    """``law`` at the times of `ask`; ``left_out`` names times where it said nothing finite."""

    law: Guarded
    rows: np.ndarray
    probe: Probe
    mean: np.ndarray = field(init=False)
    std: np.ndarray = field(init=False)
    left_out: tuple[Omission, ...] = ()

    answers: dict[float, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def settle(self, t: float) -> None:
        """Ask twice: it must be deterministic, and its precision is known afterwards."""
        first, second = self._at(t), self._at(t)
        if not all(np.array_equal(p, q) for p, q in zip(first, second, strict=True)):
            raise CallableError(
                "marginal",
                "be deterministic",
                "two calls with the same input differ",
                "return mean and std, not a sample",
            )

    def ask(self, times: np.ndarray, late: float) -> np.ndarray:
        """Evaluate at all times and return those where it answered; after ``late`` it need not."""
        found, kept = [], []
        for t in times.tolist():
            try:
                if t not in self.answers:
                    self.answers[t] = self._at(t)
                found.append(self.answers[t])
                kept.append(t)
            except CallableError as error:
                if t <= late:
                    raise
                why = f"where the marginal must {error.expected} and does not"
                self.left_out = (*self.left_out, Omission("times", 1, why, f"t = {t:.6g}"))
        self.mean, self.std = (np.array(p) for p in zip(*found, strict=True))
        return np.array(kept)

    def at_zero(self) -> np.ndarray | None:
        """The standard deviation declared at t = 0 for each coordinate, where there is one."""
        try:
            return np.max(self._at(0.0)[1], axis=0)
        except CallableError:
            return None

    def levels(self, times: np.ndarray) -> np.ndarray:
        """Logarithms of the sizes of mean and std at some times ``(m, 2)``."""
        for t in times.tolist():
            if t not in self.answers:
                self.answers[t] = self._at(t)
        sizes = [[np.max(np.abs(part)) for part in self.answers[t]] for t in times.tolist()]
        return np.log(np.clip(sizes, 1e-13, 1e13))

    def part(self, which: slice, rows: np.ndarray | None = None) -> Declared:
        """The same at some of the times; ``rows``: other points that the rest started from."""
        rest = Declared(self.law, self.rows if rows is None else rows, self.probe)
        rest.mean, rest.std = self.mean[which], self.std[which]
        rest.left_out, rest.answers = self.left_out, self.answers
        return rest

    def at(self, which: np.ndarray) -> Declared:
        """The same at the times where ``which`` is true."""
        rest = Declared(self.law, self.rows, self.probe)
        rest.mean, rest.std = self.mean[which], self.std[which]
        return rest

    def alone(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        """Mean and std ``(n, d)`` at any one time."""
        return self._at(t)

    def rows_at(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and std ``(n, d)`` for a time for each row."""
        return self._read(times, float(np.max(times)))

    def _at(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        return self._read(self.probe.time(t, len(self.rows)), t)

    def _read(self, time: object, t: float) -> tuple[np.ndarray, np.ndarray]:
        """Both broadcast to the shape of ``rows``."""
        law, rows = self.law, self.rows
        with np.errstate(all="ignore"):
            result = law.raw(rows, time)
        if not isinstance(result, tuple | list) or len(result) != 2:
            kind = type(result).__name__
            got = f"{len(result)} values" if isinstance(result, tuple | list) else kind
            raise CallableError(
                "marginal",
                "return the pair (mean, std)",
                f"it returned {got} at t = {t:.3g}",
                "return (mean, std)",
            )
        where = f"at t = {t:.3g} a"
        mean = real(law, law.accept(result[0], rows.shape, f"{where} mean"))
        std = law.accept(result[1], None, f"{where} standard deviation")
        if std.shape == (len(rows),) and (self.probe.batched_time or len(rows) != rows.shape[1]):
            std = std[:, None]  # one for each row, as classes with batched times return it
        return mean, real(law, law.accept(std, rows.shape, f"{where} standard deviation"))
