"""Shared settings of the Python tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# BLAS on one thread, before NumPy is imported: the same numbers on any number of cores
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

settings.register_profile(
    "scoreproof",
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "explore", deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("SCOREPROOF_HYPOTHESIS", "scoreproof"))
