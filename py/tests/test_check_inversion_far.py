"""`check_inversion` far out: who clips or thresholds the predicted x_0, and whether both do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from scoreproof import check_inversion
from scoreproof.objects.discrete import DiscreteVP

PROCESS = DiscreteVP(np.linspace(1e-4, 0.02, 1000))
TIMES = range(960, -1, -80)


def walk(cut: float = 0.0, last: float = 0.0) -> Callable[..., Any]:
    def run(model: Any, x: Any, times: Any) -> Any:
        for t, s in zip(times[:-1], times[1:], strict=True):
            eps = model(x, t)
            x0 = (x - PROCESS.sigma(t) * eps) / PROCESS.alpha(t)
            if cut:
                x0 = np.clip(x0, -cut, cut)
                eps = (x - PROCESS.alpha(t) * x0) / PROCESS.sigma(t)
            x = PROCESS.alpha(s) * x0 + PROCESS.sigma(s) * eps
        return np.clip(x, -last, last) if last else x

    return run


def judged(up: Any, down: Any) -> Any:
    return check_inversion(up, down, PROCESS, times=TIMES, prediction="eps", shape=1)


@pytest.mark.parametrize(
    ("up", "down", "said"),
    [
        (
            walk(1.0),
            walk(),
            "the inverse clips or thresholds the predicted x_0 at ±1, and the samp",
        ),
        (
            walk(),
            walk(1.2),
            "the sampler clips or thresholds the predicted x_0 at ±1.2, and the in",
        ),
        (walk(1.0), walk(1.5), "at ±1, and the sampler at ±1.5"),
    ],
    ids=["inverse", "sampler", "ranges"],
)
def test_one_alone_is_refuted(up: Any, down: Any, said: str) -> None:
    evidence = judged(up, down)
    assert evidence.verdict == "refuted"
    assert said in evidence.diagnosis.sentence
    assert "data far out do not come back" in evidence.sentence


@pytest.mark.parametrize(
    ("up", "down", "said"),
    [
        (walk(1.0), walk(1.0), "Far out both clip or threshold the predicted x_0 at ±1."),
        (walk(), walk(last=1.0), "The sampler clips what it returns at ±1; the inverse clips noth"),
    ],
    ids=["both", "what_is_returned"],
)
def test_both_alike_hold_with_a_remark(up: Any, down: Any, said: str) -> None:
    evidence = judged(up, down)
    assert evidence.verdict == "holds"
    assert said in evidence.explain() and "nothing was left out" not in evidence.explain()


def test_without_clipping_nothing_is_remarked() -> None:
    evidence = judged(walk(), walk())
    assert evidence.verdict == "holds" and "clip" not in evidence.explain()
