"""FlowMatchHeunDiscreteScheduler raises IndexError in its last step."""

import diffusers

from scoreproof import check_sampler

try:
    print(check_sampler(diffusers.FlowMatchHeunDiscreteScheduler()).explain())
except Exception as error:
    print(type(error).__name__, error)
