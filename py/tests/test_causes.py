"""What an answer is instead of the right one: each reading on an answer of its kind, and none on an
answer that is nearly of it.
"""

import numpy as np
import pytest

from scoreproof.causes.answers import Answer, reading
from scoreproof.causes.closed_forms import closed_form, number
from scoreproof.causes.growth import grows
from scoreproof.causes.places import beyond, indices, which_entries
from scoreproof.causes.wholes import MAPS
from scoreproof.diagnosis import diagnose

DUE = np.random.default_rng(3).standard_normal((12, 3)) * [1.0, 2.0, 0.5]
TURN = np.array([[np.cos(0.3), np.sin(0.3), 0], [-np.sin(0.3), np.cos(0.3), 0], [0, 0, 1.0]])


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (-DUE, "the negative"),
        (2 * DUE, "2 times what is due"),
        (DUE / 3, "1/3 times|1/d times"),
        (DUE * np.sqrt(2), "√2 times"),
        (-0.5 * DUE, "-1/2 times"),
        (DUE + 0.25, "0.25 = 1/4 more, everywhere"),
        (0 * DUE, "0 everywhere"),
        (0 * DUE + 0.7, "0.7 everywhere, whatever is asked"),
        (DUE[:, [1, 0, 2]], "coordinate 0 of the answer is coordinate 1"),
        (DUE[:, ::-1], "reverse order"),
        (np.roll(DUE, 1, axis=1), "shifted by one place"),
        (DUE[::-1], "rows come in reverse order"),
        (np.roll(DUE, 1, axis=0), "rows are shifted by one"),
        (DUE[[1, 0, *range(2, 12)]], "row 0 gets the answer of row 1"),
        (np.broadcast_to(DUE[0], DUE.shape), "the answer of row 0"),
        (np.broadcast_to(DUE.mean(0), DUE.shape), "mean over the batch"),
        (np.broadcast_to(DUE.mean(1, keepdims=True), DUE.shape), "mean over the coordinates"),
        (DUE * [1, 1, 2], "coordinate 2 of 3 is 2 times"),
        (DUE * [1, 0, 1], "coordinate 1 of 3 is 0"),
        (DUE * [1, -1, -1], "coordinates 1 and 2 of 3 are the negative"),
        (DUE + [0, 0.5, 0], "coordinate 1 of 3 is what is due plus 0.5"),
        (np.abs(DUE), "absolute value"),
        (DUE**2, "the square of"),
        (np.clip(DUE, -1, 1), "at least -1 and at most 1"),
        (np.minimum(DUE, 0.3), "at most 0.3"),
        (np.maximum(DUE, 0), "cut to 0"),
        (np.round(DUE), "whole numbers"),
        (np.tanh(DUE), "tanh"),
        (2 * DUE - 1, "2 times what is due - 1"),
        (1 - DUE, "1 minus"),
        (DUE / np.linalg.norm(DUE, axis=1, keepdims=True), "to the length 1"),
        (DUE * (1 + np.arange(12))[:, None], "a number of its own"),
        (DUE @ TURN, "rotated"),
        (DUE[:, :2] @ TURN[:2, :2], r"rotated by 17\.19°"),
        (DUE @ np.triu(np.ones((3, 3))), "mixes coordinates"),
        (np.broadcast_to(DUE.sum(0), DUE.shape), "sum over the batch"),
        (np.broadcast_to(DUE.sum(1, keepdims=True), DUE.shape), "sum over the coordinates"),
        (DUE + [0.5, -0.3, 0.7], "plus a number of its own"),
        (3 * DUE @ TURN, "and multiplied by 3"),
        (np.exp(DUE), "exponential"),
        (np.logaddexp(0, DUE), "softplus"),
        (1 / (1 + np.exp(-DUE)), "sigmoid"),
        (np.trunc(10 * DUE), "an integer type"),
    ],
)
def test_an_answer_is_read(found, says):
    due = DUE[:, : found.shape[1]]
    due = 10 * due if says == "an integer type" else due
    told = reading(Answer.of(found, due, 1e-9))
    assert told is not None
    assert told.words in diagnose(found, due, {}, limit=1e-9).sentence
    assert np.any([part in told.words for part in says.replace("\\", "").split("|")]), told.words
    moved = found + 1e-4 * np.random.default_rng(5).standard_normal(found.shape)
    assert reading(Answer.of(moved, due, 1e-9)) is None
    assert reading(Answer.of(moved, due, 1e-3)) is not None or told.name in MAPS


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (np.log(DUE**2), "natural logarithm"),
        (np.log10(DUE**2), "base-10"),
        (np.abs(DUE), "square root"),
        (DUE**-2, "1 / what is due"),
        (np.exp(DUE**2), "exponential"),
        (DUE**-4, "1 / (what is due)²"),
        (1 / np.abs(DUE), "1 / √(what is due)"),
        (np.log2(DUE**2), "base-2"),
        (np.log(np.abs(DUE)), "half the logarithm"),
    ],
)
def test_maps_of_positive_numbers(found, says):
    told = reading(Answer.of(found, DUE**2, 1e-12))
    assert told is not None and says in told.words
    assert told.words in diagnose(found, DUE**2, {}, limit=1e-12).sentence


