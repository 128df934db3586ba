"""Another kind of prediction comes back: what would make it right, and only then what to declare.

Conventions: ``x = α x_0 + σ ε`` is the noisy point; s is the score, u a velocity; primes are d/dt.
"""

from __future__ import annotations

from collections.abc import Mapping

from scoreproof.public.posterior.closed import Examples
from scoreproof.public.posterior.prediction import Prediction

__all__ = ["DUE", "KINDS", "comes_back", "flow_for_velocity", "of_kind"]

KINDS = {
    "x0": "E[x_0 | x]",
    "eps": "E[ε | x]",
    "score": "the score",
    "v": "v = α ε - σ x_0",
    "F": "EDM's F",
    "velocity": "the velocity",
    "flow": "ε - x_0, a straight flow's velocity",
}
DUE = KINDS | {
    "v": "v",
    "velocity": "the velocity α' x_0 + σ' ε of the path",
    "flow": "the velocity ε - x_0",
}
SHORT = {
    "x0": "x_0",
    "eps": "ε",
    "score": "the score",
    "v": "v",
    "F": "F",
    "velocity": "the velocity",
    "flow": "ε - x_0",
}
#: x_0 from what comes back; and for α = 1
X_0 = {
    "eps": ("(x - σ ε)/α", "x - σ ε"),
    "score": ("(x + σ² s)/α", "x + σ² s"),
    "v": ("(α x - σ v)/(α² + σ²)", "(x - σ v)/(1 + σ²)"),
    "flow": ("(x - σ u)/(α + σ)", "(x - σ u)/(1 + σ)"),
    "velocity": ("(σ' x - σ u)/(α σ' - σ α')", "(σ' x - σ u)/(σ' - σ α')"),
    "F": ("c_skip x + c_out F", "c_skip x + c_out F"),
}
#: what is due from x_0; and for α = 1
FROM_X_0 = {
    "eps": ("ε = (x - α x_0)/σ", "ε = (x - x_0)/σ"),
    "score": ("s = (α x_0 - x)/σ²", "s = (x_0 - x)/σ²"),
    "v": ("v = (α x - (α² + σ²) x_0)/σ", "v = (x - (1 + σ²) x_0)/σ"),
    "velocity": ("u = α' x_0 + σ' (x - α x_0)/σ", "u = α' x_0 + σ' (x - x_0)/σ"),
    "flow": ("u = (x - α x_0)/σ - x_0", "u = (x - x_0)/σ - x_0"),
    "F": ("F = (x_0 - c_skip x)/c_out", "F = (x_0 - c_skip x)/c_out"),
}
DIRECT = {("eps", "score"): "s = -ε/σ", ("score", "eps"): "ε = -σ s"}
#: of one level there is no prediction='flow'
SAY_FLOW = "say prediction='flow' (of one level: 'velocity', with rates=(-1, 1))"


def _converted(name: str, due: str, one: bool) -> str:
    """The formula of what is due; ``one``: where α is 1."""
    if (name, due) in DIRECT:
        return DIRECT[name, due]
    parts = [f"x_0 = {X_0[name][one]}"] if name in X_0 else []
    parts += [FROM_X_0[due][one]] if due in FROM_X_0 else []
    return " and ".join(parts)


def comes_back(name: str, due: str, *, minus: bool = False, one: bool = False) -> str:
    """``it returns … where … is due: convert it, x_0 = …; if … is meant``: what to declare then
    follows.

    >>> comes_back("eps", "x0", one=True)
    'it returns E[ε | x] where E[x_0 | x] is due: convert it, x_0 = x - σ ε; if ε is meant'
    """
    sign, negate = ("minus ", "negate and ") if minus else ("", "")
    return (
        f"it returns {sign}{KINDS[name]} where {DUE[due]} is due: {negate}convert it,"
        f" {_converted(name, due, one)}; if {SHORT[name]} is meant"
    )


def of_kind(name: str, kind: Prediction, *, minus: bool = False) -> str:
    """All of it, for a check that was told ``kind``."""
    said = comes_back(name, kind.name, minus=minus, one=kind.problem.alpha == 1.0)
    say = SAY_FLOW if name == "flow" else f"say prediction={name!r}"
    return f"{said}, {'negate it and ' if minus else ''}{say}"


def flow_for_velocity(t: Mapping[str, str]) -> str:
    """ε - x_0 where ``α' x_0 + σ' ε`` is due, given texts of the rates."""
    a, s = t["α'"], t["σ'"]
    if a == f"-{s}":
        lacks = f"the factor {s}, the speed of the path, is missing"
    else:
        # numbers that differ between levels were said already
        own = "σ'" if isinstance(s, Examples) else s
        lost = ["-α' before x_0"] * (a != "-1") + [f"{own} before ε"] * (s != "1")
        many = len(lost) > 1
        lacks = f"the factor{'s' * many} {' and '.join(lost)} {'are' if many else 'is'} missing"
    return (
        f"it returns ε - x_0, but the velocity of the path is α' x_0 + σ' ε with α' = {a},"
        f" σ' = {s}: {lacks}; if the network is meant to predict ε - x_0, {SAY_FLOW}, and convert"
        " it before it is integrated"
    )
