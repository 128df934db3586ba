"""What a scheduler does beside its steps: how it scales the network's input, and x at the start.

The exact model knows x at any scale, so neither changes a law; `trained` holds them to the levels
of the object, and what a network of unit-length input would not expect is said.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    """``length``: the standard deviation of the data that x of unit length belongs to;
    ``conditioned``: whether it says c_in itself, as EDM's schedulers do; ``start``: its
    init_noise_sigma.
    """

    length: float = 1.0
    conditioned: bool = False
    start: float | None = None
    scaled: list[tuple[Level, float]] = field(default_factory=list)

    def input(self, s: Any, x: Any, t: Any, level: Level) -> None:
        """Calls ``scale_model_input`` where there is one, as a pipeline does before each step."""
        if not hasattr(s, "scale_model_input"):
            return
        before = np.linalg.norm(np.asarray(as_numpy(x), dtype=float))
        after = np.linalg.norm(np.asarray(as_numpy(s.scale_model_input(x, t)), dtype=float))
        if before > 0:
            self.scaled.append((level, float(after / before)))

    def families(self, levels: Sequence[Level], by_table: bool) -> dict[str, np.ndarray]:
        """The factors of the network's input that there are for x at these levels. ``by_table``:
        its network is trained on α² + σ² = 1, by a table of ᾱ. Where x is x_0 + σ ε and no table
        says what the network takes, it may be x itself, as score networks take it.
        """
        alpha, sigma = np.array([(v.alpha, v.sigma) for v in levels]).T
        with np.errstate(divide="ignore"):
            known = {"1 / √(α² + σ²)": 1 / np.hypot(alpha, sigma)}
            if self.length != 1.0:
                said = {
                    f"1 / √(α² σ_data² + σ²) with σ_data = {self.length:g}": 1
                    / np.hypot(alpha * self.length, sigma)
                }
                known = said if self.conditioned else said | known
        straight = bool(np.all(np.abs(alpha + sigma - 1) < SAME))
        if straight or not (by_table or self.conditioned):
            known["1, x itself"] = np.ones(len(levels))
        return known

    def starts(self, first: Level) -> bool:
        """Whether ``start`` is the width of x at the first level, data of variance 1 or of its own
        included or not.
        """
        if self.start is None:
            return True
        whole = float(np.hypot(first.alpha * max(self.length, 1.0), first.sigma))
        if abs(first.alpha + first.sigma - 1) < SAME:  # a straight path starts from its end
            whole = max(whole, 1.0)
        return first.sigma * (1 - SAME) <= self.start <= whole * (1 + SAME)

    def said(self, first: Level) -> list[str]:
        """Where its scalings are not those of input at unit length, or ``start`` is not the noise
        of the first level.
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
        if not self.starts(first):
            notes.append(
                f"Its init_noise_sigma decides nothing here: it is {self.start:.4g}, but x at the"
                f" first timestep has noise of standard deviation {first.sigma:.4g}: a pipeline"
                " that starts from noise times it starts elsewhere."
            )
        return notes
