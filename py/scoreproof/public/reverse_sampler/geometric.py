"""A factor of g² that is made of the logarithm in the g of a geometric σ(t).

Conventions: as in `terms`; σ = σ_min (σ_max/σ_min)^(t/T), α = 1.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.reverse_sampler.terms import Terms

__all__ = ["geometric"]


def geometric(s: Terms, k: float) -> str:
    """What of g = σ √(2 L) is misplaced where g² is ``k`` times the one due; L is log(σ_max/σ_min)
    over the time that it takes.
    """
    g2 = np.array([s.target.diffusion(t) ** 2 for t in s.t])
    level = [s.target.level(t) for t in s.t]
    alpha, square = np.array([v[0] for v in level]), np.array([v[2] for v in level])
    logs = g2 / (2 * square)
    log = float(np.median(logs))
    if not (s.same(alpha, 1) and s.same(logs, log)):
        return ""
    is_l = f", L = log(σ_max/σ_min)/T = {log:.4g}"
    horizon, first = s.target.horizon, 1e-9 * s.target.horizon
    top, low = (float(s.target.level(u)[2] ** 0.5) for u in (horizon, first))
    for end, name in ((np.log(top), "log σ_max"), (-np.log(low), "-log σ_min")):
        if end > 0 and abs(k * log * horizon / end - 1) <= 1e-6:
            return f"g is σ √(2 {name}), where σ √(2 log(σ_max/σ_min)) is due"
    for factor, words in (
        (log, "σ √2 L, L outside the root"),
        (2 * log, "σ 2 L, the root is missing"),
        (1 / log, "σ √2, without √L"),
        (1 / (2 * log), "σ, without √(2 L)"),
        (log / 2, "σ L, without √ and 2"),
        (1 / 2, "σ √L, without the 2"),
        (2.0, "2 σ √L, with the 2 outside the root"),
    ):
        if abs(k / factor - 1) <= max(s.tol, 1e-6):
            return f"g is {words}, where σ √(2 L) is due{is_l}"
    return ""
