"""The gradients that a loss has in its model's answers, or why there are none.

Conventions: rows are flat, one for each sample.
"""

from __future__ import annotations

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.loss.standin import Script

__all__ = ["kept"]


def kept(script: Script, channels: int) -> None:
    """Gradients as rows of one sample, without a learned variance."""
    rows = len(script.answers)
    for call in script.calls:
        if call.gradient is None:
            continue
        whole = call.gradient.reshape(rows, *script.out_shape)
        if not np.all(np.isfinite(whole)):
            raise CallableError(
                "loss",
                "have a finite gradient in the model's output",
                "it is nan or inf at the exact model",
                "look for a root, a norm or a division of what vanishes there",
            )
        call.gradient = whole[:, :channels].reshape(rows, -1)
    if all(c.gradient is None for c in script.calls):
        raise CallableError(
            "loss",
            "depend on the model's output, differentiably",
            "its gradient there is nothing",
            "do not detach the output, and return the loss as a tensor (no .item())",
        )
