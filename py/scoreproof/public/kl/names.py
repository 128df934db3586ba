"""What the arguments of a function are, from the names that its author gave them.

Conventions: a name has a kind ("mean", or what a scale is) and a mark that says whose it is (0 and
1, p and q, prior, …); the law that comes first is the first law, where they are not numbered.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, replace
from typing import Any

from scoreproof.interop.signatures import parameters, positional

__all__ = ["Named", "named", "written"]

#: kind -> what people call it, without the mark
KINDS = {
    "mean": "mu|mus|mean|means|loc|locs|location|avg|μ",
    "logvar": "logvar|logvars|logvariance|logsigma2|logsigmasq|logsigmasquared|logsig2|logsd2|lnvar"
    "|lnsigma2|logv|logσ2|logcov|logs2|logssq|lv",
    "logstd": "logstd|logstds|logstddev|logsigma|logsig|logscale|logs|logsd|lnsigma|logσ|ls|lns",
    "std": "std|stds|stddev|stdev|sigma|sigmas|sig|scale|scales|sd|σ|deviation",
    "variance": "var|vars|variance|variances|sigma2|sigmasq|sigmasquared|σ2|sigsq",
    "precision": "precision|prec|precisions|tau|invvar",
    "logprecision": "logprecision|logprec",
    "softplus": "rho|ρ|rawscale|rawstd|rawsigma|rawsd|rawstddev|prestd|prescale|presigma|scaleraw"
    "|stdraw|sigmaraw|unconstrainedscale|unconstrainedstd|unconstrainedsigma",
    "scale_tril": "scaletril|tril|chol|cholesky|lower|covarchol|cholcov|sqrt|covsqrt"
    "|choleskyfactor",
    "covariance": "cov|covs|covariance|covariances|covariancematrix|covmat|covmatrix",
    "precision_matrix": "precisionmatrix|precmat|precmatrix|invcov|covinv",
    "precision_tril": "precisiontril|prectril|precisioncholesky|precchol",
}
#: single letters, read only where nothing else says what they are
WEAK = {"m": "mean", "s": "std", "v": "variance", "l": "logvar"}
#: capitals, of matrices
CAPITALS = {
    "L": "scale_tril",
    "C": "covariance",
    "S": "covariance",
    "K": "covariance",
    "Sigma": "covariance",
    "Σ": "covariance",
    "P": "precision_matrix",
    "Lambda": "precision_matrix",
    "Λ": "precision_matrix",
}
MARKS = (
    "0|1|2|a|b|p|q|t|s|x|y|z|r|prior|post|posterior|old|new|ref|target|true|pred|model|student|teacher"
    "|enc|encoder|hat|prev|current|cur|f|g"
)
#: numbers that something makes σ of, mostly softplus
RAW = re.compile("raw|^pre_|unconstrained")
#: laws of which a divergence is taken either way round, whichever comes first
GIVEN = ("true", "target", "ref", "teacher", "old", "prev")
SOUGHT = ("pred", "model", "student", "new", "current", "cur", "hat")
FULL = ("scale_tril", "covariance", "precision_matrix", "precision_tril")
_OF = {word: kind for kind, words in KINDS.items() for word in words.split("|")}


@dataclass(frozen=True)
class Named:
    """What the names say: the roles in order, the kinds of the scales of the first and the second
    law ("" where there is none); ``strong``: no single letter among those that say it;
    ``either``: the marks of both laws, where their order does not say which is the first; ``raw``:
    what σ is made of, by softplus or otherwise.
    """

    roles: tuple[str, ...]
    kinds: tuple[str, str]
    strong: bool
    either: tuple[str, str] | None = None
    raw: bool = False

    def turned(self) -> Named:
        """With the law that was the second as the first."""
        other = {"0": "1", "1": "0"}
        roles = tuple(r[:-1] + other[r[-1]] if r[-1] in other else r for r in self.roles)
        either = None if self.either is None else (self.either[1], self.either[0])
        return replace(self, roles=roles, kinds=(self.kinds[1], self.kinds[0]), either=either)

    @property
    def pair(self) -> bool:
        return any(r[-1] == "1" for r in self.roles) or "scale" in self.roles

    @property
    def telling(self) -> bool:
        """The scales' own names say the form: matrices, and logarithms of entries."""
        return any(k in FULL or k.startswith("log") or k == "softplus" for k in self.kinds)

    @property
    def form(self) -> str | None:
        """Matrices are full; logarithms, and a law beside N(0, I), have an entry a coordinate."""
        if any(k in FULL for k in self.kinds):
            return "full"
        return "diagonal" if self.telling or not self.pair else None


def written(function: Any) -> list[inspect.Parameter] | None:
    """The positional parameters that have to be given; ``None`` where they are not known."""
    function = getattr(function, "function", function)
    given = parameters(function)
    if given is None or any(p.kind == p.VAR_POSITIONAL for p in given):
        return None
    return positional(function)


