"""The default grid of 1000 steps has timestep 500 twice; second order divides 0 by 0 there."""

import diffusers

from scoreproof import check_sampler

for order in (2, 3):
    solver = diffusers.DPMSolverMultistepScheduler(
        algorithm_type="sde-dpmsolver++", solver_order=order
    )
    print(f"solver_order={order} -", check_sampler(solver, order=order).explain())
solver.set_timesteps(1000)
times = solver.timesteps.tolist()
print("twice among 1000 timesteps:", sorted({t for t in times if times.count(t) > 1}))
