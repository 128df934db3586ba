"""With use_karras_sigmas several σ share one rounded timestep, by which the level is told."""

import diffusers

from scoreproof import check_sampler

solver = diffusers.DPMSolverMultistepScheduler(use_karras_sigmas=True)
print(check_sampler(solver).explain())
for n in (50, 200):
    solver.set_timesteps(n)
    times = solver.timesteps.tolist()
    print(
        f"{n} steps, timesteps that several σ share:",
        sorted({t for t in times if times.count(t) > 1}),
    )
