"""Tables of float32 in a NumPy loss, against a process in double precision."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp

BAR = np.cumprod(1 - np.linspace(2e-4, 0.05, 400))
SINGLE = BAR.astype(np.float32)


def checked(a, s):
    def loss(model, x0, t, noise):
        return np.mean((model(a[t][:, None] * x0 + s[t][:, None] * noise, t) - noise) ** 2)

    return sp.check_loss(loss, {"alphas_cumprod": BAR}, shape=3)


@pytest.mark.parametrize("later", [False, True])
def test_tables_of_single_precision_are_known_by_their_values(later):
    bar = SINGLE.astype(float) if later else SINGLE
    evidence = checked(np.sqrt(bar), np.sqrt(1 - bar))
    assert evidence, evidence.explain()
    assert "It has α and σ of float32, as their values show." in evidence.notes
    assert 1e-7 < evidence.resolution < 0.1


def test_wrong_ones_of_single_precision_and_rounding_that_is_none():
    evidence = checked(SINGLE, np.sqrt(1 - SINGLE))
    assert evidence.verdict == "refuted" and "ᾱ where its root" in evidence.diagnosis.sentence
    evidence = checked(np.sqrt(BAR), np.sqrt(1 - BAR) * (1 + 1e-7))
    assert evidence.verdict == "refuted"
