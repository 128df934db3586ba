"""The causes of a wrong solution in words: what the solver did, and what would make it right."""

from __future__ import annotations

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.fokker_planck.words import REASONS

__all__ = ["GRID_REASONS", "SAME", "ends", "factors", "origin", "unit"]

SAME = (
    "all saved states are the same: the list holds one array many times, which the solver goes on"
    " writing into; append a copy, out.append(p.copy())"
)

_READINGS = {
    "ito": "the Itô form ½ ∂_i ∂_j (D_ij p)",
    "stratonovich": "the Stratonovich form ½ ∂_i (g_ik ∂_j (g_jk p))",
    "fick": "Fick's form ½ ∂_i (D_ij ∂_j p)",
}

GRID_REASONS = {
    **REASONS,
    "drift_left_out": "the solution spreads as the noise says, and is not carried by the drift at"
    " all: the term -∇·(f p) is missing in the solver",
    "noise_left_out": "the solution is carried by the drift, and does not spread at all: the term"
    " ½ ρ² Δp is missing in the solver",
    "rho_for_half_rho_squared": "the solver takes ρ where ρ²/2 is due: ∂_t p = … + ρ Δp; the"
    " diffusivity is D = ρ²/2",
    "rho_squared_twice": "the solver squares what is a square already: ½ ρ⁴ Δp; pass it ρ, or drop"
    " one square",
    "noise_outside": "the solver has ½ D(x) Δp, with D in front of the derivatives; in the Itô"
    " form it stands inside, ½ ∂_i ∂_j (D_ij p)",
    "noises_exchanged": "the noise of each coordinate is used for the other: exchange them, or the"
    " order of the axes in the solver",
    "axes_exchanged": "the two coordinates are exchanged: the array is p[t, y, x]; pass axes in its"
    " order, as axes={'t': t, 'y': y, 'x': x}, or transpose it",
    "cross_noise_left_out": "the mixed term D_xy ∂_x ∂_y p is missing in the solver",
    "cross_noise_once": "the mixed term is taken once: D_xy ∂_x ∂_y p is due, and ½ D_xy ∂_x ∂_y p"
    " is there; it stands twice in the sum ½ Σ D_ij ∂_i ∂_j",
}
for _one, _form in _READINGS.items():
    for _other, _due in _READINGS.items():
        if _one != _other:
            GRID_REASONS[f"{_one}_read_as_{_other}"] = (
                f"the solver has {_form}, where interpretation={_other!r} asks for {_due}; change"
                f" the solver, or pass interpretation={_one!r}"
            )
for _name in ("x", "y"):
    GRID_REASONS[f"drift_sign_of_{_name}"] = (
        f"the drift of {_name} has the other sign in the solver"
    )
    GRID_REASONS[f"drift_of_{_name}_left_out"] = f"the drift of {_name} is missing in the solver"
    GRID_REASONS[f"noise_of_{_name}_left_out"] = (
        f"the solver has no noise in {_name}: ½ D_{_name}{_name} ∂²p/∂{_name}² is missing"
    )
    GRID_REASONS[f"half_missing_of_{_name}"] = (
        f"the ½ in front of the noise of {_name} is missing in the solver, that of the other"
        " coordinate is there"
    )


def factors(what: str, c: float) -> Diagnosis:
    """A factor ``c`` on the clock, on the drift, on the noise, or on those of one coordinate."""
    if what == "clock":
        k = c if c > 1 else 1 / c
        whole = abs(k - round(k)) < 0.02 * k and round(k) > 1
        if whole and c > 1:
            why = (
                f"each saved state is {round(k)} time steps after the one before, and the times"
                f" count one: t should be {round(k)} times as long (np.arange(n) * dt *"
                f" {round(k)}, where one state of {round(k)} is saved)"
            )
        elif whole:
            why = f"the times are {round(k)} times too far apart: t is to be divided by {round(k)}"
        else:
            why = f"the times are to be multiplied by {c:.5g}"
        return Diagnosis.cause(
            "clock_factor",
            f"Cause: the solution runs {c:.4g} times as fast as the equation in its times: {why};"
            f" or drift and ρ² in the solver are both {c:.4g} times yours (clock_factor).",
        )
    kind = "noise_factor" if what.startswith("noise") else "drift_factor"
    whose = what.replace("noise", "ρ²").replace("drift", "drift")
    text = (
        f"the {whose} in the solver is {c:.4g} times yours: divide it there by {c:.4g}, or multiply"
        " yours"
    )
    return Diagnosis.cause(kind, f"Cause: {text} ({kind}).")


def origin(name: str, by: float, step: float) -> Diagnosis:
    """An axis that begins ``by`` too early, in steps of its own."""
    parts = by / step
    half = 2 * parts
    side = "too small" if by > 0 else "too large"
    if abs(half - round(half)) < 0.1 and round(half) != 0 and abs(half) < 8:
        n = abs(round(half))
        many = f"{n // 2} steps" if n > 2 else "one step"
        size = {1: "half a step"}.get(n, many if n % 2 == 0 else f"{n / 2:g} steps")
    else:
        size = f"{abs(parts):.3g} steps"
    why = (
        "edges of cells were passed for their middles, or the other way round: pass x +"
        f" ({by:+.4g}), or the edges (one more than the cells)"
        if size == "half a step" and name != "t"
        else f"pass {name} + ({by:+.4g})"
    )
    kind = "time_offset" if name == "t" else "cell_offset"
    return Diagnosis.cause(
        kind,
        f"Cause: the axis {name} is {size} ({abs(by):.4g}) {side}: {why} ({kind}).",
    )


def unit(name: str, c: float, n: int) -> Diagnosis:
    """An axis of n points whose steps are to be multiplied by ``c``."""
    once, twice = (n - 1) / n, n / (n - 1)
    if abs(c - once) < 0.2 / n or abs(c - twice) < 0.2 / n:
        end = "False" if c < 1 else "True"
        why = (
            f"its {n} points were made by linspace with the other endpoint=: pass"
            f" endpoint={end}, or as many points as the solver has"
        )
    else:
        why = f"multiply its steps by {c:.5g}"
    return Diagnosis.cause(
        "axis_scaled",
        f"Cause: the steps of the axis {name} are {1 / c:.5g} times what the solution needs: {why}"
        " (axis_scaled).",
    )


def ends(boundary: str) -> Diagnosis:
    """Inside the equation is solved, and not at the ends."""
    due = {
        "reflecting": "the flux f p - ½ ∂(ρ² p) through them is not 0",
        "absorbing": "the density is not 0 there",
        "periodic": "what leaves at one does not come in at the other",
    }[boundary]
    return Diagnosis.cause(
        f"not_{boundary}",
        f"Cause: inside, the equation is solved; the ends of the axes are not {boundary}: {due}."
        f" Mend the first and the last rows of the solver, pass another boundary=, or cells=True"
        f" where the points are middles of cells (not_{boundary}).",
    )
