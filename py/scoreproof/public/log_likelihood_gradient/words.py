"""Which known fault, or pair of faults, predicts the gradient that was found, in words.

Conventions: compared along the parameters that are off most, row by row or summed, each block
(gradient, log p̂) divided by its own size.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from scoreproof.claims.ffjord.faults import EDITS, FAULTS, TRUTH, compose
from scoreproof.claims.ffjord.solver import Prepared, Solution, solve
from scoreproof.coverage import Omission
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.black_box_field import BlackBoxField
from scoreproof.public.log_likelihood_gradient.arguments import Given
from scoreproof.public.log_likelihood_gradient.asking import Answer
from scoreproof.public.log_likelihood_gradient.linearization import path_of, prepare_black_box
from scoreproof.public.log_likelihood_gradient.reference import Settled

__all__ = ["Explainer", "REASONS", "fresh_nu", "without_use"]

#: parameters along which faults are told apart
WORST = 4
#: pairs of faults that are solved for, of those whose effects add up to nearly what was found
PAIRS = 24

#: what each name of a diagnosis means, in words
REASONS = {f.name: f.why for f in FAULTS} | {
    "gradient_of_the_loss": "it is the gradient of -log p, the loss",
    "mean_over_the_batch": "the batch was averaged where it is to be summed",
    "nothing": "it returns 0: nothing reaches the parameters",
    "entries_missing": "the entries named are 0: the parameter is detached, or its layer left out",
}


def without_use(parameters: np.ndarray) -> Omission:
    """The parameters ``(P,)``, true for some, that the field does not use."""
    which = np.flatnonzero(parameters)
    named = ", ".join(f"params[{k}]" for k in which[:3]) + (" …" if which.size > 3 else "")
    return Omission(
        "parameters",
        int(which.size),
        "which the field does not use at these rows (changed, it returns the same bit for bit) and"
        " whose entries are 0, as is due",
        named,
        wished=True,  # it is the field that leaves them out
    )


class Explainer:
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

    def explain(self, noise: float) -> Diagnosis:
        """By a single fault if one fits, else by a pair (at a fixed ν)."""
        fixed = len(self.nus) == 1
        candidates = {}
        for name in EDITS:
            if name != "fresh_nu":
                prediction = self._vector(self._mean(compose((name,)), fixed))
                if np.any(np.abs(prediction - self.truth) > noise) or not fixed:
                    candidates[name] = prediction
        n, cut = len(self.given.x), self.found.gradient.shape[0] * self.directions.shape[1]
        head, tail = self.truth[:cut], self.truth[cut:]
        candidates["gradient_of_the_loss"] = np.concatenate([-head, tail])
        if self.found.gradient.any():
            zeroed = np.where(self.measured[:cut] == 0, 0.0, head)
            if np.any(zeroed != head):
                candidates["entries_missing"] = np.concatenate([zeroed, tail])
        else:
            candidates["nothing"] = np.concatenate([0 * head, tail])
        if len(self.found.gradient) == 1 and n > 1:
            candidates["mean_over_the_batch"] = np.concatenate([head / n, tail])
        best = diagnose(self.measured, self.truth, candidates, reasons=REASONS)
        relative = noise / max(float(np.max(np.abs(self.measured - self.truth))), 1e-300)
        # a mistake of the equations reaches nearly every parameter: a pair explains no other one
        if (
            not fixed
            or not self.everywhere
            or (best.names and best.misfit <= max(1e-6, 10 * relative))
        ):
            return best
        # a fault without effect on what was measured would pair with anything
        alone = {k: v - self.truth for k, v in candidates.items() if k in EDITS}
        deviation = self.measured - self.truth

        def rest(pair: tuple[str, str]) -> float:
            """What the sum of the two effects leaves: enough to choose which pairs to solve."""
            return float(np.linalg.norm(deviation - alone[pair[0]] - alone[pair[1]]))

        for pair in sorted(combinations(alone, 2), key=rest)[:PAIRS]:
            subject = compose(pair)
            if subject is not None:
                candidates[" + ".join(pair)] = self._vector(self._mean(subject, 1))
        return diagnose(self.measured, self.truth, candidates, reasons=REASONS)


def fresh_nu(flicker: float) -> Diagnosis:
    return Diagnosis(
        ("fresh_nu",),
        0.0,
        None,
        "It matches the known fault fresh_nu: two calls with the same ν differ by"
        f" {flicker:.2g} (a ν of its own).",
    )
