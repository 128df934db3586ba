"""add_noise of diffusers' multistep solvers before set_timesteps and after."""

import diffusers

from scoreproof import check_schedule

for name in ("DPMSolverMultistep", "DPMSolverSinglestep", "UniPCMultistep", "DEISMultistep"):
    scheduler = getattr(diffusers, f"{name}Scheduler")()
    print(name, "as it is made -", check_schedule(scheduler).explain())
    scheduler.set_timesteps(50)
    print(name, "after set_timesteps -", check_schedule(scheduler).verdict)
