"""`check_sampler` on samplers whose model returns dα/dt x_0 + dσ/dt ε, the velocity of the path."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import VE, FlowMatching, VPLinear

WAYS = {
    "right": lambda x, t, n, v: x + (n - t) * v,
    "half": lambda x, t, n, v: x + (n - t) * v / 2,
    "away": lambda x, t, n, v: x - (n - t) * v,
    "squares": lambda x, t, n, v: x + (n**2 - t**2) * v,
}


class Plain:
    """A path of somebody's own, who did not write its derivatives."""

    def alpha(self, t):
        return np.cos(np.pi * t / 2)

    def sigma(self, t):
        return np.sin(np.pi * t / 2)


def judged(process, way, low=0.02):
    def step(x, t, t_next, noise, model):
        return WAYS[way](x, t, t_next, model(x, t))

    return sp.check_sampler(step, process, prediction="velocity", times=np.linspace(1, low, 25))


def test_to_the_data():
    assert judged(FlowMatching(), "right", 0.0).verdict == "holds"


@pytest.mark.parametrize(
    "process", [VPLinear(), VE(0.1, 10.0), Plain()], ids=lambda p: type(p).__name__
)
def test_right_steps_on_other_paths(process):
    assert judged(process, "right").verdict == "holds"


@pytest.mark.parametrize(
    "process", [FlowMatching(), VPLinear(), Plain()], ids=lambda p: type(p).__name__
)
@pytest.mark.parametrize(
    ("way", "said"), [("half", "halved"), ("away", "the sign"), ("squares", "t_next² - t²")]
)
def test_wrong_steps_are_named(process, way, said):
    evidence = judged(process, way)
    assert evidence.verdict == "refuted" and said in evidence.diagnosis.sentence


def test_of_sigma_alone():
    def euler(model, x, sigmas):
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            x = x + (n - s) * model(x, s)
        return x

    assert sp.check_sampler(euler, prediction="velocity").verdict == "holds"


def test_a_table_has_no_velocity():
    def step(x, t, t_next, noise, model):
        return x + (t_next - t) * model(x, t)

    with pytest.raises(ArgumentError, match="dα/dt and dσ/dt are known"):
        sp.check_sampler(step, DiscreteVP(np.linspace(1e-4, 0.02, 100)), prediction="velocity")


def test_jax_without_x64_is_judged_by_the_type_that_it_has():
    jax = pytest.importorskip("jax")
    from scoreproof import check_sampler

    def euler(model, x, sigmas):
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            x = x + (n - s) * (x - model(x, s)) / s
        return x

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", False)
    try:
        found = check_sampler(euler, framework="jax", dtype="float64", steps=20)
    finally:
        jax.config.update("jax_enable_x64", before)
    assert found.verdict == "holds", found.explain()
    assert found.resolution > 1e-7


def test_a_whole_sampler_is_known_by_its_list_of_times():
    from scoreproof import check_sampler

    def edm(anything, x, sigmas, rng):
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            x = x + (n - s) * (x - anything(x, s)) / s
        return x

    assert check_sampler(edm, steps=20)


def test_a_scheduler_that_mixes_the_axes_of_its_noise_is_told_so():
    from scoreproof import CallableError, check_sampler

    class Scheduler:
        def __init__(self):
            self.alphas_cumprod = np.cumprod(1 - np.linspace(1e-4, 0.02, 100))
            self.timesteps = np.arange(99, -1, -1)

        def set_timesteps(self, n):
            self.timesteps = np.linspace(99, 0, n).astype(int)

        def add_noise(self, x, noise, t):
            bar = self.alphas_cumprod[t]
            return np.sqrt(bar) * x + np.sqrt(1 - bar) * noise

        def step(self, out, t, x):
            return x

    with pytest.raises(
        CallableError, match=r"add_noise must return an array of the sample's shape"
    ):
        check_sampler(Scheduler(), prediction="eps")


class Blurred:
    """Lipman's path: its last level has the noise σ_min."""

    horizon = 1.0

    def __init__(self, least):
        self.least = least

    def alpha(self, t):
        return 1 - t

    def sigma(self, t):
        return self.least + (1 - self.least) * t

    def derivatives(self, t):
        return -1.0, 1 - self.least


def euler(model, x, times, stop=0, past=0.0):
    for t, n in zip(times[: len(times) - 1 - stop], times[1:], strict=False):
        v = model(x, t)
        x = x + (n - t) * v
    return x - past * v


def heun(model, x, times):
    for t, n in zip(times[:-1], times[1:], strict=True):
        v = model(x, t)
        x = x + (n - t) / 2 * (v + model(x + (n - t) * v, n))
    return x


@pytest.mark.parametrize("least", [1e-6, 1e-5, 1e-3, 0.01, 0.1])
def test_a_last_level_with_noise_is_due_its_own_law(least):
    given = {"prediction": "velocity", "times": np.linspace(1, 0, 18), "shape": 1}
    assert sp.check_sampler(euler, Blurred(least), **given).verdict == "holds"
    if least >= 0.01:
        assert sp.check_sampler(heun, Blurred(least), order=2, **given).verdict == "holds"
        for wrong, said in (({"past": 0.04}, "leads to"), ({"stop": 1}, "stops 1 step before")):
            evidence = sp.check_sampler(euler, Blurred(least), options=wrong, **given)
            assert evidence.verdict == "refuted" and said in evidence.diagnosis.sentence


class Rising:
    """The flow clock: data at 1."""

    horizon = 1.0

    def alpha(self, t):
        return t

    def sigma(self, t):
        return 1 - t


def test_times_that_rise_are_told_how_they_are_turned():
    times = np.linspace(0, 1, 15)
    given = {"prediction": "velocity", "shape": 1}
    with pytest.raises(ArgumentError, match=r"rise from noise to data.* -model\(y, 1 - s\)"):
        sp.check_sampler(euler, Rising(), times=times, **given)
    with pytest.raises(ArgumentError, match=r"lambda x, t, u, model: .*1 - u.* model\(y, 1 - s\)"):
        step = lambda x, t, n, model: x  # noqa: E731
        sp.check_sampler(step, Rising(), times=times, prediction="eps")
    with pytest.raises(ArgumentError, match="leading from noise to data on the clock of process"):
        sp.check_sampler(euler, Rising(), times=times[::-1], **given)
    with pytest.raises(ArgumentError, match="sort them"):
        sp.check_sampler(euler, FlowMatching(), times=times, **given)
    turned = lambda model, x, t: euler(lambda y, s: -model(y, 1 - s), x, 1 - t)  # noqa: E731
    assert sp.check_sampler(turned, FlowMatching(), times=1 - times, **given).verdict == "holds"
