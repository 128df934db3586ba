"""LCM's timesteps are of its distillation, not of its configured timestep_spacing."""

import diffusers

from scoreproof import check_schedule

scheduler = diffusers.LCMScheduler()
scheduler.set_timesteps(50)
print(scheduler.config.timestep_spacing, "-", check_schedule(scheduler).explain())
