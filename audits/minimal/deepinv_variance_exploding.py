"""deepinv's VE diffusion declares σ(t)² where its SDE, started at x_0, has σ(t)² - σ(0)²."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from absent import absent

absent("torchvision", "torchmetrics")
from deepinv.sampling import VarianceExplodingDiffusion  # noqa: E402

from scoreproof import check_marginals  # noqa: E402

sde = VarianceExplodingDiffusion()
for reading in ("literal", "blurred"):
    evidence = check_marginals(
        sde.forward_drift,
        sde.forward_diffusion,
        lambda x0, t: (sde.scale_t(t) * x0, sde.scale_t(t) * sde.sigma_t(t)),
        reading=reading,
        framework="torch",
    )
    print(reading, "-", evidence.explain())
