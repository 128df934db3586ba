"""An explanation of a wrong entropy, symmetric divergence or divergence of Rényi in words.

Conventions: as in `told`; what is due of each summand is printed with its factor.
"""

from __future__ import annotations

import math

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.explained import Explained
from scoreproof.public.kl.fit import CLOSED
from scoreproof.public.kl.quantities import LOG_2_PI
from scoreproof.public.kl.summands import Summand

__all__ = ["parts_told", "whole_told"]

RATIOS = {
    0.0: "is left out",
    -1.0: "has the wrong sign",
    2.0: "is doubled",
    0.5: "is halved",
    4.0: "is four times what is due",
    0.25: "is a quarter of what is due",
    -2.0: "is doubled and has the wrong sign",
    -0.5: "is halved and has the wrong sign",
}
#: the constant of an entropy by what is there of it
CONSTANTS = (
    (LOG_2_PI / (1 + LOG_2_PI), "entropy_without_e", "½ for each dimension is left out: 2π stands"
     " where 2πe is due"),
    (1 / (1 + LOG_2_PI), "entropy_without_2pi", "½ log 2π for each dimension is left out: e stands"
     " where 2πe is due"),
    ((LOG_2_PI - 1) / (1 + LOG_2_PI), "entropy_e_below", "½ for each dimension has the wrong sign:"
     " 2π/e stands where 2πe is due"),
    ((math.log(math.pi) + 1) / (1 + LOG_2_PI), "entropy_without_2", "½ log 2 for each dimension is"
     " left out: πe stands where 2πe is due"),
    ((math.log(2) + 1) / (1 + LOG_2_PI), "entropy_without_pi", "½ log π for each dimension is left"
     " out: 2e stands where 2πe is due"),
    ((2 * LOG_2_PI + 1) / (1 + LOG_2_PI), "entropy_2pi_doubled", "½ log 2π for each dimension is"
     " doubled: its 1/2 is missing"),
    ((LOG_2_PI + 2) / (1 + LOG_2_PI), "entropy_e_doubled", "½ for each dimension is doubled: log e"
     " is 1, and its 1/2 is missing"),
    ((LOG_2_PI / math.log(10) + 1 / math.log(10)) / (1 + LOG_2_PI), "entropy_log10", "log 2πe is to"
     " base 10"),
)  # fmt: skip
#: of a Rényi divergence by α: what the whole is multiplied by
ORDERS = (
    ("order_sign", lambda a: -1.0, "it has the wrong sign: 1/(1 - α) stands where 1/(α - 1) is"
     " due"),
    ("without_order_factor", lambda a: 1 - a, "the factor 1/(1 - α) is left out: it is -log of the"
     " integral"),
    ("log_of_the_integral", lambda a: a - 1, "the factor 1/(α - 1) is left out: it is the logarithm"
     " of the integral itself"),
    ("amari", lambda a: 1 / a, "it is divided by α: 1/(α (α - 1)) stands where 1/(α - 1) is due"),
    ("times_order", lambda a: a, "it is multiplied by α: α/(α - 1) stands where 1/(α - 1) is due"),
    ("order_for_factor", lambda a: (a - 1) / a, "1/α stands where 1/(α - 1) is due"),
)  # fmt: skip
NEAR = 1e-6


def whole_told(ratio: float, options: Options) -> tuple[str, str] | None:
    """Of a Rényi divergence that is a multiple of what is due."""
    if options.wanted.quantity != "renyi":
        return None
    for name, of, words in ORDERS:
        if abs(ratio / of(options.wanted.order) - 1) < NEAR:
            return name, words
    return None


def parts_told(found: Explained, options: Options) -> list[tuple[str, str]]:
    """Names and clauses, one for each summand that is another or has another factor."""
    out = []
    pairs = list(zip(found.combination.summands, found.combination.ratios, strict=True))
    logs = {r for s, r in pairs if s.slot.startswith("log")}
    if options.wanted.overlap and not found.others and len(logs) == 1 and logs != {1.0}:
        ratio = logs.pop()
        text = (
            "log det C*/(det C0^(1-α) det C1^α)"
            if options.form == "full"
            else ("Σ log σ*²/(σ0²^(1-α) σ1²^α)")
        )
        factor = "½" if options.wanted.quantity == "bhattacharyya" else "-½/(α - 1)"
        out.append((f"logs_times_{ratio:.6g}", f"the log term {factor} {text} {_ratio(ratio)}"))
        pairs = [(s, r) for s, r in pairs if not s.slot.startswith("log")]
    for summand, ratio in pairs:
        if summand not in found.due:
            due = next((s for s in found.due if s.slot == summand.slot), summand)
            text = f"{_printed(summand, options, ratio)} stands where {_printed(due, options)}"
            out.append((f"other_{summand.slot}", f"{text} is due"))
        elif ratio != 1:
            known = _constant(ratio) if options.wanted.quantity == "entropy" else None
            if summand.slot == "one" and known is not None:
                out.append(known)
                continue
            name = f"{summand.slot}_times_{ratio:.6g}"
            out.append((name, f"the term {_printed(summand, options)} {_ratio(ratio)}"))
    return out


def _constant(ratio: float) -> tuple[str, str] | None:
    for value, name, words in CONSTANTS:
        if abs(ratio / value - 1) < NEAR:
            return name, words
    return None


def _ratio(ratio: float) -> str:
    if ratio in RATIOS:
        return RATIOS[ratio]
    closed = next((w for v, w in CLOSED.items() if abs(ratio / v - 1) < 1e-5), "")
    return f"is {ratio:.6g} times what is due" + (f" ({closed})" if closed else "")


def _printed(summand: Summand, options: Options, ratio: float = 1.0) -> str:
    factor = summand.factor * ratio
    a = options.wanted.alpha
    halves = {0.5: "½ ", -0.5: "-½ ", 1.0: "", -1.0: "-", 0.25: "¼ ", -0.25: "-¼ ", 0.125: "⅛ "}
    text = halves.get(factor)
    if options.wanted.quantity == "renyi":
        orders = {
            a / 2: "½ α ",
            1 / (2 * (1 - a)): "-½/(α - 1) ",
            a / (2 * (a - 1)): "½ α/(α - 1) ",
        }
        text = next((w for v, w in orders.items() if abs(factor - v) < NEAR * abs(v)), text)
    sums = "" if options.form == "full" else "Σ "
    if "once" in summand.words:
        sums = ""
    if options.form == "full" and summand.slot == "one" and summand.words not in ("d",):
        sums = "d " if "once" not in summand.words else ""
    return f"{text if text is not None else f'{factor:.6g} '}{sums}{summand.words}"
