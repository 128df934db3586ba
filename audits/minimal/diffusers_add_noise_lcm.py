"""LCM's timesteps are those of its distillation, not of the timestep_spacing that it is configured for."""

import diffusers

from scoreproof import check_schedule

scheduler = diffusers.LCMScheduler()
scheduler.set_timesteps(50)
print(scheduler.config.timestep_spacing, "-", check_schedule(scheduler).explain())
