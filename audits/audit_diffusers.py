"""Every scheduler of diffusers as it is shipped: its tables, its chain of 50 steps, and the order
of convergence that its solver_order declares.
"""

from __future__ import annotations

import warnings

import diffusers
from report import judge

from scoreproof import check_sampler, check_schedule

warnings.filterwarnings("ignore")
diffusers.utils.logging.set_verbosity_error()

DPM, UNIPC, DEIS = (f"{name}MultistepScheduler" for name in ("DPMSolver", "UniPC", "DEIS"))
#: name, arguments, options of step, the order that is declared, and whether the steps are exact
CHAINS = (
    ("DDPMScheduler", {"clip_sample": False}, {}, 1, True),
    ("DDPMScheduler", {"variance_type": "fixed_large", "clip_sample": False}, {}, 1, False),
    ("DDIMScheduler", {"clip_sample": False}, {"eta": 0.0}, 1, True),
    ("DDIMScheduler", {"clip_sample": False}, {"eta": 1.0}, 1, True),
    ("DDIMScheduler", {"prediction_type": "v_prediction", "clip_sample": False}, {}, 1, True),
    ("DDIMScheduler", {"prediction_type": "sample", "clip_sample": False}, {}, 1, True),
    ("DDIMScheduler", {"timestep_spacing": "trailing", "clip_sample": False}, {}, 1, True),
    ("DDIMScheduler", {"rescale_betas_zero_snr": True, "clip_sample": False}, {}, 1, False),
    ("DDIMParallelScheduler", {"clip_sample": False}, {}, 1, True),
    ("DDPMParallelScheduler", {"clip_sample": False}, {}, 1, True),
    ("PNDMScheduler", {}, {}, None, False),
    ("PNDMScheduler", {"skip_prk_steps": True}, {}, None, False),
    ("IPNDMScheduler", {}, {}, None, False),
    ("EulerDiscreteScheduler", {}, {}, 1, False),
    ("EulerDiscreteScheduler", {"use_karras_sigmas": True}, {}, 1, False),
    ("EulerDiscreteScheduler", {"prediction_type": "v_prediction"}, {}, 1, False),
    ("EulerDiscreteScheduler", {"timestep_spacing": "trailing"}, {}, 1, False),
    ("EulerAncestralDiscreteScheduler", {}, {}, 1, False),
    ("HeunDiscreteScheduler", {}, {}, 2, False),
    ("KDPM2DiscreteScheduler", {}, {}, 2, False),
    ("KDPM2AncestralDiscreteScheduler", {}, {}, None, False),
    ("LMSDiscreteScheduler", {}, {}, None, False),
    ("DPMSolverSinglestepScheduler", {}, {}, 2, False),
    (DPM, {"solver_order": 1}, {}, 1, False),
    (DPM, {"solver_order": 2}, {}, 2, False),
    (DPM, {"solver_order": 2, "solver_type": "heun"}, {}, 2, False),
    (DPM, {"solver_order": 3}, {}, 3, False),
    (DPM, {"algorithm_type": "sde-dpmsolver++", "solver_order": 1}, {}, 1, False),
    (DPM, {"algorithm_type": "sde-dpmsolver++", "solver_order": 2}, {}, 2, False),
    (DPM, {"algorithm_type": "sde-dpmsolver++", "solver_order": 3}, {}, 3, False),
    (DPM, {"algorithm_type": "sde-dpmsolver++", "timestep_spacing": "trailing"}, {}, 2, False),
    (DPM, {"use_karras_sigmas": True}, {}, 2, False),
    (DPM, {"final_sigmas_type": "sigma_min"}, {}, 2, False),
    ("DPMSolverSDEScheduler", {}, {}, None, False),
    (UNIPC, {"solver_order": 2}, {}, 2, False),
    (UNIPC, {"solver_order": 3}, {}, 3, False),
    (DEIS, {"solver_order": 2}, {}, 2, False),
    (DEIS, {"solver_order": 3}, {}, 3, False),
    ("SASolverScheduler", {}, {}, None, False),
    ("EDMEulerScheduler", {}, {}, 1, False),
    ("EDMDPMSolverMultistepScheduler", {}, {}, 2, False),
    ("FlowMatchEulerDiscreteScheduler", {}, {}, 1, False),
    ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}, {}, 1, False),
    ("FlowMatchHeunDiscreteScheduler", {}, {}, 2, False),
    ("LCMScheduler", {}, {}, None, False),
    ("TCDScheduler", {}, {}, None, False),
)
TABLES = (
    "DDPMScheduler",
    "DDIMScheduler",
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "LMSDiscreteScheduler",
    DPM,
    "DPMSolverSinglestepScheduler",
    UNIPC,
    DEIS,
    "PNDMScheduler",
    "LCMScheduler",
)
TWICE = (
    "with fewer than 1000 steps. The default grid of 1000 is 1001 evenly spaced numbers rounded, in"
    " which timestep 500 occurs twice: a step of length 0, and the second-order term is 0/0 there"
)
READINGS = {
    "LCMScheduler": "as a consistency sampler: it noises the predicted x_0 again at each step, and"
    " its network is to be a consistency function, not E[x_0 | x]",
    "TCDScheduler": "as a consistency sampler: its network is to be a consistency function, not"
    " E[x_0 | x]",
    f"{DPM}(solver_order=3)": "as a method of order 2: in"
    " multistep_dpm_solver_third_order_update the term of D2 is half of Taylor's",
    f"{DPM}(algorithm_type='sde-dpmsolver++', solver_order=2)": TWICE,
    f"{DPM}(algorithm_type='sde-dpmsolver++', solver_order=3)": TWICE
    + "; below that its error falls slowly (8.84 % with 200 steps, 5.75 % with 500)",
    f"{DPM}(use_karras_sigmas=True)": "the steps follow the list of σ; timesteps are its σ rounded"
    " to whole timesteps, which with 200 steps and more are the same for several σ, so that"
    " add_noise and the network are told another σ than x has",
}
CHAIN_SCRIPTS = {
    "LCMScheduler": "diffusers_lcm_chain",
    "TCDScheduler": "diffusers_tcd_chain",
    "FlowMatchHeunDiscreteScheduler()": "diffusers_flow_match_heun",
    f"{DPM}(solver_order=3)": "diffusers_dpm_order_3",
    f"{DPM}(algorithm_type='sde-dpmsolver++', solver_order=2)": "diffusers_dpm_sde_twice",
    f"{DPM}(algorithm_type='sde-dpmsolver++', solver_order=3)": "diffusers_dpm_sde_twice",
    f"{DPM}(use_karras_sigmas=True)": "diffusers_dpm_karras",
}
SCRIPTS = {"KDPM2DiscreteScheduler": "kdpm2", "LCMScheduler": "lcm"}
TABLE_READINGS = {
    "KDPM2DiscreteScheduler": "only at the timesteps of the grid: at the interpolated ones of its"
    " second evaluations add_noise gives the noise of the next level",
    "LCMScheduler": "its timesteps are those of the distillation (original_inference_steps), and"
    " the configured timestep_spacing is not used",
    "early": "none found: before set_timesteps, add_noise takes σ from the end where the timestep"
    " counts from the other (right after set_timesteps)",
}


