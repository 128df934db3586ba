"""A scheduler's members beside its steps: σ and ᾱ of one network, its start, its input's scale."""

import types

import numpy as np
import pytest

import scoreproof as sp

T = 200
BAR = np.cumprod(1 - np.linspace(5e-4, 0.06, T))
DUE = np.sqrt((1 - BAR) / BAR)


class Euler:
    """Euler's method on x_0 + σ ε. ``table``: σ of its entries; ``clock``: timesteps of its σ."""

    def __init__(self, table=DUE, start=None, scale=None, clock=None, bar=BAR, **config):
        self.table, self.start, self.scale, self.clock = table, start, scale, clock
        self.config = types.SimpleNamespace(**config)
        if bar is not None:
            self.alphas_cumprod = bar

    def set_timesteps(self, n):
        if self.clock is None:
            self.timesteps = np.linspace(T - 1, 0, n)
            sigmas = np.interp(self.timesteps, np.arange(T), self.table)
        else:
            ends = DUE[-1] ** (1 / 7), DUE[0] ** (1 / 7)
            sigmas = np.linspace(*ends, n) ** 7
            self.timesteps = self.clock(sigmas)
        self.sigmas, self.k = np.append(sigmas, 0.0), 0

    @property
    def init_noise_sigma(self):
        return self.start or float(np.hypot(1, self.sigmas[0]))

    def scale_model_input(self, x, t):
        s = self.sigmas[self.k]
        return x / np.hypot(1, s) if self.scale is None else self.scale(s) * x

    def add_noise(self, x, noise, t):
        at = [self.sigmas[np.argmin(np.abs(self.timesteps - v))] for v in np.ravel(t)]
        return x + np.reshape(at, (-1,) + (1,) * (x.ndim - 1)) * noise

    def step(self, eps, t, x):
        k, self.k = self.k, self.k + 1
        return (x + (self.sigmas[k + 1] - self.sigmas[k]) * eps,)


def asked(**how):
    return sp.check_sampler(Euler(**how), steps=12, shape=2)


def index_of(sigmas):
    return np.interp(np.log(sigmas), np.log(DUE), np.arange(T))


RIGHT = {
    "the table": {},
    "Karras, interpolated": {"clock": index_of},
    "told sigma": {"clock": lambda s: s},
    "told log sigma / 4": {"clock": lambda s: np.log(s) / 4},
    "no table, x itself": {"bar": None, "scale": lambda s: 1.0},
    "no table, sigma_data": {
        "bar": None,
        "scale": lambda s: 1 / np.hypot(0.5, s),
        "sigma_data": 0.5,
    },
    "starts at sigma_max": {"start": float(DUE[-1])},
}


@pytest.mark.parametrize("how", RIGHT.values(), ids=list(RIGHT))
def test_what_belongs_together_holds(how):
    evidence = asked(**how)
    assert evidence.verdict == "holds", evidence.explain()


WRONG = {
    "variance": ({"table": DUE**2}, "the root is missing"),
    "fourth root": ({"table": DUE**0.5}, "the root is taken twice"),
    "not divided": ({"table": DUE / np.hypot(1, DUE)}, "the division by √ᾱ is missing"),
    "variance not divided": ({"table": 1 - BAR}, "the root and the division by √ᾱ are missing"),
    "another schedule": ({"table": 1.2 * DUE}, "are of two schedules"),
    "timesteps evenly beside Karras": (
        {"clock": lambda s: np.linspace(T - 1, 0, len(s))},
        "are of two schedules",
    ),
    "start of a VP": ({"start": 1.0}, "init_noise_sigma = 1 is that of a variance-preserving x"),
    "start, a variance": ({"start": float(DUE[-1] ** 2)}, "is to be the width of x at the first"),
    "input as it is": ({"scale": lambda s: 1.0}, "x is left as it is; 1 / √"),
    "input by the variance": (
        {"scale": lambda s: 1 / (1 + s**2)},
        "divides by α² [+] σ²: the root is missing",
    ),
    "input multiplied": ({"scale": lambda s: np.hypot(1, s)}, "multiplies where it has to divide"),
    "input by sigma": ({"scale": lambda s: 1 / s}, "divides by σ alone"),
    "input by one more": ({"scale": lambda s: 1 / (1 + s)}, "divides by 1 [+] σ"),
    "input by no rule": ({"scale": lambda s: 3.0 + s}, "no factor that is known"),
    "no table, by the variance": (
        {"bar": None, "scale": lambda s: 1 / (1 + s**2)},
        "the root is missing; 1 / √",
    ),
}


