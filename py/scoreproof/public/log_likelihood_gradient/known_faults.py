"""Which known fault of the adjoint equations, or pair of faults, predicts what was found.

Conventions: compared at the first question along the parameters that are off most, row by row or
summed, each block (gradient, log p̂) divided by its own size.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from scoreproof.claims.ffjord.faults import EDITS, TRUTH, compose
from scoreproof.claims.ffjord.solver import Prepared, Solution, solve
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.black_box_field import BlackBoxField
from scoreproof.public.log_likelihood_gradient.arguments import Given
from scoreproof.public.log_likelihood_gradient.asking import Answer
from scoreproof.public.log_likelihood_gradient.linearization import path_of, prepare_black_box
from scoreproof.public.log_likelihood_gradient.reference import Settled
from scoreproof.public.log_likelihood_gradient.words import REASONS

__all__ = ["KnownFaults"]

#: parameters along which faults are told apart
WORST = 4
#: pairs of faults that are solved for, of those whose effects add up to nearly what was found
PAIRS = 24


class KnownFaults:
    """The first question's answer ``found``, and what is due, against the known faults."""

    def __init__(
        self,
        given: Given,
        field: BlackBoxField,
        settled: Settled,
        found: Answer,
        error: np.ndarray,
        nus: Iterable[np.ndarray],
        rng: np.random.Generator,
    ) -> None:
        self.given, self.nus, self.found = given, list(nus), found
        off = np.max(error, axis=0)
        self.everywhere = bool(np.mean(off > 1e-3 * np.max(off)) > 0.5) or not np.any(off)
        worst = np.sort(np.argsort(-off, kind="stable")[:WORST])
        self.directions = np.zeros((given.params.size, worst.size))
        self.directions[worst, np.arange(worst.size)] = 1.0
        narrow = BlackBoxField(field.guard, field.params, self.directions, field.framework, given.x)
        grid = settled.before.path.grid
        self.prepared: Prepared = prepare_black_box(narrow, path_of(narrow, given.x, grid))
        self.fresh = rng.standard_normal(given.x.shape)
        truth = self._mean(TRUTH, 0)
        assert truth is not None
        self.scales = (
            float(np.max(np.abs(truth[0]))) or 1.0,
            max(1.0, float(np.max(np.abs(truth[1])))),
        )
        self.truth = self._vector(truth)
        self.candidates: dict[str, np.ndarray] = {}
        self.measured = self._vector((found.gradient @ self.directions, found.value))

    def _vector(self, form: tuple[np.ndarray, np.ndarray | None]) -> np.ndarray:
        parts = [form[0].ravel() / self.scales[0]]
        if form[1] is not None and self.found.value is not None:
            parts.append(form[1] / self.scales[1])
        return np.concatenate(parts)

    def _form(self, solution: Solution, b0: object) -> tuple[np.ndarray, np.ndarray]:
        b = solution.b - b0 + b0 * self.directions.sum(axis=0)
        summed = len(self.found.gradient) == 1
        return (b.sum(axis=0, keepdims=True) if summed else b), solution.value

    def _mean(self, subject: object, fresh: int) -> tuple[np.ndarray, np.ndarray]:
        start = getattr(subject, "start")  # noqa: B009
        _, b0 = start(self.given.latent, self.prepared.path.start, self.prepared.path.end)
        forms = [
            self._form(
                solve(subject, self.given.latent, self.prepared, v, self.fresh if fresh else v), b0
            )
            for v in self.nus
        ]
        return np.mean([f[0] for f in forms], axis=0), np.mean([f[1] for f in forms], axis=0)

    def alone(self, noise: float) -> Diagnosis:
        """By a single fault. ``noise``: what the check cannot tell from nothing, relative to the
        largest entry.
        """
        fixed = len(self.nus) == 1
        for name in EDITS:
            if name != "fresh_nu":
                prediction = self._vector(self._mean(compose((name,)), fixed))
                if np.any(np.abs(prediction - self.truth) > noise) or not fixed:
                    self.candidates[name] = prediction
        return self._told(noise)

    def together(self, noise: float) -> Diagnosis:
        """By a pair, at a fixed ν."""
        single = self.alone(noise) if not self.candidates else None
        if single is not None and single.names:
            return single
        deviation = self.measured - self.truth
        # a mistake of the equations reaches nearly every parameter: a pair explains no other one
        if len(self.nus) == 1 and self.everywhere:
            # a fault without effect on what was measured would pair with anything
            effects = {k: v - self.truth for k, v in self.candidates.items()}

            def rest(pair: tuple[str, str]) -> float:
                """What the sum of the two effects leaves: enough to choose which to solve."""
                return float(np.linalg.norm(deviation - effects[pair[0]] - effects[pair[1]]))

            for pair in sorted(combinations(effects, 2), key=rest)[:PAIRS]:
                subject = compose(pair)
                if subject is not None:
                    self.candidates[" + ".join(pair)] = self._vector(self._mean(subject, 1))
        return self._told(noise)

    def _told(self, noise: float) -> Diagnosis:
        return diagnose(
            self.measured,
            self.truth,
            self.candidates,
            reasons=REASONS,
            limit=4 * noise,
            read=False,
        )
