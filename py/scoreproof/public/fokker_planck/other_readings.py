"""Which other reading of dW a density belongs to.

Conventions: as in `readings`; ``ito`` is what drift and noise bring as Itô reads them,
``correction`` what Stratonovich's reading adds to it, ``fick`` what Fick's law does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from scoreproof.public.fokker_planck.readings import (
    FICK,
    ITO,
    STRATONOVICH,
    Reading,
)

__all__ = ["Brought", "other_readings"]


class Brought(Protocol):
    """What each part of the equation brings, at places or in integrals."""

    @property
    def drift(self) -> np.ndarray: ...
    @property
    def noise(self) -> np.ndarray: ...
    @property
    def correction(self) -> np.ndarray: ...
    @property
    def fick(self) -> np.ndarray: ...


LACKS = {
    "ito": (
        "the density is that of the Itô equation, and {said} was said: for that reading it lacks"
        " the drift {drift}, so mend the density; or, if Itô's equation is meant, pass"
        " interpretation='ito'"
    ),
    "stratonovich": (
        "the density is that of the Stratonovich equation, and {said} was said: mend the density;"
        " or, if Stratonovich's equation is meant, pass interpretation='stratonovich'"
    ),
    "fick": (
        "the density is that of Fick's law, ½ ∇·(g gᵀ ∇p) (Hänggi-Klimontovich, anti-Itô), and"
        " {said} was said: mend the density; or, if that law is meant, pass interpretation='fick'"
    ),
}
OF_STRATONOVICH = (
    "the density is that of the Stratonovich equation, and interpretation='ito' was said:"
    " for Itô's equation it moves by ½ g ∂g too much (where g = s x, the mean of log x is"
    " to move with μ - s²/2, not μ), so mend the density; or, if Stratonovich's equation"
    " is meant, pass interpretation='stratonovich'"
)
DRIFTS = {"stratonovich": "½ g ∂g", "fick": "½ ∇·(g gᵀ)", "alpha": "α g ∂g"}

Candidate = tuple[str, np.ndarray, str]


def other_readings(w: Brought, reading: Reading) -> Iterator[Candidate]:
    """Every other reading, and halves, doubles and signs of its correction: name, what it would
    bring, in words.
    """
    ito = w.drift.sum(axis=0) + w.noise
    values = {ITO: ito, STRATONOVICH: ito + w.correction, FICK: ito + w.fick}
    said, drift = reading.option, DRIFTS.get(reading.name, "")
    if reading == ITO:
        yield "stratonovich_read_as_ito", values[STRATONOVICH], OF_STRATONOVICH
    for other in (ITO, STRATONOVICH, FICK):
        # Fick's law for Itô's comes below, as the drift that it lacks
        if reading in (other, ITO) or (reading, other) == (STRATONOVICH, FICK):
            continue
        text = LACKS[other.name].format(said=said, drift=drift)
        yield f"{other.name}_read_as_{reading.name}", values[other], text
    if reading.name == "alpha":
        yield (
            "alpha_from_the_end",
            ito + 2 * (1 - reading.alpha) * w.correction,
            f"the density belongs to α = {1 - reading.alpha:g}: α is counted from the start of a"
            " step, 0 for Itô and 1 for the end",
        )
    if reading == FICK:
        yield (
            "correction_twice",
            ito - w.fick,
            "the drift ½ ∇·(g gᵀ) of Fick's law has the wrong sign in the density",
        )
        return
    yield (
        "half_correction",
        ito + 0.5 * w.correction,
        "the density has half of the Stratonovich correction, ¼ g ∂g",
    )
    yield (
        "correction_twice",
        ito - w.correction,
        "the Stratonovich correction -½ g ∂g has the wrong sign, or is taken away once too often:"
        " an"
        " Itô drift was corrected as if it were Stratonovich's",
    )
    half = "½ " if reading == STRATONOVICH else ""
    sense = "Stratonovich" if reading == STRATONOVICH else "Itô"
    if reading in (ITO, STRATONOVICH):
        yield (
            "correction_from_drift",
            ito + 2 * w.correction,
            f"the drift lacks {half}g ∂g = {half}D'(x), with D = g²/2: add it. The density is that"
            " of Fick's law, ∂_t p = -∇·(f p) + ∇·(D ∇p), as a Boltzmann density exp(-U/kT) is"
            f" where D depends on x, and in the {sense} sense that law has the drift f + {half}D';"
            " or, if that law is meant, pass interpretation='fick'",
        )
    if reading == ITO:
        yield (
            "correction_in_drift_twice",
            ito - 2 * w.correction,
            "the drift holds g ∂g = D'(x), with D = g²/2, once more than the density goes with: as"
            " -D U' + 2 D' for -D U' + D', where D' is the drift that a Boltzmann density exp(-U)"
            " needs in the Itô sense; take one D' away",
        )
        yield (
            "correction_in_drift_turned",
            ito + 4 * w.correction,
            "the drift lacks 2 g ∂g = 2 D'(x), with D = g²/2, as where D' stands in it with the"
            " wrong sign: -D U' - D' for the -D U' + D' that a Boltzmann density exp(-U) needs in"
            " the Itô sense",
        )
    if reading == STRATONOVICH:
        text = LACKS["fick"].format(said=said)
        yield "fick_read_as_stratonovich", values[FICK], text
