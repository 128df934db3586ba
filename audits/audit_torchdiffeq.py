"""torchdiffeq: the gradient of the FFJORD log-likelihood by odeint_adjoint and by differentiating
odeint, as the tolerance goes to zero.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from common import judged
from flow import PARAMS, ROWS
from torch_flow import Augmented, field, log_normal
from torchdiffeq import odeint, odeint_adjoint

from scoreproof import check_log_likelihood_gradient

warnings.filterwarnings("ignore")
torch.set_num_threads(1)


def gradient_by(solve: Any, **options: Any) -> Any:
    """``gradient(x, params, nu, tol)``: the flow is solved from s = 1, where the data sit, to s =
    0.
    """

    def gradient(
        x: torch.Tensor, params: torch.Tensor, nu: torch.Tensor, tol: float
    ) -> torch.Tensor:
        dynamics = Augmented(params, nu)
        start = torch.cat([x, torch.zeros(len(x), 1, dtype=x.dtype)], dim=1)
        chosen = dict(options)
        if "step" in chosen:  # a fixed step in the place of a tolerance
            chosen["options"] = {"step_size": chosen.pop("step")(tol)}
        else:
            chosen.update(rtol=tol, atol=tol)
        end = solve(dynamics, start, torch.tensor([1.0, 0.0], dtype=x.dtype), **chosen)[-1]
        # ℓ(0) = ∫₀¹ tr ds, since s runs down from 1
        (log_normal(end[:, :-1]) - end[:, -1]).sum().backward()
        return dynamics.params.grad

    return gradient


CASES = [
    ("odeint_adjoint(method='dopri5')", odeint_adjoint, {"method": "dopri5"}),
    ("odeint_adjoint(method='dopri8')", odeint_adjoint, {"method": "dopri8"}),
    ("odeint_adjoint(method='bosh3')", odeint_adjoint, {"method": "bosh3"}),
    ("odeint_adjoint(method='adaptive_heun')", odeint_adjoint, {"method": "adaptive_heun"}),
    (
        "odeint_adjoint(method='dopri5', adjoint_options={'norm': 'seminorm'})",
        odeint_adjoint,
        {"method": "dopri5", "adjoint_options": {"norm": "seminorm"}},
    ),
    (
        "odeint_adjoint(method='rk4', step_size)",
        odeint_adjoint,
        {"method": "rk4", "step": lambda tol: 0.5 * tol**0.25},
    ),
    (
        "odeint_adjoint(method='midpoint', step_size)",
        odeint_adjoint,
        {"method": "midpoint", "step": lambda tol: 0.5 * tol**0.5},
    ),
    ("odeint(method='dopri5'), differentiated", odeint, {"method": "dopri5"}),
    (
        "odeint(method='rk4', step_size), differentiated",
        odeint,
        {"method": "rk4", "step": lambda tol: 0.5 * tol**0.25},
    ),
]


def main() -> None:
    for name, solve, options in CASES:
        # low orders are dear at small tolerances; bosh3 converges in jumps, and shows its limit
        # only at 1e-10
        dear = {
            "midpoint": (1e-3, 1e-4, 1e-5),
            "adaptive_heun": (1e-3, 1e-4, 1e-5),
            "bosh3": (1e-4, 1e-6, 1e-8, 1e-10),
        }
        falling = dear.get(options["method"], (1e-4, 1e-6, 1e-8))
        evidence = check_log_likelihood_gradient(
            field,
            PARAMS,
            ROWS,
            gradient_by(solve, **options),
            tolerances=falling,
            framework="torch",
        )
        curve = evidence.curves.get("error")
        errors = (
            "; errors " + ", ".join(f"{e:.1g} at {t:g}" for t, e in zip(*curve, strict=True))
            if curve
            else ""
        )
        what = "the step h = tol^(1/order) / 2" if "step" in options else "rtol = atol = tol"
        judged(
            "torchdiffeq",
            name,
            f"the gradient of the FFJORD log-likelihood at a fixed ν as {what} goes to 0{errors}",
            evidence,
        )
    # the default tolerances, as a user meets them
    for default, solve in (
        ("odeint_adjoint()", odeint_adjoint),
        ("odeint(), differentiated", odeint),
    ):

        def gradient(
            x: torch.Tensor, params: torch.Tensor, nu: torch.Tensor, solve: Any = solve
        ) -> torch.Tensor:
            dynamics = Augmented(params, nu)
            end = solve(
                dynamics,
                torch.cat([x, torch.zeros(len(x), 1, dtype=x.dtype)], dim=1),
                torch.tensor([1.0, 0.0], dtype=x.dtype),
            )[-1]
            (log_normal(end[:, :-1]) - end[:, -1]).sum().backward()
            return dynamics.params.grad

        evidence = check_log_likelihood_gradient(
            field, PARAMS, ROWS, gradient, accuracy=1e-5, framework="torch"
        )
        judged(
            "torchdiffeq",
            default,
            "default method and tolerances (rtol 1e-7, atol 1e-9): the gradient to a relative 1e-5,"
            " the check's default",
            evidence,
        )


if __name__ == "__main__":
    main()
