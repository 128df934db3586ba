"""Wrong SDE steps on the straight path: the score of their drift is formed by another formula."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_sampler
from scoreproof.objects.schedules import FlowMatching


def sde(score):
    """Noise of standard deviation 0.6 √(t dt), and the drift that goes with it."""

    def sample(model, x, times, rng):
        for t, n in zip(times[:-1], times[1:], strict=True):
            v, w2 = model(x, t), 0.36 * t * (t - n)
            x = x + (n - t) * v + w2 / 2 * score(x, v, t)
            x = x + w2**0.5 * rng.standard_normal(x.shape)
        return x

    given = {"times": np.linspace(0.94, 0.06, 14), "prediction": "flow", "shape": 1}
    return check_sampler(sample, FlowMatching(), **given)


@wrong("the score of noise at t = 0", says=r"-\(x - σ v\)/α, the formula of the other convention")
def flow_score_of_the_other_convention():
    return sde(lambda x, v, t: -(x - t * v) / (1 - t))


@wrong("the velocity's sign in the score", says=r"score .*-\(x - α v\)/σ \(the sign of v\)")
def flow_score_with_the_velocity_negated():
    return sde(lambda x, v, t: -(x - (1 - t) * v) / t)
