"""``Evidence.plot()``: the measured curves, the bound and the verdict on one pair of axes."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from scoreproof.errors import MissingExtraError

if TYPE_CHECKING:
    from scoreproof.evidence import Evidence

__all__ = ["as_image", "as_svg", "own_style", "plot_evidence", "stretches"]

_COLOURS = {
    "holds": "tab:green",
    "refuted": "tab:red",
    "undecided": "tab:orange",
    "not run": "tab:gray",
}


#: What a measured curve should lie on, drawn broad and beneath; and what rounding may explain.
DUE = ("due", "exact", "implied", "truth")
BOUND = "bound"
#: Values of a logarithmic axis that are 0 are drawn this far below the smallest that is not.
BELOW = 0.1
#: Points drawn, of all curves together and at least of each: an SVG has an element a point.
POINTS, OF_EACH = 4000, 100


def plot_evidence(evidence: Evidence, ax: Any = None) -> Any:
    """Draw ``evidence`` on ``ax`` (a new figure when omitted) and return the axes.

    The title names the check, the object and the verdict. Curves are drawn over what they should
    lie on; those of errors with the bound of each place, where the check gives it, and otherwise
    with the evidence's bound where the largest error is the evidence's. Without curves the error
    stands beside its bound. An axis is logarithmic where what it shows is positive and spans more
    than two decades; an error of 0 is drawn a decade below the smallest other. Of a curve with
    thousands of points the least and the largest of each stretch are drawn, and its name in the
    legend says how many of how many. Text is drawn as it is, whatever ``$`` is in it. Raises
    ``MissingExtraError`` when matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("report", "matplotlib") from error
    if ax is None:
        # a figure of its own, outside pyplot's global state: nothing to close, no backend to choose
        ax = Figure(layout="constrained").add_subplot()
    if evidence.curves:
        _curves(ax, evidence)
    elif math.isfinite(evidence.value) and math.isfinite(evidence.bound):
        floor = 1e-3 * evidence.bound if evidence.bound > 0 else 1e-300
        ax.bar(["error"], [max(evidence.value, floor)], color=_COLOURS[evidence.verdict])
        if evidence.bound > 0:
            _bound_line(ax, evidence.bound)
            ax.set_yscale("log")
            ax.legend()
    of = f"{evidence.title}\n" if evidence.title else ""
    title = _plain(f"{of}{evidence.verdict} ({evidence.kind})")
    ax.set_title(title, color=_COLOURS[evidence.verdict], parse_math=False)
    return ax


@contextmanager
def own_style() -> Iterator[None]:
    """Matplotlib as it comes, whatever the user's settings say (``text.usetex``, say, needs LaTeX):
    what is drawn and written within is the same everywhere.
    """
    import matplotlib
    from matplotlib import style

    with style.context("default"), matplotlib.rc_context({"svg.hashsalt": "scoreproof"}):
        yield


def as_svg(figure: Any) -> str:
    """A figure as SVG: no date and no random ids. The same bytes from the same numbers, where it
    was drawn in `own_style` as well.
    """
    text = io.StringIO()
    with own_style():
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def as_image(figure: Any) -> str:
    """The same as the source of an ``<img>``, which needs no file beside the page."""
    data = base64.b64encode(as_svg(figure).encode("utf-8")).decode("ascii")
    return f"data:image/svg+xml;base64,{data}"


