"""deepinv's MMSE denoiser divides by 2σ² + 1e-12."""

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from absent import absent

absent("torchvision", "torchmetrics")
from deepinv.models import MMSE  # noqa: E402

from scoreproof import check_denoiser  # noqa: E402

data, sigma = np.random.default_rng(0).random((30, 4)), 0.4
images = torch.tensor(data).reshape(-1, 1, 2, 2)
model = MMSE(images, torch.device("cpu"), torch.float64)
for tolerance in (None, 1e-9):
    evidence = check_denoiser(
        lambda y: model(y.reshape(-1, 1, 2, 2), sigma).flatten(1),
        data,
        sigma**2,
        framework="torch",
        tolerance=tolerance,
    )
    print(f"tolerance {tolerance} -", evidence.explain())
