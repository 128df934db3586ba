"""Evidence: what one check found, how strongly, and in one sentence.

Conventions
-----------
- ``value`` is the measured error, ``bound`` what it is held against; both are non-negative floats
  and relative unless the sentence says otherwise.
- ``bool(evidence)`` is true for ``holds`` only: ``undecided`` and ``not run`` never pass silently.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from scoreproof.tabular import jsonable

if TYPE_CHECKING:
    from scoreproof.coverage import Coverage
    from scoreproof.diagnosis import Diagnosis
    from scoreproof.tabular import Table

__all__ = ["KINDS", "VERDICTS", "Evidence", "Kind", "Verdict", "strength", "worst"]

Kind = Literal["exact", "certified", "convergent", "float", "statistical"]
Verdict = Literal["holds", "refuted", "undecided", "not run"]

KINDS: tuple[Kind, ...] = ("exact", "certified", "convergent", "float", "statistical")
#: Errors from here on stand for "not a number" or "without bounds".
WHOLLY = 1e100
#: Most alarming first: the order in which verdicts of several instances are combined.
VERDICTS: tuple[Verdict, ...] = ("refuted", "undecided", "not run", "holds")


def strength(kind: Kind) -> int:
    """Rank of a kind of evidence; larger is stronger (exact 5 … statistical 1)."""
    return len(KINDS) - KINDS.index(kind)


@dataclass(frozen=True, slots=True, repr=False)
class Evidence:
    """The outcome of one check on one subject.

    Attributes
    ----------
    kind: how the number was obtained (see ``KINDS``, strongest first).
    verdict: ``holds``, ``refuted``, ``undecided`` or ``not run``.
    value: the measured error (``nan`` when nothing was measured).
    bound: the tolerance, the enclosure's radius or the level that ``value`` is held against.
    sentence: one sentence for a person: what was compared, and how far apart it is.
    cost: work done, in units of work (``{"bits": 200, "evaluations": 64}``), never seconds.
    diagnosis: the known fault that the measurement looks like, if a public check looked for one.
    resolution: the smallest relative deviation of the subject that could not have passed, at the
        least favourable place that was looked at. Every ``holds`` of a public check has one (0 for
        exact arithmetic); the claims' own checks state theirs as the smallest ε that they refute.
    coverage: what was looked at and what was left out; every ``holds`` of a public check has one.
    order: the measured order of convergence, where a check measures one (infinite: exact).
    table: the rows behind the verdict, where there are many (noise levels); ``print`` shows them.
    curves: named ``(x, y)`` series for ``plot()``; ``labels`` names the two axes. A series that is
        called ``bound`` says what rounding may explain there, one called ``exact``, ``implied`` or
        ``due`` what the others should lie on.
    title: which check judged what: ``"check_kl of my_kl"``.

    >>> e = Evidence.measured(3e-16, 1e-14, "the two sides agree")
    >>> bool(e), e.verdict
    (True, 'holds')
    >>> print(Evidence.measured(0.5, 1e-14, "the two sides differ").explain())
    Refuted (float): the two sides differ (error 0.5, bound 1e-14).
    """

    kind: Kind
    verdict: Verdict
    value: float
    bound: float
    sentence: str
    cost: Mapping[str, int] = field(default_factory=dict)
    diagnosis: Diagnosis | None = None
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]] = field(default_factory=dict)
    labels: tuple[str, str] = ("", "error")
    notes: tuple[str, ...] = ()
    resolution: float | None = None
    coverage: Coverage | None = None
    order: float | None = None
    table: Table | None = None
    title: str = ""

    def __post_init__(self) -> None:
        plugin = sys.modules.get("_scoreproof_pytest")
        if plugin is not None:  # `assert e.verdict == "holds"` explains as `assert e` does
            object.__setattr__(self, "verdict", plugin.Told(self.verdict, self))

    def __bool__(self) -> bool:
        plugin = sys.modules.get("_scoreproof_pytest")
        if (
            plugin is not None
        ):  # under pytest: so that a failing `assert check_…(…)` can show the explanation
            plugin.observe(self)
        return self.verdict == "holds"

    def __repr__(self) -> str:
        return (
            f"<Evidence {self.verdict} ({self.kind}): error {self.value:.3g}, bound"
            f" {self.bound:.3g}; {self.sentence}>"
        )

    # -- constructors: each states the one rule by which its kind decides --------------------------

    @classmethod
    def measured(
        cls, value: float, bound: float, sentence: str, *, kind: Kind = "float", **more: Any
    ) -> Evidence:
        """An error against a bound derived from conditioning and rounding: holds iff ``value <=
        bound``.

        A value that is not finite decides nothing (``undecided``).
        """
        value, bound = float(value), float(bound)
        verdict: Verdict = "undecided"
        if math.isfinite(value) and bound >= 0:
            verdict = "holds" if value <= bound else "refuted"
        return cls(kind, verdict, value, bound, sentence, **more)

    @classmethod
    def exact(cls, nonzero: int, sentence: str, *, kind: Kind = "exact", **more: Any) -> Evidence:
        """Finite algebra or exhaustion: ``nonzero`` counts the terms (or cases) that should vanish
        and do not.
        """
        return cls(kind, "refuted" if nonzero else "holds", float(nonzero), 0.0, sentence, **more)

    @classmethod
    def certified(
        cls,
        residuals: Sequence[Any],
        sentence: str,
        *,
        scale: float = 1.0,
        radius: float,
        **more: Any,
    ) -> Evidence:
        """Balls (``arb``/``acb``) that must contain zero.

        Refuted as soon as one excludes zero; holds when all contain zero and no radius exceeds
        ``radius * scale``; undecided otherwise (more bits are needed). ``value`` is the largest
        lower bound of ``|residual| / scale`` (0 when all contain zero), ``bound`` the largest
        radius over ``scale``.
        """
        excluded, widest = 0.0, 0.0
        finite = len(residuals) > 0
        for ball in residuals:
            finite = finite and bool(ball.is_finite())
            lower = float(abs(ball).abs_lower())
            if not ball.contains(0):
                # a lower bound can underflow a float; it is still a strict exclusion
                excluded = max(excluded, lower / scale, 5e-324)
            ball_radius = (
                max(float(ball.real.rad()), float(ball.imag.rad()))
                if hasattr(ball, "imag")
                else float(ball.rad())
            )
            widest = max(widest, ball_radius / scale)
        verdict: Verdict
        if excluded > 0:
            verdict = "refuted"
        elif finite and widest <= radius:
            verdict = "holds"
        else:
            verdict = "undecided"
        return cls("certified", verdict, excluded, widest, sentence, **more)

    @classmethod
    def convergent(
        cls,
        errors: Sequence[float],
        order: float,
        expected_order: float,
        bound: float,
        sentence: str,
        *,
        order_slack: float = 0.5,
        **more: Any,
    ) -> Evidence:
        """Errors along a refinement sequence (coarse to fine) with their observed order.

        Holds iff the finest error is within ``bound`` and the observed order reaches
        ``expected_order - order_slack``, or every error already lies within ``bound`` (the rounding
        floor, where no order can be seen). Refuted iff the finest error exceeds ``bound``;
        undecided when only the order is missed.
        """
        finest = float(errors[-1])
        verdict: Verdict
        if not all(math.isfinite(float(e)) for e in errors):
            verdict = "undecided"
        elif finest > bound:
            verdict = "refuted"
        elif order >= expected_order - order_slack or max(errors) <= bound:
            verdict = "holds"
        else:
            verdict = "undecided"
        return cls("convergent", verdict, finest, float(bound), sentence, **more)

    @classmethod
    def statistical(
        cls, p_value: float, level: float, power: str, sentence: str, **more: Any
    ) -> Evidence:
        """A hypothesis test: refuted iff ``p_value < level``; ``power`` says what it would have
        seen.

        ``value`` is ``level / p_value`` capped at 1e300 (so that, as everywhere, more than ``bound
        = 1`` refutes).
        """
        value = min(level / max(p_value, 1e-300), 1e300)
        if not math.isfinite(p_value):
            return cls.undecided(
                "statistical", f"{sentence} (no p-value could be computed)", **more
            )
        verdict: Verdict = "refuted" if p_value < level else "holds"
        full = f"{sentence} (p = {p_value:.3g}, false-alarm rate {level:g}, power: {power})"
        return cls("statistical", verdict, value, 1.0, full, **more)

    @classmethod
    def undecided(cls, kind: Kind, sentence: str, **more: Any) -> Evidence:
        """The work budget ran out, or a hypothesis could not be checked."""
        return cls(kind, "undecided", math.nan, math.nan, sentence, **more)

    @classmethod
    def not_run(cls, kind: Kind, sentence: str) -> Evidence:
        """An optional dependency is missing; the sentence names it and the command that installs
        it.
        """
        return cls(kind, "not run", math.nan, math.nan, sentence)

    # -- reading -----------------------------------------------------------------------------------

    @property
    def separation(self) -> float:
        """How far the value stands above the bound: ``value / bound``; infinite for exact and
        certified refutations.
        """
        if self.verdict == "refuted" and self.kind in ("exact", "certified"):
            return math.inf
        return self.value / self.bound if self.bound > 0 else (math.inf if self.value > 0 else 0.0)

    def explain(self) -> str:
        """The verdict with its number; what it would have seen and what it looked at; the cause."""
        head = f"{self.verdict.capitalize()} ({self.kind}): {self.sentence.rstrip('.')}"
        if self.comparable:
            head += f" (error {self.value:.3g}, bound {self.bound:.3g})"
        parts = [head + "."]
        if self.diagnosis is not None:
            parts.append(self.diagnosis.sentence)
        if self.verdict == "holds" and self.resolution is not None:
            parts.append(_would_have_seen(self.resolution))
        if self.verdict != "refuted" and self.coverage is not None:
            parts.append(self.coverage.describe())
        parts.extend(self.notes)
        return " ".join(parts)

    @property
    def comparable(self) -> bool:
        """``value`` against ``bound`` says something: these are not numbers that stand for
        "entirely wrong".
        """
        if not (math.isfinite(self.value) and math.isfinite(self.bound)):
            return False
        if self.kind == "statistical":  # its sentence says p and the rate of false alarms
            return False
        return (
            self.kind == "exact"
            or self.verdict != "refuted"
            or (0 < self.bound < self.value < WHOLLY)
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: numbers that are not finite become ``None`` (schema:
        ``report/evidence.schema.json``).
        """
        found = self.diagnosis
        return {
            "kind": self.kind,
            "verdict": str(self.verdict),
            "value": number(self.value),
            "bound": number(self.bound),
            "resolution": number(self.resolution),
            "coverage": None if self.coverage is None else self.coverage.to_dict(),
            "sentence": self.sentence,
            "explanation": self.explain(),
            "diagnosis": None
            if found is None
            else {
                "names": list(found.names),
                "misfit": number(found.misfit),
                "sentence": found.sentence,
            },
            "notes": list(self.notes),
            "cost": counted(self.cost),
            "order": number(self.order),
            "table": None if self.table is None else self.table.to_dict(),
            "title": self.title,
        }

    def plot(self, ax: Any = None) -> Any:
        """Draw the measured curves on ``ax`` (a new figure when omitted) and return the axes.

        Needs matplotlib (``pip install matplotlib``); raises ``MissingExtraError``
        without it.
        """
        from scoreproof.plotting import plot_evidence

        return plot_evidence(self, ax)

    def to_html(self, file: str | os.PathLike[str] | None = None) -> str:
        """A page of its own: the explanation, the picture, the table and the JSON, to attach to an
        issue or to keep beside a run. It fetches nothing and needs no script.

        ``file``: where it is written as well. The picture needs matplotlib (``pip install
        matplotlib``); without it the page says so.

        >>> "<h1>" in Evidence.measured(0, 1, "they agree", title="check_kl of mine").to_html()
        True
        """
        from scoreproof.report.evidence_page import evidence_page

        page = evidence_page(self)
        if file is not None:
            Path(file).write_text(page, "utf-8")
        return page

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from scoreproof.report.evidence_page import evidence_fragment

        return evidence_fragment(self)

    def with_diagnosis(self, diagnosis: Diagnosis | None) -> Evidence:
        """The same evidence with an explanation attached."""
        return replace(self, diagnosis=diagnosis)


