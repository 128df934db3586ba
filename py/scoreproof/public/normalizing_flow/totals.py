"""What gradients are taken of: log_det, and log_prob, summed over the rows.

Conventions: rows are weighted unlike each other, so that they do not cancel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.public.normalizing_flow.asking import Flow
from scoreproof.public.normalizing_flow.density import data_of
from scoreproof.public.normalizing_flow.look import Look

__all__ = ["Total", "totals_of", "weights"]


@dataclass(frozen=True, eq=False)
class Total:
    """One number a row at rows ``x``, of a ``size``: ``total(x)`` is their sum by NumPy, and
    ``native`` returns the numbers of the library.
    """

    name: str
    x: np.ndarray
    size: float
    total: Callable[[np.ndarray], float]
    native: Callable[[Any], Any]
    #: the numbers of the rows by themselves, by NumPy
    rows: Callable[[np.ndarray], np.ndarray] | None = None


def weights(n: int) -> np.ndarray:
    return 1 + 0.5 * np.sin(np.arange(n))


def totals_of(look: Look) -> list[Total]:
    """log_prob only in PyTorch, where it is known whether its gradients are wanted."""
    flow, found = look.flow, []
    if look.answer.log_det is not None:
        size = float(np.max(np.abs(look.answer.log_det)))
        found.append(
            Total(
                "log_det",
                look.x,
                size,
                lambda x: _of_log_det(flow, x),
                lambda x: flow.native(x)[1],
                lambda x: _log_dets(flow, x),
            )
        )
    whole = flow.form(len(look.x)).log_prob
    if whole is not None and flow.job.framework == "torch":
        data = data_of(look)
        values = flow.log_prob(data)
        size = 0.0 if values is None else float(np.max(np.abs(values)))
        found.append(Total("log_prob", data, size, lambda x: _of_law(flow, x), _first(whole)))
    return found


def _log_dets(flow: Flow, x: np.ndarray) -> np.ndarray:
    answer = flow.forward(x)
    assert answer.log_det is not None
    return answer.log_det


def _of_log_det(flow: Flow, x: np.ndarray) -> float:
    return float(weights(len(x)) @ _log_dets(flow, x))


def _of_law(flow: Flow, x: np.ndarray) -> float:
    found = flow.log_prob(x)
    assert found is not None
    w = weights(len(x))
    return float(np.sum(w) * found.sum() if found.size == 1 else w @ found.reshape(len(x)))


def _first(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def first(x: Any) -> Any:
        found = function(x)
        return found[0] if isinstance(found, tuple | list) else found

    return first
