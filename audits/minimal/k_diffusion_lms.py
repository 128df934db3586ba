"""k-diffusion's sample_lms(order=4): its first steps have lower order, and what they err stays."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from absent import absent

absent("accelerate", "cleanfid", "clip", "dctorch", "jsonmerge", "kornia", "skimage")
absent("torchvision", "wandb")
from k_diffusion import sampling  # noqa: E402

from scoreproof import check_sampler  # noqa: E402

sigmas = [float(s) for s in sampling.get_sigmas_karras(80, 0.03, 15.0)]
for order in (4, 3):
    evidence = check_sampler(
        sampling.sample_lms, framework="torch", options={"disable": True}, times=sigmas, order=order
    )
    print(f"order {order} -", evidence.explain())