def worst(evidence: Sequence[Evidence]) -> Evidence:
    """The most alarming of several outcomes: by verdict, then by how far the value stands above its
    bound; of enclosures of 0, the one with the largest radius.

    >>> worst([Evidence.measured(0, 1, "a"), Evidence.measured(2, 1, "b")]).sentence
    'b'
    """
    if not evidence:
        raise ValueError(
            "evidence must be a non-empty sequence (got none); a check needs at least one instance"
        )

    def alarm(e: Evidence) -> tuple[int, float, float]:
        ratio = e.separation
        radius = e.bound if e.kind == "certified" else 0.0
        return (-VERDICTS.index(e.verdict), ratio if ratio == ratio else 0.0, radius)

    return max(evidence, key=alarm)


def _would_have_seen(resolution: float) -> str:
    if resolution == 0:
        return "Any deviation would have been seen: the arithmetic is exact."
    return (
        f"A relative deviation of {resolution:.1e} would have been seen, at the least favourable"
        " place."
    )


def counted(cost: Mapping[str, int]) -> dict[str, Any]:
    """Work as JSON has it; what is no number was not counted."""
    plain = {name: jsonable(count) for name, count in cost.items()}
    return {name: count for name, count in plain.items() if count is not None}


def number(value: float | None) -> float | None:
    """As JSON has it: what is not finite is null."""
    return float(value) if value is not None and math.isfinite(value) else None
