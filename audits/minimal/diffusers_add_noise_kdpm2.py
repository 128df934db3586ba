"""KDPM2's add_noise at the timesteps between gives the noise of the next level."""

import diffusers
import torch

from scoreproof import check_schedule

scheduler = diffusers.KDPM2DiscreteScheduler()
scheduler.set_timesteps(50)
print(check_schedule(scheduler).explain())
between = scheduler.timesteps[-3:]
print(
    "timesteps",
    between,
    "σ of add_noise",
    scheduler.add_noise(torch.zeros(3), torch.ones(3), between),
)
