"""What the wrong subjects of check_trace_estimator are built with."""

from __future__ import annotations

from typing import Any

import numpy as np

#: of a complex step
H = 1e-30


def jvp(f: Any, z: Any, v: Any) -> Any:
    return np.imag(f(z + 1j * H * v)) / H


def exact_jacobian(f: Any, z: Any) -> Any:
    """(n, D, D), the last index that of the input."""
    return np.stack([jvp(f, z, np.broadcast_to(e, z.shape)) for e in np.eye(z.shape[1])], axis=-1)
