"""What is wrong with log p̂ itself, where its gradient is right (or its cause is known).

Conventions: values ``(m,)`` over all rows of all questions: ``log p̂ = prior - integral``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scoreproof.causes.answers import Answer, reading
from scoreproof.causes.closed_forms import number
from scoreproof.diagnosis import Diagnosis
from scoreproof.numerics.adjoint import accumulate
from scoreproof.public.log_likelihood_gradient.arguments import Given
from scoreproof.public.log_likelihood_gradient.entries import value as log_likelihood
from scoreproof.public.log_likelihood_gradient.reference import Settled
from scoreproof.public.log_likelihood_gradient.stepping import Value
from scoreproof.public.log_likelihood_gradient.verdict import Comparison

__all__ = ["handed_in", "of_value", "value_cause"]


def value_cause(
    found: np.ndarray,
    prior: np.ndarray,
    integral: np.ndarray,
    others: Mapping[str, np.ndarray],
    limit: np.ndarray,
    d: int,
) -> Diagnosis | None:
    """``others``: what log p̂ is with the prior at x, and with the last ν missing."""
    due = prior - integral
    if np.all(np.abs(found - due) <= limit):
        return None
    mean = integral / d
    for value, name, text in (
        (
            prior + integral,
            "ell_sign",
            "the sign of the log-determinant: it is log p_Z + ∫ νᵀJν ds",
        ),
        (prior, "log_det_missing", "the log-determinant is missing: it is log p_Z(z(0)) alone"),
        (prior - 2 * integral, "ell_doubled", "the log-determinant is subtracted twice"),
        (prior - mean, "mean_for_sum", "the trace is averaged over the D coordinates, not summed"),
        (-integral, "prior_missing", "the prior is missing: it is -∫ νᵀJν ds alone"),
        (others["latent_at_x"] - integral, "latent_at_x", "the prior is taken at x, not at z(0)"),
        (others["last_nu_missing"], "last_nu_missing", "the last ν is missing: νᵀJ was summed"),
        (-due, "negative", "it is the loss -log p̂"),
        (np.exp(due), "exponential", "it is p̂, not its logarithm"),
    ):
        if np.all(np.abs(found - value) <= limit * (1 + np.abs(value))):
            # the integral enters log p̂ once: its two signs are one
            names = (name, "ell_added") if name == "ell_sign" else (name,)
            return Diagnosis(names, 0.0, None, f"Cause: of log p̂, {text} ({', '.join(names)}).")
    gap = found - due
    if np.ptp(gap) <= 2 * float(np.max(limit)):
        return _offset(float(np.mean(gap)), float(np.max(limit)), d)
    simple = reading(Answer.of(found, due, limit, {"D": d, "D ln 2": d * np.log(2)}))
    if simple is None:
        return Diagnosis.unknown("log p̂ is off too, for a reason of its own that is not found.")
    bits = ""
    if simple.factor is not None:
        for base, what in ((d * np.log(2), "bits per dimension"), (np.log(2), "bits"), (d, "")):
            if abs(abs(simple.factor) * base - 1) < 1e-4:
                bits = f": {what}, where nats are due" if what else ": per dimension"
    words = f"Cause: log p̂ is wrong: {simple.words}{bits}; {simple.remedy} ({simple.name})."
    return Diagnosis.cause(simple.name, words)


def _offset(gap: float, limit: float, d: int) -> Diagnosis:
    """A constant: that of the normal prior, or another."""
    two_pi = float(np.log(2 * np.pi))
    for value, what in (
        (d * two_pi / 2, "(D/2) log 2π, the normaliser of a normal prior, is left out"),
        (two_pi / 2, "(1/2) log 2π is left out"),
        ((d - 1) * two_pi / 2, "the normaliser of one dimension, (1/2) log 2π, for that of all D"),
        (d * two_pi, "the normaliser D log 2π is left out twice, or its ½ is"),
        (-d * two_pi / 2, "(D/2) log 2π is subtracted twice, or D log 2π for (D/2) log 2π"),
    ):
        if abs(gap - value) <= 2 * limit:
            return Diagnosis.cause(
                "normaliser",
                f"Cause: log p̂ is {abs(gap):.6g} too {'large' if gap > 0 else 'small'} everywhere:"
                f" {what} (normaliser).",
            )
    shown = number(gap, limit / abs(gap), {"D": d})
    return Diagnosis.cause(
        "offset", f"Cause: log p̂ is what is due plus {shown}, everywhere: take it away (offset)."
    )


def of_value(given: Given, settled: Settled, c: Comparison, bound: float) -> Diagnosis | None:
    """The cause of a wrong log p̂, over all questions."""
    if given.in_expectation or c.found[0].value is None:
        return None
    found, whole, prior, at_x, summed = [], [], [], [], []
    here = given.latent.log_density(settled.prepared.path.start)
    there = given.latent.log_density(given.x)
    for question, answer in zip(c.asked, c.found, strict=True):
        assert answer.value is not None
        found.append(answer.value)
        whole.append(log_likelihood(settled.prepared, given.latent, question.nu)[question.rows])
        prior.append(here[question.rows])
        at_x.append(there[question.rows])
        rates = [g.quad(question.nu, 1 + 0 * question.nu) for g in settled.prepared.here]
        integral = accumulate(np.stack(rates), settled.prepared.path.grid)
        summed.append((here - integral)[question.rows])
    due, start = np.concatenate(whole), np.concatenate(prior)
    limit = bound * np.maximum(1.0, np.abs(due)) + 1e-9
    return value_cause(
        np.concatenate(found),
        start,
        start - due,
        {"latent_at_x": np.concatenate(at_x), "last_nu_missing": np.concatenate(summed)},
        limit,
        given.x.shape[1],
    )


def handed_in(given: Given, settled: Settled, c: Comparison, bound: float) -> Value | None:
    """log p̂ at the rows of the first question, if it was handed in."""
    answer, question = c.found[0], c.asked[0]
    if answer.value is None or given.in_expectation:
        return None
    due = log_likelihood(settled.prepared, given.latent, question.nu)[question.rows]
    return Value(answer.value, due, bound * np.maximum(1.0, np.abs(due)) + 1e-9)
