"""What the model predicts that a log-likelihood is handed, by what is said or by its name."""

from __future__ import annotations

from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.interop.signatures import parameters
from scoreproof.public.arguments import one_of
from scoreproof.public.called import DENOISERS, NOISE_MODELS, SCORES, VELOCITIES

__all__ = ["KINDS", "kind_of"]

KINDS = ("score", "eps", "x0", "v", "velocity", "flow", "field")
#: names that say it, with a process or without
SAY = {
    "eps": (*NOISE_MODELS, "noise_pred"),
    "x0": DENOISERS,
    "score": SCORES,
    "velocity": (*VELOCITIES, "velocity"),
}
#: of what goes without a process
FIELD = ("v_fn", "flow", "func", "f", "ode_func", "odefunc", "field", "cnf", "drift", "node", "v",
         "u")  # fmt: skip


#: of the right side of an ODE, as torchdiffeq and FFJORD name it
RIGHT_SIDE = ("func", "ode_func", "odefunc", "cnf", "node", "dynamics")


def kind_of(function: Any, process: Any, said: Any) -> tuple[str, bool]:
    """One of `KINDS`, and whether nothing says it: with a process a score is meant then.

    >>> kind_of(lambda eps_model, x: 0, object(), None), kind_of(lambda net, x: 0, object(), None)
    (('eps', False), ('score', True))
    >>> kind_of(lambda odefunc, x: 0, object(), None), kind_of(lambda cnf, x: 0, None, None)
    (('velocity', True), ('velocity', False))
    """
    if said == "F":
        raise ArgumentError(
            "prediction",
            f"one of {', '.join(KINDS)}",
            "'F', EDM's raw network",
            "let the function take the denoiser D = c_skip x + c_out F(c_in x, c_noise), with"
            " prediction='x0'; check_preconditioning judges the four coefficients",
        )
    if said is not None:
        one_of("prediction", said, KINDS, "say what the model returns that the function is handed")
        return str(said), False
    names = [p.name for p in parameters(function) or ()]
    if process is None and any(n in ("sigma_min", "sigma_max") for n in names):
        return "x0", False
    for kind, known in SAY.items():
        if any(n in known for n in names) and (process is not None or kind != "score"):
            return kind, False
    if process is not None:
        # of an ODE's right side it is the velocity, whatever process the data go through
        return ("velocity" if any(n in RIGHT_SIDE for n in names) else "score"), True
    if any(n in FIELD for n in names):
        return "velocity", False
    raise ArgumentError(
        "prediction",
        f"one of {', '.join(KINDS)}",
        None,
        "say what the model returns; a score, eps or v goes with process=, an object with alpha(t)"
        " and sigma(t)",
    )
