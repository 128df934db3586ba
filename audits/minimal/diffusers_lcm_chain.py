"""LCM is a consistency sampler: with the exact E[x_0 | x] its chain has other laws."""

import diffusers

from scoreproof import check_sampler

print(check_sampler(diffusers.LCMScheduler()).explain())
