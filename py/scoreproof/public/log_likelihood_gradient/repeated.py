"""A gradient of which two equal calls differ: it adds up, or draws a ν of its own.

Conventions: as in `explaining`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.public.log_likelihood_gradient.arguments import Given
from scoreproof.public.log_likelihood_gradient.asking import Measurement
from scoreproof.public.log_likelihood_gradient.verdict import Comparison

__all__ = ["ignores_nu", "not_the_same_twice"]


def not_the_same_twice(
    measure: Measurement, given: Given, c: Comparison, how: tuple[float, float]
) -> Diagnosis:
    """``how``: the bound, and how far two equal calls were apart, relative to the largest entry."""
    bound, flicker = how
    question = c.asked[0]
    first = measure.ask(question, given.tols[-1]).gradient
    second = measure.ask(question, given.tols[-1]).gradient
    if c.how.columns is None:
        due, floor = c.due[0].gradient, c.due[0].floor
        limit = (bound * c.largest(0) + floor) * (1 + np.abs(second).max())
        if np.all(np.abs(second - first - due) <= limit):
            return Diagnosis.cause(
                "accumulated",
                "Cause: gradients are accumulated over calls: each call adds what is due to what"
                " the last one returned (accumulated). Clear them before each: zero_grad(), or a"
                " new buffer.",
            )
    return Diagnosis.cause(
        "fresh_nu",
        f"Cause: two calls with the same ν differ by {flicker:.2g} of the largest entry: it draws"
        " a ν of its own and does not use the ν that it is given, or not in all places, forward"
        " and backward (fresh_nu). Use the argument nu throughout, or, if it is to draw its own,"
        " pass in_expectation=True.",
    )


def ignores_nu(
    measure: Measurement, given: Given, c: Comparison, rng: np.random.Generator
) -> Diagnosis | None:
    """Asked with another ν it returns the same."""
    question = c.asked[0]
    if given.in_expectation:
        return None
    other = replace(question, nu=rng.standard_normal(question.nu.shape))
    try:
        again = measure.ask(other, given.tols[-1])
    except CallableError:
        return None
    if not np.array_equal(again.gradient, c.found[0].gradient):
        return None
    return Diagnosis.cause(
        "nu_ignored",
        "Cause: the ν that it is given is ignored: asked with another ν it returns the same,"
        " and"
        " it is not the gradient with the exact trace either, so it keeps a ν of its own"
        " (nu_ignored). Use the argument nu.",
    )
