"""Why a gradient was refuted: cheapest first, each said only if it leaves no more than the bound.

Conventions: as in `verdict`; all questions' rows stand one below the other, ``found``, ``due`` and
``limit`` ``(G, P)``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.black_box_field import BlackBoxField
from scoreproof.public.log_likelihood_gradient import outputs
from scoreproof.public.log_likelihood_gradient.arguments import Given
from scoreproof.public.log_likelihood_gradient.asking import Measurement, Question
from scoreproof.public.log_likelihood_gradient.by_leaf import by_leaf
from scoreproof.public.log_likelihood_gradient.due import designs, rows_of
from scoreproof.public.log_likelihood_gradient.flows import Wanted, another_flow
from scoreproof.public.log_likelihood_gradient.joining import (
    ALIKE,
    SOLVERS,
    nearly,
    with_the_trace,
)
from scoreproof.public.log_likelihood_gradient.known_faults import KnownFaults
from scoreproof.public.log_likelihood_gradient.noises import another_noise
from scoreproof.public.log_likelihood_gradient.parts import fitted, parts, said
from scoreproof.public.log_likelihood_gradient.priors import another_prior, power_of_std
from scoreproof.public.log_likelihood_gradient.reference import Settled
from scoreproof.public.log_likelihood_gradient.repeated import ignores_nu, not_the_same_twice
from scoreproof.public.log_likelihood_gradient.some_leaves import weighed_in_some
from scoreproof.public.log_likelihood_gradient.stepping import OF_BOTH, few_steps
from scoreproof.public.log_likelihood_gradient.sweeps import another_sweep
from scoreproof.public.log_likelihood_gradient.traced_at import traced_elsewhere
from scoreproof.public.log_likelihood_gradient.values import handed_in as value_handed_in
from scoreproof.public.log_likelihood_gradient.values import of_value as cause_of_value
from scoreproof.public.log_likelihood_gradient.verdict import Comparison

__all__ = ["Refuted"]

#: parameters of a NumPy field up to which all are compared with other gradients, and else how many
ALL, SOME = 64, 16


@dataclass(frozen=True, eq=False)
class Refuted:
    given: Given
    measure: Measurement
    field: BlackBoxField
    settled: Settled
    c: Comparison
    rng: np.random.Generator

    def explained(self, bound: float, flicker: float) -> Diagnosis | None:
        """``flicker``: how far two equal calls were apart, relative to the largest entry."""
        if flicker > bound:
            return not_the_same_twice(self.measure, self.given, self.c, (bound, flicker))
        return self._explained(bound)

    def _explained(self, bound: float) -> Diagnosis | None:
        of_value = cause_of_value(self.given, self.settled, self.c, bound)
        blocks = self._blocks(bound)
        found, due, limit = (np.concatenate(b) for b in zip(*blocks, strict=True))
        plain = self.c.how.columns is None
        if plain and np.all(np.abs(found - due) <= limit):
            known = of_value is not None and of_value.names
            return of_value if known else self._faults().together(bound)
        cause = self._of_gradient(blocks, bound) if plain else self._by_parts(bound)
        if cause is None or of_value is None or not cause.names:
            return cause
        if not of_value.names:
            if cause.names[0] in OF_BOTH:  # they explain log p̂ too
                return cause
            return replace(cause, sentence=f"{cause.sentence} {of_value.sentence}")
        same = {of_value.names[0]} | ALIKE.get(of_value.names[0], set())
        if {part for name in cause.names for part in name.split(" + ")} & same:
            return cause
        names = tuple(f"{one} + {other}" for one in cause.names for other in of_value.names)
        return replace(cause, names=names, sentence=f"{cause.sentence} {of_value.sentence}")

    def _faults(self) -> KnownFaults:
        nus = [q.nu for q in self.c.asked[:1]]
        if self.given.in_expectation:
            nus = list(designs(self.given, self.rng))
        return KnownFaults(
            self.given, self.field, self.settled, self.c.found[0], self.c.error(0), nus, self.rng
        )

    def _blocks(self, bound: float) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        c = self.c
        if c.how.columns is not None:
            return [(np.zeros((1, 1)),) * 3]
        return [
            (
                a.gradient,
                d.gradient,
                np.broadcast_to(bound * c.largest(k) + d.floor, d.gradient.shape),
            )
            for k, (a, d) in enumerate(zip(c.found, c.due, strict=True))
        ]

    def _of_gradient(
        self, blocks: list[tuple[np.ndarray, np.ndarray, np.ndarray]], bound: float
    ) -> Diagnosis | None:
        faults = self._faults()
        found, due, limit = (np.concatenate(b) for b in zip(*blocks, strict=True))
        first, prepared = self._wanted(bound, first=True), self.settled.before
        cause = (
            self._simple(blocks, faults, bound)
            or outputs.changed(found, due, limit, self.given.leaves)
            or ignores_nu(self.measure, self.given, self.c, self.rng)
            or another_prior(self.field, prepared, first)
            or another_noise(self.field, first, prepared)
            or traced_elsewhere(self.field, prepared, first)
            or another_sweep(self.field, prepared, first)
        )
        if cause is not None:
            return cause
        # a solver's own error lies above the bound: all but that may have a cause
        wider = bound + SOLVERS * float(np.max(self.c.error(0))) / self.c.largest(0)
        near = self._simple(self._blocks(wider), faults, wider) or traced_elsewhere(
            self.field, prepared, self._wanted(wider, first=True)
        )
        if near is not None:
            return nearly(near)
        return (
            few_steps(
                self.field,
                first,
                self.rng,
                value_handed_in(self.given, self.settled, self.c, bound),
            )
            or another_flow(self.field, first)
            or self._placed(faults.together(bound), found, due, limit)
        )

    def _simple(
        self,
        blocks: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
        faults: KnownFaults,
        bound: float,
    ) -> Diagnosis | None:
        found, due, limit = (np.concatenate(b) for b in zip(*blocks, strict=True))
        simple = (
            outputs.the_same_for_all_rows(blocks)
            or outputs.missing(found, due, limit, self.given.leaves, self.given.held.detached)
            or outputs.negated(found, due, limit)
            or outputs.decayed(found, due, limit, self.given.params)
            or outputs.divided_by_rows(blocks, [len(q.rows) for q in self.c.asked])
            or outputs.clipped_to_a_norm(blocks)
            or by_leaf(self.given.leaves, found, due, limit, self._rows(blocks), self.given.params)
        )
        if simple is not None:
            return simple
        # known faults are told apart at a few parameters: some right leaves may contradict them
        some = self._in_some_leaves(bound)
        if some is not None:
            return self._by_parts(bound) or some
        single = faults.alone(bound)
        return single if single.names else self._by_parts(bound)

    def _in_some_leaves(self, bound: float) -> Diagnosis | None:
        wanted = self._wanted(bound, first=False)
        return weighed_in_some(self.field, self.settled.prepared, wanted, self.given.leaves)

    def _rows(self, blocks: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> np.ndarray:
        """Of each row of the answers, how many rows the question had."""
        return np.repeat([len(q.rows) for q in self.c.asked], [len(b[0]) for b in blocks])

    def _placed(
        self, found: Diagnosis, measured: np.ndarray, due: np.ndarray, limit: np.ndarray
    ) -> Diagnosis:
        """Where it is wrong, if no cause is claimed."""
        if found.names:
            return found
        where = outputs.placed(measured, due, limit, self.given.leaves)
        return replace(found, sentence=f"{found.sentence} {where}".strip())

    def _wanted(self, bound: float, first: bool) -> Wanted:
        c, given = self.c, self.given
        asked, answers = (c.asked[:1], c.found[:1]) if first else (c.asked, c.found)
        if given.in_expectation:
            asked = [Question(np.arange(len(given.x)), nu, "") for nu in designs(given, self.rng)]
            answers = [c.found[0]] * len(asked)
        nus = np.stack([q.nu for q in asked])
        mix = rows_of(asked, answers, given.in_expectation)
        gradient = np.concatenate(
            [a.gradient for a in answers[: 1 if given.in_expectation else None]]
        )
        columns = self._columns()
        if c.how.columns is None:
            due = np.concatenate([d.gradient for d in c.due[: len(answers)]])
            limit = np.concatenate(
                [
                    np.broadcast_to(bound * c.largest(k) + c.due[k].floor, c.due[k].gradient.shape)
                    for k in range(len(c.due[: len(answers)]))
                ]
            )
            if columns is not None:
                due, limit = due @ columns, limit @ columns
        else:
            due, limit = np.zeros((len(gradient), 0)), np.zeros((len(gradient), 0))
        return Wanted(
            gradient if columns is None else gradient @ columns,
            due,
            limit,
            (mix, columns),
            nus,
            given.x,
            given.latent,
            self.settled.before.path.grid,
        )

    def _columns(self) -> np.ndarray | None:
        """Single parameters to compare, if not all: those off most and a few more."""
        p = self.given.params.size
        if self.c.how.columns is None and (self.field.ad is not None or p <= ALL):
            return None
        order = np.random.default_rng(0).permutation(p)
        if self.c.how.columns is None:
            off = np.argsort(-np.max(self.c.error(0), axis=0), kind="stable")
            order = np.array(list(dict.fromkeys([*off[: SOME // 2], *order])))
        return np.eye(p)[:, np.sort(order[:SOME])]

    def _by_parts(self, bound: float) -> Diagnosis | None:
        """Multiples of the gradient's parts; then with the trace itself for νᵀJν."""
        given, w = self.given, self._wanted(bound, first=False)
        n, d = given.x.shape
        summed = len(self.c.found[0].gradient) == 1 and n > 1
        prepared = self.settled.prepared
        for exact in (False, True):
            basis = parts(self.field, prepared, given.latent, w.nus, w.how, exact=exact)
            limit = w.limit
            if not limit.size:
                whole = np.abs(basis.sum(axis=0))
                limit = np.broadcast_to((bound + 1e-9) * float(np.max(whole)), whole.shape)
            multiples = fitted(w.found, basis, limit)
            if multiples is None:
                continue
            if exact:
                return with_the_trace(
                    said(multiples, {"n": n, "D": d}, "tr J"), given.in_expectation
                )
            if summed and multiples.alike(0, 1, 2) and multiples.near(1 / n, 1 / n, 1 / n):
                return Diagnosis.cause(*outputs.MEAN_OVER_THE_BATCH)
            power = power_of_std(multiples, given.latent, prepared.path.start)
            return power or said(multiples, {"n": n, "D": d, "D ln 2": d * np.log(2)})
        return None
