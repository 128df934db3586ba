"""What a scheduler does beside its steps: how it scales the network's input, and x at the start.

The exact model knows x at any scale, so neither decides a verdict; what a network of unit-length
input would not expect is said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.interop.callables import as_numpy
from scoreproof.public.sampler.data import Level

__all__ = ["Hooks"]

#: relative: scalings that are nearer are the same
SAME = 1e-2


@dataclass(eq=False)
class Hooks:
    """``length``: the standard deviation of the data that x of unit length belongs to."""

    length: float = 1.0
    scaled: list[tuple[Level, float]] = field(default_factory=list)

    def input(self, s: Any, x: Any, t: Any, level: Level) -> None:
        """Calls ``scale_model_input`` where there is one, as a pipeline does before each step."""
        if not hasattr(s, "scale_model_input"):
            return
        before = np.linalg.norm(np.asarray(as_numpy(x), dtype=float))
        after = np.linalg.norm(np.asarray(as_numpy(s.scale_model_input(x, t)), dtype=float))
        if before > 0:
            self.scaled.append((level, float(after / before)))

    def said(self, start: Any, first: Level) -> list[str]:
        """Where its scalings are not those of input at unit length, or ``start``, its
        init_noise_sigma, is not the noise of the first level.
        """
        notes = []
        dues = [1 / np.hypot(v.alpha * self.length, v.sigma) for v, _ in self.scaled]
        off = [
            (level, factor, due)
            for (level, factor), due in zip(self.scaled, dues, strict=True)
            if abs(factor - due) > SAME * due
        ]
        if off:
            level, factor, due = max(off, key=lambda o: abs(np.log(max(o[1], 1e-300) / o[2])))
            notes.append(
                f"Its scale_model_input decides nothing here: at timestep {level.when:g} it"
                f" multiplies x by {factor:.3g}, where a network that takes x of unit length, as"
                f" Stable Diffusion's, wants {due:.3g}."
            )
        if start is not None:
            start = float(np.ravel(as_numpy(start))[0])
            whole = float(np.hypot(first.alpha * self.length, first.sigma))
            if not first.sigma * (1 - SAME) <= start <= whole * (1 + SAME):
                notes.append(
                    f"Its init_noise_sigma decides nothing here: it is {start:.4g}, but x at the"
                    f" first timestep has noise of standard deviation {first.sigma:.4g}: a pipeline"
                    " that starts from noise times it starts elsewhere."
                )
        return notes