def test_a_factor_that_some_coordinates_know_better():
    limit = np.array([1e-9, 1e-9, 0.1])
    found = 2 * DUE + limit * np.random.default_rng(4).uniform(-1, 1, DUE.shape)
    told = diagnose(found, DUE, {}, limit=np.broadcast_to(limit, DUE.shape)).sentence
    assert told == "Cause: it is 2 times what is due: divide it by that."


def test_one_number_is_read_by_its_closed_form_alone():
    assert reading(Answer.of([1.3], [0.65], 1e-12)).words == "it is 2 times what is due"
    assert reading(Answer.of([1.3], [0.7231], 1e-12)) is None


def test_not_finite_answers_and_other_shapes_are_not_read():
    assert reading(Answer.of(DUE * np.nan, DUE, 1e-9)) is None
    assert reading(Answer.of(DUE[:3], DUE, np.full(DUE[:3].shape, 1e-9))) is None


def test_closed_forms():
    assert closed_form(2 * np.pi, 1e-9) == "2π"
    assert closed_form(np.sqrt(2 * np.pi), 1e-9) == "√(2π)"
    assert closed_form(0.25, 1e-9, {"σ": 0.5}) in ("1/4", "σ²")
    assert closed_form(0.49, 1e-9, {"σ": 0.7}) == "σ²"
    assert closed_form(0.7**-0.5, 1e-9, {"σ": 0.7}) == "1/√σ"
    assert closed_form(49 / 50, 1e-9, {"n": 50}) == "(n - 1)/n"
    assert closed_form(0.99, 1e-9) == "1 - 0.01"
    assert closed_form(-0.999, 1e-9) == "-(1 - 0.001)"
    # what is known only roughly has no form but a plain one
    assert closed_form(1.4142, 5e-2) is None
    assert closed_form(0.7853, 1e-3) is None
    assert number(0.123456789, 1e-3) == "0.1235"
    rng = np.random.default_rng(0)
    hits = sum(closed_form(v, 1e-6) is not None for v in rng.uniform(0.1, 5, 2000))
    assert hits <= 4  # chance finds hardly any


def test_growth_is_a_power_and_a_range_or_nothing():
    t = np.geomspace(1e-3, 1, 20)
    assert grows(t, 3 / np.sqrt(t), "t") == "growing as 1/√t"
    assert grows(t, t**2, "σ") == "growing as σ²"
    assert grows(t, 1 / t + np.exp(5 * t), "t").startswith("growing as 1/t from t = ")
    rng = np.random.default_rng(1)
    assert grows(t, np.exp(rng.standard_normal(20)), "t") == ""
    assert grows(t[:3], 1 / t[:3], "t") == ""
    assert grows(t, 1 / t, "t", floor=np.inf) == ""


def test_places():
    bad = np.zeros((4, 5), bool)
    bad[:, [1, 2, 3]] = True
    assert which_entries(bad) == "in coordinates 1 to 3 of 5 only"
    assert which_entries(bad.T) == "in rows 1 to 3 of 5 only"
    assert which_entries(np.ones((4, 5), bool)) == ""
    assert indices(np.array([True, False] * 4), "coordinate") == "the even coordinates of 8"
    t = np.array([0.1, 0.2, 0.3, 0.4])
    assert beyond(t < 0.25, {"x": t[::-1] * 0, "t": t}) == "where t ≤ 0.2 (right from 0.3 on)"
    assert beyond(np.array([True, False, True, False]), {"t": t}) == ""


def test_a_fault_explains_only_to_the_resolution():
    truth, measured = np.array([1.0, 2.0]), np.array([0.9, 1.81])
    near = np.array([0.9, 1.808])
    found = diagnose(measured, truth, {"a": near})
    assert found.names == () and "the nearest, a, leaves 0.93 % of it open" in found.sentence
    assert diagnose(measured, truth, {"a": near}, limit=0.01).names == ("a",)
    assert diagnose(measured, truth, {"a + b": near}).names == ()
    assert diagnose(measured, truth, {"a + b": measured}).names == ("a + b",)
    far = diagnose(measured, truth, {"a": truth + 1})
    assert far.names == () and far.sentence == "No known fault explains it."


def test_what_cannot_be_told_apart_is_named_together():
    truth = np.array([1.0, 2.0])
    found = diagnose(
        2 * truth, truth, {"a": 2 * truth, "b": 2 * truth}, reasons={"a": "1/2 is left out"}
    )
    assert found.names == ("a", "b")
    assert "cannot be told apart here: 1/2 is left out (a); or b" in found.sentence
