"""Wrong losses that draw one t for the whole batch."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_loss

BAR = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))


def judged(target):
    def loss(model, x0, rng):
        k, noise = rng.integers(0, 1000), rng.standard_normal(x0.shape)
        x_t = np.sqrt(BAR[k]) * x0 + np.sqrt(1 - BAR[k]) * noise
        return ((model(x_t, np.full(len(x0), k)) - target(noise, x0)) ** 2).mean()

    return check_loss(loss, {"alphas_cumprod": BAR})


@wrong("one t a batch: x_0 for ε", says=r"target is x_0, where the model is said to answer ε")
def one_time_and_x0():
    return judged(lambda noise, x0: x0)


@wrong("one t a batch: noise of another row", says=r"target is that of another sample of the batch")
def one_time_and_another_row():
    return judged(lambda noise, x0: noise[::-1])


@wrong("one t a batch: the mean noise", says=r"target is the mean over the batch")
def one_time_and_the_mean():
    return judged(lambda noise, x0: np.broadcast_to(noise.mean(axis=0), noise.shape))
