"""From what was given to the verdict of a density, or of a score, that is a function.

Conventions: as in `general.given`; a ``Job`` is read once more for another order of x and t.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.interop.widened import wide_jax
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.forms import (
    any_noise,
    of_a_score,
    plain,
    weakly,
    with_score,
)
from scoreproof.public.fokker_planck.general.given import Given, Probe, prepared, subject
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.fokker_planck.grid.entry import OnGrid, on_grid
from scoreproof.public.fokker_planck.judged import with_mass
from scoreproof.public.fokker_planck.learned import in_order
from scoreproof.public.fokker_planck.mass import flux
from scoreproof.public.fokker_planck.networks import Asked, as_networks, spoken
from scoreproof.public.fokker_planck.rows import with_rows
from scoreproof.public.fokker_planck.single import as_rounded, coarsest, of_rounding

__all__ = ["Job", "alone", "of_an_array", "of_functions"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Job:
    """What is judged: ``law`` the density, whether it is a log, and the score; ``meant``:
    interpretation, diffusion_is, method; ``how``: framework and dtype.
    """

    functions: tuple[Any, Any]
    law: tuple[Any, bool, Any]
    meant: tuple[Any, str, str]
    how: tuple[str, Any]
    inputs: str | None
    tolerance: float | None
    normalized: bool

    def given(self, inputs: str | None) -> Given:
        """All of it, x and t in that order where no name tells."""
        return prepared(self.functions, self.law, self.meant, self.how, inputs)

    def subject_at(self, place: Place, inputs: str | None) -> tuple[Subject, Asked]:
        a, net = as_networks(self.given(inputs), inputs, place)
        return subject(a, Probe.at(place)), net


def alone(kind: str, remedy: str, said: dict[str, Any]) -> None:
    """Arguments that do not go with what is judged; ``said``: those that were passed."""
    for name, value in said.items():
        raise ArgumentError(name, f"left out with {kind}", repr(value)[:60], remedy)


def of_an_array(job: Job, said: OnGrid) -> Evidence:
    """The verdict of what a solver saved."""
    with wide_jax(*job.how), np.errstate(all="ignore"):
        return on_grid(job.given(job.inputs), said)


def of_functions(job: Job, place: Place) -> Evidence:
    """The verdict of a density, with its mass, and of whether rows depend on each other."""
    law, _, score = job.law
    framework, dtype = job.how
    language = spoken(score if law is None else law, framework)
    with wide_jax(language, dtype), warnings.catch_warnings():
        # probes far out overflow, and complex ones meet casts to real: noticed by their results
        warnings.simplefilter("ignore")
        s, net = job.subject_at(place, job.inputs)
        evidence = in_order(
            net,
            lambda: _judged(job, s, place),
            lambda: _judged(job, job.subject_at(place, "tx")[0], place),
        )
        eps = coarsest(*job.functions, law, score) if dtype is None else 0.0
        if of_rounding(evidence, eps):
            coarse, again = _to(job, place, eps)
            if again.verdict != "refuted":
                s, evidence = coarse, as_rounded(again)
        if isinstance(s, General) and s.only_score:
            evidence = with_framework(with_rows(evidence, s, place), s, place)
            return replace(evidence, cost=s.calls)
        if evidence.verdict != "refuted":
            evidence = with_mass(evidence, s, place, job.tolerance, job.normalized)
        evidence = with_rows(evidence, s, place)
        if evidence.verdict == "refuted":
            return replace(evidence, cost=s.calls)
        evidence = with_framework(evidence, s, place)
        note = flux(s, place.box) if place.dimension == 1 else ""
    return replace(evidence, notes=(*evidence.notes, *((note,) if note else ())), cost=s.calls)


def with_framework(evidence: Evidence, s: Subject, place: Place) -> Evidence:
    """A note, where code of a library is asked as if it were NumPy's: by differences of what may be
    single precision. Only a coarse type is asked again, since NumPy's own is not.
    """
    if s.framework != "numpy" or s.law.eps < 1e-10 or evidence.verdict == "refuted":
        return evidence
    t = float(place.times.times[0])
    try:
        module = type(s.law.raw(place.at(0)[:2], t)).__module__.split(".")[0]
    except Exception:  # it was asked as such before: here only a hint is lost
        return evidence
    name = {"jax": "jax", "jaxlib": "jax", "torch": "torch"}.get(module)
    if name is None:
        return evidence
    note = (
        f"{s.law.name} returns arrays of {name}, and was asked as NumPy code is, by differences of"
        f' values: framework="{name}" takes derivatives by {name}, in double precision, and is'
        " quicker and finer."
    )
    return replace(evidence, notes=(*evidence.notes, note))


def _to(job: Job, place: Place, eps: float) -> tuple[Subject, Evidence]:
    """Judged as what was computed with that unit roundoff."""
    s = job.subject_at(place, job.inputs)[0]
    s.f.eps = max(s.f.eps, eps)
    return s, _judged(job, s, place)


def _judged(job: Job, s: Subject, place: Place) -> Evidence:
    """The form that the noise and what was given ask for."""
    method, tolerance = job.meant[2], job.tolerance
    if not isinstance(s, General):
        if method == "weak":
            return weakly(s, place, tolerance)
        return plain(s, place, method, tolerance)
    if s.only_score:
        return of_a_score(s, place, tolerance)
    evidence = any_noise(s, place, method, tolerance)
    if s.slopes is None or evidence.verdict == "refuted":
        return evidence
    return with_score(evidence, s, place, tolerance)