def label(name: str, arguments: dict, options: dict) -> str:
    return f"{name}({', '.join(f'{k}={v!r}' for k, v in {**arguments, **options}.items())})"


def chain(name: str, arguments: dict, options: dict, order: float | None, exact: bool):
    return check_sampler(
        getattr(diffusers, name)(**arguments),
        steps=50,
        options=options,
        order=order,
        exact=exact,
    )


def tables(name: str, steps: int | None):
    scheduler = getattr(diffusers, name)()
    if steps:
        scheduler.set_timesteps(steps)
    return check_schedule(scheduler)


def run() -> None:
    for name in TABLES:
        for steps in (None, 50):
            when = f"after set_timesteps({steps})" if steps else "as it is made"
            judge(
                "diffusers",
                f"{name}() {when}: its tables and add_noise",
                "schedule",
                lambda n=name, s=steps: tables(n, s),
                reading=TABLE_READINGS.get(name, TABLE_READINGS["early"]),
                minimal="diffusers_add_noise_" + SCRIPTS.get(name, "early"),
            )
    for name, arguments, options, order, exact in CHAINS:
        asked = [*([f"order {order}"] if order else []), *(["exact"] if exact else [])]
        key = name if name in READINGS else label(name, arguments, options)
        judge(
            "diffusers",
            ", ".join([label(name, arguments, options), *asked]),
            "sampler and order" if order else "sampler",
            lambda c=(name, arguments, options, order, exact): chain(*c),
            reading=READINGS.get(key, ""),
            minimal=CHAIN_SCRIPTS.get(key, ""),
        )
    judge(
        "diffusers",
        "CosineDPMSolverMultistepScheduler(), order 2",
        "sampler and order",
        lambda: check_sampler(diffusers.CosineDPMSolverMultistepScheduler(), steps=50, order=2),
    )


if __name__ == "__main__":
    run()