def _curves(ax: Any, evidence: Evidence) -> None:
    errors = "error" in evidence.labels[1] or "deviation" in evidence.labels[1]
    across, up = (_values(evidence, axis) for axis in (0, 1))
    if errors and _bounded(evidence):
        up.append(evidence.bound)
        _bound_line(ax, evidence.bound)
    positive = [v for v in up if v > 0]
    low = BELOW * min(positive, default=1.0)
    logarithmic = _spans(positive) and all(v >= 0 for v in up) and (errors or min(up) > 0)
    for name, (x, y) in sorted(evidence.curves.items(), key=lambda item: not _is_due(item[0])):
        kept = _kept(y, stretches(evidence).get(name, 0))
        heights = [max(y[k], low) if logarithmic else y[k] for k in kept]
        told = name if len(kept) == len(y) else f"{name} ({len(kept)} of {len(y)} points)"
        ax.plot([x[k] for k in kept], heights, label=_plain(told), **_style(name, x))
    if logarithmic:
        ax.set_yscale("log")
    if across and min(across) > 0 and (_spans(across) or "σ" in evidence.labels[0]):
        ax.set_xscale("log")
    ax.set_xlabel(_plain(evidence.labels[0]), parse_math=False)
    ax.set_ylabel(_plain(evidence.labels[1]), parse_math=False)
    for text in ax.legend().get_texts():
        text.set_parse_math(False)


def stretches(evidence: Evidence) -> dict[str, int]:
    """The curves with more points than are drawn: how many points make a stretch, of which the
    least and the largest are.
    """
    room = max(OF_EACH, POINTS // max(1, len(evidence.curves)))
    return {
        name: math.ceil(2 * len(y) / room)
        for name, (_, y) in evidence.curves.items()
        if len(y) > room
    }


def _kept(y: Sequence[float], stretch: int) -> Sequence[int]:
    """Which points are drawn: the ends, and what stands out in between.

    >>> _kept([0.0, 3.0, 1.0, 2.0, 5.0, 4.0], 3)
    [0, 1, 3, 4, 5]
    >>> _kept([0.0, math.nan, 1.0, 2.0], 4)
    [0, 1, 3]
    """
    if not stretch:
        return range(len(y))
    kept = {0, len(y) - 1}
    for start in range(0, len(y), stretch):
        here = range(start, min(start + stretch, len(y)))
        finite = [k for k in here if math.isfinite(y[k])]
        if finite:
            kept |= {min(finite, key=y.__getitem__), max(finite, key=y.__getitem__)}
        if len(finite) < len(here):  # a gap in the curve
            kept.add(next(k for k in here if not math.isfinite(y[k])))
    return sorted(kept)


def _plain(text: str) -> str:
    """Without halves of a character, which a name can have and no font has."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _values(evidence: Evidence, axis: int) -> list[float]:
    """All finite values on one of the axes."""
    return [float(v) for pair in evidence.curves.values() for v in pair[axis] if math.isfinite(v)]


def _spans(values: list[float]) -> bool:
    return bool(values) and min(values) > 0 and max(values) > 100 * min(values)


def _bounded(evidence: Evidence) -> bool:
    """The evidence's bound belongs to its value: it says something of a curve whose largest or last
    error that is, or that lies below it everywhere, and nothing of others.
    """
    if BOUND in evidence.curves or not evidence.bound > 0:  # nan > 0 is false
        return False
    largest = max((abs(v) for v in _values(evidence, 1)), default=math.nan)
    ends = [largest, *(abs(y[-1]) for _, y in evidence.curves.values() if len(y))]
    same = any(math.isclose(v, evidence.value, rel_tol=1e-6) for v in ends)
    return same or largest <= evidence.bound


def _is_due(name: str) -> bool:
    return name in DUE or name.endswith(" due")


def _style(name: str, x: Any) -> dict[str, Any]:
    if _is_due(name):
        return {"linewidth": 5, "color": "0.8", "solid_capstyle": "round"}
    if name == BOUND:
        return {"linestyle": "--", "color": "0.3"}
    # many (x, y) pairs in no order are points, not a line
    after = list(zip(x, list(x)[1:], strict=False))
    ordered = all(a <= b for a, b in after) or all(a >= b for a, b in after)
    return {"marker": "."} if ordered else {"linestyle": "none", "marker": "."}


def _bound_line(ax: Any, bound: float) -> None:
    ax.axhline(bound, linestyle="--", color="0.3", label=f"bound {bound:.2g}")
