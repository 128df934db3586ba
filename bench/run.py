"""Figures and ratios, measured side by side in one process: ``make bench``. Nothing here is
asserted by a test.

Each pair runs in turn (A B A B …) and the median of the ratios is printed: what matters survives a
noisy machine.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable

import numpy as np

from scoreproof.numerics.complex_step import gradient
from scoreproof.numerics.linear import log_sum_exp
from scoreproof.objects.empirical import Atoms
from scoreproof.verify import verify


def seconds(f: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    f()
    return time.perf_counter() - start


def pair(name: str, a: Callable[[], object], b: Callable[[], object], runs: int = 5) -> None:
    """Print the median seconds of both and the median of B/A, pair by pair."""
    a(), b()
    times = [(seconds(a), seconds(b)) for _ in range(runs)]
    first, second = (statistics.median(t[i] for t in times) for i in range(2))
    ratio = statistics.median(t[1] / t[0] for t in times)
    print(f"{name}: {first:.3g} s against {second:.3g} s, ratio {ratio:.2f}")


def main() -> None:
    """Print every figure."""
    rng = np.random.default_rng(0)
    n, d, m = 1797, 64, 64
    points, y = rng.standard_normal((n, d)), rng.standard_normal((m, d))
    cov = np.eye(d) + 0.1
    law = Atoms(points).noised(cov)
    inverse = np.linalg.inv(cov)

    def direct(at: np.ndarray) -> np.ndarray:
        gaps = at[:, None, :] - points
        return log_sum_exp(
            -0.5 * np.einsum("mni,ij,mnj->mn", gaps, inverse, gaps, optimize=True) - np.log(n)
        )

    def one_coordinate_at_a_time(at: np.ndarray) -> np.ndarray:
        columns = []
        for j in range(d):
            shifted = at.astype(complex)
            shifted[:, j] += 1e-30j
            columns.append(law.log_density(shifted).imag / 1e-30)
        return np.stack(columns, axis=1)

    print(
        f"log p_Y of {n} atoms in R^{d} at {m} points, whitened matrix product against direct"
        " differences"
    )
    pair("  log_density", lambda: law.log_density(y), lambda: direct(y))
    print("its complex-step gradient, batched against one coordinate at a time")
    pair(
        "  gradient",
        lambda: gradient(law.log_density, y),
        lambda: one_coordinate_at_a_time(y),
        runs=3,
    )
    for profile in ("quick", "default"):
        pair(
            f"verify --profile {profile}, two workers against one",
            lambda p=profile: verify(profile=p, workers=2),
            lambda p=profile: verify(profile=p, workers=1),
            runs=1,
        )
    peak = (
        max(
            resource.getrusage(who).ru_maxrss
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        / 1024
    )
    print(f"peak memory of the largest process: {peak:.0f} MiB")


if __name__ == "__main__":
    main()
