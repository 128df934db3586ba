"""How an estimate weighs ½ u_i² at each time and coordinate, read off its values along paths.

Conventions: the value is Σ w_ki ½ u_ki² over the K + 1 times, and a multiple of the stochastic
integral. A rule for an integral over time is the left or right one, or it is right for 1 and t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.path_kl.alongside import GROWS, ROUNDINGS
from scoreproof.public.path_kl.asking import User
from scoreproof.public.path_kl.looks import STEPS, Look, again

__all__ = ["Weights", "weights"]

#: paths for every unknown, and of a batch of which the mean comes back
SPARE, BATCH = 2, 5
#: of the width of a step
COARSE = 0.01


@dataclass(frozen=True, eq=False)
class Weights:
    """``found`` and how well they are known, ``(K + 1, d)``; ``t``."""

    found: np.ndarray
    blur: np.ndarray
    t: np.ndarray

    def _off(self) -> np.ndarray:
        """From the nearest rule, by weight."""
        dt = np.diff(self.t)
        left, right = np.append(dt, 0.0), np.append(0.0, dt)
        rules = (left, right, (left + right) / 2)
        offs = [self.found - rule[:, None] for rule in rules]
        return min(offs, key=lambda v: float(np.sum(np.abs(v) > self.blur)))

    @property
    def coarse(self) -> bool:
        """A step that is counted twice would not be seen for sure."""
        return bool(np.max(self.blur) > COARSE * np.min(np.diff(self.t)))

    @property
    def a_rule(self) -> bool:
        """It is a rule for integrals over time, for every coordinate the same."""
        if np.all(np.abs(self._off()) <= self.blur):
            return True
        t0, t1 = self.t[0], self.t[-1]
        many = self.blur.sum(0)
        whole = np.abs(self.found.sum(0) - (t1 - t0))
        first = np.abs(self.t @ self.found - (t1**2 - t0**2) / 2) / t1
        alike = np.ptp(self.found, axis=1) / 2
        return bool(
            np.all(whole <= many) and np.all(first <= many) and np.all(alike <= self.blur.max(1))
        )

    @property
    def alike(self) -> bool:
        """All are off by one factor: no step and no coordinate is another."""
        due = self.found - self._off()
        counts = np.abs(due) > self.blur
        if not np.any(counts):
            return False
        ratio, known = self.found[counts] / due[counts], self.blur[counts] / np.abs(due[counts])
        rest = np.abs(self.found[~counts]) <= self.blur[~counts]
        return bool(np.all(np.abs(ratio - np.median(ratio)) <= 2 * known) and np.all(rest))

    def words(self) -> str:
        """What is weighed otherwise."""
        off = self._off()
        wrong = np.abs(off) > self.blur
        due = self.found - off
        steps, coordinates = np.any(wrong, axis=1), np.any(wrong, axis=0)
        k, i = np.unravel_index(int(np.argmax(np.abs(off) / self.blur)), off.shape)
        value, right = float(self.found[k, i]), float(due[k, i])
        much = f"{value:.4g} where 0 is due"
        if abs(right) > self.blur[k, i]:
            much = f"{value / right:.6g} times the {right:.4g} that is due"
        if steps.sum() == 1:
            return f"at step {k} of {len(self.t) - 1} |u|² is weighed by {much}"
        if coordinates.sum() < len(coordinates):
            return f"in coordinate {i} u² is weighed by {much}"
        return f"u² is weighed by {much}, in coordinate {i} at step {k}"


def weights(user: User, looks: list[Look], eps: float) -> Weights | None:
    """``None`` where the values are not explained by weights."""
    d = user.job.d
    unknown = (STEPS + 1) * d + 1
    if looks[0].scalar:
        more = again(user, BATCH, SPARE * unknown)
    else:
        more = again(user, SPARE * unknown, 1)
    if any(k.track is None for k in more):
        return None
    values, rows, size = [], [], []
    for look in more:
        assert look.track is not None
        squares = 0.5 * look.track.u**2  # (K + 1, n, d)
        columns = np.moveaxis(squares, 1, 2).reshape(unknown - 1, look.n)
        columns = np.concatenate([columns, look.track.ito.sum(0)[None]])
        rows.append(np.stack([look.reduced(c) for c in columns], axis=-1))
        ends = sum(look.ends().values()) + np.zeros(look.n)
        values.append(np.atleast_1d(look.answer.output.values) - look.reduced(ends))
        size.append(np.stack([look.reduced(v) for v in (look.track.energy_size, look.track.size)]))
    matrix, value = np.concatenate(rows), np.concatenate(values)
    rounding = ROUNDINGS * (GROWS if user.job.simulates else 1) * eps
    for blur in rounding * np.concatenate(size, axis=1):  # without the integral, and with it
        scaled = matrix / blur[:, None]
        inverse = np.linalg.pinv(scaled)
        found = inverse @ (value / blur)
        if np.all(np.abs(scaled @ found - value / blur) <= 2):
            known = np.sum(np.abs(inverse), axis=1)[:-1].reshape(STEPS + 1, d)
            return Weights(found[:-1].reshape(STEPS + 1, d), known, more[0].batch.t)
    return None