def named(function: Any) -> Named | None:
    """What its parameters say; ``None`` if they do not say what all of them are.

    >>> named(lambda mu_q, logvar_q, mu_p, logvar_p: 0).roles
    ('mean0', 'scale0', 'mean1', 'scale1')
    >>> named(lambda mu0, mu1, std: 0).roles
    ('mean0', 'mean1', 'scale')
    """
    parameters = written(function)
    if not parameters:
        return None
    needed = [p.name for p in parameters if p.default is p.empty]
    every = [p.name for p in parameters]
    for names in (needed, every):
        if (found := _roles(names)) is not None:
            return found
    return None


def _roles(names: list[str]) -> Named | None:
    # then sigma2 is the second, no square
    counted = any(re.search("1$|^(mu|mean|m|loc)s?_?2$", name) for name in names)
    read = [_kind(name, counted) for name in names]
    if not names or any(kind is None for kind, _, _ in read):
        return None
    marks = [mark for _, mark, _ in read]
    kinds = ["mean" if kind == "mean" else "scale" for kind, _, _ in read]
    if len(names) > 4 or any(kinds.count(k) > 2 for k in kinds):
        return None
    sides = _sides(marks, kinds)
    if sides is None:
        return None
    roles = []
    for kind, side in zip(kinds, sides, strict=True):
        one = kind == "scale" and kinds.count("scale") == 1 and kinds.count("mean") == 2
        roles.append("scale" if one else f"{kind}{side}")
    if len(set(roles)) < len(roles):
        return None
    of = {r: kind for r, (kind, _, _) in zip(roles, read, strict=True) if r.startswith("scale")}
    first = of.get("scale0") or of.get("scale") or ""
    second = of.get("scale1") or of.get("scale") or ""
    strong = all(strong for _, _, strong in read)
    raw = any(RAW.search(name.lower()) for name in names)
    return Named(tuple(roles), (str(first), str(second)), strong, _either(marks, sides), raw)


def _either(marks: list[str], sides: list[int]) -> tuple[str, str] | None:
    """Whose laws they are, where it is written either way round; q from p is the usual order."""
    first, second = (
        next((m for m, s in zip(marks, sides, strict=True) if s == k), "") for k in (0, 1)
    )
    open_ = (first, second) == ("p", "q")
    for one, other in ((first, second), (second, first)):
        open_ |= one in GIVEN and other in SOUGHT
    return (first, second) if open_ else None


def _sides(marks: list[str], kinds: list[str]) -> list[int] | None:
    """Which law each belongs to, by the marks; by their order where they have none."""
    alone = {k for k in kinds if kinds.count(k) == 1}
    distinct = list(dict.fromkeys(marks))
    if len(set(kinds)) == len(kinds):
        return [0] * len(kinds)
    if len(distinct) == 2:
        distinct = _counted(distinct)
        return [distinct.index(m) for m in marks]
    if len(distinct) == 3 and len(alone) == 1:  # a scale of both has no mark
        others = _counted([m for m, k in zip(marks, kinds, strict=True) if k not in alone])
        return [others.index(m) if k not in alone else 0 for m, k in zip(marks, kinds, strict=True)]
    return None


def _counted(marks: list[str]) -> list[str]:
    """In order: laws that are numbered are not asked which comes first, and a prior is second."""
    if all(m in ("0", "1", "2") for m in marks):
        return sorted(marks)
    return sorted(marks, key=lambda m: m == "prior")


def _kind(name: str, counted: bool) -> tuple[str | None, str, bool]:
    """Kind, mark, and whether more than one letter says so; ``counted``: a 2 at the end is one."""
    bare = name.strip("_")
    for capital, kind in CAPITALS.items():
        if match := re.fullmatch(rf"{capital}_?({MARKS})?", bare):
            return kind, match[1] or "", True
        if match := re.fullmatch(rf"({MARKS})_{capital}", bare):
            return kind, match[1], True
    low = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", bare).lower()
    parts = [p for p in low.split("_") if p]
    two = re.search("[2²]$", low) is not None
    if parts and (word := _OF.get("".join(parts))) and not (two and counted):
        return word, "", True
    for cut in range(len(parts), 0, -1):
        for start in (0, len(parts) - cut):
            middle = "".join(parts[start : start + cut])
            mark = "_".join(parts[:start] + parts[start + cut :])
            if (
                middle in _OF
                and not (counted and middle[-1] == "2")
                and re.fullmatch(rf"({MARKS})?(_({MARKS}))?", mark)
            ):
                return _OF[middle], mark, True
            match = re.fullmatch(rf"(.+?)({MARKS})", middle)
            if not mark and match and match[1] in _OF:
                return _OF[match[1]], match[2], True
            if not mark and (match := re.fullmatch(r"([pq])(.+)", middle)) and match[2] in _OF:
                return _OF[match[2]], match[1], True
    if match := re.fullmatch(rf"([{''.join(WEAK)}])_?({MARKS})?", low):
        return WEAK[match[1]], match[2] or "", False
    if match := re.fullmatch(rf"([pq])_?([{''.join(WEAK)}])", low):
        return WEAK[match[2]], match[1], False
    return None, "", False
