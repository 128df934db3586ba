"""Rounds of a fixed point: right ones are not blamed for what the sampler does wrongly."""

import numpy as np
import pytest

from scoreproof import check_inversion
from scoreproof.objects.discrete import DiscreteVP

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


def test_an_error_that_every_step_enlarges():
    def mixed(p):
        def invert(model, x, sigmas):
            y = x
            for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
                y = (y - (1 - p) * x) / p
                x = (x - (1 - p) * y) / p
                x, y = (z + (n - s) * (z - model(z, s)) / s for z in (x, y + 1e-9))
            return x

        return invert

    grown = check_inversion(mixed(0.9), euler(1.0), times=SIGMAS, shape=1)
    assert "enlarges the error by the factor" in grown.explain()
    other = check_inversion(euler(1.0), euler(1.05), times=SIGMAS, shape=1)
    assert other.verdict == "refuted" and "enlarges" not in other.explain()


def test_what_refutes_is_drawn_and_sentences_begin_with_their_names():
    law = check_inversion(euler(0.5), euler(1.0), times=SIGMAS, shape=1)
    home = check_inversion(euler(1.0), euler(1.05), times=SIGMAS, shape=1)
    assert list(law.curves) == ["x on the way of the inverse"]
    assert list(home.curves) == ["x that came back"]
    right = check_inversion(euler(1.0), euler(1.0), times=SIGMAS, shape=1)
    assert right.verdict == "holds" and "; and with more steps the sampler" in right.sentence


def test_a_table_without_finer_steps():
    betas = np.linspace(1e-3, 0.3, 40)
    bar = np.cumprod(1 - betas)

    def ddim(model, x, times):
        for t, n in zip(times[:-1].astype(int), times[1:].astype(int), strict=True):
            e = model(x, t)
            x = bar[n] ** 0.5 * (x - (1 - bar[t]) ** 0.5 * e) / bar[t] ** 0.5
            x = x + (1 - bar[n]) ** 0.5 * e
        return x

    given = {"times": range(39, -1, -1), "prediction": "eps", "shape": 1}
    found = check_inversion(ddim, ddim, DiscreteVP(betas), **given)
    assert found.verdict == "undecided"
    assert found.sentence.startswith("ddim and ddim: with more steps the sampler")
