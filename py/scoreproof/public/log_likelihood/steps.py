"""α and σ of a table of β, or of ᾱ, between its steps.

Conventions: the time is the index of the table, from 0 (the data's end) to T - 1; log(α/σ) is
interpolated by a smooth spline, so that the ODE of the table has rates at every time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy

__all__ = ["last_of_table", "level_of_table"]


def _kept(process: Any) -> np.ndarray | None:
    """ᾱ, ``(T,)``; ``None`` where there is no table. Raises ``ArgumentError``."""
    for name in ("alphas_cumprod", "betas"):
        value = process.get(name) if isinstance(process, Mapping) else getattr(process, name, None)
        if value is None or callable(value):
            continue
        table = np.asarray(as_numpy(value), dtype=float).reshape(-1)
        kept = np.cumprod(1 - table) if name == "betas" else table
        falling = len(kept) > 3 and np.all(np.diff(kept) < 0) and kept[-1] > 0 and kept[0] < 1
        if not falling:
            raise ArgumentError(
                "process",
                f"a table {name} whose ᾱ falls from below 1 to above 0, at more than 3 steps",
                f"{len(kept)} steps, ᾱ from {kept[0]:.4g} to {kept[-1]:.4g}" if len(kept) else "[]",
                "pass betas in (0, 1), the data's end first",
            )
        return np.asarray(kept)
    return None


def last_of_table(process: Any) -> float | None:
    """The last index, the time of the noise.

    >>> last_of_table({"betas": np.linspace(1e-4, 0.02, 1000)})
    999.0
    """
    kept = _kept(process)
    return None if kept is None else len(kept) - 1.0


def level_of_table(process: Any) -> Callable[[np.ndarray], list[np.ndarray]] | None:
    """α and σ at indices that need not be whole.

    >>> level = level_of_table({"betas": [0.1, 0.2, 0.3, 0.4]})
    >>> [round(float(v), 6) for v in level(np.array(1.0))]
    [0.848528, 0.52915]
    """
    kept = _kept(process)
    if kept is None:
        return None
    from scipy.interpolate import make_interp_spline

    # of a degree at which a solver does not see the knots
    degree = 7 if len(kept) > 7 else 3
    spline = make_interp_spline(np.arange(len(kept)), np.log(kept) - np.log1p(-kept), degree)

    def level(t: np.ndarray) -> list[np.ndarray]:
        ratio = spline(np.asarray(t, dtype=float))
        alpha = np.exp(-np.logaddexp(0.0, -ratio) / 2)
        return [alpha, np.exp(-np.logaddexp(0.0, ratio) / 2)]

    return level
