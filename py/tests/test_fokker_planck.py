"""The Fokker–Planck claim: its template and known values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreproof.claims.fokker_planck.checks_explosion import _line, mean_explosion_time
from scoreproof.claims.fokker_planck.faults import Operator
from scoreproof.claims.fokker_planck.statement import Jets, truth

# -- the formula and its template ------------------------------------------------------------------


@settings(max_examples=25)
@given(st.integers(0, 2**16), st.integers(1, 4))
def test_the_template_without_edits_is_the_formula(seed, d):
    r = np.random.default_rng(seed)
    jets = Jets(r.random(), *(list(r.standard_normal(d)) for _ in range(4)), r.random(), r.random())
    assert truth(jets) == pytest.approx(Operator()(jets), rel=1e-13, abs=1e-13)


def test_explosion_loses_37_percent_by_time_1():
    from scipy.linalg import expm

    line = _line(64)
    operator = line.project @ truth(line.jets)
    left = line.mass @ (expm(operator) @ line.start)
    assert left == pytest.approx(0.6311597476855, abs=1e-11)
    assert mean_explosion_time() == pytest.approx(
        -line.mass @ np.linalg.solve(operator, line.start), rel=1e-12
    )
    assert line.mass @ line.start == pytest.approx(1, abs=1e-12)