@pytest.mark.parametrize(("how", "says"), WRONG.values(), ids=list(WRONG))
def test_what_contradicts_the_table_is_refuted_and_named(how, says):
    import re

    evidence = asked(**how)
    assert evidence.verdict == "refuted", evidence.explain()
    assert re.search(says, evidence.diagnosis.sentence), evidence.explain()


def test_sigmas_in_the_reverse_order_of_the_table_are_said():
    from scoreproof.public.sampler.data import Level
    from scoreproof.public.sampler.hooks import Hooks
    from scoreproof.public.sampler.trained import contradicted

    held = types.SimpleNamespace(alphas_cumprod=BAR)
    for values, says in ((DUE[::-1], "in reverse order"), (1 / DUE, "upside down")):
        levels = [Level(float(t), 1.0, float(values[t])) for t in range(T - 1, -1, -20)]
        evidence = contradicted("mine", held, levels, Hooks())
        assert evidence.verdict == "refuted" and says in evidence.diagnosis.sentence
    straight = [Level(float(t), 1 - t / T, t / T) for t in range(T - 1, 0, -20)]
    assert contradicted("mine", held, straight, Hooks()) is None  # a flow has no use for it


def test_timesteps_that_were_made_whole_hold():
    from scoreproof.public.sampler.data import Level
    from scoreproof.public.sampler.hooks import Hooks
    from scoreproof.public.sampler.trained import contradicted

    sigmas = np.linspace(DUE[-1] ** (1 / 7), DUE[0] ** (1 / 7), 12) ** 7
    held = types.SimpleNamespace(alphas_cumprod=BAR)
    for made in (np.round, np.floor, np.ceil):
        for norm in (np.ones(12), np.hypot(1, sigmas)):
            levels = [
                Level(float(t), float(1 / n), float(s / n))
                for t, s, n in zip(made(index_of(sigmas)), sigmas, norm, strict=True)
            ]
            assert contradicted("mine", held, levels, Hooks()) is None


def test_a_start_that_was_set_once_for_all_timesteps_is_left_open():
    class Later(Euler):
        def set_timesteps(self, n):
            super().set_timesteps(n)
            self.timesteps = np.linspace(T / 2, 0, n)
            at = np.interp(self.timesteps, np.arange(T), self.table)
            self.sigmas = np.append(at, 0.0)

    evidence = sp.check_sampler(Later(start=float(DUE[-1])), steps=12, shape=2)
    assert evidence.verdict == "undecided", evidence.explain()
    assert "it is that of the table's last timestep: let it follow set" in evidence.sentence
    evidence = sp.check_sampler(Later(start=float(3 * DUE[-1])), steps=12, shape=2)
    assert evidence.verdict == "refuted" and "x_0 of variance 1 included" in evidence.explain()


def test_a_process_of_the_callers_own_leaves_its_members_alone():
    from scoreproof.objects.discrete import DiscreteVE

    evidence = sp.check_sampler(Euler(start=1.0), DiscreteVE(DUE), steps=8, shape=1)
    assert evidence.verdict != "refuted"
    assert "init_noise_sigma decides nothing here: it is 1" in evidence.explain()


def test_an_object_that_preconditions_has_its_own_scale():
    from scoreproof.public.sampler.data import Level
    from scoreproof.public.sampler.hooks import Hooks
    from scoreproof.public.sampler.trained import contradicted

    levels = [Level(float(np.log(s) / 4), 1.0, float(s)) for s in np.geomspace(80, 0.01, 9)]
    held = types.SimpleNamespace()
    for factor, right in ((lambda s: 1 / np.hypot(0.5, s), True), (lambda s: 1.0, False)):
        hooks = Hooks(0.5, True, 80.0, [(v, float(factor(v.sigma))) for v in levels])
        evidence = contradicted("mine", held, levels, hooks)
        assert (evidence is None) == right
    assert "√(α² σ_data² + σ²) with σ_data = 0.5" in evidence.explain()


def test_schedule_names_the_root_between_entries_of_the_table():
    t = np.linspace(T - 1, 0, 23)
    sigmas = np.append(np.interp(t, np.arange(T), DUE**2), 0.0)
    held = types.SimpleNamespace(alphas_cumprod=BAR, timesteps=t, sigmas=sigmas)
    evidence = sp.check_schedule(held)
    assert evidence.verdict == "refuted"
    assert "σ² = (1 - ᾱ) / ᾱ, variances: the root is missing" in evidence.explain()
