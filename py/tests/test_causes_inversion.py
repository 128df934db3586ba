"""Rounds of a fixed point: right ones are not blamed for what the sampler does wrongly."""

import numpy as np
import pytest

from scoreproof import check_inversion

SIGMAS = np.geomspace(6, 0.08, 16)


def rounds(base):
    def invert(model, x, sigmas):
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            y = x
            for _ in range(3):
                y = base(x, y) + (n - s) * (y - model(y, n)) / n
            x = y
        return x

    return invert


def euler(factor):
    def sample(model, x, sigmas):
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            x = x + factor * (n - s) * (x - model(x, s)) / s
        return x

    return sample


@pytest.mark.parametrize(
    ("base", "factor", "who"),
    [(lambda x, y: y, 1.0, "inverse"), (lambda x, y: x, 1.3, "sampler")],
)
def test_a_fixed_point(base, factor, who):
    found = check_inversion(rounds(base), euler(factor), times=SIGMAS, shape=1)
    assert found.verdict == "refuted" and found.diagnosis.names == (who,)
    assert ("fixed point" in found.diagnosis.sentence) == (who == "inverse")
