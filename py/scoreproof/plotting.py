"""``Evidence.plot()``: the measured curves, the bound and the verdict on one pair of axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from scoreproof.errors import MissingExtraError

if TYPE_CHECKING:
    from scoreproof.evidence import Evidence

__all__ = ["plot_evidence"]

_COLOURS = {
    "holds": "tab:green",
    "refuted": "tab:red",
    "undecided": "tab:orange",
    "not run": "tab:gray",
}


def plot_evidence(evidence: Evidence, ax: Any = None) -> Any:
    """Draw ``evidence`` on ``ax`` (a new figure when omitted) and return the axes.

    Named curves are drawn as lines (``truth`` dashed), with the bound where they are errors;
    without curves, the error stands beside its bound. The vertical axis is logarithmic where
    everything is positive and spans more than two decades. Raises ``MissingExtraError`` when
    matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("report", "matplotlib") from error
    if ax is None:
        # a figure of its own, outside pyplot's global state: nothing to close, no backend to choose
        ax = Figure(layout="constrained").add_subplot()
    if evidence.curves:
        for name, (x, y) in evidence.curves.items():
            # many (x, y) pairs in no order are points, not a line
            after = list(zip(x, list(x)[1:], strict=False))
            ordered = all(a <= b for a, b in after) or all(a >= b for a, b in after)
            style = (
                {"linestyle": "--", "color": "0.5"}
                if name in ("truth", "exact", "implied")
                else {"marker": "."}
            )
            ax.plot(
                x, y, label=name, **(style if ordered else {"linestyle": "none", "marker": "."})
            )
        values = [v for x, y in evidence.curves.values() for v in y]
        if (
            "error" in evidence.labels[1] and evidence.bound > 0
        ):  # only an error can be held against the bound; nan > 0 is false
            _bound_line(ax, evidence.bound)
            values.append(evidence.bound)
        if values and all(v > 0 for v in values) and max(values) > 100 * min(values):
            ax.set_yscale("log")
        along = [v for x, _ in evidence.curves.values() for v in x]
        if "σ" in evidence.labels[0] and along and min(along) > 0:
            ax.set_xscale("log")
        ax.set_xlabel(evidence.labels[0])
        ax.set_ylabel(evidence.labels[1])
        ax.legend()
    elif math.isfinite(evidence.value) and math.isfinite(evidence.bound):
        floor = 1e-3 * evidence.bound if evidence.bound > 0 else 1e-300
        ax.bar(["error"], [max(evidence.value, floor)], color=_COLOURS[evidence.verdict])
        if evidence.bound > 0:
            _bound_line(ax, evidence.bound)
            ax.set_yscale("log")
            ax.legend()
    ax.set_title(f"{evidence.verdict} ({evidence.kind})", color=_COLOURS[evidence.verdict])
    return ax


def _bound_line(ax: Any, bound: float) -> None:
    ax.axhline(bound, linestyle="--", color="0.3", label=f"bound {bound:.2g}")
